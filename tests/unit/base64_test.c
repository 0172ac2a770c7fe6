// SPDX-License-Identifier: Apache-2.0
/* The vectors of RFC 4648. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/base/base64.h"
#include "store/base/cleanup.h"

/* RFC 4648, section 10, and bytes of every value of the last digits. */
static void test_encode(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xff\xfe\xfd", "//79"},
		{"\xfb\xef", "++8="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[16];
		size_t n = BASE64_LENGTH(strlen(cases[i].in));

		memset(out, '!', sizeof out);
		base64_encode(cases[i].in, strlen(cases[i].in), out);
		assert_int_equal(strlen(cases[i].out), n);
		assert_memory_equal(cases[i].out, out, n);
		assert_int_equal('!', out[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_encode)};
	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}

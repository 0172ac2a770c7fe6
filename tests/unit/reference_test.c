// SPDX-License-Identifier: Apache-2.0
/* Names of images: what they become in full, what is none, and the limits of their lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/reference.h"

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_good(void **state)
{
	static const struct {
		const char *in, *text, *name;
	} t[] = {
		{"debian", "docker.io/library/debian:latest", "docker.io/library/debian"},
		{"debian:12-slim", "docker.io/library/debian:12-slim", "docker.io/library/debian"},
		{"user/app", "docker.io/user/app:latest", "docker.io/user/app"},
		{"docker.io/app:1", "docker.io/library/app:1", "docker.io/library/app"},
		{"index.docker.io/app", "docker.io/library/app:latest", "docker.io/library/app"},
		{"localhost/app", "localhost/app:latest", "localhost/app"},
		{"localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app"},
		{"127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest", "127.0.0.1:5000/a/b/c"},
		{"[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app"},
		{"Host/app", "Host/app:latest", "Host/app"},
		{"quay.io/a_b/c__d/e---f.g:T_a.g-1", "quay.io/a_b/c__d/e---f.g:T_a.g-1",
			"quay.io/a_b/c__d/e---f.g"},
		{"app@sha256:" HEX, "docker.io/library/app@sha256:" HEX, "docker.io/library/app"},
		{"r.io/app:1@sha256:" HEX, "r.io/app:1@sha256:" HEX, "r.io/app"},
		{"localhost:5000", "docker.io/library/localhost:5000",
			"docker.io/library/localhost"},
		{HEX "0", "docker.io/library/" HEX "0:latest", "docker.io/library/" HEX "0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct reference r = {0}, again = {0};
		struct err *e = NULL;
		if (reference_parse(t[i].in, &r, &e) < 0)
			fail_msg("%s: %s", t[i].in, err_text(e));
		char *text = reference_text(&r), *name = reference_name(&r);
		assert_string_equal(t[i].text, text);
		assert_string_equal(t[i].name, name);
		/* the full name means itself */
		assert_int_equal(0, reference_parse(text, &again, &e));
		char *twice = reference_text(&again);
		assert_string_equal(text, twice);
		free(text);
		free(name);
		free(twice);
		reference_clear(&r);
		reference_clear(&again);
	}
}

static void test_bad(void **state)
{
	static const char *const t[][2] = {{"", "empty"}, {HEX, "image ID"}, {"App", "lower-case"},
		{"r.io/App", "lower-case"}, {"a//b", "malformed"}, {"/a", "malformed"},
		{"a/", "malformed"}, {"a..b", "malformed"}, {"a___b", "malformed"},
		{"a._b", "malformed"}, {"-a", "malformed"}, {"a-", "malformed"},
		{"a b", "malformed"}, {"a:", "a tag is"}, {"a:.x", "a tag is"},
		{"a:-x", "a tag is"}, {"a:b:c", "malformed"}, {"a@sha256:12", "digest"},
		{"a@", "digest"}, {"a@sha512:" HEX HEX, "digest"},
		{"a@sha256:" HEX "@sha256:" HEX, "digest"}, {"r.io:x/a", "host is malformed"},
		{"r.io:/a", "host is malformed"}, {"r.io:123456/a", "host is malformed"},
		{"-r.io/a", "host is malformed"}, {"r..io/a", "host is malformed"},
		{"[::1/a", "host is malformed"}, {"r.io/", "malformed"}, {"../x", "malformed"},
		{"a/../b", "malformed"}, {"a\n", "malformed"}, {"\xc3\xa4", "malformed"},
		{"@sha256:" HEX, "empty"}, {":x", "empty"}};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct reference r = {.tag = (char *)(uintptr_t)8};
		auto_err struct err *e = NULL;
		if (reference_parse(t[i][0], &r, &e) == 0)
			fail_msg("\"%s\" was accepted", t[i][0]);
		assert_int_equal(ERR_USAGE, err_get_kind(e));
		assert_ptr_equal((char *)(uintptr_t)8, r.tag);
		if (!strstr(err_text(e), t[i][1]))
			fail_msg("\"%s\": %s", t[i][0], err_text(e));
	}
}

static void accept(const char *text, bool want)
{
	struct reference r = {0};
	auto_err struct err *e = NULL;

	assert_int_equal(want ? 0 : -1, reference_parse(text, &r, &e));
	reference_clear(&r);
}

static void test_limits(void **state)
{
	char text[3000];

	(void)state;
	/* "docker.io/library/" has 18 bytes, 255 are allowed */
	memset(text, 'a', sizeof text);
	text[237] = '\0';
	accept(text, true);
	text[237] = 'a';
	text[238] = '\0';
	accept(text, false);
	memset(text, 'a', 300);
	text[1] = ':';
	text[130] = '\0';
	accept(text, true);
	text[130] = 'a';
	text[131] = '\0';
	accept(text, false);
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	accept(text, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}

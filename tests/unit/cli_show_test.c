// SPDX-License-Identifier: Apache-2.0
/* JSON and tables on standard output, times on the command line, result files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cli/outfile.h"
#include "builder/cli/show.h"
#include "builder/cli/times.h"

static void assert_pretty(const struct show_json *j, const char *want)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	show_json_pretty(j, &b);
	assert_string_equal(b.data, want);
	buf_clear(&b);
}

static void test_json(void **state)
{
	static const char raw[] = "{ \"a\" : [ ] ,\n\"b\":{\t}, \"c\":[1,-2.5e3,null,true] }";
	struct digest d = {{0xab}};
	struct show_json j;

	(void)state;
	show_json_init(&j);
	show_json_open(&j, NULL, '{');
	show_json_string(&j, "text", "a\"b\\c\n");
	show_json_string(&j, "none", NULL);
	show_json_number(&j, "n", UINT64_MAX);
	show_json_bool(&j, "yes", true);
	show_json_digest(&j, "d", &d);
	show_json_open(&j, "empty", '[');
	show_json_close(&j, ']');
	show_json_raw(&j, "raw", raw, sizeof raw - 1);
	show_json_close(&j, '}');
	assert_pretty(&j,
		"{\n"
		"  \"text\": \"a\\\"b\\\\c\\n\",\n"
		"  \"none\": null,\n"
		"  \"n\": 18446744073709551615,\n"
		"  \"yes\": true,\n"
		"  \"d\": "
		"\"sha256:ab00000000000000000000000000000000000000000000000000000000000000\",\n"
		"  \"empty\": [],\n"
		"  \"raw\": {\n"
		"    \"a\": [],\n"
		"    \"b\": {},\n"
		"    \"c\": [\n"
		"      1,\n"
		"      -2.5e3,\n"
		"      null,\n"
		"      true\n"
		"    ]\n"
		"  }\n"
		"}\n");
	show_json_clear(&j);
}

/* What is valid in JSON and would drive a terminal becomes an escape; everything else stays. */
static void test_json_is_safe_for_a_terminal(void **state)
{
	static const char raw[] = "[\"\x7f\xc2\x9b\xe2\x80\xae\xef\xbb\xbf\",\"\\u001b{,:\\\"\","
				  "\"gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80\"]";
	struct show_json j;

	(void)state;
	show_json_init(&j);
	show_json_raw(&j, NULL, raw, sizeof raw - 1);
	assert_pretty(&j, "[\n"
			  "  \"\\u007f\\u009b\\u202e\\ufeff\",\n"
			  "  \"\\u001b{,:\\\"\",\n"
			  "  \"gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80\"\n"
			  "]\n");
	show_json_clear(&j);
	/* A string that is no UTF-8 does not make the document invalid. */
	show_json_init(&j);
	show_json_string(&j, NULL, "\xff\x1b");
	assert_pretty(&j, "\"\xef\xbf\xbd\\u001b\"\n");
	show_json_clear(&j);
	/* Cut off: no reading past the end. */
	show_json_init(&j);
	show_json_raw(&j, NULL, "[\"\xe2\x80", 4);
	assert_pretty(&j, "[\n  \"\\ufffd\"\n");
	show_json_clear(&j);
}

static int64_t seconds_of(const char *text)
{
	int64_t n = -1;

	return times_seconds("X", text, &n, NULL) == 0 ? n : -1;
}

static int64_t duration_of(const char *text)
{
	int64_t n = -1;

	return times_duration("X", text, &n, NULL) == 0 ? n : -1;
}

static void test_times(void **state)
{
	static const char *const bad[] = {"", "-1", "1.5", "1x", "x", "253402300800",
		"99999999999999999999999", " 1", "1 ", "0x1"};
	struct err *err = NULL;
	int64_t n = 7;

	(void)state;
	assert_int_equal(seconds_of("0"), 0);
	assert_int_equal(seconds_of("1700000000"), 1700000000);
	assert_int_equal(seconds_of("253402300799"), 253402300799);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(seconds_of(bad[i]), -1);
	assert_int_equal(times_seconds("--timestamp", "soon", &n, &err), -1);
	assert_int_equal(n, 7);
	assert_string_equal(
		err_text(err), "--timestamp: \"soon\" is not a number of seconds since 1970");
	err_free(err);
	assert_int_equal(duration_of("90"), 90);
	assert_int_equal(duration_of("15m"), 900);
	assert_int_equal(duration_of("24h"), 86400);
	assert_int_equal(duration_of("7d"), 604800);
	assert_int_equal(duration_of("2w"), 1209600);
	assert_int_equal(duration_of("0s"), 0);
	assert_int_equal(duration_of("1hh"), -1);
	assert_int_equal(duration_of("h"), -1);
	assert_int_equal(duration_of("253402300799w"), -1);
}

static void assert_content(const char *path, const char *want, mode_t mode)
{
	char text[64] = {0};
	FILE *f = fopen(path, "r");
	struct stat st;

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) < sizeof text);
	fclose(f);
	assert_string_equal(text, want);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_outfile(void **state)
{
	char dir[] = "/tmp/cli_show_test.XXXXXX", file[64], link[64], target[64], missing[64];
	struct err *err = NULL;
	struct outfile f;
	mode_t mask = umask(022);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/f", dir);
	snprintf(link, sizeof link, "%s/link", dir);
	snprintf(target, sizeof target, "%s/target", dir);
	snprintf(missing, sizeof missing, "%s/no/f", dir);
	/* Not asked for. */
	assert_int_equal(outfile_open(&f, NULL, NULL), 0);
	assert_int_equal(outfile_write(&f, "x", 1, NULL), 0);
	/* New; then an old one goes before the work begins. */
	assert_int_equal(outfile_open(&f, file, NULL), 0);
	assert_int_equal(outfile_write(&f, "one", 3, NULL), 0);
	assert_content(file, "one", 0644);
	assert_int_equal(outfile_open(&f, file, NULL), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(outfile_write(&f, "two", 3, NULL), 0);
	assert_content(file, "two", 0644);
	/* A link stays one, and is written through: /dev/stdout is one. */
	assert_int_equal(symlink("target", link), 0);
	assert_int_equal(outfile_open(&f, link, NULL), 0);
	assert_int_equal(outfile_write(&f, "three", 5, NULL), 0);
	assert_content(target, "three", 0644);
	/* Errors come before the work. */
	assert_int_equal(outfile_open(&f, missing, &err), -1);
	assert_int_equal(err_exit_status(err), 4);
	err_free(err);
	err = NULL;
	assert_int_equal(outfile_open(&f, dir, &err), -1);
	assert_int_equal(err_get_kind(err), ERR_CONTEXT);
	err_free(err);
	assert_int_equal(outfile_open(&f, "", NULL), -1);
	assert_int_equal(outfile_open(&f, "x/", NULL), -1);
	unlink(file);
	unlink(link);
	unlink(target);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left */
	umask(mask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_is_safe_for_a_terminal),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_outfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

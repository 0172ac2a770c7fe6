// SPDX-License-Identifier: Apache-2.0
/* Handlers of binfmt_misc, as descriptions in a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>

#include "builder/plan/binfmt.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "tests/support/tempdir.h"

#define MAGIC(machine) "magic 7f454c460201010000000000000000000200" machine "\n"

static void put(const struct tempdir *d, const char *name, const char *text)
{
	auto_free char *path = mem_printf("%s/%s", d->path, name);
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, text, strlen(text)), 0);
}

/* "" = fine, else the error. */
static char *check(const struct tempdir *d, const char *platform)
{
	auto_oci_platform struct oci_platform p = {0};
	struct err *e = NULL;

	assert_int_equal(oci_platform_parse(platform, &p, NULL), 0);
	if (binfmt_check(&p, d->path, &e) == 0)
		return mem_strdup("");
	assert_int_equal(err_get_kind(e), ERR_UNSUPPORTED);
	char *text = mem_printf("%s; %s", err_text(e), err_hint_text(e));
	err_free(e);
	return text;
}

static void expect(const struct tempdir *d, const char *platform, const char *want)
{
	auto_free char *got = check(d, platform);

	if (!*want)
		assert_string_equal(got, "");
	else if (!strstr(got, want))
		fail_msg("%s: got \"%s\", wanted \"%s\"", platform, got, want);
}

static void handlers(void **state)
{
	struct tempdir d;
	auto_oci_platform struct oci_platform host = {0};

	(void)state;
	tempdir_make(&d);
	oci_platform_host(&host);
	const char *other =
		strcmp(host.architecture, "s390x") == 0 ? "linux/riscv64" : "linux/s390x";
	expect(&d, other, ""); /* not mounted: nothing is known */
	put(&d, "status", "enabled\n");
	expect(&d, host.architecture, "");
	expect(&d, "linux/s390x", "no binfmt_misc handler qemu-s390x");
	expect(&d, "linux/s390x", "qemu-user-static");
	put(&d, "other", "enabled\ninterpreter /x\nflags: F\noffset 0\n" MAGIC("f300"));
	put(&d, "java", "enabled\ninterpreter /j\nextension .jar\n");
	put(&d, "short", "enabled\nflags: F\nmagic 7f454c46\n");
	expect(&d, "linux/s390x", "no binfmt_misc handler");
	put(&d, "off", "disabled\ninterpreter /x\nflags: F\noffset 0\n" MAGIC("0016"));
	expect(&d, "linux/s390x", "no binfmt_misc handler");
	put(&d, "q", "enabled\ninterpreter /x\nflags: OC\noffset 0\n" MAGIC("0016"));
	expect(&d, "linux/s390x", "has no flag F");
	put(&d, "r", "enabled\ninterpreter /x\nflags: POCF\noffset 0\n" MAGIC("0016"));
	expect(&d, "linux/s390x", "");
	expect(&d, "linux/unheard", "");
	tempdir_remove(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(handlers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

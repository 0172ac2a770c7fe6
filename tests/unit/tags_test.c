// SPDX-License-Identifier: Apache-2.0
/*
 * Names of images in index.json: entries of other tools stay, no update of another process is lost,
 * and a torn file is replaced by the one before it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/store.h"
#include "store/tags.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static struct oci_descriptor manifest(uint8_t n)
{
	struct oci_descriptor d = {.digest = {{n}}, .size = n};

	d.media_type = mem_strdup(OCI_MEDIA_MANIFEST);
	return d;
}

static void set(struct store *s, const char *name, uint8_t n)
{
	struct oci_descriptor d = manifest(n);

	assert_int_equal(0, tags_set(s, &name, 1, &d, NULL));
	oci_descriptor_clear(&d);
}

static int find(struct store *s, const char *name)
{
	struct oci_descriptor d = {0};
	int r = tags_find(s, name, &d, NULL);

	r = r == 1 ? (int)d.size : r;
	oci_descriptor_clear(&d);
	return r;
}

static void test_set_find(void **state)
{
	static const char *const names[] = {"docker.io/library/b:1", "docker.io/library/a:2"};
	struct storedir *d = *state;
	struct oci_descriptor m = manifest(7);
	struct tags t = {0};

	assert_int_equal(0, find(d->s, names[0]));
	assert_int_equal(0, tags_set(d->s, names, 2, &m, NULL));
	oci_descriptor_clear(&m);
	assert_int_equal(7, find(d->s, names[0]));
	assert_int_equal(7, find(d->s, names[1]));
	set(d->s, names[0], 8);
	assert_int_equal(8, find(d->s, names[0]));
	assert_int_equal(0, tags_list(d->s, &t, NULL));
	assert_int_equal(2, t.n);
	assert_string_equal(names[1], t.v[0].name);
	assert_string_equal(names[0], t.v[1].name);
	assert_int_equal(8, t.v[1].manifest.size);
	tags_clear(&t);
	char *text = tempdir_read(store_root_fd(d->s), "index.json");
	assert_string_equal(
		"{\"schemaVersion\":2,\"mediaType\":\"application/"
		"vnd.oci.image.index.v1+json\",\"manifests\":["
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
		"\"sha256:0700000000000000000000000000000000000000000000000000000000000000\","
		"\"size\":7,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"docker.io/library/"
		"a:2\"}},"
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
		"\"sha256:0800000000000000000000000000000000000000000000000000000000000000\","
		"\"size\":8,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"docker.io/library/"
		"b:1\"}}]}",
		text);
	free(text);
	assert_int_equal(1, tags_remove(d->s, names[0], NULL));
	assert_int_equal(0, tags_remove(d->s, names[0], NULL));
	assert_int_equal(0, find(d->s, names[0]));
	assert_int_equal(7, find(d->s, names[1]));
}

/* Entries of other tools, without a name, stay. */
static void test_unnamed(void **state)
{
	static const char entry[] =
		"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
		"\"sha256:0700000000000000000000000000000000000000000000000000000000000000\","
		"\"size\":7}";
	struct storedir *d = *state;
	struct tags t = {0};
	char text[500];

	snprintf(text, sizeof text, "{\"schemaVersion\":2,\"manifests\":[%s]}", entry);
	tempdir_write(store_root_fd(d->s), "index.json", text);
	assert_int_equal(0, tags_list(d->s, &t, NULL));
	assert_int_equal(0, t.n);
	tags_clear(&t);
	set(d->s, "x", 1);
	set(d->s, "y", 1);
	assert_int_equal(1, tags_remove(d->s, "x", NULL));
	char *now = tempdir_read(store_root_fd(d->s), "index.json");
	assert_non_null(strstr(now, entry));
	free(now);
}

static void test_damaged(void **state)
{
	struct storedir *d = *state;
	struct tags t = {0};
	auto_err struct err *e = NULL;

	tempdir_write(store_root_fd(d->s), "index.json", "{\"schemaVersion\":2,");
	assert_int_equal(-1, tags_list(d->s, &t, &e));
	assert_int_equal(ERR_CORRUPT, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "index.json"));
	assert_int_equal(-1, find(d->s, "x"));
	struct oci_descriptor m = manifest(7);
	const char *name = "x";
	assert_int_equal(-1, tags_set(d->s, &name, 1, &m, NULL));
	oci_descriptor_clear(&m);
}

/* A power cut: the file is of another boot, and empty or torn. The one before it is used. */
static void test_torn(void **state)
{
	static const char *const rests[] = {"", "{\"schemaVersion\":2,"};
	struct storedir *d = *state;

	for (size_t i = 0; i < 2; i++) {
		set(d->s, "x", 1);
		set(d->s, "y", 2);
		set(d->s, "y", 2); /* no change, no write */
		set(d->s, "x", 3);
		tempdir_write(store_root_fd(d->s), "index.json", rests[i]);
		auto_fd int fd = openat(store_root_fd(d->s), "index.json", O_RDONLY);
		if (*rests[i]) {
			assert_int_equal(-1, find(d->s, "x")); /* damaged in this boot */
			assert_int_equal(0, fsetxattr(fd, "user.bld.boot", "other", 5, 0));
		}
		assert_int_equal(1, find(d->s, "x"));
		assert_int_equal(2, find(d->s, "y"));
		set(d->s, "z", 4);
		assert_int_equal(1, find(d->s, "x"));
		assert_int_equal(4, find(d->s, "z"));
	}
	/* both are gone */
	tempdir_write(store_root_fd(d->s), "index.json", "");
	tempdir_write(store_bld_fd(d->s), "index.last", "");
	assert_int_equal(-1, find(d->s, "x"));
	assert_int_equal(0, unlinkat(store_bld_fd(d->s), "index.last", 0));
	assert_int_equal(0, find(d->s, "x"));
	set(d->s, "x", 5);
	assert_int_equal(5, find(d->s, "x"));
}

/* No update of another process is lost. */
static void test_concurrent(void **state)
{
	enum { KIDS = 6, NAMES = 10 };
	struct storedir *d = *state;
	pid_t pid[KIDS];
	int status;
	struct tags t = {0};

	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		struct store *s = storedir_again(d);
		for (int k = 0; k < NAMES; k++) {
			char name[32];
			snprintf(name, sizeof name, "n-%d-%d", i, k);
			set(s, name, (uint8_t)(i + 1));
			set(s, "shared", (uint8_t)(i + 1));
			if (k % 2 && tags_remove(s, name, NULL) != 1)
				_exit(1);
			if (find(s, "shared") < 1)
				_exit(2);
		}
		store_close(s);
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	assert_int_equal(0, tags_list(d->s, &t, NULL));
	assert_int_equal(KIDS * NAMES / 2 + 1, t.n);
	tags_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_set_find, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_unnamed, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_torn, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_concurrent, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}

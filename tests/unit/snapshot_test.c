// SPDX-License-Identifier: Apache-2.0
/*
 * Layers as directories for a sandbox: made again after another boot or damage, adopted from a
 * step, and unpacked once when many processes need them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tree/tree.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static void stack(struct store *s, struct digest diff_ids[2])
{
	images_simple(s, "localhost/app:latest", diff_ids);
}

static size_t count(struct store *s, const char *name)
{
	return tempdir_count(store_bld_fd(s), name);
}

static const struct snapshot_forms dirs_only = {0};

static void check_lowers(struct store *s, const struct digest *diff_ids)
{
	auto_lowers struct lowers l = {0};
	struct stat st;
	struct err *e = NULL;

	if (snapshot_lowers(s, STACK(diff_ids, 2), &dirs_only, &l, &e) < 0)
		fail_msg("%s", err_text(e));
	char *text = images_text(l.v[0].dir_fd, "one");
	assert_string_equal("1", text);
	free(text);
	text = images_text(l.v[0].dir_fd, "d/x");
	assert_string_equal("x", text);
	free(text);
	text = images_text(l.v[1].dir_fd, "two");
	assert_string_equal("localhost/app:latest", text);
	free(text);
	assert_int_equal(0, fstatat(l.v[1].dir_fd, "d/x", &st, AT_SYMLINK_NOFOLLOW));
	assert_true(geteuid() != 0 || S_ISCHR(st.st_mode)); /* a whiteout */
}

static void test_lowers(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];

	stack(d->s, id);
	assert_int_equal(0, count(d->s, "dirs"));
	check_lowers(d->s, id);
	assert_int_equal(2, count(d->s, "dirs"));
	check_lowers(d->s, id);
	storedir_reopen(d);
	check_lowers(d->s, id);
	assert_int_equal(2, count(d->s, "dirs"));
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
	assert_int_equal(0, count(d->s, "trash"));
}

/* A directory of another boot, or with a damaged form file, is made again. */
static void test_torn_dir(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	char hex[DIGEST_HEX], path[200];

	stack(d->s, id);
	check_lowers(d->s, id);
	snprintf(path, sizeof path, "%s/form", sha256_hex(&id[0], hex));
	int dirs = store_dir(d->s, STORE_DIRS);
	char *form = tempdir_read(dirs, path);
	char *boot = strstr(form, "boot ");
	assert_non_null(boot);
	boot[5] = boot[5] == '0' ? '1' : '0';
	tempdir_write(dirs, path, form);
	free(form);
	snprintf(path, sizeof path, "%s/upper/one", hex);
	tempdir_write(dirs, path, "torn");
	check_lowers(d->s, id);
	assert_int_equal(1, count(d->s, "trash"));
	snprintf(path, sizeof path, "%s/form", hex);
	tempdir_write(dirs, path, "");
	check_lowers(d->s, id);
	assert_int_equal(2, count(d->s, "trash"));
}

static void test_missing(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	auto_lowers struct lowers l = {0};
	auto_err struct err *e = NULL;
	struct err *f = NULL;

	stack(d->s, id);
	assert_int_equal(1, snapshot_exists(d->s, &id[1], NULL));
	assert_int_equal(0, blob_remove(d->s, &id[1]));
	assert_int_equal(0, snapshot_exists(d->s, &id[1], NULL));
	assert_int_equal(-1, snapshot_lowers(d->s, STACK(id, 2), &dirs_only, &l, &e));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "layer sha256:"));
	assert_null(snapshot_tree(d->s, STACK(id, 2), &f));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(f));
	err_free(f);
}

static void test_tree(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];

	stack(d->s, id);
	struct layer_tree *t = snapshot_tree(d->s, STACK(id, 2), NULL);
	assert_non_null(t);
	assert_non_null(layer_tree_lookup(t, "two", true, NULL, NULL));
	assert_null(layer_tree_lookup(t, "d/x", true, NULL, NULL));
	layer_tree_free(t);
}

static void test_adopt(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	char name[64];
	struct err *e = NULL;

	stack(d->s, id);
	for (int round = 0; round < 2; round++) {
		int fd = store_temp_dir(d->s, name, &e);
		assert_int_equal(0, fs_mkdirs(fd, "upper/d", 0755));
		assert_int_equal(0, fs_mkdirs(fd, "work/work", 0755));
		assert_int_equal(0, fs_mkdirs(fd, "m1/upper", 0755));
		assert_int_equal(0, fs_mkdirs(fd, "empty", 0755));
		tempdir_write(fd, "upper/one", round ? "late" : "adopted");
		close(fd);
		int r = snapshot_adopt(d->s, STACK(id, 1), name, &e);
		if (r < 0)
			fail_msg("%s", err_text(e));
		assert_int_equal(round, r);
		assert_true(tempdir_has(store_tmp_fd(d->s), name) == (r == 1));
	}
	auto_lowers struct lowers l = {0};
	assert_int_equal(0, snapshot_lowers(d->s, STACK(id, 1), &dirs_only, &l, &e));
	char *text = images_text(l.v[0].dir_fd, "one");
	assert_string_equal("adopted", text); /* the first one, and not unpacked again */
	/* what throw-away mounts took went with the first: nothing is deleted */
	assert_int_equal(2, count(d->s, "trash"));
	free(text);
	assert_int_equal(1, count(d->s, "dirs"));
}

/* Many processes that need the same directories: each is unpacked once. */
static void test_concurrent(void **state)
{
	enum { KIDS = 6 };
	struct storedir *d = *state;
	struct digest id[2];
	pid_t pid[KIDS];
	int status;

	stack(d->s, id);
	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		struct store *s = storedir_again(d);
		check_lowers(s, id);
		store_close(s);
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	assert_int_equal(2, count(d->s, "dirs"));
	assert_int_equal(0, count(d->s, "trash")); /* nobody made one for nothing */
	check_lowers(d->s, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lowers, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_torn_dir, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_missing, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_tree, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_adopt, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_concurrent, storedir_setup, storedir_teardown),
	};
	if (geteuid() != 0) {
		puts("ok 1 - snapshot # skip unpacking a layer sets owners, which only root may");
		return 0;
	}
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}

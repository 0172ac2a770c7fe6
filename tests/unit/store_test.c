// SPDX-License-Identifier: Apache-2.0
/*
 * The store as a whole: its layout, what is refused as one, temporary files, locks, and what is
 * left by processes that died; made at once by many, and with no descriptor left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/store.h"
#include "store/tempfile.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static void test_layout(void **state)
{
	struct storedir *d = *state;
	struct stat st;
	int root = store_root_fd(d->s);

	char *text = tempdir_read(root, "oci-layout");
	assert_string_equal("{\"imageLayoutVersion\":\"1.0.0\"}", text);
	free(text);
	text = tempdir_read(root, "index.json");
	assert_string_equal("{\"schemaVersion\":2,\"mediaType\":\"application/"
			    "vnd.oci.image.index.v1+json\",\"manifests\":[]}",
		text);
	free(text);
	text = tempdir_read(store_bld_fd(d->s), "version");
	assert_string_equal("1\n", text);
	free(text);
	assert_int_equal(0, fstat(root, &st));
	assert_int_equal(0700, st.st_mode & 07777);
	assert_string_equal(d->root, store_root(d->s));
	assert_true(tempdir_has(root, "blobs/sha256"));
	assert_true(tempdir_has(root, "bld/cache"));
	assert_true(tempdir_has(root, "bld/mounts"));
	/* opening again changes nothing and tightens the mode */
	assert_int_equal(0, fchmod(root, 0755));
	storedir_reopen(d);
	assert_int_equal(0, fstat(store_root_fd(d->s), &st));
	assert_int_equal(0700, st.st_mode & 07777);
}

static void refused(const char *root, enum err_kind kind, const char *words)
{
	auto_err struct err *e = NULL;

	assert_null(store_open(root, &e));
	if (err_get_kind(e) != kind || !strstr(err_text(e), words))
		fail_msg("%s", err_text(e));
}

static void test_refused(void **state)
{
	struct storedir *d = *state;
	char path[200];

	tempdir_write(store_bld_fd(d->s), "version", "2\n");
	refused(d->root, ERR_SYS, "has format \"2\\x0a\"");
	tempdir_write(store_bld_fd(d->s), "version", "1\n");
	assert_int_equal(0, fs_mkdirs(d->t.fd, "home", 0755));
	tempdir_write(d->t.fd, "home/letter", "dear");
	snprintf(path, sizeof path, "%s/home", d->t.path);
	refused(path, ERR_SYS, "is not a bld store and not empty");
	assert_false(tempdir_has(d->t.fd, "home/bld"));
	snprintf(path, sizeof path, "%s/home/letter", d->t.path);
	refused(path, ERR_SYS, "Not a directory");
	snprintf(path, sizeof path, "%s/home/letter/x", d->t.path);
	refused(path, ERR_SYS, "Not a directory");
}

static void test_default_root(void **state)
{
	struct storedir *d = *state;
	char path[200];
	struct err *e = NULL;

	snprintf(path, sizeof path, "%s/x/y/store/", d->t.path);
	setenv("BLD_ROOT", path, 1);
	struct store *s = store_open(NULL, &e);
	unsetenv("BLD_ROOT");
	assert_non_null(s);
	path[strlen(path) - 1] = '\0';
	assert_string_equal(path, store_root(s));
	store_close(s);
}

static void test_temp(void **state)
{
	struct storedir *d = *state;
	char name[64];
	struct err *e = NULL;

	int fd = store_temp_dir(d->s, name, &e);
	assert_true(fd >= 0);
	tempdir_write(fd, "f", "x");
	close(fd);
	tempdir_write(store_tmp_fd(d->s), "file", "x");
	assert_true(tempdir_has(store_tmp_fd(d->s), name));
	store_discard(d->s, "nothing");
	store_discard(d->s, "file");
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "trash"));
	store_discard(d->s, name);
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
	assert_int_equal(1, tempdir_count(store_bld_fd(d->s), "trash"));
	/* what is left at close goes to the trash too */
	fd = store_temp_dir(d->s, name, &e);
	close(fd);
	storedir_reopen(d);
	assert_int_equal(2, tempdir_count(store_bld_fd(d->s), "trash"));
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "tmp"));
}

/* A killed process's tmp is recovered by the next opening, a living one's is not. */
static void test_recovery(void **state)
{
	struct storedir *d = *state;
	int up[2];
	char c, name[64];

	assert_int_equal(0, pipe2(up, O_CLOEXEC));
	pid_t pid = fork();
	if (pid == 0) {
		struct store *s = storedir_again(d);
		if (store_temp_dir(s, name, NULL) < 0 || write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(1, read(up[0], &c, 1));
	store_close(storedir_again(d));
	assert_int_equal(2, tempdir_count(store_bld_fd(d->s), "tmp")); /* the child's */
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "trash"));
	kill(pid, SIGKILL);
	assert_int_equal(pid, waitpid(pid, NULL, 0));
	store_close(storedir_again(d));
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "tmp"));
	assert_int_equal(1, tempdir_count(store_bld_fd(d->s), "trash"));
	close(up[0]);
	close(up[1]);
}

static void test_exclusive(void **state)
{
	struct storedir *d = *state;
	struct err *e = NULL;
	int status, go[2];
	char c;

	struct store *other = storedir_again(d);
	assert_int_equal(-1, store_exclusive(d->s, false, &e));
	assert_int_equal(ERR_SYS, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "is busy"));
	err_free(TAKE(e));
	/* both keep working, and the other one fails in the same way */
	assert_int_equal(-1, store_exclusive(other, false, NULL));
	store_close(other);
	/* The child is made first: a fork would share the lock. */
	assert_int_equal(0, pipe2(go, O_CLOEXEC));
	store_close(d->s);
	pid_t pid = fork();
	if (pid == 0)
		_exit(read(go[0], &c, 1) == 1 && storedir_again(d) ? 0 : 1);
	d->s = storedir_again(d);
	assert_int_equal(0, store_exclusive(d->s, false, &e));
	assert_int_equal(0, store_exclusive(d->s, true, &e));
	/* nobody gets in until it is closed */
	assert_int_equal(1, write(go[1], "x", 1));
	usleep(50000);
	assert_int_equal(0, waitpid(pid, &status, WNOHANG));
	store_close(d->s);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	close(go[0]);
	close(go[1]);
	d->s = storedir_again(d);
}

/* Two that ask at the same time do not wait for each other for ever. */
static void test_exclusive_race(void **state)
{
	struct storedir *d = *state;
	pid_t pid[4];
	int status;

	store_close(d->s);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			for (int k = 0; k < 20; k++) {
				struct store *s = storedir_again(d);
				if (store_exclusive(s, true, NULL) < 0)
					_exit(1);
				store_close(s);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	d->s = storedir_again(d);
}

static void test_locks(void **state)
{
	struct storedir *d = *state;
	struct digest a = {{1}}, b = {{2}};

	int x = store_lock(d->s, STORE_LOCK_KEY, &a, false, NULL);
	int y = store_lock(d->s, STORE_LOCK_KEY, &b, false, NULL);
	int z = store_lock(d->s, STORE_LOCK_DIR, &a, false, NULL);
	assert_true(x >= 0 && y >= 0 && z >= 0);
	assert_int_equal(-1, store_lock(d->s, STORE_LOCK_KEY, &a, false, NULL));
	assert_int_equal(EWOULDBLOCK, errno);
	close(x);
	x = store_lock(d->s, STORE_LOCK_KEY, &a, true, NULL);
	assert_true(x >= 0);
	close(x);
	close(y);
	close(z);
}

static void test_write_file(void **state)
{
	struct storedir *d = *state;
	struct err *e = NULL;
	int dir = store_dir(d->s, STORE_FORMS);

	assert_int_equal(0, store_write_file(d->s, dir, "f", "one", 3, false, &e));
	assert_int_equal(0, store_write_file(d->s, dir, "f", "two", 3, true, &e));
	char *s = tempdir_read(dir, "f");
	assert_string_equal("two", s);
	free(s);
	assert_int_equal(0, fs_mkdirs(dir, "d/x", 0700));
	assert_int_equal(-1, store_write_file(d->s, dir, "d", "x", 1, false, &e));
	err_free(e);
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
	assert_int_equal(0, store_sync(d->s, NULL));
}

/* Files without a name, and the named ones where the file system has no others. */
static void test_tempfile(void **state)
{
	struct storedir *d = *state;
	int dir = store_dir(d->s, STORE_FORMS);
	struct tempfile t;

	for (int named = 0; named < 2; named++)
		for (int round = 0; round < 2; round++) {
			assert_int_equal(0, tempfile_open(d->s, &t));
			if (named) {
				close(t.fd);
				fs_temp_name(t.name, sizeof t.name, "f");
				t.fd = openat(store_tmp_fd(d->s), t.name,
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
			}
			assert_int_equal(0, fs_write_all(t.fd, round ? "new" : "old", 3));
			int fd = tempfile_reader(&t);
			char text[4] = "";
			assert_int_equal(0, fs_pread_all(fd, text, 3, 0));
			assert_string_equal(round ? "new" : "old", text);
			assert_int_equal(-1, write(fd, "x", 1));
			close(fd);
			assert_int_equal(0, tempfile_publish(&t, dir, named ? "a" : "b"));
			tempfile_close(&t);
			tempfile_close(&t);
			char *s = tempdir_read(dir, named ? "a" : "b");
			assert_string_equal(round ? "new" : "old", s);
			free(s);
		}
	assert_int_equal(0, tempfile_open(d->s, &t));
	tempfile_close(&t);
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
	assert_int_equal(2, tempdir_count(dir, "."));
}

/* No descriptor is left for what is opened at the first use: that is the reason, of each way. */
static void test_no_descriptors(void **state)
{
	struct storedir *d = *state;
	struct store *s = storedir_again(d);
	struct rlimit old, none;
	struct digest id = {{1}};
	struct tempfile t;

	tempdir_write(store_root_fd(s), "f", "old");
	assert_int_equal(0, tempfile_open(s, &t));
	int next = fcntl(t.fd, F_DUPFD_CLOEXEC, 3);
	close(next);
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &none));
	int replaced = tempfile_publish(&t, store_root_fd(s), "f"), why_replaced = errno;
	int removed = blob_remove(s, &id), why_removed = errno;
	int dropped = cache_drop(s, &id), why_dropped = errno;
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &old));
	assert_int_equal(-1, replaced);
	assert_int_equal(EMFILE, why_replaced);
	assert_int_equal(-1, removed);
	assert_int_equal(EMFILE, why_removed);
	assert_int_equal(-1, dropped);
	assert_int_equal(EMFILE, why_dropped);
	assert_int_equal(0, tempfile_publish(&t, store_root_fd(s), "f"));
	tempfile_close(&t);
	store_close(s);
}

/* In a child on a file system where every file has a name: 0 when all is as elsewhere. */
static int with_names(const struct storedir *d)
{
	struct digest id;
	char *text;

	if (!tempdir_refuse_tmpfile())
		return 1;
	struct store *s = storedir_again(d);
	if (blob_put(s, "named", 5, &id, NULL) < 0 ||
		store_write_file(s, store_dir(s, STORE_FORMS), "c", "c", 1, false, NULL) < 0)
		return 2;
	if (tempdir_count(store_tmp_fd(s), ".") != 0)
		return 3;
	text = blob_read(s, &id, 5, NULL, NULL);
	if (!text || strcmp(text, "named") != 0)
		return 4;
	free(text);
	store_close(s);
	return 0;
}

static void test_no_tmpfile(void **state)
{
	struct storedir *d = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(with_names(d));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	assert_int_equal(0, tempdir_count(store_dir(d->s, STORE_TMP), "."));
}

/* A crash right after the store was made may leave its files empty. */
static void test_torn_creation(void **state)
{
	struct storedir *d = *state;

	tempdir_write(store_root_fd(d->s), "index.json", "");
	tempdir_write(store_root_fd(d->s), "oci-layout", "");
	tempdir_write(store_bld_fd(d->s), "version", "");
	storedir_reopen(d);
	char *s = tempdir_read(store_root_fd(d->s), "oci-layout");
	assert_string_equal("{\"imageLayoutVersion\":\"1.0.0\"}", s);
	free(s);
	s = tempdir_read(store_bld_fd(d->s), "version");
	assert_string_equal("1\n", s);
	free(s);
}

/* Threads that ask for the same directory first. */
static void *ask(void *arg)
{
	struct store *s = arg;
	int tmp = store_tmp_fd(s);

	return tmp >= 0 && store_dir(s, STORE_CACHE) >= 0 && tmp == store_tmp_fd(s) ? s : NULL;
}

static void test_threads(void **state)
{
	struct storedir *d = *state;
	pthread_t t[8];
	void *r;

	for (int i = 0; i < 8; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, ask, d->s));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(0, pthread_join(t[i], &r));
		assert_ptr_equal(d->s, r);
	}
	assert_int_equal(2, tempdir_count(store_bld_fd(d->s), "tmp"));
	storedir_reopen(d);
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "tmp"));
}

/* Many processes that make the same store at once. */
static void test_create_race(void **state)
{
	struct storedir *d = *state;
	char path[200];
	pid_t pid[8];
	int status;

	snprintf(path, sizeof path, "%s/fresh/store", d->t.path);
	for (int i = 0; i < 8; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct store *s = store_open(path, NULL);
			if (!s)
				_exit(1);
			store_close(s);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	assert_int_equal(0, tempdir_count(d->t.fd, "fresh/store/bld/tmp"));
	assert_int_equal(4, tempdir_count(d->t.fd, "fresh/store"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_refused, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_default_root, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_temp, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_recovery, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_exclusive, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_exclusive_race, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_locks, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_write_file, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_no_tmpfile, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_no_descriptors, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_tempfile, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_torn_creation, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_threads, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_create_race, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}

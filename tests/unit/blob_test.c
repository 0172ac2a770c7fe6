// SPDX-License-Identifier: Apache-2.0
/*
 * Objects appear whole or not at all: wrong digests, writers at the same time, a process killed
 * anywhere in a write, and what another boot left torn.
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
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/store.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static void write_in(struct blob_writer *w, const char *p, size_t n, size_t piece)
{
	struct io_writer out = blob_stream(w);

	for (size_t i = 0; i < n; i += piece)
		assert_int_equal(0, io_write(&out, p + i, n - i < piece ? n - i : piece, NULL));
}

static char *noise(size_t n)
{
	char *p = mem_alloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 31 + i / 255);
	return p;
}

static void test_stream(void **state)
{
	static const size_t pieces[] = {1, 511, 4096, 262144, 262145, 700001};
	struct storedir *d = *state;
	size_t n = 700001;
	char *p = noise(n);
	struct digest want, got;
	struct err *e = NULL;

	sha256_of(p, n, &want);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		uint64_t size = 0;
		int fd = -1;
		assert_int_equal(0, blob_remove(d->s, &want));
		struct blob_writer *w = blob_create(d->s, &e);
		assert_non_null(w);
		write_in(w, p, pieces[i] == 1 ? 3000 : n, pieces[i]);
		if (pieces[i] == 1)
			write_in(w, p + 3000, n - 3000, n);
		assert_int_equal(0, blob_commit(w, &want, &got, &fd, &e));
		blob_free(w);
		assert_true(sha256_equal(&want, &got));
		char *back = mem_alloc(n);
		assert_int_equal(0, fs_pread_all(fd, back, n, 0));
		assert_memory_equal(p, back, n);
		assert_int_equal(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
		free(back);
		close(fd);
		assert_int_equal(1, blob_exists(d->s, &want, &size, NULL));
		assert_int_equal(n, size);
	}
	free(p);
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
}

static void test_wrong_digest(void **state)
{
	struct storedir *d = *state;
	struct digest want = {{1}}, got = {{9}};
	auto_err struct err *e = NULL;

	struct blob_writer *w = blob_create(d->s, NULL);
	write_in(w, "abc", 3, 3);
	assert_int_equal(-1, blob_commit(w, &want, &got, NULL, &e));
	assert_int_equal(ERR_CORRUPT, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "digest is sha256:ba7816bf"));
	assert_int_equal(9, got.b[0]);
	blob_free(w);
	blob_free(blob_create(d->s, NULL));
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
	assert_int_equal(0, tempdir_count(store_blobs_fd(d->s), "."));
}

static void test_put_read(void **state)
{
	struct storedir *d = *state;
	struct digest a, b, none = {{1}};
	struct err *e = NULL;
	size_t n;

	assert_int_equal(0, blob_put(d->s, "hello", 5, &a, &e));
	assert_int_equal(0, blob_put(d->s, "hello", 5, &b, &e));
	assert_true(sha256_equal(&a, &b));
	assert_int_equal(0, blob_put(d->s, "", 0, &b, &e));
	char *s = blob_read(d->s, &a, 5, &n, &e);
	assert_string_equal("hello", s);
	assert_int_equal(5, n);
	free(s);
	assert_null(blob_read(d->s, &a, 4, &n, &e));
	assert_int_equal(ERR_LIMIT, err_get_kind(e));
	err_free(TAKE(e));
	assert_null(blob_read(d->s, &none, 4, &n, &e));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(e));
	err_free(TAKE(e));
	assert_int_equal(0, blob_exists(d->s, &none, NULL, NULL));
	assert_int_equal(1, blob_verify(d->s, &a, NULL));
	assert_int_equal(-1, blob_verify(d->s, &none, &e));
	err_free(TAKE(e));
	storedir_damage(d->s, &a);
	assert_int_equal(0, blob_verify(d->s, &a, NULL));
	assert_null(blob_read(d->s, &a, 100, &n, &e));
	assert_int_equal(ERR_CORRUPT, err_get_kind(e));
	err_free(TAKE(e));
	assert_int_equal(0, blob_remove(d->s, &a));
	assert_int_equal(0, blob_remove(d->s, &a));
	assert_int_equal(0, blob_exists(d->s, &a, NULL, NULL));
}

/* Objects of another boot are hashed once more; a torn one is gone. */
static void test_boot(void **state)
{
	struct storedir *d = *state;
	struct digest good, torn, synced;
	auto_err struct err *e = NULL;

	if (storedir_volatile(d))
		return; /* nothing here outlives a boot */
	assert_int_equal(0, blob_put(d->s, "good", 4, &good, NULL));
	assert_int_equal(0, blob_put(d->s, "torn", 4, &torn, NULL));
	assert_int_equal(0, blob_put(d->s, "synced", 6, &synced, NULL));
	storedir_other_boot(d->s, &good);
	storedir_other_boot(d->s, &torn);
	storedir_damage(d->s, &torn);
	storedir_damage(d->s, &synced);
	/* believed, because it is known to be on the disk: finding this is verify's work */
	blob_mark_synced(d->s, &synced);
	storedir_reopen(d);
	assert_int_equal(1, blob_exists(d->s, &good, NULL, NULL));
	assert_int_equal(1, blob_exists(d->s, &synced, NULL, NULL));
	assert_int_equal(-1, blob_open(d->s, &torn, NULL, &e));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "damaged by a crash"));
	assert_int_equal(2, tempdir_count(store_blobs_fd(d->s), "."));
	/* now it is known to be good: not hashed again */
	storedir_damage(d->s, &good);
	assert_int_equal(1, blob_exists(d->s, &good, NULL, NULL));
}

/* A torn object of another boot is replaced by a new one of the same name. */
static void test_replace_torn(void **state)
{
	struct storedir *d = *state;
	struct digest a;
	size_t n;

	if (storedir_volatile(d))
		return; /* nothing here outlives a boot */
	assert_int_equal(0, blob_put(d->s, "content", 7, &a, NULL));
	storedir_other_boot(d->s, &a);
	storedir_damage(d->s, &a);
	assert_int_equal(0, blob_put(d->s, "content", 7, &a, NULL));
	char *s = blob_read(d->s, &a, 100, &n, NULL);
	assert_string_equal("content", s);
	free(s);
}

static void test_concurrent(void **state)
{
	enum { KIDS = 8, ROUNDS = 40 };
	struct storedir *d = *state;
	pid_t pid[KIDS];
	int status;

	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		struct store *s = storedir_again(d);
		for (int k = 0; k < ROUNDS; k++) {
			struct digest a;
			char text[64];
			size_t n;
			snprintf(text, sizeof text, "object %d", k);
			if (blob_put(s, text, strlen(text), &a, NULL) < 0)
				_exit(1);
			char *back = blob_read(s, &a, 100, &n, NULL);
			if (!back || strcmp(back, text) != 0)
				_exit(2);
			free(back);
		}
		store_close(s);
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	assert_int_equal(ROUNDS, tempdir_count(store_blobs_fd(d->s), "."));
	assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "tmp"));
}

/* Killed anywhere in a write: no object appears that is not whole. */
static void test_kill(void **state)
{
	struct storedir *d = *state;
	char *p = noise(3000000);
	struct digest want;

	sha256_of(p, 3000000, &want);
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct store *s = storedir_again(d);
			struct digest a;
			for (;;) {
				blob_put(s, p, 3000000, &a, NULL);
				blob_remove(s, &a);
			}
		}
		usleep(3000 + (unsigned)round * 1700);
		kill(pid, SIGKILL);
		assert_int_equal(pid, waitpid(pid, NULL, 0));
		if (blob_exists(d->s, &want, NULL, NULL) == 1)
			assert_int_equal(1, blob_verify(d->s, &want, NULL));
		store_close(storedir_again(d));
		assert_int_equal(0, tempdir_count(store_bld_fd(d->s), "tmp"));
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stream, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_wrong_digest, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_put_read, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_boot, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_replace_torn, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_concurrent, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_kill, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}

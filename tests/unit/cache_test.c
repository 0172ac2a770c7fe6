// SPDX-License-Identifier: Apache-2.0
/*
 * Records of the cache: found again or missing, never wrong, whatever byte is damaged; and of many
 * processes that miss one key, one does the work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/cache.h"
#include "store/store.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static const struct digest key = {{1, 2, 3}};

static const char *name_of(const struct digest *d, char hex[DIGEST_HEX])
{
	return sha256_hex(d, hex);
}

static void test_put_find(void **state)
{
	struct storedir *d = *state;
	char *v = NULL;
	size_t n = 5;
	struct err *e = NULL;

	assert_int_equal(0, cache_find(d->s, &key, &v, &n, &e));
	assert_null(v);
	assert_int_equal(5, n);
	assert_int_equal(0, cache_put(d->s, &key, "layer x\n\0y", 10, &e));
	assert_int_equal(1, cache_find(d->s, &key, &v, &n, &e));
	assert_int_equal(10, n);
	assert_memory_equal("layer x\n\0y", v, 11);
	free(v);
	assert_int_equal(0, cache_put(d->s, &key, "", 0, &e));
	assert_int_equal(1, cache_find(d->s, &key, &v, NULL, &e));
	assert_string_equal("", v);
	free(v);
	cache_drop(d->s, &key);
	cache_drop(d->s, &key);
	assert_int_equal(0, cache_find(d->s, &key, &v, &n, &e));
}

static void test_limit(void **state)
{
	struct storedir *d = *state;
	char *big = mem_alloc(CACHE_VALUE_MAX + 1), *v;
	auto_err struct err *e = NULL;

	assert_int_equal(0, cache_put(d->s, &key, big, CACHE_VALUE_MAX, NULL));
	assert_int_equal(1, cache_find(d->s, &key, &v, NULL, NULL));
	free(v);
	assert_int_equal(-1, cache_put(d->s, &key, big, CACHE_VALUE_MAX + 1, &e));
	assert_int_equal(ERR_LIMIT, err_get_kind(e));
	free(big);
}

/* Every single damaged byte, and every length, makes the record a missing one. */
static void test_damage(void **state)
{
	struct storedir *d = *state;
	char hex[DIGEST_HEX], *v = NULL;
	int dir = store_dir(d->s, STORE_CACHE);

	name_of(&key, hex);
	assert_int_equal(0, cache_put(d->s, &key, "value 123", 9, NULL));
	char *good = tempdir_read(dir, hex);
	size_t n = strlen(good);
	for (size_t i = 0; i < n; i++) {
		char keep = good[i];
		good[i] = (char)(keep ^ 2);
		tempdir_write(dir, hex, good);
		assert_int_equal(0, cache_find(d->s, &key, &v, NULL, NULL));
		good[i] = keep;
	}
	for (size_t i = 0; i < n; i++) {
		char keep = good[i];
		good[i] = '\0';
		tempdir_write(dir, hex, good);
		assert_int_equal(0, cache_find(d->s, &key, &v, NULL, NULL));
		good[i] = keep;
	}
	tempdir_write(dir, hex, good);
	assert_int_equal(1, cache_find(d->s, &key, &v, NULL, NULL));
	free(v);
	free(good);
	cache_drop(d->s, &key);
	assert_int_equal(0, fs_mkdirs(dir, hex, 0700));
	assert_int_equal(0, cache_find(d->s, &key, &v, NULL, NULL));
}

static void test_touch(void **state)
{
	struct storedir *d = *state;
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	char hex[DIGEST_HEX], *v;
	struct stat st;

	assert_int_equal(0, cache_put(d->s, &key, "x", 1, NULL));
	name_of(&key, hex);
	assert_int_equal(0, utimensat(store_dir(d->s, STORE_CACHE), hex, old, 0));
	assert_int_equal(1, cache_find(d->s, &key, &v, NULL, NULL));
	free(v);
	assert_int_equal(0, fstatat(store_dir(d->s, STORE_CACHE), hex, &st, 0));
	assert_true(st.st_mtime > 1000000);
}

struct seen {
	int good, bad;
	int64_t used;
};

static int see(void *ctx, const struct digest *k, const char *value, size_t len, int64_t used,
	struct err **err)
{
	struct seen *s = ctx;

	(void)k;
	if (!value)
		s->bad++;
	else if (len == 4 && strcmp(value, "stop") == 0)
		return err_set(err, ERR_BUILD, "stopped");
	else
		s->good++;
	s->used = used;
	return 0;
}

static void test_each(void **state)
{
	struct storedir *d = *state;
	struct seen seen = {0};
	char hex[DIGEST_HEX];
	auto_err struct err *e = NULL;

	for (uint8_t i = 1; i <= 10; i++) {
		struct digest k = {{i}};
		assert_int_equal(0, cache_put(d->s, &k, "v", 1, NULL));
	}
	tempdir_write(store_dir(d->s, STORE_CACHE), name_of(&key, hex), "junk");
	tempdir_write(store_dir(d->s, STORE_CACHE), "not-a-key", "junk");
	assert_int_equal(0, cache_each(d->s, see, &seen, NULL));
	assert_int_equal(10, seen.good);
	assert_int_equal(1, seen.bad);
	assert_int_equal(0, cache_put(d->s, &key, "stop", 4, NULL));
	assert_int_equal(-1, cache_each(d->s, see, &seen, &e));
	assert_string_equal("stopped", err_text(e));
}

/* Single-flight: of many processes that miss the same key, one does the work. */
static void test_single_flight(void **state)
{
	enum { KIDS = 8 };
	struct storedir *d = *state;
	pid_t pid[KIDS];
	int status, done[2];

	assert_int_equal(0, pipe2(done, O_CLOEXEC | O_NONBLOCK));
	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		struct store *s = storedir_again(d);
		char *v;
		int lock = cache_lock(s, &key, false, NULL);
		if (lock < 0)
			_exit(1);
		if (cache_find(s, &key, &v, NULL, NULL) == 0) {
			if (write(done[1], "x", 1) != 1 || cache_put(s, &key, "v", 1, NULL) < 0)
				_exit(2);
		}
		close(lock);
		store_close(s);
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	char got[KIDS];
	assert_int_equal(1, read(done[0], got, sizeof got));
	close(done[0]);
	close(done[1]);
	int lock = cache_lock(d->s, &key, true, NULL);
	assert_true(lock >= 0);
	assert_int_equal(-1, cache_lock(d->s, &key, true, NULL));
	assert_int_equal(EWOULDBLOCK, errno);
	close(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_find, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_limit, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_damage, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_touch, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_each, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_single_flight, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}

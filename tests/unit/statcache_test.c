// SPDX-License-Identifier: Apache-2.0
/* The stat index: what comes back, what is not believed, and files that nobody wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/gc.h"
#include "store/statcache.h"
#include "store/store.h"
#include "tests/support/machine.h"
#include "tests/support/storedir.h"

#define STOREDIR_TEST(f) cmocka_unit_test_setup_teardown(f, storedir_setup, storedir_teardown)

static const struct digest id = {{1, 2, 3}};

static struct statcache_entry entry(uint64_t n)
{
	return (struct statcache_entry){.size = n,
		.mtime = (int64_t)n * 1000 + 1,
		.ctime = (int64_t)n * 1000 + 7,
		.ino = n + 5,
		.dev = 3,
		.mode = S_IFREG | 0644,
		.xattrs = n % 2,
		.digest = {{(uint8_t)n, 9}}};
}

static void write_sample(struct store *s, unsigned files)
{
	auto_statcache_writer struct statcache_writer *w = statcache_writer_new(s, &id, NULL);
	char name[32];

	assert_non_null(w);
	statcache_writer_dir(w, "b");
	statcache_writer_add(w, "only", &(struct statcache_entry){.size = 4});
	statcache_writer_dir(w, "");
	for (unsigned i = 0; i < files; i++) {
		struct statcache_entry e = entry(i);
		snprintf(name, sizeof name, "f%05u", i);
		statcache_writer_add(w, name, &e);
	}
	statcache_writer_dir(w, "b.c");
	statcache_writer_dir(w, "b/x");
	struct statcache_entry e = entry(77);
	statcache_writer_add(w, "", &e);
	statcache_writer_add(w, "12345678", &e);
	assert_int_equal(statcache_writer_commit(w, NULL), 0);
}

static void test_round_trip(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct statcache_dir d;
	char name[32];

	assert_null(statcache_open(s, &id));
	write_sample(s, 3000);
	auto_statcache struct statcache *x = statcache_open(s, &id);
	assert_non_null(x);
	assert_int_equal(statcache_ndirs(x), 4);
	static const char *const paths[] = {"", "b", "b.c", "b/x"};
	for (size_t i = 0; i < 4; i++) {
		statcache_dir_at(x, i, &d);
		assert_string_equal(d.path, paths[i]);
		assert_true(statcache_find_dir(x, paths[i], &d));
	}
	assert_false(statcache_find_dir(x, "a", &d));
	assert_false(statcache_find_dir(x, "b/", &d));
	assert_true(statcache_find_dir(x, "", &d));
	for (unsigned i = 1; i < 3000; i += 3) {
		struct statcache_entry want = entry(i);
		snprintf(name, sizeof name, "f%05u", i);
		assert_true(statcache_seek(&d, name));
		assert_true(statcache_same(&d.e, &want));
		assert_int_equal(d.e.xattrs, i % 2);
		assert_memory_equal(&d.e.digest, &want.digest, sizeof want.digest);
		snprintf(name, sizeof name, "f%05u.x", i);
		assert_false(statcache_seek(&d, name));
	}
	assert_false(statcache_seek(&d, "z"));
	assert_null(d.name);
	assert_true(statcache_find_dir(x, "b.c", &d));
	assert_null(d.name);
	assert_true(statcache_find_dir(x, "b/x", &d));
	assert_true(statcache_seek(&d, ""));
	assert_true(statcache_seek(&d, "12345678"));
}

static void test_empty(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	auto_statcache_writer struct statcache_writer *w = statcache_writer_new(s, &id, NULL);
	struct statcache_dir d;

	assert_int_equal(statcache_writer_commit(w, NULL), 0);
	auto_statcache struct statcache *x = statcache_open(s, &id);
	assert_non_null(x);
	assert_int_equal(statcache_ndirs(x), 0);
	assert_false(statcache_find_dir(x, "", &d));
}

static void test_given_up(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct statcache_writer *w = statcache_writer_new(s, &id, NULL);

	statcache_writer_dir(w, "");
	statcache_writer_free(w);
	assert_null(statcache_open(s, &id));
	assert_int_equal(faccessat(store_bld_fd(s), STATCACHE_DIR, F_OK, 0), -1);
}

static void test_settled(void **state)
{
	const int64_t s = 1000000000;
	const struct {
		int64_t mtime, ctime, clock;
		bool want;
	} cases[] = {
		{5 * s + 1, 5 * s + 1, 5 * s + 2, true},
		{5 * s + 1, 5 * s + 1, 5 * s + 1, false}, /* the same tick */
		{5 * s + 2, 5 * s + 1, 5 * s + 2, false},
		{5 * s + 1, 5 * s + 2, 5 * s + 2, false},
		{9 * s + 1, 5 * s + 1, 7 * s, false}, /* of the future */
		{4 * s, 5 * s + 1, 5 * s + 2,
			true},                /* touch -d; the file system counts nanoseconds */
		{5 * s, 5 * s, 6 * s, false}, /* whole seconds: ticks of two */
		{5 * s, 5 * s, 7 * s, false},
		{5 * s, 5 * s, 7 * s + 1, true},
		{1, 1, INT64_MIN, false},
		{INT64_MAX, 0, INT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct statcache_entry e = {.mtime = cases[i].mtime, .ctime = cases[i].ctime};
		if (statcache_settled(&e, cases[i].clock) != cases[i].want)
			fail_msg("case %zu", i);
	}
	struct statcache_entry a = entry(1), b = a;
	assert_true(statcache_same(&a, &b));
	b.ctime++;
	assert_false(statcache_same(&a, &b));
	assert_true(statcache_clock() > 0);
}

static void test_future(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	auto_statcache_writer struct statcache_writer *w = statcache_writer_new(s, &id, NULL);
	struct statcache_entry e = entry(1);
	struct statcache_dir d;

	e.ctime = statcache_clock() + (int64_t)3600 * 1000000000 + 1;
	statcache_writer_dir(w, "");
	statcache_writer_add(w, "f", &e);
	assert_int_equal(statcache_writer_commit(w, NULL), 0);
	auto_statcache struct statcache *x = statcache_open(s, &id);
	assert_true(statcache_find_dir(x, "", &d));
	assert_false(statcache_seek(&d, "f"));
}

static void test_usable(void **state)
{
	auto_fd int proc = open("/proc", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_false(statcache_usable(proc));
	assert_false(statcache_usable(-1));
}

/* --- files that nobody wrote ------------------------------------------------------------------ */

static int open_file(struct store *s)
{
	char hex[DIGEST_HEX], name[128];

	snprintf(name, sizeof name, STATCACHE_DIR "/%s", sha256_hex(&id, hex));
	int fd = openat(store_bld_fd(s), name, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void put_file(int fd, const unsigned char *p, size_t n)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, p, n, 0), n);
}

static void read_all(struct statcache *x)
{
	struct statcache_dir d;

	for (size_t i = 0; x && i < statcache_ndirs(x); i++) {
		statcache_dir_at(x, i, &d);
		size_t len = strlen(d.path);
		while (d.name) {
			len += strlen(d.name);
			statcache_next(&d);
		}
		assert_true(len < 1 << 20);
	}
	if (x && statcache_find_dir(x, "b/x", &d))
		statcache_seek(&d, "12345678");
}

static void test_damaged(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct stat st;

	write_sample(s, 5);
	auto_fd int fd = open_file(s);
	assert_int_equal(fstat(fd, &st), 0);
	size_t n = (size_t)st.st_size;
	auto_free unsigned char *good = mem_alloc(n), *bad = mem_alloc(n + 64);
	assert_int_equal(fs_pread_all(fd, good, n, 0), 0);
	for (size_t i = 0; i < n; i++) { /* torn, longer, one bit wrong: not an index */
		put_file(fd, good, i);
		assert_null(statcache_open(s, &id));
		memcpy(bad, good, n);
		bad[i] ^= (unsigned char)(1u << i % 8);
		put_file(fd, bad, n);
		assert_null(statcache_open(s, &id));
	}
	memcpy(bad, good, n);
	memset(bad + n, 0, 64);
	for (size_t i = 1; i <= 64; i++) {
		put_file(fd, bad, n + i);
		assert_null(statcache_open(s, &id));
	}
	/* a checksum that is right over nonsense: anything but a crash */
	uint32_t x = 1;
	for (size_t round = 0; round < machine_rounds(20000, 500); round++) {
		memcpy(bad, good, n);
		for (int k = 0; k < 1 + (int)(round % 3); k++) {
			x = x * 1664525 + 1013904223;
			size_t at = (x >> 8) % (n - 32);
			x = x * 1664525 + 1013904223;
			if (round % 4 == 0)
				bad[at] = (unsigned char)(x >> 24);
			else
				bad[at & ~(size_t)7] = (unsigned char)(x >> 24);
			if (round % 5 == 0)
				memset(bad + (at & ~(size_t)7), round % 2 ? 0xff : 0x7f, 8);
		}
		struct digest sum;
		sha256_of(bad, n - 32, &sum);
		memcpy(bad + n - 32, sum.b, 32);
		put_file(fd, bad, n);
		auto_statcache struct statcache *got = statcache_open(s, &id);
		read_all(got);
	}
}

static void test_prune(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct gc_report r = {0};

	write_sample(s, 5);
	struct gc_opts o = {.keep_seconds = -1};
	assert_int_equal(gc_run(s, &o, &r, NULL), 0);
	struct statcache *x = statcache_open(s, &id);
	assert_non_null(x);
	statcache_close(x);
	o.all = true;
	assert_int_equal(gc_run(s, &o, &r, NULL), 0);
	assert_true(r.objects >= 1);
	assert_null(statcache_open(s, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STOREDIR_TEST(test_round_trip),
		STOREDIR_TEST(test_empty),
		STOREDIR_TEST(test_given_up),
		STOREDIR_TEST(test_settled),
		STOREDIR_TEST(test_future),
		STOREDIR_TEST(test_usable),
		STOREDIR_TEST(test_damaged),
		STOREDIR_TEST(test_prune),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

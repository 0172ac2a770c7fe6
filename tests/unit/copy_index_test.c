// SPDX-License-Identifier: Apache-2.0
/*
 * The stat index and the shared walks of a context, as selections see them: what is read again,
 * what is not, and that one pass and two say the same.
 */
#include "tests/unit/copy_kit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/copy/selection.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/statcache.h"
#include "store/store.h"
#include "tests/support/storedir.h"

#define INDEX_TEST(f) cmocka_unit_test_setup_teardown(f, storedir_setup, storedir_teardown)

/* A context that is large enough for an index; its times are of the past. */
static struct kit_dir make_context(void)
{
	struct kit_dir d = kit_temp();
	char name[32];

	assert_int_equal(mkdirat(d.fd, "a", 0755), 0);
	assert_int_equal(mkdirat(d.fd, "a/b", 0755), 0);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "%sf%02d", i % 2 ? "a/b/" : "a/", i);
		struct layer_entry e = {.path = name, .mem = name, .size = strlen(name)};
		kit_put_file(d.fd, &e);
	}
	struct layer_entry empty = {.path = "a/empty"};
	kit_put_file(d.fd, &empty);
	return d;
}

/* The index believes only times that the clock has left behind. */
static void settle(void)
{
	const struct timespec t = {.tv_nsec = 30000000};

	nanosleep(&t, NULL);
}

static struct copy_selection *pick(struct copy_share *share, int dir, const char *name)
{
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = name};
	struct copy_request q = {.root = {.dir_fd = dir, .share = share},
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = -1};
	struct copy_selection *s = copy_select(&q, NULL, NULL);

	assert_non_null(s);
	return s;
}

static size_t unread;
static void count_unread(void *ctx, struct copy_file *f)
{
	(void)ctx;
	unread += copy_file_unread(f);
}

/* Digest `name` in a build of its own; how many files had to be read. */
static struct digest build(struct store *s, int dir, const char *name, size_t *reads)
{
	struct digest d;
	struct copy_share *share = copy_share_new(s, dir);
	struct copy_selection *sel = pick(share, dir, name);

	unread = 0;
	for (size_t i = 0; i < sel->n; i++)
		copy_file_each(sel->v[i].file, count_unread, NULL);
	*reads = unread;
	assert_int_equal(copy_unread(sel), unread > 0);
	assert_int_equal(copy_digest(sel, &d, NULL), 0);
	copy_selection_free(sel);
	copy_share_free(share);
	return d;
}

static bool usable(const struct kit_dir *d)
{
	if (statcache_usable(d->fd))
		return true;
	print_message("[  SKIPPED ] /tmp is on a file system that is not indexed\n");
	return false;
}

static void put(int dir, const char *name, const char *text)
{
	struct layer_entry e = {.path = name, .mem = text, .size = strlen(text)};

	kit_put_file(dir, &e);
}

static void test_hits(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();
	size_t reads;

	settle();
	struct digest first = build(s, d.fd, ".", &reads);
	assert_int_equal(reads, 41);
	struct digest again = build(s, d.fd, ".", &reads);
	if (usable(&d))
		assert_int_equal(reads, 0);
	assert_true(sha256_equal(&first, &again));
	/* a part of it, and a file of it, by their names */
	struct digest part = build(s, d.fd, "a/b", &reads);
	struct digest file = build(s, d.fd, "a/b/f01", &reads);
	if (usable(&d))
		assert_int_equal(reads, 0);
	storedir_reopen(*state);
	s = ((struct storedir *)*state)->s;
	struct digest part_cold = build(NULL, d.fd, "a/b", &reads);
	assert_int_equal(reads, 20);
	struct digest file_cold = build(NULL, d.fd, "a/b/f01", &reads);
	assert_true(sha256_equal(&part, &part_cold));
	assert_true(sha256_equal(&file, &file_cold));
	/* what was known of the rest is still known */
	build(s, d.fd, ".", &reads);
	if (usable(&d))
		assert_int_equal(reads, 0);
	kit_temp_free(&d);
}

enum edit { TOUCH, EDIT_AND_RESTORE_TIME, REPLACE, CHMOD, XATTR, APPEND };

static void change(int dir, enum edit e)
{
	struct stat st;
	int fd = openat(dir, "a/f00", O_WRONLY);

	assert_int_equal(fstat(fd, &st), 0);
	const struct timespec old[2] = {st.st_atim, st.st_mtim};
	if (e == TOUCH)
		assert_int_equal(futimens(fd, NULL), 0);
	if (e == EDIT_AND_RESTORE_TIME) {
		assert_int_equal(pwrite(fd, "X", 1, 0), 1);
		assert_int_equal(futimens(fd, old), 0);
	}
	if (e == REPLACE) { /* the same size and mtime, another inode */
		put(dir, "new", "a/fXX");
		assert_int_equal(utimensat(dir, "new", old, 0), 0);
		assert_int_equal(renameat(dir, "new", dir, "a/f00"), 0);
	}
	if (e == CHMOD)
		assert_int_equal(fchmod(fd, 0640), 0);
	if (e == XATTR)
		assert_int_equal(fsetxattr(fd, "user.k", "v", 1, 0), 0);
	if (e == APPEND)
		assert_int_equal(pwrite(fd, "more", 4, 5), 4);
	close(fd);
}

static void test_changes(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;

	for (int e = TOUCH; e <= APPEND; e++) {
		struct kit_dir d = make_context();
		size_t reads;
		settle();
		struct digest before = build(s, d.fd, ".", &reads);
		change(d.fd, (enum edit)e);
		settle();
		struct digest after = build(s, d.fd, ".", &reads);
		struct digest cold = build(NULL, d.fd, ".", &reads);
		if (sha256_equal(&before, &after) != (e == TOUCH))
			fail_msg("change %d: key %s", e, e == TOUCH ? "moved" : "stayed");
		assert_true(sha256_equal(&after, &cold));
		if (usable(&d)) {
			build(s, d.fd, ".", &reads);
			assert_int_equal(reads, 1); /* one file is too little for a new index */
		}
		kit_temp_free(&d);
	}
}

/* A file that is changed in the same tick as it was read in is never taken from the index. */
static void test_racy(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	size_t reads;

	for (int i = 0; i < 30; i++) {
		struct kit_dir d = make_context();
		build(s, d.fd, ".", &reads);
		put(d.fd, "a/f00", "b/f00"); /* as long as before */
		struct digest warm = build(s, d.fd, ".", &reads);
		struct digest cold = build(NULL, d.fd, ".", &reads);
		assert_true(sha256_equal(&warm, &cold));
		kit_temp_free(&d);
	}
}

static void test_xattrs_are_kept(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();
	size_t reads;

	change(d.fd, XATTR);
	settle();
	struct digest cold = build(s, d.fd, ".", &reads);
	struct digest warm = build(s, d.fd, ".", &reads);
	if (usable(&d))
		assert_int_equal(reads, 0);
	assert_true(sha256_equal(&cold, &warm));
	struct digest file = build(s, d.fd, "a/f00", &reads);
	struct digest file_cold = build(NULL, d.fd, "a/f00", &reads);
	assert_true(sha256_equal(&file, &file_cold));
	kit_temp_free(&d);
}

static void test_removed_and_new(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();
	size_t reads;

	settle();
	build(s, d.fd, ".", &reads);
	assert_int_equal(unlinkat(d.fd, "a/f02", 0), 0);
	put(d.fd, "a/f03", "new");
	settle();
	struct digest warm = build(s, d.fd, ".", &reads);
	if (usable(&d))
		assert_int_equal(reads, 1);
	struct digest cold = build(NULL, d.fd, ".", &reads);
	assert_true(sha256_equal(&warm, &cold));
	kit_temp_free(&d);
}

static void test_damaged_index(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();
	size_t reads;

	settle();
	struct digest cold = build(s, d.fd, ".", &reads);
	auto_fd int dir = openat(store_bld_fd(s), STATCACHE_DIR, O_RDONLY | O_DIRECTORY);
	if (usable(&d)) {
		struct copy_share *share = copy_share_new(s, d.fd);
		char hex[DIGEST_HEX];
		auto_fd int fd = openat(dir, sha256_hex(&share->id, hex), O_RDWR);
		copy_share_free(share);
		assert_int_equal(pwrite(fd, "XXXX", 4, 200), 4);
		struct digest again = build(s, d.fd, ".", &reads);
		assert_int_equal(reads, 41);
		assert_true(sha256_equal(&cold, &again));
		build(s, d.fd, ".", &reads); /* written anew */
		assert_int_equal(reads, 0);
	}
	kit_temp_free(&d);
}

/* Two steps of one build: the second does not look at the directory again. */
static void test_walked_once(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();
	struct digest one, two, whole, cold;
	size_t reads;

	settle();
	struct copy_share *share = copy_share_new(s, d.fd);
	struct copy_selection *sel = pick(share, d.fd, "a/b");
	assert_int_equal(copy_digest(sel, &one, NULL), 0);
	copy_selection_free(sel);
	put(d.fd, "a/b/later", "x");
	sel = pick(share, d.fd, "a/b");
	assert_false(copy_unread(sel));
	assert_int_equal(copy_digest(sel, &two, NULL), 0);
	copy_selection_free(sel);
	assert_true(sha256_equal(&one, &two));
	assert_int_equal(unlinkat(d.fd, "a/b/later", 0), 0);
	sel = pick(share, d.fd, "."); /* what is around it is read now */
	assert_int_equal(copy_digest(sel, &whole, NULL), 0);
	copy_selection_free(sel);
	copy_share_free(share);
	cold = build(NULL, d.fd, ".", &reads);
	assert_true(sha256_equal(&whole, &cold));
	kit_temp_free(&d);
}

/* A selection that another thread waits for. */
struct waiting {
	struct copy_share *share;
	int dir;
	atomic_int cancelled;
	atomic_int begun;
	struct copy_selection *got;
	struct err *err;
};

static void *select_late(void *arg)
{
	struct waiting *x = arg;
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = "."};
	struct copy_request q = {.root = {.dir_fd = x->dir, .share = x->share},
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = -1,
		.cancelled = &x->cancelled};

	atomic_store(&x->begun, 1);
	x->got = copy_select(&q, NULL, &x->err);
	return NULL;
}

static void test_waits(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();

	for (int cancel = 0; cancel < 2; cancel++) {
		struct copy_share *share = copy_share_new(s, d.fd);
		struct copy_selection *first = pick(share, d.fd, ".");
		struct waiting x = {.share = share, .dir = d.fd};
		pthread_t t;
		assert_int_equal(pthread_create(&t, NULL, select_late, &x), 0);
		while (!atomic_load(&x.begun))
			sched_yield();
		settle();
		if (cancel) /* whoever has the context does not end first */
			atomic_store(&x.cancelled, 15);
		else
			copy_selection_free(first);
		assert_int_equal(pthread_join(t, NULL), 0);
		if (cancel) {
			assert_null(x.got);
			assert_int_equal(err_get_kind(x.err), ERR_CANCELLED);
			err_free(x.err);
			copy_selection_free(first);
			first = pick(share, d.fd, "."); /* it was given back once */
			copy_selection_free(first);
		} else {
			assert_non_null(x.got);
			copy_selection_free(x.got);
		}
		copy_share_free(share);
	}
	kit_temp_free(&d);
}

/* --- one pass and two ----------------------------------------------------------------------- */

static int write_tar(struct copy_selection *s, struct err **err)
{
	struct copy_dest d = {.path = "/d/", .workdir = "/", .now = KIT_NOW};
	int fd = kit_memfd();
	auto_copy_placed struct copy_placed *p = copy_place(s, &d, err);

	if (p && kit_write(p, fd, err) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct digest hash_tar(int take_fd)
{
	struct digest d;
	size_t n = (size_t)kit_size(take_fd);
	auto_free char *p = mem_alloc(n + 1);

	assert_int_equal(fs_pread_all(take_fd, p, n, 0), 0);
	sha256_of(p, n, &d);
	close(take_fd);
	return d;
}

static void compare(struct store *s, int dir, const char *name)
{
	struct digest key[3], tar[3];

	for (int how = 0; how < 3; how++) {
		/* one pass; two; with an index */
		struct copy_share *share = copy_share_new(how ? s : NULL, dir);
		struct copy_selection *sel = pick(share, dir, name);
		if (how == 1)
			assert_int_equal(copy_digest(sel, &key[how], NULL), 0);
		struct err *e = NULL;
		int fd = write_tar(sel, &e);
		if (fd < 0)
			fail_msg("%s, way %d: %s", name, how, err_text(e));
		tar[how] = hash_tar(fd);
		assert_false(copy_unread(sel) && how < 2);
		assert_int_equal(copy_digest(sel, &key[how], NULL), 0);
		copy_selection_free(sel);
		copy_share_free(share);
	}
	for (int how = 1; how < 3; how++) {
		assert_true(sha256_equal(&key[0], &key[how]));
		assert_true(sha256_equal(&tar[0], &tar[how]));
	}
}

static void test_one_pass(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	struct kit_dir d = make_context();

	kit_put_dir(d.fd,
		"d c; f c/x =one; f c/y =two +user.k=v; h c/z ->c/x; d c/s; h c/s/x ->c/x;"
		"l c/l ->x; p c/p; f c/e =; h c/e2 ->c/e; d c/void @700; s c/sock");
	int fd = openat(d.fd, "a/large", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "end", 3, 5000001), 3);
	close(fd);
	settle();
	static const char *const names[] = {".", "c", "a", "c/x", "a/large", "c/e", "*", "a/f*"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		compare(s, d.fd, names[i]);
	kit_temp_free(&d);
}

struct during {
	int dir;
	bool done;
	int how;
};

/* While the first file is written, the last one is changed. */
static int change_during(void *ctx, const void *p, size_t n, struct err **err)
{
	struct during *c = ctx;

	(void)p;
	(void)n;
	(void)err;
	if (c->done)
		return 0;
	c->done = true;
	int fd = openat(c->dir, "x/b", O_WRONLY);
	if (c->how == 0)
		assert_int_equal(pwrite(fd, "Z", 1, 2000000), 1);
	else if (c->how == 1)
		assert_int_equal(ftruncate(fd, 100), 0);
	else
		assert_int_equal(pwrite(fd, "Z", 1, 4000000), 1);
	close(fd);
	return 0;
}

static void test_changed_while_written(void **state)
{
	struct store *s = ((struct storedir *)*state)->s;
	auto_free char *content = mem_array(4000000, 1);

	for (int how = 0; how < 6; how++) {
		struct kit_dir d = kit_temp();
		struct err *e = NULL;
		struct during c = {.dir = d.fd, .how = how % 3};
		kit_put_dir(d.fd, "d x");
		int fd = openat(d.fd, "x/b", O_WRONLY | O_CREAT, 0600);
		memset(content, 'c', 4000000); /* no hole: all of it is read while it is written */
		assert_int_equal(fs_write_all(fd, content, 4000000), 0);
		close(fd);
		settle();
		struct copy_share *share = copy_share_new(s, d.fd);
		struct copy_selection *sel = pick(share, d.fd, "x");
		if (how >= 3)
			assert_int_equal(copy_digest(sel, NULL, NULL), 0);
		struct copy_dest dest = {.path = "/d/", .workdir = "/", .now = KIT_NOW};
		struct copy_placed *p = copy_place(sel, &dest, NULL);
		struct layer_writer *w =
			layer_writer_new((struct io_writer){.write = change_during, .ctx = &c});
		int rc = copy_write(p, w, &e);
		if (how == 5) { /* grown behind what was to be read: the content is what it was */
			assert_int_equal(rc, 0);
		} else {
			assert_int_equal(rc, -1);
			assert_int_equal(err_get_kind(e), ERR_CONTEXT);
			assert_string_equal(err_text(e), "x/b: changed while it was read");
			if (how < 3)
				assert_true(copy_unread(sel)); /* nothing was learnt from it */
		}
		err_free(e);
		layer_writer_free(w);
		copy_placed_free(p);
		copy_selection_free(sel);
		copy_share_free(share);
		kit_temp_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		INDEX_TEST(test_hits),
		INDEX_TEST(test_changes),
		INDEX_TEST(test_racy),
		INDEX_TEST(test_xattrs_are_kept),
		INDEX_TEST(test_removed_and_new),
		INDEX_TEST(test_damaged_index),
		INDEX_TEST(test_walked_once),
		INDEX_TEST(test_waits),
		INDEX_TEST(test_one_pass),
		INDEX_TEST(test_changed_while_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

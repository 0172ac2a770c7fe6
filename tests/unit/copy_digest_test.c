// SPDX-License-Identifier: Apache-2.0
/* What the digest of a selection depends on, and what happens when files change under it. */
#include "tests/unit/copy_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/copy/selection.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static struct copy_selection *pick(
	const struct copy_root *root, const char *const *names, size_t n, struct err **err)
{
	struct copy_item items[8];
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(n <= 8);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct copy_item){.kind = COPY_ITEM_PATH, .text = names[i]};
	struct copy_request q = {.root = *root, .items = items, .nitems = n, .tmp_dir_fd = tmp};
	return copy_select(&q, NULL, err);
}

static struct digest digest_of(const struct copy_root *root, const char *name)
{
	struct digest d = {{0}};
	struct err *e = NULL;
	auto_copy_selection struct copy_selection *s = pick(root, &name, 1, &e);

	if (!s || copy_digest(s, &d, &e) < 0)
		fail_msg("%s: %s", name, err_text(e));
	return d;
}

static struct digest disk_digest(const char *spec, const char *name)
{
	struct kit_dir d = kit_temp();
	kit_put_dir(d.fd, spec);
	struct digest out = digest_of(&(struct copy_root){.dir_fd = d.fd}, name);
	kit_temp_free(&d);
	return out;
}

static struct digest tree_digest(const char *spec, const char *name, bool keep)
{
	auto_layer_tree struct layer_tree *t = kit_make_tree(spec);
	return digest_of(&(struct copy_root){.dir_fd = -1, .tree = t, .keep_owner = keep}, name);
}

#define BASE "d a; f a/x =one; f a/y =two; d a/s; l a/l ->x; f a/e ="

struct pair {
	const char *what;
	const char *a, *an;
	const char *b, *bn;
	bool same;
};

static const struct pair pairs[] = {
	{"nothing", BASE, "a", BASE, "a", true},
	{"order of creation", "d a; f a/x =1; f a/y =2", "a", "d a; f a/y =2; f a/x =1", "a", true},
	{"times", "d a; f a/x =1", "a", "d a ~5; f a/x =1 ~6", "a", true},
	{"a neighbour", "d a; f a/x =1; f z =9", "a", "d a; f a/x =1", "a", true},
	{"parent directory", "d p; f p/x =1", "p/x", "d q; d q/r; f q/r/x =1", "q/r/x", true},
	{"parent directory's mode", "d p; f p/x =1", "p/x", "d p @700; f p/x =1", "p/x", true},
	{"what a wildcard leaves out", "f a.c =1", "*.c", "f a.c =1; f b.h =2", "*.c", true},
	{"a symlink or its target", "f x =1", "x", "f t =1; l x ->t", "x", true},
	{"content", "d a; f a/x =1", "a", "d a; f a/x =2", "a", false},
	{"length", "d a; f a/x =1", "a", "d a; f a/x =11", "a", false},
	{"mode of a file", "d a; f a/x =1", "a", "d a; f a/x =1 @600", "a", false},
	{"mode of a directory", "d a; d a/s", "a", "d a; d a/s @700", "a", false},
	{"name", "d a; f a/x =1", "a", "d a; f a/y =1", "a", false},
	{"basename of a source", "f x =1", "x", "f y =1", "y", false},
	{"link target", "d a; l a/l ->x", "a", "d a; l a/l ->y", "a", false},
	{"type", "d a; l a/l ->x", "a", "d a; f a/l =x", "a", false},
	{"empty file or directory", "d a; f a/x =", "a", "d a; d a/x", "a", false},
	{"attribute", "f x =1", "x", "f x =1 +user.k=v", "x", false},
	{"value of an attribute", "f x =1 +user.k=w", "x", "f x =1 +user.k=v", "x", false},
	{"name of an attribute", "f x =1 +user.j=v", "x", "f x =1 +user.k=v", "x", false},
	{"one more file", "d a; f a/x =1", "a", "d a; f a/x =1; f a/y =", "a", false},
	{"one more match", "f a.c =1", "*.c", "f a.c =1; f b.c =1", "*.c", false},
	{"depth", "d a; d a/b; d a/b/c", "a", "d a; d a/b; d a/c", "a", false},
	{"hard links", "d a; f a/x =1; f a/y =1", "a", "d a; f a/x =1; h a/y ->a/x", "a", false},
	{"FIFO", "d a; p a/x", "a", "d a; f a/x =", "a", false},
};

static void test_pairs(void **state)
{
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const struct pair *p = &pairs[i];
		struct digest a = disk_digest(p->a, p->an), b = disk_digest(p->b, p->bn);
		struct digest ta = tree_digest(p->a, p->an, false),
			      tb = tree_digest(p->b, p->bn, false);
		if (sha256_equal(&a, &b) != p->same || sha256_equal(&ta, &tb) != p->same ||
			!sha256_equal(&a, &ta) || !sha256_equal(&b, &tb)) {
			print_error("%s\n", p->what);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

static void test_owner_of_a_stage(void **state)
{
	(void)state;
	struct digest a = tree_digest("f x =1", "x", true),
		      b = tree_digest("f x =1 :1:0", "x", true),
		      c = tree_digest("f x =1 :0:1", "x", true),
		      d = tree_digest("f x =1 :1:0", "x", false);
	assert_false(sha256_equal(&a, &b));
	assert_false(sha256_equal(&a, &c));
	assert_false(sha256_equal(&b, &c));
	assert_true(sha256_equal(&a, &d));
}

/* Many files, more than one thread: the same digest each time, and the same as of a tree. */
static void test_many(void **state)
{
	struct kit_dir d = kit_temp();
	struct buf spec;
	(void)state;
	buf_init(&spec, BUF_TEXT_MAX);
	for (int i = 0; i < 40; i++) {
		buf_addf(&spec, "d d%02d;", i);
		for (int k = 0; k < 25; k++)
			buf_addf(&spec, "f d%02d/f%02d =%d.%d @%o;", i, k, i, k,
				k % 3 ? 0644 : 0755);
	}
	kit_put_dir(d.fd, spec.data);
	struct copy_root root = {.dir_fd = d.fd};
	struct digest want = tree_digest(spec.data, ".", false);
	for (int i = 0; i < 20; i++) {
		struct digest got = digest_of(&root, ".");
		/* the root of a temporary directory is 0700, that of a tree 0755 */
		if (!i) {
			assert_false(sha256_equal(&got, &want));
			assert_int_equal(fchmod(d.fd, 0755), 0);
			continue;
		}
		assert_true(sha256_equal(&got, &want));
	}
	buf_clear(&spec);
	kit_temp_free(&d);
}

static void test_sparse(void **state)
{
	struct kit_dir d = kit_temp();
	(void)state;
	int fd = openat(d.fd, "x", O_RDWR | O_CREAT, 0644);
	assert_int_equal(pwrite(fd, "end", 3, 3 << 20), 3);
	close(fd);
	char *data = mem_alloc((3 << 20) + 3);
	memcpy(data + (3 << 20), "end", 3);
	struct layer_extent x = {.off = 3 << 20, .len = 3, .data = 0};
	auto_fd int end = kit_fd_of("end", 3);
	struct layer_entry sparse = {.source = LAYER_DATA_FD,
		.fd = end,
		.size = (3 << 20) + 3,
		.extents = &x,
		.nextents = 1};
	struct digest a, b;
	sha256_of(data, (3 << 20) + 3, &a);
	assert_int_equal(copy_digest_content(&sparse, &b), 0);
	assert_true(sha256_equal(&a, &b));
	auto_copy_selection struct copy_selection *s =
		pick(&(struct copy_root){.dir_fd = d.fd}, (const char *[]){"x"}, 1, NULL);
	assert_int_equal(copy_digest(s, NULL, NULL), 0);
	assert_true(sha256_equal(&a, &s->v[0].file->digest));
	free(data);
	kit_temp_free(&d);
}

static struct copy_placed *place(
	struct copy_selection *s, const struct layer_tree *below, struct err **err)
{
	struct copy_dest d = {.below = below, .path = "/d/", .workdir = "/", .now = KIT_NOW};
	return copy_place(s, &d, err);
}

enum change { GROW, SHRINK, EDIT, REMOVE, TO_LINK, TO_FIFO, TO_DIR, PARENT_TO_LINK };

static void apply(int dir, enum change c)
{
	int fd = openat(dir, "a/x", O_WRONLY);
	if (c == GROW)
		assert_int_equal(pwrite(fd, "more", 4, 6), 4);
	else if (c == SHRINK)
		assert_int_equal(ftruncate(fd, 3), 0);
	else if (c == EDIT)
		assert_int_equal(pwrite(fd, "X", 1, 2), 1);
	else if (c != PARENT_TO_LINK)
		assert_int_equal(unlinkat(dir, "a/x", 0), 0);
	close(fd);
	if (c == TO_LINK)
		assert_int_equal(symlinkat("y", dir, "a/x"), 0);
	if (c == TO_FIFO)
		assert_int_equal(mkfifoat(dir, "a/x", 0600), 0);
	if (c == TO_DIR)
		assert_int_equal(mkdirat(dir, "a/x", 0700), 0);
	if (c == PARENT_TO_LINK) {
		assert_int_equal(renameat(dir, "a", dir, "b"), 0);
		assert_int_equal(symlinkat("b", dir, "a"), 0);
	}
}

/* Between two phases a file changes: an error that names it, whatever the change. */
static void test_changes(void **state)
{
	(void)state;
	for (int when = 0; when < 2; when++)
		for (int c = GROW; c <= PARENT_TO_LINK; c++) {
			struct kit_dir d = kit_temp();
			struct err *e = NULL;
			int out = kit_memfd();
			kit_put_dir(d.fd, "d a; f a/x =sample; f a/y =sample");
			auto_copy_selection struct copy_selection *s = pick(
				&(struct copy_root){.dir_fd = d.fd}, (const char *[]){"a"}, 1, &e);
			assert_non_null(s);
			if (when == 0)
				apply(d.fd, (enum change)c);
			if (when == 1) {
				assert_int_equal(copy_digest(s, NULL, &e), 0);
				apply(d.fd, (enum change)c);
			}
			auto_copy_placed struct copy_placed *l = place(s, NULL, &e);
			int rc = l ? kit_write(l, out, &e) : -1;
			if (when == 0 &&
				c <= EDIT) { /* seen before it was read: no contradiction */
				assert_int_equal(rc, 0);
			} else {
				assert_int_equal(rc, -1);
				assert_int_equal(err_get_kind(e), ERR_CONTEXT);
				assert_non_null(strstr(err_text(e), "a/x"));
				assert_non_null(strstr(err_text(e), "changed while it was read"));
			}
			err_free(e);
			close(out);
			kit_temp_free(&d);
		}
}

struct racer {
	int dir;
	const char *a, *b;
	atomic_bool stop;
	unsigned long swaps;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	while (!atomic_load(&r->stop))
		if (renameat2(r->dir, r->a, r->dir, r->b, RENAME_EXCHANGE) == 0)
			r->swaps++;
	return NULL;
}

static bool contains(int fd, const char *word)
{
	char *text = mem_alloc((size_t)kit_size(fd) + 1);
	assert_int_equal(fs_pread_all(fd, text, (size_t)kit_size(fd), 0), 0);
	bool hit = memmem(text, (size_t)kit_size(fd), word, strlen(word)) != NULL;
	free(text);
	return hit;
}

/* One COPY while somebody exchanges a file or directory for a symlink that leaves the context. */
static bool one_round(int dir, const char *name, bool twice)
{
	struct err *e = NULL;
	bool good = false;
	auto_fd int out = kit_memfd();
	auto_copy_selection struct copy_selection *s =
		pick(&(struct copy_root){.dir_fd = dir}, &name, 1, &e);
	if (s && twice && copy_digest(s, NULL, &e) < 0) {
		copy_selection_free(s);
		s = NULL;
	}
	auto_copy_placed struct copy_placed *l = s ? place(s, NULL, &e) : NULL;

	if (l && kit_write(l, out, &e) == 0)
		good = true;
	else
		assert_int_equal(err_get_kind(e), ERR_CONTEXT);
	err_free(e);
	assert_false(contains(out, "CANARY"));
	return good;
}

static void test_exchange(void **state)
{
	static const char *const names[] = {".", "d", "d/f", "*/f", "g"};
	struct kit_dir ctx = kit_temp(), outside = kit_temp();
	int good = 0;
	(void)state;
	kit_put_dir(outside.fd, "f f =CANARY");
	kit_put_dir(ctx.fd, "d d; f d/f =inside; f g =inside; f h =1");
	auto_free char *secret = mem_printf("%s/f", outside.path);
	assert_int_equal(symlinkat(outside.path, ctx.fd, "dlink"), 0);
	assert_int_equal(symlinkat(secret, ctx.fd, "glink"), 0);
	struct racer r[2] = {
		{.dir = ctx.fd, .a = "d", .b = "dlink"}, {.dir = ctx.fd, .a = "g", .b = "glink"}};
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
	for (int i = 0; i < 1000; i++)
		good += one_round(ctx.fd, names[i % 5], i / 5 % 2);
	for (int i = 0; i < 2; i++) {
		atomic_store(&r[i].stop, true);
		pthread_join(t[i], NULL);
	}
	print_message(
		"%d of 1000 rounds succeeded, %lu exchanges\n", good, r[0].swaps + r[1].swaps);
	assert_true(r[0].swaps && r[1].swaps);
	kit_temp_free(&ctx);
	kit_temp_free(&outside);
}

/* Symlinks that lead out: as named sources they stay inside the root, in directories they are
 * copied. */
static void test_escape(void **state)
{
	struct kit_dir ctx = kit_temp(), outside = kit_temp();
	(void)state;
	kit_put_dir(outside.fd, "f f =CANARY");
	kit_put_dir(ctx.fd, "d d; l d/up ->../../../../../../etc/passwd; l pr ->/proc/self/root");
	assert_int_equal(symlinkat(outside.path, ctx.fd, "abs"), 0);
	const char *const bad[] = {"abs", "abs/f", "d/up", "a*", "pr", "pr/etc/passwd"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_fails(pick(&(struct copy_root){.dir_fd = ctx.fd}, &bad[i], 1, err) ? 0 : -1,
			ERR_CONTEXT, "not found");
	assert_true(one_round(ctx.fd, "d", false));
	kit_temp_free(&ctx);
	kit_temp_free(&outside);
}

static void test_cancel(void **state)
{
	struct kit_dir d = kit_temp();
	atomic_int cancelled = 0;
	const char *name = ".";
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = name};
	struct copy_request q = {.root = {.dir_fd = d.fd},
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = d.fd,
		.cancelled = &cancelled};
	(void)state;
	kit_put_dir(d.fd, "f x =1; f y =2");
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, NULL);
	assert_non_null(s);
	cancelled = 15;
	assert_fails(copy_digest(s, NULL, err), ERR_CANCELLED, "");
	assert_fails(copy_select(&q, NULL, err) ? 0 : -1, ERR_CANCELLED, "");
	kit_temp_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_owner_of_a_stage),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_cancel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* EROFS images as a form of layers: made once, checked before they are handed out, never taken
 * when anything about them is wrong. No mount here: that they show the right tree is
 * index_mount_test's and tests/e2e/forms.bats' matter. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/gc.h"
#include "store/erofsform.h"
#include "store/lower.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/tree/tree.h"
#include "store/verify.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static const struct snapshot_forms merged = {.index = true, .merge = 2};
static const struct snapshot_forms single = {.index = true};

static size_t count(struct store *s, const char *name)
{
	return tempdir_count(store_bld_fd(s), name);
}

static void lowers_of(struct store *s, const struct digest *id, size_t n,
	const struct snapshot_forms *forms, struct lowers *out)
{
	struct err *e = NULL;

	if (snapshot_lowers(s, STACK(id, n), forms, out, &e) < 0)
		fail_msg("%s", err_text(e));
}

/* "sha256:HEX" of an open file. */
static void digest_of(int fd, struct digest *out)
{
	struct buf b = {0};

	assert_int_equal(0, fs_read_fd(fd, (size_t)1 << 24, "index", &b, NULL));
	sha256_of(b.data, b.len, out);
	buf_clear(&b);
}

/* The one lower of a merged stack of two; its image's digest. */
static void check_merged(struct store *s, const struct digest *id, struct digest *image)
{
	auto_lowers struct lowers l = {0};
	struct stat st;
	char magic[4];

	lowers_of(s, id, 2, &merged, &l);
	assert_int_equal(1, l.n);
	assert_int_equal(-1, l.v[0].dir_fd);
	assert_int_equal(2, l.v[0].ntars);
	assert_int_equal(0, fstat(l.v[0].index_fd, &st));
	assert_int_equal(0, st.st_mode & 0222);
	assert_int_equal(0, st.st_size % 512);
	assert_int_equal(O_RDONLY, fcntl(l.v[0].index_fd, F_GETFL) & O_ACCMODE);
	assert_int_equal(4, pread(l.v[0].index_fd, magic, 4, 1024));
	assert_memory_equal("\xe2\xe1\xf5\xe0", magic, 4);
	for (size_t i = 0; i < 2; i++) {
		struct digest tar;
		digest_of(l.v[0].tar_fds[i], &tar);
		assert_true(sha256_equal(&tar, &id[i]));
	}
	digest_of(l.v[0].index_fd, image);
}

static void test_merged(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], first, again;

	images_simple(d->s, "localhost/app:latest", id);
	check_merged(d->s, id, &first);
	assert_int_equal(1, count(d->s, "erofs"));
	check_merged(d->s, id, &again);
	storedir_reopen(d);
	check_merged(d->s, id, &again);
	assert_true(sha256_equal(&first, &again));
	assert_int_equal(1, count(d->s, "erofs"));
	assert_int_equal(0, count(d->s, "dirs"));
	assert_int_equal(0, count(d->s, "trash"));
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
}

static void test_single(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	auto_lowers struct lowers l = {0};

	images_simple(d->s, "localhost/app:latest", id);
	lowers_of(d->s, id, 2, &single, &l);
	assert_int_equal(2, l.n);
	for (size_t i = 0; i < 2; i++) {
		assert_true(l.v[i].index_fd >= 0);
		assert_int_equal(1, l.v[i].ntars);
	}
	assert_int_equal(2, count(d->s, "erofs"));
	assert_int_equal(0, count(d->s, "dirs"));
}

/* A directory that is there is taken, and made no index of; unless nothing but indexes will do. */
static void test_mixed(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct snapshot_forms dirs = {0}, strict = {.index = true, .strict = true, .merge = 2};
	auto_lowers struct lowers one = {0}, l = {0}, all = {0}, only = {0};

	if (geteuid() != 0)
		skip(); /* unpacking sets owners */
	images_simple(d->s, "localhost/app:latest", id);
	lowers_of(d->s, id, 1, &dirs, &one);
	lowers_of(d->s, id, 2, &single, &l);
	assert_int_equal(2, l.n);
	assert_true(l.v[0].dir_fd >= 0);
	assert_true(l.v[1].index_fd >= 0);
	assert_int_equal(1, count(d->s, "erofs"));
	/* the base has a directory for each layer */
	lower_clear_all(&one);
	lowers_of(d->s, id, 2, &dirs, &one);
	lowers_of(d->s, id, 2, &merged, &all);
	assert_int_equal(2, all.n);
	assert_true(all.v[0].dir_fd >= 0 && all.v[1].dir_fd >= 0);
	assert_int_equal(1, count(d->s, "erofs"));
	lowers_of(d->s, id, 2, &strict, &only);
	assert_int_equal(1, only.n);
	assert_true(only.v[0].index_fd >= 0);
}

/* A stack that is higher than what can be mounted: the first layers become one. */
static void test_many(void **state)
{
	struct storedir *d = *state;
	struct digest id[23];
	const struct snapshot_forms forms = {.index = true, .merge = 1, .max = 10};
	size_t indexes = 0;

	for (size_t i = 0; i < ARRAY_LEN(id); i++) {
		char name[16];
		snprintf(name, sizeof name, "f%zu", i);
		images_layer(
			d->s, (const struct images_file[]){{name, name}, {NULL, NULL}}, &id[i]);
	}
	for (size_t n = 1; n <= ARRAY_LEN(id); n++) {
		auto_lowers struct lowers l = {0};
		lowers_of(d->s, id, n, &forms, &l);
		assert_true(l.n <= 10);
		assert_true(n > 10 || l.n == n);
		indexes = count(d->s, "erofs");
	}
	/* one of each layer but those that were merged before, and three merged ones */
	assert_true(indexes <= 23 + 3);
	assert_int_equal(0, count(d->s, "dirs"));
}

/* The caller's tree serves, and is where it was left: below the last layer. */
static void test_below(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct snapshot_grown g CLEANUP(snapshot_grown_clear) = {0};
	struct snapshot_forms forms = {.index = true, .below = &g};
	auto_lowers struct lowers l = {0}, again = {0};

	images_simple(d->s, "localhost/app:latest", id);
	lowers_of(d->s, id, 2, &forms, &l);
	assert_int_equal(1, g.n);
	assert_non_null(layer_tree_lookup(g.tree, "d/x", true, NULL, NULL));
	assert_null(layer_tree_lookup(g.tree, "two", true, NULL, NULL));
	/* one that has grown too far is not touched */
	assert_int_equal(0, snapshot_grow(d->s, &g, STACK(id, 2), 2, NULL));
	storedir_reopen(d);
	assert_int_equal(0, fs_remove_tree(store_bld_fd(d->s), "erofs"));
	storedir_reopen(d);
	lowers_of(d->s, id, 2, &forms, &again);
	assert_int_equal(2, g.n);
	assert_int_equal(2, again.n);
	snapshot_grown_clear(&g);
}

/* --- wrong indexes -------------------------------------------------------------------------- */

struct spoil {
	struct store *s;
	char image[128], record[128]; /* paths below bld/erofs */
};

static void put(struct spoil *p, const char *path, const void *data, size_t n)
{
	int dir = store_dir(p->s, STORE_EROFS);

	assert_int_equal(0, unlinkat(dir, path, 0));
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	assert_true(fd >= 0);
	assert_int_equal(0, fs_write_all(fd, data, n));
	close(fd);
}

static void get(struct spoil *p, const char *path, struct buf *b)
{
	int fd = openat(store_dir(p->s, STORE_EROFS), path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(0, fs_read_fd(fd, (size_t)1 << 24, path, b, NULL));
	close(fd);
}

static void flip(struct spoil *p, const char *path, size_t at)
{
	struct buf b = {0};

	get(p, path, &b);
	b.data[at % b.len] ^= 4;
	put(p, path, b.data, b.len);
	buf_clear(&b);
}

static void cut(struct spoil *p, const char *path, size_t n)
{
	struct buf b = {0};

	get(p, path, &b);
	put(p, path, b.data, b.len - n);
	buf_clear(&b);
}

static void spoil_first(struct spoil *p)
{
	flip(p, p->image, 0);
}

static void spoil_super(struct spoil *p)
{
	flip(p, p->image, 1024 + 36);
}

static void spoil_last(struct spoil *p)
{
	flip(p, p->image, (size_t)-1);
}

static void spoil_short(struct spoil *p)
{
	cut(p, p->image, 512);
}

static void spoil_long(struct spoil *p)
{
	struct buf b = {0};

	get(p, p->image, &b);
	buf_add(&b, "more", 4);
	put(p, p->image, b.data, b.len);
	buf_clear(&b);
}

static void spoil_empty(struct spoil *p)
{
	put(p, p->image, "", 0);
}

static void spoil_no_image(struct spoil *p)
{
	assert_int_equal(0, unlinkat(store_dir(p->s, STORE_EROFS), p->image, 0));
}

static void spoil_link(struct spoil *p)
{
	spoil_no_image(p);
	assert_int_equal(0, symlinkat("/dev/zero", store_dir(p->s, STORE_EROFS), p->image));
}

static void spoil_dir(struct spoil *p)
{
	spoil_no_image(p);
	assert_int_equal(0, mkdirat(store_dir(p->s, STORE_EROFS), p->image, 0700));
}

static void spoil_record_bit(struct spoil *p)
{
	flip(p, p->record, 100);
}

static void spoil_record_cut(struct spoil *p)
{
	cut(p, p->record, 1);
}

static void spoil_record_empty(struct spoil *p)
{
	put(p, p->record, "", 0);
}

static void spoil_record_huge(struct spoil *p)
{
	size_t n = (size_t)1 << 20;
	char *zeros = mem_alloc(n);

	put(p, p->record, zeros, n);
	free(zeros);
}

/* One digit of the length of a tar, the line of digests made right again. */
static void spoil_size(struct spoil *p)
{
	struct buf b = {0}, out = {0};
	struct digest all;
	char text[DIGEST_STRING];

	get(p, p->record, &b);
	char *end = strstr(b.data, "end sha256:"), *tar = strstr(b.data, "tar ");
	assert_non_null(end);
	assert_non_null(tar);
	*end = '\0';
	char *digit = strchr(tar, '\n') - 1;
	*digit = *digit == '1' ? '2' : '1';
	sha256_of(b.data, (size_t)(end - b.data), &all);
	buf_init(&out, 1 << 16);
	buf_addf(&out, "%send %s\n", b.data, sha256_string(&all, text));
	put(p, p->record, out.data, out.len);
	buf_clear(&b);
	buf_clear(&out);
}

static void test_wrong(void **state)
{
	static void (*const spoil[])(struct spoil *) = {spoil_first, spoil_super, spoil_last,
		spoil_short, spoil_long, spoil_empty, spoil_no_image, spoil_link, spoil_dir,
		spoil_record_bit, spoil_record_cut, spoil_record_empty, spoil_record_huge,
		spoil_size};
	struct storedir *d = *state;
	struct digest id[2], good, again;
	char name[EROFSFORM_NAME];

	images_simple(d->s, "localhost/app:latest", id);
	check_merged(d->s, id, &good);
	erofsform_name(&(struct erofsform_stack){EROFSFORM_MERGED, {id, NULL, 2}}, name);
	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		struct erofsform_stack k = {EROFSFORM_MERGED, {id, NULL, 2}};
		struct spoil p = {.s = d->s};
		struct lower l;
		snprintf(p.image, sizeof p.image, "%s/image", name);
		snprintf(p.record, sizeof p.record, "%s/record", name);
		spoil[i](&p);
		storedir_reopen(d);
		/* it is not handed out, but made again */
		assert_int_equal(0, erofsform_open(d->s, &k, &l, NULL));
		check_merged(d->s, id, &again);
		assert_true(sha256_equal(&good, &again));
		assert_int_equal(i + 1, count(d->s, "trash"));
		assert_int_equal(1, count(d->s, "erofs"));
	}
}

/* An image that bld wrote, but of other layers. */
static void test_swapped(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2], good, other, again;
	struct erofsform_stack ka = {EROFSFORM_MERGED, {a, NULL, 2}},
			       kb = {EROFSFORM_MERGED, {b, NULL, 2}};
	char na[EROFSFORM_NAME], nb[EROFSFORM_NAME], image[128];
	struct lower l;

	images_simple(d->s, "localhost/a:1", a);
	images_simple(d->s, "localhost/another:1", b);
	check_merged(d->s, a, &good);
	check_merged(d->s, b, &other);
	erofsform_name(&ka, na);
	erofsform_name(&kb, nb);
	int dir = store_dir(d->s, STORE_EROFS);
	/* the whole of it under another name */
	assert_int_equal(0, renameat2(dir, na, dir, nb, 1U << 1)); /* RENAME_EXCHANGE */
	storedir_reopen(d);
	assert_int_equal(0, erofsform_open(d->s, &ka, &l, NULL));
	assert_int_equal(0, erofsform_open(d->s, &kb, &l, NULL));
	check_merged(d->s, a, &again);
	assert_true(sha256_equal(&good, &again));
	check_merged(d->s, b, &again);
	assert_true(sha256_equal(&other, &again));
	/* the image only */
	struct spoil p = {.s = d->s};
	auto_buf struct buf bytes = {0};
	snprintf(image, sizeof image, "%s/image", nb);
	get(&p, image, &bytes);
	snprintf(image, sizeof image, "%s/image", na);
	put(&p, image, bytes.data, bytes.len);
	storedir_reopen(d);
	assert_int_equal(0, erofsform_open(d->s, &ka, &l, NULL));
	check_merged(d->s, a, &again);
	assert_true(sha256_equal(&good, &again));
}

/* A tar that was cut under an index: gone, and back where it can come from. */
static void test_short_tar(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], good, again;
	struct oci_descriptor gz = {0};
	char hex[DIGEST_HEX];
	auto_lowers struct lowers l = {0};
	auto_err struct err *e = NULL;

	images_simple(d->s, "localhost/app:latest", id);
	check_merged(d->s, id, &good);
	assert_int_equal(0, packed_layer(d->s, &id[0],
				    &(struct packed_how){.packing.c = LAYER_GZIP}, &gz, NULL));
	oci_descriptor_clear(&gz);
	for (int i = 0; i < 2; i++) {
		int fd =
			openat(store_blobs_fd(d->s), sha256_hex(&id[i], hex), O_WRONLY | O_CLOEXEC);
		assert_int_equal(0, ftruncate(fd, 700));
		close(fd);
		storedir_reopen(d);
		if (i == 0) {
			check_merged(d->s, id, &again);
			assert_true(sha256_equal(&good, &again));
			assert_int_equal(1, blob_verify(d->s, &id[0], NULL));
		}
	}
	assert_int_equal(-1, snapshot_lowers(d->s, STACK(id, 2), &merged, &l, &e));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "sha256:"));
}

/* --- what cannot be an index ---------------------------------------------------------------- */

/* A tar that ends in the middle of the last file's block. */
static void odd_layer(struct store *s, struct digest *id)
{
	struct digest whole;
	struct buf b = {0};

	images_layer(s, (const struct images_file[]){{"odd", "tail"}, {NULL, NULL}}, &whole);
	int fd = blob_open(s, &whole, NULL, NULL);
	assert_int_equal(0, fs_read_fd(fd, (size_t)1 << 20, "tar", &b, NULL));
	close(fd);
	assert_int_equal(0, blob_put(s, b.data, 512 + 4, id, NULL));
	buf_clear(&b);
}

static void test_unsupported(void **state)
{
	struct storedir *d = *state;
	struct digest id[3];
	struct snapshot_forms forms = {.index = true, .merge = 2};
	struct snapshot_forms strict = {.index = true, .strict = true, .merge = 2};
	auto_lowers struct lowers l = {0}, again = {0}, none = {0};
	auto_err struct err *e = NULL;

	if (geteuid() != 0)
		skip(); /* unpacking sets owners */
	images_simple(d->s, "localhost/app:latest", id);
	id[2] = id[1];
	odd_layer(d->s, &id[1]);
	lowers_of(d->s, id, 3, &forms, &l);
	/* both layers of the base as directories, what is above it as an index */
	assert_int_equal(3, l.n);
	assert_true(l.v[0].dir_fd >= 0 && l.v[1].dir_fd >= 0 && l.v[2].index_fd >= 0);
	char *text = images_text(l.v[1].dir_fd, "odd");
	assert_string_equal("tail", text);
	free(text);
	assert_int_equal(2, count(d->s, "dirs"));
	assert_int_equal(1, count(d->s, "erofs"));
	lowers_of(d->s, id, 3, &forms, &again);
	assert_int_equal(3, again.n);
	assert_int_equal(1, count(d->s, "erofs"));
	assert_int_equal(-1, snapshot_lowers(d->s, STACK(id, 3), &strict, &none, &e));
	assert_int_equal(ERR_UNSUPPORTED, err_get_kind(e));
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
}

/* --- many processes, prune, verify ---------------------------------------------------------- */

static void test_concurrent(void **state)
{
	enum { KIDS = 6 };
	struct storedir *d = *state;
	struct digest id[2], image;
	pid_t pid[KIDS];
	int status;

	images_simple(d->s, "localhost/app:latest", id);
	for (int i = 0; i < KIDS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		struct store *s = storedir_again(d);
		check_merged(s, id, &image);
		store_close(s);
		_exit(0);
	}
	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pid[i], waitpid(pid[i], &status, 0));
		assert_int_equal(0, status);
	}
	assert_int_equal(1, count(d->s, "erofs"));
	assert_int_equal(0, count(d->s, "trash")); /* nobody made one for nothing */
}

static void test_prune(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2], image;
	const struct gc_opts all = {.all = true, .keep_seconds = -1};
	struct gc_report r = {0};

	images_simple(d->s, "localhost/a:1", a);
	images_simple(d->s, "localhost/b:1", b);
	check_merged(d->s, a, &image);
	check_merged(d->s, b, &image);
	assert_int_equal(0, gc_run(d->s, &all, &r, NULL));
	assert_int_equal(0, r.objects);
	assert_int_equal(1, tags_remove(d->s, "localhost/b:1", NULL));
	assert_int_equal(0, gc_run(d->s, &all, &r, NULL));
	assert_int_equal(1, count(d->s, "erofs"));
	/* the layer that a does not have, manifest, config, index */
	assert_int_equal(4, r.objects);
	storedir_reopen(d);
	check_merged(d->s, a, &image);
	assert_int_equal(0, count(d->s, "trash"));
}

struct findings {
	char text[1024];
};

static void note(void *ctx, const char *text)
{
	snprintf(((struct findings *)ctx)->text, sizeof(struct findings), "%s", text);
}

static uint64_t verify(struct store *s, bool repair, struct findings *f)
{
	struct verify_report r = {0};
	struct verify_opts o = {.repair = repair, .finding = note, .ctx = f};
	struct err *e = NULL;

	if (verify_run(s, &o, &r, &e) < 0)
		fail_msg("%s", err_text(e));
	return r.problems;
}

static void test_verify(void **state)
{
	static void (*const spoil[])(struct spoil *) = {
		spoil_last, spoil_short, spoil_no_image, spoil_record_bit};
	struct storedir *d = *state;
	struct digest id[2], image;
	struct findings f = {{0}};
	char name[EROFSFORM_NAME];
	auto_lowers struct lowers l = {0};

	images_simple(d->s, "localhost/app:latest", id);
	check_merged(d->s, id, &image);
	lowers_of(d->s, id, 2, &single, &l);
	assert_int_equal(3, count(d->s, "erofs"));
	assert_int_equal(0, verify(d->s, false, &f));
	erofsform_name(&(struct erofsform_stack){EROFSFORM_MERGED, {id, NULL, 2}}, name);
	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		struct spoil p = {.s = d->s};
		snprintf(p.image, sizeof p.image, "%s/image", name);
		snprintf(p.record, sizeof p.record, "%s/record", name);
		spoil[i](&p);
		assert_int_equal(1, verify(d->s, false, &f));
		assert_non_null(strstr(f.text, name));
		assert_int_equal(1, verify(d->s, true, &f));
		assert_int_equal(0, verify(d->s, false, &f));
		assert_int_equal(2, count(d->s, "erofs"));
		storedir_reopen(d);
		check_merged(d->s, id, &image);
	}
	/* whose layer is gone is stale, not wrong */
	assert_int_equal(1, tags_remove(d->s, "localhost/app:latest", NULL));
	assert_int_equal(0, blob_remove(d->s, &id[1]));
	assert_int_equal(0, verify(d->s, false, &f));
	assert_int_equal(0, verify(d->s, true, &f));
	assert_int_equal(1, count(d->s, "erofs"));
}

/* An image that is whole, has its digest recorded, and still is not what the layers give. */
static void test_verify_foreign(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], image;
	struct findings f = {{0}};
	char name[EROFSFORM_NAME];
	auto_buf struct buf b = {0}, r = {0}, out = {0};
	struct spoil p = {.s = d->s};
	char was[DIGEST_STRING], is[DIGEST_STRING];
	struct digest all;

	images_simple(d->s, "localhost/app:latest", id);
	check_merged(d->s, id, &image);
	erofsform_name(&(struct erofsform_stack){EROFSFORM_MERGED, {id, NULL, 2}}, name);
	snprintf(p.image, sizeof p.image, "%s/image", name);
	snprintf(p.record, sizeof p.record, "%s/record", name);
	flip(&p, p.image, (size_t)-1);
	get(&p, p.image, &b);
	get(&p, p.record, &r);
	sha256_string(&image, was);
	sha256_of(b.data, b.len, &image);
	memcpy(strstr(r.data, was), sha256_string(&image, is), DIGEST_STRING - 1);
	char *end = strstr(r.data, "end sha256:");
	*end = '\0';
	sha256_of(r.data, (size_t)(end - r.data), &all);
	buf_init(&out, 1 << 16);
	buf_addf(&out, "%send %s\n", r.data, sha256_string(&all, is));
	put(&p, p.record, out.data, out.len);
	assert_int_equal(1, verify(d->s, true, &f));
	assert_non_null(strstr(f.text, "not what its layers give"));
	assert_int_equal(0, count(d->s, "erofs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_merged, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_single, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_mixed, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_many, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_below, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_wrong, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_swapped, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_short_tar, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_unsupported, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_concurrent, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_prune, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_verify, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_verify_foreign, storedir_setup, storedir_teardown),
	};

	return cmocka_run_group_tests_name("erofsform", tests, NULL, NULL);
}

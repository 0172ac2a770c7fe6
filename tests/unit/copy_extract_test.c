// SPDX-License-Identifier: Apache-2.0
/* ADD of local archives: what is one, and what comes out of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/copy_kit.h"

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"
#include "tests/support/fake.h"

enum form { PLAIN, RAW, GZIP, BZIP2, XZ, ZSTD };

struct row {
	const char *name;
	const char
		*archive; /* entries; with RAW names as they stand: TYPE NAME LINK|CONTENT; ... */
	const char *below;
	const char *dest;
	const char *chown, *chmod;
	const char *want; /* entries or '!' and a part of the error */
	enum form form;
};

#define SMALL "d a @711 :5:6; f a/x =1 :7:8 @4755"

static const struct row rows[] = {
	{"into a directory to be", SMALL, "", "/d", NULL, NULL,
		"d d ~5000; d d/a @711 :5:6; f d/a/x =1 @4755 :7:8", PLAIN},
	{"into the root", SMALL, "", "/", NULL, NULL, "d a @711 :5:6; f a/x =1 @4755 :7:8", PLAIN},
	{"relative", SMALL, "d w", "q", NULL, NULL,
		"d w; d w/q ~5000; d w/q/a @711 :5:6; f w/q/a/x =1 @4755 :7:8", PLAIN},
	{"gzip", SMALL, "", "/", NULL, NULL, "d a @711 :5:6; f a/x =1 @4755 :7:8", GZIP},
	{"bzip2", SMALL, "", "/", NULL, NULL, "d a @711 :5:6; f a/x =1 @4755 :7:8", BZIP2},
	{"xz", SMALL, "", "/", NULL, NULL, "d a @711 :5:6; f a/x =1 @4755 :7:8", XZ},
	{"zstd", SMALL, "", "/", NULL, NULL, "d a @711 :5:6; f a/x =1 @4755 :7:8", ZSTD},
	{"chown", SMALL, "", "/d", "1:2", NULL,
		"d d :1:2 ~5000; d d/a @711 :1:2; f d/a/x =1 @4755 :1:2", PLAIN},
	{"chmod is not for archives", SMALL, "", "/d", NULL, "600",
		"d d ~5000; d d/a @711 :5:6; f d/a/x =1 @4755 :7:8", PLAIN},
	{"missing parents in the archive", "f p/q/x =1", "", "/", NULL, NULL,
		"d p ~5000; d p/q ~5000; f p/q/x =1", PLAIN},
	{"directories merge", SMALL, "d a @700 :1:1 ~3; f a/old =o", "/", NULL, NULL,
		"d a @711 :5:6; f a/x =1 @4755 :7:8", PLAIN},
	{"file over file", SMALL, "d a; f a/x =old", "/", NULL, NULL,
		"d a @711 :5:6; f a/x =1 @4755 :7:8", PLAIN},
	{"file over a directory", "f a =1", "d a; f a/old =o", "/", NULL, NULL, "f a =1", PLAIN},
	{"directory over a file", "d a; f a/x =1", "f a =old", "/", NULL, NULL, "d a; f a/x =1",
		PLAIN},
	{"directory over a symlink", "d a; f a/x =1", "d e; l a ->e", "/", NULL, NULL,
		"d a; f a/x =1", PLAIN},
	{"through a symlink below", "f a/x =1", "d e @700; l a ->/e", "/", NULL, NULL,
		"d e @700; f e/x =1", PLAIN},
	{"through a symlink of the archive", "l a ->/e; f a/x =1", "d e @700", "/", NULL, NULL,
		"l a ->/e; d e @700; f e/x =1", PLAIN},
	{"a symlink that climbs stays below the destination", "l a ->../../../../e; d e; f a/x =1",
		"d e; d w", "/w", NULL, NULL, "d w; l w/a ->../../../../e; d w/e; f w/e/x =1",
		PLAIN},
	{"an absolute symlink stays below the destination", "d e; l a ->/e; f a/x =1", "d e; d w",
		"/w", NULL, NULL, "d w; l w/a ->/e; d w/e; f w/e/x =1", PLAIN},
	{"a symlink of the image stays below the destination", "f a/x =1",
		"d e; d w; l w/a ->/e; d w/e", "/w", NULL, NULL, "d w; d w/e; f w/e/x =1", PLAIN},
	{"a symlink to what is not below the destination", "l a ->/e; f a/x =1", "d e; d w", "/w",
		NULL, NULL, "!leads to /w/e, which is not there", PLAIN},
	{"a symlink that climbs to nothing", "l a ->../../e; f a/b/x =1", "d e; d w", "/w", NULL,
		NULL, "!leads to /w/e/b, which is not there", PLAIN},
	{"a hard link through a symlink of the archive", "l a ->/e; h y ->a/x",
		"d e; f e/x =1; d w", "/w", NULL, NULL, "!leads to /w/e, which is not there",
		PLAIN},
	{"a destination behind a symlink", "l a ->/e; d e; f a/x =1", "d v; l w ->v", "/w", NULL,
		NULL, "d v; l v/a ->/e; d v/e; f v/e/x =1", PLAIN},
	{"file, then a directory of the name", "f a =1; d a; f a/x =2", "", "/", NULL, NULL,
		"d a; f a/x =2", PLAIN},
	{"directory, then a file of the name", "d a; f a/x =2; f a =1", "", "/", NULL, NULL,
		"f a =1", PLAIN},
	{"directory below replaced and made again", "f a =1; d a; f a/x =2",
		"d a; f a/old =o; f a/x =o", "/", NULL, NULL, "d a; o a; f a/x =2", PLAIN},
	{"the last of two", "f a =1; f a =2", "", "/", NULL, NULL, "f a =2", PLAIN},
	{"hard links", "f b =1; h a ->b; d c; h c/d ->b", "", "/d", NULL, NULL,
		"d d ~5000; f d/a =1; h d/b ->d/a; d d/c; h d/c/d ->d/a", PLAIN},
	{"hard link outlives its target", "f b =1; h a ->b; f b =2", "", "/", NULL, NULL,
		"f a =1; f b =2", PLAIN},
	{"hard link to a file below", "h a ->old", "f old =o @600 :1:2 ~3", "/", NULL, NULL,
		"f a =o", PLAIN}, /* with the attributes of its own header */
	{"hard link to nothing", "h a ->nix", "", "/", NULL, NULL,
		"!hard link to nix, which is not there", PLAIN},
	{"hard link to a directory", "d b; h a ->b", "", "/", NULL, NULL, "!a directory", PLAIN},
	{"devices and FIFOs", "c c @600; p p @600", "", "/", NULL, NULL, "c c @600; p p @600",
		PLAIN},
	{"attributes", "f x =1 +user.k=v", "", "/", NULL, NULL, "f x =1 +user.k=v", PLAIN},
	{"onto a file", SMALL, "f d =1", "/d", NULL, NULL, "!/d is not a directory", PLAIN},
	{"its own root, in a directory to be", "d . @700 :3:4 ~9; f ./x =1", "", "/d", NULL, NULL,
		"d d ~5000; f d/x =1", RAW},
	{"its own root, in a directory of the image", "d ./ @700 :3:4 ~9; f ./x =1",
		"d d @711 :5:6 ~3", "/d", NULL, NULL, "d d @711 :5:6 ~3; f d/x =1", RAW},
	{"its own root, in the root", "d . @700 :3:4 ~9; f ./x =1", "", "/", NULL, NULL, "f x =1",
		RAW},
	{"its own root with --chown", "d . @700 :3:4 ~9; f ./x =1", "", "/d", "1:2", NULL,
		"d d :1:2 ~5000; f d/x =1 :1:2", RAW},
	{"names that climb", "f ../../x =1; f a/../../../y =2", "d w", "/w", NULL, NULL,
		"d w; f w/x =1; f w/y =2", RAW},
	{"absolute names", "f /x =1; f //y//z =2", "d w", "/w", NULL, NULL,
		"d w; f w/x =1; d w/y ~5000; f w/y/z =2", RAW},
	{"hard link that climbs", "f ../x =1; h y ->../../x", "d w", "/w", NULL, NULL,
		"d w; f w/x =1; h w/y ->w/x", RAW},
	{"hard link to the host", "h y ->/etc/hostname", "", "/", NULL, NULL, "!is not there", RAW},
	{"reserved name", "f .wh.x =1", "", "/", NULL, NULL, "!cannot be stored in a layer", RAW},
	{"opaque name", "f .wh..wh..opq =", "", "/", NULL, NULL, "!cannot be stored in a layer",
		RAW},
};

static void raw_number(unsigned char *at, size_t width, unsigned long v)
{
	char text[24];
	snprintf(text, sizeof text, "%0*lo", (int)width - 1, v);
	memcpy(at, text, width);
}

/* A tar whose names nobody cleaned. */
static int raw_tar(const char *text)
{
	struct buf b;
	struct kit_spec s;
	buf_init(&b, BUF_TEXT_MAX);
	while (kit_next(&text, &s)) {
		size_t at = b.len;
		char type = s.kind == 'd' ? '5' : s.kind == 'h' ? '1' : s.kind == 'l' ? '2' : '0';
		kit_raw(&b, s.e.path, type, s.e.link ? s.e.link : "", s.e.mem, (size_t)s.e.size);
		unsigned char *h = (unsigned char *)b.data + at;
		unsigned sum = 0;
		raw_number(h + 100, 8, s.e.mode);
		raw_number(h + 108, 8, s.e.uid);
		raw_number(h + 116, 8, s.e.gid);
		raw_number(h + 136, 12, (unsigned long)s.e.mtime);
		memset(h + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += h[i];
		raw_number(h + 148, 7, sum);
	}
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	buf_clear(&b);
	return fd;
}

static int plain_tar(const char *text)
{
	int fd = kit_memfd();
	struct kit_spec s;
	struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	while (kit_next(&text, &s))
		assert_ok(layer_writer_add(w, &s.e, err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	return fd;
}

static void save(int dir, const char *name, int take_fd)
{
	int out = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	assert_true(out >= 0);
	assert_int_equal(fs_copy_range(take_fd, 0, kit_size(take_fd), out), 0);
	close(out);
	close(take_fd);
}

static void make_archive(const struct kit_dir *d, const struct row *r)
{
	static const char *const tools[] = {
		[GZIP] = "gzip -c", [BZIP2] = "bzip2 -c", [XZ] = "xz -c", [ZSTD] = "zstd -qc"};
	save(d->fd, "t", r->form == RAW ? raw_tar(r->archive) : plain_tar(r->archive));
	if (r->form >= GZIP)
		assert_int_equal(fake_run("%s %s/t > %s/t.z && mv %s/t.z %s/t", tools[r->form],
					 d->path, d->path, d->path, d->path),
			0);
}

static char *add(const struct copy_root *root, const char *source, bool is_add, const struct row *r)
{
	auto_layer_tree struct layer_tree *below = kit_make_tree(r->below);
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = source};
	struct copy_request q = {
		.root = *root, .items = &item, .nitems = 1, .unpack = is_add, .tmp_dir_fd = tmp};
	struct copy_dest d = {.below = below, .path = r->dest, .workdir = "/w", .now = KIT_NOW};
	struct err *e = NULL;
	if (r->chown) {
		d.has_owner = true;
		d.uid = 1;
		d.gid = 2;
	}
	d.has_mode = r->chmod != NULL;
	d.mode = 0600;
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, &e);
	auto_copy_placed struct copy_placed *l = s ? copy_place(s, &d, &e) : NULL;
	if (l)
		return kit_placed_text(l);
	char *text = mem_printf("!%s", err_text(e));
	err_free(e);
	return text;
}

static int check(const struct row *r, const char *how, char *take_got)
{
	bool ok = r->want[0] == '!' ? take_got[0] == '!' && strstr(take_got, r->want + 1)
				    : strcmp(take_got, r->want) == 0;
	if (!ok)
		print_error("%s (%s):\ngot:  %s\nwant: %s\n", r->name, how, take_got, r->want);
	free(take_got);
	return !ok;
}

/* The context directory as a tree, as it comes from a tar on standard input. */
static struct layer_tree *context_tree(const struct kit_dir *d)
{
	struct layer_tree *t = layer_tree_new();
	int fd = openat(d->fd, "t", O_RDONLY), tar = kit_memfd();
	struct layer_entry e = {.path = "t",
		.type = LAYER_FILE,
		.mode = 0640,
		.mtime = KIT_TIME,
		.size = kit_size(fd),
		.source = LAYER_DATA_FD,
		.fd = fd};
	struct layer_writer *w = layer_writer_new(kit_writer(&tar));
	assert_ok(layer_writer_add(w, &e, err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	close(fd);
	assert_ok(layer_tree_apply(t, tar, err));
	return t;
}

static void test_rows(void **state)
{
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct kit_dir d = kit_temp();
		make_archive(&d, &rows[i]);
		struct copy_root disk = {.dir_fd = d.fd};
		bad += check(&rows[i], "directory", add(&disk, "t", true, &rows[i]));
		assert_int_equal(symlinkat("/t", d.fd, "link"), 0);
		bad += check(&rows[i], "by a symlink", add(&disk, "lin*", true, &rows[i]));
		auto_layer_tree struct layer_tree *t = context_tree(&d);
		struct copy_root tree = {.dir_fd = -1, .tree = t};
		bad += check(&rows[i], "tree", add(&tree, "t", true, &rows[i]));
		kit_temp_free(&d);
	}
	assert_int_equal(bad, 0);
}

/* What ADD copies as it is: files that only look like archives. */
static void test_no_archive(void **state)
{
	static const char zeros[1024];
	struct kit_dir d = kit_temp();
	struct copy_root root = {.dir_fd = d.fd};
	const struct row r = {.below = "", .dest = "/d/"};
	(void)state;
	save(d.fd, "empty.tar", kit_fd_of("", 0));
	save(d.fd, "zeros.tar", kit_fd_of(zeros, sizeof zeros));
	save(d.fd, "text", kit_fd_of("some text", 9));
	assert_int_equal(fake_run("gzip -c %s/text > %s/text.tar.gz", d.path, d.path), 0);
	static const char *const names[] = {"empty.tar", "zeros.tar", "text.tar.gz", "text"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stat st;
		assert_int_equal(fstatat(d.fd, names[i], &st, 0), 0);
		struct copy_item item = {.kind = COPY_ITEM_PATH, .text = names[i]};
		struct copy_request q = {.root = root,
			.items = &item,
			.nitems = 1,
			.unpack = true,
			.tmp_dir_fd = d.fd};
		struct copy_dest dest = {.path = r.dest, .workdir = "/", .now = KIT_NOW};
		auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, NULL);
		assert_non_null(s);
		auto_copy_placed struct copy_placed *l = copy_place(s, &dest, NULL);
		assert_non_null(l);
		int tar = kit_memfd();
		assert_ok(kit_write(l, tar, err));
		auto_layer_tree struct layer_tree *t = layer_tree_new();
		assert_ok(layer_tree_apply(t, tar, err));
		auto_free char *path = mem_printf("d/%s", names[i]);
		struct layer_node *n = layer_tree_lookup(t, path, false, NULL, NULL);
		assert_non_null(n);
		struct layer_entry e;
		layer_node_entry(n, &e);
		assert_int_equal(e.type, LAYER_FILE);
		assert_int_equal(e.size, st.st_size);
	}
	kit_temp_free(&d);
}

/* COPY never unpacks. */
static void test_copy(void **state)
{
	struct kit_dir d = kit_temp();
	const struct row r = {.archive = SMALL, .below = "", .dest = "/d/"};
	(void)state;
	make_archive(&d, &r);
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = "t"};
	struct copy_request q = {
		.root = {.dir_fd = d.fd}, .items = &item, .nitems = 1, .tmp_dir_fd = d.fd};
	struct copy_dest dest = {.path = r.dest, .workdir = "/", .now = KIT_NOW};
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, NULL);
	auto_copy_placed struct copy_placed *l = copy_place(s, &dest, NULL);
	int tar = kit_memfd();
	assert_ok(kit_write(l, tar, err));
	auto_layer_tree struct layer_tree *tree = layer_tree_new();
	assert_ok(layer_tree_apply(tree, tar, err));
	assert_int_equal(layer_node_nchildren(layer_tree_root(tree)), 1);
	assert_int_equal(layer_node_nchildren(layer_tree_lookup(tree, "d", true, NULL, NULL)), 1);
	assert_non_null(layer_tree_lookup(tree, "d/t", false, NULL, NULL));
	kit_temp_free(&d);
}

/* The archive changes between its digest and its unpacking. */
static void test_change(void **state)
{
	struct kit_dir d = kit_temp();
	const struct row r = {.archive = "f x =1111", .below = "", .dest = "/"};
	(void)state;
	make_archive(&d, &r);
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = "t"};
	struct copy_request q = {.root = {.dir_fd = d.fd},
		.items = &item,
		.nitems = 1,
		.unpack = true,
		.tmp_dir_fd = d.fd};
	struct copy_dest dest = {.path = r.dest, .workdir = "/", .now = KIT_NOW};
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, NULL);
	assert_int_equal(copy_digest(s, NULL, NULL), 0);
	int fd = openat(d.fd, "t", O_WRONLY);
	assert_int_equal(pwrite(fd, "2", 1, 512), 1);
	close(fd);
	assert_fails(copy_place(s, &dest, err) ? 0 : -1, ERR_CONTEXT, "changed while it was read");
	kit_temp_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_archive),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The tar writer, the list and the walker. */
#include "tests/unit/layer_kit.h"

#include <fcntl.h>

static char *repeat(char *out, const char *piece, int n)
{
	*out = 0;
	size_t len = 0;
	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, 5000 - len, "%s", piece);
	return out;
}

static void writes_and_reads_every_type(void **state)
{
	(void)state;
	static const struct layer_xattr x[] = {{"user.b", "2", 1},
		{"security.capability", "cap", 3}, {"trusted.overlay.opaque", "y", 1},
		{"user.overlay.origin", "y", 1}, {"user.a", "", 0}};
	struct layer_entry f = FILE_("d/file", "hello");
	f.mode = 04755;
	f.uid = 3000000;
	f.gid = 4000000000u;
	f.mtime = -5;
	f.xattrs = x;
	f.nxattrs = 5;
	int fd = KIT_TAR(DIR_(""), DIR_("d"), f, HARD_("d/hard", "d/file"), LINK_("d/ln", "../x y"),
		{.path = "d/null",
			.type = LAYER_CHAR,
			.mode = 0666,
			.dev_major = 1,
			.dev_minor = 3},
		{.path = "d/sda", .type = LAYER_BLOCK, .mode = 0660, .dev_major = 8},
		{.path = "d/pipe", .type = LAYER_FIFO, .mode = 0600, .mtime = (int64_t)1 << 40},
		WH_("gone"), OPQ_("d"), OPQ_(""));
	assert_text(kit_list(fd),
		"dir . 755 0:0 1000\n"
		"dir d 755 0:0 1000\n"
		"file d/file 4755 3000000:4000000000 -5 5 security.capability=3 user.a=0 user.b=1 "
		"\"hello\"\n"
		"link d/hard 644 0:0 1000 -> d/file\n"
		"symlink d/ln 777 0:0 1000 -> ../x y\n"
		"char d/null 666 0:0 0 1,3\n"
		"block d/sda 660 0:0 0 8,0\n"
		"fifo d/pipe 600 0:0 1099511627776\n"
		"whiteout gone 0 0:0 0\n"
		"opaque d 0 0:0 0\n"
		"opaque . 0 0:0 0\n");
	assert_int_equal(kit_size(fd) % 512, 0);
	close(fd);
}

static void long_names(void **state)
{
	(void)state;
	char a[5000], b[5000], name99[101], want[20000];
	repeat(a, "component/", 14); /* 140 bytes: ustar prefix */
	strcat(a, "x");
	repeat(b, "0123456789/", 300); /* 3300 bytes: pax */
	strcat(b, "y");
	memset(name99, 'n', 100);
	name99[100] = 0;
	int fd = KIT_TAR(DIR_(a), FILE_(b, "z"), FILE_(name99, "q"), DIR_(name99), LINK_("l", b));
	snprintf(want, sizeof want,
		"dir %s 755 0:0 1000\nfile %s 644 0:0 1000 1 \"z\"\nfile %s 644 0:0 1000 1 \"q\"\n"
		"dir %s 755 0:0 1000\nsymlink l 777 0:0 1000 -> %s\n",
		a, b, name99, name99, b);
	assert_text(kit_list(fd), want);
	/* header (prefix) + pax(1+7) + header + data + header + data + pax(1+1)+header + pax.. */
	unsigned char h[512];
	assert_int_equal(fs_pread_all(fd, h, 512, 0), 0);
	assert_int_equal(h[156], '5');
	assert_memory_equal(h + 345, "component/", 10);
	close(fd);
}

static void refuses_what_tar_cannot_say(void **state)
{
	(void)state;
	int fd = kit_memfd();
	static const struct {
		struct layer_entry e;
		enum err_kind kind;
		const char *text;
	} bad[] = {
		{DIR_("a/.wh.x"), ERR_BUILD, ".wh."},
		{DIR_(".wh.d"), ERR_BUILD, ".wh."},
		{DIR_("/a"), ERR_CORRUPT, "not a name"},
		{DIR_("a//b"), ERR_CORRUPT, "not a name"},
		{DIR_("a/../b"), ERR_CORRUPT, "not a name"},
		{DIR_("a/"), ERR_CORRUPT, "not a name"},
		{{.path = "", .type = LAYER_SYMLINK, .link = "x"}, ERR_CORRUPT, "root"},
		{LINK_("l", ""), ERR_CORRUPT, "target"},
		{{.path = "c", .type = LAYER_CHAR}, ERR_UNSUPPORTED, "0:0"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct layer_writer *w = layer_writer_new(kit_writer(&fd));
		assert_fails(layer_writer_add(w, &bad[i].e, err), bad[i].kind, bad[i].text);
		assert_fails(layer_writer_finish(w, err), ERR_SYS, "given up");
		layer_writer_free(w);
	}
	close(fd);
}

static void content_from_paths_is_checked(void **state)
{
	(void)state;
	char dir[] = "/tmp/layer_tar_test.XXXXXX";
	assert_non_null(mkdtemp(dir));
	int d = open(dir, O_RDONLY | O_DIRECTORY);
	int f = openat(d, "f", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(fs_write_all(f, "content", 7), 0);
	close(f);
	assert_int_equal(symlinkat("f", d, "link"), 0);
	assert_int_equal(mkfifoat(d, "fifo", 0600), 0);
	struct digest sum, wrong = {{1}};
	sha256_of("content", 7, &sum);
	struct layer_entry e = {.path = "x",
		.type = LAYER_FILE,
		.mode = 0600,
		.size = 7,
		.source = LAYER_DATA_PATH,
		.fd = d,
		.src_path = "f",
		.expect = &sum};
	int fd = KIT_TAR(e);
	assert_text(kit_list(fd), "file x 600 0:0 0 7 \"content\"\n");
	close(fd);

	struct layer_entry bad[5] = {e, e, e, e, e};
	bad[0].size = 6;
	bad[1].expect = &wrong;
	bad[2].src_path = "link";
	bad[3].src_path = "gone";
	bad[4].src_path = "fifo";
	fd = kit_memfd();
	for (int i = 0; i < 5; i++) {
		struct layer_writer *w = layer_writer_new(kit_writer(&fd));
		if (i == 1) /* told at the end: contents are hashed behind the writer's back */
			assert_ok(layer_writer_add(w, &bad[i], err));
		assert_fails(
			i == 1 ? layer_writer_finish(w, err) : layer_writer_add(w, &bad[i], err),
			ERR_CONTEXT, "changed while it was read");
		assert_ptr_equal(layer_writer_changed(w), i == 1 ? &wrong : NULL);
		layer_writer_free(w);
	}
	struct layer_list *l = layer_list_new();
	layer_list_add(l, &e);
	bad[1].path = "other";
	layer_list_add(l, &bad[1]);
	assert_fails(layer_list_write(l, kit_writer(&fd), err), ERR_CONTEXT,
		"f: changed while it was read");
	layer_list_free(l);
	close(fd);
	close(d);
	kit_remove(dir);
}

static void sparse_files_are_written_in_full(void **state)
{
	(void)state;
	int src = kit_fd_of("AAAABBBB", 8);
	static const struct layer_extent x[] = {{3, 4, 0}, {1000, 4, 4}};
	struct layer_entry e = {.path = "s",
		.type = LAYER_FILE,
		.size = 2000,
		.source = LAYER_DATA_FD,
		.fd = src,
		.extents = x,
		.nextents = 2};
	int fd = KIT_TAR(e);
	assert_int_equal(kit_size(fd), 512 + 2048 + 1024);
	char text[2000], want[2000] = {0};
	memcpy(want + 3, "AAAA", 4);
	memcpy(want + 1000, "BBBB", 4);
	assert_int_equal(fs_pread_all(fd, text, 2000, 512), 0);
	assert_memory_equal(text, want, 2000);
	close(fd);
	close(src);
}

static void list_sorts_and_replaces(void **state)
{
	(void)state;
	struct layer_list *l = layer_list_new();
	const struct layer_entry in[] = {FILE_("b", "1"), FILE_("a.b", "x"), DIR_("a"), OPQ_("a"),
		FILE_("a/z", "z"), WH_("a"), FILE_("b", "2"), HARD_("a/k", "b"), WH_("c"),
		{.path = "", .type = LAYER_DIR, .mode = 0700}};
	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		layer_list_add(l, &in[i]);
	assert_int_equal(layer_list_count(l), 9);
	assert_int_equal(layer_list_find(l, "a")->type, LAYER_DIR);
	assert_null(layer_list_find(l, "c"));
	int fd = kit_memfd();
	assert_ok(layer_list_write(l, kit_writer(&fd), err));
	/* The hard link sorts before its file: it carries the content. */
	assert_text(kit_list(fd), "dir . 700 0:0 0\n"
				  "whiteout a 0 0:0 0\n"
				  "dir a 755 0:0 1000\n"
				  "opaque a 0 0:0 0\n"
				  "file a/k 644 0:0 1000 1 \"2\"\n"
				  "file a/z 644 0:0 1000 1 \"z\"\n"
				  "file a.b 644 0:0 1000 1 \"x\"\n"
				  "link b 644 0:0 1000 -> a/k\n"
				  "whiteout c 0 0:0 0\n");
	close(fd);
	layer_list_free(l);
}

static void list_keeps_links_of_a_replaced_file(void **state)
{
	(void)state;
	struct layer_list *l = layer_list_new();
	const struct layer_entry in[] = {
		FILE_("m", "old"), HARD_("n", "m"), HARD_("o", "m"), FILE_("m", "new")};
	for (size_t i = 0; i < 4; i++)
		layer_list_add(l, &in[i]);
	int fd = kit_memfd();
	assert_ok(layer_list_write(l, kit_writer(&fd), err));
	assert_text(kit_list(fd), "file m 644 0:0 1000 3 \"new\"\nfile n 644 0:0 1000 3 \"old\"\n"
				  "link o 644 0:0 1000 -> n\n");
	close(fd);
	layer_list_free(l);
}

/* --- hostile and ambiguous input: one rule each ---------------------------------------------- */

struct hostile {
	const char *name;
	char type;
	const char *link;
	const char *want;
};

static void names_are_cleaned_or_refused(void **state)
{
	(void)state;
	static const struct hostile cases[] = {
		{"/etc/x", '0', "", "file etc/x 644 0:0 1000 0\n"},
		{"./a/./b//c", '0', "", "file a/b/c 644 0:0 1000 0\n"},
		{"./", '5', "", "dir . 644 0:0 1000\n"},
		{"//", '5', "", "dir . 644 0:0 1000\n"},
		{".//.", '2', "/etc",
			"error 10: tar entry at byte 0: the root can only be a directory\n"},
		{"/.", '2', "/etc",
			"error 10: tar entry at byte 0: the root can only be a directory\n"},
		{"./", '1', "a",
			"error 10: tar entry at byte 0: the root can only be a directory\n"},
		{"", '5', "", "error 10: tar entry at byte 0: an entry without a name\n"},
		{"../x", '0', "",
			"error 10: tar entry at byte 0: name \"../x\": leads out of the layer\n"},
		{"a/../../x", '0', "",
			"error 10: tar entry at byte 0: name \"a/../../x\": leads out of the "
			"layer\n"},
		{"./../x", '5', "",
			"error 10: tar entry at byte 0: name \"./../x\": leads out of the layer\n"},
		{"a/../f", '0', "", "file f 644 0:0 1000 0\n"},
		{"a/./b/.././../c/f", '0', "", "file c/f 644 0:0 1000 0\n"},
		{"/../x", '0', "", "file x 644 0:0 1000 0\n"},
		{"/..", '5', "", "dir . 644 0:0 1000\n"},
		{"a/../.", '0', "",
			"error 10: tar entry at byte 0: the root can only be a directory\n"},
		{"a/../.wh.f", '0', "", "whiteout f 0 0:0 0\n"},
		{"a", '1', "../../etc/shadow",
			"error 10: tar entry at byte 0: name \"../../etc/shadow\": leads out of "
			"the "
			"layer\n"},
		{"a", '1', "d/../b", "link a 644 0:0 1000 -> b\n"},
		{"a", '1', "/b", "link a 644 0:0 1000 -> b\n"},
		{"a", '1', "/",
			"error 10: tar entry at byte 0: a hard link to itself or to the root\n"},
		{"a", '1', "./a",
			"error 10: tar entry at byte 0: a hard link to itself or to the root\n"},
		{"a", '2', "", "error 10: tar entry at byte 0: a link without a target\n"},
		{"a", '2', "../../etc", "symlink a 644 0:0 1000 -> ../../etc\n"},
		{"a/", '0', "", "error 10: tar entry at byte 0: a file whose name ends in '/'\n"},
		{"a/", 0, "", "dir a 644 0:0 1000\n"},
		{"a", '7', "", "file a 644 0:0 1000 0\n"},
		{"a", 'Z', "", "error 10: tar entry at byte 0: an entry of unknown type 90\n"},
		{"c", '3', "", "whiteout c 0 0:0 0\n"},
		{"./", '3', "",
			"error 10: tar entry at byte 0: the root can only be a directory\n"},
		{"V", 'V', "", ""},
		/* whiteouts */
		{"d/.wh.f", '0', "", "whiteout d/f 0 0:0 0\n"},
		{".wh.f", '5', "", "whiteout f 0 0:0 0\n"},
		{"d/.wh..wh..opq", '0', "", "opaque d 0 0:0 0\n"},
		{".wh..wh..opq", '0', "", "opaque . 0 0:0 0\n"},
		{".wh..wh.plnk/1.2", '0', "", ""},
		{".wh..wh.aufs", '0', "", ""},
		{".wh.", '0', "",
			"error 10: tar entry at byte 0: name \".wh.\": a whiteout of no plain "
			"name\n"},
		{"d/.wh..", '0', "",
			"error 10: tar entry at byte 0: name \"d/.wh..\": a whiteout of no plain "
			"name\n"},
		{"d/.wh...", '0', "",
			"error 10: tar entry at byte 0: name \"d/.wh...\": a whiteout of no plain "
			"name\n"},
		{".wh./x", '0', "",
			"error 10: tar entry at byte 0: name \".wh./x\": a whiteout cannot be a "
			"directory\n"},
		{".wh.d/x", '0', "",
			"error 10: tar entry at byte 0: name \".wh.d/x\": a whiteout cannot be a "
			"directory\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;
		buf_init(&b, 1 << 20);
		kit_raw(&b, cases[i].name, cases[i].type, cases[i].link, "", 0);
		kit_end(&b);
		int fd = kit_fd_of(b.data, b.len);
		assert_text(kit_list(fd), cases[i].want);
		close(fd);
		buf_clear(&b);
	}
}

/* An extended header with these records, then file "f". */
static char *list_with_pax(const char *const *records, size_t n, const char *data)
{
	struct buf b, body;
	char one[5000];
	buf_init(&b, 1 << 20);
	buf_init(&body, 1 << 20);
	for (size_t i = 0; i < n; i++)
		buf_adds(&body, kit_pax(one, records[2 * i], records[2 * i + 1]));
	kit_raw(&b, "pax", 'x', "", body.data, body.len);
	kit_raw(&b, "f", '0', "", data, strlen(data));
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	char *text = kit_list(fd);
	close(fd);
	buf_clear(&b);
	buf_clear(&body);
	return text;
}
#define PAX(data, ...)                                                                             \
	list_with_pax((const char *const[]){__VA_ARGS__},                                          \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) / 2, data)

static void pax_records(void **state)
{
	(void)state;
	assert_text(PAX("hi", "path", "g", "mtime", "-1.5", "uid", "7", "comment", "x"),
		"file g 644 7:0 -2 2 \"hi\"\n");
	assert_text(PAX("hi", "path", "a", "path", "b"), "file b 644 0:0 1000 2 \"hi\"\n");
	assert_text(PAX("hi", "path", "a", "path", ""), "file f 644 0:0 1000 2 \"hi\"\n");
	assert_text(PAX("hi", "size", "1"), "file f 644 0:0 1000 1 \"h\"\n");
	assert_text(PAX("hi", "size", "999999"),
		"error 10: tar entry at byte 0: unexpected end of the tar\n");
	assert_text(PAX("", "path", "../x"),
		"error 10: tar entry at byte 0: name \"../x\": leads out of the layer\n");
	assert_text(PAX("", "mtime", "x"),
		"error 10: tar entry at byte 0: extended header: malformed mtime\n");
	assert_text(PAX("", "uid", "4294967295"),
		"error 10: tar entry at byte 0: the uid is out of range\n");
	assert_text(
		PAX("", "SCHILY.xattr.user.a", "1", "SCHILY.xattr.user.a", "22",
			"SCHILY.xattr.trusted.overlay.redirect", "/../../canary",
			"SCHILY.xattr.user.overlay.metacopy", "", "SCHILY.xattr.security.selinux",
			"x", "SCHILY.xattr.security.capability", "cc"),
		"file f 644 0:0 1000 0 user.a=2 security.capability=2\n");
	assert_text(PAX("", "GNU.sparse.map", "0,1"),
		"error 10: tar entry at byte 0: a sparse file without a size\n");
	assert_text(
		PAX("hi", "GNU.sparse.map", "5,2", "GNU.sparse.size", "20", "GNU.sparse.name", "n"),
		"file n 644 0:0 1000 20\n");
	assert_text(PAX("hi", "GNU.sparse.map", "5,2,6,0", "GNU.sparse.size", "20"),
		"error 10: tar entry at byte 0: a sparse file whose map is wrong\n");
	assert_text(PAX("hi", "GNU.sparse.map", "5,2", "GNU.sparse.size", "6"),
		"error 10: tar entry at byte 0: a sparse file whose map is wrong\n");
	assert_text(PAX("hi", "GNU.sparse.offset", "5", "GNU.sparse.numbytes", "2",
			    "GNU.sparse.size", "20"),
		"file f 644 0:0 1000 20\n");
	assert_text(PAX("", "GNU.sparse.size", "99999999999999"),
		"error 12: tar entry at byte 0: a file of 99999999999999 bytes; the limit is "
		"68719476736\n");
}

static void malformed_tars(void **state)
{
	(void)state;
	char z[70000];
	memset(z, 'z', sizeof z);
	struct buf b;
	buf_init(&b, 4 << 20);

#define LISTS(want)                                                                                \
	do {                                                                                       \
		int fd = kit_fd_of(b.data, b.len);                                                 \
		assert_text(kit_list(fd), want);                                                   \
		close(fd);                                                                         \
		buf_reset(&b);                                                                     \
	} while (0)
	LISTS("");
	kit_end(&b);
	LISTS("");
	buf_add(&b, z, 600);
	LISTS("error 10: tar entry at byte 0: not a tar header\n");
	buf_add(&b, z, 100);
	LISTS("error 10: tar entry at byte 0: unexpected end of the tar\n");
	kit_raw(&b, "a", '0', "", z, 1000); /* no end blocks */
	LISTS("file a 644 0:0 1000 1000\n");
	kit_raw(&b, "a", '0', "", z, 1000);
	b.len = 512 + 1000; /* no padding */
	LISTS("file a 644 0:0 1000 1000\n");
	kit_raw(&b, "a", '0', "", z, 1000);
	b.len = 512 + 999;
	LISTS("error 10: tar entry at byte 0: unexpected end of the tar\n");
	kit_end(&b);
	b.len = 512; /* a lone zero block at the end */
	LISTS("");
	kit_end(&b);
	b.len = 512;
	kit_raw(&b, "a", '0', "", "", 0);
	LISTS("error 10: tar entry at byte 0: a lone zero block within the tar\n");
	kit_raw(&b, "a", '0', "", "", 0);
	kit_end(&b);
	buf_add(&b, z, 700); /* behind the end: ignored */
	LISTS("file a 644 0:0 1000 0\n");
	kit_raw(&b, "x", 'x', "", "30 path=abc\n", 12);
	LISTS("error 10: tar entry at byte 0: extended header: malformed record\n");
	kit_raw(&b, "x", 'x', "", "12 path=abc\n", 12);
	kit_end(&b);
	LISTS("error 10: tar entry at byte 0: an extended header without an entry\n");
	kit_raw(&b, "x", 'x', "", "12 path=abc\n", 12);
	kit_raw(&b, "x", 'x', "", "12 path=abc\n", 12);
	LISTS("error 10: tar entry at byte 0: two extended headers for one entry\n");
	kit_raw(&b, "x", 'x', "", "12 path=abc\n", 12);
	kit_raw(&b, "L", 'L', "", "abd", 4);
	kit_raw(&b, "a", '0', "", "", 0);
	LISTS("error 10: tar entry at byte 0: an entry that is named twice\n");
	kit_raw(&b, "L", 'L', "", "long", 5);
	kit_raw(&b, "K", 'K', "", "target", 7);
	kit_raw(&b, "a", '2', "short", "", 0);
	kit_raw(&b, "b", '2', "short", "", 0);
	LISTS("symlink long 644 0:0 1000 -> target\nsymlink b 644 0:0 1000 -> short\n");
	kit_raw(&b, "g", 'g', "", "12 path=abc\n", 12);
	kit_raw(&b, "a", '0', "", "", 0);
	LISTS("file a 644 0:0 1000 0\n");
	/* A hard link's size is a hint, not content. */
	kit_raw(&b, "a", '0', "", "", 0);
	kit_raw(&b, "b", '1', "a", "", 0);
	memcpy(b.data + 512 + 124, "00000001000", 12);
	unsigned sum = 0;
	memset(b.data + 512 + 148, ' ', 8);
	for (size_t i = 512; i < 1024; i++)
		sum += (unsigned char)b.data[i];
	snprintf(b.data + 512 + 148, 8, "%06o", sum);
	LISTS("file a 644 0:0 1000 0\nlink b 644 0:0 1000 -> a\n");
	/* An attribute past the limit; a header past its limit. */
	buf_adds(&b, "");
	char *rec = mem_printf("70026 SCHILY.xattr.user.x=%.*s\n", 69999, z);
	kit_raw(&b, "x", 'x', "", rec, strlen(rec));
	kit_raw(&b, "a", '0', "", "", 0);
	free(rec);
	LISTS("error 12: tar entry at byte 0: an extended attribute of 69999 bytes; the limit is "
	      "65536\n");
	char *big = mem_array(1100000, 1);
	kit_raw(&b, "x", 'x', "", big, 1100000);
	free(big);
	LISTS("error 12: tar entry at byte 0: an extended header of 1100000 bytes; the limit is "
	      "1048576\n");
	buf_clear(&b);
}

static void many_entries_in_any_order(void **state)
{
	(void)state;
	struct layer_list *a = layer_list_new(), *b = layer_list_new();
	char path[64];
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 5000; i++) {
			int k = pass ? (i * 1237) % 5000 : i;
			snprintf(path, sizeof path, "dir%d/file-%d", k % 50, k);
			struct layer_entry e = FILE_(path, path);
			layer_list_add(pass ? b : a, &e);
		}
	}
	int fa = kit_memfd(), fb = kit_memfd();
	assert_ok(layer_list_write(a, kit_writer(&fa), err));
	assert_ok(layer_list_write(b, kit_writer(&fb), err));
	char *ta = kit_list(fa);
	assert_text(kit_list(fb), ta);
	assert_int_equal(kit_size(fa), kit_size(fb));
	free(ta);
	close(fa);
	close(fb);
	layer_list_free(a);
	layer_list_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_and_reads_every_type),
		cmocka_unit_test(long_names),
		cmocka_unit_test(refuses_what_tar_cannot_say),
		cmocka_unit_test(content_from_paths_is_checked),
		cmocka_unit_test(sparse_files_are_written_in_full),
		cmocka_unit_test(list_sorts_and_replaces),
		cmocka_unit_test(list_keeps_links_of_a_replaced_file),
		cmocka_unit_test(names_are_cleaned_or_refused),
		cmocka_unit_test(pax_records),
		cmocka_unit_test(malformed_tars),
		cmocka_unit_test(many_entries_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

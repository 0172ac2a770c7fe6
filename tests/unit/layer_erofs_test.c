// SPDX-License-Identifier: Apache-2.0
/*
 * EROFS images of single features, mounted: each shows what the unpacked layers show. Needs root
 * and a kernel that mounts them from files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/erofs/erofs.h"
#include "store/tree/tree.h"
#include "tests/unit/erofs_random.h"

/* A stack of one layer of these entries; names in it. */
static size_t alone(struct world *w, const struct layer_entry *e, size_t n)
{
	struct stack s = {0};
	stack_add(w, &s, kit_tar(e, n));
	return stack_finish(w, &s);
}
#define ALONE(w, ...)                                                                              \
	alone(w, (const struct layer_entry[]){__VA_ARGS__},                                        \
		sizeof((const struct layer_entry[]){__VA_ARGS__}) / sizeof(struct layer_entry))

/* --- what one layer has ---------------------------------------------------------------------- */

static void test_empty(void **state)
{
	NEEDS_EROFS((struct world *)*state);
	assert_int_equal(alone(*state, NULL, 0), 0);
	assert_int_equal(ALONE(*state, {.type = LAYER_DIR,
					       .path = "",
					       .mode = 01711,
					       .uid = 5,
					       .gid = 6,
					       .mtime = -7}),
		0);
}

static void test_names(void **state)
{
	static const char *const first[] = {"!", "#a", "+", ",", "-", "-rf", ".-", ".!", "...",
		"..a", ".a", ". ", "..\x01", "\x01", "\xff", "/", "0", "A", "a", "\xc3\xa9", "a b",
		"a\nb", "a\\b", "a\"b"};
	char longest[4][256];
	struct layer_entry e[64];
	size_t n = 0;
	NEEDS_EROFS((struct world *)*state);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		if (*first[i] != '/')
			e[n++] = (struct layer_entry)FILE_(first[i], first[i]);
	/* Blocks that are filled to the last byte: 12 and 255 twice do not fit. */
	for (size_t i = 0; i < 4; i++) {
		memset(longest[i], (int)('a' + i), 255);
		longest[i][255 - i] = 0;
		e[n++] = (struct layer_entry)FILE_(longest[i], "x");
	}
	assert_int_equal(alone(*state, e, n), n);
}

/* All sizes of a directory around what fits in its inode's block and in one block. */
static void test_dir_sizes(void **state)
{
	char name[60][64];
	struct layer_entry e[61];
	NEEDS_EROFS((struct world *)*state);
	for (size_t len = 1; len < 64; len += 7) {
		for (size_t n = 0; n < 45; n += n < 10 ? 1 : 3) {
			e[0] = (struct layer_entry)DIR_("d");
			for (size_t i = 0; i < n; i++) {
				memset(name[i], 'x', sizeof name[i]);
				memcpy(name[i], "d/", 2);
				name[i][2] = (char)('A' + i);
				name[i][2 + len < 63 ? 2 + len : 63] = 0;
				e[1 + i] = (struct layer_entry)FILE_(name[i], "");
			}
			assert_int_equal(alone(*state, e, n + 1), n + 1);
		}
	}
}

/* Too many to unpack: the mounted directory is compared with the names. More sub-directories and
 * more links than a compact inode counts. */
static void test_many_names(void **state)
{
	enum { MANY = 120000, DIRS = 70000, LINKS = 66000 };
	struct world *w = *state;
	struct stat st;
	char name[32];
	int listed = 0;
	NEEDS_EROFS(w);
	struct layer_tree *t = layer_tree_new();
	int tar = kit_memfd();
	struct buf b;
	buf_init(&b, 256 << 20);
	kit_raw(&b, "file", '0', "", "x", 1);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "d/%x", i * 7919);
		kit_raw(&b, name, i < DIRS ? '5' : '0', "", "", 0);
	}
	for (int i = 0; i < LINKS; i++) {
		snprintf(name, sizeof name, "h/%x", i);
		kit_raw(&b, name, '1', "file", "", 0);
	}
	kit_end(&b);
	assert_int_equal(fs_write_all(tar, b.data, b.len), 0);
	buf_clear(&b);
	assert_ok(layer_tree_apply(t, tar, err));
	int at = kit_mount_tree(w, t);
	for (int i = 0; i < MANY; i += 37) {
		snprintf(name, sizeof name, "d/%x", i * 7919);
		assert_int_equal(fstatat(at, name, &st, 0), 0);
		assert_int_equal(S_ISDIR(st.st_mode), i < DIRS);
		snprintf(name, sizeof name, "d/%xz", i * 7919);
		assert_int_equal(fstatat(at, name, &st, 0), -1);
	}
	assert_int_equal(fstatat(at, "d", &st, 0), 0);
	assert_int_equal(st.st_nlink, DIRS + 2);
	assert_int_equal(fstatat(at, "h/ffff", &st, 0), 0);
	assert_int_equal(st.st_nlink, LINKS + 1);
	assert_int_equal(st.st_size, 1);
	DIR *h = fdopendir(openat(at, "d", O_RDONLY | O_DIRECTORY));
	while (readdir(h))
		listed++;
	assert_int_equal(listed, MANY + 2);
	closedir(h);
	close(at);
	layer_tree_free(t);
}

static void test_symlinks(void **state)
{
	static const size_t lengths[] = {1, 2, 415, 416, 417, 447, 448, 449, 479, 480, 481, 511,
		512, 513, 1023, 1024, 1025, 2000, 4094, 4095};
	NEEDS_EROFS((struct world *)*state);
	char *target = mem_array(5000, 1);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		memset(target, 'y', lengths[i]);
		target[lengths[i]] = 0;
		/* Compact and extended inodes, at several places of their block. */
		ALONE(*state, LINK_("a", target),
			{.path = "b", .type = LAYER_SYMLINK, .link = target, .mtime = 5},
			LINK_("c", "x"), LINK_("d", target), FILE_("e", "1"), LINK_("f", target),
			HARD_("g", "a"),
			{.path = "h", .type = LAYER_SYMLINK, .link = target, .uid = 70000});
	}
	free(target);
}

static void test_special(void **state)
{
	NEEDS_EROFS((struct world *)*state);
#define DEV(p, t, a, b)                                                                            \
	{.path = p, .type = t, .mode = 0660, .dev_major = a, .dev_minor = b, .mtime = 9}
	size_t n = ALONE(*state, DEV("null", LAYER_CHAR, 1, 3), DEV("b00", LAYER_BLOCK, 0, 0),
		DEV("big", LAYER_CHAR, 4095, 1048575), DEV("c1", LAYER_CHAR, 0, 1),
		DEV("s", LAYER_BLOCK, 8, 300), {.path = "fifo", .type = LAYER_FIFO, .mode = 0622},
		HARD_("fifo2", "fifo"), HARD_("null2", "null"));
	assert_int_equal(n, 8);
}

static void test_modes_and_ids(void **state)
{
	struct layer_entry e[80];
	char name[80][8];
	static const uint32_t ids[] = {0, 1, 65534, 65535, 65536, 4294967294};
	size_t n = 0;
	NEEDS_EROFS((struct world *)*state);
	for (uint32_t bits = 0; bits < 8; bits++)
		for (int dir = 0; dir < 2; dir++, n++) {
			snprintf(name[n], 8, "m%zu", n);
			e[n] = (struct layer_entry){.path = name[n],
				.type = dir ? LAYER_DIR : LAYER_FILE,
				.mode = bits << 9 | 0751,
				.uid = bits,
				.gid = 1};
		}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		for (size_t k = 0; k < ARRAY_LEN(ids); k++, n++) {
			snprintf(name[n], 8, "i%zu", n);
			e[n] = (struct layer_entry){
				.path = name[n], .type = LAYER_FILE, .uid = ids[i], .gid = ids[k]};
		}
	assert_int_equal(alone(*state, e, n), n);
}

static void test_times(void **state)
{
	static const int64_t times[] = {0, 1, -1, 1700000000, 1700000000, 2147483647, 2147483648,
		4294967295, 4294967296, -2147483649, 253402300799, -62135596800, 17179869184};
	struct layer_entry e[ARRAY_LEN(times)];
	char name[ARRAY_LEN(times)][8];
	NEEDS_EROFS((struct world *)*state);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		snprintf(name[i], 8, "t%zu", i);
		e[i] = (struct layer_entry){
			.path = name[i], .type = i % 3 ? LAYER_FILE : LAYER_DIR, .mtime = times[i]};
	}
	assert_int_equal(alone(*state, e, ARRAY_LEN(times)), ARRAY_LEN(times));
}

static void test_attributes(void **state)
{
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 4};
	static char big[60000], name[17][256];
	struct layer_xattr x[32], many[17];
	NEEDS_EROFS((struct world *)*state);
	memset(big, 'v', sizeof big);
	struct layer_entry e[32];
	static const size_t sizes[] = {
		0, 1, 2, 3, 4, 5, 400, 440, 470, 500, 511, 512, 1000, 4096, 60000};
	size_t n = 0;
	for (; n < ARRAY_LEN(sizes); n++) {
		snprintf(name[n], sizeof name[n], "n%zu", n);
		x[n] = (struct layer_xattr){"user.a", big, sizes[n]};
		e[n] = (struct layer_entry){.path = name[n],
			.type = n % 2 ? LAYER_DIR : LAYER_FILE,
			.mode = 0700,
			.xattrs = &x[n],
			.nxattrs = 1};
	}
	e[n++] = (struct layer_entry){.path = "caps",
		.type = LAYER_FILE,
		.mode = 04755,
		.nxattrs = 1,
		.xattrs = &(struct layer_xattr){"security.capability", caps, sizeof caps}};
	char longest[256] = "user.";
	memset(longest + 5, 'n', 250);
	e[n++] = (struct layer_entry){.path = "longest",
		.type = LAYER_FILE,
		.nxattrs = 1,
		.xattrs = &(struct layer_xattr){longest, "v", 1}};
	char names[17][24];
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		snprintf(names[i], sizeof names[i], "user.many.%zu", i);
		many[i] = (struct layer_xattr){names[i], big, 100 * i};
	}
	e[n++] = (struct layer_entry){
		.path = "many", .type = LAYER_DIR, .mode = 0755, .xattrs = many, .nxattrs = 17};
	e[n++] = (struct layer_entry)FILE_("many/below", "x");
	assert_int_equal(alone(*state, e, n), n);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 1023, 1024, 4095, 4096, 4097, 100000};
	static char text[100000];
	struct layer_entry e[ARRAY_LEN(sizes)];
	char name[ARRAY_LEN(sizes)][8];
	NEEDS_EROFS((struct world *)*state);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 31 + i / 251);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		snprintf(name[i], 8, "s%zu", i);
		e[i] = (struct layer_entry){.path = name[i],
			.type = LAYER_FILE,
			.mode = 0644,
			.size = sizes[i],
			.source = LAYER_DATA_MEM,
			.mem = text};
	}
	assert_int_equal(alone(*state, e, ARRAY_LEN(sizes)), ARRAY_LEN(sizes));
}

/* A member of more than 4 GiB, in a tar that is mostly a hole. */
static void test_large_file(void **state)
{
	struct world *w = *state;
	const uint64_t size = (5ull << 30) + 77;
	char pax[5000], number[32], got[8] = {0};
	struct stat st;
	NEEDS_EROFS(w);
	int tar = kit_erofs_file(w);
	struct buf b;
	buf_init(&b, 1 << 20);
	snprintf(number, sizeof number, "%llu", (unsigned long long)size);
	kit_pax(pax, "size", number);
	kit_raw(&b, "x", 'x', "", pax, strlen(pax));
	kit_raw(&b, "large", '0', "", "", 0);
	assert_int_equal(fs_write_all(tar, b.data, b.len), 0);
	assert_int_equal(pwrite(tar, "tail", 4, (off_t)(b.len + size - 4)), 4);
	assert_int_equal(ftruncate(tar, (off_t)((b.len + size + 511) / 512 * 512 + 1024)), 0);
	buf_clear(&b);
	int at = kit_mount_layer(w, tar, NULL);
	int fd = openat(at, "large", O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(pread(fd, got, sizeof got, (off_t)size - 4), 4);
	assert_string_equal(got, "tail");
	assert_int_equal(pread(fd, got, 4, 4ll << 30), 4);
	assert_string_equal(got, "");
	close(fd);
	close(at);
	close(tar);
}

static void test_sparse(void **state)
{
	char name[32];
	NEEDS_EROFS((struct world *)*state);
	struct random_layers *r = mem_alloc(sizeof *r);
	random_start(r, 5);
	for (int round = 0; round < 8; round++) {
		struct stack s = {0};
		struct buf b;
		buf_init(&b, 64 << 20);
		for (int i = 0; i < 40; i++) {
			snprintf(name, sizeof name, "s%d", i);
			random_sparse(r, &b, name);
		}
		kit_end(&b);
		stack_add(*state, &s, kit_fd_of(b.data, b.len));
		assert_int_equal(stack_finish(*state, &s), 40);
		buf_clear(&b);
	}
	free(r);
}

/* --- stacks ---------------------------------------------------------------------------------- */

/* Holes that the writer found: each file shows what the unpacked one shows. */
static void test_holes(void **state)
{
	NEEDS_EROFS((struct world *)*state);
	const size_t unit = (size_t)LAYER_HOLE, size = 6 * unit + 700;
	unsigned char *p = mem_array(size, 1);
	struct layer_entry e[4];

	p[unit] = p[4 * unit - 1] = 1; /* hole, two pieces, hole with a tail */
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"one", "all", "tail", "exact"};
		e[i] = (struct layer_entry){.path = names[i],
			.type = LAYER_FILE,
			.mode = 0644,
			.size = i == 3   ? 6 * unit
				: i == 1 ? unit
					 : size,
			.source = LAYER_DATA_MEM,
			.mem = p};
	}
	unsigned char *q = mem_dup(p, size);
	q[size - 1] = 2;
	e[2].mem = q;
	assert_int_equal(alone(*state, e, 4), 4);
	struct stack s = {0};
	stack_add(*state, &s, kit_tar(e, 4));
	stack_add(*state, &s, KIT_TAR(HARD_("again", "one"), HARD_("all2", "all")));
	assert_int_equal(stack_finish(*state, &s), 6);
	free(p);
	free(q);
}

static void test_links_across(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(DIR_("d"), FILE_("d/f", "hello"), LINK_("l", "d/f"), HARD_("h", "d/f"),
			HARD_("hl", "l")));
	stack_add(w, &s,
		KIT_TAR(WH_("d/f"), FILE_("d/g", "x"), HARD_("k", "h"), HARD_("k2", "h"),
			HARD_("k3", "k")));
	stack_add(w, &s, KIT_TAR(HARD_("d/z", "k3"), FILE_("h", "other")));
	assert_int_equal(stack_finish(w, &s), 9);
}

static void test_whiteouts(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(FILE_("a/b/c", "1"), FILE_("a/b/d", "2"), FILE_("a/f", "3"),
			FILE_("e/x", "4"), FILE_("gone", "5"), FILE_("back", "6"), FILE_("t", "7"),
			DIR_("empty")));
	stack_add(w, &s,
		KIT_TAR(WH_("a/b"), WH_("gone"), WH_("never"), WH_("e/never"), WH_("back"),
			FILE_("back", "new"), WH_("empty"), DIR_("empty"), FILE_("empty/in", "8"),
			DIR_("t"), FILE_("t/u", "9")));
	stack_add(w, &s, KIT_TAR(DIR_("a/b"), FILE_("a/b/new", "10"), WH_("t"), FILE_("e", "11")));
	stack_add(
		w, &s, KIT_TAR(FILE_("t/again", "12"), WH_("e"), DIR_("e"), FILE_("e/dir", "13")));
	assert_int_equal(stack_finish(w, &s), 11);
}

static void test_opaque(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(FILE_("a/b/c", "1"), FILE_("a/x", "2"), FILE_("r/f", "3"),
			FILE_("top", "4")));
	stack_add(w, &s,
		KIT_TAR(FILE_("a/b/d", "5"), OPQ_("a"), FILE_("a/y", "6"), OPQ_("r"),
			OPQ_("none")));
	stack_add(w, &s, KIT_TAR(FILE_("a/x", "7"), FILE_("r/g", "8")));
	assert_int_equal(stack_finish(w, &s), 8);
}

static void test_opaque_root(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(FILE_("a/b", "1"), FILE_("c", "2"), FILE_("d/e", "3"), FILE_("f", "4")));
	stack_add(w, &s, KIT_TAR(FILE_("a/x", "5"), FILE_("c", "6"), OPQ_(""), FILE_("f/g", "7")));
	assert_int_equal(stack_finish(w, &s), 5);
}

static void test_through_symlinks(void **state)
{
	struct world *w = *state;
	struct stack s = {0};
	NEEDS_EROFS(w);
	stack_add(w, &s,
		KIT_TAR(DIR_("usr/lib"), LINK_("lib", "usr/lib"), FILE_("lib/one", "1"),
			LINK_("out", "../../x")));
	stack_add(w, &s,
		KIT_TAR(FILE_("lib/two", "2"), WH_("lib/one"), FILE_("out/y/z", "3"),
			HARD_("h", "lib/two")));
	assert_int_equal(stack_finish(w, &s), 9);
}

/* As many tars in one index as an overlay takes lowers. */
static void test_many_tars(void **state)
{
	enum { MANY = 500 };
	struct world *w = *state;
	char name[2][32], got[32];
	NEEDS_EROFS(w);
	struct layer_tree *t = layer_tree_new();
	for (int i = 0; i < MANY; i++) {
		snprintf(name[0], sizeof name[0], "d/f%d", i);
		snprintf(name[1], sizeof name[1], "d/f%d", i - 7);
		assert_ok(layer_tree_apply(t,
			KIT_TAR(FILE_(name[0], name[0]), FILE_("same", name[0]), WH_(name[1])),
			err));
	}
	int at = kit_mount_tree(w, t);
	for (int i = MANY - 7; i <= MANY; i++) {
		snprintf(name[0], sizeof name[0], i < MANY ? "d/f%d" : "same", i);
		snprintf(name[1], sizeof name[1], "d/f%d", i < MANY ? i : MANY - 1);
		int fd = openat(at, name[0], O_RDONLY);
		assert_true(fd >= 0);
		memset(got, 0, sizeof got);
		assert_int_equal(read(fd, got, sizeof got), strlen(name[1]));
		assert_string_equal(got, name[1]);
		close(fd);
	}
	close(at);
	layer_tree_free(t);
}

/* --- what is refused, and that bytes are the same ------------------------------------------- */

static int to_nowhere(void *ctx, const void *p, size_t n, struct err **err)
{
	(void)p;
	(void)err;
	*(uint64_t *)ctx += n;
	return 0;
}

static void assert_refused(int take_tar, const char *part)
{
	struct layer_erofs_made m = {0};
	uint64_t bytes = 0;
	struct io_writer out = {.write = to_nowhere, .ctx = &bytes};
	assert_fails(layer_erofs_layer(take_tar, NULL, NULL, out, &m, err), ERR_UNSUPPORTED, part);
	assert_null(m.fds);
	close(take_tar);
}

static void test_refused(void **state)
{
	static char long_name[300], long_attr[300] = "user.", value[65536];
	char map[600];
	(void)state;
	memset(long_name, 'n', 256);
	assert_refused(KIT_TAR(FILE_(long_name, "")), "255");
	memset(long_attr + 5, 'n', 251);
	struct layer_xattr x = {long_attr, "v", 1};
	assert_refused(KIT_TAR({.path = "f", .type = LAYER_FILE, .xattrs = &x, .nxattrs = 1}),
		"attribute");
	x = (struct layer_xattr){"user.big", value, sizeof value};
	assert_refused(KIT_TAR({.path = "f", .type = LAYER_FILE, .xattrs = &x, .nxattrs = 1}),
		"too large");
	struct layer_xattr many[5];
	char names[5][24];
	for (int i = 0; i < 5; i++) {
		snprintf(names[i], sizeof names[i], "user.%d", i);
		many[i] = (struct layer_xattr){names[i], value, 60000};
	}
	assert_refused(KIT_TAR({.path = "f", .type = LAYER_DIR, .xattrs = many, .nxattrs = 5}),
		"too large");

	/* The last block of the last file is not complete. */
	struct buf b;
	buf_init(&b, 1 << 20);
	kit_raw(&b, "f", '0', "", "hello", 5);
	assert_refused(kit_fd_of(b.data, b.len - 500), "last block");
	buf_reset(&b);
	snprintf(map, sizeof map, "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n");
	char pax[5000];
	strcat(map, kit_pax(pax, "GNU.sparse.realsize", "60000000000"));
	strcat(map, kit_pax(pax, "GNU.sparse.name", "f"));
	kit_raw(&b, "x", 'x', "", map, strlen(map));
	char content[1024] = "1\n59000000512\n512\n";
	kit_raw(&b, "f", '0', "", content, sizeof content);
	assert_refused(kit_fd_of(b.data, b.len), "pieces");
	buf_clear(&b);
}

static void test_deterministic(void **state)
{
	struct sha256 sum;
	struct digest first = {0}, second;
	(void)state;
	for (int round = 0; round < 2; round++) {
		int tar = KIT_TAR(FILE_("a/b", "x"), HARD_("c", "a/b"), LINK_("l", "q"), DIR_("z"));
		/* Other descriptors, other addresses: the same bytes. */
		int moved = fcntl(tar, F_DUPFD_CLOEXEC, 100 + 50 * round);
		struct layer_erofs_made m = {0};
		int fd = kit_memfd();
		static char bytes[1 << 16];
		assert_ok(layer_erofs_layer(moved, NULL, NULL, kit_writer(&fd), &m, err));
		assert_int_equal(m.nfds, 1);
		assert_int_equal(m.fds[0], moved);
		assert_int_equal(m.size, kit_size(fd));
		assert_int_equal(fs_pread_all(fd, bytes, (size_t)m.size, 0), 0);
		sha256_init(&sum);
		sha256_update(&sum, bytes, (size_t)m.size);
		sha256_final(&sum, round ? &second : &first);
		layer_erofs_made_clear(&m);
		close(fd);
		close(tar);
		close(moved);
	}
	assert_true(sha256_equal(&first, &second));
}

/* Tars that no visible file is in are no devices. */
static void test_devices(void **state)
{
	struct layer_erofs_made m = {0};
	struct layer_tree *t = layer_tree_new();
	uint64_t bytes = 0;
	struct io_writer out = {.write = to_nowhere, .ctx = &bytes};
	(void)state;
	assert_ok(layer_tree_apply(t, KIT_TAR(FILE_("a", "1")), err));
	assert_ok(layer_tree_apply(t, KIT_TAR(WH_("a"), FILE_("b", "2")), err));
	assert_ok(layer_tree_apply(t, KIT_TAR(FILE_("c", ""), DIR_("d")), err));
	assert_ok(layer_erofs_tree(t, out, &m, err));
	assert_int_equal(m.nfds, 1);
	assert_int_equal(m.size, bytes);
	layer_erofs_made_clear(&m);

	/* A hard link to a file of a lower layer: two tars for one layer. */
	int tar = KIT_TAR(HARD_("h", "b"), FILE_("own", "3"));
	assert_ok(layer_erofs_layer(tar, t, NULL, out, &m, err));
	assert_int_equal(m.nfds, 2);
	assert_int_equal(m.fds[0], tar);
	layer_erofs_made_clear(&m);
	close(tar);
	layer_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_dir_sizes),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_symlinks),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_modes_and_ids),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_links_across),
		cmocka_unit_test(test_whiteouts),
		cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_opaque_root),
		cmocka_unit_test(test_through_symlinks),
		cmocka_unit_test(test_many_tars),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_devices),
	};
	return cmocka_run_group_tests(tests, world_up, world_down);
}

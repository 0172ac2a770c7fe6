// SPDX-License-Identifier: Apache-2.0
/*
 * Holes of files in layers: found by content, written as pax GNU sparse 1.0, and nothing else of a
 * layer changes.
 */
#include "tests/unit/layer_kit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "store/tar/holes.h"
#include "store/tar/entry.h"
#include "store/tar/retime.h"
#include "store/tar/walk.h"
#include "store/tar/write.h"

#define UNIT ((size_t)LAYER_HOLE)

/* A file of text: each letter one byte at the beginning of a LAYER_HOLE, '.' zeros, '>' a byte at
 * its end; then `tail` bytes of which the last is not zero with `end`. */
struct shape {
	const char *units;
	size_t tail;
	bool end;
	const char *map; /* "off+len ..." in LAYER_HOLE, "" one hole, NULL: not sparse */
};

static const struct shape shapes[] = {
	{"", 0, false, NULL},
	{"", UNIT - 1, false, NULL},
	{".", 0, false, ""},
	{"..", 0, false, ""},
	{".", 1, false, ""},
	{".", 1, true, "1+0.1"},
	{"a", 0, false, NULL},
	{"a", UNIT - 1, false, NULL},
	{">", 0, false, NULL},
	{"aaa", 77, true, NULL},
	{".a", 0, false, "1+1"},
	{"a.", 0, false, "0+1"},
	{"a..>", 5, true, "0+1 3+1.5"},
	{"..a..>>..", UNIT - 1, false, "2+1 5+2"},
	{".a.a.a", 9, true, "1+1 3+1 5+1.9"},
};

static size_t shape_size(const struct shape *s)
{
	return strlen(s->units) * UNIT + s->tail;
}

static unsigned char *shape_bytes(const struct shape *s)
{
	unsigned char *p = mem_array(shape_size(s) + 1, 1);
	for (size_t i = 0; s->units[i]; i++) {
		if (s->units[i] == '>')
			p[(i + 1) * UNIT - 1] = 1;
		else if (s->units[i] != '.')
			p[i * UNIT] = (unsigned char)s->units[i];
	}
	if (s->end)
		p[shape_size(s) - 1] = 'e';
	return p;
}

/* The map as shapes have it; NULL: none. Owned. */
static char *map_text(const struct layer_map *m)
{
	struct buf b;
	if (!m->sparse)
		return NULL;
	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = 0; i < m->n; i++) {
		buf_addf(&b, "%s%zu+%zu", i ? " " : "", (size_t)m->v[i].off / UNIT,
			(size_t)m->v[i].len / UNIT);
		if (m->v[i].len % UNIT)
			buf_addf(&b, ".%zu", (size_t)m->v[i].len % UNIT);
	}
	return buf_take(&b);
}

static void assert_map(const struct layer_entry *e, int fd, const char *want)
{
	struct layer_map m;
	assert_ok(layer_map_find(e, fd, &m, err));
	char *got = map_text(&m);
	if (want)
		assert_text(got, want);
	else
		assert_null(got);
	layer_map_clear(&m);
}

/* The next byte from `i` on that is not zero: they stand at the ends of a LAYER_HOLE, or at the
 * end.
 */
static size_t next_byte(const unsigned char *p, size_t i, size_t size)
{
	while (i < size && !p[i]) {
		size_t last = i / UNIT * UNIT + UNIT - 1;
		last = last < size ? last : size - 1;
		i = i == last ? i + 1 : last;
	}
	return i;
}

/* Forms in which the same file comes to the writer. */
enum form { MEM, FD, FD_SPARSE, FD_AT, PATH, EXTENTS, FORMS };

static struct layer_entry entry_in(
	enum form form, const struct shape *s, const unsigned char *p, int fd, const char *name)
{
	static struct layer_extent x[64];
	size_t size = shape_size(s), n = 0;
	struct layer_entry e = {.path = "d/f",
		.type = LAYER_FILE,
		.mode = 0644,
		.size = size,
		.fd = fd,
		.source = size ? LAYER_DATA_FD : LAYER_NO_DATA};
	switch (form) {
	case MEM:
		e.source = size ? LAYER_DATA_MEM : LAYER_NO_DATA;
		e.mem = p;
		break;
	case FD_AT:
		assert_int_equal(pwrite(fd, "xyz", 3, 0), 3);
		assert_int_equal(pwrite(fd, p, size, 3), size);
		e.data_off = 3;
		break;
	case FD_SPARSE:
		for (size_t i = 0; (i = next_byte(p, i, size)) < size; i++)
			assert_int_equal(pwrite(fd, p + i, 1, (off_t)i), 1);
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		break;
	case PATH:
		e.source = LAYER_DATA_PATH;
		e.src_path = name;
		e.fd = AT_FDCWD;
		__attribute__((fallthrough));
	case FD:
		assert_int_equal(pwrite(fd, p, size, 0), size);
		break;
	case EXTENTS: /* pieces of one byte, backwards in the source */
		for (size_t i = 0; (i = next_byte(p, i, size)) < size; i++, n++) {
			x[n] = (struct layer_extent){i, 1, 63 - n};
			assert_int_equal(pwrite(fd, p + i, 1, (off_t)x[n].data), 1);
		}
		e.extents = x;
		e.nextents = n;
		break;
	case FORMS:
		break;
	}
	return e;
}

/* The tar of one file, and what was learnt of its content. */
static int tar_of(struct layer_entry e, struct digest *learnt)
{
	int fd = kit_memfd();
	struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	e.learn = learnt;
	assert_ok(layer_writer_add(w, &e, err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	return fd;
}

static void sha_fd(int fd, struct digest *out)
{
	uint64_t n = kit_size(fd);
	void *p = mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	sha256_of(p, (size_t)n, out);
	munmap(p, (size_t)n);
}

/* The file that a tar gives back is this one. */
static void assert_content(int tar, const unsigned char *want, size_t size)
{
	const struct layer_entry *e;
	struct layer_walk *w = layer_walk_new(tar, kit_size(tar));
	int rc = 0;
	assert_ok(rc = layer_walk_next(w, &e, err));
	assert_int_equal(rc, 1);
	assert_string_equal(e->path, "d/f");
	assert_int_equal(e->size, size);
	unsigned char *got = mem_array(size + 1, 1);
	struct layer_extent whole = {.len = size, .data = e->data_off};
	const struct layer_extent *x = e->extents ? e->extents : &whole;
	for (size_t i = 0; i < (e->extents ? e->nextents : size > 0); i++)
		assert_int_equal(
			fs_pread_all(e->fd, got + x[i].off, (size_t)x[i].len, x[i].data), 0);
	assert_memory_equal(got, want, size);
	free(got);
	assert_ok(rc = layer_walk_next(w, &e, err));
	assert_int_equal(rc, 0);
	layer_walk_free(w);
}

static void holes_are_a_matter_of_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *s = &shapes[i];
		unsigned char *p = shape_bytes(s);
		struct digest first, want;
		sha256_of(p, shape_size(s), &want);
		for (enum form form = MEM; form < FORMS; form++) {
			char name[] = "/var/tmp/layer_holes.XXXXXX";
			if (form == PATH && !shape_size(s))
				continue; /* an empty file has no source */
			int fd = form == PATH ? mkstemp(name) : kit_memfd();
			struct digest learnt, d;
			assert_true(fd >= 0);
			struct layer_entry e = entry_in(form, s, p, fd, name + 1);
			int root = open("/", O_PATH);
			if (form == PATH)
				e.fd = root;
			assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
			if (form != PATH)
				assert_map(&e, -1, s->map);
			int tar = tar_of(e, &learnt);
			assert_int_equal(lseek(fd, 0, SEEK_CUR), 1);
			assert_content(tar, p, shape_size(s));
			if (shape_size(s))
				assert_memory_equal(&learnt, &want, sizeof want);
			sha_fd(tar, &d);
			if (form == MEM)
				first = d;
			assert_memory_equal(&d, &first, sizeof d);
			close(tar);
			close(root);
			close(fd);
			if (form == PATH)
				unlink(name);
		}
		free(p);
	}
}

/* Tars as they were before holes were found: header, content, padding, two blocks. */
static void other_layers_are_what_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *s = &shapes[i];
		size_t size = shape_size(s), padded = (size + 511) / 512 * 512;
		unsigned char *p = shape_bytes(s), *q = mem_array(padded + 1, 1);
		struct layer_entry e = entry_in(MEM, s, p, -1, NULL);
		int fd = kit_memfd();
		struct layer_writer *w = layer_writer_new(kit_writer(&fd));
		layer_writer_in_full(w);
		assert_ok(layer_writer_add(w, &e, err));
		assert_ok(layer_writer_finish(w, err));
		layer_writer_free(w);
		assert_int_equal(kit_size(fd), 512 + padded + 1024);
		assert_int_equal(fs_pread_all(fd, q, padded, 512), 0);
		assert_memory_equal(p, q, size);
		int tar = tar_of(e, NULL);
		struct digest a, b;
		sha_fd(fd, &a);
		sha_fd(tar, &b);
		assert_int_equal(memcmp(&a, &b, sizeof a) == 0, s->map == NULL);
		close(tar);
		close(fd);
		free(p);
		free(q);
	}
}

/* The bytes, field by field: they are a diff ID. */
static void a_sparse_file_in_a_tar(void **state)
{
	(void)state;
	static const struct shape s = {"a.", 0, false, NULL};
	unsigned char *p = shape_bytes(&s);
	struct layer_entry e = entry_in(MEM, &s, p, -1, NULL);
	int tar = tar_of(e, NULL);
	char b[2048], want[512] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
				  "23 GNU.sparse.name=d/f\n31 GNU.sparse.realsize=2097152\n";
	char map[512] = "2\n0\n1048576\n2097152\n0\n";

	assert_int_equal(kit_size(tar), 2048 + UNIT + 1024);
	assert_int_equal(fs_pread_all(tar, b, sizeof b, 0), 0);
	assert_string_equal(b, "././@PaxHeader");
	assert_int_equal(b[156], 'x');
	assert_memory_equal(b + 512, want, 512);
	assert_string_equal(b + 1024, "d/GNUSparseFile.0/f");
	assert_string_equal(b + 1024 + 124, "00004001000"); /* LAYER_HOLE and the map */
	assert_int_equal(b[1024 + 156], '0');
	assert_memory_equal(b + 1536, map, 512);
	close(tar);
	free(p);
}

/* Everything else that a header can need a record for, and names that ustar cannot hold. */
static void sparse_files_with_records(void **state)
{
	(void)state;
	static const struct shape s = {".a", 0, false, NULL};
	static const struct layer_xattr x[] = {{"user.k", "v", 1}};
	unsigned char *p = shape_bytes(&s);
	char name[301];
	memset(name, 'n', 250);
	name[120] = '/';
	name[250] = 0;
	struct layer_entry e = entry_in(MEM, &s, p, -1, NULL);
	e.path = name;
	e.uid = 3000000;
	e.mtime = -3;
	e.xattrs = x;
	e.nxattrs = 1;
	int tar = KIT_TAR(e, HARD_("l", name));
	char want[1000];
	snprintf(want, sizeof want,
		"file %s 644 3000000:0 -3 2097152 user.k=1\nlink l 644 0:0 1000 -> %s\n", name,
		name);
	char *got = kit_list(tar);
	if (strncmp(got, want, strlen(name) + 5) != 0)
		fail_msg("%s", got);
	free(got);
	close(tar);
	free(p);
}

/* GNU tar, Python and bsdtar give the file back, where they are there. */
static void other_programs_read_it(void **state)
{
	(void)state;
	static const char *const extract[] = {
		"tar --version >/dev/null 2>&1 && tar --version | grep -q GNU|| exit 77; tar -C "
		"out -xf t.tar",
		"python3 -c 1 2>/dev/null || exit 77; python3 -c 'import "
		"tarfile;tarfile.open(\"t.tar\").extractall(\"out\")' 2>/dev/null",
		"bsdtar --version >/dev/null 2>&1 || exit 77; bsdtar -C out -xf t.tar"};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i += 2) {
		const struct shape *s = &shapes[i];
		unsigned char *p = shape_bytes(s);
		char dir[] = "/var/tmp/layer_holes.XXXXXX";
		assert_non_null(mkdtemp(dir));
		struct layer_entry e = entry_in(MEM, s, p, -1, NULL);
		char *path = mem_printf("%s/t.tar", dir);
		int fd = open(path, O_CREAT | O_RDWR, 0600), tar = tar_of(e, NULL);
		assert_int_equal(fs_copy_range(tar, 0, kit_size(tar), fd), 0);
		for (size_t k = 0; k < sizeof extract / sizeof *extract; k++) {
			char *cmd = mem_printf(
				"cd %s && rm -rf out && mkdir out && { %s; }", dir, extract[k]);
			int rc = system(cmd);
			free(cmd);
			if (rc == 77 << 8)
				continue;
			assert_int_equal(rc, 0);
			char *out = mem_printf("%s/out/d/f", dir);
			int got = open(out, O_RDONLY);
			assert_true(got >= 0);
			assert_int_equal(kit_size(got), shape_size(s));
			unsigned char *q = mem_array(shape_size(s) + 1, 1);
			assert_int_equal(fs_pread_all(got, q, shape_size(s), 0), 0);
			assert_memory_equal(p, q, shape_size(s));
			free(q);
			close(got);
			free(out);
		}
		close(fd);
		close(tar);
		free(path);
		kit_remove(dir);
		free(p);
	}
}

/* The headers tell the places that the pieces have in the tar. */
static void heads_say_what_the_tar_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		unsigned char *p = shape_bytes(&shapes[i]);
		struct layer_entry e[] = {entry_in(MEM, &shapes[i], p, -1, NULL),
			FILE_("g", "text"), entry_in(MEM, &shapes[i], p, -1, NULL)};
		int heads = kit_memfd(), rc = 1;
		e[2].path = "h";
		struct layer_writer *w = layer_writer_new(kit_writer(&heads));
		for (size_t k = 0; k < 3; k++)
			assert_ok(layer_writer_head(w, &e[k], err));
		assert_ok(layer_writer_finish(w, err));
		layer_writer_free(w);
		int tar = kit_tar(e, 3);
		struct layer_walk *a = layer_walk_new(tar, kit_size(tar));
		struct layer_walk *b = layer_walk_new_heads(heads, kit_size(heads), tar);
		const struct layer_entry *x, *y;
		while (rc == 1) {
			int rc2 = 0;
			assert_ok(rc = layer_walk_next(a, &x, err));
			assert_ok(rc2 = layer_walk_next(b, &y, err));
			assert_int_equal(rc, rc2);
			if (!rc)
				break;
			assert_string_equal(x->path, y->path);
			assert_int_equal(x->size, y->size);
			assert_int_equal(x->data_off, y->data_off);
			assert_int_equal(x->nextents, y->nextents);
			assert_int_equal(x->extents != NULL, y->extents != NULL);
			if (x->nextents)
				assert_memory_equal(
					x->extents, y->extents, x->nextents * sizeof *x->extents);
		}
		layer_walk_free(a);
		layer_walk_free(b);
		close(tar);
		close(heads);
		free(p);
	}
}

/* A file of more pieces than a map may have: what is left is one. */
static void pieces_are_bounded(void **state)
{
	(void)state;
	const size_t n = LAYER_PIECES_MAX + 10;
	struct layer_extent *x = mem_array(n, sizeof *x);
	int fd = kit_fd_of("x", 1);
	for (size_t i = 0; i < n; i++)
		x[i] = (struct layer_extent){.off = (2 * i + 1) * UNIT, .len = 1};
	struct layer_entry e = {.path = "f",
		.type = LAYER_FILE,
		.size = 2 * n * UNIT,
		.source = LAYER_DATA_FD,
		.fd = fd,
		.extents = x,
		.nextents = n};
	struct layer_map m;
	struct buf b;
	buf_init(&b, LAYER_MAP_MAX);
	assert_ok(layer_map_find(&e, -1, &m, err));
	assert_int_equal(m.n, LAYER_PIECES_MAX);
	assert_int_equal(m.v[0].off, UNIT);
	assert_int_equal(m.v[m.n - 1].off + m.v[m.n - 1].len, e.size);
	layer_map_text(&m, e.size, &b);
	assert_false(b.full);
	buf_clear(&b);
	layer_map_clear(&m);
	close(fd);
	free(x);
}

/* What costs a full read is bounded: 16 TiB of hole are no work. */
static void a_large_hole_is_not_read(void **state)
{
	(void)state;
	int fd = kit_memfd();
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(pwrite(fd, "x", 1, ((off_t)1 << 39) + 5), 1);
	struct layer_entry e = {.path = "f",
		.type = LAYER_FILE,
		.size = (uint64_t)1 << 40,
		.source = LAYER_DATA_FD,
		.fd = fd};
	assert_map(&e, -1, "524288+1");
	assert_int_equal(layer_next_data(fd, 0, 100), 100);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_blocks * 512 < 1 << 20);
	close(fd);
}

/* A retimed layer has the same map, and one whose pieces are smaller gets the one of the rule. */
static void retimed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		unsigned char *p = shape_bytes(&shapes[i]);
		struct layer_entry e = entry_in(MEM, &shapes[i], p, -1, NULL);
		int tar = tar_of(e, NULL), out = kit_memfd();
		e.mtime = 7;
		int want = tar_of(e, NULL);
		struct digest a, b;
		assert_ok(layer_retime(tar, 7, true, kit_writer(&out), err));
		sha_fd(out, &a);
		sha_fd(want, &b);
		assert_memory_equal(&a, &b, sizeof a);
		close(tar);
		close(out);
		close(want);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_a_matter_of_content),
		cmocka_unit_test(other_layers_are_what_they_were),
		cmocka_unit_test(a_sparse_file_in_a_tar),
		cmocka_unit_test(sparse_files_with_records),
		cmocka_unit_test(other_programs_read_it),
		cmocka_unit_test(heads_say_what_the_tar_is),
		cmocka_unit_test(pieces_are_bounded),
		cmocka_unit_test(a_large_hole_is_not_read),
		cmocka_unit_test(retimed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

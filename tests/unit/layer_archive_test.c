// SPDX-License-Identifier: Apache-2.0
/*
 * Archives that users hand in, made by libarchive's writer; and the walker held against its reader.
 */
#include "tests/unit/layer_kit.h"
#include "store/compress/compress.h"
#include "store/compress/deflate.h"
#include "store/tar/retime.h"
#include "store/tar/userarchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>

struct made {
	const char *path;
	unsigned type; /* AE_IF*, 0 = hard link */
	const char *text;
};

static const struct made some[] = {
	{"dir/", AE_IFDIR, ""},
	{"dir/caf\xc3\xa9", AE_IFREG, "content"},
	{"dir/ln", AE_IFLNK, "../x"},
	{"dir/hard", 0, "dir/caf\xc3\xa9"},
	{"dir/empty", AE_IFREG, ""},
	{"dir/pipe", AE_IFIFO, ""},
};

static int make(const char *format, const char *filter, const struct made *m, size_t n)
{
	int fd = kit_memfd();
	char *old = mem_strdup(setlocale(LC_CTYPE, NULL));
	setlocale(LC_CTYPE, "C.UTF-8");
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
	if (filter)
		assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *e = archive_entry_new();
		archive_entry_set_pathname(e, m[i].path);
		archive_entry_set_filetype(e, m[i].type ? m[i].type : AE_IFREG);
		archive_entry_set_perm(e, 0640);
		archive_entry_set_uid(e, 7);
		archive_entry_set_gid(e, 8);
		archive_entry_set_mtime(e, 1234, 999);
		if (m[i].type == AE_IFLNK)
			archive_entry_set_symlink(e, m[i].text);
		else if (!m[i].type)
			archive_entry_set_hardlink(e, m[i].text);
		if (m[i].type == AE_IFREG) {
			archive_entry_set_size(e, (la_int64_t)strlen(m[i].text));
			archive_entry_xattr_add_entry(e, "user.k", "v", 1);
			archive_entry_xattr_add_entry(e, "trusted.overlay.opaque", "y", 1);
		}
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		if (m[i].type == AE_IFREG)
			archive_write_data(a, m[i].text, strlen(m[i].text));
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
	setlocale(LC_CTYPE, old);
	free(old);
	return fd;
}

/* The entries of an archive as text, ending in an error if there was one; owned. */
static char *list(int fd, uint64_t max)
{
	struct buf b;
	struct err *e2 = NULL;
	const struct layer_entry *e;
	int rc = -1;
	int tmp = open("/var/tmp", O_RDONLY | O_DIRECTORY);
	buf_init(&b, BUF_TEXT_MAX);
	struct layer_archive *a = layer_archive_open(fd, tmp, max, &e2);
	while (a && (rc = layer_archive_next(a, &e, &e2)) > 0)
		kit_line(&b, e);
	if (rc < 0)
		buf_addf(&b, "error %d: %s\n", err_get_kind(e2), err_text(e2));
	err_free(e2);
	layer_archive_close(a);
	close(tmp);
	return buf_take(&b);
}

static int probe(int fd)
{
	int rc = 0;
	assert_ok(rc = layer_archive_probe(fd, err));
	return rc;
}

static void formats_and_filters(void **state)
{
	(void)state;
	static const char *const formats[] = {"pax", "gnutar", "ustar"};
	static const char *const filters[] = {NULL, "gzip", "bzip2", "xz", "zstd"};
	for (size_t f = 0; f < 3; f++) {
		for (size_t k = 0; k < 5; k++) {
			int fd = make(formats[f], filters[k], some, sizeof some / sizeof *some);
			const char *x = f == 0 ? " user.k=1" : "";
			char *want =
				mem_printf("dir dir 640 7:8 1234\n"
					   "file dir/caf\xc3\xa9 640 7:8 1234 7%s \"content\"\n"
					   "symlink dir/ln 640 7:8 1234 -> ../x\n"
					   "link dir/hard 640 7:8 1234 -> dir/caf\xc3\xa9\n"
					   "file dir/empty 640 7:8 1234 0%s\n"
					   "fifo dir/pipe 640 7:8 1234\n",
					x, x);
			assert_int_equal(probe(fd), 1);
			assert_text(list(fd, 1000), want);
			free(want);
			close(fd);
		}
	}
}

static void what_is_not_an_archive(void **state)
{
	(void)state;
	static const char *const formats[] = {
		"zip", "cpio", "7zip", "iso9660", "mtree", "ar", "shar", "warc", "xar"};
	static const struct made one = {"f", AE_IFREG, "text"};
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		int fd = make(formats[i], NULL, &one, 1);
		assert_int_equal(probe(fd), 0);
		char *text = list(fd, 1000);
		/* an ISO image begins with zeros: an empty tar */
		if (strncmp(text, "error 4: archive:", 17) != 0 &&
			strcmp(formats[i], "iso9660") != 0)
			fail_msg("%s: %s", formats[i], text);
		free(text);
		close(fd);
	}
	static const char zeros[2048];
	const struct {
		const void *p;
		size_t n;
	} plain[] = {{"", 0}, {"hello", 5}, {zeros, 1024}, {zeros, 2048}, {"\x1f\x8b\x08", 3},
		{"BZh9", 4}};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		int fd = kit_fd_of(plain[i].p, plain[i].n);
		assert_int_equal(probe(fd), 0);
		close(fd);
	}
	/* a gzip of something else */
	int fd = kit_memfd();
	struct layer_deflate *z = layer_deflate_new(kit_writer(&fd), LAYER_GZIP, 1, 1);
	struct io_writer w = layer_deflate_writer(z);
	assert_ok(io_write(&w, "just text", 9, err));
	assert_ok(layer_deflate_finish(z, err));
	layer_deflate_free(z);
	assert_int_equal(probe(fd), 0);
	close(fd);
}

static void names_are_confined(void **state)
{
	(void)state;
	static const struct made bad[] = {
		{"../../etc/passwd", AE_IFREG, "p"},
		{"/abs", AE_IFREG, "a"},
		{"a/../../b", AE_IFLNK, "/etc"},
		{"h", 0, "../../../b"},
		{".wh.f", AE_IFREG, ""},
		{"..", AE_IFDIR, ""},
	};
	int fd = make("gnutar", NULL, bad, sizeof bad / sizeof *bad);
	assert_text(list(fd, 1000),
		"file etc/passwd 640 7:8 1234 1 \"p\"\nfile abs 640 7:8 1234 1 \"a\"\n"
		"symlink b 640 7:8 1234 -> /etc\nlink h 640 7:8 1234 -> b\nfile .wh.f 640 7:8 1234 "
		"0\n"
		"dir . 640 7:8 1234\n");
	close(fd);
}

/* The directory that an archive is unpacked to is there already, whatever an entry says. */
static void what_would_replace_the_root_is_left_out(void **state)
{
	(void)state;
	static const struct made roots[] = {
		{"x/..", AE_IFLNK, "/etc"},
		{".", AE_IFREG, "abc"},
		{".", AE_IFIFO, ""},
		{"f", AE_IFREG, "f"},
	};
	int fd = make("gnutar", NULL, roots, sizeof roots / sizeof *roots);
	assert_text(list(fd, 1000), "file f 640 7:8 1234 1 \"f\"\n");
	close(fd);
}

static void limits_and_damage(void **state)
{
	(void)state;
	int fd = make("pax", NULL, some, sizeof some / sizeof *some);
	assert_text(list(fd, 6),
		"dir dir 640 7:8 1234\nerror 12: archive: more than 6 bytes when unpacked\n");
	close(fd);
	/* a bomb: 100 MiB of zeros in one file */
	size_t n = (size_t)100 << 20;
	fd = kit_memfd();
	struct layer_deflate *z = layer_deflate_new(kit_writer(&fd), LAYER_ZSTD, 1, 1);
	struct layer_writer *w = layer_writer_new(layer_deflate_writer(z));
	void *zeros = mem_array(n, 1);
	const struct layer_entry e = {.path = "zeros",
		.type = LAYER_FILE,
		.size = n,
		.source = LAYER_DATA_MEM,
		.mem = zeros};
	assert_ok(layer_writer_add(w, &e, err));
	assert_ok(layer_writer_finish(w, err));
	assert_ok(layer_deflate_finish(z, err));
	layer_writer_free(w);
	layer_deflate_free(z);
	free(zeros);
	assert_int_equal(probe(fd), 1);
	assert_text(list(fd, 1 << 30),
		"error 12: archive: compressed more than 1000 times: not unpacked\n");
	close(fd);
	/* cut off in the middle */
	static const struct made one = {"f", AE_IFREG, "some text that is long enough to be cut"};
	fd = make("gnutar", NULL, &one, 1);
	assert_int_equal(ftruncate(fd, 520), 0);
	char *text = list(fd, 1000);
	assert_non_null(strstr(text, "error 4: archive: Truncated"));
	free(text);
	close(fd);
}

/* Nothing of a large plain tar was read yet when its first header is: no ratio to complain of. */
static void large_first_file(void **state)
{
	(void)state;
	const uint64_t size = (uint64_t)150 << 20;
	int fd = kit_memfd();
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	assert_int_equal(archive_write_set_format_by_name(a, "ustar"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	archive_entry_set_pathname(e, "big");
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0640);
	archive_entry_set_size(e, (la_int64_t)size);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	archive_entry_free(e);
	/* freeing the writer pads the content with zeros */
	archive_write_free(a);
	assert_text(list(fd, 1 << 30), "file big 640 0:0 0 157286400\n");
	close(fd);
}

static void sparse_archives(void **state)
{
	(void)state;
	char dir[] = "/var/tmp/layer_archive.XXXXXX";
	assert_non_null(mkdtemp(dir));
	static const char *const formats[] = {"gnu", "pax --sparse-version=0.0",
		"pax --sparse-version=0.1", "pax --sparse-version=1.0"};
	for (size_t i = 0; i < 4; i++) {
		char *cmd = mem_printf(
			"cd %s && rm -f s t && truncate -s 5000000 s && printf AAAA | dd of=s bs=1 "
			"seek=1000000 conv=notrunc 2>/dev/null && tar -S --format=%s -cf t s",
			dir, formats[i]);
		assert_int_equal(system(cmd), 0);
		free(cmd);
		char *path = mem_printf("%s/t", dir);
		int fd = open(path, O_RDONLY), tmp = open(dir, O_RDONLY | O_DIRECTORY);
		free(path);
		assert_true(kit_size(fd) < 100000);
		struct layer_archive *a = NULL;
		const struct layer_entry *e;
		char text[9];
		assert_ok((a = layer_archive_open(fd, tmp, 5000000, err)) ? 0 : -1);
		assert_ok(layer_archive_next(a, &e, err));
		assert_int_equal(e->size, 5000000);
		assert_int_equal(fs_pread_all(e->fd, text, 8, e->data_off + 999998), 0);
		assert_memory_equal(text, "\0\0AAAA\0\0", 8);
		assert_int_equal(fs_pread_all(e->fd, text, 8, e->data_off + 4999992), 0);
		layer_archive_close(a);
		close(fd);
		close(tmp);
	}
	kit_remove(dir);
}

/* --- the walker against libarchive ----------------------------------------------------------- */

/* Path, type, size, owner and time of each entry as libarchive reads them; NULL on an error. */
static char *by_libarchive(int fd)
{
	struct buf b;
	struct archive_entry *e;
	int rc;
	buf_init(&b, BUF_TEXT_MAX);
	struct archive *a = archive_read_new();
	archive_read_support_format_tar(a);
	lseek(fd, 0, SEEK_SET);
	archive_read_open_fd(a, fd, 10240);
	while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
		const char *link = archive_entry_hardlink(e);
		const char *target = link ? link : archive_entry_symlink(e);
		buf_addf(&b, "%s %o %lld %lld:%lld %lld -> %s\n", archive_entry_pathname(e),
			link ? 1 : archive_entry_filetype(e), (long long)archive_entry_size(e),
			(long long)archive_entry_uid(e), (long long)archive_entry_gid(e),
			(long long)archive_entry_mtime(e), target ? target : "");
	}
	archive_read_free(a);
	if (rc != ARCHIVE_EOF)
		buf_adds(&b, "error\n");
	return buf_take(&b);
}

static char *by_walker(int fd)
{
	static const unsigned types[] = {
		AE_IFREG, AE_IFDIR, AE_IFLNK, 1, AE_IFCHR, AE_IFBLK, AE_IFIFO};
	struct buf b;
	const struct layer_entry *e;
	int rc;
	buf_init(&b, BUF_TEXT_MAX);
	struct layer_walk *w = layer_walk_new(fd, kit_size(fd));
	while ((rc = layer_walk_next(w, &e, NULL)) > 0)
		buf_addf(&b, "%s%s %o %lld %lld:%lld %lld -> %s\n", e->path,
			e->type == LAYER_DIR ? "/" : "", types[e->type], (long long)e->size,
			(long long)e->uid, (long long)e->gid, (long long)e->mtime,
			e->link ? e->link : "");
	layer_walk_free(w);
	if (rc < 0)
		buf_adds(&b, "error\n");
	return buf_take(&b);
}

static uint32_t rnd(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static void random_tars_read_alike(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	uint32_t x = 42;
	for (int round = 0; round < 200; round++) {
		struct layer_list *l = layer_list_new();
		char path[1000], text[3000];
		for (uint32_t i = 0, n = rnd(&x) % 30; i < n; i++) {
			size_t len = 0;
			for (uint32_t k = 0, depth = 1 + rnd(&x) % 5; k < depth; k++) {
				len += (size_t)snprintf(
					path + len, sizeof path - len, "%s", k ? "/" : "");
				for (uint32_t c = 0, m = 1 + rnd(&x) % (rnd(&x) % 4 ? 12 : 150);
					c < m; c++)
					path[len++] = (char)('a' + rnd(&x) % 26);
				path[len] = 0;
			}
			memset(text, 't', sizeof text);
			struct layer_entry e = {.path = path,
				.type = rnd(&x) % 7,
				.mode = rnd(&x) & 07777,
				.uid = rnd(&x) % 3 ? 0 : rnd(&x) * 200,
				.gid = rnd(&x) % 1000,
				.mtime = (int64_t)rnd(&x) * 1000 - 1000000000,
				.dev_major = 3,
				.dev_minor = 5};
			char link[600];
			memset(link, 'l', sizeof link);
			link[1 + rnd(&x) % 500] = 0;
			e.link = e.type == LAYER_SYMLINK || e.type == LAYER_HARDLINK ? link : NULL;
			if (e.type == LAYER_FILE) {
				e.size = rnd(&x) % sizeof text;
				e.source = LAYER_DATA_MEM;
				e.mem = text;
			}
			layer_list_add(l, &e);
		}
		int fd = kit_memfd();
		assert_ok(layer_list_write(l, kit_writer(&fd), err));
		layer_list_free(l);
		char *want = by_libarchive(fd);
		assert_text(by_walker(fd), want);
		free(want);
		/* what the walker read and wrote again is the same tar */
		int again = kit_memfd();
		assert_ok(layer_retime(fd, INT64_MAX, false, kit_writer(&again), err));
		assert_int_equal(kit_size(again), kit_size(fd));
		close(again);
		close(fd);
	}
}

/* One to three bytes of the headers changed, checksums made right again. */
static void mutate(unsigned char *p, size_t n, uint32_t *x)
{
	for (uint32_t k = 0, m = 1 + rnd(x) % 3; k < m; k++) {
		size_t at = rnd(x) % n;
		static const char likely[] = "0123457xgLKS/.\0 9a\377\200";
		p[at] = (unsigned char)(rnd(x) % 2 ? likely[rnd(x) % (sizeof likely - 1)]
						   : (char)rnd(x));
	}
	for (size_t at = 0; at + 512 <= n; at += 512) {
		unsigned sum = 8 * ' ';
		char text[8];
		if (memcmp(p + at + 257, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : p[at + i];
		snprintf(text, sizeof text, "%06o", sum);
		memcpy(p + at + 148, text, 7);
	}
}

static void mutated_tars_read_alike_or_fail(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	uint32_t x = 7;
	int seed = make("pax", NULL, some, sizeof some / sizeof *some);
	size_t n = (size_t)kit_size(seed);
	unsigned char *p = mem_array(n, 1);
	int alike = 0, refused = 0, stricter = 0, laxer = 0, other = 0;
	for (int round = 0; round < 4000; round++) {
		assert_int_equal(fs_pread_all(seed, p, n, 0), 0);
		mutate(p, n, &x);
		int fd = kit_fd_of(p, n);
		char *a = by_walker(fd), *b = by_libarchive(fd);
		bool bad_a = strstr(a, "error"), bad_b = strstr(b, "error");
		if (bad_a || bad_b)
			*(bad_a && bad_b ? &refused : bad_a ? &stricter : &laxer) += 1;
		else
			*(strcmp(a, b) == 0 ? &alike : &other) += 1;
		free(a);
		free(b);
		close(fd);
	}
	/*
	 * Read by both, but not alike: names that we clean, numbers with a NUL in front (read on as
	 * Go does, libarchive stops), a hard link with a size (no content for us and for Go).
	 * Refused by one: we are strict about numbers, types and links; libarchive about fields of
	 * extended headers that mean nothing.
	 */
	print_message(
		"alike %d, refused by both %d, by us %d, by libarchive %d, read differently %d\n",
		alike, refused, stricter, laxer, other);
	assert_true(alike > 2000 && other < 10 && laxer < 60);
	free(p);
	close(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_filters),
		cmocka_unit_test(what_is_not_an_archive),
		cmocka_unit_test(names_are_confined),
		cmocka_unit_test(what_would_replace_the_root_is_left_out),
		cmocka_unit_test(limits_and_damage),
		cmocka_unit_test(large_first_file),
		cmocka_unit_test(sparse_archives),
		cmocka_unit_test(random_tars_read_alike),
		cmocka_unit_test(mutated_tars_read_alike_or_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

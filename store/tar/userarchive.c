// SPDX-License-Identifier: Apache-2.0
/*
 * Archives that users hand in: read by libarchive, which knows more dialects of tar than our
 * walker, with nothing enabled but tar and four filters, and never writing to disk. Contents go to
 * a spool file without a name; what is spooled is bounded in size and in ratio.
 *
 * libarchive converts names of pax headers to the charset of the locale and spoils what does not
 * fit; so its calls run in a UTF-8 locale of this thread, where names stay the bytes they are.
 */
#include "store/tar/userarchive.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/archivelib.h"
#include "store/compress/inflate.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"

#define READ_BUF ((size_t)128 << 10)

struct layer_archive {
	const struct archivelib *lib;
	struct archive *a;
	locale_t utf8;
	int fd;
	uint64_t pos;
	unsigned char *buf; /* owned, READ_BUF bytes */
	int read_errno;
	int spool;
	uint64_t spooled; /* end of the last content */
	uint64_t max;
	uint64_t count;
	struct layer_entry e;
	struct layer_xattr xattrs[LAYER_XATTRS_MAX];
	char path[LAYER_PATH_MAX + 1];
	char link[LAYER_PATH_MAX + 1];
};

/* pread: the caller's offset does not move. */
static la_ssize_t read_block(struct archive *a, void *ctx, const void **out)
{
	struct layer_archive *r = ctx;
	ssize_t n;
	do
		n = pread(r->fd, r->buf, READ_BUF, (off_t)r->pos);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		r->read_errno = errno;
		r->lib->set_error(a, errno, "read");
		return ARCHIVE_FATAL;
	}
	r->pos += (uint64_t)n;
	*out = r->buf;
	return n;
}

static la_int64_t skip_bytes(struct archive *a, void *ctx, la_int64_t n)
{
	struct layer_archive *r = ctx;
	(void)a;
	r->pos += (uint64_t)n;
	return n;
}

static int userarchive_fail(const struct layer_archive *r, struct err **err)
{
	const char *text = r->lib->error_string(r->a);
	if (r->read_errno) {
		errno = r->read_errno;
		return err_sys_kind(err, ERR_CONTEXT, "reading the archive");
	}
	auto_free char *shown = fs_printable(text ? text : "not readable");
	return err_set(err, ERR_CONTEXT, "archive: %s", shown);
}

static struct layer_archive *open_reader(int fd, uint64_t max, struct err **err)
{
	const struct archivelib *lib = archivelib_get(err);
	if (!lib)
		return NULL;
	struct layer_archive *r = mem_alloc(sizeof *r);
	r->lib = lib;
	r->fd = fd;
	r->max = max;
	r->spool = -1;
	r->buf = mem_array(READ_BUF, 1);
	r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	r->a = r->lib->read_new();
	r->lib->read_support_format_tar(r->a);
	r->lib->read_support_filter_gzip(r->a);
	r->lib->read_support_filter_bzip2(r->a);
	r->lib->read_support_filter_xz(r->a);
	r->lib->read_support_filter_zstd(r->a);
	return r;
}

static locale_t userarchive_enter(const struct layer_archive *r)
{
	return r->utf8 ? uselocale(r->utf8) : (locale_t)0;
}

static void userarchive_leave(locale_t old)
{
	if (old)
		uselocale(old);
}

static int userarchive_start(struct layer_archive *r)
{
	locale_t old = userarchive_enter(r);
	r->lib->read_set_callback_data(r->a, r);
	r->lib->read_set_read_callback(r->a, read_block);
	r->lib->read_set_skip_callback(r->a, skip_bytes);
	int rc = r->lib->read_open1(r->a);
	userarchive_leave(old);
	return rc;
}

static int next_header(struct layer_archive *r, struct archive_entry **e)
{
	int rc;
	locale_t old = userarchive_enter(r);
	do
		rc = r->lib->read_next_header(r->a, e);
	while (rc == ARCHIVE_RETRY);
	userarchive_leave(old);
	return rc;
}

void layer_archive_close(struct layer_archive *r)
{
	if (!r)
		return;
	r->lib->read_free(r->a);
	if (r->utf8)
		freelocale(r->utf8);
	fd_close(r->spool);
	free(r->buf);
	free(r);
}

int layer_archive_probe(int fd, struct err **err)
{
	auto_layer_archive struct layer_archive *r = open_reader(fd, 0, err);
	struct archive_entry *e;
	if (!r)
		return -1;
	int rc = userarchive_start(r);
	if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
		rc = next_header(r, &e);
	if (r->read_errno)
		return userarchive_fail(r, err);
	/* libarchive takes a file of zeros for an empty archive: that ends without a header. */
	return rc == ARCHIVE_OK || rc == ARCHIVE_WARN;
}

struct layer_archive *layer_archive_open(
	int fd, int tmp_dir_fd, uint64_t max_bytes, struct err **err)
{
	auto_layer_archive struct layer_archive *r = open_reader(fd, max_bytes, err);
	if (!r)
		return NULL;
	r->spool = fs_spool(tmp_dir_fd);
	if (r->spool < 0) {
		err_sys(err, "temporary file");
		return NULL;
	}
	int rc = userarchive_start(r);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) {
		userarchive_fail(r, err);
		return NULL;
	}
	return TAKE(r);
}

/* --- entries ----------------------------------------------------------------------------- */

static int check_size(const struct layer_archive *r, uint64_t more, struct err **err)
{
	if (more > r->max || r->spooled > r->max - more)
		return err_set(err, ERR_LIMIT, "archive: more than %llu bytes when unpacked",
			(unsigned long long)r->max);
	return 0;
}

/* Of what was read so far, so it is asked behind the content, never for a size that is promised. */
static int check_ratio(const struct layer_archive *r, uint64_t more, struct err **err)
{
	uint64_t packed = (uint64_t)r->lib->filter_bytes(r->a, -1), out = r->spooled + more;
	if (out > LAYER_RATIO_FREE && out / LAYER_RATIO_MAX > packed)
		return err_set(err, ERR_LIMIT,
			"archive: compressed more than %d times: not unpacked", LAYER_RATIO_MAX);
	return 0;
}

/* One piece of a file of `size` bytes; *end: where it ends in the file. */
static int spool_piece(struct layer_archive *r, const void *p, size_t n, la_int64_t off,
	uint64_t size, uint64_t *end, struct err **err)
{
	if (off < 0 || (uint64_t)off > size || n > size - (uint64_t)off)
		return err_set(err, ERR_CONTEXT, "archive: content beyond the size of the file");
	if (n == 0)
		return 0;
	if (lseek(r->spool, (off_t)(r->spooled + (uint64_t)off), SEEK_SET) < 0 ||
		fs_write_all(r->spool, p, n))
		return err_sys(err, "temporary file");
	*end = (uint64_t)off + n;
	return check_ratio(r, *end, err);
}

/* Content to the spool. Holes are left out there, too. */
static int spool_content(struct layer_archive *r, struct archive_entry *ae, struct err **err)
{
	uint64_t end = 0, size = (uint64_t)r->lib->entry_size(ae);
	const void *p;
	size_t n;
	la_int64_t off;
	int rc;

	if (r->lib->entry_size(ae) < 0)
		return err_set(err, ERR_CONTEXT, "archive: a file of negative size");
	if (check_size(r, size, err))
		return -1;
	while ((rc = r->lib->read_data_block(r->a, &p, &n, &off)) != ARCHIVE_EOF) {
		if (rc == ARCHIVE_RETRY)
			continue;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return userarchive_fail(r, err);
		if (spool_piece(r, p, n, off, size, &end, err) < 0)
			return -1;
	}
	if (check_ratio(r, size, err))
		return -1;
	if (end < size && ftruncate(r->spool, (off_t)(r->spooled + size)))
		return err_sys(err, "temporary file");
	r->e.size = size;
	r->e.source = size ? LAYER_DATA_FD : LAYER_NO_DATA;
	r->e.fd = r->spool;
	r->e.data_off = r->spooled;
	r->spooled += size;
	return 0;
}

static int take_xattrs(struct layer_archive *r, struct archive_entry *ae, struct err **err)
{
	const char *name;
	const void *value;
	size_t n, size;

	r->e.xattrs = r->xattrs;
	r->lib->entry_xattr_reset(ae);
	while (r->lib->entry_xattr_next(ae, &name, &value, &size) == ARCHIVE_OK) {
		n = r->e.nxattrs;
		/* SCHILY and LIBARCHIVE records may say the same twice. */
		size_t i = 0;
		if (!name || !layer_xattr_carried(name))
			continue;
		while (i < n && strcmp(r->xattrs[i].name, name) != 0)
			i++;
		if (i < n)
			continue;
		if (n == LAYER_XATTRS_MAX || size > LAYER_XATTR_MAX)
			return err_set(err, ERR_LIMIT, "archive: too many or too large attributes");
		r->xattrs[r->e.nxattrs++] =
			(struct layer_xattr){.name = name, .value = value, .len = size};
	}
	return 0;
}

/* 0 with r->e.type set, 1 when the entry is left out, -1. */
static uint32_t nanoseconds(long n)
{
	return n > 0 && n < 1000000000 ? (uint32_t)n : 0;
}

static int userarchive_take_type(
	struct layer_archive *r, struct archive_entry *ae, struct err **err)
{
	const char *link = r->lib->entry_hardlink(ae);
	if (link) {
		r->e.type = LAYER_HARDLINK;
		if (layer_name_clean(link, strlen(link), true, r->link, err))
			return err_rekind(err, ERR_CONTEXT);
		r->e.link = r->link;
		return 0;
	}
	switch (r->lib->entry_filetype(ae)) {
	case AE_IFREG:
		r->e.type = LAYER_FILE;
		return 0;
	case AE_IFDIR:
		r->e.type = LAYER_DIR;
		return 0;
	case AE_IFIFO:
		r->e.type = LAYER_FIFO;
		return 0;
	case AE_IFLNK:
		r->e.type = LAYER_SYMLINK;
		link = r->lib->entry_symlink(ae);
		if (!link || !*link || strlen(link) >= LAYER_PATH_MAX)
			return err_set(
				err, ERR_CONTEXT, "archive: a symbolic link without a good target");
		memcpy(r->link, link, strlen(link) + 1);
		r->e.link = r->link;
		return 0;
	case AE_IFCHR:
	case AE_IFBLK:
		r->e.type = r->lib->entry_filetype(ae) == AE_IFCHR ? LAYER_CHAR : LAYER_BLOCK;
		r->e.dev_major = (uint32_t)r->lib->entry_rdevmajor(ae);
		r->e.dev_minor = (uint32_t)r->lib->entry_rdevminor(ae);
		return 0;
	case AE_IFSOCK:
		return 1;
	default:
		return err_set(err, ERR_CONTEXT, "archive: an entry of unknown type");
	}
}

static int userarchive_take_entry(
	struct layer_archive *r, struct archive_entry *ae, struct err **err)
{
	const char *name = r->lib->entry_pathname(ae);
	la_int64_t uid = r->lib->entry_uid(ae), gid = r->lib->entry_gid(ae);

	if (!name)
		return err_set(err, ERR_CONTEXT, "archive: a name that cannot be read");
	if (layer_name_clean(name, strlen(name), true, r->path, err))
		return err_rekind(err, ERR_CONTEXT);
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(err, ERR_CONTEXT, "archive: an owner out of range");
	r->e = (struct layer_entry){.path = r->path,
		.mode = (uint32_t)r->lib->entry_perm(ae) & 07777,
		.uid = (uint32_t)uid,
		.gid = (uint32_t)gid,
		.mtime = r->lib->entry_mtime(ae),
		.mtime_ns = nanoseconds(r->lib->entry_mtime_nsec(ae)),
		.fd = -1};
	int rc = userarchive_take_type(r, ae, err);
	if (rc)
		return rc;
	/* Without a name, or called ".": the directory that it is unpacked to, which stays. */
	if (!*r->path && r->e.type != LAYER_DIR)
		return 1;
	if (take_xattrs(r, ae, err))
		return -1;
	return r->e.type == LAYER_FILE ? spool_content(r, ae, err) : 0;
}

int layer_archive_next(struct layer_archive *r, const struct layer_entry **out, struct err **err)
{
	for (;;) {
		struct archive_entry *ae;
		int rc = next_header(r, &ae);
		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return userarchive_fail(r, err);
		if (++r->count > LAYER_ENTRIES_MAX)
			return err_set(
				err, ERR_LIMIT, "archive: more than %d entries", LAYER_ENTRIES_MAX);
		locale_t old = userarchive_enter(r);
		rc = userarchive_take_entry(r, ae, err);
		userarchive_leave(old);
		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		*out = &r->e;
		return 1;
	}
}

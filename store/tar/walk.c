// SPDX-License-Identifier: Apache-2.0
/*
 * The tar walker. Headers only: contents are skipped by offset. A window of the file is read ahead;
 * it starts small after a jump and doubles while reading goes on without one, so that 50,000 small
 * files cost few system calls and a tar of large files costs few bytes.
 *
 * Where readers disagree, one rule:
 *   pax records win over ustar fields; of two records of one key the last; an empty one is ignored
 *   a name given by pax and by GNU 'L' at once, or two extended headers of one kind: an error
 *   global pax headers are ignored, as by the Go implementations of container tools
 *   links, devices, directories and FIFOs have no content, whatever their size field says
 *   '0' with a trailing '/' is an error; '\0' (pre-POSIX) with one is a directory
 *   one zero block ends the archive only if another one or the end of the file follows
 */
#include "store/tar/walk_private.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/block.h"
#include "store/tar/name.h"
#include "store/tar/walk.h"

#define WINDOW_MIN ((size_t)4 << 10)
#define WINDOW_MAX ((size_t)128 << 10)

struct layer_walk *layer_walk_new(int fd, uint64_t size)
{
	struct layer_walk *w = mem_alloc(sizeof *w);
	w->fd = fd;
	w->tar_fd = fd;
	w->size = size;
	w->win = mem_array(WINDOW_MAX, 1);
	w->ahead = WINDOW_MIN;
	return w;
}

struct layer_walk *layer_walk_new_heads(int fd, uint64_t size, int tar_fd)
{
	struct layer_walk *w = layer_walk_new(fd, size);
	w->heads = true;
	w->tar_fd = tar_fd;
	return w;
}

void layer_walk_free(struct layer_walk *w)
{
	if (!w)
		return;
	layer_pax_clear(&w->pax);
	free(w->long_name);
	free(w->long_link);
	free(w->body);
	free(w->win);
	free(w);
}

int walk_truncated(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "unexpected end of the tar");
}

const unsigned char *walk_block(struct layer_walk *w, uint64_t off, struct err **err)
{
	if (off > w->size || w->size - off < WALK_BLOCK) {
		walk_truncated(err);
		return NULL;
	}
	if (off >= w->win_off && off + WALK_BLOCK <= w->win_off + w->win_len)
		return w->win + (off - w->win_off);
	if (off == w->win_off + w->win_len)
		w->ahead = w->ahead * 2 > WINDOW_MAX ? WINDOW_MAX : w->ahead * 2;
	else if (off < w->win_off || off > w->win_off + w->win_len + w->ahead)
		w->ahead = WINDOW_MIN;
	size_t n = w->size - off < w->ahead ? (size_t)(w->size - off) : w->ahead;
	w->win_len = 0;
	if (fs_pread_all(w->fd, w->win, n, off)) {
		err_sys(err, "reading the tar");
		return NULL;
	}
	w->win_off = off;
	w->win_len = n;
	return w->win;
}

static bool all_zero(const unsigned char *b)
{
	return b[0] == 0 && memcmp(b, b + 1, LAYER_TAR_BLOCK - 1) == 0;
}

/* Unsigned as POSIX says, or signed as old tars did. */
static bool checksum_ok(const unsigned char *b)
{
	int64_t want, plain = 8 * ' ', with_sign = 8 * ' ';
	unsigned sum = 0, high = 0;

	if (layer_tar_number(b + F_SUM, 8, &want))
		return false;
	for (size_t i = 0; i < LAYER_TAR_BLOCK; i++) {
		sum += b[i];
		high += b[i] >> 7;
	}
	for (size_t i = F_SUM; i < F_SUM + 8; i++) {
		sum -= b[i];
		high -= b[i] >> 7;
	}
	plain += sum;
	with_sign += (int64_t)sum - 256 * (int64_t)high;
	return want == plain || want == with_sign;
}

int walk_field(const unsigned char *b, size_t off, size_t n, const char *what, int64_t *out,
	struct err **err)
{
	if (layer_tar_number(b + off, n, out))
		return err_set(err, ERR_CORRUPT, "the %s field is not a number", what);
	return 0;
}

uint64_t walk_padded(uint64_t n)
{
	return (n + WALK_BLOCK - 1) / WALK_BLOCK * WALK_BLOCK;
}

/* --- extended headers ---------------------------------------------------------------------- */

/* The content of an extended header at w->pos, NUL-terminated, owned by the caller. */
static char *read_body(struct layer_walk *w, uint64_t size, struct err **err)
{
	if (size > LAYER_PAX_MAX) {
		err_set(err, ERR_LIMIT, "an extended header of %llu bytes; the limit is %llu",
			(unsigned long long)size, (unsigned long long)LAYER_PAX_MAX);
		return NULL;
	}
	if (size > w->size - w->pos) {
		walk_truncated(err);
		return NULL;
	}
	auto_free char *body = mem_array((size_t)size + 1, 1);
	if (fs_pread_all(w->fd, body, (size_t)size, w->pos)) {
		err_sys(err, "reading the tar");
		return NULL;
	}
	return TAKE(body);
}

static int tar_walk_duplicate(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "two extended headers for one entry");
}

static int read_extended(struct layer_walk *w, char type, uint64_t size, struct err **err)
{
	char **name = type == 'L' ? &w->long_name : &w->long_link;
	bool pax = type == 'x' || type == 'X';

	if (pax ? w->has_pax : *name != NULL)
		return tar_walk_duplicate(err);
	char *body = read_body(w, size, err);
	if (!body)
		return -1;
	if (!pax) {
		*name = body;
		return 0;
	}
	free(w->body);
	w->body = body;
	w->has_pax = true;
	return layer_pax_parse(&w->pax, w->body, (size_t)size, err);
}

/* --- names ----------------------------------------------------------------------------------- */

/* The ustar name, with its prefix where the magic says that there is one. */
static size_t header_name(const unsigned char *b, char out[260])
{
	size_t n = 0;
	if (memcmp(b + F_MAGIC, "ustar", 6) == 0) {
		size_t room = memcmp(b + F_STAR, "tar", 4) == 0 ? 131 : 155;
		n = strnlen((const char *)b + F_PREFIX, room);
		memcpy(out, b + F_PREFIX, n);
		if (n)
			out[n++] = '/';
	}
	size_t k = strnlen((const char *)b + F_NAME, 100);
	memcpy(out + n, b + F_NAME, k);
	return n + k;
}

static int tar_walk_take_names(
	struct layer_walk *w, const unsigned char *b, bool *slash, struct err **err)
{
	char name[260];
	const char *path = name, *link = (const char *)b + F_LINK;
	size_t n, k = strnlen(link, 100);

	if ((w->pax.path && w->long_name) || (w->pax.link && w->long_link))
		return err_set(err, ERR_CORRUPT, "an entry that is named twice");
	if (w->pax.path) {
		path = w->pax.path;
		n = w->pax.path_len;
	} else if (w->long_name) {
		path = w->long_name;
		n = strlen(path);
	} else {
		n = header_name(b, name);
	}
	if (w->pax.link) {
		link = w->pax.link;
		k = w->pax.link_len;
	} else if (w->long_link) {
		link = w->long_link;
		k = strlen(link);
	}
	*slash = n > 0 && path[n - 1] == '/';
	if (n == 0)
		return err_set(err, ERR_CORRUPT, "an entry without a name");
	if (layer_name_clean(path, n, false, w->path, err))
		return -1;
	if (k > LAYER_PATH_MAX - 1)
		return err_set(err, ERR_LIMIT, "a link target of %zu bytes; the limit is %d", k,
			LAYER_PATH_MAX - 1);
	memcpy(w->link, link, k);
	w->link[k] = 0;
	return 0;
}

/* --- the entry ------------------------------------------------------------------------------ */

static int entry_type(
	struct layer_walk *w, char flag, bool slash, enum layer_type *out, struct err **err)
{
	switch (flag) {
	case '0':
	case '7':
	case 'S':
		if (slash)
			return err_set(err, ERR_CORRUPT, "a file whose name ends in '/'");
		*out = LAYER_FILE;
		return 0;
	case 0:
		*out = slash ? LAYER_DIR : LAYER_FILE;
		return 0;
	case '1':
		*out = LAYER_HARDLINK;
		break;
	case '2':
		*out = LAYER_SYMLINK;
		break;
	case '3':
		*out = LAYER_CHAR;
		break;
	case '4':
		*out = LAYER_BLOCK;
		break;
	case '5':
		*out = LAYER_DIR;
		return 0;
	case '6':
		*out = LAYER_FIFO;
		return 0;
	default:
		return err_set(
			err, ERR_CORRUPT, "an entry of unknown type %d", (unsigned char)flag);
	}
	if ((flag == '1' || flag == '2') && !*w->link)
		return err_set(err, ERR_CORRUPT, "a link without a target");
	return 0;
}

static int take_id(bool given, uint64_t value, const unsigned char *b, size_t off, const char *what,
	uint32_t *out, struct err **err)
{
	int64_t v;
	if (walk_field(b, off, 8, what, &v, err))
		return -1;
	if (!given && v >= 0)
		value = (uint64_t)v;
	/* The last value means "leave it" to chown(2) and is no id. */
	if ((!given && v < 0) || value >= UINT32_MAX)
		return err_set(err, ERR_CORRUPT, "the %s is out of range", what);
	*out = (uint32_t)value;
	return 0;
}

static int take_device(struct layer_entry *e, const unsigned char *b, struct err **err)
{
	int64_t major = 0, minor = 0;

	if (walk_field(b, F_MAJOR, 8, "device", &major, err) ||
		walk_field(b, F_MINOR, 8, "device", &minor, err))
		return -1;
	/* 12 and 20 bits in the kernel. */
	if (major < 0 || major >= 1 << 12 || minor < 0 || minor >= 1 << 20)
		return err_set(err, ERR_CORRUPT, "the device number is out of range");
	e->dev_major = (uint32_t)major;
	e->dev_minor = (uint32_t)minor;
	return 0;
}

static int take_meta(struct layer_walk *w, const unsigned char *b, struct err **err)
{
	struct layer_entry *e = &w->e;
	const struct layer_pax *p = &w->pax;
	int64_t mode, mtime;

	if (walk_field(b, F_MODE, 8, "mode", &mode, err) ||
		walk_field(b, F_MTIME, 12, "mtime", &mtime, err))
		return -1;
	if (take_id(p->has_uid, p->uid, b, F_UID, "uid", &e->uid, err) ||
		take_id(p->has_gid, p->gid, b, F_GID, "gid", &e->gid, err))
		return -1;
	e->mode = (uint32_t)mode & 07777;
	e->mtime = p->has_mtime ? p->mtime : mtime;
	e->xattrs = p->xattrs;
	e->nxattrs = p->nxattrs;
	return e->type == LAYER_CHAR || e->type == LAYER_BLOCK ? take_device(e, b, err) : 0;
}

static int take_content(struct layer_walk *w, const unsigned char *b, struct err **err)
{
	int64_t size;

	if (walk_field(b, F_SIZE, 12, "size", &size, err))
		return -1;
	if (!w->pax.has_size && size < 0)
		return err_set(err, ERR_CORRUPT, "a negative size");
	if (w->e.type != LAYER_FILE)
		return w->pax.sparse ? err_set(err, ERR_CORRUPT, "a sparse map of what is no file")
				     : 0;
	return sparse_content(w, b, w->pax.has_size ? w->pax.size : (uint64_t)size, err);
}

static int clean_hardlink(struct layer_walk *w, struct err **err)
{
	char clean[LAYER_PATH_MAX + 1];

	if (layer_name_clean(w->link, strlen(w->link), false, clean, err))
		return -1;
	if (!*clean || strcmp(clean, w->path) == 0)
		return err_set(err, ERR_CORRUPT, "a hard link to itself or to the root");
	memcpy(w->link, clean, strlen(clean) + 1);
	return 0;
}

/* 1: w->e is an entry, 0: nothing to show (volume label, aufs bookkeeping), -1. */
static int tar_walk_take_entry(struct layer_walk *w, const unsigned char *header, struct err **err)
{
	unsigned char b[LAYER_TAR_BLOCK];
	enum layer_name_kind kind;
	bool slash = false;

	/* The window moves while sparse maps are read. */
	memcpy(b, header, sizeof b);
	w->e = (struct layer_entry){.path = w->path, .fd = -1};
	if (tar_walk_take_names(w, b, &slash, err) ||
		entry_type(w, (char)b[F_TYPE], slash, &w->e.type, err) || take_meta(w, b, err) ||
		take_content(w, b, err))
		return -1;
	bool root = !*w->path;
	if (layer_name_kind(w->path, &kind, err))
		return -1;
	switch (kind) {
	case LAYER_NAME_SKIP:
		return 0;
	case LAYER_NAME_WHITEOUT:
	case LAYER_NAME_OPAQUE:
		w->e = (struct layer_entry){.path = w->path,
			.fd = -1,
			.type = kind == LAYER_NAME_OPAQUE ? LAYER_OPAQUE : LAYER_WHITEOUT};
		return 1;
	case LAYER_NAME_PLAIN:
		break;
	}
	if (root && w->e.type != LAYER_DIR)
		return err_set(err, ERR_CORRUPT, "the root can only be a directory");
	/* On an overlay this device is a whiteout, wherever it comes from. */
	if (w->e.type == LAYER_CHAR && !w->e.dev_major && !w->e.dev_minor)
		w->e = (struct layer_entry){.path = w->path, .fd = -1, .type = LAYER_WHITEOUT};
	if (w->e.type == LAYER_HARDLINK && clean_hardlink(w, err))
		return -1;
	if (w->e.type == LAYER_HARDLINK || w->e.type == LAYER_SYMLINK)
		w->e.link = w->link;
	return 1;
}

static void forget_extended(struct layer_walk *w)
{
	if (w->has_pax)
		layer_pax_reset(&w->pax);
	else
		w->pax.nextents = 0;
	w->has_pax = false;
	free(TAKE(w->long_name));
	free(TAKE(w->long_link));
}

/* Is the zero block at w->pos the end? 1 / -1. */
static int at_end(struct layer_walk *w, struct err **err)
{
	const unsigned char *b;
	w->done = true;
	if (w->has_pax || w->long_name || w->long_link)
		return err_set(err, ERR_CORRUPT, "an extended header without an entry");
	if (w->pos + WALK_BLOCK >= w->size)
		return 1;
	b = walk_block(w, w->pos + WALK_BLOCK, err);
	if (!b)
		return -1;
	return all_zero(b) ? 1 : err_set(err, ERR_CORRUPT, "a lone zero block within the tar");
}

/* The header of records about the next entry, or of nothing that is of use: w->pos moves behind. */
static int take_extended(struct layer_walk *w, const unsigned char *b, struct err **err)
{
	char flag = (char)b[F_TYPE];
	int64_t size;

	if (walk_field(b, F_SIZE, 12, "size", &size, err))
		return -1;
	if (size < 0 || (uint64_t)size > w->size - w->pos)
		return walk_truncated(err);
	if (flag != 'g' && flag != 'V' && read_extended(w, flag, (uint64_t)size, err))
		return -1;
	w->pos = walk_padded(w->pos + (uint64_t)size);
	return 0;
}

/* A header, w->pos being behind it: 1 w->e is an entry, 0 more to read, -1. */
static int take_header(struct layer_walk *w, const unsigned char *b, struct err **err)
{
	if (++w->count > LAYER_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d entries", LAYER_ENTRIES_MAX);
	if (!checksum_ok(b))
		return err_set(err, ERR_CORRUPT, "not a tar header");
	w->pos += WALK_BLOCK;
	if (b[F_TYPE] && strchr("xXgLKV", b[F_TYPE]))
		return take_extended(w, b, err);
	int rc = tar_walk_take_entry(w, b, err);
	if (rc == 0)
		forget_extended(w);
	return rc;
}

static int next_entry(struct layer_walk *w, struct err **err)
{
	int rc = 0;

	while (rc == 0) {
		const unsigned char *b = NULL;
		if (w->pos < w->size && !(b = walk_block(w, w->pos, err)))
			return -1;
		if (!b || all_zero(b))
			return at_end(w, err) < 0 ? -1 : 0;
		rc = take_header(w, b, err);
	}
	return rc;
}

/* On to the record of an entry that is still to come. */
static int next_time(struct layer_walk *w, struct err **err)
{
	int rc;

	while ((rc = layer_times_next(&w->times, err)) > 0 && !w->times.entry)
		;
	w->timed = rc > 0;
	return rc < 0 ? -1 : 0;
}

int layer_walk_times(struct layer_walk *w, const struct layer_times *times, struct err **err)
{
	return layer_times_open(&w->times, times, err) ? -1 : next_time(w, err);
}

static int add_time(struct layer_walk *w, struct err **err)
{
	if (++w->entries != w->times.entry || !w->timed)
		return 0;
	w->e.mtime_ns = w->times.nsec;
	return next_time(w, err);
}

int layer_walk_next(struct layer_walk *w, const struct layer_entry **out, struct err **err)
{
	if (w->done)
		return 0;
	forget_extended(w);
	uint64_t start = w->pos;
	int rc = next_entry(w, err);
	if (rc > 0 && add_time(w, err))
		rc = -1;
	if (rc < 0) {
		w->done = true;
		return err_prefix(err, "tar entry at byte %llu", (unsigned long long)start);
	}
	if (rc == 0)
		w->done = true;
	else
		*out = &w->e;
	return rc;
}

int layer_walk_check(int fd, uint64_t size, struct err **err)
{
	auto_layer_walk struct layer_walk *w = layer_walk_new(fd, size);
	const struct layer_entry *e;
	int r;

	while ((r = layer_walk_next(w, &e, err)) > 0)
		;
	return r;
}

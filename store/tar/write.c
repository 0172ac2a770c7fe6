// SPDX-License-Identifier: Apache-2.0
/*
 * The tar writer. POSIX.1-2001 (pax): a ustar header of 512 bytes, preceded by an extended header
 * only for what does not fit. Nothing of this machine or moment gets in: no user names, no access
 * times, a constant name for extended headers, attributes sorted by name. Whiteouts are empty
 * files with mode, owner and time 0.
 *
 * The header of a file with holes says how much of it is stored, so the holes are found first
 * (holes.c), which reads little.
 */
#include "store/tar/write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/holes.h"
#include "store/tar/times.h"
#include "store/tar/block.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"

#define NAME_ROOM (LAYER_PATH_MAX + 32) /* ".wh..wh..opq", a '/', "./" */
#define OCTAL7    ((uint64_t)1 << 21)   /* first value that 7 octal digits cannot hold */
#define OCTAL11   ((uint64_t)1 << 33)

struct layer_writer {
	struct hashpipe *pipe; /* owned when own */
	bool own;
	bool failed;
	bool in_full;              /* no holes */
	struct layer_times *times; /* or NULL; borrowed */
	struct buf pax;            /* records of the entry being written */
	struct buf map;            /* of its pieces */
	char name[NAME_ROOM];
};

/* Offsets and widths of POSIX.1-1988 ustar. */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char pad[12];
};
_Static_assert(sizeof(struct ustar) == LAYER_TAR_BLOCK, "ustar header");

struct layer_writer *layer_writer_into(struct hashpipe *pipe)
{
	struct layer_writer *w = mem_alloc(sizeof *w);
	w->pipe = pipe;
	buf_init(&w->pax, (size_t)LAYER_PAX_MAX);
	buf_init(&w->map, LAYER_MAP_MAX);
	return w;
}

struct layer_writer *layer_writer_new(struct io_writer out)
{
	struct layer_writer *w = layer_writer_into(hashpipe_new(out, false));
	w->own = true;
	return w;
}

void layer_writer_free(struct layer_writer *w)
{
	if (!w)
		return;
	if (w->own)
		hashpipe_free(w->pipe);
	buf_clear(&w->pax);
	buf_clear(&w->map);
	free(w);
}

void layer_writer_in_full(struct layer_writer *w)
{
	w->in_full = true;
}

static int tar_write_put(struct layer_writer *w, const void *p, size_t n, struct err **err)
{
	return hashpipe_put(w->pipe, p, n, err);
}

static int put_zeros(struct layer_writer *w, uint64_t n, struct err **err)
{
	while (n > 0) {
		size_t room;
		void *to = hashpipe_room(w->pipe, &room);
		size_t k = n < room ? (size_t)n : room;
		memset(to, 0, k);
		if (hashpipe_filled(w->pipe, k, err))
			return -1;
		n -= k;
	}
	return 0;
}

static int put_fd(struct layer_writer *w, int fd, uint64_t off, uint64_t n, const char *path,
	struct err **err)
{
	while (n > 0) {
		size_t room;
		void *to = hashpipe_room(w->pipe, &room);
		ssize_t k = pread(fd, to, n < room ? (size_t)n : room, (off_t)off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			auto_free char *shown = layer_show(path);
			return k < 0 ? err_sys(err, "reading %s", shown)
				     : err_set(err, ERR_CONTEXT, "%s: changed while it was read",
					       shown);
		}
		if (hashpipe_filled(w->pipe, (size_t)k, err))
			return -1;
		off += (uint64_t)k;
		n -= (uint64_t)k;
	}
	return 0;
}

/* --- header ------------------------------------------------------------------------------ */

static void octal(char *field, size_t width, uint64_t v)
{
	for (size_t i = width - 1; i-- > 0; v >>= 3)
		field[i] = (char)('0' + (v & 7));
	field[width - 1] = 0;
}

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void pax_record(
	struct layer_writer *w, const char *prefix, const char *key, const void *value, size_t n)
{
	size_t body = strlen(prefix) + strlen(key) + n + 3; /* ' ', '=', '\n' */
	size_t digits = 1;
	for (size_t limit = 10; body + digits >= limit; limit *= 10)
		digits++;
	buf_addf(&w->pax, "%zu %s%s=", body + digits, prefix, key);
	buf_add(&w->pax, value, n);
	buf_addc(&w->pax, '\n');
}

static void pax_number(struct layer_writer *w, const char *key, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)v);
	pax_record(w, "", key, text, (size_t)n);
}

static void tar_write_number(
	struct layer_writer *w, char *field, size_t width, const char *key, int64_t v)
{
	uint64_t limit = width == 8 ? OCTAL7 : OCTAL11;
	if (v >= 0 && (uint64_t)v < limit) {
		octal(field, width, (uint64_t)v);
		return;
	}
	octal(field, width, 0);
	pax_number(w, key, v);
}

/* Into name and prefix. False: ustar cannot hold it, and the first 100 bytes are there. */
static bool fit_name(struct ustar *h, const char *name)
{
	size_t n = strlen(name);
	if (n <= sizeof h->name) {
		memcpy(h->name, name, n);
		return true;
	}
	for (size_t i = n - sizeof h->name - 1; i < n - 1 && i <= sizeof h->prefix; i++) {
		if (i == 0 || name[i] != '/')
			continue;
		memcpy(h->prefix, name, i);
		memcpy(h->name, name + i + 1, n - i - 1);
		return true;
	}
	memcpy(h->name, name, sizeof h->name);
	return false;
}

static void put_name(struct layer_writer *w, struct ustar *h, const char *name)
{
	if (!fit_name(h, name))
		pax_record(w, "", "path", name, strlen(name));
}

/* What a sparse file is called is in a record. Who does not know the form finds the map and the
 * pieces under another name, as GNU tar chose it, and takes them for no file of the layer. */
static void tar_write_put_sparse(
	struct layer_writer *w, struct ustar *h, const char *name, const struct layer_entry *e)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	auto_free char *other =
		mem_printf("%.*sGNUSparseFile.0/%s", (int)(base - name), name, base);

	fit_name(h, other);
	pax_number(w, "GNU.sparse.major", 1);
	pax_number(w, "GNU.sparse.minor", 0);
	pax_record(w, "", "GNU.sparse.name", name, strlen(name));
	pax_number(w, "GNU.sparse.realsize", (int64_t)e->size);
}

static void put_link(struct layer_writer *w, struct ustar *h, const char *link)
{
	size_t n = strlen(link);
	if (n > sizeof h->link) {
		pax_record(w, "", "linkpath", link, n);
		n = sizeof h->link;
	}
	memcpy(h->link, link, n);
}

static void seal(struct ustar *h)
{
	memcpy(h->magic, "ustar\00000", 8);
	memset(h->checksum, ' ', sizeof h->checksum);
	const unsigned char *b = (const unsigned char *)h;
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof *h; i++)
		sum += b[i];
	octal(h->checksum, 7, sum); /* six digits, NUL, space: as every tar writes it */
}

static int put_pax(struct layer_writer *w, const char *path, struct err **err)
{
	if (w->pax.full) {
		auto_free char *shown = layer_show(path);
		return err_set(err, ERR_LIMIT, "%s: name and attributes exceed %llu bytes", shown,
			(unsigned long long)LAYER_PAX_MAX);
	}
	if (!w->pax.len)
		return 0;
	struct ustar h = {.type = 'x'};
	memcpy(h.name, "././@PaxHeader", 14);
	octal(h.mode, sizeof h.mode, 0644);
	octal(h.uid, sizeof h.uid, 0);
	octal(h.gid, sizeof h.gid, 0);
	octal(h.size, sizeof h.size, w->pax.len);
	octal(h.mtime, sizeof h.mtime, 0);
	octal(h.major, sizeof h.major, 0);
	octal(h.minor, sizeof h.minor, 0);
	seal(&h);
	if (tar_write_put(w, &h, sizeof h, err) || tar_write_put(w, w->pax.data, w->pax.len, err))
		return -1;
	return put_zeros(w, -w->pax.len % LAYER_TAR_BLOCK, err);
}

static int add_xattrs(struct layer_writer *w, const struct layer_entry *e, struct err **err)
{
	if (!e->nxattrs)
		return 0;
	auto_free struct layer_xattr *x = mem_dup(e->xattrs, e->nxattrs * sizeof *x);
	layer_xattrs_sort(x, e->nxattrs);
	for (size_t i = 0; i < e->nxattrs; i++) {
		if (!layer_xattr_carried(x[i].name))
			continue;
		if (strchr(x[i].name, '=')) {
			auto_free char *shown = layer_show(e->path),
				       *attr = fs_printable(x[i].name);
			return err_set(err, ERR_BUILD,
				"%s: a layer cannot carry the attribute \"%s\": its name has a '='",
				shown, attr);
		}
		pax_record(w, "SCHILY.xattr.", x[i].name, x[i].value, x[i].len);
	}
	return 0;
}

static char type_flag(enum layer_type t)
{
	switch (t) {
	case LAYER_FILE:
	case LAYER_WHITEOUT:
	case LAYER_OPAQUE:
		return '0';
	case LAYER_HARDLINK:
		return '1';
	case LAYER_SYMLINK:
		return '2';
	case LAYER_CHAR:
		return '3';
	case LAYER_BLOCK:
		return '4';
	case LAYER_DIR:
		return '5';
	case LAYER_FIFO:
		return '6';
	}
	return '0';
}

/* The name as it stands in the tar. */
static void tar_name(char out[NAME_ROOM], const struct layer_entry *e)
{
	const char *slash = strrchr(e->path, '/');
	int dir = slash ? (int)(slash - e->path) + 1 : 0;
	if (e->type == LAYER_WHITEOUT)
		snprintf(out, NAME_ROOM, "%.*s" LAYER_WH "%s", dir, e->path, e->path + dir);
	else if (e->type == LAYER_OPAQUE)
		snprintf(out, NAME_ROOM, "%s%s" LAYER_WH_OPAQUE, e->path, *e->path ? "/" : "");
	else if (e->type == LAYER_DIR)
		snprintf(out, NAME_ROOM, "%s/", *e->path ? e->path : ".");
	else
		snprintf(out, NAME_ROOM, "%s", e->path);
}

static bool has_reserved_name(const char *path)
{
	for (const char *p = path; *p;) {
		size_t k = strcspn(p, "/");
		if (layer_name_reserved(p, k))
			return true;
		p += k + (p[k] == '/');
	}
	return false;
}

static bool bad_link(const struct layer_entry *e)
{
	if (e->type != LAYER_SYMLINK && e->type != LAYER_HARDLINK)
		return false;
	return !e->link || !*e->link || strlen(e->link) > LAYER_PATH_MAX;
}

static int tar_write_check_entry(const struct layer_entry *e, struct err **err)
{
	const char *wrong = NULL;
	enum err_kind kind = ERR_CORRUPT;

	if (!layer_name_valid(e->path)) {
		wrong = "is not a name that a layer can hold";
	} else if (!*e->path && e->type != LAYER_DIR && e->type != LAYER_OPAQUE) {
		wrong = "the root can only be a directory";
	} else if (bad_link(e)) {
		wrong = "a link without a target, or with a very long one";
	} else if (e->type == LAYER_CHAR && !e->dev_major && !e->dev_minor) {
		wrong = "a character device 0:0 means a deleted file";
		kind = ERR_UNSUPPORTED;
	} else if (e->dev_major >= OCTAL7 || e->dev_minor >= OCTAL7) {
		wrong = "a device number out of range";
	} else if (has_reserved_name(e->path)) {
		wrong = "a layer cannot hold names that begin with \".wh.\"";
		kind = ERR_BUILD;
	}
	if (!wrong)
		return 0;
	auto_free char *shown = layer_show(e->path);
	return err_set(err, kind, "%s: %s", shown, wrong);
}

/* Bytes of an entry behind its header; makes the text of the map. */
static uint64_t stored_size(
	struct layer_writer *w, const struct layer_entry *e, const struct layer_map *map)
{
	buf_reset(&w->map);
	if (e->type != LAYER_FILE)
		return 0;
	if (!map->sparse)
		return e->size;
	layer_map_text(map, e->size, &w->map);
	return w->map.len + layer_map_bytes(map);
}

static int tar_write_put_header(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, struct err **err)
{
	struct ustar h = {.type = type_flag(e->type)};
	bool bare = e->type == LAYER_WHITEOUT || e->type == LAYER_OPAQUE;
	bool device = e->type == LAYER_CHAR || e->type == LAYER_BLOCK;

	buf_reset(&w->pax);
	tar_name(w->name, e);
	if (map->sparse)
		tar_write_put_sparse(w, &h, w->name, e);
	else
		put_name(w, &h, w->name);
	if (e->type == LAYER_SYMLINK || e->type == LAYER_HARDLINK)
		put_link(w, &h, e->link);
	octal(h.mode, sizeof h.mode, bare ? 0 : e->mode & 07777);
	tar_write_number(w, h.size, sizeof h.size, "size", (int64_t)stored_size(w, e, map));
	tar_write_number(w, h.uid, sizeof h.uid, "uid", bare ? 0 : e->uid);
	tar_write_number(w, h.gid, sizeof h.gid, "gid", bare ? 0 : e->gid);
	tar_write_number(w, h.mtime, sizeof h.mtime, "mtime", bare ? 0 : e->mtime);
	octal(h.major, sizeof h.major, device ? e->dev_major : 0);
	octal(h.minor, sizeof h.minor, device ? e->dev_minor : 0);
	if (!bare && e->type != LAYER_HARDLINK && add_xattrs(w, e, err))
		return -1;
	if (put_pax(w, e->path, err))
		return -1;
	seal(&h);
	return tar_write_put(w, &h, sizeof h, err) || tar_write_put(w, w->map.data, w->map.len, err)
		       ? -1
		       : 0;
}

/* --- content ------------------------------------------------------------------------------ */

/* Bytes `off` to `end` of a file that is in pieces already; zeros in between. */
static int put_extents(struct layer_writer *w, const struct layer_entry *e, uint64_t off,
	uint64_t end, struct err **err)
{
	for (size_t i = 0; i < e->nextents && e->extents[i].off < end; i++) {
		const struct layer_extent *x = &e->extents[i];
		if (x->off + x->len <= off)
			continue;
		uint64_t from = x->off > off ? x->off : off;
		uint64_t to = x->off + x->len < end ? x->off + x->len : end;
		if (put_zeros(w, from - off, err) ||
			put_fd(w, e->fd, x->data + (from - x->off), to - from, e->path, err))
			return -1;
		off = to;
	}
	return put_zeros(w, end - off, err);
}

static int put_range(struct layer_writer *w, const struct layer_entry *e, int fd, uint64_t off,
	uint64_t len, struct err **err)
{
	if (e->extents)
		return put_extents(w, e, off, off + len, err);
	switch (e->source) {
	case LAYER_NO_DATA:
		return len ? err_set(err, ERR_CORRUPT, "a file without its content") : 0;
	case LAYER_DATA_MEM:
		return tar_write_put(w, (const char *)e->mem + off, (size_t)len, err);
	case LAYER_DATA_FD:
		return put_fd(w, e->fd, e->data_off + off, len, e->path, err);
	case LAYER_DATA_PATH:
		return put_fd(w, fd, off, len, e->path, err);
	}
	return 0;
}

/* What is hashed as the content has its holes. */
static int put_pieces(struct layer_writer *w, const struct layer_entry *e, int fd,
	const struct layer_map *map, bool hashed, struct err **err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < map->n; i++) {
		const struct layer_extent *x = &map->v[i];
		if (hashed)
			hashpipe_hole(w->pipe, x->off - at);
		if (put_range(w, e, fd, x->off, x->len, err))
			return -1;
		at = x->off + x->len;
	}
	if (hashed)
		hashpipe_hole(w->pipe, e->size - at);
	return 0;
}

/* Pieces that overlap would be written more than once. */
static int check_extents(const struct layer_entry *e, struct err **err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < e->nextents; i++) {
		const struct layer_extent *x = &e->extents[i];
		if (x->off < at || x->off > e->size || x->len > e->size - x->off)
			return err_set(err, ERR_CORRUPT, "a sparse file whose pieces overlap");
		at = x->off + x->len;
	}
	return 0;
}

/* Opened once, checked through the descriptor: a name that is exchanged meanwhile is noticed. */
static int open_source(const struct layer_entry *e, struct err **err)
{
	auto_fd int fd = fs_open_beneath(
		e->fd, e->src_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, FS_NOLINKS);
	struct stat st;
	auto_free char *shown = layer_show(e->src_path);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == ENXIO))
		return err_set(err, ERR_CONTEXT, "%s: changed while it was read", shown);
	if (fd < 0 || fstat(fd, &st))
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size)
		return err_set(err, ERR_CONTEXT, "%s: changed while it was read", shown);
	return TAKE_FD(fd);
}

static int tar_write_put_file(struct layer_writer *w, const struct layer_entry *e, int fd,
	const struct layer_map *map, struct err **err)
{
	bool hashed = e->expect || e->learn;
	uint64_t stored = map->sparse ? layer_map_bytes(map) : e->size;

	if (hashed)
		hashpipe_begin(w->pipe);
	if (map->sparse ? put_pieces(w, e, fd, map, hashed, err)
			: put_range(w, e, fd, 0, e->size, err))
		return -1;
	if (hashed)
		hashpipe_end(w->pipe, e->learn, e->expect);
	return put_zeros(w, -stored % LAYER_TAR_BLOCK, err);
}

/* The header, and with `whole` the content. map: NULL to look for holes. */
static int tar_write_put_entry(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, bool whole, struct err **err)
{
	auto_layer_map struct layer_map found = {.v = NULL};
	bool file = e->type == LAYER_FILE;
	auto_fd int fd = -1;

	if (tar_write_check_entry(e, err) || (file && check_extents(e, err)))
		return -1;
	if (file && e->source == LAYER_DATA_PATH && !e->extents) {
		fd = open_source(e, err);
		if (fd < 0)
			return -1;
	}
	if (!map && file && !w->in_full && layer_map_find(e, fd, &found, err))
		return -1;
	map = map ? map : &found;
	if (tar_write_put_header(w, e, map, err))
		return -1;
	return file && whole ? tar_write_put_file(w, e, fd, map, err) : 0;
}

static int tar_write_write_entry(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, bool whole, struct err **err)
{
	if (w->failed)
		return err_set(err, ERR_SYS, "the tar was given up after an error");
	w->failed = tar_write_put_entry(w, e, map, whole, err) != 0;
	if (!w->failed && w->times)
		layer_times_entry(w->times, e);
	return w->failed ? -1 : 0;
}

int layer_writer_add(struct layer_writer *w, const struct layer_entry *e, struct err **err)
{
	return tar_write_write_entry(w, e, NULL, true, err);
}

int layer_writer_head(struct layer_writer *w, const struct layer_entry *e, struct err **err)
{
	return tar_write_write_entry(w, e, NULL, false, err);
}

int layer_writer_add_mapped(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, struct err **err)
{
	return tar_write_write_entry(w, e, map, true, err);
}

void layer_writer_times(struct layer_writer *w, struct layer_times *times)
{
	w->times = times;
}

int layer_writer_finish(struct layer_writer *w, struct err **err)
{
	if (w->failed)
		return err_set(err, ERR_SYS, "the tar was given up after an error");
	if (put_zeros(w, (uint64_t)2 * LAYER_TAR_BLOCK, err) || hashpipe_finish(w->pipe, NULL, err))
		return -1;
	if (!hashpipe_wrong(w->pipe))
		return 0;
	w->failed = true;
	return err_set(err, ERR_CONTEXT, "changed while it was read");
}

const struct digest *layer_writer_changed(const struct layer_writer *w)
{
	return hashpipe_wrong(w->pipe);
}

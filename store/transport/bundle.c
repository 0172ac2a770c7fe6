// SPDX-License-Identifier: Apache-2.0
/*
 * An image archive as a table of its files: read through once, sorted, then found by bisection.
 * Data stays where it is and is read by offset. Links are followed inside the archive only; of two
 * entries of one name the later counts, as it would after unpacking.
 */
#include "store/transport/bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"
#include "store/tar/userarchive.h"

#define HASH_PIECE ((size_t)256 << 10)

struct bundle {
	struct layer_archive *archive;
	int fd;
	struct bundle_file
		*v; /* in order of the archive until it is read, then sorted; a later entry wins */
	size_t n, cap;
};

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].name);
		free(b->v[i].link);
	}
	free(b->v);
	layer_archive_close(b->archive);
	fd_close(b->fd);
	free(b);
}

static int bundle_by_name(const void *a, const void *b)
{
	const struct bundle_file *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->off < y->off) - (x->off > y->off);
}

/* "a/b" with "../c" is "c"; what leaves the archive stays at its top. Owned. */
static char *bundle_resolve(const char *from, const char *link)
{
	const char *slash = strrchr(from, '/');
	char *out = mem_printf("%.*s", *link == '/' || !slash ? 0 : (int)(slash - from), from);

	while (*link) {
		size_t n = strcspn(link, "/");
		char *up = strrchr(out, '/');
		char *next;

		if (n == 2 && strncmp(link, "..", 2) == 0) {
			*(up ? up : out) = '\0';
		} else if (n > 0 && !(n == 1 && *link == '.')) {
			next = mem_printf("%s%s%.*s", out, *out ? "/" : "", (int)n, link);
			free(out);
			out = next;
		}
		link += n + (link[n] == '/');
	}
	return out;
}

static int bundle_add(struct bundle *b, const struct layer_entry *e, struct err **err)
{
	struct bundle_file f = {.fd = e->fd, .off = e->data_off, .size = e->size};

	if (e->type != LAYER_FILE && e->type != LAYER_SYMLINK && e->type != LAYER_HARDLINK)
		return 0;
	if (b->n == BUNDLE_FILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d files", BUNDLE_FILES_MAX);
	if (e->type != LAYER_FILE)
		f.link = e->type == LAYER_HARDLINK ? mem_strdup(e->link)
						   : bundle_resolve(e->path, e->link);
	f.name = mem_strdup(e->path);
	MEM_PUSH(b->v, b->n, b->cap) = f;
	return 0;
}

struct bundle *bundle_open(struct store *s, const char *path, struct err **err)
{
	auto_bundle struct bundle *b = mem_alloc(sizeof *b);
	auto_free char *shown = fs_printable(path);
	const struct layer_entry *e;
	int rc;

	b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (b->fd < 0) {
		err_sys_kind(err, ERR_CONTEXT, "%s", shown);
		return NULL;
	}
	b->archive = layer_archive_open(b->fd, store_spool_fd(s), BUNDLE_BYTES_MAX, err);
	if (!b->archive) {
		err_prefix(err, "%s", shown);
		return NULL;
	}
	while ((rc = layer_archive_next(b->archive, &e, err)) > 0)
		if (bundle_add(b, e, err) < 0)
			rc = -1;
	if (rc < 0) {
		err_prefix(err, "%s", shown);
		return NULL;
	}
	if (b->n)
		qsort(b->v, b->n, sizeof *b->v, bundle_by_name);
	return TAKE(b);
}

static const struct bundle_file *bundle_find_file(const struct bundle *b, const char *name)
{
	size_t low = 0, high = b->n;

	while (low < high) { /* the first of this name: the latest in the archive */
		size_t mid = low + (high - low) / 2;
		if (strcmp(b->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->n && strcmp(b->v[low].name, name) == 0 ? &b->v[low] : NULL;
}

const struct bundle_file *bundle_find(const struct bundle *b, const char *name)
{
	const struct bundle_file *f;

	while (strncmp(name, "./", 2) == 0)
		name += 2;
	f = bundle_find_file(b, name);
	for (int i = 0; f && f->link; i++)
		f = i == BUNDLE_LINKS_MAX ? NULL : bundle_find_file(b, f->link);
	return f;
}

static int bundle_hash_file(const struct bundle_file *f, struct digest *out, struct err **err)
{
	auto_free char *piece = mem_grow(NULL, HASH_PIECE, 1);
	struct sha256 h;

	sha256_init(&h);
	for (uint64_t at = 0; at < f->size;) {
		size_t n = f->size - at < HASH_PIECE ? (size_t)(f->size - at) : HASH_PIECE;

		if (fs_pread_all(f->fd, piece, n, f->off + at) < 0)
			return err_sys_kind(err, ERR_CONTEXT, "reading a layer");
		sha256_update(&h, piece, n);
		at += n;
	}
	sha256_final(&h, out);
	return 0;
}

int bundle_digest(
	struct bundle *b, const struct bundle_file *f, struct digest *out, struct err **err)
{
	struct bundle_file *mine = &b->v[f - b->v];

	if (!mine->hashed && bundle_hash_file(mine, &mine->digest, err) < 0)
		return -1;
	mine->hashed = true;
	*out = mine->digest;
	return 0;
}

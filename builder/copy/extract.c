// SPDX-License-Identifier: Apache-2.0
/*
 * ADD of a local archive: its entries merged over the destination. Unlike COPY, whatever is in the
 * way of an entry is replaced, a whole directory included; only a directory over a directory is
 * merged. The destination is the root of every name and link in the archive, as if it were unpacked
 * in a chroot there: an absolute link and ".." stay below it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "builder/copy/target.h"
#include "store/base/path.h"
#include "builder/copy/place.h"
#include "parser/ignore.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/userarchive.h"
#include "store/tree/tree.h"

/* The content of a file of a tree in a file of its own, because an archive is read from one. */
static int spool_node(struct copy_selection *s, const struct copy_file *f, struct err **err)
{
	struct layer_entry e;
	auto_fd int fd = copy_fetch_spool(s->tmp_fd, err);
	uint64_t at = 0;

	if (fd < 0)
		return -1;
	copy_file_entry(f, NULL, &e);
	copy_file_data(f, &e);
	struct layer_extent all = {.len = e.size, .data = e.data_off};
	const struct layer_extent *x = e.extents ? e.extents : &all;
	size_t n = e.extents ? e.nextents : 1;
	if (e.source == LAYER_DATA_MEM) {
		if (fs_write_all(fd, e.mem, (size_t)e.size) < 0)
			return err_sys(err, "a temporary file");
		return TAKE_FD(fd);
	}
	for (size_t i = 0; i < n; i++) {
		at = x[i].off;
		if (lseek(fd, (off_t)at, SEEK_SET) < 0 ||
			fs_copy_range(e.fd, x[i].data, x[i].len, fd) < 0)
			return err_sys(err, "a temporary file");
	}
	if (ftruncate(fd, (off_t)e.size) < 0)
		return err_sys(err, "a temporary file");
	return TAKE_FD(fd);
}

static int extract_open_file(struct copy_selection *s, const struct copy_file *f, struct err **err)
{
	struct stat st;

	if (f->content == COPY_CONTENT_NODE)
		return spool_node(s, f, err);
	if (f->content == COPY_CONTENT_FD) {
		int own = fcntl(f->x->fd, F_DUPFD_CLOEXEC, 3);
		return own < 0 ? err_sys(err, "a temporary file") : own;
	}
	struct copy_opener o;
	copy_opener_init(&o, s);
	int fd = copy_opener_open(&o, f, &st);
	if (fd < 0)
		copy_file_fail(f, err);
	int saved = errno;
	copy_opener_clear(&o);
	errno = saved;
	return fd;
}

int copy_extract_probe(struct copy_selection *s, const struct copy_file *f, struct err **err)
{
	if (f->stated && f->content == COPY_CONTENT_NONE) /* empty, or a socket */
		return 0;
	auto_fd int fd = extract_open_file(s, f, err);
	return fd < 0 ? -1 : layer_archive_probe(fd, err);
}

static struct copy_attrs attrs_of(const struct copy_placed *p, const struct layer_entry *e)
{
	const struct copy_dest *d = &p->d;
	bool set = p->tree && e->type != LAYER_SYMLINK;

	return (struct copy_attrs){
		.mode = set ? copy_place_mode(d, e->mode & 07777, e->type == LAYER_DIR)
			    : e->mode & 07777,
		.uid = d->has_owner ? d->uid : e->uid,
		.gid = d->has_owner ? d->gid : e->gid,
		.mtime = e->mtime,
		.mtime_ns = e->mtime_ns,
	};
}

/* An entry whose strings outlive the archive's next one. */
static struct layer_entry *own_entry(struct copy_target *t, const struct layer_entry *e)
{
	struct layer_entry *own = copy_pool_alloc(&t->pool, sizeof *own);

	*own = *e;
	own->path = NULL;
	own->link = e->link ? copy_pool_strdup(&t->pool, e->link) : NULL;
	own->xattrs = copy_pool_xattrs(&t->pool, e->xattrs, e->nxattrs);
	if (e->nextents) {
		size_t size = e->nextents * sizeof *e->extents;
		own->extents = memcpy(copy_pool_alloc(&t->pool, size), e->extents, size);
	}
	if (e->source == LAYER_DATA_MEM && e->size)
		own->mem =
			memcpy(copy_pool_alloc(&t->pool, (size_t)e->size), e->mem, (size_t)e->size);
	return own;
}

/* Does the node stand where the directory part of the name says, or did links lead elsewhere? */
static bool as_written(const struct copy_node *n, const struct copy_node *at, const char *dir)
{
	for (size_t len = strlen(dir); n != at; n = n->parent) {
		size_t name = strlen(n->name);
		while (len > 0 && dir[len - 1] == '/')
			len--;
		if (len < name || memcmp(dir + len - name, n->name, name) != 0)
			return false;
		len -= name;
	}
	return true;
}

/* The node of a name of the archive; directories on the way are made, but not at the end of a link
 * that leads nowhere. */
static struct copy_node *node_of(
	struct copy_placed *p, struct copy_node *at, const char *path, bool make, struct err **err)
{
	struct copy_attrs made = copy_place_made(&p->d, false);
	const char *base = path_base(path);
	auto_free char *dir = mem_strndup(path, (size_t)(base - path));
	struct copy_node *parent = copy_target_walk(&p->target, at, dir, true, err);

	if (!parent)
		return NULL;
	if (copy_target_type(parent) == COPY_TARGET_ABSENT && !as_written(parent, at, dir)) {
		auto_free char *shown = copy_target_show(parent);
		err_set(err, ERR_CONTEXT,
			"a link on the way leads to %s, which is not there (links of an archive "
			"lead below the destination)",
			shown);
		return NULL;
	}
	if (make && copy_target_mkdirs(&p->target, parent, &made, err) < 0)
		return NULL;
	return copy_target_child(&p->target, parent, base, strlen(base));
}

/* The file has the attributes of the link's header from now on, under all its names, as whatever
 * unpacks an archive entry by entry has it. */
static int extract_add_link(struct copy_placed *p, struct copy_node *at,
	const struct layer_entry *e, struct copy_node *n, struct err **err)
{
	struct copy_attrs a = attrs_of(p, e);
	auto_free char *link = path_clean(e->link, NULL);
	struct copy_node *to = *link ? node_of(p, at, link, false, err) : at;

	if (!to)
		return -1;
	int type = copy_target_type(to);
	if (type == COPY_TARGET_ABSENT || type == LAYER_DIR) {
		auto_free char *shown = fs_printable(e->link);
		return err_set(err, ERR_CONTEXT, "hard link to %s, which is %s", shown,
			type == LAYER_DIR ? "a directory" : "not there");
	}
	if (to == n)
		return 0;
	if (!to->file && !to->own) { /* of a layer below: the link becomes a copy */
		struct layer_entry below;
		layer_node_attrs(to->below, &below);
		if (below.type == LAYER_SYMLINK)
			a = (struct copy_attrs){
				below.mode, a.uid, a.gid, below.mtime, below.mtime_ns};
		copy_target_put_entry(n, own_entry(&p->target, &below), NULL, &a);
		return 0;
	}
	if (!to->links)
		to->links = copy_pool_alloc(&p->target.pool, sizeof *to->links);
	to->links->attrs = a;
	if (to->file) {
		copy_target_put_file(n, to->file, to->source);
		n->links = to->links;
	} else {
		copy_target_put_entry(n, to->own, to->links, &to->attrs);
	}
	return 0;
}

static int extract_add_entry(
	struct copy_placed *p, struct copy_node *at, const struct layer_entry *e, struct err **err)
{
	struct copy_attrs a = attrs_of(p, e);
	struct copy_node *n = at;

	/* directories that something in them needs are made on the way */
	if (p->tree && p->s->exclude && ignore_match(p->s->exclude, slice_of(e->path), NULL))
		return 0;
	if (copy_target_type(at) != LAYER_DIR)
		return err_set(err, ERR_CONTEXT, "the archive replaces its own root");
	if (*e->path && !(n = node_of(p, at, e->path, true, err)))
		return -1;
	if (e->type == LAYER_HARDLINK)
		return extract_add_link(p, at, e, n, err);
	if (n == at && e->type != LAYER_DIR)
		return err_set(err, ERR_CONTEXT, "its root is not a directory");
	if (n == at && !p->tree) /* "./": the destination is the image's, not the archive's */
		return 0;
	copy_target_put_entry(n, own_entry(&p->target, e), NULL, &a);
	return 0;
}

/* The archive was digested earlier: what was unpacked must be the same bytes. */
static int check_same(int fd, const struct copy_file *f, struct err **err)
{
	struct layer_entry e = {.source = LAYER_DATA_FD, .fd = fd, .size = f->size};
	struct digest now;
	struct stat st;

	if (f->content != COPY_CONTENT_DIR)
		return 0;
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size == f->size &&
		copy_digest_content(&e, &now) == 0 && sha256_equal(&now, &f->digest))
		return 0;
	return err_set(err, ERR_CONTEXT, "changed while it was read");
}

static int unpack(struct copy_placed *p, int fd, const struct copy_file *f, struct copy_node *at,
	struct err **err)
{
	struct copy_selection *s = p->s;
	struct layer_archive *a = layer_archive_open(fd, s->tmp_fd, LAYER_SIZE_MAX, err);
	const struct layer_entry *e;
	int rc;

	if (!a)
		return -1;
	MEM_PUSH(s->archives, s->narchives, s->cap_archives) = a;
	while ((rc = layer_archive_next(a, &e, err)) > 0) {
		if (copy_selection_cancelled(s, err))
			return -1;
		if (copy_selection_add(s, 1, err) < 0)
			return -1;
		if (extract_add_entry(p, at, e, err) < 0) {
			auto_free char *shown = fs_printable(e->path);
			return err_prefix(err, "%s", shown);
		}
	}
	return rc < 0 ? -1 : check_same(fd, f, err);
}

int copy_extract(struct copy_placed *p, const struct copy_source *src, struct copy_node *at,
	struct err **err)
{
	const struct copy_file *f = src->file;
	auto_fd int fd = extract_open_file(p->s, f, err);

	p->tree = src->tree;
	if (fd < 0)
		return -1;
	if (unpack(p, fd, f, at, err) == 0)
		return 0;
	auto_free char *shown = copy_file_show(f);
	return err_prefix(err, "%s", shown);
}

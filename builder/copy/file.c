// SPDX-License-Identifier: Apache-2.0
/* One selected file: its name, its content, and how it looks as an entry of a layer. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "builder/copy/pool.h"
#include "builder/copy/vfs.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/statcache.h"
#include "store/tree/tree.h"

struct copy_extra *copy_file_extra(struct copy_file *f, struct copy_pool *pool)
{
	if (!f->x) {
		f->x = copy_pool_alloc(pool, sizeof *f->x);
		f->x->fd = -1;
	}
	return f->x;
}

char *copy_file_path(const struct copy_file *f)
{
	if (f->x && f->x->path)
		return mem_strdup(f->x->path);
	return path_join(f->parent->x->path, f->name);
}

char *copy_file_show(const struct copy_file *f)
{
	auto_free char *path = copy_file_path(f);

	return fs_printable(*path ? path : ".");
}

int copy_file_fail(const struct copy_file *f, struct err **err)
{
	int saved = errno;
	auto_free char *shown = copy_file_show(f);

	if (!saved || saved == ENOENT || saved == ELOOP || saved == ENOTDIR || saved == ENXIO)
		return err_set(err, ERR_CONTEXT, "%s: changed while it was read", shown);
	errno = saved;
	return err_sys_kind(err, ERR_CONTEXT, "cannot read %s", shown);
}

bool copy_file_unread(const struct copy_file *f)
{
	return f->content != COPY_CONTENT_NONE && f->state != COPY_KNOWN;
}

void copy_file_take(struct copy_file *f, const struct stat *st, int64_t clock, bool keep_owner)
{
	struct statcache_entry e;

	copy_dirsource_stat(st, f, keep_owner);
	statcache_of(st, &e);
	f->settled = statcache_settled(&e, clock);
}

void copy_file_entry(const struct copy_file *f, const char *path, struct layer_entry *e)
{
	const struct copy_extra *x = f->x;

	*e = (struct layer_entry){.path = path,
		.type = (enum layer_type)f->type,
		.mode = f->mode & 07777,
		.uid = f->uid,
		.gid = f->gid,
		.mtime = f->mtime,
		.mtime_ns = f->mtime_ns,
		.size = f->size,
		.fd = -1};
	if (!x)
		return;
	e->link = x->link;
	e->dev_major = x->dev_major;
	e->dev_minor = x->dev_minor;
	e->xattrs = x->xattrs;
	e->nxattrs = x->nxattrs;
}

void copy_file_data(const struct copy_file *f, struct layer_entry *e)
{
	struct layer_entry node;

	e->source = LAYER_NO_DATA;
	if (f->content == COPY_CONTENT_NODE) {
		layer_node_attrs(f->node, &node);
		e->source = node.source;
		e->fd = node.fd;
		e->data_off = node.data_off;
		e->mem = node.mem;
		e->extents = node.extents;
		e->nextents = node.nextents;
	} else if (f->content == COPY_CONTENT_MEM) {
		e->source = LAYER_DATA_MEM;
		e->mem = f->x->mem;
	} else if (f->content == COPY_CONTENT_FD) {
		e->source = LAYER_DATA_FD;
		e->fd = f->x->fd;
	}
}

/* --- opening ---------------------------------------------------------------------------------- */

void copy_opener_init(struct copy_opener *o, const struct copy_selection *s)
{
	*o = (struct copy_opener){.s = s, .fd = -1};
}

void copy_opener_clear(struct copy_opener *o)
{
	cleanup_fd(&o->fd);
	o->fd = -1;
	o->dir = NULL;
}

/* Symlinks are refused on the way and at the end. Non-blocking: the name may have become a FIFO
 * since it was listed. */
static int open_name(struct copy_opener *o, const struct copy_file *f, int flags)
{
	flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	if (!f->parent)
		return fs_open_beneath(o->s->dir_fd, f->x->path, flags, 0, FS_NOLINKS);
	if (o->dir != f->parent) {
		const char *path = f->parent->x->path;
		copy_opener_clear(o);
		o->fd = fs_open_beneath(o->s->dir_fd, *path ? path : ".",
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, FS_NOLINKS);
		if (o->fd < 0)
			return -1;
		o->dir = f->parent;
	}
	return openat(o->fd, f->name, flags);
}

int copy_opener_open(struct copy_opener *o, const struct copy_file *f, struct stat *st)
{
	auto_fd int fd = open_name(o, f, o->atime ? 0 : O_NOATIME);

	if (fd < 0 && errno == EPERM && !o->atime) { /* not the owner's */
		o->atime = true;
		fd = open_name(o, f, 0);
	}
	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = 0;
		return -1;
	}
	return TAKE_FD(fd);
}

static int read_xattrs(struct copy_selection *s, int fd, struct copy_file *f)
{
	if (flistxattr(fd, NULL, 0) == 0) {
		if (f->x)
			f->x->nxattrs = 0;
		return 0;
	}
	pthread_mutex_lock(&s->lock);
	int rc = copy_dirsource_xattrs(fd, &s->share->pool, f);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int copy_opener_read(
	struct copy_opener *o, struct copy_selection *s, struct copy_file *f, struct stat *st)
{
	int64_t clock = statcache_clock();
	auto_fd int fd = copy_opener_open(o, f, st);

	if (fd < 0)
		return -1;
	copy_file_take(f, st, clock, s->vfs.keep_owner);
	if (read_xattrs(s, fd, f) < 0)
		return -1;
	return TAKE_FD(fd);
}

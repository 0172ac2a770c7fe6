// SPDX-License-Identifier: Apache-2.0
// One selected file: its name, its content, and how it looks as an entry of a layer.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/copy/path.h"
#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

char *copy_file_path(const struct copy_file *f)
{
	return f->path ? mem_strdup(f->path) : copy_path_join(f->parent->path, f->name);
}

char *copy_file_show(const struct copy_file *f)
{
	auto_free char *path = copy_file_path(f);

	return fs_printable(*path ? path : ".");
}

int copy_file_open(const struct copy_selection *s, const struct copy_file *f, struct stat *st)
{
	auto_free char *path = copy_file_path(f);
	// Non-blocking: the name may have become a FIFO since it was listed.
	auto_fd int fd = fs_open_beneath(s->dir_fd, path,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, FS_NOLINKS);

	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = 0;
		return -1;
	}
	return TAKE_FD(fd);
}

static void set_data(const struct copy_selection *s, const struct copy_file *f,
	struct layer_entry *e, char **src)
{
	struct layer_entry node;

	switch (f->content) {
	case COPY_CONTENT_NONE:
		e->source = LAYER_NO_DATA;
		break;
	case COPY_CONTENT_DIR:
		*src = copy_file_path(f);
		e->source = LAYER_DATA_PATH;
		e->fd = s->dir_fd;
		e->src_path = *src;
		e->expect = &f->digest;
		break;
	case COPY_CONTENT_NODE:
		layer_node_attrs(f->node, &node);
		e->source = node.source;
		e->fd = node.fd;
		e->data_off = node.data_off;
		e->mem = node.mem;
		e->extents = node.extents;
		e->nextents = node.nextents;
		break;
	case COPY_CONTENT_MEM:
		e->source = LAYER_DATA_MEM;
		e->mem = f->mem;
		break;
	case COPY_CONTENT_FD:
		e->source = LAYER_DATA_FD;
		e->fd = f->fd;
		break;
	}
}

void copy_file_entry(const struct copy_selection *s, const struct copy_file *f, const char *path,
	struct layer_entry *e, char **src)
{
	*e = (struct layer_entry){.path = path,
		.type = f->type,
		.mode = f->mode,
		.uid = f->uid,
		.gid = f->gid,
		.mtime = f->mtime,
		.size = f->size,
		.link = f->link,
		.dev_major = f->dev_major,
		.dev_minor = f->dev_minor,
		.xattrs = f->xattrs,
		.nxattrs = f->nxattrs,
		.fd = -1};
	set_data(s, f, e, src);
}

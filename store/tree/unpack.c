// SPDX-License-Identifier: Apache-2.0
/*
 * A layer as an overlay lower directory. The tar is resolved in memory first (delta.c); what is
 * written is a plain tree of distinct names into an empty directory, each made with O_EXCL below
 * the descriptor of its parent. So the order, the links and the duplicates of a hostile tar never
 * meet a file system.
 *
 * A directory gets its owner, mode, attributes and time after its content. In a file the order is
 * content, owner, mode, attributes, time: chown(2) clears set-id bits and capabilities.
 */
#include "store/tree/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tree/node.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"

#define SMALL_FILE ((size_t)64 << 10)

struct unpack {
	const struct layer_unpack *u;
	const struct layer_node **first; /* owned; by inode number: the name that was made for it */
	char *buf;                       /* owned, SMALL_FILE bytes */
	char path[LAYER_PATH_MAX + 1];   /* here, not on the stack that recursion deepens */
};

static int unpack_fail_sys(const struct layer_node *n, const char *what, struct err **err)
{
	int saved = errno;
	auto_free char *path = mem_array(LAYER_PATH_MAX + 1, 1);
	layer_node_path(n, path);
	auto_free char *shown = layer_show(path);
	errno = saved;
	return err_sys(err, "unpacking %s: %s", shown, what);
}

/* Owner, mode, attributes and time of an open file or directory. */
static int set_meta(const struct layer_node *n, int fd, struct err **err)
{
	const struct layer_inode *i = n->inode;
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, layer_inode_time(i)};

	if (fchown(fd, i->uid, i->gid))
		return unpack_fail_sys(n, "owner", err);
	if (fchmod(fd, i->mode))
		return unpack_fail_sys(n, "mode", err);
	for (size_t k = 0; i->extra && k < i->extra->nxattrs; k++) {
		const struct layer_xattr *x = &i->extra->xattrs[k];
		if (fsetxattr(fd, x->name, x->value, x->len, 0))
			return unpack_fail_sys(n, x->name, err);
	}
	return futimens(fd, t) ? unpack_fail_sys(n, "time", err) : 0;
}

static int put_small(struct unpack *s, const struct layer_node *n, int fd, struct err **err)
{
	const struct layer_inode *i = n->inode;
	if (fs_pread_all(i->fd, s->buf, (size_t)i->size, i->data_off))
		return unpack_fail_sys(n, "reading the layer", err);
	return fs_write_all(fd, s->buf, (size_t)i->size) ? unpack_fail_sys(n, "content", err) : 0;
}

static int unpack_put_sparse(const struct layer_node *n, int fd, struct err **err)
{
	const struct layer_extra *x = n->inode->extra;
	for (size_t k = 0; x && k < x->nextents; k++) {
		const struct layer_extent *e = &x->extents[k];
		if (lseek(fd, (off_t)e->off, SEEK_SET) < 0 ||
			fs_copy_range(n->inode->fd, e->data, e->len, fd))
			return unpack_fail_sys(n, "content", err);
	}
	return ftruncate(fd, (off_t)n->inode->size) ? unpack_fail_sys(n, "size", err) : 0;
}

static int unpack_make_file(
	struct unpack *s, int dir_fd, const struct layer_node *n, struct err **err)
{
	const struct layer_inode *i = n->inode;
	auto_fd int fd =
		openat(dir_fd, n->name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = 0;
	if (fd < 0)
		return unpack_fail_sys(n, "making it", err);
	if (i->sparse)
		rc = unpack_put_sparse(n, fd, err);
	else if (i->size <= SMALL_FILE)
		rc = i->size ? put_small(s, n, fd, err) : 0;
	else if (fs_copy_range(i->fd, i->data_off, i->size, fd))
		rc = unpack_fail_sys(n, "content", err);
	return rc ? -1 : set_meta(n, fd, err);
}

/* Symlinks, devices and FIFOs: by name below the parent, never followed. */
static int make_other(int dir_fd, const struct layer_node *n, struct err **err)
{
	const struct layer_inode *i = n->inode;
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, layer_inode_time(i)};
	bool symlink = n->type == LAYER_SYMLINK;
	int rc;

	if (symlink) {
		rc = symlinkat(i->link, dir_fd, n->name);
	} else {
		mode_t type = n->type == LAYER_CHAR    ? S_IFCHR
			      : n->type == LAYER_BLOCK ? S_IFBLK
						       : S_IFIFO;
		rc = mknodat(dir_fd, n->name, type | 0600,
			makedev((unsigned)(i->size >> 32), (unsigned)i->size));
		if (rc && errno == EPERM && n->type != LAYER_FIFO)
			return unpack_fail_sys(
				n, "making a device needs root in the initial user namespace", err);
	}
	if (rc)
		return unpack_fail_sys(n, "making it", err);
	/* A mode by name would follow a link that took its place. */
	auto_fd int fd = symlink ? -1 : openat(dir_fd, n->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (!symlink && fd < 0)
		return unpack_fail_sys(n, "opening it", err);
	if (fchownat(dir_fd, n->name, i->uid, i->gid, AT_SYMLINK_NOFOLLOW))
		return unpack_fail_sys(n, "owner", err);
	if (!symlink && fs_chmod(fd, i->mode))
		return unpack_fail_sys(n, "mode", err);
	if (utimensat(dir_fd, n->name, t, AT_SYMLINK_NOFOLLOW))
		return unpack_fail_sys(n, "time", err);
	return 0;
}

/* 1: linked to a name that was made before, 0: this is the first, -1. */
static int try_link(struct unpack *s, int dir_fd, const struct layer_node *n, struct err **err)
{
	const struct layer_node **first = &s->first[n->inode->ino];
	if (!n->inode->linked)
		return 0;
	if (!*first) {
		*first = n;
		return 0;
	}
	layer_node_path(*first, s->path);
	return linkat(s->u->dest_fd, s->path, dir_fd, n->name, 0)
		       ? unpack_fail_sys(n, "hard link", err)
		       : 1;
}

static int fill_dir(struct unpack *s, int fd, const struct layer_node *n, struct err **err);

static int unpack_make_dir(
	struct unpack *s, int dir_fd, const struct layer_node *n, struct err **err)
{
	if (mkdirat(dir_fd, n->name, 0700))
		return unpack_fail_sys(n, "making it", err);
	auto_fd int fd = openat(dir_fd, n->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return unpack_fail_sys(n, "opening it", err);
	return fill_dir(s, fd, n, err);
}

static int make_node(struct unpack *s, int dir_fd, const struct layer_node *n, struct err **err)
{
	if (n->type == LAYER_DIR)
		return unpack_make_dir(s, dir_fd, n, err);
	if (n->type == LAYER_WHITEOUT) {
		/* Device 0:0 is allowed to everybody since Linux 5.8. */
		int rc = mknodat(dir_fd, n->name, S_IFCHR, 0);
		return rc ? unpack_fail_sys(n, "making a whiteout", err) : 0;
	}
	int rc = try_link(s, dir_fd, n, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	return n->type == LAYER_FILE ? unpack_make_file(s, dir_fd, n, err)
				     : make_other(dir_fd, n, err);
}

static int fill_dir(struct unpack *s, int fd, const struct layer_node *n, struct err **err)
{
	const char *opaque = s->u->userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
	for (uint32_t i = 0; i < n->nchild; i++)
		if (make_node(s, fd, n->child[i], err))
			return -1;
	if (layer_delta_opaque(n) && fsetxattr(fd, opaque, "y", 1, 0))
		return unpack_fail_sys(n, opaque, err);
	return set_meta(n, fd, err);
}

int layer_unpack(int tar_fd, const struct layer_unpack *u, struct err **err)
{
	auto_delta struct layer_delta d;
	if (layer_delta_read(&d, tar_fd, u->below, u->times, NULL, err))
		return -1;
	auto_free const struct layer_node **first = mem_array(d.own_ino + 1u, sizeof *first);
	auto_free char *buf = mem_array(SMALL_FILE, 1);
	struct unpack s = {.u = u, .first = first, .buf = buf};
	return fill_dir(&s, u->dest_fd, &d.root, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A root that is a directory of the user's. Whoever can write there may exchange files while we
 * look: every open goes from the root's descriptor with all symlinks refused, and named sources
 * that are symlinks are followed by reading the links ourselves.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/copy/pool.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "builder/copy/vfs.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define LIST_MAX 65536 /* XATTR_LIST_MAX of the kernel */

static int open_canon(int root, const char *canon, int flags)
{
	return fs_open_beneath(
		root, *canon ? canon : ".", flags | O_CLOEXEC | O_NOFOLLOW, 0, FS_NOLINKS);
}

/* One component of a path that may hold symlinks: canon/comp, or the link's text in *link. */
static int dirsource_step(int root, const char *canon, const char *comp, char **link, mode_t *mode)
{
	struct stat st;
	auto_fd int fd = open_canon(root, canon, O_PATH | O_DIRECTORY);

	if (fd < 0 || fstatat(fd, comp, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	*mode = st.st_mode;
	if (!S_ISLNK(st.st_mode))
		return 0;
	auto_free char *text = mem_alloc(LAYER_PATH_MAX + 1);
	ssize_t n = readlinkat(fd, comp, text, LAYER_PATH_MAX + 1);
	if (n < 0)
		return -1;
	if (n > LAYER_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	text[n] = '\0';
	*link = TAKE(text);
	return 0;
}

static void dirsource_parent_of(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

static void dirsource_replace(char **p, char *take)
{
	free(*p);
	*p = take;
}

static int resolve_slowly(int root, const char *path, char **canon)
{
	auto_free char *at = mem_strdup("");
	auto_free char *rest = mem_strdup(path);
	const char *p = rest, *comp;
	size_t n;
	int links = 0;

	while ((n = path_next(&p, &comp)) > 0) {
		auto_free char *name = mem_strndup(comp, n);
		auto_free char *link = NULL;
		mode_t mode = 0;

		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			dirsource_parent_of(at);
			continue;
		}
		if (dirsource_step(root, at, name, &link, &mode) < 0)
			return -1;
		if (!link) {
			if (!S_ISDIR(mode) && p[strspn(p, "/")]) {
				errno = ENOTDIR;
				return -1;
			}
			dirsource_replace(&at, path_join(at, name));
			continue;
		}
		if (++links > LAYER_SYMLINKS_MAX) {
			errno = ELOOP;
			return -1;
		}
		if (link[0] == '/')
			at[0] = '\0';
		dirsource_replace(&rest, mem_printf("%s/%s", link, p));
		p = rest;
	}
	*canon = TAKE(at);
	return 0;
}

static int dir_resolve(const struct copy_vfs *v, const char *path, char **canon)
{
	struct stat st;
	auto_fd int fd = open_canon(v->fd, path, O_PATH);

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode)) {
		*canon = mem_strdup(path);
		return 0;
	}
	if (fd < 0 && errno != ELOOP)
		return -1;
	return resolve_slowly(v->fd, path, canon);
}

static int dirsource_dir_open(const struct copy_vfs *v, const char *canon, struct copy_dir *d)
{
	d->node = NULL;
	d->fd = open_canon(v->fd, canon, O_RDONLY | O_DIRECTORY);
	return d->fd < 0 ? -1 : 0;
}

static void dir_close(struct copy_dir *d)
{
	cleanup_fd(&d->fd);
	d->fd = -1;
}

static int dirsource_name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct copy_name *)a)->name, ((const struct copy_name *)b)->name);
}

static enum layer_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return LAYER_DIR;
	case S_IFLNK:
		return LAYER_SYMLINK;
	case S_IFCHR:
		return LAYER_CHAR;
	case S_IFBLK:
		return LAYER_BLOCK;
	case S_IFIFO:
		return LAYER_FIFO;
	default: /* a socket becomes an empty file */
		return LAYER_FILE;
	}
}

static int dirsource_read_name(
	int fd, const struct dirent *e, struct copy_pool *pool, struct copy_name *out)
{
	mode_t mode = DTTOIF(e->d_type);

	if (e->d_type == DT_UNKNOWN) {
		struct stat st;
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		mode = st.st_mode;
	}
	*out = (struct copy_name){.name = copy_pool_strdup(pool, e->d_name),
		.type = type_of(mode),
		.plain = S_ISREG(mode)};
	return 0;
}

static int dirsource_read_names(
	DIR *dir, int fd, struct copy_pool *pool, struct copy_name **v, size_t *n)
{
	size_t cap = 0;
	const struct dirent *e;
	int more;

	while ((more = fs_readdir(dir, &e)) == 1) {
		struct copy_name one;
		if (dirsource_read_name(fd, e, pool, &one) < 0) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		MEM_PUSH(*v, *n, cap) = one;
	}
	return more;
}

static int dir_names(const struct copy_vfs *v, const struct copy_dir *d, struct copy_pool *pool,
	struct copy_names *out)
{
	auto_free struct copy_name *list = NULL;
	size_t n = 0;
	DIR *dir = fs_fdopendir(fcntl(d->fd, F_DUPFD_CLOEXEC, 3));

	(void)v;
	if (!dir)
		return -1;
	int rc = dirsource_read_names(dir, d->fd, pool, &list, &n);
	int saved = errno;
	closedir(dir);
	errno = saved;
	if (rc < 0)
		return -1;
	if (n > 1)
		qsort(list, n, sizeof *list, dirsource_name_cmp);
	out->n = n;
	out->v = TAKE(list);
	return 0;
}

void copy_dirsource_stat(const struct stat *st, struct copy_file *f, bool keep_owner)
{
	uint8_t type = (uint8_t)type_of(st->st_mode);

	if (f->type != type) /* a walk may look at the type of a listed file meanwhile */
		f->type = type;
	f->mode = f->type == LAYER_SYMLINK ? 0777 : st->st_mode & 07777;
	f->uid = keep_owner ? st->st_uid : 0;
	f->gid = keep_owner ? st->st_gid : 0;
	f->mtime = st->st_mtim.tv_sec;
	f->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	f->ctime = st->st_ctim.tv_sec;
	f->ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
	f->ino = (uint64_t)st->st_ino;
	f->linked = S_ISREG(st->st_mode) && st->st_nlink > 1;
	f->size = 0;
	f->content = COPY_CONTENT_NONE;
	if (S_ISREG(st->st_mode) && st->st_size) {
		f->size = (uint64_t)st->st_size;
		f->content = COPY_CONTENT_DIR;
	}
	f->stated = true;
}

static int read_link(int dir, const char *name, struct copy_pool *pool, struct copy_file *f)
{
	char text[LAYER_PATH_MAX + 1];
	ssize_t n = readlinkat(dir, name, text, sizeof text);

	if (n < 0)
		return -1;
	if (n > LAYER_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	text[n] = '\0';
	copy_file_extra(f, pool)->link = copy_pool_strdup(pool, text);
	return 0;
}

static int dir_stat(const struct copy_vfs *v, const struct copy_dir *d, const char *name,
	struct copy_pool *pool, struct copy_file *f)
{
	struct stat st;

	if (name ? fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) : fstat(d->fd, &st))
		return -1;
	copy_dirsource_stat(&st, f, v->keep_owner);
	if (!name || f->x)
		copy_file_extra(f, pool)->dev = (uint64_t)st.st_dev;
	if (!name)
		return copy_dirsource_xattrs(d->fd, pool, f);
	if (S_ISREG(st.st_mode)) { /* its attributes are read when it is opened, be it empty */
		f->stated = false;
		f->content = COPY_CONTENT_DIR;
	}
	if (f->type == LAYER_CHAR || f->type == LAYER_BLOCK) {
		copy_file_extra(f, pool)->dev_major = major(st.st_rdev);
		f->x->dev_minor = minor(st.st_rdev);
	}
	return f->type == LAYER_SYMLINK ? read_link(d->fd, name, pool, f) : 0;
}

static bool carried(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

static int dirsource_xattr_cmp(const void *a, const void *b)
{
	return strcmp(((const struct layer_xattr *)a)->name, ((const struct layer_xattr *)b)->name);
}

static int read_xattr(int fd, const char *name, struct copy_pool *pool, struct layer_xattr *x)
{
	auto_free char *value = mem_alloc(LAYER_XATTR_MAX);
	ssize_t n = fgetxattr(fd, name, value, LAYER_XATTR_MAX);

	if (n < 0)
		return -1;
	char *copy = copy_pool_alloc(pool, (size_t)n + 1);
	memcpy(copy, value, (size_t)n);
	*x = (struct layer_xattr){copy_pool_strdup(pool, name), copy, (size_t)n};
	return 0;
}

int copy_dirsource_xattrs(int fd, struct copy_pool *pool, struct copy_file *f)
{
	ssize_t len = flistxattr(fd, NULL, 0);
	size_t n = 0;

	if (f->x)
		f->x->nxattrs = 0;
	if (len == 0 || (len < 0 && errno == ENOTSUP))
		return 0;
	auto_free char *names = len < 0 ? NULL : mem_alloc(LIST_MAX);
	if (!names || (len = flistxattr(fd, names, LIST_MAX)) < 0)
		return -1;
	struct layer_xattr v[LAYER_XATTRS_MAX];
	for (char *p = names; p < names + len; p += strlen(p) + 1) {
		if (!carried(p))
			continue;
		if (n == LAYER_XATTRS_MAX) {
			errno = E2BIG;
			return -1;
		}
		if (read_xattr(fd, p, pool, &v[n]) < 0) {
			if (errno == ENODATA)
				continue;
			return -1;
		}
		n++;
	}
	if (!n)
		return 0;
	qsort(v, n, sizeof *v, dirsource_xattr_cmp);
	struct layer_xattr *out = copy_pool_array(pool, n, sizeof *v);
	copy_file_extra(f, pool)->xattrs = memcpy(out, v, n * sizeof *v);
	f->x->nxattrs = (uint32_t)n;
	return 0;
}

const struct copy_vfs_ops copy_dirsource = {
	.resolve = dir_resolve,
	.open = dirsource_dir_open,
	.names = dir_names,
	.stat = dir_stat,
	.close = dir_close,
};

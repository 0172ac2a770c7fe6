// SPDX-License-Identifier: Apache-2.0
/*
 * Every entry is made under a temporary name in its directory and renamed. Directories are opened
 * by the kernel from dest's descriptor, through no link; the last one stays open, because entries
 * come sorted.
 *
 * Another user may be able to rename things below dest at any moment. A file is dressed through the
 * descriptor that made it. What has none (links, FIFOs, devices) is made in a directory of our own,
 * which nobody else can enter, and only then gets its name. Of every directory the inode is kept
 * when it is made or found; another one under its name is never entered or dressed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/output/output.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/list.h"

#define COMPARE_CHUNK 65536

/* A directory below dest, and which one it is. */
struct known {
	char *path; /* owned */
	dev_t dev;
	ino_t ino;
};

struct local {
	const struct output_files *f;
	const struct output_local_how *how;
	int dest;
	bool root; /* may give files to others */
	size_t skipped;
	char *dir;  /* path of the open directory; owned */
	int dir_fd; /* -1: none */
	char temp[FS_TEMP_NAME];
	char own[FS_TEMP_NAME]; /* name of own_fd in dir_fd */
	int own_fd;             /* a directory that only we can enter; -1: none */
	void *known;            /* tree of struct known, by path */
};

static int output_local_fail(const struct layer_entry *e, struct err **err)
{
	auto_free char *shown = fs_printable(e->path);

	return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
}

static const char *output_local_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- directories ---------------------------------------------------------------------------- */

static int output_local_by_path(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->path, ((const struct known *)b)->path);
}

static void known_free(void *p)
{
	free(((struct known *)p)->path);
	free(p);
}

static void output_local_remember(struct local *l, const char *path, const struct stat *st)
{
	struct known *k = mem_alloc(sizeof *k);

	*k = (struct known){.path = mem_strdup(path), .dev = st->st_dev, .ino = st->st_ino};
	struct known **there = tsearch(k, &l->known, output_local_by_path);
	if (!there)
		mem_exhausted();
	if (*there != k)
		known_free(k);
}

/* Is it still the directory that was made or found under this path? */
static bool is_known(const struct local *l, const char *path, int fd)
{
	const struct known key = {.path = (char *)(uintptr_t)path};
	struct known *const *k = tfind(&key, &l->known, output_local_by_path);
	struct stat st;

	return !*path ||
	       (k && fstat(fd, &st) == 0 && st.st_dev == (*k)->dev && st.st_ino == (*k)->ino);
}

/* path relative to dest; "" is dest itself. ESTALE: somebody has put another one in its place. */
static int output_local_open_dir(const struct local *l, const char *path)
{
	auto_fd int fd =
		fs_open_beneath(l->dest, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0, FS_NOLINKS);

	if (fd >= 0 && !is_known(l, path, fd)) {
		errno = ESTALE;
		return -1;
	}
	return fd < 0 ? -1 : TAKE_FD(fd);
}

static void drop_own(struct local *l)
{
	if (l->own_fd < 0)
		return;
	close(l->own_fd);
	l->own_fd = -1;
	unlinkat(l->dir_fd, l->own, AT_REMOVEDIR);
}

/* A directory in dir_fd in which nobody else can change a name: its descriptor, -1 errno. */
static int own_dir(struct local *l)
{
	struct stat st;

	if (l->own_fd >= 0)
		return l->own_fd;
	fs_temp_name(l->own, sizeof l->own, ".bld-own");
	if (mkdirat(l->dir_fd, l->own, 0700) < 0)
		return -1;
	l->own_fd = openat(l->dir_fd, l->own, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->own_fd < 0)
		return -1;
	if (fstat(l->own_fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077))
		return l->own_fd;
	close(l->own_fd);
	l->own_fd = -1;
	errno = ESTALE;
	return -1;
}

/* The directory the entry is in becomes l->dir_fd. */
static int output_local_enter(struct local *l, const struct layer_entry *e, struct err **err)
{
	const char *name = output_local_last_part(e->path);
	auto_free char *dir =
		mem_strndup(e->path, name == e->path ? 0 : (size_t)(name - e->path) - 1);

	if (l->dir_fd >= 0 && strcmp(dir, l->dir) == 0)
		return 0;
	drop_own(l);
	fd_close(l->dir_fd);
	l->dir_fd = output_local_open_dir(l, dir);
	free(l->dir);
	l->dir = TAKE(dir);
	return l->dir_fd < 0 ? output_local_fail(e, err) : 0;
}

/* Something of another kind in the way is removed; a directory is left where one is wanted. */
static int output_local_make_way(
	const struct local *l, const char *name, bool want_dir, bool *there)
{
	struct stat st;

	*there = false;
	if (fstatat(l->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	*there = S_ISDIR(st.st_mode) && want_dir;
	if (*there || (!S_ISDIR(st.st_mode) && !want_dir))
		return 0;
	return fs_remove_tree(l->dir_fd, name);
}

static int output_local_put_dir(struct local *l, const struct layer_entry *e, struct err **err)
{
	const char *name = output_local_last_part(e->path);
	bool there;

	/* Its mode comes with its time, when it is full. */
	if (output_local_make_way(l, name, true, &there) < 0 ||
		(!there && mkdirat(l->dir_fd, name, 0700) < 0))
		return output_local_fail(e, err);
	struct stat st;
	auto_fd int fd = openat(l->dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return output_local_fail(e, err);
	if (there && !l->root && fs_chmod(fd, 0700) < 0)
		return output_local_fail(e, err);
	output_local_remember(l, e->path, &st);
	return 0;
}

/* --- attributes ----------------------------------------------------------------------------- */

static mode_t output_local_mode_of(const struct local *l, const struct layer_entry *e)
{
	bool own = !l->root && e->type != LAYER_DIR;

	return e->mode & (own ? 01777 : 07777);
}

static void set_xattrs(const struct local *l, const struct layer_entry *e, int fd)
{
	for (size_t i = 0; i < e->nxattrs; i++) {
		const struct layer_xattr *x = &e->xattrs[i];

		/* Not every file system has them. */
		if (l->root || strncmp(x->name, "user.", 5) == 0)
			(void)fsetxattr(fd, x->name, x->value, x->len, 0);
	}
}

/* Owner first: a change of it takes setuid bits away, and capabilities. */
static int dress_fd(const struct local *l, const struct layer_entry *e, int fd)
{
	const struct timespec times[2] = {{.tv_sec = e->mtime}, {.tv_sec = e->mtime}};

	if ((l->root && fchown(fd, e->uid, e->gid) < 0) ||
		fchmod(fd, output_local_mode_of(l, e)) < 0)
		return -1;
	set_xattrs(l, e, fd);
	return futimens(fd, times);
}

/* What lies in our own directory and cannot be opened; then it moves to where it belongs. */
static int dress_own(const struct local *l, const struct layer_entry *e)
{
	const struct timespec times[2] = {{.tv_sec = e->mtime}, {.tv_sec = e->mtime}};
	auto_fd int fd = openat(l->own_fd, l->temp, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || (l->root && fchownat(fd, "", e->uid, e->gid, AT_EMPTY_PATH) < 0))
		return -1;
	if (e->type != LAYER_SYMLINK && fs_chmod(fd, output_local_mode_of(l, e)) < 0)
		return -1;
	return utimensat(l->own_fd, l->temp, times, AT_SYMLINK_NOFOLLOW) < 0
		       ? -1
		       : renameat(l->own_fd, l->temp, l->dir_fd, l->temp);
}

/* --- files ---------------------------------------------------------------------------------- */

static bool output_local_same_attributes(
	const struct local *l, const struct layer_entry *e, const struct stat *st)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == e->size && st->st_nlink == 1 &&
	       (st->st_mode & 07777) == output_local_mode_of(l, e) &&
	       st->st_mtim.tv_sec == e->mtime &&
	       (!l->root || (st->st_uid == e->uid && st->st_gid == e->gid));
}

static bool output_local_same_bytes(int fd, const struct layer_entry *e)
{
	auto_free char *a = mem_alloc(COMPARE_CHUNK), *b = mem_alloc(COMPARE_CHUNK);

	for (uint64_t at = 0; at < e->size;) {
		size_t n = e->size - at < COMPARE_CHUNK ? (size_t)(e->size - at) : COMPARE_CHUNK;

		if (fs_pread_all(fd, a, n, at) < 0 ||
			fs_pread_all(e->fd, b, n, e->data_off + at) < 0 || memcmp(a, b, n) != 0)
			return false;
		at += n;
	}
	return true;
}

/* Equal times say nothing of the content: with SOURCE_DATE_EPOCH all are equal. */
static bool output_local_is_there(
	const struct local *l, const struct layer_entry *e, const char *name)
{
	struct stat st;

	if (e->nxattrs || e->extents || fstatat(l->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!output_local_same_attributes(l, e, &st))
		return false;
	auto_fd int fd = openat(l->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && output_local_same_bytes(fd, e);
}

static int write_content(const struct layer_entry *e, int fd)
{
	if (e->source != LAYER_DATA_FD)
		return 0;
	if (!e->extents)
		return fs_copy_range(e->fd, e->data_off, e->size, fd);
	for (size_t i = 0; i < e->nextents; i++) {
		const struct layer_extent *x = &e->extents[i];

		if (lseek(fd, (off_t)x->off, SEEK_SET) < 0 ||
			fs_copy_range(e->fd, x->data, x->len, fd) < 0)
			return -1;
	}
	return ftruncate(fd, (off_t)e->size);
}

static int output_local_make_file(const struct local *l, const struct layer_entry *e)
{
	auto_fd int fd = openat(
		l->dir_fd, l->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || write_content(e, fd) < 0 ? -1 : dress_fd(l, e, fd);
}

/* The first name was written before: it sorts in front of this one. */
static int output_local_make_link(const struct local *l, const struct layer_entry *e)
{
	const char *name = output_local_last_part(e->link);
	auto_free char *dir =
		mem_strndup(e->link, name == e->link ? 0 : (size_t)(name - e->link) - 1);
	auto_fd int from = output_local_open_dir(l, dir);

	return from < 0 ? -1 : linkat(from, name, l->dir_fd, l->temp, 0);
}

static int make_special(struct local *l, const struct layer_entry *e, bool *skip)
{
	mode_t kind = e->type == LAYER_FIFO ? S_IFIFO : e->type == LAYER_CHAR ? S_IFCHR : S_IFBLK;

	*skip = kind != S_IFIFO && !l->how->devices;
	if (!*skip) {
		int own = own_dir(l);
		if (own < 0)
			return -1;
		if (mknodat(own, l->temp, kind | 0600, makedev(e->dev_major, e->dev_minor)) == 0)
			return dress_own(l, e);
		*skip = errno == EPERM && kind != S_IFIFO;
	}
	l->skipped += *skip;
	return *skip ? 0 : -1;
}

static int make_symlink(struct local *l, const struct layer_entry *e)
{
	int own = own_dir(l);

	return own < 0 || symlinkat(e->link, own, l->temp) < 0 ? -1 : dress_own(l, e);
}

static int output_local_make(struct local *l, const struct layer_entry *e, bool *skip)
{
	switch (e->type) {
	case LAYER_FILE:
		return output_local_make_file(l, e);
	case LAYER_SYMLINK:
		return make_symlink(l, e);
	case LAYER_HARDLINK:
		return output_local_make_link(l, e);
	case LAYER_CHAR:
	case LAYER_BLOCK:
	case LAYER_FIFO:
		return make_special(l, e, skip);
	case LAYER_DIR:
	case LAYER_WHITEOUT:
	case LAYER_OPAQUE:
		break;
	}
	*skip = true;
	return 0;
}

/* rename() does nothing when both names are one file, and would leave the temporary one. */
static int give_name(const struct local *l, const char *name)
{
	if (renameat(l->dir_fd, l->temp, l->dir_fd, name) < 0)
		return -1;
	return unlinkat(l->dir_fd, l->temp, 0) < 0 && errno != ENOENT ? -1 : 0;
}

static int put_other(struct local *l, const struct layer_entry *e, struct err **err)
{
	const char *name = output_local_last_part(e->path);
	bool there, skip = false;

	if (e->type == LAYER_FILE && output_local_is_there(l, e, name))
		return 0;
	if (output_local_make_way(l, name, false, &there) < 0)
		return output_local_fail(e, err);
	fs_temp_name(l->temp, sizeof l->temp, ".bld-tmp");
	if (output_local_make(l, e, &skip) == 0 && (skip || give_name(l, name) == 0))
		return 0;
	int saved = errno;
	if (l->own_fd >= 0)
		unlinkat(l->own_fd, l->temp, 0);
	unlinkat(l->dir_fd, l->temp, 0);
	errno = saved;
	return output_local_fail(e, err);
}

/* --- the whole ------------------------------------------------------------------------------ */

static int put_all(struct local *l, struct err **err)
{
	struct layer_entry e;

	for (size_t i = 0; i < layer_list_count(l->f->list); i++) {
		if (!output_files_at(l->f, i, &e))
			continue;
		if (output_files_cancelled(l->f, err) < 0 || output_local_enter(l, &e, err) < 0)
			return -1;
		int r = e.type == LAYER_DIR ? output_local_put_dir(l, &e, err)
					    : put_other(l, &e, err);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* Backwards: what is in a directory comes behind it, and changes its time. */
static int dress_dirs(struct local *l, struct err **err)
{
	struct layer_entry e;

	for (size_t i = layer_list_count(l->f->list); i-- > 0;) {
		if (!output_files_at(l->f, i, &e) || e.type != LAYER_DIR)
			continue;
		auto_fd int fd = output_local_open_dir(l, e.path);
		if (fd < 0 || dress_fd(l, &e, fd) < 0)
			return output_local_fail(&e, err);
	}
	return 0;
}

/* Remove what the image does not have. path: of dir_fd, which is taken. */
static int remove_others(struct local *l, int take_fd, const char *path, struct err **err)
{
	DIR *dir = fs_fdopendir(take_fd);
	const struct dirent *d;
	int r = 0, more = 0;

	if (!dir)
		return err_sys_kind(err, ERR_CONTEXT, "destination");
	while (r == 0 && (more = fs_readdir(dir, &d)) == 1) {
		auto_free char *name = mem_printf("%s%s%s", path, *path ? "/" : "", d->d_name);
		struct layer_entry e = {.path = name};
		const struct layer_entry *have = layer_list_find(l->f->list, name);

		if (!have) {
			r = fs_remove_tree(take_fd, d->d_name) < 0 ? output_local_fail(&e, err) : 0;
		} else if (have->type == LAYER_DIR) {
			int fd = output_local_open_dir(l, name);

			r = fd < 0 ? output_local_fail(&e, err) : remove_others(l, fd, name, err);
		}
	}
	if (more < 0)
		r = err_sys_kind(err, ERR_CONTEXT, "destination");
	closedir(dir);
	return r;
}

/* mkdir -p of a path of the caller's, which may lead through links. */
static int make_dirs(const char *path)
{
	auto_free char *copy = mem_strdup(path);

	for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdir(copy, 0777) < 0 && errno != EEXIST ? -1 : 0;
}

static int open_dest(const char *dest, struct err **err)
{
	auto_free char *shown = fs_printable(dest);
	int fd = make_dirs(dest) < 0 ? -1 : open(dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", shown) : fd;
}

int output_local(const struct output_files *f, const char *dest, const struct output_local_how *how,
	size_t *skipped, struct err **err)
{
	auto_fd int fd = open_dest(dest, err);
	struct local l = {
		.f = f, .how = how, .dest = fd, .root = geteuid() == 0, .dir_fd = -1, .own_fd = -1};

	if (fd < 0)
		return -1;
	int r = put_all(&l, err);
	drop_own(&l);
	if (r == 0 && how->remove_others) {
		int top = output_local_open_dir(&l, "");

		r = top < 0 ? err_sys_kind(err, ERR_CONTEXT, "destination")
			    : remove_others(&l, top, "", err);
	}
	if (r == 0)
		r = dress_dirs(&l, err);
	fd_close(l.dir_fd);
	free(l.dir);
	tdestroy(l.known, known_free);
	*skipped = l.skipped;
	return r < 0 ? err_prefix(err, "output %s", dest) : 0;
}

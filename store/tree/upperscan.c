// SPDX-License-Identifier: Apache-2.0
/*
 * An overlay upper as entries. Names of a directory are sorted and each file is opened once,
 * through the descriptor of its directory, without following anything.
 *
 * Kernel facts (Documentation/filesystems/overlayfs.rst): a whiteout is a character device 0:0, or
 * since 6.7 an empty file with the attribute overlay.whiteout in a directory whose overlay.opaque
 * is "x"; a directory with overlay.opaque "y" shows nothing of the layers below. The kernel refuses
 * mknod of 0:0 through the overlay, so that processes in it cannot make whiteouts of their own, and
 * hides attributes of its prefix.
 */
#include "store/tree/upperscan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/times.h"
#include "store/tree/node.h"
#include "store/tar/arena.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"
#include "store/tree/freeze.h"
#include "store/tree/tree.h"

#define LIST_MAX 65536 /* XATTR_LIST_MAX of the kernel */

struct name {
	const char *s;
	unsigned char type; /* DT_* */
};

struct names {
	struct name *v; /* owned */
	size_t n;
	size_t cap;
	struct layer_arena arena;
};

struct link_slot {
	dev_t dev;
	ino_t ino;
	const char *path; /* NULL: free */
};

/* What the extended attributes of one file say. */
struct attrs {
	struct layer_xattr v[LAYER_XATTRS_MAX];
	size_t n;
	struct layer_arena arena; /* of names and values */
	bool opaque;
	bool may_have_whiteouts; /* overlay.opaque is "x" */
	bool whiteout;
};

struct scan {
	const struct layer_freeze *f;
	enum layer_dirs dirs;
	layer_emit emit;
	void *ctx;
	const char *prefix;      /* of overlay's attributes */
	struct link_slot *links; /* owned */
	size_t nlinks;
	size_t links_cap;         /* a power of two, or 0 */
	struct layer_arena arena; /* paths of links */
	struct attrs attrs;
	char list[LIST_MAX];
	char path[LAYER_PATH_MAX + 1];
	char parent[LAYER_PATH_MAX + 1];
	char target[LAYER_PATH_MAX + 1];
};

/* A directory being read. */
struct endpoint {
	int fd;
	struct endpoint *up; /* NULL for the root */
	size_t path_len;
	struct stat st;
	bool waits;                     /* its own entry is written as soon as one in it is */
	bool stirred;                   /* something was removed from it: its time is not its own */
	const struct layer_node *below; /* the same directory below, or NULL */
	bool hidden;                    /* nothing of it can be seen */
	bool may_have_whiteouts;
};

static int upperscan_fail_sys(const struct scan *s, struct err **err)
{
	int saved = errno;
	auto_free char *shown = layer_show(s->path);
	errno = saved;
	return err_sys(err, "%s", shown);
}

static int upperscan_fail(
	const struct scan *s, enum err_kind kind, const char *what, struct err **err)
{
	auto_free char *shown = layer_show(s->path);
	return err_set(err, kind, "%s: %s", shown, what);
}

/* --- names ------------------------------------------------------------------------------------ */

static int upperscan_name_cmp(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return strcmp(x->s, y->s);
}

static void names_clear(struct names *l)
{
	free(l->v);
	layer_arena_clear(&l->arena);
}

static int upperscan_read_names(const struct scan *s, int fd, struct names *out, struct err **err)
{
	DIR *d = fs_fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	const struct dirent *e;
	int more;

	if (!d)
		return upperscan_fail_sys(s, err);
	rewinddir(d);
	while ((more = fs_readdir(d, &e)) == 1) {
		struct name n = {
			.s = layer_arena_strndup(&out->arena, e->d_name, strlen(e->d_name)),
			.type = e->d_type};
		MEM_PUSH(out->v, out->n, out->cap) = n;
	}
	int rc = more < 0 ? upperscan_fail_sys(s, err) : 0;
	closedir(d);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, upperscan_name_cmp);
	return rc;
}

/* The path of `name` in this directory becomes s->path; returns its length, 0 when it is too long.
 */
static size_t upperscan_enter(struct scan *s, const struct endpoint *p, const char *name)
{
	size_t at = p->path_len, n = strlen(name);
	if (at + (at > 0) + n > LAYER_PATH_MAX) {
		s->path[at] = 0;
		return 0;
	}
	if (at > 0)
		s->path[at++] = '/';
	memcpy(s->path + at, name, n + 1);
	return at + n;
}

/* --- attributes ------------------------------------------------------------------------------- */

/* One of overlay's own attributes. */
static int overlay_attr(
	struct scan *s, int fd, const char *full, const char *name, struct err **err)
{
	char value[2] = {0};
	if (strcmp(name, "redirect") == 0 || strcmp(name, "metacopy") == 0)
		return upperscan_fail(s, ERR_SANDBOX,
			"overlay redirects or copies metadata only, which the mount should have "
			"forbidden",
			err);
	if (strcmp(name, "whiteout") == 0)
		s->attrs.whiteout = true;
	if (strcmp(name, "opaque") != 0)
		return 0;
	if (fgetxattr(fd, full, value, sizeof value) < 0 && errno != ERANGE)
		return upperscan_fail_sys(s, err);
	s->attrs.opaque = value[0] == 'y';
	s->attrs.may_have_whiteouts = value[0] == 'x';
	return 0;
}

static int add_attr(struct scan *s, int fd, const char *name, struct err **err)
{
	struct attrs *a = &s->attrs;
	if (a->n == LAYER_XATTRS_MAX)
		return upperscan_fail(s, ERR_LIMIT, "too many extended attributes", err);
	ssize_t n = fgetxattr(fd, name, NULL, 0);
	if (n < 0)
		return upperscan_fail_sys(s, err);
	if (n > LAYER_XATTR_MAX)
		return upperscan_fail(s, ERR_LIMIT, "an extended attribute that is too large", err);
	void *value = layer_arena_alloc(&a->arena, (size_t)n + 1);
	n = fgetxattr(fd, name, value, (size_t)n);
	if (n < 0)
		return upperscan_fail_sys(s, err);
	a->v[a->n++] = (struct layer_xattr){
		.name = layer_arena_strndup(&a->arena, name, strlen(name)),
		.value = value,
		.len = (size_t)n,
	};
	return 0;
}

/*
 * POSIX ACLs are in no layer. What serves as a lower from now on must not have them either; the
 * mode bits that are left are those of the tar.
 */
static int drop_attr(struct scan *s, int fd, const char *name, struct err **err)
{
	if (!s->f->as_lower || strncmp(name, "system.posix_acl_", strlen("system.posix_acl_")) != 0)
		return 0;
	return fremovexattr(fd, name) && errno != ENODATA ? upperscan_fail_sys(s, err) : 0;
}

static int read_attrs(struct scan *s, int fd, struct err **err)
{
	struct attrs *a = &s->attrs;
	size_t prefix = strlen(s->prefix);

	layer_arena_clear(&a->arena);
	a->n = 0;
	a->opaque = a->may_have_whiteouts = a->whiteout = false;
	ssize_t n = flistxattr(fd, s->list, sizeof s->list);
	if (n < 0)
		return errno == ENOTSUP ? 0 : upperscan_fail_sys(s, err);
	for (const char *name = s->list; name < s->list + n; name += strlen(name) + 1) {
		int rc = 0;
		if (strncmp(name, s->prefix, prefix) == 0)
			rc = overlay_attr(s, fd, name, name + prefix, err);
		else if (layer_xattr_carried(name))
			rc = add_attr(s, fd, name, err);
		else
			rc = drop_attr(s, fd, name, err);
		if (rc)
			return -1;
	}
	layer_xattrs_sort(a->v, a->n);
	return 0;
}

/* --- hard links ----------------------------------------------------------------------------- */

static struct link_slot *link_slot(const struct scan *s, dev_t dev, ino_t ino)
{
	size_t mask = s->links_cap - 1;
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15u >> 20) & mask;
	while (s->links[i].path && (s->links[i].ino != ino || s->links[i].dev != dev))
		i = (i + 1) & mask;
	return &s->links[i];
}

/* The first name of this inode, or NULL when this is it. */
static const char *first_name(struct scan *s, const struct stat *st)
{
	if (s->nlinks * 2 >= s->links_cap) {
		struct link_slot *old = s->links;
		size_t nold = s->links_cap;
		s->links_cap = nold ? nold * 2 : 64;
		s->links = mem_array(s->links_cap, sizeof *s->links);
		for (size_t i = 0; i < nold; i++)
			if (old[i].path)
				*link_slot(s, old[i].dev, old[i].ino) = old[i];
		free(old);
	}
	struct link_slot *slot = link_slot(s, st->st_dev, st->st_ino);
	if (slot->path)
		return slot->path;
	*slot = (struct link_slot){.dev = st->st_dev,
		.ino = st->st_ino,
		.path = layer_arena_strndup(&s->arena, s->path, strlen(s->path))};
	s->nlinks++;
	return NULL;
}

/* --- entries -------------------------------------------------------------------------------- */

static struct layer_entry entry_of(
	const struct scan *s, const struct stat *st, enum layer_type type)
{
	return (struct layer_entry){
		.path = s->path,
		.type = type,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.fd = -1,
	};
}

/* The directories on the way that wait for an entry in them, outermost first. */
static int emit_parents(struct scan *s, struct endpoint *p, struct err **err)
{
	struct layer_entry e, below;

	if (!p || !p->waits)
		return 0; /* what waits is below what waits: changed directories are written at once
			   */
	if (emit_parents(s, p->up, err))
		return -1;
	p->waits = false;
	memcpy(s->parent, s->path, p->path_len);
	s->parent[p->path_len] = 0;
	layer_node_fill(p->below, s->parent, &below);
	e = entry_of(s, &p->st, LAYER_DIR);
	e.path = s->parent;
	e.xattrs = below.xattrs; /* the same, or it would not have waited */
	e.nxattrs = below.nxattrs;
	return s->emit(s->ctx, &e, err);
}

static int upperscan_emit(
	struct scan *s, struct endpoint *p, const struct layer_entry *e, struct err **err)
{
	return emit_parents(s, p, err) ? -1 : s->emit(s->ctx, e, err);
}

static int emit_whiteout(struct scan *s, struct endpoint *p, struct err **err)
{
	struct layer_entry e = {.path = s->path, .type = LAYER_WHITEOUT, .fd = -1};
	return upperscan_emit(s, p, &e, err);
}

/* The time of an open directory. */
static int set_time(const struct scan *s, int fd, const struct timespec *time, struct err **err)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, *time};

	return futimens(fd, t) ? upperscan_fail_sys(s, err) : 0;
}

/* O_NOATIME spares the write of an access time; it is refused on files of others. */
static int upperscan_open_file(int dir_fd, const char *name, int flags)
{
	flags |= O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags | O_NOATIME);
	return fd < 0 && errno == EPERM ? openat(dir_fd, name, flags) : fd;
}

static int scan_file(struct scan *s, struct endpoint *p, const char *name,
	const struct layer_node *below, struct err **err)
{
	struct stat st;
	auto_fd int fd = upperscan_open_file(p->fd, name, 0);
	if (fd < 0 || fstat(fd, &st))
		return upperscan_fail_sys(s, err);
	if (!S_ISREG(st.st_mode))
		return upperscan_fail(s, ERR_SYS, "changed while it was read", err);
	if (read_attrs(s, fd, err))
		return -1;
	if (s->attrs.whiteout && p->may_have_whiteouts && st.st_size == 0)
		return below ? emit_whiteout(s, p, err) : 0;
	const char *first = st.st_nlink > 1 ? first_name(s, &st) : NULL;
	struct layer_entry e = entry_of(s, &st, first ? LAYER_HARDLINK : LAYER_FILE);
	if (first) {
		e.link = first;
		return upperscan_emit(s, p, &e, err);
	}
	e.size = (uint64_t)st.st_size;
	e.source = st.st_size ? LAYER_DATA_FD : LAYER_NO_DATA;
	e.fd = fd;
	e.xattrs = s->attrs.v;
	e.nxattrs = s->attrs.n;
	return upperscan_emit(s, p, &e, err);
}

/* Sockets are in no layer: where one hides a file that is below, the file is gone. */
static int scan_socket(struct scan *s, struct endpoint *p, const char *name,
	const struct layer_node *below, struct err **err)
{
	if (s->f->as_lower) {
		p->stirred = true;
		if (unlinkat(p->fd, name, 0) || (below && mknodat(p->fd, name, S_IFCHR, 0)))
			return upperscan_fail_sys(s, err);
	}
	return below ? emit_whiteout(s, p, err) : 0;
}

/* Everything that is neither a directory nor a regular file. */
static int scan_other(struct scan *s, struct endpoint *p, const char *name, const struct stat *st,
	const struct layer_node *below, struct err **err)
{
	struct layer_entry e = entry_of(s, st, LAYER_FIFO);
	switch (st->st_mode & S_IFMT) {
	case S_IFLNK: {
		ssize_t n = readlinkat(p->fd, name, s->target, sizeof s->target - 1);
		if (n < 0)
			return upperscan_fail_sys(s, err);
		s->target[n] = 0;
		e.type = LAYER_SYMLINK;
		e.link = s->target;
		break;
	}
	case S_IFCHR:
		if (st->st_rdev == 0)
			return below ? emit_whiteout(s, p, err) : 0;
		e.type = LAYER_CHAR;
		break;
	case S_IFBLK:
		e.type = LAYER_BLOCK;
		break;
	case S_IFIFO:
		break;
	default:
		return scan_socket(s, p, name, below, err);
	}
	if (e.type == LAYER_CHAR || e.type == LAYER_BLOCK) {
		e.dev_major = major(st->st_rdev);
		e.dev_minor = minor(st->st_rdev);
	}
	return upperscan_emit(s, p, &e, err);
}

static int scan_names(struct scan *s, struct endpoint *p, struct err **err);

/* Does the directory say something of its own, apart from what is in it? The root's time never
 * does: nobody looks at it, and every unpacking moves it. */
static bool dir_changed(
	const struct scan *s, const struct endpoint *in, const struct layer_entry *e)
{
	struct layer_entry timeless = *e;

	if (!in->below)
		return true;
	if (s->dirs == LAYER_DIRS_PARENTS || !in->up) {
		struct timespec t = layer_inode_time(in->below->inode);
		timeless.mtime = t.tv_sec;
		timeless.mtime_ns = (uint32_t)t.tv_nsec;
	}
	/* An opaque one too: whiteouts say what is gone from it. */
	return !layer_node_matches(in->below, &timeless);
}

/*
 * The time of a directory whose names were all read. One that stays out of the layer keeps its own,
 * which goes beside the layer; the root has that of the one below, in this form too.
 */
static int settle_time(struct scan *s, const struct endpoint *in, struct err **err)
{
	if (s->dirs != LAYER_DIRS_PARENTS || !in->below)
		return 0;
	struct timespec below = layer_inode_time(in->below->inode);
	const struct timespec *own = &in->st.st_mtim;
	if (!in->up)
		return s->f->as_lower ? set_time(s, in->fd, &below, err) : 0;
	if (s->f->times && (own->tv_sec != below.tv_sec || own->tv_nsec != below.tv_nsec))
		layer_times_dir(s->f->times, s->path, own);
	return 0;
}

/*
 * A directory, s->path being its name: its own entry unless it was copied up only for what is in
 * it, then its content. The root is a parent of everything and needs no entry for that.
 */
static int scan_dir(struct scan *s, int fd, struct endpoint *up, bool hidden,
	const struct layer_node *below, struct err **err)
{
	struct endpoint in = {.fd = fd, .up = up, .path_len = strlen(s->path)};

	if (fstat(fd, &in.st) || !S_ISDIR(in.st.st_mode))
		return upperscan_fail_sys(s, err);
	if (read_attrs(s, fd, err))
		return -1;
	in.below = below && below->type == LAYER_DIR ? below : NULL;
	in.hidden = hidden || s->attrs.opaque;
	in.may_have_whiteouts = s->attrs.may_have_whiteouts;
	struct layer_entry e = entry_of(s, &in.st, LAYER_DIR);
	e.xattrs = s->attrs.v;
	e.nxattrs = s->attrs.n;
	bool changed = dir_changed(s, &in, &e);
	in.waits = !changed && up && s->dirs == LAYER_DIRS_PARENTS;
	if (changed && upperscan_emit(s, up, &e, err))
		return -1;
	if (scan_names(s, &in, err))
		return -1;
	s->path[in.path_len] = 0;
	if (in.stirred && set_time(s, fd, &in.st.st_mtim, err))
		return -1;
	return !changed && (in.waits || !up) ? settle_time(s, &in, err) : 0;
}

static int scan_name(struct scan *s, struct endpoint *p, const struct name *name, struct err **err)
{
	size_t len = strlen(name->s);
	struct stat st = {.st_mode = 0};
	const struct layer_node *below =
		p->below ? layer_node_search(p->below, name->s, len) : NULL;
	unsigned char type = name->type;

	if (!upperscan_enter(s, p, name->s))
		return upperscan_fail(s, ERR_LIMIT, "a path in it is longer than 4096 bytes", err);
	if (type != DT_REG && type != DT_DIR) {
		if (fstatat(p->fd, name->s, &st, AT_SYMLINK_NOFOLLOW))
			return upperscan_fail_sys(s, err);
		type = S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
	}
	if (layer_name_reserved(name->s, len))
		return upperscan_fail(
			s, ERR_BUILD, "a layer cannot hold names that begin with \".wh.\"", err);
	if (type == DT_REG)
		return scan_file(s, p, name->s, below, err);
	if (type != DT_DIR)
		return scan_other(s, p, name->s, &st, below, err);
	auto_fd int fd = upperscan_open_file(p->fd, name->s, O_DIRECTORY);
	if (fd < 0)
		return upperscan_fail_sys(s, err);
	return scan_dir(s, fd, p, p->hidden, below, err);
}

/* The names of a directory and, where it hides what is below, those that are only there. */
static int scan_sorted(struct scan *s, struct endpoint *p, const struct names *l, struct err **err)
{
	size_t nbelow = p->hidden && p->below ? p->below->nchild : 0;
	for (size_t i = 0, j = 0; i < l->n || j < nbelow;) {
		const struct layer_node *low = j < nbelow ? p->below->child[j] : NULL;
		int c = i == l->n ? 1 : !low ? -1 : strcmp(l->v[i].s, low->name);
		if (c <= 0) {
			if (scan_name(s, p, &l->v[i], err))
				return -1;
		} else {
			upperscan_enter(s, p, low->name);
			if (emit_whiteout(s, p, err))
				return -1;
		}
		i += c <= 0;
		j += c >= 0;
	}
	return 0;
}

static int scan_names(struct scan *s, struct endpoint *p, struct err **err)
{
	struct names l = {.v = NULL};
	int rc = upperscan_read_names(s, p->fd, &l, err);
	if (!rc)
		rc = scan_sorted(s, p, &l, err);
	names_clear(&l);
	return rc;
}

int layer_upper_scan(const struct layer_freeze *f, enum layer_dirs dirs, layer_emit fn, void *ctx,
	struct err **err)
{
	auto_layer_tree struct layer_tree *nothing = f->below ? NULL : layer_tree_new();
	const struct layer_tree *below = f->below ? f->below : nothing;
	struct scan *s = mem_alloc(sizeof *s);

	s->f = f;
	s->dirs = dirs;
	s->emit = fn;
	s->ctx = ctx;
	s->prefix = f->userxattr ? "user.overlay." : "trusted.overlay.";
	int rc = scan_dir(s, f->upper_fd, NULL, false, layer_tree_root(below), err);
	layer_arena_clear(&s->arena);
	layer_arena_clear(&s->attrs.arena);
	free(s->links);
	free(s);
	return rc;
}

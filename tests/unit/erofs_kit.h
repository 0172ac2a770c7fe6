/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of EROFS images share: a world with a tmpfs for unpacked trees, mounts of indexes
 * and overlays, and the comparison of two trees entry by entry.
 */
#ifndef BLD_TESTS_UNIT_EROFS_KIT_H
#define BLD_TESTS_UNIT_EROFS_KIT_H

#include "tests/unit/layer_kit.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#include "tests/unit/erofs_check.h"
#include "store/erofs/erofs.h"
#include "store/tree/unpack.h"

#define WORLD_LOWERS 8

struct world {
	char dir[64]; /* on a file system that EROFS takes */
	char tmp[80]; /* a tmpfs in it; unpacked trees, and directories to mount on */
	int serial;
	bool erofs; /* the kernel mounts indexes */
	char why[160];
};

/* Mount an index; -1 with errno. */
KIT int kit_mount_index(int index_fd, const int *tars, size_t ntars)
{
	char path[64];
	int fs = fsopen("erofs", FSOPEN_CLOEXEC), saved;
	if (fs < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", index_fd);
	int rc = fsconfig(fs, FSCONFIG_SET_STRING, "source", path, 0);
	for (size_t i = 0; !rc && i < ntars; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", tars[i]);
		rc = fsconfig(fs, FSCONFIG_SET_STRING, "device", path, 0);
	}
	if (!rc)
		rc = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	int fd = rc ? -1 : fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	saved = errno;
	close(fs);
	errno = saved;
	return fd;
}

/* A file without a name below the world: an index must not lie on a tmpfs. */
KIT int kit_erofs_file(const struct world *w)
{
	int fd = open(w->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

/* A well-formed index file, or a failure. */
KIT void kit_check_index(int fd, const struct layer_erofs_made *m)
{
	size_t n = (size_t)kit_size(fd), names;
	assert_int_equal(n, m->size);
	unsigned char *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	const char *bad = index_check(p, n, m->fds, m->nfds, &names);
	if (bad)
		fail_msg("index: %s", bad);
	munmap(p, n);
}

/* The merged index of a tree, or the index of one layer, mounted. */
KIT int kit_mount_tree(const struct world *w, const struct layer_tree *t)
{
	struct layer_erofs_made m = {0};
	int fd = kit_erofs_file(w);
	assert_ok(layer_erofs_tree(t, kit_writer(&fd), &m, err));
	kit_check_index(fd, &m);
	int at = kit_mount_index(fd, m.fds, m.nfds);
	if (at < 0)
		fail_msg("mounting an index: %s", strerror(errno));
	close(fd);
	layer_erofs_made_clear(&m);
	return at;
}

KIT int kit_mount_layer(const struct world *w, int tar, const struct layer_tree *below)
{
	struct layer_erofs_made m = {0};
	int fd = kit_erofs_file(w);
	assert_ok(layer_erofs_layer(tar, below, NULL, kit_writer(&fd), &m, err));
	kit_check_index(fd, &m);
	int at = kit_mount_index(fd, m.fds, m.nfds);
	if (at < 0)
		fail_msg("mounting an index: %s", strerror(errno));
	close(fd);
	layer_erofs_made_clear(&m);
	return at;
}

KIT int world_up(void **state)
{
	struct world *w = mem_alloc(sizeof *w);
	*state = w;
	snprintf(w->dir, sizeof w->dir, "%s", "/var/tmp/layer_erofs.XXXXXX");
	if (geteuid() != 0) {
		snprintf(w->why, sizeof w->why, "needs root");
		return 0;
	}
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->tmp, sizeof w->tmp, "%s/t", w->dir);
	assert_int_equal(mkdir(w->tmp, 0700), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", w->tmp, "tmpfs", 0, "mode=0755"), 0);
	struct layer_tree *t = layer_tree_new();
	struct layer_erofs_made m = {0};
	int fd = kit_erofs_file(w);
	assert_ok(layer_erofs_tree(t, kit_writer(&fd), &m, err));
	int at = kit_mount_index(fd, m.fds, m.nfds);
	w->erofs = at >= 0;
	if (at < 0)
		snprintf(w->why, sizeof w->why, "EROFS refuses an index: %s", strerror(errno));
	else
		close(at);
	close(fd);
	layer_erofs_made_clear(&m);
	layer_tree_free(t);
	return 0;
}

KIT int world_down(void **state)
{
	struct world *w = *state;
	if (geteuid() == 0) {
		umount2(w->tmp, MNT_DETACH);
		rmdir(w->tmp);
		rmdir(w->dir);
	}
	free(w);
	return 0;
}

#define NEEDS_EROFS(w)                                                                             \
	do {                                                                                       \
		if (!(w)->erofs) {                                                                 \
			print_message("%s\n", (w)->why);                                           \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* A new directory in the tmpfs; its path in out. */
KIT int kit_new_dir(struct world *w, char out[128])
{
	snprintf(out, 128, "%s/%d", w->tmp, w->serial++);
	assert_int_equal(mkdir(out, 0755), 0);
	int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

KIT void kit_drop_dir(const char *path)
{
	umount2(path, MNT_DETACH);
	kit_remove(path);
}

/* An overlay of n directories, the first one at the bottom, on a new directory. */
KIT int kit_overlay(struct world *w, char (*lower)[128], size_t n, char out[128])
{
	struct buf b;
	buf_init(&b, 4096);
	buf_adds(&b, "lowerdir=");
	for (size_t i = n; i-- > 0;)
		buf_addf(&b, "%s%s", lower[i], i ? ":" : "");
	close(kit_new_dir(w, out));
	if (mount("overlay", out, "overlay", MS_RDONLY, b.data))
		fail_msg("overlay %s: %s", b.data, strerror(errno));
	buf_clear(&b);
	int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* --- comparing ------------------------------------------------------------------------------- */

enum {
	SAME_NLINK = 1,  /* of files, and that the same names share an inode */
	SAME_DIRS = 2,   /* nlink of directories */
	RAW_LAYER = 4,   /* whiteouts are devices, whose time means nothing */
	NO_ROOT_MARK = 8 /* attributes of the root are not compared */
};

struct same {
	int flags;
	size_t seen;
	size_t nlinks;
	struct {
		struct stat a, b;
	} links[512];
	char path[LAYER_PATH_MAX + 300];
};

#define same_fail(s, what) fail_msg("%s: %s", *(s)->path ? (s)->path : "/", what)

KIT int kit_name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted; owned. */
KIT int kit_names(int dir, char ***out)
{
	struct dirent *d;
	size_t n = 0, cap = 0;
	*out = NULL;
	DIR *h = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(h);
	while ((d = readdir(h)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			MEM_PUSH(*out, n, cap) = mem_strdup(d->d_name);
	closedir(h);
	if (n)
		qsort(*out, n, sizeof **out, kit_name_cmp);
	return (int)n;
}

KIT void same_xattrs(struct same *s, int a, int b, const char *name)
{
	char pa[300], pb[300], na[65536], nb[65536];
	static char va[65536], vb[65536];
	size_t count[2] = {0};
	snprintf(pa, sizeof pa, "/proc/self/fd/%d/%s", a, name);
	snprintf(pb, sizeof pb, "/proc/self/fd/%d/%s", b, name);
	ssize_t la = llistxattr(pa, na, sizeof na), lb = llistxattr(pb, nb, sizeof nb);
	if (la < 0 || lb < 0)
		same_fail(s, strerror(errno));
	for (char *p = na; p < na + la; p += strlen(p) + 1, count[0]++) {
		ssize_t x = lgetxattr(pa, p, va, sizeof va), y = lgetxattr(pb, p, vb, sizeof vb);
		if (x < 0 || x != y || memcmp(va, vb, (size_t)x) != 0)
			same_fail(s, p);
	}
	for (char *p = nb; p < nb + lb; p += strlen(p) + 1)
		count[1]++;
	if (count[0] != count[1])
		same_fail(s, "number of attributes");
}

KIT void same_bytes(struct same *s, int a, int b, uint64_t off, uint64_t len)
{
	static char x[1 << 16], y[1 << 16];
	while (len) {
		size_t n = len < sizeof x ? (size_t)len : sizeof x;
		if (fs_pread_all(a, x, n, off))
			same_fail(s, "it cannot be read");
		if (fs_pread_all(b, y, n, off))
			same_fail(s, strerror(errno));
		if (memcmp(x, y, n) != 0)
			same_fail(s, "content");
		off += n;
		len -= n;
	}
}

/* Of huge files the two ends only. */
KIT void same_content(struct same *s, int a, int b, const char *name, uint64_t size)
{
	int fa = openat(a, name, O_RDONLY | O_CLOEXEC), fb = openat(b, name, O_RDONLY | O_CLOEXEC);
	const uint64_t most = 4 << 20;
	char c;
	assert_true(fa >= 0 && fb >= 0);
	if (size <= 2 * most) {
		same_bytes(s, fa, fb, 0, size);
	} else {
		same_bytes(s, fa, fb, 0, most);
		same_bytes(s, fa, fb, size - most, most);
	}
	assert_int_equal(pread(fa, &c, 1, (off_t)size), 0);
	close(fa);
	close(fb);
}

KIT bool one_inode(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_dev == y->st_dev;
}

KIT void same_inode(struct same *s, const struct stat *x, const struct stat *y)
{
	for (size_t i = 0; i < s->nlinks; i++)
		if (one_inode(&s->links[i].a, x) != one_inode(&s->links[i].b, y))
			same_fail(s, "hard links");
	if (s->nlinks < ARRAY_LEN(s->links)) {
		s->links[s->nlinks].a = *x;
		s->links[s->nlinks++].b = *y;
	}
}

KIT void same_meta(struct same *s, const struct stat *x, const struct stat *y)
{
	bool dir = S_ISDIR(x->st_mode);
	if (x->st_mode != y->st_mode)
		same_fail(s, "mode");
	if (x->st_uid != y->st_uid || x->st_gid != y->st_gid)
		same_fail(s, "owner");
	if (!dir && x->st_size != y->st_size)
		same_fail(s, "size");
	if ((S_ISCHR(x->st_mode) || S_ISBLK(x->st_mode)) && x->st_rdev != y->st_rdev)
		same_fail(s, "device");
	bool whiteout = S_ISCHR(x->st_mode) && !x->st_rdev;
	if (whiteout && !(s->flags & RAW_LAYER))
		same_fail(s, "a whiteout that can be seen");
	if (!whiteout && (x->st_mtim.tv_sec != y->st_mtim.tv_sec ||
				 x->st_mtim.tv_nsec != y->st_mtim.tv_nsec))
		same_fail(s, "time");
	if (s->flags & (dir ? SAME_DIRS : SAME_NLINK) && x->st_nlink != y->st_nlink)
		same_fail(s, "links");
	if (!dir && s->flags & SAME_NLINK && x->st_nlink > 1)
		same_inode(s, x, y);
}

KIT void same_dirs(struct same *s, int a, int b)
{
	size_t len = strlen(s->path);
	char **na, **nb;
	int n = kit_names(a, &na), m = kit_names(b, &nb);
	if (n != m)
		same_fail(s, "number of names");
	for (int i = 0; i < n; i++) {
		struct stat x, y;
		snprintf(s->path + len, sizeof s->path - len, "/%s", na[i]);
		if (strcmp(na[i], nb[i]) != 0)
			same_fail(s, nb[i]);
		if (fstatat(a, na[i], &x, AT_SYMLINK_NOFOLLOW) ||
			fstatat(b, na[i], &y, AT_SYMLINK_NOFOLLOW))
			same_fail(s, strerror(errno));
		same_meta(s, &x, &y);
		same_xattrs(s, a, b, na[i]);
		s->seen++;
		if (S_ISLNK(x.st_mode)) {
			char ta[5000], tb[5000];
			ssize_t la = readlinkat(a, na[i], ta, sizeof ta),
				lb = readlinkat(b, na[i], tb, sizeof tb);
			if (la < 0 || la != lb || memcmp(ta, tb, (size_t)la) != 0)
				same_fail(s, "link target");
		} else if (S_ISREG(x.st_mode)) {
			same_content(s, a, b, na[i], (uint64_t)x.st_size);
		} else if (S_ISDIR(x.st_mode)) {
			int da = openat(a, na[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			int db = openat(b, na[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			assert_true(da >= 0 && db >= 0);
			same_dirs(s, da, db);
			close(da);
			close(db);
		}
		s->path[len] = 0;
		free(na[i]);
		free(nb[i]);
	}
	free(na);
	free(nb);
}

/* The number of names that were compared. */
KIT size_t assert_same(int a, int b, int flags)
{
	struct same *s = mem_alloc(sizeof *s);
	struct stat x, y;
	s->flags = flags;
	assert_int_equal(fstat(a, &x), 0);
	assert_int_equal(fstat(b, &y), 0);
	same_meta(s, &x, &y);
	if (!(flags & NO_ROOT_MARK))
		same_xattrs(s, a, b, ".");
	same_dirs(s, a, b);
	size_t seen = s->seen;
	free(s);
	return seen;
}

/* --- merged trees ---------------------------------------------------------------------------- */

KIT void kit_count_names(const struct layer_node *n, uint32_t *names)
{
	names[layer_node_ino(n)]++;
	for (size_t i = 0; i < layer_node_nchildren(n); i++)
		kit_count_names(layer_node_child(n, i), names);
}

KIT void kit_check_links(const struct layer_node *n, int dir, const uint32_t *names)
{
	for (size_t i = 0; i < layer_node_nchildren(n); i++) {
		const struct layer_node *c = layer_node_child(n, i);
		struct stat st;
		assert_int_equal(fstatat(dir, layer_node_name(c), &st, AT_SYMLINK_NOFOLLOW), 0);
		if (layer_node_ino(c))
			assert_int_equal(st.st_nlink, names[layer_node_ino(c)]);
		if (layer_node_type(c) != LAYER_DIR)
			continue;
		int fd = openat(dir, layer_node_name(c), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		kit_check_links(c, fd, names);
		close(fd);
	}
}

/* Link counts of a merged index are the names that are left. */
KIT void assert_links(const struct layer_tree *t, int at)
{
	uint32_t *names = mem_array(1 << 16, sizeof *names);
	kit_count_names(layer_tree_root(t), names);
	kit_check_links(layer_tree_root(t), at, names);
	free(names);
}

/* --- stacks ---------------------------------------------------------------------------------- */

#define STACK_MAX 6

struct stack {
	size_t n;
	int tar[STACK_MAX];
	struct layer_tree *below[STACK_MAX + 1]; /* [i]: what is below layer i; the last one: all */
	char unpacked[STACK_MAX][128];
	char mounted[STACK_MAX][128];
};

/* One more layer on top: its index shows what its unpacked directory does. */
KIT void stack_add(struct world *w, struct stack *s, int take_tar)
{
	size_t i = s->n++;
	s->tar[i] = take_tar;
	if (i == 0)
		s->below[0] = layer_tree_new();
	s->below[i + 1] = layer_tree_new();
	for (size_t k = 0; k <= i; k++)
		assert_ok(layer_tree_apply(s->below[i + 1], dup(s->tar[k]), err));
	const struct layer_tree *below = i ? s->below[i] : NULL;

	int dir = kit_new_dir(w, s->unpacked[i]);
	struct layer_unpack u = {.dest_fd = dir, .below = below};
	assert_ok(layer_unpack(take_tar, &u, err));
	int at = kit_mount_layer(w, take_tar, below);
	assert_true(assert_same(at, dir, SAME_NLINK | SAME_DIRS | RAW_LAYER) < 1000000);
	close(kit_new_dir(w, s->mounted[i]));
	assert_int_equal(move_mount(at, "", AT_FDCWD, s->mounted[i], MOVE_MOUNT_F_EMPTY_PATH), 0);
	close(at);
	close(dir);
}

/* The overlay of the indexes, and the merged index, against the overlay of the directories. */
KIT size_t stack_finish(struct world *w, struct stack *s)
{
	char over_dirs[128], over_erofs[128];
	int dirs, indexes = -1;
	if (s->n > 1) {
		dirs = kit_overlay(w, s->unpacked, s->n, over_dirs);
		indexes = kit_overlay(w, s->mounted, s->n, over_erofs);
		assert_same(indexes, dirs, SAME_NLINK | SAME_DIRS);
		close(indexes);
		kit_drop_dir(over_erofs);
	} else {
		dirs = open(s->unpacked[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	int merged = kit_mount_tree(w, s->below[s->n]);
	size_t seen = assert_same(merged, dirs, NO_ROOT_MARK);
	assert_links(s->below[s->n], merged);
	close(merged);
	close(dirs);
	if (s->n > 1)
		kit_drop_dir(over_dirs);
	for (size_t i = 0; i < s->n; i++) {
		kit_drop_dir(s->mounted[i]);
		kit_drop_dir(s->unpacked[i]);
		close(s->tar[i]);
	}
	for (size_t i = 0; i <= s->n; i++)
		layer_tree_free(s->below[i]);
	return seen;
}

#endif

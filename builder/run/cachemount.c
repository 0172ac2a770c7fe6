// SPDX-License-Identifier: Apache-2.0
/*
 * Directories of RUN --mount=type=cache in the store. One appears complete, by rename, and whoever
 * is first wins. Two locks: flock on the directory says that it is in use, so that nobody removes
 * it; a lock file makes others wait for one that is shared by turns. A private one that is taken
 * has numbered copies.
 */
#include "builder/run/cachemount.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/cache/cachekey.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/store.h"
#include "store/tree/tree.h"
#include "store/tree/unpack.h"

void cachemount_name(const struct cachemount *c, char hex[DIGEST_HEX])
{
	static const struct digest none;
	struct digest d;
	struct sha256 h;

	cachekey_begin(&h, &none, "cache mount");
	sha256_field_str(&h, c->id);
	/* As in BuildKit: plain ones share by id alone; what shapes a new directory separates. */
	sha256_field_u64(&h, c->uid);
	sha256_field_u64(&h, c->gid);
	sha256_field_u64(&h, c->mode);
	cachekey_digest(&h, c->seed_key ? c->seed_key : &none);
	sha256_field_str(&h, c->seed_key ? c->seed_path : NULL);
	sha256_final(&h, &d);
	sha256_hex(&d, hex);
}

/* Selected files -> a tar nobody sees -> the new directory. */
static int seed(struct session *se, const struct cachemount *c, int dir_fd, struct err **err)
{
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = c->seed_path};
	struct copy_request q = {
		.root = *c->seed,
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = store_spool_fd(se->s),
		.cancelled = stop_flag(&se->stop),
	};
	auto_layer_tree struct layer_tree *empty = layer_tree_new();
	struct copy_dest d = {.below = empty, .path = "/", .workdir = "/"};
	auto_fd int tar = fs_spool(store_spool_fd(se->s));
	auto_copy_selection struct copy_selection *sel = copy_select(&q, NULL, err);

	if (!sel)
		return -1;
	if (tar < 0)
		return err_sys(err, "spool file in the store");
	auto_copy_placed struct copy_placed *p = copy_place(sel, &d, err);
	struct io_fd out = {.fd = tar, .what = "cache mount"};
	auto_layer_writer struct layer_writer *w = layer_writer_new(io_fd_writer(&out));
	if (!p || copy_write(p, w, err) < 0)
		return -1;
	struct layer_unpack u = {.dest_fd = dir_fd, .below = NULL};
	return layer_unpack(tar, &u, err);
}

static int cachemount_apply(const struct layer_entry *e, int dir_fd)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = e->mtime}};

	if (fchown(dir_fd, e->uid, e->gid) < 0 || fchmod(dir_fd, e->mode) < 0)
		return -1;
	for (size_t i = 0; i < e->nxattrs; i++)
		if (fsetxattr(dir_fd, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].len, 0) <
			0)
			return -1;
	return futimens(dir_fd, times);
}

/* The new directory is what its source is: uid=, gid= and mode= are for those without one, as in
 * BuildKit and buildah. A file as the source lies in a plain directory. */
static int seed_attrs(const struct cachemount *c, int dir_fd, struct err **err)
{
	struct layer_entry e = {
		.mode = c->mode, .uid = c->uid, .gid = c->gid, .mtime = now_seconds()};
	const struct layer_node *n = NULL;
	struct stat sb;

	if (c->seed->dir_fd < 0) {
		n = layer_tree_lookup(c->seed->tree, c->seed_path, true, NULL, NULL);
		if (n && layer_node_type(n) == LAYER_DIR)
			layer_node_attrs(n, &e);
	} else {
		auto_fd int fd = fs_open_beneath(
			c->seed->dir_fd, c->seed_path, O_PATH | O_DIRECTORY, 0, FS_IN_ROOT);
		if (fd >= 0 && fstat(fd, &sb) == 0) {
			e.uid = e.gid = 0;
			e.mode = sb.st_mode & 07777;
			e.mtime = sb.st_mtime;
		}
	}
	return cachemount_apply(&e, dir_fd) < 0 ? err_sys(err, "cache mount: owner and mode") : 0;
}

/* Never in place of another one, not even an empty one: somebody may be about to mount that. */
static int cachemount_publish(struct session *se, const char *temp, const char *path)
{
	int tmp = store_tmp_fd(se->s), bld = store_bld_fd(se->s);

	if (renameat2(tmp, temp, bld, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? renameat(tmp, temp, bld, path) : -1;
}

/* Appears by rename, complete; whoever is first wins. */
static int cachemount_make(
	struct session *se, const struct cachemount *c, const char *path, struct err **err)
{
	char temp[64];
	auto_fd int fd = store_temp_dir(se->s, temp, err);

	int r = 0;

	if (fd < 0)
		return -1;
	if (c->seed)
		r = seed(se, c, fd, err) < 0 ? -1 : seed_attrs(c, fd, err);
	else if (fchown(fd, c->uid, c->gid) < 0 || fchmod(fd, c->mode) < 0)
		r = err_sys(err, "cache mount: owner and mode");
	if (r == 0 && cachemount_publish(se, temp, path) < 0 && errno != EEXIST &&
		errno != ENOTEMPTY)
		r = err_sys(err, "cache mount: %s", path);
	/* Of the new directory nothing is left here, unless it failed or somebody was faster. */
	store_discard(se->s, temp);
	return r;
}

/* The lock dies with the last copy of the descriptor, which is the caller's. */
static int open_used(int bld_fd, const char *path)
{
	struct stat mine, there;

	for (;;) {
		auto_fd int fd =
			openat(bld_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -1;
		/* Whoever has it exclusively is moving it away, and soon done. */
		if (flock(fd, LOCK_SH) < 0 && errno == EINTR)
			continue;
		if (fstat(fd, &mine) < 0)
			return -1;
		if (fstatat(bld_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
			mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
			return TAKE_FD(fd);
	}
}

/* 1 it went to the trash, or there is none; 0 somebody uses it; -1. */
static int drop_unused(struct session *se, int mounts, const char *name)
{
	auto_fd int fd = openat(mounts, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 1 : -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	return store_trash(se->s, mounts, name) < 0 ? -1 : 1;
}

/* Out of the way: to the trash, or aside while it is in use. */
static int move_away(
	struct session *se, int mounts, const char *name, const char *id, struct err **err)
{
	int gone = drop_unused(se, mounts, name);

	for (unsigned i = 0; gone >= 0 && i < CACHEMOUNT_OLD_MAX; i++) {
		auto_free char *aside = mem_printf("%s.old-%u", name, i);
		int free = drop_unused(se, mounts, aside);

		if (free < 0)
			gone = -1;
		else if (free && !gone)
			gone = renameat(mounts, name, mounts, aside) < 0 ? -1 : 1;
	}
	if (gone < 0)
		return err_sys(err, "cache mount \"%s\": making room for a new one", id);
	return gone ? 0
		    : err_set(err, ERR_LIMIT,
			      "cache mount \"%s\": %d replaced directories are still in use", id,
			      CACHEMOUNT_OLD_MAX);
}

/* Once in a build: what its steps put there they share. */
static int begin_anew(
	struct session *se, const struct cachemount *c, const char *name, struct err **err)
{
	int r = 0;

	pthread_mutex_lock(&se->lock);
	if (!strlist_has(&se->begun_mounts, name)) {
		auto_fd int mounts = openat(store_bld_fd(se->s), "mounts",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (mounts >= 0)
			r = move_away(se, mounts, name, c->id, err);
		else if (errno != ENOENT)
			r = err_sys(err, "cache mounts of the store");
		if (r == 0)
			strlist_add(&se->begun_mounts, name);
	}
	pthread_mutex_unlock(&se->lock);
	return r;
}

static int open_instance(
	struct session *se, const struct cachemount *c, const char *name, struct err **err)
{
	auto_free char *path = mem_printf("mounts/%s", name);

	if (c->anew && begin_anew(se, c, name, err) < 0)
		return -1;
	for (int tries = 0; tries < 2; tries++) {
		int fd = open_used(store_bld_fd(se->s), path);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			break;
		if (fs_mkdirs(store_bld_fd(se->s), "mounts", 0700) < 0)
			break;
		if (cachemount_make(se, c, path, err) < 0)
			return -1;
	}
	return err_sys(err, "cache mount \"%s\"", c->id);
}

/* Waits in small pieces when it has to, so that a signal ends the wait. */
static int cachemount_take_lock(
	struct session *se, const struct cachemount *c, const char *name, struct err **err)
{
	auto_free char *path = mem_printf("locks/mount-%s", name);
	bool told = false;

	for (;;) {
		int fd = lock_take(store_bld_fd(se->s), path, LOCK_EXCLUSIVE, false, err);
		if (fd >= 0 || errno != EWOULDBLOCK || c->sharing == CACHEMOUNT_PRIVATE)
			return fd;
		if (session_wait(se, &told,
			    "waiting for a cache mount that another build has locked", err) < 0)
			return -1;
	}
}

int cachemount_open(struct session *se, const struct cachemount *c, int *held, struct err **err)
{
	char hex[DIGEST_HEX], name[DIGEST_HEX + 16];

	cachemount_name(c, hex);
	*held = -1;
	if (c->sharing == CACHEMOUNT_SHARED)
		return open_instance(se, c, hex, err);
	for (unsigned i = 0; i < CACHEMOUNT_INSTANCES_MAX; i++) {
		if (i == 0)
			snprintf(name, sizeof name, "%s", hex);
		else
			snprintf(name, sizeof name, "%s-%u", hex, i);
		errno = 0;
		auto_fd int lock = cachemount_take_lock(se, c, name, err);
		if (lock < 0 && errno == EWOULDBLOCK && c->sharing == CACHEMOUNT_PRIVATE)
			continue;
		if (lock < 0)
			return -1;
		int fd = open_instance(se, c, name, err);
		if (fd >= 0)
			*held = TAKE_FD(lock);
		return fd;
	}
	return err_set(err, ERR_LIMIT, "cache mount \"%s\": %d private copies are in use", c->id,
		CACHEMOUNT_INSTANCES_MAX);
}

/* --- U ---------------------------------------------------------------------------------------- */

struct owner {
	uint32_t uid;
	uint32_t gid;
};

static int give_one(int fd, const struct owner *o, struct stat *sb)
{
	if (fstat(fd, sb) < 0)
		return -1;
	if (sb->st_uid == o->uid && sb->st_gid == o->gid)
		return 0;
	return fchownat(fd, "", o->uid, o->gid, AT_EMPTY_PATH);
}

static int give_directory(int at, const char *name, const struct owner *o, unsigned depth);

/* What is gone meanwhile is nobody's. */
static int give_entry(int dir, const char *name, const struct owner *o, unsigned depth)
{
	auto_fd int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat sb;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (give_one(fd, o, &sb) < 0)
		return -1;
	return S_ISDIR(sb.st_mode) ? give_directory(fd, ".", o, depth + 1) : 0;
}

static int give_directory(int at, const char *name, const struct owner *o, unsigned depth)
{
	const struct dirent *e;
	int r = 0, more = 0;

	if (depth > CACHEMOUNT_DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	DIR *d = fs_opendir(at, name);
	if (!d)
		return -1;
	while (r == 0 && (more = fs_readdir(d, &e)) == 1)
		r = give_entry(dirfd(d), e->d_name, o, depth);
	if (more < 0)
		r = -1;
	int saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

int cachemount_give(int dir_fd, uint32_t uid, uint32_t gid, struct err **err)
{
	const struct owner o = {uid, gid};
	struct stat sb;

	if (give_one(dir_fd, &o, &sb) == 0 && give_directory(dir_fd, ".", &o, 0) == 0)
		return 0;
	if (errno == ELOOP)
		return err_set(err, ERR_LIMIT,
			"U: more than %d directories in each other in the cache mount",
			CACHEMOUNT_DEPTH_MAX);
	return err_sys(err, "U: owners in the cache mount");
}

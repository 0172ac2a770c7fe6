// SPDX-License-Identifier: Apache-2.0
/*
 * What is being made: one directory a process in bld/tmp, names in it, and the way to the trash. A
 * directory NAME is alive as long as bld/tmp/NAME.lock is locked; making and recovering happen
 * under bld/locks/tmp.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/recover.h"
#include "store/store.h"
#include "store/tempfile.h"

/* What dead processes left. On most file systems the number of links tells that a directory has
 * no others below it; where it does not (1), the directory is read. */
void store_recover(struct store *s)
{
	struct stat st;

	if (fstatat(s->bld_fd, store_dir_names[STORE_TMP], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_nlink == 2)
		return;
	auto_fd int guard = lock_take(store_dir(s, STORE_LOCKS), "tmp", LOCK_EXCLUSIVE, true, NULL);
	if (guard >= 0)
		recover_dead(store_dir(s, STORE_TMP), store_dir(s, STORE_TRASH));
}

/* This process's directory in tmp, or -1. The caller holds making_tmp. */
static int make_tmp(const struct store *s)
{
	struct store_later *l = s->later;
	int tmp = store_dir(s, STORE_TMP);
	char name[FS_TEMP_NAME], lock_name[FS_TEMP_NAME + 8];

	if (tmp < 0)
		return -1;
	auto_fd int guard = lock_take(store_dir(s, STORE_LOCKS), "tmp", LOCK_EXCLUSIVE, true, NULL);
	if (guard < 0)
		return -1;
	recover_dead(tmp, store_dir(s, STORE_TRASH));
	fs_temp_name(name, sizeof name, STORE_PROCESS);
	snprintf(lock_name, sizeof lock_name, "%s.lock", name);
	auto_fd int lock = lock_take(tmp, lock_name, LOCK_EXCLUSIVE, true, NULL);
	if (lock < 0)
		return -1;
	int fd = mkdirat(tmp, name, 0700) < 0 ? -1 : store_open_dir(tmp, name);
	if (fd < 0) {
		int saved = errno;
		unlinkat(tmp, lock_name, 0);
		errno = saved;
		return -1;
	}
	memcpy(l->tmp_name, name, sizeof name);
	l->tmp_lock = TAKE_FD(lock);
	return fd;
}

void store_drop_tmp(struct store *s)
{
	struct store_later *l = s->later;
	char trash[FS_TEMP_NAME], lock_name[FS_TEMP_NAME + 8];

	if (l->tmp < 0)
		return;
	int tmp = store_dir(s, STORE_TMP);

	fs_temp_name(trash, sizeof trash, "left");
	snprintf(lock_name, sizeof lock_name, "%s.lock", l->tmp_name);
	if (unlinkat(tmp, l->tmp_name, AT_REMOVEDIR) < 0)
		fs_renameat(tmp, l->tmp_name, store_dir(s, STORE_TRASH), trash);
	unlinkat(tmp, lock_name, 0);
}

int store_tmp_fd(const struct store *s)
{
	struct store_later *l = s->later;
	int fd = atomic_load_explicit(&l->tmp, memory_order_acquire);

	if (fd >= 0)
		return fd;
	pthread_mutex_lock(&l->making_tmp);
	fd = atomic_load_explicit(&l->tmp, memory_order_relaxed);
	if (fd < 0)
		fd = make_tmp(s);
	atomic_store_explicit(&l->tmp, fd, memory_order_release);
	pthread_mutex_unlock(&l->making_tmp);
	/* Whoever wants to make something there fails for the same reason, and says it. */
	return fd < 0 ? store_dir(s, STORE_TMP) : fd;
}

int store_temp_dir(struct store *s, char name[64], struct err **err)
{
	int tmp = store_tmp_fd(s);

	fs_temp_name(name, 64, "d");
	if (tmp < 0 || mkdirat(tmp, name, 0700) < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	int fd = store_open_dir(tmp, name);
	if (fd < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	return fd;
}

int store_trash(struct store *s, int dir_fd, const char *name)
{
	int saved = errno;
	char trash[FS_TEMP_NAME];

	fs_temp_name(trash, sizeof trash, "t");
	if (unlinkat(dir_fd, name, 0) < 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 &&
		fs_renameat(dir_fd, name, store_dir(s, STORE_TRASH), trash) < 0 && errno != ENOENT)
		return -1;
	errno = saved;
	return 0;
}

void store_discard(struct store *s, const char *name)
{
	int saved = errno;

	store_trash(s, store_tmp_fd(s), name);
	errno = saved;
}

int store_write_file(struct store *s, int dir_fd, const char *name, const void *p, size_t n,
	bool sync, struct err **err)
{
	auto_tempfile struct tempfile t;

	if (tempfile_open(s, &t) < 0 || fs_write_all(t.fd, p, n) < 0 || (sync && fsync(t.fd) < 0) ||
		tempfile_publish(&t, dir_fd, name) < 0)
		return err_sys(err, "store %s: %s", s->root, name);
	if (sync && fsync(dir_fd) < 0)
		return err_sys(err, "store %s: %s", s->root, name);
	return 0;
}

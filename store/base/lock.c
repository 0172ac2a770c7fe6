// SPDX-License-Identifier: Apache-2.0
/*
 * Open file description locks: of the descriptor and not of the process, so threads exclude each
 * other and closing another descriptor of the same file drops nothing. A lock file may be removed
 * by whoever holds it; lock_take() therefore looks whether the name still means the file it locked,
 * and starts again if not.
 */
#include "store/base/lock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/base/fs.h"

static int set_lock(int fd, struct flock *fl, bool wait)
{
	if (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, fl) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		errno = EWOULDBLOCK;
	else if (errno == EBADF && fl->l_type == F_WRLCK) /* opened for reading (lock_take) */
		errno = EACCES;
	return -1;
}

int lock_fd(int fd, enum lock_mode mode, bool wait)
{
	struct flock fl = {
		.l_type = mode == LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};

	return set_lock(fd, &fl, wait);
}

int lock_byte(int fd, uint64_t offset, enum lock_mode mode, bool wait)
{
	struct flock fl = {
		.l_type = mode == LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(offset & (((uint64_t)1 << 62) - 1)),
		.l_len = 1,
	};

	return set_lock(fd, &fl, wait);
}

int lock_release(int fd)
{
	struct flock fl = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	return set_lock(fd, &fl, false);
}

/* Is the file that we locked still the one with this name? Somebody may have removed it while we
 * waited; a lock on a removed file excludes nobody. */
static bool still_named(int dir_fd, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int lock_take(int dir_fd, const char *name, enum lock_mode mode, bool wait, struct err **err)
{
	for (;;) {
		auto_fd int fd =
			fs_openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0600);
		/* A store of somebody else can still be read: a shared lock needs no write access.
		 */
		if (fd < 0 && dir_fd != -1 && mode == LOCK_SHARED &&
			(errno == EACCES || errno == EROFS))
			fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_sys(err, "lock %s", name);
		if (lock_fd(fd, mode, wait) < 0) {
			if (errno == EWOULDBLOCK && !wait)
				return -1;
			if (errno == EINTR)
				return err_set(err, ERR_CANCELLED,
					"interrupted while waiting for lock %s", name);
			return err_sys(err, "lock %s", name);
		}
		if (still_named(dir_fd, name, fd))
			return TAKE_FD(fd);
	}
}

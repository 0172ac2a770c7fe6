// SPDX-License-Identifier: Apache-2.0
/*
 * Locks: of one object, and of the whole store for prune. Locks of objects are bytes of one file,
 * chosen by a digest, so that no lock files pile up.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/store.h"

int store_lock(
	struct store *s, enum store_lock kind, const struct digest *d, bool wait, struct err **err)
{
	struct sha256 h;
	struct digest mixed;
	uint64_t offset;
	auto_fd int fd = fs_openat(
		store_dir(s, STORE_LOCKS), "objects", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, "store %s: lock", s->root);
	sha256_init(&h);
	sha256_field_u64(&h, (uint64_t)kind);
	sha256_update(&h, d->b, sizeof d->b);
	sha256_final(&h, &mixed);
	memcpy(&offset, mixed.b, sizeof offset);
	if (lock_byte(fd, offset, LOCK_EXCLUSIVE, wait) < 0) {
		if (errno == EWOULDBLOCK && !wait)
			return -1;
		if (errno == EINTR)
			return err_set(
				err, ERR_CANCELLED, "interrupted while waiting for another bld");
		return err_sys(err, "store %s: lock", s->root);
	}
	return TAKE_FD(fd);
}

/*
 * The shared lock is given up before the exclusive one is asked for: two processes that both kept
 * theirs would wait for each other for ever. Until then our tmp directory is guarded by its own
 * lock.
 */
int store_exclusive(struct store *s, bool wait, struct err **err)
{
	if (s->prune_lock >= 0)
		return 0;
	lock_release(s->use_lock);
	errno = 0;
	s->prune_lock = lock_take(store_dir(s, STORE_LOCKS), "prune", LOCK_EXCLUSIVE, wait, err);
	if (s->prune_lock >= 0 && lock_fd(s->use_lock, LOCK_EXCLUSIVE, wait) == 0)
		return 0;
	int why = errno;
	fd_close(s->prune_lock);
	s->prune_lock = -1;
	lock_fd(s->use_lock, LOCK_SHARED, true);
	if (err && *err)
		return -1;
	errno = why;
	if (why == EWOULDBLOCK)
		return err_set(err, ERR_SYS, "store %s is busy: another bld uses it", s->root);
	return why == EINTR ? err_set(err, ERR_CANCELLED, "interrupted while waiting for the store")
			    : err_sys(err, "store %s: lock", s->root);
}

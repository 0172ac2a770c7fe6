// SPDX-License-Identifier: Apache-2.0
/*
 * The directories of a store as descriptors. Opening a store that is there has to cost next to
 * nothing, so each is opened by the first who asks, under a lock, and read without one after that.
 */
#include "store/store_private.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

const char *const store_dir_names[STORE_NDIRS] = {
	[STORE_DIRS] = "dirs",
	[STORE_FORMS] = "forms",
	[STORE_EROFS] = "erofs",
	[STORE_CACHE] = "cache",
	[STORE_MOUNTS] = "mounts",
	[STORE_LOCKS] = "locks",
	[STORE_TRASH] = "trash",
	[STORE_TMP] = "tmp",
};

struct store_later *store_later_new(void)
{
	struct store_later *l = mem_alloc(sizeof *l);

	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->making_tmp, NULL);
	atomic_init(&l->blobs, -1);
	atomic_init(&l->tmp, -1);
	l->tmp_lock = -1;
	for (int i = 0; i < STORE_NDIRS; i++)
		atomic_init(&l->dirs[i], -1);
	return l;
}

void store_later_free(struct store_later *l)
{
	fd_close(l->tmp);
	fd_close(l->tmp_lock);
	for (int i = 0; i < STORE_NDIRS; i++)
		fd_close(l->dirs[i]);
	fd_close(l->blobs);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->making_tmp);
	free(l);
}

int store_open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory at/name, opened once and made if need be; -1 errno. Whose it is store_open_layout()
 * has looked at. */
static int open_once(struct store_later *l, atomic_int *slot, int at, const char *name)
{
	int fd = atomic_load_explicit(slot, memory_order_acquire);

	if (fd >= 0)
		return fd;
	pthread_mutex_lock(&l->lock);
	fd = atomic_load_explicit(slot, memory_order_relaxed);
	if (fd < 0)
		fd = store_open_dir(at, name);
	if (fd < 0 && errno == ENOENT && fs_mkdirs(at, name, 0700) == 0)
		fd = store_open_dir(at, name);
	atomic_store_explicit(slot, fd, memory_order_release);
	pthread_mutex_unlock(&l->lock);
	return fd;
}

int store_blobs_fd(const struct store *s)
{
	return open_once(s->later, &s->later->blobs, s->root_fd, "blobs/sha256");
}

int store_dir(const struct store *s, enum store_dir d)
{
	return open_once(s->later, &s->later->dirs[d], s->bld_fd, store_dir_names[d]);
}

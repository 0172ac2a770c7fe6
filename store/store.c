// SPDX-License-Identifier: Apache-2.0
/*
 * Opening and closing a store. Opening one that is there costs a dozen system calls: the version,
 * the shared lock on bld/locks/store (which a prune holds exclusively), and a look whether dead
 * processes left tmp directories. The rest is store_layout.c (what it consists of), store_dirs.c,
 * store_temp.c, store_lock.c and store_trust.c.
 */
#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/keep.h"
#include "store/owned.h"
#include "store/recover.h"
#include "store/store.h"

static int store_open_all(struct store *s, const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);

	s->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 && errno == ENOENT && store_make_parents(path, 0700) == 0)
		s->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->root = s->root_fd < 0 ? NULL : realpath(path, NULL);
	if (!s->root)
		return err_sys(err, "store %s", shown);
	if (owned_link(path, err) < 0 || owned_way(s->root, err) < 0)
		return -1;
	if (store_open_layout(s, err) < 0)
		return -1;
	s->use_lock = lock_take(store_dir(s, STORE_LOCKS), "store", LOCK_SHARED, true, err);
	if (s->use_lock < 0)
		return err_prefix(err, "store %s", shown);
	store_recover(s);
	return 0;
}

bool store_exists(const char *root)
{
	auto_free char *path = root && *root ? mem_strdup(root) : store_default_root(NULL);
	auto_free char *own = path ? mem_printf("%s/bld", path) : NULL;

	return own && access(own, F_OK) == 0;
}

struct store *store_open(const char *root, struct err **err)
{
	auto_free char *path = root && *root ? mem_strdup(root) : store_default_root(err);

	if (!path)
		return NULL;
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	struct store *s = mem_alloc(sizeof *s);
	s->root_fd = s->bld_fd = s->use_lock = s->prune_lock = -1;
	s->later = store_later_new();
	pthread_mutex_init(&s->lock, NULL);
	s->keep = keep_new();
	/* Taken for another boot's, all layer directories would be made again. */
	if (now_boot_id(s->boot, sizeof s->boot) < 0) {
		err_sys(err, "the boot id of this machine");
		store_close(s);
		return NULL;
	}
	s->has_proc = *s->boot;
	if (!*s->boot) /* no /proc: trust only what this process writes */
		fs_temp_name(s->boot, sizeof s->boot, "unknown");
	if (store_open_all(s, path, err) < 0) {
		store_close(s);
		return NULL;
	}
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	int saved = errno;
	store_drop_tmp(s);
	store_later_free(s->later);
	fd_close(s->use_lock);
	fd_close(s->prune_lock);
	fd_close(s->bld_fd);
	fd_close(s->root_fd);
	pthread_mutex_destroy(&s->lock);
	keep_free(s->keep);
	free(s->good);
	free(s->root);
	free(s);
	errno = saved;
}

const char *store_root(const struct store *s)
{
	return s->root;
}

int store_root_fd(const struct store *s)
{
	return s->root_fd;
}

int store_bld_fd(const struct store *s)
{
	return s->bld_fd;
}

int store_spool_fd(const struct store *s)
{
	return s->bld_fd;
}

bool store_has_proc(const struct store *s)
{
	return s->has_proc;
}

const char *store_boot_id(const struct store *s)
{
	return s->boot;
}

struct keep *store_keep(struct store *s)
{
	return s->keep;
}

int store_sync(struct store *s, struct err **err)
{
	return syncfs(s->root_fd) < 0 ? err_sys(err, "store %s: sync", s->root) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that make up an open store (store.c, store_*.c) share and nobody else sees.
 */
#ifndef BLD_STORE_STORE_PRIVATE_H
#define BLD_STORE_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/base/fs.h"
#include "store/base/sha256.h"
#include "store/store.h"

#define STORE_BOOT_MAX 64 /* bytes of a boot id, or of the text that stands for it */

/* What is opened or made when it is first asked for: -1 before. Set under a lock, read without. */
struct store_later {
	pthread_mutex_t lock;
	atomic_int blobs; /* blobs/sha256 */
	atomic_int dirs[STORE_NDIRS];
	pthread_mutex_t making_tmp; /* guards the rest; taken before `lock` */
	atomic_int tmp;             /* bld/tmp/NAME */
	int tmp_lock;               /* bld/tmp/NAME.lock */
	char tmp_name[FS_TEMP_NAME];
};

struct store {
	char *root; /* absolute; owned, as are the descriptors */
	int root_fd;
	int bld_fd;
	int use_lock;              /* bld/locks/store: shared, or exclusive after store_exclusive */
	int prune_lock;            /* bld/locks/prune, held with an exclusive use_lock; else -1 */
	struct store_later *later; /* owned */
	bool volatile_fs;          /* nothing here outlives a boot */
	bool has_proc;
	char boot[STORE_BOOT_MAX];
	struct keep *keep;    /* owned */
	pthread_mutex_t lock; /* guards what follows */
	struct digest *good;  /* verified by this process, where an xattr could not say so; owned */
	size_t ngood, good_cap;
};

/* --- store_layout.c: what a store consists of, made when it is missing ---------------------------
 */

/* BLD_ROOT, or where this user's store is; owned. */
char *store_default_root(struct err **err);
/* Directory `path` and its parents; 0 / -1 errno. */
int store_make_parents(const char *path, mode_t mode);
/* Look at the directory s->root_fd, make it private, and make what is not there. */
int store_open_layout(struct store *s, struct err **err);

/* --- store_dirs.c: directories, opened when they are first asked for -----------------------------
 */

struct store_later *store_later_new(void);
void store_later_free(struct store_later *l); /* closes all */
/* at/name as a directory, no link; -1 errno. */
int store_open_dir(int at, const char *name);
extern const char *const store_dir_names[STORE_NDIRS];

/* --- store_temp.c: this process's directory in tmp -----------------------------------------------
 */

/* Move what dead processes left there to the trash, if there may be any. */
void store_recover(struct store *s);
/* Remove the directory that store_tmp_fd() made, if it did. */
void store_drop_tmp(struct store *s);

#endif

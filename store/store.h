/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: one directory that is at the same time a valid OCI image layout.
 *
 *	oci-layout, index.json  the images by name (tags.h); index.json is replaced atomically
 *	blobs/sha256/HEX        manifests, configs, layers: plain tars (HEX = diff ID) and
 *	                        compressed blobs
 *	bld/version             "1\n": format of everything below
 *	bld/dirs/CHAIN/         directory form of a layer on a given stack (snapshot.h); CHAIN =
 *	                        chain ID
 *	bld/erofs/CHAIN.KIND/   EROFS image of a layer or a stack (erofsform.h)
 *	bld/forms/DIFFID.gzip.. diff ID -> compressed blob, and other derived forms (packed.h)
 *	bld/cache/HEX           cache records (cache.h)
 *	bld/index/HEX           stat indexes of build contexts (statcache.h)
 *	bld/index.last          the index.json before the last change (tags.h)
 *	bld/logs/ID/            complete output of a build's steps (builder/log/buildlog.h)
 *	bld/mounts/HEX/         contents of RUN --mount=type=cache
 *	bld/locks/              lock files
 *	bld/tmp/                what is being made: one directory a process, held by a lock; those
 *	                        whose lock can be taken belong to the dead and are moved to
 *	                        bld/trash when a store is opened
 *	bld/trash/              trees to delete: by `bld prune`, and in slices (trash.h)
 *
 * The root is 0700. Objects are immutable and appear by rename. Nothing is synced during a
 * build; an object carries the boot id it was written in (xattr user.bld.boot), and one of another
 * boot is hashed again on first use and dropped when it is wrong (blob.h). Any number of processes
 * and threads may use one store.
 */
#ifndef BLD_STORE_STORE_H
#define BLD_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"

struct store;
struct keep;

/* root == NULL: BLD_ROOT, else /var/lib/bld for uid 0, else $XDG_DATA_HOME/bld or
 * ~/.local/share/bld. Made when it is missing. Takes a shared lock that keeps `prune` away while
 * the store is open. ERR_SYS, also for a newer format. */
struct store *store_open(const char *root, struct err **err);
/* Whether there is one, for who does not want to make it. */
bool store_exists(const char *root);
void store_close(struct store *s); /* removes (renames to trash) what this process left in tmp */

const char *store_root(const struct store *s); /* absolute; borrowed */
int store_root_fd(const struct store *s);      /* borrowed, all of them */
int store_bld_fd(const struct store *s);
int store_blobs_fd(const struct store *s); /* blobs/sha256 */
/* This process's directory in tmp: same file system as the rest. Made at the first call. */
int store_tmp_fd(const struct store *s);
/* For files that never get a name (O_TMPFILE, or unlinked at once): needs no directory in tmp. */
int store_spool_fd(const struct store *s);

/* A new empty directory in this process's tmp; returns its O_PATH-less directory fd and its name
 * (relative to store_tmp_fd). */
int store_temp_dir(struct store *s, char name[64], struct err **err);
/* Move a tree to trash: nothing that a build does waits for a deletion. A file or an empty
 * directory goes at once. Missing is success; 0 / -1 with errno, which success leaves alone. */
int store_trash(struct store *s, int dir_fd, const char *name);
/* The same for tmp/name; what cannot be moved is the next opening's. */
void store_discard(struct store *s, const char *name);
/* Exclusive use, for prune: waits until no other process has the store open when wait, else ERR_SYS
 * "busy". */
int store_exclusive(struct store *s, bool wait, struct err **err);
const char *store_boot_id(const struct store *s);
/* Checked lowers that stay open; borrowed. */
struct keep *store_keep(struct store *s);
/* Sync everything written so far (--sync): one syncfs. */
int store_sync(struct store *s, struct err **err);

/* --- for the files of store/ and for cache mounts of the builder ------------------------------ */

#define STORE_PROCESS "p" /* bld/tmp/p.PID.RANDOM and its .lock are a process's */

enum store_dir {
	STORE_DIRS,
	STORE_FORMS,
	STORE_EROFS, /* erofs/ */
	STORE_CACHE,
	STORE_MOUNTS,
	STORE_LOCKS,
	STORE_TRASH,
	STORE_TMP, /* the parent of all processes' tmp directories */
	STORE_NDIRS
};
/* bld/NAME as a descriptor, opened at the first call; borrowed; -1 errno. */
int store_dir(const struct store *s, enum store_dir d);
bool store_has_proc(const struct store *s); /* /proc is mounted: /proc/self/fd/N can be used */

/* Replace dir_fd/name atomically by n bytes; a kill leaves nothing beside name (tempfile.h). */
int store_write_file(struct store *s, int dir_fd, const char *name, const void *p, size_t n,
	bool sync, struct err **err);

enum store_lock {
	STORE_LOCK_KEY,
	STORE_LOCK_TAR,
	STORE_LOCK_DIR,
	STORE_LOCK_FORM,
	STORE_LOCK_INDEX
};
/* Exclusive lock of one object: a byte of bld/locks/objects chosen by its digest, so that no lock
 * files pile up. Returns a descriptor (close = unlock), -1. wait = false: EWOULDBLOCK without err.
 */
int store_lock(
	struct store *s, enum store_lock kind, const struct digest *d, bool wait, struct err **err);

/*
 * May an object be used without hashing it again? `fd` is the object: a blob, or a directory form.
 * True when it was written in this boot or is known to be on the disk. store_trust records the
 * first, store_trust_synced the second; both are best effort: where extended attributes are not
 * available, this process remembers.
 */
bool store_trusted(struct store *s, int fd, const struct digest *d);
void store_trust(struct store *s, int fd, const struct digest *d);
void store_trust_synced(struct store *s, int fd, const struct digest *d);

DEFINE_CLEANUP(struct store *, store_close);
#define auto_store CLEANUP(store_closep)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry of a layer, and the limits of what a layer may hold.
 *
 * The plain tar of a layer is the truth; its sha256 is the diff ID. Paths in entries are relative,
 * without leading or trailing '/', without "." or ".." components; "" is the root directory itself.
 * Bytes, not characters.
 *
 * What a layer carries: type, 12 mode bits, uid, gid, mtime in whole seconds (the rest lies beside
 * it: times.h), size, link name, device numbers, and of extended attributes `security.capability`
 * and `user.*` except `user.overlay.*`. Whiteouts are `dir/.wh.NAME`, opaque directories
 * `dir/.wh..wh..opq` (OCI image-spec layer.md).
 */
#ifndef BLD_STORE_TAR_ENTRY_H
#define BLD_STORE_TAR_ENTRY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "store/base/sha256.h"

#define LAYER_PATH_MAX     4096                 /* bytes of one name */
#define LAYER_DEPTH_MAX    1024                 /* components of one name */
#define LAYER_ENTRIES_MAX  10000000             /* entries of one layer */
#define LAYER_XATTR_MAX    65536                /* bytes of one value */
#define LAYER_XATTRS_MAX   256                  /* attributes of one entry */
#define LAYER_PAX_MAX      ((uint64_t)1 << 20)  /* bytes of one pax header */
#define LAYER_SIZE_MAX     ((uint64_t)64 << 30) /* bytes of one plain tar that comes from outside */
#define LAYER_HOLE         ((uint64_t)1 << 20)  /* bytes: where holes begin, and what they have */
#define LAYER_SYMLINKS_MAX 40                   /* followed in one look-up, as in the kernel */
#define LAYER_EXTENTS_MAX  ((size_t)1 << 20)    /* pieces of one sparse file */
#define LAYER_LINKS_BYTES                                                                          \
	((uint64_t)256 << 20) /* of symlinks that names of one layer lead through */

enum layer_type {
	LAYER_FILE,
	LAYER_DIR,
	LAYER_SYMLINK,
	LAYER_HARDLINK, /* link = path of an earlier entry */
	LAYER_CHAR,
	LAYER_BLOCK,
	LAYER_FIFO,
	LAYER_WHITEOUT, /* path is removed from the layers below */
	LAYER_OPAQUE,   /* everything the layers below have in directory `path` is hidden */
};

struct layer_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* A piece of a sparse file: `len` bytes at `off` in the file, stored at `data` in the source. */
struct layer_extent {
	uint64_t off;
	uint64_t len;
	uint64_t data;
};

enum layer_source {
	LAYER_NO_DATA,   /* not a file, or an empty one */
	LAYER_DATA_FD,   /* size bytes at offset `data_off` of `fd` (borrowed) */
	LAYER_DATA_MEM,  /* size bytes at `mem` */
	LAYER_DATA_PATH, /* regular file `src_path` below directory `fd`, opened when it is written,
			    no symlink followed; a size that differs from `size` is an error */
};

struct layer_entry {
	const char *path;
	enum layer_type type;
	uint32_t mode; /* 07777 */
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;     /* seconds */
	uint32_t mtime_ns; /* what is in no tar (times.h) */
	const struct timespec
		*moved; /* a directory that shows another time than its tar says, or NULL */
	uint64_t size;  /* LAYER_FILE only: apparent size */
	const char *link;
	uint32_t dev_major;
	uint32_t dev_minor;
	const struct layer_xattr *xattrs;
	size_t nxattrs;
	enum layer_source source;
	int fd;
	uint64_t data_off;
	const void *mem;
	const char *src_path;
	const struct layer_extent *extents; /* sparse file: its data, rest are holes; else NULL */
	size_t nextents;
	const struct digest *expect; /* or NULL: sha256 the content must have */
	struct digest *learn;        /* or NULL: where the sha256 of the content goes */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of entries: what they mean, what is refused, the order they are written in; and the
 * extended attributes that layers carry.
 */
#ifndef BLD_STORE_TAR_NAME_H
#define BLD_STORE_TAR_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"
#include "store/tar/entry.h"

#define LAYER_WH        ".wh."
#define LAYER_WH_LEN    4
#define LAYER_WH_AUFS   ".wh..wh."
#define LAYER_WH_OPAQUE ".wh..wh..opq"

/*
 * A name as it stands in an archive, made relative: no leading or doubled '/', no "." components;
 * ".." takes back the component before it, as text. A relative name that leads out of the root is
 * ERR_CORRUPT, or stays there with `clamp`; an absolute one stays there. out has room for
 * LAYER_PATH_MAX + 1 bytes. ERR_LIMIT past LAYER_PATH_MAX or LAYER_DEPTH_MAX.
 */
int layer_name_clean(const char *s, size_t n, bool clamp, char *out, struct err **err);

enum layer_name_kind {
	LAYER_NAME_PLAIN,
	LAYER_NAME_WHITEOUT, /* path rewritten to the name that is removed */
	LAYER_NAME_OPAQUE,   /* path rewritten to the directory */
	LAYER_NAME_SKIP,     /* aufs bookkeeping */
};
/* What a cleaned name means in a layer; rewrites it in place. -1: ERR_CORRUPT. */
int layer_name_kind(char *path, enum layer_name_kind *kind, struct err **err);

/* Does a component of this length begin with ".wh."? */
bool layer_name_reserved(const char *name, size_t len);
/* Is it a path as entries carry it: relative, clean, within the limits? */
bool layer_name_valid(const char *path);

/* Writing order: by path; of one path the whiteout, then the entry, then the opaque marker. */
int layer_entry_cmp(const struct layer_entry *a, const struct layer_entry *b);

/* The attributes that layers carry. */
bool layer_xattr_carried(const char *name);
/* Same names and values; both sorted by name. */
bool layer_xattrs_equal(
	const struct layer_xattr *a, size_t na, const struct layer_xattr *b, size_t nb);
void layer_xattrs_sort(struct layer_xattr *x, size_t n);

/* The path of an entry for messages, the middle of a very long one left out; owned by the caller.
 */
char *layer_show(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY and ADD without a file tree: select sources, digest them, place them. What comes out is a
 *list of layer entries for the tar writer; no file is created, nothing is mounted. Rules:
 *dockerfile-semantics S9, S10, S12, S13.
 *
 * Three phases, because the cache key needs only the first two:
 *	copy_select   patterns -> files, by reading directories (or a merged tree) under a root that
 *nothing can leave copy_digest   one sha256 over names, types, modes, owners, link targets, xattrs
 *and content; not mtimes copy_place    where each file goes, resolved in the destination's merged
 *tree, as layer entries
 */
#ifndef BLD_BUILDER_COPY_COPY_H
#define BLD_BUILDER_COPY_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/layer/layer.h"

struct ignore; /* parser/ignore.h */

#define COPY_SOURCES_MAX 10000    /* of one instruction */
#define COPY_FILES_MAX   10000000 /* selected by one instruction */
#define COPY_URL_MAX     ((uint64_t)64 << 30)

/* Where sources are: a directory of the user's (owners become 0:0, ignore rules apply) or a merged
 * tree (a stage, an image, a context that came as a tar). */
struct copy_root {
	int dir_fd; /* -1 when it is a tree */
	const struct layer_tree *tree;
	const struct ignore *ignore; /* or NULL */
	const char *ignore_name;     /* ".dockerignore", for messages; NULL */
	bool keep_owner; /* tree of a stage or image: numeric owners stay; of a context: 0:0 */
};

enum copy_item_kind {
	COPY_ITEM_PATH,   /* pattern below the root */
	COPY_ITEM_INLINE, /* a heredoc: name and bytes */
	COPY_ITEM_URL,
};

struct copy_item {
	enum copy_item_kind kind;
	const char *text; /* pattern, URL, or name of the inline file; expanded */
	const void *data; /* inline */
	size_t len;
};

struct copy_request {
	struct copy_root root;
	const struct copy_item *items; /* in the order written; inline ones are placed last */
	size_t nitems;
	bool add;       /* local archives are unpacked, URLs allowed */
	int tmp_dir_fd; /* for downloads and spooled archives; files in it are unlinked at once */
	const volatile int *cancelled; /* or NULL */
};

struct copy_selection;

/* ERR_CONTEXT: a literal path that is missing (says `x` for `../x`, names the ignore rule that
 * hides it, offers the nearest name), a loop, a file that cannot be read; ERR_NET for URLs.
 * bad_item (may be NULL): index of the item. */
struct copy_selection *copy_select(
	const struct copy_request *q, size_t *bad_item, struct err **err);
void copy_selection_free(struct copy_selection *s);
size_t copy_selection_count(const struct copy_selection
		*s); /* top-level sources found; 0 = wildcards without a match */

/* Reads and hashes content; remembers each file's digest, so that a file that changes before it is
 * written is found. Items' basenames count, their parent directories do not. Files of a tree are
 * hashed too. */
int copy_digest(struct copy_selection *s, struct digest *out, struct err **err);

struct copy_dest {
	const struct layer_tree *below; /* merged tree of the destination stage */
	const char *path;               /* as written after expansion: "", ".", "x/", "/a/b" */
	const char *workdir;            /* absolute */
	bool has_owner;
	uint32_t uid;
	uint32_t gid;
	bool has_mode; /* --chmod octal */
	uint32_t mode;
	int64_t now; /* mtime of directories that are made and of inline files, seconds */
};

/* Owned list, ready for layer_list_write. The selection must outlive the list (file descriptors,
 * data). */
struct layer_list *copy_place(
	struct copy_selection *s, const struct copy_dest *d, struct err **err);

/* WORKDIR and friends: entries that make `path` (absolute, cleaned) with its missing parents, 0755
 * and this owner. An empty list when it is there. ERR_BUILD when something that is no directory is
 * in the way. */
struct layer_list *copy_mkdir(const struct layer_tree *below, const char *path, uint32_t uid,
	uint32_t gid, int64_t now, struct err **err);

DEFINE_CLEANUP(struct copy_selection *, copy_selection_free);
#define auto_copy_selection CLEANUP(copy_selection_freep)

#endif

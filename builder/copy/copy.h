/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY and ADD without a file tree: select sources, digest them, place and write them. What comes
 * out is the tar of a layer; no file is created, nothing is mounted. Rules:
 * docs/semantics.md S9, S10, S12, S13.
 *
 *	copy_select      patterns -> files, by reading directories (or a merged tree) under a root
 *	                 that nothing can leave; what the stat index vouches for is known
 *
 *	copy_digest      one sha256 over names, types, modes, owners, link targets, xattrs and
 *	                 content; not mtimes. Reads what is not known yet, with a few threads
 *
 *	copy_place       where each file goes, resolved in the destination's merged tree
 *
 *	copy_write       the entries in order, as a tar. Contents that are not known are hashed as
 *	                 they go by: with copy_digest behind it each byte is read once
 *
 * The cache key needs select and digest only; who knows that there is nothing to be found places
 * and writes first.
 */
#ifndef BLD_BUILDER_COPY_COPY_H
#define BLD_BUILDER_COPY_COPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/strlist.h"
#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/tar/list.h"
#include "store/tar/write.h"
#include "store/tree/tree.h"

struct filemode; /* parser/filemode.h */
struct ignore;   /* parser/ignore.h */
struct store;
struct copy_share;

#define COPY_SOURCES_MAX 10000    /* of one instruction */
#define COPY_FILES_MAX   10000000 /* selected by one instruction */

/* Where sources are: a directory of the user's (owners become 0:0, ignore rules apply) or a merged
 * tree (a stage, an image, a context that came as a tar). */
struct copy_root {
	int dir_fd; /* -1 when it is a tree */
	const struct layer_tree *tree;
	const struct ignore *ignore; /* or NULL */
	const char *ignore_name;     /* ".dockerignore", for messages; NULL */
	struct copy_share *share;    /* of dir_fd; or NULL: nothing is remembered */
	bool keep_owner; /* numeric owners stay: of a stage or image; else 0:0. Not with a share */
};

enum copy_item_kind {
	COPY_ITEM_PATH,   /* pattern below the root */
	COPY_ITEM_INLINE, /* a heredoc: name and bytes */
	COPY_ITEM_GIVEN,  /* a file that was fetched: name and descriptor */
};

/* Mode 0600, owner 0:0. */
struct copy_file_given {
	int fd; /* borrowed while the selection is made */
	uint64_t size;
	struct digest digest; /* of its bytes */
	int64_t mtime;        /* -1 = now */
	bool unpack;          /* where it is an archive */
	bool tree; /* it is a tar that stands for the files in it: a directory's contents */
};

struct copy_item {
	enum copy_item_kind kind;
	const char *text; /* pattern, or name of a file; expanded */
	const void *data; /* inline */
	size_t len;
	const struct copy_file_given *given;
};

struct copy_request {
	struct copy_root root;
	const struct copy_item *items; /* in the order written; inline ones are placed last */
	size_t nitems;
	const struct ignore *exclude; /* or NULL: rules for what is in each directory that is
					 copied, relative to it; and for names of files */
	bool parents;   /* paths are recreated below the destination, from the pivot /./ on */
	bool no_follow; /* a source that is a symlink is copied as one */
	bool unpack;    /* archives of the root are unpacked */
	int tmp_dir_fd; /* for downloads and spooled archives; files in it are unlinked at once */
	const atomic_int *cancelled; /* or NULL */
};

struct copy_selection;

/* ERR_CONTEXT: a literal path that is missing (says `x` for `../x`, names the ignore rule that
 * hides it, offers the nearest name), a loop, a file that cannot be read;
 * bad_item (may be NULL): index of the item. */
struct copy_selection *copy_select(
	const struct copy_request *q, size_t *bad_item, struct err **err);
void copy_selection_free(struct copy_selection *s);

/*
 * What the steps of one build know of one context directory, so that none is walked twice and no
 * file hashed twice, and its stat index (store/statcache.h), which is read now and written by free
 * when there is something new. A walk is taken again after COPY_SHARE_MS, and is not kept when it
 * is very large. A selection has it for itself until it is freed: copy_select waits for another
 * thread's, until it is cancelled. All its roots have the same rules. dir_fd is borrowed. Without a
 * store nothing outlives the build.
 */
#define COPY_SHARE_MS    1000
#define COPY_SHARE_FILES 200000
struct copy_share *copy_share_new(struct store *s, int dir_fd);
void copy_share_free(struct copy_share *c);

/* Would copy_digest have to read contents? */
bool copy_unread(const struct copy_selection *s);
/* Can it be placed and written before it is digested? Not when archives are unpacked. */
bool copy_at_once(const struct copy_selection *s);
/* Items' basenames count, their parent directories do not. Files of a tree are hashed too. A file's
 * digest is remembered: one that changes before it is written is found. */
int copy_digest(struct copy_selection *s, struct digest *out, struct err **err);

/*
 * What is selected, in the order of the walk: each directory in front of what is in it. No more
 * than `most` entries: when there are more, directories of some depth stand for everything below
 * them. Contents are told where they are known.
 */
struct copy_listed {
	const char *name; /* of a source (depth 0): its path below the root */
	const char *link; /* "" = none */
	size_t item;
	uint64_t content; /* the start of the digest; 0: there is none, or it is not known */
	uint64_t other;   /* attributes and device numbers, as a hash; 0 = none */
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t depth;
	uint8_t type; /* enum layer_type */
	bool whole;   /* content is of everything below */
};
typedef void copy_list_fn(void *ctx, const struct copy_listed *e);
void copy_list(const struct copy_selection *s, size_t most, copy_list_fn *fn, void *ctx);

struct copy_dest {
	const struct layer_tree *below; /* merged tree of the destination stage */
	const char *path;               /* as written after expansion: "", ".", "x/", "/a/b" */
	const char *workdir;            /* absolute */
	bool has_owner;
	uint32_t uid;
	uint32_t gid;
	bool has_mode; /* --chmod octal */
	uint32_t mode;
	const struct filemode
		*symbolic; /* --chmod otherwise; or NULL; made directories do without */
	int64_t now;       /* mtime of directories that are made and of inline files, seconds */
	bool itself;       /* a directory is copied to `path` with its own mode and owner */
};

/* Borrows everything; the selection and the tree must outlive it. */
struct copy_placed;
struct copy_placed *copy_place(
	struct copy_selection *s, const struct copy_dest *d, struct err **err);
/* Once. Finishes the writer. ERR_CONTEXT when a file cannot be read, or changed while it was. */
int copy_write(struct copy_placed *p, struct layer_writer *w, struct err **err);
void copy_placed_free(struct copy_placed *p);

/* WORKDIR and friends: entries that make `path` (absolute, cleaned) with its missing parents, 0755
 * and this owner. An empty list when it is there. ERR_BUILD when something that is no directory is
 * in the way. */
struct layer_list *copy_mkdir(const struct layer_tree *below, const char *path, uint32_t uid,
	uint32_t gid, int64_t now, struct err **err);
/* The same for several. */
struct layer_list *copy_mkdirs(const struct layer_tree *below, const struct strlist *paths,
	uint32_t uid, uint32_t gid, int64_t now, struct err **err);

DEFINE_CLEANUP(struct copy_selection *, copy_selection_free);
#define auto_copy_selection CLEANUP(copy_selection_freep)
DEFINE_CLEANUP(struct copy_placed *, copy_placed_free);
#define auto_copy_placed CLEANUP(copy_placed_freep)

#endif

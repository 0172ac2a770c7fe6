/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What copy_select found: sources in order, each the root of a tree of files. Shared by the files
 * of builder/copy and nobody else.
 *
 * A regular file of a directory is touched while selecting only where the stat index knows its
 * directory; otherwise its name and type come with the listing, and everything else is read with
 * its content (one open, fstat and read).
 *
 * Memory: 128 bytes a file and its name; what few files have is in a copy_extra.
 */
#ifndef BLD_BUILDER_COPY_SELECTION_H
#define BLD_BUILDER_COPY_SELECTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/copy/copy.h"
#include "builder/copy/pool.h"
#include "builder/copy/share.h"
#include "builder/copy/vfs.h"
#include "store/base/cancel.h"
#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/tar/entry.h"
#include "store/tar/userarchive.h"

enum copy_content {
	COPY_CONTENT_NONE, /* not a regular file, or an empty one */
	COPY_CONTENT_DIR,  /* below the root directory */
	COPY_CONTENT_NODE, /* of a merged tree */
	COPY_CONTENT_MEM,
	COPY_CONTENT_FD,
};

enum copy_state {
	COPY_UNREAD,  /* the digest of the content is to be made */
	COPY_WRITING, /* copy_write makes it */
	COPY_KNOWN,
};

struct copy_extra {
	const char *path; /* canonical, below the root: of directories and sources, else NULL */
	const char *link;
	const struct layer_xattr *xattrs;
	const void *mem;
	uint64_t dev;      /* of a directory, or a source */
	uint64_t count;    /* of a directory: files in the tree below it */
	uint64_t *ordinal; /* record.c: number of the first of several names */
	uint32_t nxattrs;
	uint32_t dev_major;
	uint32_t dev_minor;
	int fd;       /* -1 = none */
	bool indexed; /* of a directory, or a source: its file system's times can be relied on */
};

struct copy_file {
	const char *name;         /* within its parent; of a source: the basename as written */
	struct copy_file *parent; /* directory it was listed in; NULL: a source, or the root */
	struct copy_file *child;  /* array of nchild, bytewise order */
	struct copy_extra *x;     /* or NULL */
	const struct layer_node *node;
	uint64_t ino;  /* of a directory root: with its parent's dev */
	uint64_t size; /* of a regular file */
	int64_t mtime; /* seconds */
	int64_t ctime;
	uint32_t mtime_ns;
	uint32_t ctime_ns;
	uint32_t nchild;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	struct digest digest; /* of the content, when it is known */
	uint8_t type;         /* enum layer_type */
	uint8_t content;      /* enum copy_content */
	uint8_t state;        /* enum copy_state */
	bool stated;          /* metadata is filled in */
	bool no_mtime;        /* made now */
	bool excluded;        /* a directory that is there only for what is kept in it */
	bool linked;          /* has, or may have, other names */
	bool settled;         /* its times and digest may be recorded in the index */
};

struct copy_source {
	struct copy_file *file;
	size_t item;
	bool archive; /* ADD unpacks it */
	bool tree;    /* an archive that stands for a directory: --chmod is for its files */
	bool parents; /* a directory of which only what is in it counts */
	bool last;    /* an inline file: placed behind all others */
};

/* A file that stands for another one. */
struct copy_view {
	struct copy_file *f;
	struct copy_file *from;
};

struct copy_selection {
	struct copy_pool pool; /* of what is only of this selection */
	pthread_mutex_t lock;  /* of the pools, while copy_digest runs its threads */
	struct copy_share *share;
	bool own_share;
	bool has_share; /* taken */
	struct copy_vfs vfs;
	int dir_fd;                   /* owned, -1 = none */
	int tmp_fd;                   /* owned */
	const struct ignore *exclude; /* borrowed, or NULL */
	const atomic_int *cancelled;
	struct copy_source *v; /* owned */
	size_t n;
	size_t cap;
	uint64_t nfiles;
	bool digested;
	struct digest digest;
	struct layer_archive *
		*archives; /* owned; entries of placed archives point into their spools */
	size_t narchives;
	size_t cap_archives;
	struct copy_view *views; /* owned */
	size_t nviews;
	size_t cap_views;
	int *fds; /* owned: downloads */
	size_t nfds;
	size_t cap_fds;
};

/* Set by a signal handler or by another thread. NULL: never. */
static inline bool copy_cancelled(const atomic_int *cancelled)
{
	return cancel_asked(cancelled);
}
bool copy_selection_cancelled(const struct copy_selection *s, struct err **err);
struct copy_source *copy_selection_push(struct copy_selection *s, struct copy_file *f, size_t item);
/* A file that is no part of the root: name is copied; mode as given, owner 0:0. */
struct copy_file *copy_selection_made(struct copy_selection *s, const char *name, uint32_t mode);
/* n more selected files; ERR_LIMIT past COPY_FILES_MAX. */
int copy_selection_add(struct copy_selection *s, uint64_t n, struct err **err);
typedef void copy_visit_fn(void *ctx, struct copy_file *f);
/* A file and all below it, each directory in front of what is in it. */
void copy_file_each(struct copy_file *f, copy_visit_fn *visit, void *ctx);

/* file.c. The extra of a file, made when it has none. */
struct copy_extra *copy_file_extra(struct copy_file *f, struct copy_pool *pool);
/* Path of a file below the root; owned. */
char *copy_file_path(const struct copy_file *f);
/* The same for a message. Owned. */
char *copy_file_show(const struct copy_file *f);
/* What errno (0: it is not what it was) says about reading it, as ERR_CONTEXT; always -1. */
int copy_file_fail(const struct copy_file *f, struct err **err);
/* Is there content whose digest is not known? */
bool copy_file_unread(const struct copy_file *f);
/* Take metadata from a stat. `clock`: see statcache_settled. */
void copy_file_take(struct copy_file *f, const struct stat *st, int64_t clock, bool keep_owner);
/* A file as an entry named path, without content; borrows from f. */
void copy_file_entry(const struct copy_file *f, const char *path, struct layer_entry *e);
/* Its content, where that is no file of a directory. */
void copy_file_data(const struct copy_file *f, struct layer_entry *e);

/* Opens files of a directory root one after the other; the last one's directory stays open. */
struct copy_opener {
	const struct copy_selection *s;
	const struct copy_file *dir; /* that fd is open on */
	int fd;                      /* -1: none */
	bool atime;                  /* O_NOATIME was refused */
};
void copy_opener_init(struct copy_opener *o, const struct copy_selection *s);
void copy_opener_clear(struct copy_opener *o);
/* A descriptor: -1 with errno, or with 0 when it is no longer a regular file. */
int copy_opener_open(struct copy_opener *o, const struct copy_file *f, struct stat *st);
/* Open, take metadata and attributes. -1 as above. */
int copy_opener_read(
	struct copy_opener *o, struct copy_selection *s, struct copy_file *f, struct stat *st);

/* walk.c: the tree below a directory whose path is set. */
int copy_walk(struct copy_selection *s, const struct copy_root *root, struct copy_file *dir,
	struct err **err);
/* Which files of a tree have another name below top. */
void copy_walk_linked(struct copy_file *top);
/* parents.c: an item of --parents, as sources. */
int copy_parents(
	struct copy_selection *s, const struct copy_request *q, size_t item, struct err **err);
/* view.c: the directory without what is excluded; what is learnt of its files is given back. */
struct copy_file *copy_view(
	struct copy_selection *s, const struct ignore *exclude, struct copy_file *dir);
void copy_view_return(struct copy_selection *s);
/* glob.c: paths (as written) that match a clean pattern, in order. optional: the directories in
 * front of the first wildcard need not be there. */
struct strlist;
int copy_glob(struct copy_selection *s, const struct copy_root *root, const char *pattern,
	bool optional, struct strlist *out, struct err **err);
/* hint.c: why a literal path gives nothing; always -1. e is an errno, 0 = hidden by rule `line`. */
int copy_hint_missing(struct copy_selection *s, const struct copy_root *root, const char *text,
	int e, size_t line, struct err **err);
/* fetch.c: a file that the caller has open. */
struct copy_file *copy_fetch_given(struct copy_selection *s, const char *name,
	const struct copy_file_given *g, struct err **err);
/* A file without a name in a directory: descriptor, or -1. */
int copy_fetch_spool(int dir_fd, struct err **err);
/* extract.c: is this source an archive that ADD unpacks? 1 / 0 / -1. */
int copy_extract_probe(struct copy_selection *s, const struct copy_file *f, struct err **err);
/* digest.c: sha256 of size bytes of an entry's data, holes as zeros. */
int copy_digest_content(const struct layer_entry *e, struct digest *out);
/* record.c: the digest of a selection whose contents are known. */
void copy_record_hash(struct copy_selection *s, struct digest *out);

#endif

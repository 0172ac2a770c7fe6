/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What copy_select found: sources in order, each the root of a tree of files. Shared by the files
 * of builder/copy and nobody else.
 *
 * A regular file of a directory is not touched while selecting (its name and type come with the
 * listing); everything else about it is read with its content by copy_digest.
 */
#ifndef BLD_BUILDER_COPY_SELECTION_H
#define BLD_BUILDER_COPY_SELECTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/copy/copy.h"
#include "builder/copy/pool.h"
#include "builder/copy/vfs.h"
#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/layer/layer.h"

/* The names of one file within one source. */
struct copy_links {
	uint64_t ordinal;   /* of the first name, within the source, from 1 */
	unsigned long turn; /* of copy_target_emit that wrote `first` */
	const char *first;  /* path of the name that carries the content */
};

enum copy_content {
	COPY_CONTENT_NONE, /* not a regular file, or an empty one */
	COPY_CONTENT_DIR,  /* below the root directory */
	COPY_CONTENT_NODE, /* of a merged tree */
	COPY_CONTENT_MEM,
	COPY_CONTENT_FD,
};

struct copy_file {
	const char *name;         /* within its parent; of a source: the basename as written */
	struct copy_file *parent; /* NULL: a source */
	struct copy_file *child;  /* array of nchild, bytewise order */
	size_t nchild;
	const char *path; /* canonical, below the root: of directories and sources, else NULL */
	const struct layer_node *node;
	const char *link;
	const struct layer_xattr *xattrs;
	struct copy_links *links; /* NULL: one name */
	const void *mem;
	int64_t mtime;
	uint64_t size;
	uint64_t dev;
	uint64_t ino;         /* 0: cannot have other names */
	struct digest digest; /* of the content, after copy_digest */
	uint32_t nxattrs;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t dev_major;
	uint32_t dev_minor;
	int fd;
	enum layer_type type;
	enum copy_content content;
	bool stated;   /* metadata is filled in */
	bool no_mtime; /* made now */
	bool excluded; /* a directory that is there only for what is kept in it */
};

struct copy_source {
	struct copy_file *file;
	size_t item;
	bool archive; /* ADD unpacks it */
	bool last;    /* an inline file: placed behind all others */
};

struct copy_selection {
	struct copy_pool pool;
	pthread_mutex_t lock; /* of the pool, while copy_digest runs its threads */
	struct copy_vfs vfs;
	int dir_fd; /* owned, -1 = none */
	int tmp_fd; /* owned */
	const volatile int *cancelled;
	struct copy_source *v; /* owned */
	size_t n;
	size_t cap;
	size_t nfiles;
	unsigned long turn; /* counts placements */
	bool digested;
	struct digest digest;
	struct layer_archive *
		*archives; /* owned; entries of placed lists point into their spools */
	size_t narchives;
	size_t cap_archives;
	int *fds; /* owned: downloads */
	size_t nfds;
	size_t cap_fds;
};

bool copy_selection_cancelled(const struct copy_selection *s, struct err **err);
struct copy_source *copy_selection_push(struct copy_selection *s, struct copy_file *f, size_t item);
/* A file that is no part of the root: name is copied; mode as given, owner 0:0. */
struct copy_file *copy_selection_made(struct copy_selection *s, const char *name, uint32_t mode);
/* One more selected file; ERR_LIMIT past COPY_FILES_MAX. */
int copy_selection_count_file(struct copy_selection *s, struct err **err);

/* Path of a file below the root; owned. */
char *copy_file_path(const struct copy_file *f);
/* The same for a message. Owned. */
char *copy_file_show(const struct copy_file *f);
/* A descriptor of a regular file of a directory root: -1 with errno, or with 0 when it is no longer
 * a regular file. */
int copy_file_open(const struct copy_selection *s, const struct copy_file *f, struct stat *st);
/* The file as an entry named path. e borrows from f, s and *src (owned by the caller: may be set).
 */
void copy_file_entry(const struct copy_selection *s, const struct copy_file *f, const char *path,
	struct layer_entry *e, char **src);

/* walk.c: the tree below a directory whose path is set. */
int copy_walk(struct copy_selection *s, const struct copy_root *root, struct copy_file *dir,
	struct err **err);
/* glob.c: paths (as written) that match a clean pattern, in order. */
struct strlist;
int copy_glob(struct copy_selection *s, const struct copy_root *root, const char *pattern,
	struct strlist *out, struct err **err);
/* hint.c: why a literal path gives nothing; always -1. e is an errno, 0 = hidden by rule `line`. */
int copy_hint_missing(struct copy_selection *s, const struct copy_root *root, const char *text,
	int e, size_t line, struct err **err);
/* fetch.c: a file of a URL's content. */
struct copy_file *copy_fetch(struct copy_selection *s, const char *url, struct err **err);
/* A file without a name in a directory: descriptor, or -1. */
int copy_fetch_spool(int dir_fd, struct err **err);
/* extract.c: is this source an archive that ADD unpacks? 1 / 0 / -1. */
int copy_extract_probe(struct copy_selection *s, const struct copy_file *f, struct err **err);
/* digest.c: sha256 of size bytes of an entry's data, holes as zeros. */
int copy_digest_content(const struct layer_entry *e, struct digest *out);

#endif

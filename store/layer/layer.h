/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: entries, the deterministic tar writer, the bounded tar walker, the merged
 * tree of a stack of layers, and the two directions between tar and directory.
 *
 * The plain tar of a layer is the truth; its sha256 is the diff ID. Everything here
 * works on plain tars that are seekable files; compression is deflate.c's and inflate.c's.
 *
 * Paths in entries are relative, without leading or trailing '/', without "." or ".."
 * components; "" is the root directory itself. Bytes, not characters.
 *
 * What a layer carries: type, 12 mode bits, uid, gid, mtime in whole seconds (the rest lies beside
 * it: times.h), size,
 * link name, device numbers, and of extended attributes `security.capability` and
 * `user.*` except `user.overlay.*`. Whiteouts are `dir/.wh.NAME`, opaque directories
 * `dir/.wh..wh..opq` (OCI image-spec layer.md).
 */
#ifndef BLD_STORE_LAYER_LAYER_H
#define BLD_STORE_LAYER_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "store/base/err.h"
#include "store/base/hashpipe.h"
#include "store/base/io.h"
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

/* --- writing a tar ------------------------------------------------------------------- */

/*
 * Entries in, tar bytes out: ustar where it is enough, pax records where not; no atime,
 * ctime, user or group names; times in whole seconds; two zero blocks at the end (no padding
 * to a record). The same entries in the same order give the same bytes everywhere.
 * A file with a hole (a run of zeros that begins at a multiple of LAYER_HOLE and has as many bytes
 * at least) is written as GNU sparse 1.0 in pax, all others in full: the diff ID depends on what is
 * in a file, not on how a file system stores it (holes.h). The caller orders entries (see
 * layer_list).
 */
struct layer_writer;
struct layer_writer *layer_writer_new(struct io_writer out);
struct layer_writer *layer_writer_into(struct hashpipe *pipe); /* borrowed */
/* `expect` and `learn` of the entry must live as long as the writer: contents are hashed later. */
int layer_writer_add(struct layer_writer *w, const struct layer_entry *e, struct err **err);
/* No holes from here on: for archives that others read as they are, not as layers. */
void layer_writer_in_full(struct layer_writer *w);
struct layer_times;
/* From here on, what the tar does not say of the times of entries goes here; borrowed. NULL: it is
 * lost. */
void layer_writer_times(struct layer_writer *w, struct layer_times *times);
/* All digests are there now. ERR_CONTEXT "changed while it was read", without a name, when a
 * content was not what an entry expected; layer_writer_changed then gives that `expect`. */
int layer_writer_finish(struct layer_writer *w, struct err **err);
const struct digest *layer_writer_changed(const struct layer_writer *w); /* NULL: none */
void layer_writer_free(struct layer_writer *w);

/*
 * A collected layer: deep copies of entries (fds stay borrowed, `mem` is copied), one per path:
 * a later entry replaces an earlier one of the same path in place of it. Written sorted: by path
 * compared component by component (a directory, then what is in it), whiteouts by the name they
 * remove (before an entry that re-creates it), opaque markers right behind their directory.
 */
struct layer_list;
struct layer_list *layer_list_new(void);
void layer_list_add(struct layer_list *l, const struct layer_entry *e);
size_t layer_list_count(const struct layer_list *l);
/* The file or directory of this path; whiteouts and opaque markers are not found. Borrowed until
 * the next layer_list_add or sort. */
const struct layer_entry *layer_list_find(const struct layer_list *l, const char *path);
/* In writing order after layer_list_sort. */
const struct layer_entry *layer_list_at(const struct layer_list *l, size_t i);
void layer_list_sort(struct layer_list *l);
int layer_list_write(struct layer_list *l, struct io_writer out, struct err **err); /* sorts */
/* The same into a writer, and finish it. Names what changed while it was read. */
int layer_list_put(struct layer_list *l, struct layer_writer *w, struct err **err);
void layer_list_free(struct layer_list *l);

/* --- reading a tar ------------------------------------------------------------------- */

/*
 * Walks a seekable plain tar (ustar, pax, GNU long names, GNU and pax sparse forms). Bounded by the
 * limits above. Names: a leading '/' and "." components are dropped; ".." takes back the component
 * before it, as text, and is ERR_CORRUPT where it leads out of the layer, as are a bad checksum,
 * sizes beyond the file, whiteout names that are not one plain component. A character device 0:0,
 * which no overlay shows, is a whiteout. Other
 * `.wh..wh.*` names (aufs leftovers) are skipped. Xattrs that layers do not carry are dropped,
 * `*.overlay.*` too. Ends at two zero blocks or at the end of the file; what follows is ignored.
 */
struct layer_walk;
struct layer_walk *layer_walk_new(int fd, uint64_t size); /* fd borrowed; pread only */
struct layer_times;
/* Before the first entry: entries get their nanoseconds from here. Borrowed; NULL: they have none.
 */
int layer_walk_times(struct layer_walk *w, const struct layer_times *times, struct err **err);
/* 1 and *out (borrowed until the next call; LAYER_DATA_FD set for files), 0 at the end, -1. */
int layer_walk_next(struct layer_walk *w, const struct layer_entry **out, struct err **err);
void layer_walk_free(struct layer_walk *w);

/* --- the merged tree of a stack of layers --------------------------------------------- */

struct layer_node; /* a file of the merged tree; valid as long as the tree is not changed or freed
		    */
struct layer_tree;

struct layer_tree *layer_tree_new(void); /* an empty root directory, 0755 0:0 */
/*
 * Put a layer's tar on top. take_fd is kept until the tree is freed. Symlinks in the directory part
 * of a name resolve inside the root; missing parents are made 0755 0:0; hard links must name a file
 * that is in the root by then, else ERR_CORRUPT. Opaque markers hide only lower layers, wherever in
 * the tar they stand.
 */
int layer_tree_apply(struct layer_tree *t, int take_fd, struct err **err);
/* The same of a layer whose times are known (NULL: in seconds). They show in directories and
 * indexes that are made of the tree, and in entries as mtime_ns; the seconds of an entry are those
 * of the tar. ERR_CORRUPT: times that belong to something else. */
int layer_tree_apply_timed(
	struct layer_tree *t, int take_fd, const struct layer_times *times, struct err **err);
void layer_tree_free(struct layer_tree *t);

struct layer_node *layer_tree_root(const struct layer_tree *t);
/*
 * Resolve a path inside the root (absolute or relative to the root, ".." clamped at the root,
 * symlinks followed inside; the last one only with follow). NULL when something is missing or a
 * loop is met. canon, when not NULL, receives the path without symlinks, relative, owned by the
 * caller; with a NULL return it is the canonical path of the longest existing directory prefix plus
 * the remaining components (lexically cleaned), which is where a mkdir -p would put it; *missing
 * (may be NULL) tells if a non-directory was in the way (ENOTDIR), a loop (ELOOP) or nothing
 * (ENOENT).
 */
struct layer_node *layer_tree_lookup(
	const struct layer_tree *t, const char *path, bool follow, char **canon, int *missing);

/* The node as an entry: path is its canonical path (borrowed, valid until the next call on this
 * tree); hard links appear as LAYER_FILE each; LAYER_DATA_FD/extents set for files. */
void layer_node_entry(const struct layer_node *n, struct layer_entry *out);
/* The same but for the path, which is the node's name: for several threads at a time. */
void layer_node_attrs(const struct layer_node *n, struct layer_entry *out);
const char *layer_node_name(const struct layer_node *n);
enum layer_type layer_node_type(const struct layer_node *n);
/* Same number for hard links of one file, different for different files; 0 for non-files. */
uint64_t layer_node_ino(const struct layer_node *n);
/* Children in bytewise order of names. */
size_t layer_node_nchildren(const struct layer_node *n);
struct layer_node *layer_node_child(const struct layer_node *n, size_t i);
struct layer_node *layer_node_find(const struct layer_node *n, const char *name, size_t len);
/* Content of a regular file of at most max bytes (for /etc/passwd and the like). NUL-terminated,
 * owned. */
char *layer_node_read(const struct layer_node *n, size_t max, size_t *len, struct err **err);

/*
 * The layer that makes `top` of `below`: entries for what is new or changed and the directories on
 * the way to it, whiteouts for what is gone, all names of a file together. A change of a
 * directory's time alone is none. Both trees must be of tars (LAYER_DATA_FD), and live as long as
 * the list, which is the caller's.
 */
struct layer_list *layer_difference(const struct layer_tree *below, const struct layer_tree *top);

/* --- directory <-> tar ----------------------------------------------------------------- */

struct layer_freeze {
	int upper_fd; /* an overlay upper that no one writes to any more */
	const struct layer_tree
		*below; /* the merged tree of the layers below; NULL = nothing below */
	bool as_lower; /* make the directory itself serve as a lower that shows what the layer says:
			  sockets and POSIX ACLs removed. Times are left whole */
	struct layer_times *times; /* or NULL: gets what the tar does not say */
	bool userxattr;            /* upper of an overlay mounted with userxattr (user.overlay.*) */
};

/*
 * The changes that an overlay upper holds, as a tar: sorted, whiteouts (char device 0:0, or the
 * overlay.whiteout xattr form) and opaque directories translated (an opaque directory becomes
 * explicit whiteouts of what is below and is not in the upper), hard links, devices, sparse and
 * very long names. Left out: whiteouts of what is not below, and directories that equal the one
 * below in mode, owner and attributes and have nothing in them to report; their time alone does not
 * count, because whether it moved by a whole second is a matter of the clock: it goes to `times`. A
 * directory on the way to an entry is written in front of it (appliers that know one layer only
 * would invent its mode), the root is not. Files equal to the one below are kept. Sockets are
 * skipped; a socket over a file is a whiteout. Names beginning
 * ".wh." cannot be represented: ERR_BUILD. overlay.redirect and overlay.metacopy attributes:
 * ERR_SANDBOX. *entries (may be NULL) counts entries written.
 */
int layer_freeze(
	const struct layer_freeze *f, struct io_writer out, size_t *entries, struct err **err);

/*
 * The same in two halves, for an upper that serves as a lower of the next command while its tar is
 * still written. The first half looks at everything and changes the directory (cut_times); it
 * writes the tar itself while that is small. What is left then are contents, which the second half
 * reads from the directory, in any thread.
 */
struct layer_freezing;
struct layer_freezing_opts {
	struct layer_freeze upper;
	/* Called once, at the first entry: the pipe that takes the tar; borrowed. NULL with *err.
	 */
	struct hashpipe *(*open)(void *ctx, struct err **err);
	void *ctx;
	int spool_fd; /* directory for a file without a name: the headers of a large layer */
	/* What a layer may have to be written by the first half: entries, bytes of contents. */
	size_t most_entries;
	uint64_t most_bytes;
};
struct layer_freezing *layer_freezing_new(const struct layer_freezing_opts *o, struct err **err);
/* What the tar does not say; empty where it says all. */
const struct layer_times *layer_freezing_times(const struct layer_freezing *z);
/* 0: the layer is empty, and there is no tar. */
size_t layer_freezing_entries(const struct layer_freezing *z);
/* Is the tar written, with nothing left for the second half? */
bool layer_freezing_done(const struct layer_freezing *z);
/* Before the second half begins: put the layer on a tree. take_fd will be the tar: what the tree
 * says of contents is true when the second half is over. */
int layer_freezing_apply(
	const struct layer_freezing *z, struct layer_tree *t, int take_fd, struct err **err);
/* The second half. `stopped` may be NULL: asked now and then, -1 with *err ends it. */
int layer_freezing_finish(struct layer_freezing *z, int (*stopped)(void *ctx, struct err **err),
	void *ctx, struct err **err);
void layer_freezing_free(struct layer_freezing *z);

struct layer_unpack {
	int dest_fd; /* empty directory, becomes a lower directory of an overlay */
	const struct layer_tree *below;  /* merged tree of the layers below, NULL = none */
	bool userxattr;                  /* opaque and whiteouts in the form for userxattr mounts */
	const struct layer_times *times; /* of the layer; NULL: whole seconds */
};

/*
 * One layer's tar as an overlay lower directory. Names resolve as in layer_tree_apply; a hard link
 * to a file of a lower layer becomes a copy. Content is written through descriptors below dest_fd,
 * no symlink followed. Owners, modes, times and xattrs are set; directory times last.
 */
int layer_unpack(int tar_fd, const struct layer_unpack *u, struct err **err);

/* 1 when the directory shows exactly what the tar says (over `below`), 0 with *why (owned) when
 * not, -1. */
int layer_compare_dir(int tar_fd, const struct layer_unpack *dir, char **why, struct err **err);

/* A copy of the tar with times changed: `set` = every mtime becomes `seconds`; else later ones
 * only. */
int layer_retime(int tar_fd, int64_t seconds, bool set, struct io_writer out, struct err **err);

/* --- EROFS indexes ----------------------------------------------------------------------- */

/*
 * A file system image of names and attributes only, whose file bytes stay in the plain tars:
 * mounted with the tars as its devices, it shows a layer, or the merged tree of a stack, without
 * unpacking. The same input gives the same bytes. Written front to back; beside the tree it takes 4
 * bytes a node and 8 bytes a file that has several names.
 *
 * ERR_UNSUPPORTED: this cannot be shown through an index, and has to be unpacked instead: a tar
 * whose last block is not complete, names or attributes that no file system takes, more than 2 TiB
 * in all, a sparse file whose pieces are too many or lie crooked. All other errors are those of the
 * reader and of `out`.
 *
 * What stands in a tar between the end of a file and the end of its last 512 bytes can be seen
 * through mmap.
 */
struct layer_index_made {
	int *fds; /* owned array of borrowed tar fds: the devices, in this order, of the mount */
	size_t nfds;
	uint64_t size; /* bytes of the index: a multiple of 512 */
};
void layer_index_made_clear(struct layer_index_made *m);

/* The merged tree of a stack as one lower: no whiteouts, no opaque marks. */
int layer_index_tree(const struct layer_tree *t, struct io_writer out,
	struct layer_index_made *made, struct err **err);
/*
 * One layer over `below` (NULL: nothing below) as an overlay lower: what layer_unpack would make,
 * with trusted.overlay.opaque. tar_fd is borrowed; a hard link to a file of a lower layer makes the
 * tar of that layer a device too.
 */
int layer_index_layer(int tar_fd, const struct layer_tree *below, const struct layer_times *times,
	struct io_writer out, struct layer_index_made *made, struct err **err);

/* --- compression ------------------------------------------------------------------------ */

enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

#define LAYER_GZIP_LEVEL  1 /* the default */
#define LAYER_GZIP_LEVELS 9
#define LAYER_ZSTD_LEVEL  3
#define LAYER_ZSTD_LEVELS 19 /* higher ones need windows that not everybody unpacks */

struct layer_packing {
	enum layer_compression c;
	int level; /* 0: the default */
};
/* "gzip[:1-9]", "zstd[:1-19]", "none". ERR_USAGE with the valid ones. */
int layer_packing_parse(const char *text, struct layer_packing *out, struct err **err);

#define LAYER_RATIO_MAX       1000 /* uncompressed : compressed, past the first LAYER_RATIO_FREE */
#define LAYER_RATIO_FREE      ((uint64_t)64 << 20)
#define LAYER_ZSTD_WINDOW_LOG 27

/* A reader of the plain bytes; `in` is read to its end. Concatenated members and frames are read
 * on; garbage behind them, truncation, ratio and total size (max_bytes) are errors (ERR_CORRUPT,
 * ERR_LIMIT). */
struct layer_inflate;
struct layer_inflate *layer_inflate_new(
	struct io_reader in, enum layer_compression c, uint64_t max_bytes);
/* gzip by zlib, as where isa-l is missing; for its test. */
struct layer_inflate *layer_inflate_new_portable(struct io_reader in, uint64_t max_bytes);
struct io_reader layer_inflate_reader(struct layer_inflate *z);
void layer_inflate_free(struct layer_inflate *z);

/*
 * A writer of compressed bytes: gzip as one member (time 0, no name), zstd as one frame. Equal
 * input gives equal bytes, however it arrives and whatever the number of threads, with one version
 * of the compressing library and one class of CPU. gzip 1 to 3 are isa-l's levels (1 is about
 * sixteen times as fast as zlib's usual one), 4 to 9 zlib's. A library that is missing is an error
 * of the first write (ERR_UNSUPPORTED); without isa-l gzip is made by zlib. finish, then free.
 *
 * level 0: the default. threads 0: layer_deflate_threads(); they start with the second MiB. `out`
 * is called by the caller's thread only.
 */
struct layer_deflate;
struct layer_deflate *layer_deflate_new(
	struct io_writer out, enum layer_compression c, int level, unsigned threads);
/* As many as there are cores to run on, at most 12. */
unsigned layer_deflate_threads(void);
struct io_writer layer_deflate_writer(struct layer_deflate *z);
/* All that `from` has; as io_copy into the writer, with a copy less. */
int layer_deflate_copy(struct layer_deflate *z, struct io_reader *from, struct err **err);
int layer_deflate_finish(struct layer_deflate *z, struct err **err);
void layer_deflate_free(struct layer_deflate *z);

/* --- archives that users hand in (libarchive, read only) ------------------------------------ */

/* Is this regular file a tar, plain or gzip/bzip2/xz/zstd compressed, with at least one readable
 * header (S10)? 1 / 0 / -1. */
int layer_archive_probe(int fd, struct err **err);
/*
 * Entries of such an archive in order. Contents of files are LAYER_DATA_FD in a file without a name
 * in tmp_dir_fd, which the reader owns until layer_archive_close. Names are cleaned like
 * layer_walk's, but ".." components are clamped at the root. Whiteout names are ordinary here.
 * Left out are sockets, and files and the like whose name means the root, which is a directory.
 */
struct layer_archive;
struct layer_archive *layer_archive_open(
	int fd, int tmp_dir_fd, uint64_t max_bytes, struct err **err);
int layer_archive_next(
	struct layer_archive *a, const struct layer_entry **out, struct err **err); /* 1, 0, -1 */
void layer_archive_close(struct layer_archive *a);

DEFINE_CLEANUP(struct layer_writer *, layer_writer_free);
DEFINE_CLEANUP(struct layer_list *, layer_list_free);
DEFINE_CLEANUP(struct layer_walk *, layer_walk_free);
DEFINE_CLEANUP(struct layer_tree *, layer_tree_free);
DEFINE_CLEANUP(struct layer_inflate *, layer_inflate_free);
DEFINE_CLEANUP(struct layer_deflate *, layer_deflate_free);
DEFINE_CLEANUP(struct layer_archive *, layer_archive_close);
DEFINE_CLEANUP(struct layer_freezing *, layer_freezing_free);
#define auto_layer_freezing CLEANUP(layer_freezing_freep)
#define auto_layer_writer   CLEANUP(layer_writer_freep)
#define auto_layer_list     CLEANUP(layer_list_freep)
#define auto_layer_walk     CLEANUP(layer_walk_freep)
#define auto_layer_tree     CLEANUP(layer_tree_freep)
#define auto_layer_inflate  CLEANUP(layer_inflate_freep)
#define auto_layer_deflate  CLEANUP(layer_deflate_freep)
#define auto_layer_archive  CLEANUP(layer_archive_closep)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * -o/--output: what becomes of a finished image beside its place in the store.
 *
 *	DIR                    short for type=local,dest=DIR
 *	-                      short for type=tar,dest=-
 *	type=TYPE[,KEY=VALUE]  fields as in CSV: a field with a comma in it stands in double quotes
 *
 * Types: local (the files of the image, in a directory), tar (the same as one tar), oci (an OCI
 * layout, as a tar or with tar=false as a directory), docker (an archive for `docker load`), image
 * (names in the store; with push=true also in their registries), registry (image with push=true),
 * cacheonly (nothing).
 */
#ifndef BLD_BUILDER_OUTPUT_OUTPUT_H
#define BLD_BUILDER_OUTPUT_OUTPUT_H

#include <stdatomic.h>
#include <stdint.h>

#include "store/base/strlist.h"
#include "store/oci/oci.h"
#include "store/store.h"
#include "store/compress/compress.h"
#include "store/tar/entry.h"
#include "store/tar/list.h"
#include "store/tree/tree.h"

enum output_type {
	OUTPUT_LOCAL,
	OUTPUT_TAR,
	OUTPUT_OCI,
	OUTPUT_DOCKER,
	OUTPUT_IMAGE,
	OUTPUT_CACHEONLY,
	OUTPUT_TYPES,
};

/* What is true of all outputs of a type. */
struct output_kind {
	bool directory;     /* dest is one, and has to be given */
	bool directory_too; /* with tar=false dest is a directory */
	bool streams;       /* without dest it goes to standard output */
	bool plain;         /* layers in it are not compressed */
	bool one_platform;  /* where it has a dest it holds one image */
	bool names;         /* it gives the image names in the store */
	bool discards;      /* the image gets no names, those of -t neither */
};
const struct output_kind *output_kind(enum output_type type);

struct output {
	enum output_type type;
	char *dest;           /* owned; NULL: the store */
	bool to_stdout;       /* dest is "-", or missing where that is meant */
	bool directory;       /* dest is one: local, oci with tar=false */
	struct strlist names; /* image, oci, docker: name=; empty: those of -t */
	bool push;
	bool insecure;
	bool has_packing; /* compression=, compression-level= */
	struct layer_packing packing;
	bool force_packing;
	int oci_types;      /* oci-mediatypes=; -1: as the image was built */
	bool remove_others; /* local: mode=delete */
	bool devices;       /* local: device nodes too */
	int platform_split; /* local, tar: -1: where there are several platforms */
};

/* ERR_USAGE. *out is to be cleared in any case. */
int output_parse(const char *text, struct output *out, struct err **err);
void output_clear(struct output *o);
/* Before the build: can dest be written? ERR_CONTEXT, and ERR_USAGE for a tar on a terminal. */
int output_check(const struct output *o, struct err **err);

/* Times of what is written: changed as those of new layers are. */
struct output_times {
	bool set;   /* every time becomes `seconds` */
	bool clamp; /* later times become `seconds` */
	int64_t seconds;
};

/* The files of an image: what local and tar write. */
struct output_files {
	struct layer_tree *tree; /* owned */
	struct layer_list *list; /* owned; sorted, without the root directory */
	const char *
		*first; /* owned, or NULL; by entry: the file that it is a hard link to, or NULL */
	const struct output_times *times;
	const atomic_int *cancelled; /* polled; may be NULL */
	const char *below;           /* tar: the directory they are put in, or NULL; borrowed */
};
int output_files_open(struct store *s, const struct oci_config *c, const struct output_times *t,
	struct output_files *out, struct err **err);
/* Entry i with its time; hard links also where a layer links to a file of a lower one; false for
 * what is not written (the root). */
bool output_files_at(const struct output_files *f, size_t i, struct layer_entry *out);
int output_files_cancelled(const struct output_files *f, struct err **err);
void output_files_clear(struct output_files *f);

/*
 * Files of the image below dest, which is made when it is missing. Nothing outside of dest is
 * touched, whatever links lie there: a link in the way of a directory is replaced by it. What is
 * there already and equal is left alone; other files are replaced at once, not in steps. Owners
 * and capabilities are for root; others get files of their own without setuid bits. Device nodes
 * are left out unless asked for, and where they cannot be made; *skipped counts them.
 *
 * Somebody else may be able to change names below dest while this runs: nothing gets an owner, a
 * mode, attributes or a time but by a descriptor of what was made here, and a directory that was
 * replaced meanwhile is an error. ERR_CONTEXT.
 */
struct output_local_how {
	bool remove_others; /* what the image does not have is removed */
	bool devices;
};
int output_local(const struct output_files *f, const char *dest, const struct output_local_how *how,
	size_t *skipped, struct err **err);
/* One tar of the files of n images: the same images give the same bytes. */
int output_tar(const struct output_files *f, size_t n, int fd, const char *shown, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the directory that a command wrote to a layer.
 */
#ifndef BLD_STORE_TREE_FREEZE_H
#define BLD_STORE_TREE_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/base/hashpipe.h"
#include "store/base/io.h"
#include "store/tree/tree.h"
#include "store/tar/times.h"

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

#endif

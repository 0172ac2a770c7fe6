/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deterministic tar writer.
 */
#ifndef BLD_STORE_TAR_WRITE_H
#define BLD_STORE_TAR_WRITE_H

#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/base/hashpipe.h"
#include "store/base/io.h"
#include "store/tar/entry.h"

/*
 * Entries in, tar bytes out: ustar where it is enough, pax records where not; no atime,
 * ctime, user or group names; times in whole seconds; two zero blocks at the end (no padding
 * to a record). The same entries in the same order give the same bytes everywhere.
 * A file with a hole (a run of zeros that begins at a multiple of LAYER_HOLE and has as many bytes
 * at least) is written as GNU sparse 1.0 in pax, all others in full: the diff ID depends on what is
 * in a file, not on how a file system stores it (holes.h). The caller orders entries (list.h).
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

struct layer_map;
/* The same as layer_writer_add, with the holes that the headers of this file told before. */
int layer_writer_add_mapped(struct layer_writer *w, const struct layer_entry *e,
	const struct layer_map *map, struct err **err);

/*
 * The headers of a tar without the contents, for layer_walk_new_heads; maps of sparse files count
 * as headers.
 */
int layer_writer_head(struct layer_writer *w, const struct layer_entry *e, struct err **err);

DEFINE_CLEANUP(struct layer_writer *, layer_writer_free);
#define auto_layer_writer CLEANUP(layer_writer_freep)

#endif

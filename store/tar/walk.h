/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded tar walker.
 */
#ifndef BLD_STORE_TAR_WALK_H
#define BLD_STORE_TAR_WALK_H

#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/tar/entry.h"

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
/* Is all of it a tar that can be walked to its end? 0, or -1 with what layer_walk_next() says. */
int layer_walk_check(int fd, uint64_t size, struct err **err);

/*
 * The same over what layer_writer_head wrote: gives the entries of the tar itself, tar_fd
 * (borrowed, may be -1) and the places that contents have there.
 */
struct layer_walk *layer_walk_new_heads(int fd, uint64_t size, int tar_fd);

DEFINE_CLEANUP(struct layer_walk *, layer_walk_free);
#define auto_layer_walk CLEANUP(layer_walk_freep)

#endif

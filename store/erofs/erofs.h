/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS images of layers.
 */
#ifndef BLD_STORE_EROFS_EROFS_H
#define BLD_STORE_EROFS_EROFS_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/io.h"
#include "store/tree/tree.h"
#include "store/tar/times.h"

/*
 * A file system image of names and attributes only, whose file bytes stay in the plain tars:
 * mounted with the tars as its devices, it shows a layer, or the merged tree of a stack, without
 * unpacking. The same input gives the same bytes. Written front to back; beside the tree it takes 4
 * bytes a node and 8 bytes a file that has several names.
 *
 * ERR_UNSUPPORTED: this cannot be shown through an EROFS image, and has to be unpacked instead: a
 * tar whose last block is not complete, names or attributes that no file system takes, more than 2
 * TiB in all, a sparse file whose pieces are too many or lie crooked. All other errors are those of
 * the reader and of `out`.
 *
 * What stands in a tar between the end of a file and the end of its last 512 bytes can be seen
 * through mmap.
 */
struct layer_erofs_made {
	int *fds; /* owned array of borrowed tar fds: the devices, in this order, of the mount */
	size_t nfds;
	uint64_t size; /* bytes of the EROFS image: a multiple of 512 */
};
void layer_erofs_made_clear(struct layer_erofs_made *m);

/* The merged tree of a stack as one lower: no whiteouts, no opaque marks. */
int layer_erofs_tree(const struct layer_tree *t, struct io_writer out,
	struct layer_erofs_made *made, struct err **err);
/*
 * One layer over `below` (NULL: nothing below) as an overlay lower: what layer_unpack would make,
 * with trusted.overlay.opaque. tar_fd is borrowed; a hard link to a file of a lower layer makes the
 * tar of that layer a device too.
 */
int layer_erofs_layer(int tar_fd, const struct layer_tree *below, const struct layer_times *times,
	struct io_writer out, struct layer_erofs_made *made, struct err **err);

#endif

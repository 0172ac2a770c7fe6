/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a layer to a directory that shows it.
 */
#ifndef BLD_STORE_TREE_UNPACK_H
#define BLD_STORE_TREE_UNPACK_H

#include <stdbool.h>

#include "store/base/err.h"
#include "store/tree/tree.h"

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

#endif

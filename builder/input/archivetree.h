/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context that comes as bytes: a tar (plain, or packed with gzip, bzip2, xz, zstd) becomes a
 * merged tree and is never unpacked, so no name in it can lead anywhere.
 */
#ifndef BLD_BUILDER_INPUT_ARCHIVETREE_H
#define BLD_BUILDER_INPUT_ARCHIVETREE_H

#include "store/store.h"
#include "store/tree/tree.h"

#define ARCHIVETREE_MAX ((uint64_t)64 << 30) /* bytes, packed and plain */

/* All bytes of a reader in a file without a name. `what` names them in messages. -1: ERR_CONTEXT,
 * ERR_LIMIT. */
int archivetree_spool(int from, const char *what, struct store *s, struct err **err);
/* The archive in a seekable file as a tree; owned by the caller. */
struct layer_tree *archivetree_make(int archive, struct store *s, struct err **err);

#endif

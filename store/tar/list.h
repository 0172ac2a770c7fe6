/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a layer that is put together in memory, and their order in its tar.
 */
#ifndef BLD_STORE_TAR_LIST_H
#define BLD_STORE_TAR_LIST_H

#include <stddef.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/base/io.h"
#include "store/tar/entry.h"
#include "store/tar/write.h"

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

DEFINE_CLEANUP(struct layer_list *, layer_list_free);
#define auto_layer_list CLEANUP(layer_list_freep)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of files as bytes, to be kept and compared later (explain.h). Per file 28 bytes of
 * attributes in the byte order of the machine, the name, NUL, the target of a link, NUL; a file's
 * path is made of the names of the directories in front of it.
 */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_LIST_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_LIST_H

#include "builder/copy/copy.h"
#include "parser/slice.h"
#include "store/base/buf.h"

#define EXPLAIN_LIST_FILES 2048 /* of one list; more become directories, see copy_list */

/* The files of a selection, behind what is in out. names: what sources of an item are called, by
 * item, where that is not their path (NULL); may be NULL. */
void explain_list_add(
	struct buf *out, const struct copy_selection *s, const char *const *names, size_t nnames);
/* The first difference in the order of paths, "src/a.c: content"; owned. NULL: none is seen. */
char *explain_list_compare(struct slice before, struct slice after);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: nothing here looks at a file system. */
#ifndef BLD_BUILDER_COPY_PATH_H
#define BLD_BUILDER_COPY_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Relative to the root, without ".", "..", empty components and '/' at the ends; ".." stops at the
 * root, and *clamped (may be NULL) tells that it did. Owned. */
char *copy_path_clean(const char *text, bool *clamped);
/* The same of text below base (absolute or relative to the root), unless text is absolute. Owned.
 */
char *copy_path_below(const char *base, const char *text);
/* "", ".", "..", or an ending in '/', "/." or "/..": can only be a directory. */
bool copy_path_says_dir(const char *text);
/* Last component of a cleaned path; "" of "". */
const char *copy_path_base(const char *path);
/* dir + "/" + name; name alone when dir is "". Owned. */
char *copy_path_join(const char *dir, const char *name);
/* The next component at *rest, which moves behind it; 0 at the end. Skips '/'. */
size_t copy_path_next(const char **rest, const char **comp);

#endif

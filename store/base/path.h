/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of images and contexts as text: nothing here looks at a file system, and ".." takes back
 * the component before it, whatever it is.
 */
#ifndef BLD_STORE_BASE_PATH_H
#define BLD_STORE_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Relative to the root, without ".", "..", empty components and '/' at the ends; ".." stops at the
 * root, and *clamped (may be NULL) tells that it did. Owned. */
char *path_clean(const char *text, bool *clamped);
/* The same of text below base (absolute or relative to the root), unless text is absolute. Owned.
 */
char *path_below(const char *base, const char *text);
/* The same as an absolute path, of text below an absolute base (S8). Owned. */
char *path_absolute(const char *base, const char *text);
/* "", ".", "..", or an ending in '/', "/." or "/..": can only be a directory. */
bool path_says_dir(const char *text);
/* Last component of a cleaned path; "" of "". */
const char *path_base(const char *path);
/* dir + "/" + name; name alone when dir is "". Owned. */
char *path_join(const char *dir, const char *name);
/* The next component at *rest, which moves behind it; 0 at the end. Skips '/'. */
size_t path_next(const char **rest, const char **comp);

#endif

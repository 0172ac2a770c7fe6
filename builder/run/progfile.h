/* SPDX-License-Identifier: Apache-2.0 */
/* Why a program of an image cannot be executed on this machine, from the first bytes of its file:
 * an ELF file (its machine, its loader) or a script (its interpreter). */
#ifndef BLD_BUILDER_RUN_PROGFILE_H
#define BLD_BUILDER_RUN_PROGFILE_H

#include "store/tree/tree.h"

#define PROGFILE_HEAD ((size_t)16 << 10) /* bytes that are looked at */

/* The path in the image that argv[0] means: itself, or found in PATH (directories separated by
 * colons); owned, NULL when there is no such file. */
char *progfile_find(const struct layer_tree *t, const char *name, const char *path);

/* One sentence, owned; NULL: nothing is wrong that can be seen. */
char *progfile_explain(const struct layer_tree *t, const char *path);

/* The same from bytes: what is missing or strange. *loader: owned, what executes the file, or NULL;
 * *machine: of another one, for people, or NULL. False: neither an ELF file nor a script. */
bool progfile_read(const void *head, size_t n, char **loader, const char **machine);

#endif

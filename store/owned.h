/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a directory, or a file, ours alone? A store holds set-user-ID files and decides what root
 * mounts and runs: one that somebody else has prepared, or can still change, is refused, and the
 * message names what is wrong with it.
 */
#ifndef BLD_STORE_OWNED_H
#define BLD_STORE_OWNED_H

#include "store/base/err.h"

/* Open directory `fd`, shown as `what`: it belongs to us and nobody else may write there. 0 / -1.
 */
int owned_dir(int fd, const char *what, struct err **err);
/*
 * The way to `path` (absolute, without links): nobody else may replace a directory on it. A parent
 * that others may write to is all right only with the sticky bit; our own group is no other.
 */
int owned_way(const char *path, struct err **err);
/*
 * Open file `fd`, shown as `what`, that says who we are to others: nobody else may write to it or
 * to its directory. In a directory with the sticky bit, or further up one that others may write to,
 * what lies on the way must be ours or root's.
 */
int owned_file(int fd, const char *what, struct err **err);
/* The same of open directory `fd`, before such a file is put into it. */
int owned_file_dir(int fd, const char *what, struct err **err);
/* `path` as it was given: a link there must be ours or root's. */
int owned_link(const char *path, struct err **err);

#endif

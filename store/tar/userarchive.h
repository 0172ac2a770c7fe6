/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives that users hand in, which ADD unpacks: libarchive, read only.
 */
#ifndef BLD_STORE_TAR_USERARCHIVE_H
#define BLD_STORE_TAR_USERARCHIVE_H

#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/err.h"
#include "store/tar/entry.h"

/* Is this regular file a tar, plain or gzip/bzip2/xz/zstd compressed, with at least one readable
 * header (S10)? 1 / 0 / -1. */
int layer_archive_probe(int fd, struct err **err);
/*
 * Entries of such an archive in order. Contents of files are LAYER_DATA_FD in a file without a name
 * in tmp_dir_fd, which the reader owns until layer_archive_close. Names are cleaned like
 * layer_walk's, but ".." components are clamped at the root. Whiteout names are ordinary here.
 * Left out are sockets, and files and the like whose name means the root, which is a directory.
 */
struct layer_archive;
struct layer_archive *layer_archive_open(
	int fd, int tmp_dir_fd, uint64_t max_bytes, struct err **err);
int layer_archive_next(
	struct layer_archive *a, const struct layer_entry **out, struct err **err); /* 1, 0, -1 */
void layer_archive_close(struct layer_archive *a);

DEFINE_CLEANUP(struct layer_archive *, layer_archive_close);
#define auto_layer_archive CLEANUP(layer_archive_closep)

#endif

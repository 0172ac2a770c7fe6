/* SPDX-License-Identifier: Apache-2.0 */
/* An image as an archive in a file or on standard output: bld save, and --output of bld build. */
#ifndef BLD_BUILDER_CLI_ARCHIVE_H
#define BLD_BUILDER_CLI_ARCHIVE_H

#include "store/transport/transfer.h"

/* path NULL: standard output, where it appears when it is complete. */
int archive_write_all(struct store *s, const struct transfer_item *v, size_t n,
	enum transfer_archive kind, const char *path, const struct transfer_opts *t,
	struct err **err);
/* One image. name: inside; NULL = none; in a docker-archive its own. */
int archive_write(struct store *s, const struct image *i, enum transfer_archive kind,
	const char *path, const char *name, const struct transfer_opts *t, struct err **err);
/* One index with all its images. */
int archive_write_index(struct store *s, const struct oci_descriptor *index,
	enum transfer_archive kind, const char *path, const char *name,
	const struct transfer_opts *t, struct err **err);

#endif

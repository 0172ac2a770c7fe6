/* SPDX-License-Identifier: Apache-2.0 */
/* An image as an archive in a file or on standard output: bld save, and --output of bld build. */
#ifndef BLD_BUILDER_CLI_ARCHIVE_H
#define BLD_BUILDER_CLI_ARCHIVE_H

#include "store/transport/transfer.h"

/* path NULL: standard output, where it appears when it is complete. name: inside; may be NULL. */
int archive_write(struct store *s, const struct image *i, enum transfer_archive kind,
	const char *path, const char *name, const struct transfer_opts *t, struct err **err);
/* An index with all its images, likewise (transfer_write_index). */
int archive_write_index(struct store *s, const struct oci_descriptor *index,
	enum transfer_archive kind, const char *path, const char *name,
	const struct transfer_opts *t, struct err **err);

#endif

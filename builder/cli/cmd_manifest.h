/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes of the store as `bld manifest` changes them, for `bld build --manifest`. */
#ifndef BLD_BUILDER_CLI_CMD_MANIFEST_H
#define BLD_BUILDER_CLI_CMD_MANIFEST_H

#include <stdbool.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/store.h"

/* May an index have this name: it is an index, or nothing. ERR_USAGE. */
int cmd_manifest_check(struct store *s, const char *name, struct err **err);
/* Put an image, or all of an index, into the index of this name; one for the same platform is
 * replaced. It is made when there is none, with Docker's media type when docker is set. */
int cmd_manifest_take(struct store *s, const char *name, const struct digest *d, bool index,
	bool docker, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One placement: the rules of place.c, shared with extract.c. */
#ifndef BLD_BUILDER_COPY_PLACE_H
#define BLD_BUILDER_COPY_PLACE_H

#include "builder/copy/copy.h"
#include "builder/copy/selection.h"
#include "builder/copy/target.h"

struct copy_placed {
	struct copy_selection *s;
	struct copy_dest d;
	struct copy_target target;
	bool tree; /* what is being unpacked stands for a directory */
};

/* Mode of what had `mode`. Not for symlinks. */
uint32_t copy_place_mode(const struct copy_dest *d, uint32_t mode, bool is_dir);
/* What a directory gets that is made on the way. mode_rule: --chmod applies to it. */
struct copy_attrs copy_place_made(const struct copy_dest *d, bool mode_rule);
/* extract.c: unpack an archive below the directory at. */
int copy_extract(struct copy_placed *p, const struct copy_source *src, struct copy_node *at,
	struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --annotation [TYPE[PLATFORM][,TYPE...]:]KEY=VALUE, as buildx has it. TYPE says what is annotated:
 * "manifest" (the default), "index", "manifest-descriptor" (the manifest's entry in an index) or
 * "index-descriptor" (the index's entry in a layout). PLATFORM in brackets limits it to one.
 */
#ifndef BLD_BUILDER_IMAGE_ANNOTATION_H
#define BLD_BUILDER_IMAGE_ANNOTATION_H

#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/oci/oci.h"

enum annotation_level {
	ANNOTATION_MANIFEST = 1,
	ANNOTATION_INDEX = 2,
	ANNOTATION_MANIFEST_DESCRIPTOR = 4,
	ANNOTATION_INDEX_DESCRIPTOR = 8,
};
#define ANNOTATION_OF_INDEX (ANNOTATION_INDEX | ANNOTATION_INDEX_DESCRIPTOR)

/* Is it well-formed? *levels (may be NULL): every level it names. ERR_USAGE. */
int annotation_check(const char *text, unsigned *levels, struct err **err);

/* Of `given`, which were checked, those of this level for this platform, as "KEY=VALUE" added to
 * out; of one key the last one counts. platform NULL: of those for any platform. */
void annotation_select(const struct strlist *given, enum annotation_level level,
	const struct oci_platform *platform, struct strlist *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says about the image beside what the Dockerfile does: labels, variables,
 * annotations. */
#ifndef BLD_BUILDER_IMAGE_IMAGEOPTS_H
#define BLD_BUILDER_IMAGE_IMAGEOPTS_H

#include "builder/options.h"
#include "builder/state.h"

/* --unsetenv, --unsetlabel, then --label: at the end, to the result only (S7). */
void imageopts_edit(const struct build_opts *o, struct oci_config *c);

/* Annotations of the manifest, those about the base among them, and of its descriptor. */
void imageopts_annotations(const struct build_opts *o, const struct state *st,
	struct strlist *manifest, struct strlist *descriptor);

#endif

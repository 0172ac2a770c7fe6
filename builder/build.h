/* SPDX-License-Identifier: Apache-2.0 */
/* `bld build` as a function: options in, an image in the store out. */
#ifndef BLD_BUILDER_BUILD_H
#define BLD_BUILDER_BUILD_H

#include "builder/image/result.h"
#include "builder/options.h"
#include "store/base/err.h"
#include "store/store.h"

/* 0, or -1. A Dockerfile error's text is the complete rendering of all diagnostics (several lines).
 */
int build_run(
	const struct build_opts *o, struct store *s, struct build_results *out, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `bld build` does with an image that is built: outputs are written, names pushed, --iidfile,
 * --digestfile and --metadata-file are written, the result is shown.
 */
#ifndef BLD_BUILDER_CLI_BUILDRESULT_H
#define BLD_BUILDER_CLI_BUILDRESULT_H

#include "builder/cli/buildopts.h"
#include "builder/cli/buildoutputs.h"
#include "builder/cli/outfile.h"
#include "builder/ui/ui.h"

struct buildresult {
	const struct cli *c;
	const struct buildopts *o;
	const struct build_opts *b; /* known before the delivery */
	struct buildoutputs outputs;
	struct outfile iid;
	struct outfile digest;
	struct outfile metadata;
};

/* Before the build: old result files go, mistakes in their names are found. To be cleared in any
 * case. */
int buildresult_open(
	struct buildresult *b, const struct cli *c, const struct buildopts *o, struct err **err);
/* After it. The interface is finished before anything is written to standard output. */
int buildresult_deliver(const struct buildresult *b, struct store *s, struct ui *ui,
	const struct build_results *r, struct err **err);
void buildresult_clear(struct buildresult *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* All of --output together, and --push, which is one of them. */
#ifndef BLD_BUILDER_CLI_BUILDOUTPUTS_H
#define BLD_BUILDER_CLI_BUILDOUTPUTS_H

#include "builder/cli/buildopts.h"
#include "builder/output/output.h"
#include "builder/ui/ui.h"

struct buildoutputs {
	struct output *v; /* owned */
	size_t n;
	bool to_stdout; /* nothing else may be written there */
};

/* Parse and check, before anything is built. To be cleared in any case. */
int buildoutputs_open(struct buildoutputs *out, const struct buildopts *o, struct err **err);
/* The names the image gets in the store: those of -t and of images among the outputs; none when
 * nothing is to be kept. */
void buildoutputs_names(
	const struct buildoutputs *b, const struct strlist *tags, struct strlist *out);

/* The registry that the first push goes to; owned, NULL: nothing is pushed. names: of the image. */
char *buildoutputs_registry(
	const struct buildoutputs *b, const struct buildopts *o, const struct strlist *names);

/* What a delivery works with. */
struct buildoutputs_job {
	const struct cli *c;
	const struct buildopts *o;
	const struct build_opts *b;
	struct store *s;
	struct ui *ui;
	const struct build_result *r;
	struct strlist *pushed; /* gets "NAME=sha256:..." of every push that went well */
};
int buildoutputs_write(
	const struct buildoutputs *b, const struct buildoutputs_job *job, struct err **err);
void buildoutputs_clear(struct buildoutputs *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `bld lint` and `bld build --check`: look at a Dockerfile, build nothing. */
#ifndef BLD_BUILDER_CLI_CHECK_H
#define BLD_BUILDER_CLI_CHECK_H

#include "builder/build.h"
#include "builder/cli/cli.h"

#define CHECK_FORMATS "text|json|sarif"

struct check {
	const struct build_opts *build; /* what a build would be given */
	const char *format;             /* one of CHECK_FORMATS; NULL = text */
	bool portable;
};

/* What --check (flag) and --call ask for: 1 a check, *k gets its format; 0 a build; -1 ERR_USAGE.
 */
int check_call(bool flag, const char *call, struct check *k, struct err **err);

/*
 * Findings go to standard output, errors of the Dockerfile are in *err and, for json and sarif, in
 * the output too. 0, or -1: an error, or findings where "# check=error=true" is in force.
 */
int check_run(const struct cli *c, const struct check *k, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `bld build`: the table, which fills struct build_opts. A new option is one row of
 * buildopts_table and one field of struct build_opts; where its value has to be understood first,
 * the row names a function. Only what belongs to the command itself, or what several options say
 * together, is kept in struct buildopts until buildopts_settle().
 */
#ifndef BLD_BUILDER_CLI_BUILDOPTS_H
#define BLD_BUILDER_CLI_BUILDOPTS_H

#include "builder/build.h"
#include "builder/cli/cli.h"
#include "builder/cli/remote.h"

struct buildopts {
	struct build_opts build;
	struct strlist tags;
	struct strlist targets;
	struct strlist build_args;
	struct strlist build_arg_files;
	const char *format;
	const char *os; /* other words for platform: buildcompat.h */
	const char *arch;
	const char *variant;
	struct strlist attest;
	const char *provenance;
	const char *sbom;
	const char *timestamp;
	const char *source_date_epoch;
	const char *manifest;
	const char *creds;
	const char *iidfile;
	const char *digestfile;
	const char *metadata_file;
	struct strlist outputs;
	bool push;
	bool check;
	const char *call;
	struct remote_opts remote;
};

extern const struct cli_option buildopts_table[];

/* What several options say together, and what is not on the command line; o->build is complete
 * then. ERR_USAGE for a wrong command line. */
int buildopts_settle(
	const struct cli *c, struct buildopts *o, const char *context, struct err **err);

#endif

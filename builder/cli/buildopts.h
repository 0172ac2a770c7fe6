/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of `bld build`: the table, and the way from it to struct build_opts. A new option is one
 * row of buildopts_table, one field of struct buildopts and, when the build itself needs it, one
 * line of buildopts_take() or a take_...() function of its own.
 */
#ifndef BLD_BUILDER_CLI_BUILDOPTS_H
#define BLD_BUILDER_CLI_BUILDOPTS_H

#include "builder/build.h"
#include "builder/cli/cli.h"
#include "builder/cli/remote.h"

struct buildopts {
	const char *file;
	const char *ignorefile;
	struct strlist tags;
	struct strlist targets;
	struct strlist build_args;
	struct strlist build_arg_files;
	struct strlist env;
	const char *from;
	struct strlist labels;
	struct strlist unset_labels;
	int inherit_labels;
	struct strlist unset_env;
	struct strlist annotations;
	int base_annotations;
	const char *format;
	bool squash;
	bool compat_volumes;
	struct strlist secrets;
	struct strlist ssh;
	struct strlist contexts;
	const char *platform;
	const char *os; /* other words for platform: buildcompat.h */
	const char *arch;
	const char *variant;
	struct strlist attest;
	const char *provenance;
	const char *sbom;
	int layers;
	bool no_cache;
	const char *pull;
	struct strlist no_cache_stages;
	bool explain;
	const char *network;
	struct strlist allow;
	const char *timestamp;
	const char *source_date_epoch;
	const char *manifest;
	const char *creds;
	const char *iidfile;
	const char *digestfile;
	const char *metadata_file;
	const char *jobs;
	struct strlist outputs;
	bool push;
	bool check;
	const char *call;
	bool sync;
	struct remote_opts remote;
};

extern const struct cli_option buildopts_table[];

/*
 * Check and translate. What *b holds borrows from *o and c, but for the lists that are made here:
 * buildopts_clear() in any case. ERR_USAGE for a wrong command line.
 */
int buildopts_take(const struct cli *c, const struct buildopts *o, const char *context,
	struct build_opts *b, struct err **err);
void buildopts_clear(struct build_opts *b);

#endif

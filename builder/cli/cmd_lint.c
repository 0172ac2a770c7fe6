// SPDX-License-Identifier: Apache-2.0
/* bld lint: what is doubtful in a Dockerfile; nothing is built or fetched. */
#include "builder/cli/cli.h"

#include "builder/cli/buildopts.h"
#include "builder/cli/check.h"
#include "builder/options.h"

struct opts {
	struct buildopts build; /* those that lint shares with a build */
	const char *format;
	bool portable;
};

#define AT(field) offsetof(struct opts, field)

static const struct cli_option options[] = {
	{"file", 'f', CLI_STRING, AT(build.build.dockerfile), "FILE", NULL,
		"the Dockerfile; \"-\" reads it from standard input (default: Dockerfile or "
		"Containerfile in the context)"},
	{"ignorefile", 0, CLI_STRING, AT(build.build.ignorefile), "FILE", NULL,
		"what the context does not contain, instead of its own ignore file"},
	{"format", 0, CLI_CHOICE, AT(format), CHECK_FORMATS, NULL,
		"of the findings on standard output (default: text)"},
	{"portable", 0, CLI_FLAG, AT(portable), NULL, NULL, "also name what only bld understands"},
	{"target", 0, CLI_LIST, AT(build.targets), "STAGE", NULL,
		"look at this stage and what it needs (default: all stages); may be repeated"},
	{"build-arg", 0, CLI_LIST, AT(build.build_args), "K[=V]", NULL,
		"value of an ARG; without =V the value of the environment variable K; may be "
		"repeated"},
	{"build-context", 0, CLI_LIST, AT(build.build.contexts), "NAME=DIR", NULL,
		"a directory that COPY --from=NAME and FROM NAME can use; may be repeated"},
	{"platform", 0, CLI_STRING, AT(build.build.platform), "OS/ARCH", NULL,
		"platform of the base images (default: this machine's)"},
	{0},
};

static const char details[] =
	"CONTEXT is the directory that would be built (default: the current one).\n"
	"\n"
	"Rules have the names of BuildKit's. \"# check=skip=RULE,RULE;error=true\" at the\n"
	"top of the Dockerfile configures it, above an instruction that instruction. The\n"
	"exit status is 3 when the Dockerfile is wrong, and for findings under\n"
	"error=true.\n"
	"\n"
	"Examples:\n"
	"  bld lint\n"
	"  bld lint -f build/Dockerfile --format sarif . >lint.sarif\n";

static int cmd_lint_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	struct check k = {.build = &o->build.build, .format = o->format, .portable = o->portable};
	int status = buildopts_settle(c, &o->build, operands->n ? operands->v[0] : ".", err);

	if (status == 0)
		status = check_run(c, &k, err);
	options_clear(&o->build.build);
	return status;
}

const struct cli_command cli_lint = {
	.name = "lint",
	.operands = "[CONTEXT]",
	.summary = "Look for doubtful things in a Dockerfile",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.max_operands = 1,
	.run = cmd_lint_run,
};

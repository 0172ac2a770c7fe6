/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: findings in a Dockerfile that has no errors, by the names and meanings of BuildKit's rules.
 *
 * Everything that comes from outside the text (build arguments, platform, base images, ignore
 * rules) is given as plain data; nothing is opened or fetched here. A base image whose
 * configuration is not known may set variables: names that look like those base images set
 * (GOPATH, JAVA_HOME, NODE_VERSION) are then not reported.
 *
 * "# check=skip=A,B;error=true;experimental=C" configures the file, the same in the comment block
 * directly above an instruction that instruction; "all" is every rule.
 */
#ifndef BLD_PARSER_LINT_H
#define BLD_PARSER_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/arena.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/ignore.h"
#include "parser/slice.h"

/* More than this many findings are counted but not kept. */
#define LINT_FINDINGS_MAX 1000
/* Bytes that a look at a file may take; beyond that variables are not followed any more. */
#define LINT_MEMORY_MAX ((size_t)64 << 20)

enum lint_rule {
	LINT_CONSISTENT_CASING,
	LINT_COPY_IGNORED,
	LINT_DUPLICATE_STAGE,
	LINT_EXPOSE_FORMAT,
	LINT_EXPOSE_CASING,
	LINT_FROM_AS_CASING,
	LINT_FROM_PLATFORM_CONST,
	LINT_BASE_PLATFORM,
	LINT_DEFAULT_ARG_IN_FROM,
	LINT_DEFINITION_DESCRIPTION,
	LINT_JSON_ARGS,
	LINT_LEGACY_KEY_VALUE,
	LINT_MAINTAINER,
	LINT_MULTIPLE,
	LINT_EMPTY_CONTINUATION,
	LINT_REDUNDANT_PLATFORM,
	LINT_RESERVED_STAGE,
	LINT_SECRETS,
	LINT_STAGE_CASING,
	LINT_UNDEFINED_ARG_IN_FROM,
	LINT_UNDEFINED_VAR,
	LINT_RELATIVE_WORKDIR,
	/* Of bld itself. */
	LINT_EXTENSION, /* only with lint_opts.portable */
	LINT_NOT_JSON,  /* looks like an exec form, but is not: warnings of the parser */
};
#define LINT_RULE_COUNT (LINT_NOT_JSON + 1)

struct lint_rule_info {
	const char *name;        /* "StageNameCasing" */
	const char *description; /* one line, of the rule in general */
	bool experimental;       /* off unless "# check=experimental=" names it */
};

const struct lint_rule_info *lint_rule_info(enum lint_rule rule);

/* What is known of the image a stage starts from. Texts are borrowed until the next call. */
struct lint_base {
	bool known;              /* false: everything below is empty */
	const struct slice *env; /* "K=V" */
	size_t nenv;
	bool shell; /* its configuration has a SHELL */
	/* Both only when the image is for another platform than the stage asked for. */
	struct slice platform, expected;
};

struct lint_opts {
	const struct slice *build_args; /* "K=V" */
	size_t nbuild_args;
	const struct slice *automatic; /* "K=V": TARGETPLATFORM and so on */
	size_t nautomatic;
	const bool *needed;          /* one per stage; NULL = all stages are looked at */
	const struct ignore *ignore; /* of the context, or NULL */
	struct slice check;          /* takes the place of "# check=" when ptr is not NULL */
	bool portable;               /* name uses of extensions of bld */
	bool certain; /* leave out what the configuration of an unknown base could explain */
	/* The image of the FROM of a stage, both expanded (platform: len 0 = none was given). NULL:
	 * no base is known. Also called for names of named contexts. */
	void (*base)(void *ctx, size_t stage, struct slice image, struct slice platform,
		struct lint_base *out);
	/* Names a named context, which is in front of stages of that name. NULL: there are none. */
	bool (*context)(void *ctx, struct slice name);
	/* Could be an image name. NULL: everything could. */
	bool (*image_name)(void *ctx, struct slice name);
	void *ctx; /* of the functions above */
};

struct lint_finding {
	enum lint_rule rule;
	bool error; /* "error=true" is in force there */
	/* rule: the rule's name; the message without it; severity DIAG_ERROR for error=true. */
	struct diag diag;
};

struct lint_result {
	struct arena *arena; /* owned; holds everything below; texts of the tree are borrowed */
	const struct dockerfile *df;
	struct lint_finding *items; /* sorted by position */
	size_t count, cap;
	size_t found;  /* also those not kept */
	size_t errors; /* findings with error */
	/* A mistake in "# check=" or its replacement (then the span is empty): it is an error of
	 * the Dockerfile, and the file is looked at with the default configuration. */
	bool bad_check;
	struct diag bad;
};

/* df has no errors. Never NULL; lint_free() it before the tree. */
struct lint_result *lint_run(const struct dockerfile *df, const struct lint_opts *o);
/* NULL is accepted. */
void lint_free(struct lint_result *r);

/* Does the name of a variable promise a secret (API_TOKEN; not TOKEN_FILE)? Rule LINT_SECRETS. */
bool lint_secret_name(struct slice name);

/* One finding as diag_render_text(), the rule's name behind the message. */
void lint_render_finding(const struct lint_result *r, size_t index, slice_sink_fn sink, void *ctx);

/* All findings so. No line of their number. */
void lint_render_text(const struct lint_result *r, slice_sink_fn sink, void *ctx);

/*
 * The shape of BuildKit's check result: {"warnings":[{"ruleName","description","detail",
 * "location":{"ranges":[{"start":{"line","character"},"end":{...}}]}}],"sources":[{"filename",
 * "language","data"}],"buildError":{"message","location"}}, ends with a newline. Lines count from
 * 1, characters from 0; data is the file in base64. r NULL: no findings; error NULL: no buildError.
 */
void lint_render_json(const struct dockerfile *df, const struct lint_result *r,
	const struct diag *error, slice_sink_fn sink, void *ctx);

/*
 * SARIF 2.1.0, one run, ends with a newline. uri is the path of the file, percent-encoded here;
 * version that of bld. errors (nerrors of them) are errors of the Dockerfile.
 */
struct lint_sarif {
	const struct dockerfile *df;
	const struct lint_result *result; /* NULL: no findings */
	const struct diag *errors;
	size_t nerrors;
	struct slice uri;
	struct slice version;
};
void lint_render_sarif(const struct lint_sarif *s, slice_sink_fn sink, void *ctx);

#endif

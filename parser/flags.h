/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leading --flags of an instruction: one table says which flag belongs where, of which type it is,
 * and what is not supported yet. Private to parser/.
 */
#ifndef BLD_PARSER_FLAGS_H
#define BLD_PARSER_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/ast.h"
#include "parser/build.h"
#include "parser/line.h"

enum flags_id {
	FLAGS_CHECKSUM,
	FLAGS_CHMOD,
	FLAGS_CHOWN,
	FLAGS_DEVICE,
	FLAGS_EXCLUDE,
	FLAGS_FROM,
	FLAGS_INTERVAL,
	FLAGS_KEEP_GIT_DIR,
	FLAGS_KEEP_OWNERSHIP,
	FLAGS_LINK,
	FLAGS_MOUNT,
	FLAGS_NETWORK,
	FLAGS_NO_CACHE,
	FLAGS_NO_FOLLOW,
	FLAGS_PARENTS,
	FLAGS_PLATFORM,
	FLAGS_RESET,
	FLAGS_RETRIES,
	FLAGS_SECURITY,
	FLAGS_START_INTERVAL,
	FLAGS_START_PERIOD,
	FLAGS_TIMEOUT,
	FLAGS_TIMEOUT_RUN,
	FLAGS_UNPACK,
	FLAGS_CHOWN_WORKDIR,
};

struct flags_item {
	enum flags_id id;
	struct word word;  /* the whole flag as written */
	struct word value; /* quotes and escapes removed; "true" for a bare boolean */
};

struct flags {
	struct flags_item *items;
	size_t count;
	size_t cap;
	struct slice rest; /* of the line, after the flags, trimmed */
	bool broken;       /* an open quote took the rest of the line (reported) */
};

/* Reads the flags of line->rest; unknown, repeated and malformed ones are reported and left out. */
void flags_parse(
	struct build *b, enum ast_keyword keyword, const struct line *line, struct flags *out);

/* Reports what the builder cannot do: for an instruction that is right otherwise. */
void flags_support(struct build *b, enum ast_keyword keyword, const struct flags *flags);

/* Warn of an argument that would be a flag had it come first. */
void flags_warn_late(
	struct build *b, enum ast_keyword keyword, const struct line *line, struct slice text);

/* Where the flags end, without looking at them. */
struct slice flags_skip(struct slice rest, char escape);

/* Value of a flag that occurs once; text.ptr NULL when it is not there. */
struct word flags_get(const struct flags *flags, enum flags_id id);

#endif

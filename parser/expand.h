/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expansion of a raw word: quote removal and $ substitution.
 *
 * $name ${name} ${name:-w} ${name-w} ${name:+w} ${name+w} ${name:?w} ${name?w} ${name#p} ${name##p}
 * ${name%p} ${name%%p}
 * ${name/p/r} ${name//p/r}; w, p and r are expanded themselves. Names are letters, digits and _; a
 * leading digit takes only digits; the one-character names @ * # ? - $ ! are looked up too. A $
 * before anything else stays. Unset expands to nothing. Outside quotes the escape character
 * protects the next character; single quotes keep everything; in double quotes the escape character
 * acts only before ", $ and itself. Patterns know * and ? only. Replacement text is literal
 * (upstream interprets $1 in it for //).
 */
#ifndef BLD_PARSER_EXPAND_H
#define BLD_PARSER_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/arena.h"
#include "parser/slice.h"

#define EXPAND_OUTPUT_MAX (1024 * 1024) /* bytes of one result */
#define EXPAND_DEPTH_MAX  100           /* ${a:-${b:-...}} */

enum expand_error_kind {
	EXPAND_QUOTE = 1, /* unterminated quote */
	EXPAND_BRACE,     /* malformed ${...} */
	EXPAND_MODIFIER,  /* unknown modifier */
	EXPAND_REQUIRED,  /* ${x:?message} */
	EXPAND_PATTERN,   /* bad backslash in a pattern, missing second / */
	EXPAND_LIMIT,     /* result too long, too deep, or too much work */
};

struct expand_error {
	enum expand_error_kind kind;
	size_t offset;     /* byte in the raw text */
	char message[512]; /* NUL-terminated; control characters of the user's text are not escaped
			    */
};

/* Set: true and *value (borrowed until the expansion returns). Unset: false. Called once per name
 * met, also for names that are only tested; the builder can record which names a step uses here. */
typedef bool (*expand_lookup_fn)(void *ctx, struct slice name, struct slice *value);

struct expand_env {
	expand_lookup_fn lookup;
	void *ctx;
	char escape; /* dockerfile.escape */
};

/* One word, quotes removed, not split. Returns 0, or -1 with *error filled. The result is
 * NUL-terminated, in the arena (or empty). */
int expand_word(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice *out, struct expand_error *error);

/* As expand_word, then split at blanks that are not quoted; blanks from variables split too
 * (EXPOSE). No words is not an error. */
int expand_words(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice **out, size_t *count, struct expand_error *error);

/* Body of COPY <<EOF: quotes are ordinary characters, the escape character is always a backslash:
 * \$ and \\ lose one, a backslash before any other character (newline included) disappears. */
int expand_heredoc(const struct expand_env *env, struct slice raw, struct arena *arena,
	struct slice *out, struct expand_error *error);

#endif

// SPDX-License-Identifier: Apache-2.0
/* "skip=A,B;error=true;experimental=C" */
#include "parser/lint_private.h"

#include <stdio.h>

#include "parser/lint.h"
#include "parser/words.h"

static void add_names(struct lint_names *to, struct slice list, struct arena *arena)
{
	if (slice_eq_str(list, "all")) {
		to->all = true;
		return;
	}
	for (size_t at = 0; at <= list.len;) {
		size_t end = slice_find(list, ',', at);
		struct slice name = slice_trim(slice_sub(list, at, end - at));

		if (name.len) {
			to->items = arena_grow(
				arena, to->items, to->count, &to->cap, sizeof *to->items);
			to->items[to->count++] = name;
		}
		at = end + 1;
	}
}

static const char *lint_config_add_option(
	struct lint_config *c, struct slice part, struct arena *arena)
{
	size_t equals = slice_find(part, '=', 0);
	struct slice key = slice_trim(slice_sub(part, 0, equals));
	struct slice value = slice_trim(slice_from(part, equals + 1));

	if (equals == part.len)
		return arena_printf(arena, "invalid check option \"%.*s\"",
			(int)(part.len < 120 ? part.len : 120), part.ptr)
			.ptr;
	if (slice_eq_str(key, "skip")) {
		add_names(&c->skip, value, arena);
		return NULL;
	}
	if (slice_eq_str(key, "experimental")) {
		add_names(&c->experimental, value, arena);
		return NULL;
	}
	if (slice_eq_str(key, "error"))
		return words_bool(value, &c->error)
			       ? NULL
			       : "the check option \"error\" takes true or false";
	return arena_printf(arena, "unknown check option \"%.*s\"",
		(int)(key.len < 120 ? key.len : 120), key.ptr)
		.ptr;
}

const char *lint_config_add(struct lint_config *c, struct slice value, struct arena *arena)
{
	struct slice rest = slice_trim(value);

	while (rest.len) {
		size_t end = slice_find(rest, ';', 0);
		struct slice part = slice_trim(slice_sub(rest, 0, end));
		const char *wrong = part.len ? lint_config_add_option(c, part, arena) : NULL;

		if (wrong)
			return wrong;
		rest = slice_trim(slice_from(rest, end + 1));
	}
	return NULL;
}

static bool lint_config_has(const struct lint_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (slice_eq_str(names->items[i], name))
			return true;
	return false;
}

/* An experimental rule is not skipped by "all", which was written before it was asked for. */
bool lint_config_allows(const struct lint_config *c, enum lint_rule rule)
{
	const struct lint_rule_info *info = lint_rule_info(rule);

	if (lint_config_has(&c->skip, info->name))
		return false;
	if (info->experimental)
		return c->experimental.all || lint_config_has(&c->experimental, info->name);
	return !c->skip.all;
}

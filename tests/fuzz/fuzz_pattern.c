// SPDX-License-Identifier: Apache-2.0
/*
 * Pattern up to a newline, then a name. The automaton agrees with a plain recursive matcher on
 * short inputs, and the three questions agree with each other.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "parser/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIMPLE_MAX   24
#define SIMPLE_STARS 4

/* * and ? on ASCII only: the textbook definition, exponential in the number of stars. */
static bool simple(struct slice p, struct slice s)
{
	if (p.len == 0)
		return s.len == 0;
	if (p.ptr[0] == '*')
		return simple(slice_from(p, 1), s) ||
		       (s.len > 0 && s.ptr[0] != '/' && simple(p, slice_from(s, 1)));
	if (s.len == 0)
		return false;
	if (p.ptr[0] == '?' ? s.ptr[0] == '/' : p.ptr[0] != s.ptr[0])
		return false;
	return simple(slice_from(p, 1), slice_from(s, 1));
}

static bool is_simple(struct slice s, const char *never)
{
	size_t stars = 0;

	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80 || (s.ptr[i] && strchr(never, s.ptr[i])))
			return false;
	for (size_t i = 0; i < s.len; i++)
		stars += s.ptr[i] == '*';
	return s.len <= SIMPLE_MAX && stars <= SIMPLE_STARS;
}

static void check_ignore(struct slice text, struct slice name)
{
	struct pattern *p = pattern_new(text, PATTERN_IGNORE);
	bool parents = false;

	if (!p)
		return;
	/* By definition: the path or the part before one of its slashes. */
	for (size_t n = 0; n <= name.len && name.len <= 200; n++) {
		struct slice part = slice_sub(name, 0, n);

		if (n < name.len && name.ptr[n] != '/')
			continue;
		parents = parents || pattern_test(p, part);
		if (n < name.len && pattern_test(p, name) && n + 1 < name.len)
			assert(pattern_test_below(p, part));
	}
	if (name.len <= 200)
		assert(parents == pattern_test_parents(p, name));
	pattern_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = {(const char *)data, size};
	size_t n = slice_find(all, '\n', 0);
	struct slice pattern = slice_sub(all, 0, n), name = slice_from(all, n + 1);
	enum pattern_result result = pattern_match(pattern, name);
	size_t prefix = pattern_literal_prefix(pattern);

	assert(prefix <= pattern.len);
	assert(pattern_has_wildcard(pattern) || prefix == pattern.len);
	if (is_simple(pattern, "[\\") && is_simple(name, "*"))
		assert(result == (simple(pattern, name) ? PATTERN_YES : PATTERN_NO));
	check_ignore(pattern, name);
	return 0;
}

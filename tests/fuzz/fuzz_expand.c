// SPDX-License-Identifier: Apache-2.0
/*
 * First byte: escape character. Then the value of $A up to a newline, then the word. All three
 * modes end, within the limits, and an error lies inside the word.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "parser/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lookup(void *ctx, struct slice name, struct slice *value)
{
	if (!slice_eq_str(name, "A"))
		return false;
	*value = *(struct slice *)ctx;
	return true;
}

static void check(int status, struct slice raw, struct slice out, const struct expand_error *error)
{
	assert(status == 0 || status == -1);
	if (status == 0) {
		assert(out.len <= EXPAND_OUTPUT_MAX);
		assert(out.ptr[out.len] == '\0');
		return;
	}
	assert(error->kind >= EXPAND_QUOTE && error->kind <= EXPAND_LIMIT);
	assert(error->offset <= raw.len);
	assert(memchr(error->message, '\0', sizeof error->message));
	assert(error->message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = {(const char *)data, size}, raw, value, out, *words;
	struct expand_env env = {lookup, &value, '\\'};
	struct expand_error error;
	struct arena *arena;
	size_t n, count;
	int status;

	if (size == 0)
		return 0;
	env.escape = data[0] & 1 ? '`' : '\\';
	n = slice_find(all, '\n', 1);
	value = slice_sub(all, 1, n - 1);
	raw = slice_from(all, n + 1);
	arena = arena_new();
	memset(&error, 0, sizeof error);
	status = expand_word(&env, raw, arena, &out, &error);
	check(status, raw, out, &error);
	memset(&error, 0, sizeof error);
	status = expand_heredoc(&env, raw, arena, &out, &error);
	check(status, raw, out, &error);
	memset(&error, 0, sizeof error);
	status = expand_words(&env, raw, arena, &words, &count, &error);
	for (size_t i = 0; status == 0 && i < count; i++)
		check(0, raw, words[i], &error);
	if (status < 0)
		check(status, raw, out, &error);
	arena_free(arena);
	return 0;
}

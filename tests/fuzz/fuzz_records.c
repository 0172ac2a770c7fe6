// SPDX-License-Identifier: Apache-2.0
/*
 * Records that the store keeps as text: lines of cache values and of derived forms, what is kept
 * of earlier builds, lists of files. They are a cache: what is damaged reads as missing. What was
 * read of earlier builds reads the same when it is written again.
 */
#include "builder/cache/record.c"
#include "builder/explain/explain_list.h"
#include "builder/explain/explain_past.h"
#include "store/layerlines.h"
#include "store/recordline.h"
#include "tests/fuzz/fuzzkit.h"

static void lines(const char *text)
{
	char value[DIGEST_STRING];
	struct digest d;
	const char *p = text;
	char *copy = mem_strdup(text), *q = copy;

	while (layerlines_next(&p, &d))
		;
	for (p = text; layerlines_next_times(&p, &d);)
		;
	(void)line_value(text, "layer", value, sizeof value);
	(void)line_value(text, "created", value, 3);
	(void)recordline_is(&q, "bld-form 1");
	while (recordline_value(&q, "layer ") || recordline_value(&q, ""))
		;
	free(copy);
}

/* Each step's own entry is found by its key, or the first with that key. */
static void look_up(const struct explain_past *p)
{
	for (size_t i = 0; i < p->nentries; i++)
		fuzz_must(explain_past_entry(p, &p->entries[i].key) != NULL);
	for (size_t i = 0; i < p->nfiles; i++)
		(void)explain_past_files(p, &p->files[i].id);
}

static void past(const char *data, size_t n)
{
	struct explain_past a = {0}, b = {0};
	struct buf first, second;
	char *copy = mem_alloc(n + 1);

	memcpy(copy, data, n);
	buf_init(&first, (size_t)8 << 20);
	buf_init(&second, (size_t)8 << 20);
	explain_past_read(&a, copy, n);
	look_up(&a);
	explain_past_write(&a, &first);
	copy = mem_alloc(first.len + 1);
	if (first.len)
		memcpy(copy, first.data, first.len);
	explain_past_read(&b, copy, first.len);
	explain_past_write(&b, &second);
	fuzz_must(first.len == second.len &&
		  (!first.len || memcmp(first.data, second.data, first.len) == 0));
	explain_past_clear(&a);
	explain_past_clear(&b);
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	char *text = mem_strndup(size ? p : "", size);
	struct slice whole = {p, size}, half = {p, size / 2},
		     rest = {p + size / 2, size - size / 2};

	lines(text);
	if (size) {
		past(p, size);
		free(explain_list_compare(half, rest));
		fuzz_must(!explain_list_compare(whole, whole));
	}
	free(text);
	return 0;
}

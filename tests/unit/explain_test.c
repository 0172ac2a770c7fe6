// SPDX-License-Identifier: Apache-2.0
/*
 * What is said of two lists of facts that differ, and lists from outside: cut anywhere, or garbage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/cache/keyparts.h"
#include "builder/explain/explain_diff.h"
#include "builder/explain/explain_list.h"
#include "builder/explain/explain_past.h"
#include "store/base/mem.h"

static char *origin(void *ctx, const char *what)
{
	(void)ctx;
	return mem_printf("%s: step 3 ran", what);
}

static struct slice no_list(void *ctx, const char *id)
{
	(void)ctx;
	(void)id;
	return (struct slice){0};
}

struct pair {
	struct buf a, b;
};

static void begin(struct pair *p)
{
	buf_init(&p->a, BUF_TEXT_MAX);
	buf_init(&p->b, BUF_TEXT_MAX);
}

/* Compares and ends. */
static void expect(struct pair *p, const char *before, const char *after, const char *want)
{
	struct explain_diff d = {
		.before = {.facts = {p->a.data, p->a.len}, .text = slice_of(before)},
		.after = {.facts = {p->b.data, p->b.len}, .text = slice_of(after)},
		.parent = "step 1 ran",
		.list = no_list,
		.origin = origin,
	};
	auto_free char *got = explain_diff_find(&d);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	buf_clear(&p->a);
	buf_clear(&p->b);
}

static void values(void **state)
{
	struct pair p;
	(void)state;

	begin(&p);
	keyparts_note(&p.a, KEYPART_VALUE, "ARG V", "1");
	keyparts_note(&p.b, KEYPART_VALUE, "ARG V", "2");
	expect(&p, "RUN a", "RUN a", "ARG V: 1 -> 2");
	begin(&p);
	keyparts_note_hidden(&p.a, KEYPART_VALUE, "ARG V", "1");
	keyparts_note_hidden(&p.b, KEYPART_VALUE, "ARG V", "2");
	expect(&p, "RUN a", "RUN a", "ARG V: value changed");
	/* Kept in clear by one, hidden by the other. */
	begin(&p);
	keyparts_note_hidden(&p.a, KEYPART_VALUE, "ARG V", "1");
	keyparts_note(&p.b, KEYPART_VALUE, "ARG V", "1");
	expect(&p, "RUN a", "RUN a", NULL);
	begin(&p);
	keyparts_note_hidden(&p.a, KEYPART_VALUE, "ARG V", "1");
	keyparts_note(&p.b, KEYPART_VALUE, "ARG V", "2");
	expect(&p, "RUN a", "RUN a", "ARG V: value changed");
	begin(&p);
	keyparts_note(&p.b, KEYPART_VALUE, "ENV A", "1");
	expect(&p, "RUN a", "RUN a", "ENV A: new");
	begin(&p);
	keyparts_note(&p.a, KEYPART_VALUE, "ENV A", "1");
	expect(&p, "RUN a", "RUN a", "ENV A: gone");
	begin(&p);
	keyparts_note(&p.a, KEYPART_VALUE, "USER", "");
	keyparts_note(&p.b, KEYPART_VALUE, "USER", "\x1b[2J");
	expect(&p, "RUN a", "RUN a", "USER: \"\" -> \\x1b[2J");
	begin(&p);
	auto_free char *longer = mem_alloc(2001);
	memset(longer, 'x', 2000);
	keyparts_note(&p.a, KEYPART_VALUE, "ENV A", longer);
	longer[7] = 'y';
	keyparts_note(&p.b, KEYPART_VALUE, "ENV A", longer);
	expect(&p, "RUN a", "RUN a", "ENV A: value changed");
}

static void order(void **state)
{
	struct pair p;
	(void)state;

	begin(&p);
	keyparts_note(&p.a, KEYPART_PARENT, "", "1");
	keyparts_note(&p.b, KEYPART_PARENT, "", "2");
	keyparts_note(&p.a, KEYPART_INSTRUCTION, "command", "a");
	keyparts_note(&p.b, KEYPART_INSTRUCTION, "command", "b");
	expect(&p, "RUN a", "RUN b", "step 1 ran");
	begin(&p);
	keyparts_note(&p.a, KEYPART_INSTRUCTION, "command", "a");
	keyparts_note(&p.b, KEYPART_INSTRUCTION, "command", "b");
	keyparts_note(&p.b, KEYPART_VALUE, "ENV A", "b");
	expect(&p, "RUN a", "RUN b", "the instruction changed: RUN a -> RUN b");
	begin(&p);
	keyparts_note(&p.a, KEYPART_INSTRUCTION, "sources", "a");
	keyparts_note(&p.b, KEYPART_INSTRUCTION, "sources", "b");
	expect(&p, "COPY $X /", "COPY $X /", "sources: a -> b");
	begin(&p);
	expect(&p, "RUN a", "COPY a /", "the instruction changed: RUN a -> COPY a /");
	begin(&p);
	keyparts_note(&p.a, KEYPART_ORIGIN, "mount /x: ", "12 stage one");
	keyparts_note(&p.b, KEYPART_ORIGIN, "mount /x: ", "13 stage one");
	keyparts_note(&p.a, KEYPART_LAST, "the rest", "1");
	keyparts_note(&p.b, KEYPART_LAST, "the rest", "2");
	expect(&p, "RUN a", "RUN a", "mount /x: stage one: step 3 ran");
	begin(&p);
	keyparts_note(&p.a, KEYPART_LAST, "the rest", "1");
	keyparts_note(&p.b, KEYPART_LAST, "the rest", "2");
	expect(&p, "RUN a", "RUN a", "the rest");
}

/* Bytes from outside: every truncation is read without harm, and gives no more than is there. */
static void damaged(void **state)
{
	struct explain_mark marks[] = {{.text = SLICE("RUN a")}, {.text = SLICE("COPY a /")}};
	struct explain_stage stages[] = {{.title = SLICE("build"),
		.platform = SLICE("linux/amd64"),
		.base = SLICE("x"),
		.steps = marks,
		.nsteps = 2}};
	struct explain_entry entries[] = {{.done = true, .age = 3, .facts = SLICE("vA\0=1\0")}};
	struct explain_files files[] = {{.bytes = SLICE("list")}};
	struct explain_past p = {.stages = stages,
		.nstages = 1,
		.entries = entries,
		.nentries = 1,
		.files = files,
		.nfiles = 1};
	auto_buf struct buf b;
	(void)state;

	buf_init(&b, 4096);
	explain_past_write(&p, &b);
	for (size_t n = 0; n <= b.len; n++) {
		struct explain_past q;
		explain_past_read(&q, mem_dup(b.data, n), n);
		assert_true(q.nstages <= 1 && q.nentries <= 1 && q.nfiles <= 1);
		if (n == b.len) {
			assert_int_equal(q.nfiles, 1);
			assert_int_equal(q.entries[0].age, 3);
			assert_true(q.entries[0].done);
			assert_true(slice_eq_str(q.stages[0].title, "build"));
			assert_int_equal(q.stages[0].nsteps, 2);
			assert_true(slice_eq_str(q.stages[0].steps[1].text, "COPY a /"));
			assert_true(slice_eq_str(explain_past_files(&q, &files[0].id), "list"));
		}
		explain_past_clear(&q);
	}
	/* What does not fit is left out whole. */
	auto_buf struct buf small;
	buf_init(&small, 100);
	explain_past_write(&p, &small);
	assert_false(small.full);
}

static void garbage(void **state)
{
	(void)state;
	for (size_t n = 0; n < 300; n++) {
		char bytes[300];
		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(i * 31 + n * 7);
		if (n > 40)
			bytes[n - 1] = bytes[35] = '\0';
		auto_free char *why = explain_list_compare(
			(struct slice){bytes, n}, (struct slice){bytes, n / 2});
		struct explain_diff d = {.before.facts = {bytes, n},
			.after.facts = {bytes, n / 3},
			.list = no_list,
			.origin = origin,
			.parent = ""};
		auto_free char *diff = explain_diff_find(&d);
		(void)why;
		(void)diff;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(order),
		cmocka_unit_test(damaged),
		cmocka_unit_test(garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

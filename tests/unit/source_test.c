// SPDX-License-Identifier: Apache-2.0
/* The small things of the parser: places in a text, slices, UTF-8, the arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/source.h"
#include "parser/utf8.h"

static void check_place(const struct source *s, size_t off, size_t line, size_t column)
{
	struct endpoint p = source_place(s, off);

	assert_int_equal(p.line, line);
	assert_int_equal(p.column, column);
	assert_int_equal(source_line_of(s, off), line);
}

static void test_places(void **state)
{
	struct arena *arena = arena_new();
	struct source s;

	(void)state;
	source_init(&s, arena, SLICE("n"), SLICE("ab\n\nc\xc3\xa9 d\r\ne"));
	assert_int_equal(s.nlines, 4);
	check_place(&s, 0, 1, 1);
	check_place(&s, 2, 1, 3);
	check_place(&s, 3, 2, 1);
	check_place(&s, 4, 3, 1);
	check_place(&s, 7, 3, 3);
	check_place(&s, 8, 3, 4);
	check_place(&s, 11, 4, 1);
	check_place(&s, 999, 4, 2);
	assert_true(slice_eq_str(source_line(&s, 2), ""));
	assert_true(slice_eq_str(source_line(&s, 3), "c\xc3\xa9 d"));
	assert_true(slice_eq_str(source_line(&s, 4), "e"));
	assert_int_equal(source_line(&s, 0).len, 0);
	assert_int_equal(source_line(&s, 5).len, 0);
	source_init(&s, arena, SLICE("n"), SLICE(""));
	assert_int_equal(s.nlines, 1);
	check_place(&s, 0, 1, 1);
	source_init(&s, arena, SLICE("n"), SLICE("a\n"));
	assert_int_equal(s.nlines, 1);
	check_place(&s, 2, 1, 3);
	arena_free(arena);
}

static void test_slices(void **state)
{
	struct slice s = SLICE(" \ta b\v\r\n");

	(void)state;
	assert_true(slice_eq_str(slice_trim(s), "a b"));
	assert_true(slice_eq_str(slice_trim_left(s), "a b\v\r\n"));
	assert_true(slice_eq_str(slice_trim_right(s), " \ta b"));
	assert_true(slice_trim(SLICE("  ")).ptr != NULL);
	assert_int_equal(slice_sub(s, 99, 1).len, 0);
	assert_int_equal(slice_sub(s, 2, 99).len, 6);
	assert_null(slice_from((struct slice){0}, 1).ptr);
	assert_null(slice_of(NULL).ptr);
	assert_true(slice_eq_nocase(SLICE("FrOm"), "FROM"));
	assert_false(slice_eq_nocase(SLICE("FROMM"), "FROM"));
	assert_true(slice_starts(SLICE("abc"), "ab"));
	assert_false(slice_starts(SLICE("a"), "ab"));
	assert_int_equal(slice_find(SLICE("abcb"), 'b', 2), 3);
	assert_int_equal(slice_find(SLICE("abc"), 'x', 0), 3);
	assert_int_equal(slice_find(SLICE("abc"), 'a', 9), 3);
	assert_int_equal(slice_find_str(SLICE("a<<b"), "<<"), 1);
	assert_int_equal(slice_find_str(SLICE(""), "<<"), 0);
	assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
	assert_true(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
	assert_int_equal(slice_cmp(SLICE("ab"), SLICE("ab")), 0);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint32_t rune;
	} good[] = {{"a", 1, 'a'}, {"\xc2\x80", 2, 0x80}, {"\xe0\xa0\x80", 3, 0x800},
		{"\xef\xbf\xbd", 3, 0xFFFD}, {"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10FFFF}};
	/* Overlong forms, surrogates, past the end of Unicode, cut short, stray. */
	static const char *const bad[] = {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xc3",
		"\x80", "\xff"};
	uint32_t rune;
	char out[4];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(utf8_decode(slice_of(good[i].bytes), &rune), good[i].len);
		assert_int_equal(rune, good[i].rune);
		assert_int_equal(utf8_encode(rune, out), good[i].len);
		assert_memory_equal(out, good[i].bytes, good[i].len);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(utf8_decode(slice_of(bad[i]), &rune), 1);
		assert_int_equal(rune, UTF8_INVALID);
	}
	assert_int_equal(utf8_encode(0xD800, out), 3);
	assert_memory_equal(out, "\xef\xbf\xbd", 3);
	assert_int_equal(utf8_encode(0x110000, out), 3);
}

static void test_arena(void **state)
{
	struct arena *arena = arena_new();
	size_t cap = 0, *grown = NULL;
	struct slice copy;

	(void)state;
	for (size_t size = 0; size < 40000; size = size * 2 + 1) {
		unsigned char *p = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xFF, size);
	}
	for (size_t i = 0; i < 1000; i++) {
		grown = arena_grow(arena, grown, i, &cap, sizeof *grown);
		grown[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(grown[i], i);
	copy = arena_copy(arena, SLICE("a\0b"));
	assert_memory_equal(copy.ptr, "a\0b", 4);
	assert_true(slice_eq_str(arena_printf(arena, "%d-%s", 7, "x"), "7-x"));
	assert_true(arena_used(arena) > 40000);
	arena_free(arena);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_arena),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What is read out of a shell's messages, and of programs that could not be started: ELF files cut
 * anywhere or with any byte changed.
 */
#include "builder/run/runfail.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "builder/run/progfile.h"
#include "store/base/mem.h"

static void check(const char *tail, const char *name, unsigned line, const char *text)
{
	struct runfail_message m = {0};

	assert_int_equal(runfail_message(slice_of(tail), name, &m), text != NULL);
	if (!text)
		return;
	assert_int_equal(m.line, line);
	assert_true(slice_eq_str(m.text, text));
}

static void test_messages(void **state)
{
	(void)state;
	check("/bin/sh: 3: nosuch: not found\n", "/bin/sh", 3, "nosuch: not found");
	check("/bin/bash: line 12: x: command not found\n", "/bin/bash", 12,
		"x: command not found");
	check("/bin/sh: nosuch: not found", "/bin/sh", 0, "nosuch: not found");
	check("/bin/sh: 2: Syntax error: end of file unexpected\n", "/bin/sh", 2,
		"Syntax error: end of file unexpected");
	check("a\n/bin/sh: 1: a: not found\nb\n/bin/sh: 2: b: not found\nc\n", "/bin/sh", 2,
		"b: not found");
	check("/dev/pipes/EOF: line 3: x: not found\n", "/dev/pipes/EOF", 3, "x: not found");
	check("x /bin/sh: 3: nosuch: not found\n", "/bin/sh", 0, NULL);
	check("/bin/shell: 3: nosuch: not found\n", "/bin/sh", 0, NULL);
	check("/bin/sh:3: nosuch: not found\n", "/bin/sh", 0, NULL);
	check("", "/bin/sh", 0, NULL);
	check("/bin/sh", "/bin/sh", 0, NULL);
	check("/bin/sh: ", "/bin/sh", 0, "");
	check("/bin/sh: 7", "/bin/sh", 0, "7");
	check("/bin/sh: line 99999999999999: x", "/bin/sh", 0, "line 99999999999999: x");
}

static void test_line_of(void **state)
{
	const struct slice s = slice_of("one two\n\n  three\nfour three-x\ntwofold\none\n");

	(void)state;
	assert_int_equal(runfail_line_of(s, slice_of("three")), 3);
	assert_int_equal(runfail_line_of(s, slice_of("two")), 1);
	assert_int_equal(runfail_line_of(s, slice_of("one")), 0);
	assert_int_equal(runfail_line_of(s, slice_of("five")), 0);
	assert_int_equal(runfail_line_of(s, slice_of("")), 0);
	assert_int_equal(runfail_line_of(slice_of("x x"), slice_of("x")), 1);
}

static void test_scripts(void **state)
{
	char *loader;
	const char *machine;

	(void)state;
	assert_true(progfile_read("#!/bin/sh\n", 10, &loader, &machine));
	assert_string_equal(loader, "/bin/sh");
	free(loader);
	assert_true(progfile_read("#! /bin/sh -e\n", 14, &loader, &machine));
	assert_string_equal(loader, "/bin/sh");
	free(loader);
	assert_true(progfile_read("#!/bin/sh\r\n", 11, &loader, &machine));
	assert_string_equal(loader, "/bin/sh\r");
	free(loader);
	assert_true(progfile_read("#!\n", 3, &loader, &machine));
	assert_null(loader);
	assert_false(progfile_read("echo\n", 5, &loader, &machine));
	assert_false(progfile_read("\177ELF", 4, &loader, &machine));
	assert_false(progfile_read("", 0, &loader, &machine));
}

/* An ELF file with a loader, and every way of cutting it or changing a byte. */
static void test_elf(void **state)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr p;
		char loader[32];
	} f = {
		.head = {.e_ident = ELFMAG "\2\1\1",
			.e_machine = EM_S390,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1},
		.p = {.p_type = PT_INTERP,
			.p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			.p_filesz = 32},
		.loader = "/lib/ld-x.so",
	};
	char *loader;
	const char *machine;

	(void)state;
	assert_true(progfile_read(&f, sizeof f, &loader, &machine));
	assert_string_equal(loader, "/lib/ld-x.so");
	assert_string_equal(machine, "s390x");
	free(loader);
	for (size_t n = 0; n < sizeof f; n++) {
		char *copy = mem_alloc(n + 1);
		memcpy(copy, &f, n);
		char *exact = mem_dup(copy, n + 1);
		progfile_read(exact, n, &loader, &machine);
		free(loader);
		free(exact);
		free(copy);
	}
	for (size_t i = 0; i < sizeof f; i++) {
		for (int v = 0; v < 256; v += 17) {
			char *copy = mem_dup(&f, sizeof f);
			copy[i] = (char)v;
			loader = NULL;
			progfile_read(copy, sizeof f, &loader, &machine);
			free(loader);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_line_of),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_elf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data-driven test cases: one file, one case a line, fields separated by tabs.
 *
 *	;; a comment
 *	@name argument      a directive: field 0 is the name, field 1 the rest of the line
 *	input<TAB>expected  a row; several tabs in a row separate like one
 *
 * In every field \t is the two characters; a newline is written as the character U+23CE, an empty
 * field as U+2205, a blank that would be lost at an edge as U+2423.
 */
#ifndef BLD_TESTS_SUPPORT_CASEFILE_H
#define BLD_TESTS_SUPPORT_CASEFILE_H

#include <stdbool.h>
#include <stddef.h>

#define CASEFILE_FIELDS 8

struct casefile {
	char *text; /* owned */
	char *next;
	const char *path;
	size_t line;
	/* the row */
	bool directive;
	size_t count;
	char *field[CASEFILE_FIELDS]; /* in text */
};

/* Ends the test program with a message when the file cannot be read. */
void casefile_open(struct casefile *c, const char *path);
bool casefile_next(struct casefile *c);
void casefile_close(struct casefile *c);

/* A whole file, NUL-terminated; free() it. NULL when it cannot be read. */
char *casefile_read(const char *path, size_t *len);

/* Call fn for every regular file of a directory whose name ends in suffix, sorted; returns their
 * number. */
size_t casefile_each(
	const char *dir, const char *suffix, void (*fn)(const char *path, void *ctx), void *ctx);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The message of a failure has the error whole, with its hint: it is the best word there is on why
 * a test that worked yesterday does not work today.
 */
#include "tests/support/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

void expect_good_at(int rc, struct err **err, const char *file, int line)
{
	if (rc >= 0 && !*err)
		return;
	print_error("%s (%s)\n", *err ? err_text(*err) : "an error that says nothing",
		*err ? err_hint_text(*err) : "");
	_fail(file, line);
}

void expect_error_at(
	struct err **err, enum err_kind kind, const char *words, const char *file, int line)
{
	if (!*err) {
		print_error("no error; wanted %s\n", words);
		_fail(file, line);
	} else if (err_get_kind(*err) != kind || !strstr(err_text(*err), words)) {
		print_error("kind %d: %s (%s); wanted kind %d: %s\n", (int)err_get_kind(*err),
			err_text(*err), err_hint_text(*err), (int)kind, words);
		_fail(file, line);
	}
	err_free(*err);
	*err = NULL;
}

static int into(void *ctx, const void *p, size_t n, struct err **err)
{
	return buf_add(ctx, p, n) < 0 ? err_set(err, ERR_LIMIT, "full") : 0;
}

struct io_writer expect_into(struct buf *b)
{
	return (struct io_writer){into, b};
}

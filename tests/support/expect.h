/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call that has a struct err ** says: that it went well, or what is wrong. Either fails the
 * test at its own line otherwise. The error is freed and its pointer NULL again, ready for the next
 * call, so that nobody has to.
 */
#ifndef BLD_TESTS_SUPPORT_EXPECT_H
#define BLD_TESTS_SUPPORT_EXPECT_H

#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/io.h"

/* rc is what the call returned: expect_good(f(&err), &err). */
#define expect_good(rc, err) expect_good_at(rc, err, __FILE__, __LINE__)
/* There is an error, of this kind, that has these words in its text. */
#define expect_error(err, kind, words) expect_error_at(err, kind, words, __FILE__, __LINE__)

void expect_good_at(int rc, struct err **err, const char *file, int line);
void expect_error_at(
	struct err **err, enum err_kind kind, const char *words, const char *file, int line);

/* A writer into a buffer, which is an error when it is full. */
struct io_writer expect_into(struct buf *b);

#endif

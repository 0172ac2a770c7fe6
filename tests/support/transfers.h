/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole images between a store and places, for tests of transfer.h: a home with a store in it,
 * images to transfer, and a record of what a transfer told.
 *
 * A struct transfers is filled by transfers_init() and emptied by transfers_clear(), both in the
 * test's setup and teardown; only one at a time, as HOME is in it. What transfers are made with is
 * the caller's. Every failure ends the test.
 */
#ifndef BLD_TESTS_SUPPORT_TRANSFERS_H
#define BLD_TESTS_SUPPORT_TRANSFERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"
#include "store/transport/transfer.h"

struct transfers {
	/* Home of this process. a.tar, b.tar and c.tar in it are layers of different kinds, of
	 * which c.tar is large enough to be cut (400,000 bytes that do not compress). */
	char *dir;
	struct store *s; /* dir/store */
	/* Told since transfers_opts(). */
	int count[TRANSFER_MANIFEST + 1];
	char *told; /* texts of events, each with its newline; NULL: none */
	bool may_cancel;
	enum transfer_event_kind cancel_at; /* with may_cancel: cancelled at the first of these */
	atomic_int cancelled;
};

void transfers_init(struct transfers *t);
void transfers_clear(struct transfers *t);
/* One more store, dir/NAME; the caller's to close. */
struct store *transfers_store(const struct transfers *t, const char *name);

/* A shell command in dir that must succeed; $R is the repository. */
void transfers_run(const struct transfers *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Run tests/tools/mkimage.py there. */
void transfers_mkimage(const struct transfers *t, const char *options);
/* The digest that it printed last. */
struct digest transfers_made(const struct transfers *t);

/* Usual options, whose events are recorded in *t from now on; what was there is forgotten. */
struct transfer_opts transfers_opts(struct transfers *t);
/* What must go well; the digest of the manifest. */
struct digest transfers_pull(
	struct store *s, const char *source, const char *name, const struct transfer_opts *o);
struct digest transfers_push(
	struct store *s, const char *image, const char *dest, const struct transfer_opts *o);
/* A pull into t->s that must not, with this error. */
void transfers_pull_fails(
	struct transfers *t, const char *source, enum err_kind kind, const char *words);

/* How many objects does the store have? */
int transfers_blobs(struct store *s);
/* Nothing half done: no temporary files, and every object is what its name says. */
void transfers_check_store(struct store *s);

#endif

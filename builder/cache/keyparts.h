/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the key of a step is made of, as one list: each part goes into the digest, and by its name
 * into the facts that --explain compares when the step was not found (explain_diff.h). The digest
 * of a part is fed through what keyparts_part() returns, so there is none without a name.
 *
 *	keyparts_begin(&k, &st->key, "WORKDIR");
 *	keyparts_text(&k, "WORKDIR", path);
 *	sha256_field_u64(keyparts_part(&k, KEYPART_VALUE, "mode", shown), mode);
 *	keyparts_end(&k, &key);
 *
 * A step is looked up often and explained rarely: its list is walked without facts to find it, and
 * once more with them when it is about to run. What costs something to show is made only while
 * k.facts is set.
 *
 * Facts as bytes: per part its kind, its name, NUL, its value, NUL. A value begins with '=' when it
 * is the value, with '#' when it is a digest of it.
 */
#ifndef BLD_BUILDER_CACHE_KEYPARTS_H
#define BLD_BUILDER_CACHE_KEYPARTS_H

#include "store/base/buf.h"
#include "store/base/sha256.h"

#define KEYPARTS_VALUE_MAX 400 /* bytes of a value that are kept; of a longer one a digest is */

/* How a difference is told. */
enum keypart_kind {
	KEYPART_PARENT = '^',      /* key of the step before */
	KEYPART_VALUE = 'v',       /* "NAME: old -> new" */
	KEYPART_DIGEST = 'd',      /* the same, of digests, which are shown shortened */
	KEYPART_INSTRUCTION = '!', /* what the instruction itself says */
	KEYPART_LIST = '@',   /* the value names a list of files; NAME is put before the file */
	KEYPART_ORIGIN = '%', /* key of a stage or image, where the list of NAME is not known */
	KEYPART_LAST = '~',   /* "NAME" */
};

struct keyparts {
	struct sha256 h;
	struct buf *facts; /* borrowed; NULL: not wanted */
};

/* Facts are appended to what is in `facts`, which may be NULL. parent NULL: the step does not
 * depend on what is below. kind as in cachekey_begin(). */
void keyparts_begin(
	struct keyparts *k, struct buf *facts, const struct digest *parent, const char *kind);
/* Where the bytes of a part go. `shown` NULL is ""; it is not looked at without facts. */
struct sha256 *keyparts_part(
	struct keyparts *k, enum keypart_kind kind, const char *name, const char *shown);
/* The same of a value that must not be shown: a digest of it is kept. */
struct sha256 *keyparts_hidden(
	struct keyparts *k, enum keypart_kind kind, const char *name, const char *value);
/* The same of what other parts tell: how many there are, a list told one by one. */
struct sha256 *keyparts_implied(struct keyparts *k);
/* A value as it stands. */
void keyparts_text(struct keyparts *k, const char *name, const char *value);
/* A digest, told by its name alone. */
void keyparts_digest(struct keyparts *k, const char *name, const struct digest *d);
void keyparts_end(struct keyparts *k, struct digest *out);

/* Facts that are in no key, or only by way of another part. */
void keyparts_note(struct buf *facts, enum keypart_kind kind, const char *name, const char *value);
void keyparts_note_hidden(
	struct buf *facts, enum keypart_kind kind, const char *name, const char *value);
void keyparts_note_digest(
	struct buf *facts, enum keypart_kind kind, const char *name, const struct digest *value);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Parts of a key: one walk that feeds the digest and, where they are wanted, the facts. */
#include "builder/cache/keyparts.h"

#include <string.h>

#include "builder/cache/cachekey.h"

static void keyparts_put(
	struct buf *facts, enum keypart_kind kind, const char *name, char form, const char *value)
{
	buf_addc(facts, (char)kind);
	buf_add(facts, name, strlen(name) + 1);
	buf_addc(facts, form);
	buf_add(facts, value, strlen(value) + 1);
}

void keyparts_note_hidden(
	struct buf *facts, enum keypart_kind kind, const char *name, const char *value)
{
	struct digest d;
	char hex[DIGEST_HEX];

	sha256_of(value, strlen(value), &d);
	keyparts_put(facts, kind, name, '#', sha256_hex(&d, hex));
}

void keyparts_note(struct buf *facts, enum keypart_kind kind, const char *name, const char *value)
{
	if (!value)
		value = "";
	if (strlen(value) <= KEYPARTS_VALUE_MAX)
		keyparts_put(facts, kind, name, '=', value);
	else
		keyparts_note_hidden(facts, kind, name, value);
}

void keyparts_note_digest(
	struct buf *facts, enum keypart_kind kind, const char *name, const struct digest *value)
{
	char hex[DIGEST_HEX];

	keyparts_put(facts, kind, name, '=', sha256_hex(value, hex));
}

void keyparts_begin(
	struct keyparts *k, struct buf *facts, const struct digest *parent, const char *kind)
{
	static const struct digest none;

	k->facts = facts;
	cachekey_begin(&k->h, parent ? parent : &none, kind);
	if (facts && parent)
		keyparts_note_digest(facts, KEYPART_PARENT, "", parent);
}

struct sha256 *keyparts_part(
	struct keyparts *k, enum keypart_kind kind, const char *name, const char *shown)
{
	if (k->facts)
		keyparts_note(k->facts, kind, name, shown);
	return &k->h;
}

struct sha256 *keyparts_hidden(
	struct keyparts *k, enum keypart_kind kind, const char *name, const char *value)
{
	if (k->facts)
		keyparts_note_hidden(k->facts, kind, name, value);
	return &k->h;
}

struct sha256 *keyparts_implied(struct keyparts *k)
{
	return &k->h;
}

void keyparts_text(struct keyparts *k, const char *name, const char *value)
{
	sha256_field_str(keyparts_part(k, KEYPART_VALUE, name, value), value);
}

void keyparts_digest(struct keyparts *k, const char *name, const struct digest *d)
{
	if (k->facts)
		keyparts_note_digest(k->facts, KEYPART_LAST, name, d);
	cachekey_digest(&k->h, d);
}

void keyparts_end(struct keyparts *k, struct digest *out)
{
	sha256_final(&k->h, out);
}

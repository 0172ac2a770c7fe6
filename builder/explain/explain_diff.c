// SPDX-License-Identifier: Apache-2.0
/* Reads the facts of two runs, finds the first difference and tells it in one line. */
#include "builder/explain/explain_diff.h"

#include <string.h>
#include <strings.h>

#include "builder/cache/keyparts.h"
#include "builder/explain/explain_list.h"
#include "store/base/mem.h"

/* --- reading ---------------------------------------------------------------------------------- */

struct fact {
	char kind;
	const char *name;
	const char *value; /* with its form */
};

static bool explain_diff_next(struct slice *s, struct fact *f)
{
	const char *end = s->ptr + s->len;
	const char *stop = s->len ? memchr(s->ptr, '\0', s->len) : NULL;
	const char *last = stop ? memchr(stop + 1, '\0', (size_t)(end - stop - 1)) : NULL;

	if (!last || stop == s->ptr || last == stop + 1)
		return false;
	*f = (struct fact){.kind = *s->ptr, .name = s->ptr + 1, .value = stop + 1};
	*s = (struct slice){last + 1, (size_t)(end - last - 1)};
	return true;
}

static bool explain_diff_find_part(struct slice facts, const struct fact *like, struct fact *out)
{
	bool by_name = like->kind != KEYPART_INSTRUCTION;

	while (explain_diff_next(&facts, out))
		if (out->kind == like->kind && (!by_name || strcmp(out->name, like->name) == 0))
			return true;
	return false;
}

/* One side may have kept the value, the other one its digest. */
static bool explain_diff_same(const char *a, const char *b)
{
	struct digest d;
	char hex[DIGEST_HEX];

	if (*a == *b)
		return strcmp(a, b) == 0;
	const char *clear = *a == '=' ? a + 1 : b + 1, *hidden = *a == '=' ? b + 1 : a + 1;
	sha256_of(clear, strlen(clear), &d);
	return strcmp(sha256_hex(&d, hex), hidden) == 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void add_shown(struct buf *b, const char *text, size_t len)
{
	size_t n = len > EXPLAIN_DIFF_SHOWN_MAX ? EXPLAIN_DIFF_SHOWN_MAX : len;

	while (n < len && n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	buf_add_escaped(b, text, n, false);
	if (n < len)
		buf_adds(b, "...");
}

char *explain_diff_texts(struct slice before, struct slice after)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	add_shown(&b, before.ptr, before.len);
	buf_adds(&b, " -> ");
	add_shown(&b, after.ptr, after.len);
	return buf_take(&b);
}

static char *explain_diff_named(const char *name, const char *what)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_add_escaped(&b, name, strlen(name), false);
	buf_adds(&b, what);
	return buf_take(&b);
}

static void add_value(struct buf *b, const char *value)
{
	if (*value)
		add_shown(b, value, strlen(value));
	else
		buf_adds(b, "\"\"");
}

static char *changed_value(const struct fact *old, const struct fact *new)
{
	struct buf b;

	if (*old->value == '#' || *new->value == '#')
		return explain_diff_named(new->name, ": value changed");
	buf_init(&b, BUF_TEXT_MAX);
	buf_add_escaped(&b, new->name, strlen(new->name), false);
	buf_adds(&b, ": ");
	add_value(&b, old->value + 1);
	buf_adds(&b, " -> ");
	add_value(&b, new->value + 1);
	return buf_take(&b);
}

static char *changed_digest(const struct fact *old, const struct fact *new)
{
	return mem_printf(
		"%s: sha256:%.12s -> sha256:%.12s", new->name, old->value + 1, new->value + 1);
}

static char *changed_instruction(
	const struct explain_diff *d, const struct fact *old, const struct fact *new)
{
	if (slice_eq(d->before.text, d->after.text))
		return changed_value(old, new);
	auto_free char *texts = explain_diff_texts(d->before.text, d->after.text);
	return mem_printf("the instruction changed: %s", texts);
}

static char *changed_list(
	const struct explain_diff *d, const struct fact *old, const struct fact *new)
{
	struct slice before = d->list(d->ctx, old->value + 1);
	struct slice after = d->list(d->ctx, new->value + 1);

	if (!before.ptr || !after.ptr)
		return NULL;
	auto_free char *why = explain_list_compare(before, after);
	auto_free char *shown = explain_diff_named(new->name, "");
	return why ? mem_printf("%s%s", shown, why) : NULL;
}

/* Where the files are known on both sides it is they that count. */
static bool has_lists(const struct explain_diff *d, const char *name)
{
	struct fact like = {.kind = KEYPART_LIST, .name = name}, old, new;

	return explain_diff_find_part(d->before.facts, &like, &old) &&
	       explain_diff_find_part(d->after.facts, &like, &new) &&
	       d->list(d->ctx, old.value + 1).ptr && d->list(d->ctx, new.value + 1).ptr;
}

static char *changed_origin(
	const struct explain_diff *d, const struct fact *old, const struct fact *new)
{
	/* "HEX WHAT" */
	const char *what = strchr(new->value, ' ');

	(void)old;
	if (!what || has_lists(d, new->name))
		return NULL;
	auto_free char *why = d->origin(d->ctx, what + 1);
	auto_free char *shown = explain_diff_named(new->name, "");
	/* "COPY --from=build: /" is there for the path that follows it. */
	if (*shown && shown[strlen(shown) - 1] == '/')
		return TAKE(why);
	return mem_printf("%s%s", shown, why);
}

static char *explain_diff_changed(
	const struct explain_diff *d, const struct fact *old, const struct fact *new)
{
	switch ((enum keypart_kind) new->kind) {
	case KEYPART_PARENT:
		return mem_strdup(d->parent);
	case KEYPART_VALUE:
		return changed_value(old, new);
	case KEYPART_DIGEST:
		return changed_digest(old, new);
	case KEYPART_INSTRUCTION:
		return changed_instruction(d, old, new);
	case KEYPART_LIST:
		return changed_list(d, old, new);
	case KEYPART_ORIGIN:
		return changed_origin(d, old, new);
	case KEYPART_LAST:
		return explain_diff_named(new->name, "");
	}
	return NULL;
}

/* A fact that one of the two does not have; lists and what stands in for them come and go. */
static char *lone(const struct fact *f, const char *what)
{
	return f->kind == KEYPART_VALUE ? explain_diff_named(f->name, what) : NULL;
}

static bool same_keyword(struct slice a, struct slice b)
{
	size_t n = slice_find(a, ' ', 0);

	return n == slice_find(b, ' ', 0) && strncasecmp(a.ptr, b.ptr, n) == 0;
}

/* What is new or changed, then what is gone, after the facts in front of it. */
char *explain_diff_find(const struct explain_diff *d)
{
	struct slice rest = d->after.facts;
	struct fact old, new;
	char *why = NULL;

	if (d->before.text.len && d->after.text.len &&
		!same_keyword(d->before.text, d->after.text)) {
		auto_free char *texts = explain_diff_texts(d->before.text, d->after.text);
		return mem_printf("the instruction changed: %s", texts);
	}
	while (!why && explain_diff_next(&rest, &new)) {
		if (!explain_diff_find_part(d->before.facts, &new, &old))
			why = lone(&new, ": new");
		else if (!explain_diff_same(old.value, new.value))
			why = explain_diff_changed(d, &old, &new);
	}
	rest = d->before.facts;
	while (!why && explain_diff_next(&rest, &old))
		if (!explain_diff_find_part(d->after.facts, &old, &new))
			why = lone(&old, ": gone");
	return why;
}

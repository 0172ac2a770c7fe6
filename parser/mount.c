// SPDX-License-Identifier: Apache-2.0
/*
 * --mount is one record of comma-separated values: a field that begins with a double quote runs to
 * the closing one, "" inside stands for one quote. Keys have no case.
 */
#include "parser/mount.h"
#include "parser/instr.h"

#include <stddef.h>
#include <string.h>

#include "parser/mountopt.h"
#include "parser/suggest.h"

#define ON(type) (1u << (type))
#define ON_ALL   ((1u << AST_MOUNT_TYPES) - 1)

struct field {
	struct slice key;
	struct word value; /* text.ptr NULL without = */
	struct span span;
};

struct fields {
	struct field *items;
	size_t count;
	size_t cap;
};

/* Span of a cut of the value, when the value was written without quotes; the whole value else. */
static struct span mount_span_of(const struct flags_item *flag, struct slice cut)
{
	const struct word *v = &flag->value;

	if (v->span.len != v->text.len)
		return v->span;
	return (struct span){v->span.off + (size_t)(cut.ptr - v->text.ptr), cut.len};
}

static void add_field(struct build *b, const struct flags_item *flag, struct fields *out,
	struct slice text, struct slice written)
{
	size_t equals = slice_find(text, '=', 0);
	struct field f = {.key = slice_sub(text, 0, equals), .span = mount_span_of(flag, written)};

	if (equals < text.len) {
		f.value.text = slice_from(text, equals + 1);
		f.value.span = text.ptr == written.ptr ? mount_span_of(flag, f.value.text) : f.span;
		if (f.value.text.len == 0)
			f.value.span = f.span;
	}
	out->items = arena_grow(b->arena, out->items, out->count, &out->cap, sizeof f);
	out->items[out->count++] = f;
}

/* A field in quotes at s; *used = bytes up to the comma or the end. False when the quotes are
 * wrong. */
static bool quoted_field(struct build *b, struct slice s, struct slice *text, size_t *used)
{
	char *out = arena_alloc(b->arena, s.len + 1);
	size_t i = 1, n = 0;

	for (;; i++) {
		if (i >= s.len)
			return false;
		if (s.ptr[i] != '"') {
			out[n++] = s.ptr[i];
		} else if (i + 1 < s.len && s.ptr[i + 1] == '"') {
			out[n++] = '"';
			i++;
		} else {
			break;
		}
	}
	*text = (struct slice){out, n};
	*used = i + 1;
	return *used == s.len || s.ptr[*used] == ',';
}

static bool mount_split(struct build *b, const struct flags_item *flag, struct fields *out)
{
	struct slice rest = flag->value.text;

	for (;;) {
		struct slice text;
		size_t used = slice_find(rest, ',', 0);

		text = slice_sub(rest, 0, used);
		if (slice_starts(rest, "\"")) {
			if (!quoted_field(b, rest, &text, &used))
				return false;
		} else if (slice_has(text, '"')) {
			return false;
		}
		add_field(b, flag, out, text, slice_sub(rest, 0, used));
		if (used == rest.len)
			return true;
		rest = slice_from(rest, used + 1);
	}
}

static bool mount_unknown_type(struct build *b, const struct field *f)
{
	char all[MOUNTOPT_TYPES_TEXT];
	const char *names[AST_MOUNT_TYPES];
	const char *near;
	struct diag *d;

	for (unsigned t = 0; t < AST_MOUNT_TYPES; t++)
		names[t] = mountopt_type_name((enum ast_mount_type)t);
	d = build_late_error(b, "mount", f->span, "RUN --mount: unknown type \"%.*s\"",
		BUILD_SHOWN(f->value.text));
	near = suggest_nearest(f->value.text, names, AST_MOUNT_TYPES);
	if (near)
		build_hint(b, d, "did you mean type=%s?", near);
	else
		build_hint(b, d, "%s", mountopt_types_text(all));
	return false;
}

/* Of several the last one counts. */
static bool mount_find_type(struct build *b, const struct fields *fields, struct ast_mount *out)
{
	out->type = AST_MOUNT_BIND;
	for (size_t i = 0; i < fields->count; i++) {
		const struct field *f = &fields->items[i];

		if (!slice_eq_nocase(f->key, "type"))
			continue;
		out->type_word = (struct word){0};
		if (slice_has(f->value.text, '$'))
			out->type_word = f->value;
		else if (!mountopt_find_type(f->value.text, &out->type))
			return mount_unknown_type(b, f);
	}
	return true;
}

/* The types that it may turn out to be, as a mask. */
static unsigned types_of(const struct ast_mount *m)
{
	return m->type_word.text.ptr ? ON_ALL : ON(m->type);
}

/* The types that have an option of that name. */
static void hint_type(struct build *b, struct diag *d, struct slice key)
{
	char types[16 * AST_MOUNT_TYPES], *at = types; /* a name has up to 9 letters */
	const char *name = NULL;

	*at = '\0';
	for (unsigned t = 0; t < AST_MOUNT_TYPES; t++) {
		const struct mountopt *o = mountopt_find(key, ON(t));

		if (!o || o->kind == MOUNTOPT_REFUSED)
			continue;
		name = o->name;
		at = stpcpy(stpcpy(at, " type="), mountopt_type_name((enum ast_mount_type)t));
	}
	if (name)
		build_hint(b, d, "%s is an option of%s", name, types);
}

/* Names of one letter are near to every short word, so none is offered. */
static const char *mount_nearest(struct slice key, unsigned types)
{
	const char *known[100];
	size_t n, count = 0;
	const struct mountopt *all = mountopt_all(&n);

	for (size_t i = 0; i < n && count + 1 < sizeof known / sizeof known[0]; i++)
		if ((all[i].types & types) && all[i].name[1] && all[i].kind != MOUNTOPT_REFUSED)
			known[count++] = all[i].name;
	known[count++] = "type";
	return suggest_nearest(key, known, count);
}

static bool unknown_option(struct build *b, const struct field *f, const struct ast_mount *m)
{
	const char *near = mount_nearest(f->key, types_of(m));
	struct diag *d;

	if (m->type_word.text.ptr)
		d = build_late_error(b, "mount", f->span, "RUN --mount has no option \"%.*s\"",
			BUILD_SHOWN(f->key));
	else
		d = build_late_error(b, "mount", f->span,
			"RUN --mount=type=%s has no option \"%.*s\"", mountopt_type_name(m->type),
			BUILD_SHOWN(f->key));
	if (near)
		build_hint(b, d, "did you mean %s?", near);
	else
		hint_type(b, d, f->key);
	return false;
}

static bool bad_value(
	struct build *b, const struct mountopt *o, const struct word *value, const char *wanted)
{
	if (value->text.len == 0)
		build_late_error(b, "mount", value->span, "RUN --mount: %s needs a value", o->name);
	else
		build_late_error(b, "mount", value->span,
			"RUN --mount: %s must be %s, not \"%.*s\"", o->name, wanted,
			BUILD_SHOWN(value->text));
	return false;
}

/* What stands for no value, and whether it may be written that way. */
static bool mount_check_value(
	struct build *b, const struct mountopt *o, struct span span, struct word *value)
{
	bool bare = o->kind == MOUNTOPT_BARE, given = value->text.ptr;
	const char *wanted;

	if (o->kind == MOUNTOPT_REFUSED) {
		build_late_error(b, "not-supported", span, "RUN --mount: %s is not supported: %s",
			o->name, o->why);
		return false;
	}
	if (bare && given) {
		build_late_error(b, "mount", span, "RUN --mount: %s takes no value", o->name);
		return false;
	}
	if (!given && !bare && o->kind != MOUNTOPT_BOOL &&
		!(o->kind == MOUNTOPT_MAYBE && o->slot == MOUNTOPT_NOWHERE)) {
		build_late_error(b, "mount", span, "RUN --mount: %s needs a value", o->name);
		return false;
	}
	if (!given)
		*value = (struct word){SLICE("true"), span};
	wanted = mountopt_flaw(o, value->text);
	return !wanted || bad_value(b, o, value, wanted);
}

static bool mount_apply(struct build *b, const struct field *f, struct ast_mount *out)
{
	const struct mountopt *o = mountopt_find(f->key, types_of(out));
	struct word value = f->value;

	if (!o)
		return unknown_option(b, f, out);
	if (!mount_check_value(b, o, f->span, &value))
		return false;
	if (o->slot == MOUNTOPT_NOWHERE)
		return true;
	*(struct word *)((char *)out + o->slot) = value;
	/* ro and rw are two names of one switch: the last one counts. */
	if (o->slot == offsetof(struct ast_mount, readonly))
		out->readwrite = (struct word){0};
	if (o->slot == offsetof(struct ast_mount, readwrite))
		out->readonly = (struct word){0};
	return true;
}

static void mount_check_from(struct build *b, const struct ast_mount *m)
{
	if (slice_has(m->from.text, '$'))
		instr_check_word(b, m->from);
}

/* Without a target a mount lies on the working directory, which is not known here. */
static bool mount_check(struct build *b, struct ast_mount *m)
{
	bool known = !m->type_word.text.ptr;

	if (m->from.text.len == 0)
		m->from.text.ptr = NULL;
	mount_check_from(b, m);
	if (known && mountopt_type(m->type)->needs_id && !m->id.text.ptr && !m->source.text.ptr &&
		!m->target.text.ptr) {
		build_late_error(b, "mount", m->span,
			"RUN --mount=type=%s needs id=", mountopt_type_name(m->type));
		return false;
	}
	if (m->target.text.ptr && slice_eq_str(m->target.text, "/")) {
		build_late_error(b, "mount", m->target.span, "RUN --mount: the target cannot be /");
		return false;
	}
	return true;
}

bool mount_parse(struct build *b, const struct flags_item *flag, struct ast_mount *out)
{
	struct fields fields = {0};
	bool ok = true;

	*out = (struct ast_mount){.span = flag->word.span};
	if (flag->value.text.len == 0 || !mount_split(b, flag, &fields)) {
		build_hint(b,
			build_late_error(b, "mount", flag->word.span,
				"RUN --mount: not a list of key=value"),
			"write --mount=type=cache,target=/path");
		return false;
	}
	if (!mount_find_type(b, &fields, out))
		return false;
	for (size_t i = 0; i < fields.count; i++) {
		const struct field *f = &fields.items[i];

		if (!slice_eq_nocase(f->key, "type"))
			ok &= mount_apply(b, f, out);
	}
	return ok && mount_check(b, out);
}

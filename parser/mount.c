// SPDX-License-Identifier: Apache-2.0
/*
 * --mount is one record of comma-separated values: a field that begins with a double quote runs to
 * the closing one, "" inside stands for one quote. Keys have no case.
 */
#include "parser/mount.h"
#include "parser/instr.h"

#include <stddef.h>
#include <string.h>

#include "parser/suggest.h"
#include "parser/support.h"
#include "parser/words.h"

#define ON(type) (1u << (type))
#define ON_ALL   0x1Fu

enum mount_kind { MOUNT_TEXT, MOUNT_BOOL, MOUNT_ID, MOUNT_MODE, MOUNT_SIZE };

static const struct mount_option {
	const char *name;
	size_t slot; /* offset of a struct word */
	unsigned types;
	enum mount_kind kind;
} options[] = {
#define SLOT(member) offsetof(struct ast_mount, member)
	{"target", SLOT(target), ON_ALL, MOUNT_TEXT},
	{"dst", SLOT(target), ON_ALL, MOUNT_TEXT},
	{"destination", SLOT(target), ON_ALL, MOUNT_TEXT},
	{"source", SLOT(source), ON(AST_MOUNT_BIND) | ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET),
		MOUNT_TEXT},
	{"src", SLOT(source), ON(AST_MOUNT_BIND) | ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET),
		MOUNT_TEXT},
	{"from", SLOT(from), ON(AST_MOUNT_BIND) | ON(AST_MOUNT_CACHE), MOUNT_TEXT},
	{"id", SLOT(id), ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET) | ON(AST_MOUNT_SSH),
		MOUNT_TEXT},
	{"sharing", SLOT(sharing), ON(AST_MOUNT_CACHE), MOUNT_TEXT},
	{"uid", SLOT(uid), ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET) | ON(AST_MOUNT_SSH),
		MOUNT_ID},
	{"gid", SLOT(gid), ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET) | ON(AST_MOUNT_SSH),
		MOUNT_ID},
	{"mode", SLOT(mode), ON(AST_MOUNT_CACHE) | ON(AST_MOUNT_SECRET) | ON(AST_MOUNT_SSH),
		MOUNT_MODE},
	{"size", SLOT(size), ON(AST_MOUNT_TMPFS), MOUNT_SIZE},
	{"env", SLOT(env), ON(AST_MOUNT_SECRET), MOUNT_TEXT},
	{"readonly", SLOT(readonly), ON_ALL, MOUNT_BOOL},
	{"ro", SLOT(readonly), ON_ALL, MOUNT_BOOL},
	{"readwrite", SLOT(readwrite), ON_ALL, MOUNT_BOOL},
	{"rw", SLOT(readwrite), ON_ALL, MOUNT_BOOL},
	{"required", SLOT(required), ON(AST_MOUNT_SECRET) | ON(AST_MOUNT_SSH), MOUNT_BOOL},
#undef SLOT
};
#define NOPTIONS (sizeof(options) / sizeof(options[0]))

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
static struct span span_of(const struct flags_item *flag, struct slice cut)
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
	struct field f = {.key = slice_sub(text, 0, equals), .span = span_of(flag, written)};

	if (equals < text.len) {
		f.value.text = slice_from(text, equals + 1);
		f.value.span = text.ptr == written.ptr ? span_of(flag, f.value.text) : f.span;
		if (f.value.text.len == 0)
			f.value.span = f.span;
	}
	out->items = arena_grow(b->arena, out->items, out->count, &out->cap, sizeof(f));
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

static bool split(struct build *b, const struct flags_item *flag, struct fields *out)
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

static bool find_type(struct build *b, const struct fields *fields, struct ast_mount *out)
{
	static const char *const names[] = {"bind", "cache", "tmpfs", "secret", "ssh"};

	out->type = AST_MOUNT_BIND;
	for (size_t i = 0; i < fields->count; i++) {
		const struct field *f = &fields->items[i];
		unsigned t = 0;
		const char *near;
		struct diag *d;

		if (!slice_eq_nocase(f->key, "type"))
			continue;
		while (t < 5 && !slice_eq_nocase(f->value.text, names[t]))
			t++;
		if (t < 5) {
			out->type = (enum ast_mount_type)t;
			continue;
		}
		d = build_error(b, "mount", f->span, "RUN --mount: unknown type \"%.*s\"",
			BUILD_SHOWN(f->value.text));
		near = suggest_nearest(f->value.text, names, 5);
		if (near)
			build_hint(b, d, "did you mean type=%s?", near);
		else
			build_hint(b, d, "the types are bind, cache, tmpfs, secret and ssh");
		return false;
	}
	return true;
}

static const char *malformed(const struct mount_option *o, struct slice value)
{
	uint64_t n;
	bool flag;

	if (slice_has(value, '$'))
		return NULL; /* judged after expansion */
	switch (o->kind) {
	case MOUNT_TEXT:
		if (!strcmp(o->name, "sharing") && !slice_eq_str(value, "shared") &&
			!slice_eq_str(value, "private") && !slice_eq_str(value, "locked"))
			return "shared, private or locked";
		if (value.len == 0 && strcmp(o->name, "from") != 0 &&
			strcmp(o->name, "source") != 0 && strcmp(o->name, "src") != 0)
			return "a value";
		return NULL;
	case MOUNT_BOOL:
		return words_bool(value, &flag) ? NULL : "true or false";
	case MOUNT_ID:
		return words_number(value, 10, UINT32_MAX - 1, &n) ? NULL : "a number";
	case MOUNT_MODE:
		return words_number(value, 8, 07777, &n) ? NULL : "an octal mode";
	case MOUNT_SIZE:
		return words_size(value, &n) ? NULL : "a size such as 64m";
	}
	return NULL;
}

/* The types that have an option of that name. */
static void hint_type(struct build *b, struct diag *d, struct slice key)
{
	char types[100], *at = types;

	for (size_t i = 0; i < NOPTIONS; i++) {
		if (!slice_eq_nocase(key, options[i].name))
			continue;
		*at = '\0';
		for (unsigned t = 0; t < 5; t++)
			if (options[i].types & ON(t))
				at = stpcpy(stpcpy(at, " type="),
					ast_mount_type_name((enum ast_mount_type)t));
		build_hint(b, d, "%s is an option of%s", options[i].name, types);
		return;
	}
	if (slice_starts(key, "tmpfs-"))
		build_hint(b, d, "write %.*s", BUILD_SHOWN(slice_from(key, 6)));
}

static bool unknown_option(struct build *b, const struct field *f, enum ast_mount_type type)
{
	const char *known[NOPTIONS + 1];
	const char *near;
	size_t n = 0;
	struct diag *d;

	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].types & ON(type))
			known[n++] = options[i].name;
	known[n++] = "type";
	d = build_error(b, "mount", f->span, "RUN --mount=type=%s has no option \"%.*s\"",
		ast_mount_type_name(type), BUILD_SHOWN(f->key));
	near = suggest_nearest(f->key, known, n);
	if (near)
		build_hint(b, d, "did you mean %s?", near);
	else
		hint_type(b, d, f->key);
	return false;
}

static bool apply(struct build *b, const struct field *f, struct ast_mount *out)
{
	const struct mount_option *o = NULL;
	struct word value = f->value;
	const char *wanted;

	for (size_t i = 0; i < NOPTIONS && !o; i++)
		if ((options[i].types & ON(out->type)) && slice_eq_nocase(f->key, options[i].name))
			o = &options[i];
	if (!o)
		return unknown_option(b, f, out->type);
	if (!value.text.ptr) {
		if (o->kind != MOUNT_BOOL) {
			build_error(b, "mount", f->span, "RUN --mount: %s needs a value", o->name);
			return false;
		}
		value = (struct word){SLICE("true"), f->span};
	}
	wanted = malformed(o, value.text);
	if (wanted) {
		if (value.text.len == 0)
			build_error(
				b, "mount", value.span, "RUN --mount: %s needs a value", o->name);
		else
			build_error(b, "mount", value.span,
				"RUN --mount: %s must be %s, not \"%.*s\"", o->name, wanted,
				BUILD_SHOWN(value.text));
		return false;
	}
	*(struct word *)((char *)out + o->slot) = value;
	/* ro and rw are two names of one switch: the last one counts. */
	if (o->slot == offsetof(struct ast_mount, readonly))
		out->readwrite = (struct word){0};
	if (o->slot == offsetof(struct ast_mount, readwrite))
		out->readonly = (struct word){0};
	return true;
}

static void check_support(struct build *b, const struct ast_mount *m)
{
	static const enum support types[] = {
		[AST_MOUNT_BIND] = SUPPORT_MOUNT_BIND,
		[AST_MOUNT_CACHE] = SUPPORT_MOUNT_CACHE,
		[AST_MOUNT_TMPFS] = SUPPORT_MOUNT_TMPFS,
		[AST_MOUNT_SECRET] = SUPPORT_MOUNT_SECRET,
		[AST_MOUNT_SSH] = SUPPORT_MOUNT_SSH,
	};

	support_check(b, types[m->type], m->span);
	if (m->type == AST_MOUNT_CACHE && m->from.text.ptr)
		support_check(b, SUPPORT_MOUNT_SEED, m->from.span);
	if (slice_has(m->from.text, '$') && support_check(b, SUPPORT_FROM_VARIABLE, m->from.span))
		instr_check_word(b, m->from);
	if (m->from.text.ptr && (b->in_onbuild || b->trigger))
		support_check(b, SUPPORT_ONBUILD_FROM, m->from.span);
}

static bool check(struct build *b, struct ast_mount *m)
{
	const char *type = ast_mount_type_name(m->type);

	if (m->from.text.len == 0)
		m->from.text.ptr = NULL;
	check_support(b, m);
	if (m->type == AST_MOUNT_SSH)
		return true;
	if (m->type == AST_MOUNT_SECRET) {
		if (!m->id.text.ptr && !m->source.text.ptr && !m->target.text.ptr) {
			build_error(b, "mount", m->span, "RUN --mount=type=secret needs id=");
			return false;
		}
	} else if (!m->target.text.ptr) {
		build_error(b, "mount", m->span, "RUN --mount=type=%s needs target=", type);
		return false;
	}
	if (m->target.text.ptr && slice_eq_str(m->target.text, "/")) {
		build_error(b, "mount", m->target.span, "RUN --mount: the target cannot be /");
		return false;
	}
	return true;
}

bool mount_parse(struct build *b, const struct flags_item *flag, struct ast_mount *out)
{
	struct fields fields = {0};
	bool ok = true;

	*out = (struct ast_mount){.span = flag->word.span};
	if (flag->value.text.len == 0 || !split(b, flag, &fields)) {
		build_hint(b,
			build_error(b, "mount", flag->word.span,
				"RUN --mount: not a list of key=value"),
			"write --mount=type=cache,target=/path");
		return false;
	}
	if (!find_type(b, &fields, out))
		return false;
	for (size_t i = 0; i < fields.count; i++) {
		const struct field *f = &fields.items[i];

		if (!slice_eq_nocase(f->key, "type"))
			ok &= apply(b, f, out);
	}
	return ok && check(b, out);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Flags in front of an instruction's arguments. The table of specs says which keyword knows which
 * flag; a new flag is a row here and an enum flags_id. A word is read twice, once for its length
 * and once into the arena, so the span of a value still leads into the file when quotes went out of
 * the text.
 */
#include "parser/flags.h"

#include <string.h>

#include "parser/suggest.h"

enum flags_type { FLAGS_BOOL, FLAGS_STRING, FLAGS_LIST };

/* What the builder cannot do yet. */
enum flags_support {
	FLAGS_YES,
	FLAGS_NO,   /* not yet: any value but the harmless one is refused */
	FLAGS_NEVER /* out of scope */
};

#define ON(keyword) (1u << (keyword))
#define ON_COPY     (ON(AST_COPY) | ON(AST_ADD))

static const struct flags_spec {
	enum flags_id id;
	const char *name;
	unsigned keywords;
	enum flags_type type;
	enum flags_support support;
	const char *harmless; /* value that asks for nothing; NULL = none */
} specs[] = {
	{FLAGS_CHECKSUM, "checksum", ON(AST_ADD), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_CHMOD, "chmod", ON_COPY, FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_CHOWN, "chown", ON_COPY, FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_CHOWN_WORKDIR, "chown", ON(AST_WORKDIR), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_DEVICE, "device", ON(AST_RUN), FLAGS_LIST, FLAGS_NEVER, NULL},
	{FLAGS_EXCLUDE, "exclude", ON_COPY, FLAGS_LIST, FLAGS_YES, NULL},
	{FLAGS_FROM, "from", ON(AST_COPY), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_INTERVAL, "interval", ON(AST_HEALTHCHECK), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_KEEP_GIT_DIR, "keep-git-dir", ON(AST_ADD), FLAGS_BOOL, FLAGS_YES, "false"},
	{FLAGS_KEEP_OWNERSHIP, "keep-ownership", ON(AST_COPY), FLAGS_BOOL, FLAGS_YES, NULL},
	{FLAGS_LINK, "link", ON_COPY, FLAGS_BOOL, FLAGS_YES, NULL},
	{FLAGS_MOUNT, "mount", ON(AST_RUN), FLAGS_LIST, FLAGS_YES, NULL},
	{FLAGS_NETWORK, "network", ON(AST_RUN), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_NO_CACHE, "no-cache", ON(AST_RUN), FLAGS_BOOL, FLAGS_YES, NULL},
	{FLAGS_NO_FOLLOW, "no-follow", ON(AST_COPY), FLAGS_BOOL, FLAGS_YES, NULL},
	{FLAGS_PARENTS, "parents", ON(AST_COPY), FLAGS_BOOL, FLAGS_YES, NULL},
	{FLAGS_PLATFORM, "platform", ON(AST_FROM), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_RESET, "reset", ON(AST_FROM), FLAGS_LIST, FLAGS_YES, NULL},
	{FLAGS_RETRIES, "retries", ON(AST_HEALTHCHECK), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_SECURITY, "security", ON(AST_RUN), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_START_INTERVAL, "start-interval", ON(AST_HEALTHCHECK), FLAGS_STRING, FLAGS_YES,
		NULL},
	{FLAGS_START_PERIOD, "start-period", ON(AST_HEALTHCHECK), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_TIMEOUT, "timeout", ON(AST_HEALTHCHECK), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_TIMEOUT_RUN, "timeout", ON(AST_RUN), FLAGS_STRING, FLAGS_YES, NULL},
	{FLAGS_UNPACK, "unpack", ON(AST_ADD), FLAGS_BOOL, FLAGS_YES, NULL},
};
#define NSPECS (sizeof(specs) / sizeof(specs[0]))

/*
 * Read one flag word at the start of s. Quotes group and vanish, the escape character protects the
 * next byte; the value is written to out when that is not NULL (room for s.len bytes). Returns the
 * bytes taken.
 */
static size_t read_word(struct slice s, char escape, char *out, size_t *outlen, bool *open)
{
	size_t i, n = 0;
	char quote = 0;

	for (i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? 0 : c;
			continue;
		}
		if (!quote && slice_is_blank(c))
			break;
		if (c == escape && i + 1 < s.len)
			c = s.ptr[++i];
		if (out)
			out[n] = c;
		n++;
	}
	if (outlen)
		*outlen = n;
	if (open)
		*open = quote != 0;
	return i;
}

struct slice flags_skip(struct slice rest, char escape)
{
	rest = slice_trim_left(rest);
	while (slice_starts(rest, "--")) {
		size_t used = read_word(rest, escape, NULL, NULL, NULL);
		bool last = used == 2;

		rest = slice_trim_left(slice_from(rest, used));
		if (last)
			break;
	}
	return rest;
}

static const struct flags_spec *flags_find(enum ast_keyword keyword, struct slice name)
{
	for (size_t i = 0; i < NSPECS; i++)
		if ((specs[i].keywords & ON(keyword)) && slice_eq_str(name, specs[i].name))
			return &specs[i];
	return NULL;
}

/* " COPY ADD": the instructions that have a flag of that name. */
static bool elsewhere(struct slice name, char out[200])
{
	char *at = out;

	*at = '\0';
	for (unsigned k = 0; k < AST_KEYWORD_COUNT; k++)
		if (flags_find((enum ast_keyword)k, name))
			at = stpcpy(stpcpy(at, " "), ast_keyword_name((enum ast_keyword)k));
	return at > out;
}

static void report_unknown(
	struct build *b, enum ast_keyword keyword, struct slice name, struct span span)
{
	const char *known[NSPECS];
	const char *near;
	char others[200];
	size_t n = 0;
	struct diag *d;

	for (size_t i = 0; i < NSPECS; i++)
		if (specs[i].keywords & ON(keyword))
			known[n++] = specs[i].name;
	/* Other builders never look at flags of these two. */
	if (keyword == AST_ARG || keyword == AST_STOPSIGNAL) {
		build_warning(b, "ignored-flag", span, "%s has no flag --%.*s: it is ignored",
			ast_keyword_name(keyword), BUILD_SHOWN(name));
		return;
	}
	d = build_error(b, "unknown-flag", span, "%s has no flag --%.*s", ast_keyword_name(keyword),
		BUILD_SHOWN(name));
	near = suggest_nearest(name, known, n);
	if (near)
		build_hint(b, d, "did you mean --%s?", near);
	else if (elsewhere(name, others))
		build_hint(b, d, "it is a flag of%s", others);
	else if (n == 0)
		build_hint(b, d, "%s takes no flags", ast_keyword_name(keyword));
}

/* Type of a value; false when the flag is to be left out. */
static bool flags_check_value(struct build *b, enum ast_keyword keyword,
	const struct flags_spec *spec, bool has_value, struct flags_item *item)
{
	const char *on = ast_keyword_name(keyword);
	struct slice *value = &item->value.text;

	if (spec->type == FLAGS_BOOL) {
		if (!has_value || slice_eq_nocase(*value, "true"))
			*value = SLICE("true");
		else if (slice_eq_nocase(*value, "false"))
			*value = SLICE("false");
		else {
			build_error(b, "flag-value", item->word.span,
				"%s --%s takes true or false, not \"%.*s\"", on, spec->name,
				BUILD_SHOWN(*value));
			return false;
		}
	} else if (!has_value) {
		build_hint(b,
			build_error(b, "flag-value", item->word.span, "%s --%s needs a value", on,
				spec->name),
			"write --%s=VALUE", spec->name);
		return false;
	}
	return true;
}

static void flags_add(struct build *b, enum ast_keyword keyword, const struct line *line,
	struct slice written, struct slice plain, struct flags *out)
{
	size_t equals = slice_find(plain, '=', 0);
	struct slice name = slice_sub(plain, 0, equals);
	const struct flags_spec *spec = flags_find(keyword, name);
	struct flags_item item = {.word = line_word(line, written)};
	struct slice where = slice_from(written, slice_find(written, '=', 0) + 1);

	if (!spec) {
		report_unknown(b, keyword, name, item.word.span);
		return;
	}
	item.id = spec->id;
	item.value.text = slice_from(plain, equals + 1);
	item.value.span = where.len ? line_span(line, where) : item.word.span;
	if (!flags_check_value(b, keyword, spec, equals < plain.len, &item))
		return;
	if (spec->type != FLAGS_LIST && flags_get(out, spec->id).text.ptr) {
		build_error(b, "duplicate-flag", item.word.span, "%s --%s is given twice",
			ast_keyword_name(keyword), spec->name);
		return;
	}
	out->items = arena_grow(b->arena, out->items, out->count, &out->cap, sizeof item);
	out->items[out->count++] = item;
}

void flags_support(struct build *b, enum ast_keyword keyword, const struct flags *flags)
{
	for (size_t i = 0; i < flags->count; i++) {
		const struct flags_item *item = &flags->items[i];
		const struct flags_spec *spec = specs;

		while (spec->id != item->id)
			spec++;
		if (spec->support == FLAGS_YES ||
			(spec->harmless && slice_eq_str(item->value.text, spec->harmless)))
			continue;
		build_error(b, "not-supported", item->word.span, "%s --%s is not supported%s",
			ast_keyword_name(keyword), spec->name,
			spec->support == FLAGS_NO ? " yet" : "");
	}
}

void flags_warn_late(
	struct build *b, enum ast_keyword keyword, const struct line *line, struct slice text)
{
	if (!slice_starts(text, "--"))
		return;
	text = slice_sub(text, 0, slice_find(text, '=', 0));
	if (flags_find(keyword, slice_from(text, 2)))
		build_hint(b,
			build_warning(b, "late-flag", line_span(line, text),
				"%.*s is taken as a path here", BUILD_SHOWN(text)),
			"flags come first: %s %.*s ...", ast_keyword_name(keyword),
			BUILD_SHOWN(text));
}

void flags_parse(
	struct build *b, enum ast_keyword keyword, const struct line *line, struct flags *out)
{
	struct slice rest = slice_trim_left(line->rest);

	*out = (struct flags){0};
	while (slice_starts(rest, "--")) {
		bool open;
		size_t len, used = read_word(rest, b->escape, NULL, &len, &open);
		char *plain = arena_alloc(b->arena, len + 1);
		struct slice written = slice_sub(rest, 0, used);

		read_word(rest, b->escape, plain, &len, NULL);
		rest = slice_trim_left(slice_from(rest, used));
		if (used == 2)
			break;
		if (open) {
			build_error(b, "flag-value", line_span(line, written),
				"quote in a flag of %s is not closed", ast_keyword_name(keyword));
			out->broken = true;
			break;
		}
		/* The dashes are plain: slice_starts saw them. */
		flags_add(
			b, keyword, line, written, slice_from((struct slice){plain, len}, 2), out);
	}
	out->rest = rest;
}

struct word flags_get(const struct flags *flags, enum flags_id id)
{
	for (size_t i = 0; i < flags->count; i++)
		if (flags->items[i].id == id)
			return flags->items[i].value;
	return (struct word){0};
}

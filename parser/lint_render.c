// SPDX-License-Identifier: Apache-2.0
/* Findings as text, in BuildKit's JSON, as SARIF. */
#include "parser/diag.h"
#include "parser/lint.h"
#include "parser/source.h"

#include <stdio.h>
#include <string.h>

struct out {
	slice_sink_fn sink;
	void *ctx;
};

static void lint_render_put(const struct out *o, const char *text)
{
	o->sink(o->ctx, slice_of(text));
}

static void lint_render_put_number(const struct out *o, const char *key, size_t n)
{
	char text[64];

	snprintf(text, sizeof text, "%s%zu", key, n);
	lint_render_put(o, text);
}

static void put_string(const struct out *o, const char *key, struct slice value)
{
	lint_render_put(o, key);
	diag_render_json_string(value, o->sink, o->ctx);
}

/* --- text --- */

void lint_render_finding(const struct lint_result *r, size_t index, slice_sink_fn sink, void *ctx)
{
	struct diag d = r->items[index].diag;

	d.message = arena_printf(r->arena, "%.*s [%s]", SLICE_ARG(d.message), d.rule);
	diag_render_text(&r->df->source, &d, sink, ctx);
}

void lint_render_text(const struct lint_result *r, slice_sink_fn sink, void *ctx)
{
	for (size_t i = 0; i < r->count; i++)
		lint_render_finding(r, i, sink, ctx);
}

/* --- JSON --- */

static void put_position(const struct out *o, const char *key, struct endpoint p)
{
	lint_render_put_number(o, key, p.line);
	if (p.column > 1)
		lint_render_put_number(o, ",\"character\":", p.column - 1);
	lint_render_put(o, "}");
}

static void put_location(const struct out *o, const struct source *s, struct span span)
{
	lint_render_put(o, "\"location\":{\"ranges\":[{");
	put_position(o, "\"start\":{\"line\":", source_place(s, span.off));
	put_position(o, ",\"end\":{\"line\":", source_place(s, span.off + span.len));
	lint_render_put(o, "}]}");
}

static void put_base64(const struct out *o, struct slice s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		unsigned v = 0;
		size_t n = s.len - i < 3 ? s.len - i : 3;
		char four[4];

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)s.ptr[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			four[k] = k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
		o->sink(o->ctx, (struct slice){four, 4});
	}
}

void lint_render_json(const struct dockerfile *df, const struct lint_result *r,
	const struct diag *error, slice_sink_fn sink, void *ctx)
{
	struct out o = {sink, ctx};

	lint_render_put(&o, "{\"warnings\":[");
	for (size_t i = 0; r && i < r->count; i++) {
		const struct lint_finding *f = &r->items[i];
		const struct lint_rule_info *info = lint_rule_info(f->rule);

		put_string(&o, i ? ",{\"ruleName\":" : "{\"ruleName\":", slice_of(info->name));
		put_string(&o, ",\"description\":", slice_of(info->description));
		put_string(&o, ",\"detail\":", f->diag.message);
		lint_render_put(&o, ",");
		put_location(&o, &df->source, f->diag.span);
		lint_render_put(&o, "}");
	}
	put_string(&o, "],\"sources\":[{\"filename\":", df->source.name);
	lint_render_put(&o, ",\"language\":\"Dockerfile\",\"data\":\"");
	put_base64(&o, df->source.text);
	lint_render_put(&o, "\"}]");
	if (error) {
		put_string(&o, ",\"buildError\":{\"message\":", error->message);
		lint_render_put(&o, ",");
		put_location(&o, &df->source, error->span);
		lint_render_put(&o, "}");
	}
	lint_render_put(&o, "}\n");
}

/* --- SARIF --- */

static bool plain_in_uri(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~/", c));
}

static void put_uri(const struct out *o, struct slice path)
{
	char piece[8];

	lint_render_put(o, "\"");
	if (slice_starts(path, "/"))
		lint_render_put(o, "file://");
	for (size_t i = 0; i < path.len; i++) {
		if (plain_in_uri(path.ptr[i]))
			snprintf(piece, sizeof piece, "%c", path.ptr[i]);
		else
			snprintf(piece, sizeof piece, "%%%02X", (unsigned char)path.ptr[i]);
		lint_render_put(o, piece);
	}
	lint_render_put(o, "\"");
}

static void put_rule(const struct out *o, const char *id, const char *description, bool error)
{
	put_string(o, "{\"id\":", slice_of(id));
	put_string(o, ",\"shortDescription\":{\"text\":", slice_of(description));
	lint_render_put(o, error ? "},\"defaultConfiguration\":{\"level\":\"error\"}}"
				 : "},\"defaultConfiguration\":{\"level\":\"warning\"}}");
}

/* Rules of the parser have no number: their results name them only. */
static void put_result(const struct out *o, const struct lint_sarif *s, const struct diag *d,
	const enum lint_rule *rule)
{
	struct endpoint from = source_place(&s->df->source, d->span.off);
	struct endpoint to = source_place(&s->df->source, d->span.off + d->span.len);

	put_string(o, "{\"ruleId\":", slice_of(d->rule));
	if (rule)
		lint_render_put_number(o, ",\"ruleIndex\":", (size_t)*rule);
	lint_render_put(
		o, d->severity == DIAG_ERROR ? ",\"level\":\"error\"" : ",\"level\":\"warning\"");
	lint_render_put(o, ",\"message\":{\"text\":");
	if (d->hint.len) {
		char text[2048];

		snprintf(text, sizeof text, "%.*s (%.*s)", SLICE_ARG(d->message),
			SLICE_ARG(d->hint));
		put_string(o, "", slice_of(text));
	} else {
		put_string(o, "", d->message);
	}
	lint_render_put(
		o, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
	put_uri(o, s->uri);
	lint_render_put_number(o, "},\"region\":{\"startLine\":", from.line);
	lint_render_put_number(o, ",\"startColumn\":", from.column);
	lint_render_put_number(o, ",\"endLine\":", to.line);
	lint_render_put_number(o, ",\"endColumn\":", to.column);
	lint_render_put(o, "}}}]}");
}

void lint_render_sarif(const struct lint_sarif *s, slice_sink_fn sink, void *ctx)
{
	struct out o = {sink, ctx};
	const struct lint_result *r = s->result;
	size_t n = 0;

	lint_render_put(
		&o, "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"bld\"");
	put_string(&o, ",\"version\":", s->version);
	lint_render_put(&o, ",\"rules\":[");
	for (unsigned i = 0; i < LINT_RULE_COUNT; i++) {
		const struct lint_rule_info *info = lint_rule_info((enum lint_rule)i);

		lint_render_put(&o, i ? "," : "");
		put_rule(&o, info->name, info->description, false);
	}
	lint_render_put(&o, "]}},\"columnKind\":\"unicodeCodePoints\",\"invocations\":[{"
			    "\"executionSuccessful\":true}],\"results\":[");
	for (size_t i = 0; i < s->nerrors; i++) {
		lint_render_put(&o, n++ ? "," : "");
		put_result(&o, s, &s->errors[i], NULL);
	}
	for (size_t i = 0; r && i < r->count; i++) {
		lint_render_put(&o, n++ ? "," : "");
		put_result(&o, s, &r->items[i].diag, &r->items[i].rule);
	}
	lint_render_put(&o, "]}]}\n");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Errors with a place in the Dockerfile, rendered as the parser's diagnostics are. A text with a
 * newline is a rendered one: that is how dferr_locate() knows that a place is there already, so
 * every caller on the way up may call it, and the innermost counts.
 */
#include "builder/plan/dferr.h"

#include <stdio.h>
#include <string.h>

#include "parser/diag.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#define DFERR_TEXT_MAX ((size_t)1 << 20)

static void sink_buf(void *ctx, struct slice bytes)
{
	buf_add(ctx, bytes.ptr, bytes.len);
}

static int dferr_set_text(struct err **err, enum err_kind kind, struct buf *b)
{
	while (b->len && b->data[b->len - 1] == '\n')
		b->data[--b->len] = '\0';
	/* The newline at the end marks a complete rendering also when it is one line. */
	return err_set(err, kind, "%s\n", b->data);
}

static int render(struct err **err, enum err_kind kind, const struct dockerfile *df,
	struct span where, const char *message, const char *hint)
{
	struct diag d = {
		.severity = DIAG_ERROR,
		.rule = "build",
		.span = where,
		.message = slice_of(message),
		.hint = hint ? slice_of(hint) : (struct slice){0},
	};
	auto_buf struct buf b = {0};

	buf_init(&b, DFERR_TEXT_MAX);
	diag_render_text(&df->source, &d, sink_buf, &b);
	dferr_set_text(err, kind, &b);
	return err_place_set(err, where.off, where.len);
}

int dferr_at(struct err **err, enum err_kind kind, const struct dockerfile *df, struct span where,
	const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *message = mem_vprintf(fmt, ap);
	va_end(ap);
	return render(err, kind, df, where, message, hint);
}

int dferr_locate(struct err **err, const struct dockerfile *df, struct span where)
{
	if (!err || !*err || strchr(err_text(*err), '\n') || err_get_kind(*err) == ERR_CANCELLED)
		return -1;
	auto_err struct err *old = *err;
	*err = NULL;
	const char *hint = err_hint_text(old);
	return render(err, err_get_kind(old), df, where, err_text(old), *hint ? hint : NULL);
}

int dferr_report(struct err **err, const struct dockerfile *df)
{
	auto_buf struct buf b = {0};

	buf_init(&b, DFERR_TEXT_MAX);
	dockerfile_report(df, sink_buf, &b);
	return dferr_set_text(err, ERR_SYNTAX, &b);
}

int dferr_expand(struct err **err, const struct dockerfile *df, const struct word *w,
	const struct expand_error *e)
{
	struct span at = w->span;

	/* Offsets count in the joined text; they are those of the file unless the word is continued
	 * on another line. */
	if (w->span.len == w->text.len && e->offset < at.len) {
		at.off += e->offset;
		at.len -= e->offset;
	}
	return dferr_at(err, e->kind == EXPAND_REQUIRED ? ERR_BUILD : ERR_SYNTAX, df, at, NULL,
		"%s", e->message);
}

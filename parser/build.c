// SPDX-License-Identifier: Apache-2.0
/* How everything behind the grammar reports a mistake. */
#include "parser/build.h"

#include <stdarg.h>
#include <stdio.h>

#define BUILD_MESSAGE_MAX 1024 /* bytes; longer ones are cut */

static __attribute__((format(printf, 5, 0))) struct diag *build_vadd(struct build *b,
	enum diag_severity severity, const char *rule, struct span span, const char *fmt,
	va_list args)
{
	char text[BUILD_MESSAGE_MAX];

	vsnprintf(text, sizeof text, fmt, args);
	return diag_list_add(b->diags, severity, rule, span, "%s", text);
}

struct diag *build_error(struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct diag *d = build_vadd(b, DIAG_ERROR, rule, span, fmt, args);
	va_end(args);
	return d;
}

struct diag *build_late_error(
	struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct diag *d = build_vadd(b, DIAG_ERROR, rule, span, fmt, args);
	va_end(args);
	if (b->in_body) {
		b->df->late_errors++;
		b->df->stages[b->df->nstages - 1].mistaken = true;
	}
	return d;
}

struct diag *build_warning(
	struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	struct diag *d = build_vadd(b, DIAG_WARNING, rule, span, fmt, args);
	va_end(args);
	return d;
}

void build_hint(struct build *b, struct diag *d, const char *fmt, ...)
{
	char text[BUILD_MESSAGE_MAX];
	va_list args;

	if (!d)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	d->hint = arena_copy(b->arena, slice_of(text));
}

// SPDX-License-Identifier: Apache-2.0
/* How everything behind the grammar reports a mistake. */
#include "parser/build.h"

#include <stdarg.h>
#include <stdio.h>

struct diag *build_error(struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_list_add(b->diags, DIAG_ERROR, rule, span, "%s", text);
}

struct diag *build_late_error(
	struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (b->in_body) {
		b->df->late_errors++;
		b->df->stages[b->df->nstages - 1].mistaken = true;
	}
	return diag_list_add(b->diags, DIAG_ERROR, rule, span, "%s", text);
}

struct diag *build_warning(
	struct build *b, const char *rule, struct span span, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_list_add(b->diags, DIAG_WARNING, rule, span, "%s", text);
}

void build_hint(struct build *b, struct diag *d, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!d)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->hint = arena_copy(b->arena, slice_of(text));
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The list that every mistake goes to. It is bounded: behind the last entry mistakes are only
 * counted, and that entry gets a note, so callers must bear a NULL. Sorting is by insertion, which
 * keeps the order of equal places; entries come nearly in order already.
 */
#include "parser/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void diag_list_init(struct diag_list *list, struct arena *arena)
{
	*list = (struct diag_list){.arena = arena};
}

/* The end of the list when it is full: tells that more was found. */
static void note_more(struct diag_list *list)
{
	struct diag *last = &list->items[DIAG_LIST_MAX - 1];

	if (last->nnotes == 0) {
		struct slice *note = arena_array(list->arena, 1, sizeof *note);

		*note = SLICE("more was found and is not shown");
		last->notes = note;
		last->nnotes = 1;
	}
}

struct diag *diag_list_add(struct diag_list *list, enum diag_severity severity, const char *rule,
	struct span span, const char *fmt, ...)
{
	struct diag *d;
	char text[1024];
	va_list args;

	if (severity == DIAG_ERROR)
		list->errors++;
	else
		list->warnings++;
	if (list->count == DIAG_LIST_MAX) {
		note_more(list);
		return NULL;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	list->items =
		arena_grow(list->arena, list->items, list->count, &list->cap, sizeof *list->items);
	d = &list->items[list->count++];
	*d = (struct diag){.severity = severity, .rule = rule, .span = span};
	d->message = arena_copy(list->arena, slice_of(text));
	return d;
}

static int order(const struct diag *a, const struct diag *b)
{
	if (a->span.off != b->span.off)
		return a->span.off < b->span.off ? -1 : 1;
	return (int)a->severity - (int)b->severity;
}

void diag_list_sort(struct diag_list *list)
{
	/* At most DIAG_LIST_MAX items, nearly in order already. */
	for (size_t i = 1; i < list->count; i++) {
		struct diag d = list->items[i];
		size_t at = i;

		for (; at > 0 && order(&list->items[at - 1], &d) > 0; at--)
			list->items[at] = list->items[at - 1];
		list->items[at] = d;
	}
}

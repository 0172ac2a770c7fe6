/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors at a place in a Dockerfile: an ordinary error whose text is the rendered diagnostic
 * (FILE:LINE:COLUMN, excerpt, caret, notes, help). A text with a newline in it is complete and
 * printed as it is. The place is kept in the error (err_place), for hints.h.
 */
#ifndef BLD_BUILDER_PLAN_DFERR_H
#define BLD_BUILDER_PLAN_DFERR_H

#include "parser/dockerfile.h"
#include "parser/expand.h"
#include "store/base/err.h"

/* hint may be NULL. Always returns -1. */
int dferr_at(struct err **err, enum err_kind kind, const struct dockerfile *df, struct span where,
	const char *hint, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Give an error that is set already a place: its text becomes the message, its hint the help line.
 */
int dferr_locate(struct err **err, const struct dockerfile *df, struct span where);

/* All diagnostics of a parse as one ERR_SYNTAX. */
int dferr_report(struct err **err, const struct dockerfile *df);

/* A failed expansion of a word. */
int dferr_expand(struct err **err, const struct dockerfile *df, const struct word *w,
	const struct expand_error *e);

#endif

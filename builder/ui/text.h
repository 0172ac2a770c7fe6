/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for a terminal or a log: harmless, and cut to a number of columns.
 *
 * A "line" here has no newline. Select Graphic Rendition sequences (ESC [ digits ; m) are the only
 * escape sequences that may be let through.
 */
#ifndef BLD_BUILDER_UI_TEXT_H
#define BLD_BUILDER_UI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"

/* Append a line: SGR dropped, or kept when sgr (and switched off again at the end); every other
 * control byte, invalid UTF-8 and bidirectional control shown escaped; tabs stay. */
void text_add_line(struct buf *out, const char *p, size_t n, bool sgr);

/* The same, tabs as blanks up to the next multiple of eight, cut after `columns` columns of the
 * terminal. Returns the columns used. */
size_t text_add_cut(struct buf *out, const char *p, size_t n, bool sgr, size_t columns);

/* "12.3s"; from 60 seconds "1m02s", from an hour "1h02m". */
void text_add_seconds(struct buf *out, double seconds);
#endif

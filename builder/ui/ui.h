/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress: shows the events of a build (builder/event.h) to a person or in a log. Results are not
 * its business: those go to standard output, progress to the descriptor given here.
 *
 *   plain  one line at a time: "#3 [build 2/5] RUN make", "#3 0.42 text", "#3 CACHED",
 *          "#3 DONE 1.2s", "#3 ERROR: reason",
 *          "#3 ENDED" (another stage failed); "#0 ..." for what belongs to no step
 *   tty    the running steps with their time and last lines, redrawn in place
 *   quiet  nothing, until a step fails
 *   rawjson  for programs: BuildKit's SolveStatus as lines of JSON: vertexes (steps, and what
 *          takes time beside them), statuses (transfers), logs (bytes as base64, complete),
 * warnings none   nothing at all
 *
 * Of each step the last UI_KEEP_LINES lines are kept and repeated when it fails. Lines end at a
 * newline, at a carriage return, or after UI_LINE_MAX bytes. Whatever comes from outside is made
 * harmless: control characters are shown as \xNN; colours (SGR) are dropped in plain mode and let
 * through in tty mode.
 */
#ifndef BLD_BUILDER_UI_UI_H
#define BLD_BUILDER_UI_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/event.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

#define UI_KEEP_LINES 50
#define UI_LINE_MAX   ((size_t)1 << 20)
#define UI_KEEP_BYTES                                                                              \
	((size_t)16 << 10) /* of one kept line; the rest is left out there, not in the log */

enum ui_mode { UI_AUTO, UI_PLAIN, UI_TTY, UI_QUIET, UI_RAWJSON, UI_NONE };

struct ui_opts {
	enum ui_mode mode;
	int fd;           /* borrowed */
	int log_lines;    /* of a running step in tty mode; < 0 = the default, 6 */
	bool color;       /* tty mode */
	unsigned columns; /* 0 = ask the terminal before each redraw */
	unsigned rows;
	uint64_t (*now_ms)(void); /* NULL = now_monotonic_ms */
	bool manual;              /* no redraw thread: ui_redraw() does it (tests) */
};

struct ui;

/* "auto", "plain", "tty", "quiet", "rawjson", "none" -> true and *out. */
bool ui_mode_parse(const char *text, enum ui_mode *out);
/* Environment: TERM, NO_COLOR, BLD_TTY_LOG_LINES. UI_AUTO, and UI_TTY where fd is no capable
 * terminal, are settled. */
void ui_opts_from_env(struct ui_opts *o, enum ui_mode mode, int fd);

struct ui *ui_new(const struct ui_opts *o);
/* An event_fn; ctx is the struct ui. Safe for threads. */
void ui_event(void *ctx, const struct event *e);
/* Last redraw; ends the thread. Nothing is shown after it. ui_free does it too. */
void ui_finish(struct ui *u);
void ui_redraw(struct ui *u); /* for tests: what the thread does */
void ui_free(struct ui *u);

/* "12.3MB" (powers of 1000), "512B". */
void ui_add_bytes(struct buf *out, uint64_t bytes);

DEFINE_CLEANUP(struct ui *, ui_free);
#define auto_ui CLEANUP(ui_freep)

#endif

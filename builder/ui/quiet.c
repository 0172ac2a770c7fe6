// SPDX-License-Identifier: Apache-2.0
/* Quiet progress: nothing until a step fails; then what it said last. */
#include "builder/ui/ui_private.h"

static void step(struct ui *u, struct ui_step *s)
{
	(void)u;
	(void)s;
}

static void line(struct ui *u, struct ui_step *s, const char *p, size_t n)
{
	step(u, s);
	(void)p;
	(void)n;
}

static void done(struct ui *u, struct ui_step *s, double seconds)
{
	step(u, s);
	(void)seconds;
}

static void failed(struct ui *u, struct ui_step *s, double seconds, const char *reason)
{
	(void)seconds;
	(void)reason;
	ui_add_kept(&u->out, s, "");
	ui_flush(u);
}

static void text(struct ui *u, const char *t)
{
	(void)u;
	(void)t;
}

static void status(struct ui *u, unsigned number, const char *t)
{
	(void)number;
	text(u, t);
}

static void status_end(struct ui *u, unsigned number)
{
	(void)u;
	(void)number;
}

static void transfer(struct ui *u, struct ui_transfer *t)
{
	(void)u;
	(void)t;
}

static void nothing(struct ui *u)
{
	(void)u;
}

const struct ui_view quiet_view = {
	.start = step,
	.why = step,
	.cached = step,
	.line = line,
	.done = done,
	.failed = failed,
	.ended = step,
	.status = status,
	.status_end = status_end,
	.transfer = transfer,
	.warning = text,
	.redraw = nothing,
	.finish = nothing,
};

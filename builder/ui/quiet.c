// SPDX-License-Identifier: Apache-2.0
/* Quiet progress: nothing until a step fails; then what it said last. */
#include "builder/ui/ui_private.h"

static void quiet_step(struct ui *u, struct ui_step *s)
{
	(void)u;
	(void)s;
}

static void quiet_line(struct ui *u, struct ui_step *s, const char *p, size_t n)
{
	quiet_step(u, s);
	(void)p;
	(void)n;
}

static void quiet_done(struct ui *u, struct ui_step *s, double seconds)
{
	quiet_step(u, s);
	(void)seconds;
}

static void quiet_failed(struct ui *u, struct ui_step *s, double seconds, const char *reason)
{
	(void)seconds;
	(void)reason;
	ui_add_kept(&u->out, s, "");
	ui_flush(u);
}

static void quiet_text(struct ui *u, const char *t)
{
	(void)u;
	(void)t;
}

static void quiet_status(struct ui *u, unsigned number, const char *t)
{
	(void)number;
	quiet_text(u, t);
}

static void quiet_status_end(struct ui *u, unsigned number)
{
	(void)u;
	(void)number;
}

static void quiet_transfer(struct ui *u, struct ui_transfer *t)
{
	(void)u;
	(void)t;
}

static void quiet_nothing(struct ui *u)
{
	(void)u;
}

const struct ui_view quiet_view = {
	.start = quiet_step,
	.why = quiet_step,
	.cached = quiet_step,
	.line = quiet_line,
	.done = quiet_done,
	.failed = quiet_failed,
	.ended = quiet_step,
	.status = quiet_status,
	.status_end = quiet_status_end,
	.transfer = quiet_transfer,
	.warning = quiet_text,
	.redraw = quiet_nothing,
	.finish = quiet_nothing,
};

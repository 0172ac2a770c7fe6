// SPDX-License-Identifier: Apache-2.0
/* Plain progress: every event one line (or some), written at once, for logs. */
#include <string.h>

#include "builder/ui/text.h"
#include "builder/ui/ui.h"
#include "builder/ui/ui_private.h"

#define PLAIN_TRANSFER_MS 5000 /* a running transfer is mentioned this often */

static void plain_start(struct ui *u, struct ui_step *s)
{
	buf_addf(&u->out, "#%u %s\n", s->number, s->title);
	ui_flush(u);
}

static void why(struct ui *u, struct ui_step *s)
{
	buf_addf(&u->out, "#%u %s\n", s->number, s->why);
	ui_flush(u);
}

static void plain_cached(struct ui *u, struct ui_step *s)
{
	buf_addf(&u->out, "#%u CACHED\n", s->number);
	ui_flush(u);
}

static void plain_line(struct ui *u, struct ui_step *s, const char *p, size_t n)
{
	buf_addf(&u->out, "#%u %.2f ", s->number, (double)(ui_now(u) - s->start_ms) / 1000);
	text_add_line(&u->out, p, n, false);
	buf_addc(&u->out, '\n');
	ui_flush(u);
}

static void plain_done(struct ui *u, struct ui_step *s, double seconds)
{
	buf_addf(&u->out, "#%u DONE ", s->number);
	text_add_seconds(&u->out, seconds);
	buf_addc(&u->out, '\n');
	ui_flush(u);
}

static void plain_failed(struct ui *u, struct ui_step *s, double seconds, const char *reason)
{
	(void)seconds;
	buf_addf(&u->out, "#%u ERROR: ", s->number);
	buf_add_escaped(&u->out, reason, strlen(reason), false);
	buf_addc(&u->out, '\n');
	if (s->kept.n) {
		buf_addf(&u->out, "------ last %zu line%s of %s\n", s->kept.n,
			s->kept.n == 1 ? "" : "s", s->title);
		ui_add_kept(&u->out, s, "  ");
		buf_adds(&u->out, "------\n");
	}
	ui_flush(u);
}

static void plain_ended(struct ui *u, struct ui_step *s)
{
	buf_addf(&u->out, "#%u ENDED\n", s->number);
	ui_flush(u);
}

static void plain_status(struct ui *u, unsigned number, const char *text)
{
	(void)number;
	ui_add_text(&u->out, text, "#0 ");
	ui_flush(u);
}

static void plain_transfer(struct ui *u, struct ui_transfer *t)
{
	bool complete = t->total && t->done >= t->total;

	if (!complete && ui_now(u) - t->shown_ms < PLAIN_TRANSFER_MS)
		return;
	t->shown_ms = ui_now(u);
	buf_addf(&u->out, "#0 %s ", t->name);
	ui_add_bytes(&u->out, t->done);
	if (complete) {
		buf_adds(&u->out, " done");
	} else if (t->total) {
		buf_adds(&u->out, " of ");
		ui_add_bytes(&u->out, t->total);
	}
	buf_addc(&u->out, '\n');
	ui_flush(u);
}

/* A rendered diagnostic ends in a newline and says itself what it is. */
static void plain_warning(struct ui *u, const char *text)
{
	size_t n = strlen(text);

	if (n && text[n - 1] != '\n')
		buf_adds(&u->out, "warning: ");
	ui_add_text(&u->out, text, "");
	ui_flush(u);
}

static void plain_status_end(struct ui *u, unsigned number)
{
	(void)u;
	(void)number;
}

static void plain_nothing(struct ui *u)
{
	(void)u;
}

const struct ui_view plain_view = {
	.start = plain_start,
	.why = why,
	.cached = plain_cached,
	.line = plain_line,
	.done = plain_done,
	.failed = plain_failed,
	.ended = plain_ended,
	.status = plain_status,
	.status_end = plain_status_end,
	.transfer = plain_transfer,
	.warning = plain_warning,
	.redraw = plain_nothing,
	.finish = plain_nothing,
};

// SPDX-License-Identifier: Apache-2.0
/*
 * Progress on a terminal. At the bottom is a region that is drawn again with every picture: the
 * current status with its transfers, then the running steps with their time and last lines. What is
 * finished is written once, above it, and scrolls away like any output.
 *
 * No line of the region is wider than the terminal, so it is as many rows high as it has lines.
 * When the terminal has become narrower since, its lines were wrapped by it: the rows to go up are
 * counted from the remembered widths. One write a picture; the cursor is never hidden, so there is
 * nothing to undo however bld ends.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "builder/ui/lines.h"
#include "builder/ui/text.h"
#include "builder/ui/ui.h"
#include "builder/ui/ui_private.h"
#include "store/base/mem.h"

#define TTY_COLUMNS_MIN 20
#define TTY_ROWS_MIN    4

struct size {
	size_t columns;
	size_t rows;
};

static struct size screen(const struct ui *u)
{
	struct size s = {u->o.columns, u->o.rows};
	struct winsize w;

	if (s.columns == 0 && ioctl(u->o.fd, TIOCGWINSZ, &w) == 0)
		s = (struct size){w.ws_col, w.ws_row};
	if (s.columns == 0)
		s.columns = 80;
	if (s.rows == 0)
		s.rows = 24;
	if (s.columns < TTY_COLUMNS_MIN)
		s.columns = TTY_COLUMNS_MIN;
	if (s.rows < TTY_ROWS_MIN)
		s.rows = TTY_ROWS_MIN;
	return s;
}

static void color(const struct ui *u, struct buf *b, const char *code)
{
	if (u->o.color)
		buf_addf(b, "\x1b[%sm", code);
}

/* --- the region ---------------------------------------------------------------- */

/* One line: text cut to leave room for `right`, which ends in the last column but one. */
static void region_line(struct ui *u, struct size z, const char *style, const char *text, size_t n,
	bool sgr, const char *right)
{
	size_t width = z.columns - 1, room = width - (right ? strlen(right) + 1 : 0), used;

	if (style)
		color(u, &u->out, style);
	used = text_add_cut(&u->out, text, n, sgr, room);
	if (right) {
		buf_addf(&u->out, "%*s%s", (int)(width - used - strlen(right)), "", right);
		used = width;
	}
	if (style)
		color(u, &u->out, "0");
	buf_addc(&u->out, '\n');
	MEM_PUSH(u->drawn, u->ndrawn, u->cap_drawn) = used;
}

static void region_timed(struct ui *u, struct size z, const char *text, uint64_t since_ms)
{
	auto_buf struct buf t;

	buf_init(&t, BUF_TEXT_MAX);
	text_add_seconds(&t, (double)(ui_now(u) - since_ms) / 1000);
	region_line(u, z, NULL, text, strlen(text), false, t.data);
}

static void region_transfer(struct ui *u, struct size z, const struct ui_transfer *t)
{
	auto_buf struct buf b, right;

	buf_init(&b, BUF_TEXT_MAX);
	buf_init(&right, BUF_TEXT_MAX);
	buf_addf(&b, "   %s", t->name);
	ui_add_bytes(&right, t->done);
	if (t->total) {
		buf_adds(&right, " / ");
		ui_add_bytes(&right, t->total);
	}
	region_line(u, z, NULL, b.data, b.len, false, right.data);
}

static void region_log(struct ui *u, struct size z, const struct ui_step *s, size_t lines)
{
	size_t n = s->kept.n < lines ? s->kept.n : lines;

	for (size_t i = s->kept.n - n; i < s->kept.n; i++) {
		auto_buf struct buf b;
		size_t len;
		const char *p = lines_kept_get(&s->kept, i, &len);

		buf_init(&b, BUF_TEXT_MAX);
		buf_adds(&b, "   | ");
		buf_add(&b, p, len);
		region_line(u, z, "2", b.data, b.len, u->o.color, NULL);
	}
}

/* Each with its transfers; steps keep a row where there are any. */
static void region_statuses(struct ui *u, struct size z, size_t rows)
{
	size_t most = u->nsteps && rows > 1 ? rows - 1 : rows;

	for (size_t i = 0; i < u->nstatuses && u->ndrawn < most; i++) {
		const struct ui_status *s = &u->statuses[i];

		region_timed(u, z, s->text, s->start_ms);
		for (size_t k = 0; k < u->ntransfers && u->ndrawn + 1 < rows; k++)
			if (u->transfers[k].status == s->number)
				region_transfer(u, z, &u->transfers[k]);
	}
}

/* rows: how many the region may have. */
static void region_steps(struct ui *u, struct size z, size_t rows)
{
	size_t shown = u->nsteps < rows ? u->nsteps : rows, spare, each;

	if (shown == 0)
		return;
	spare = rows - shown;
	each = spare / shown;
	if (each > (size_t)u->o.log_lines)
		each = (size_t)u->o.log_lines;
	for (size_t i = 0; i < shown; i++) {
		const struct ui_step *s = u->steps[u->nsteps - shown + i];
		auto_free char *title = mem_printf("#%u %s", s->number, s->title);

		region_timed(u, z, title, s->start_ms);
		region_log(u, z, s, each);
	}
}

/* Back to the first row of the region, and empty from there on. */
static void erase(struct ui *u, struct size z)
{
	size_t up = 0;

	for (size_t i = 0; i < u->ndrawn; i++)
		up += u->drawn[i] > z.columns ? (u->drawn[i] + z.columns - 1) / z.columns : 1;
	u->ndrawn = 0;
	if (up)
		buf_addf(&u->out, "\x1b[%zuA", up);
	buf_adds(&u->out, "\r\x1b[J");
}

static void redraw(struct ui *u)
{
	struct size z = screen(u);
	size_t rows = z.rows - 1;

	erase(u, z);
	buf_add(&u->out, u->pending.data, u->pending.len);
	buf_reset(&u->pending);
	region_statuses(u, z, rows);
	region_steps(u, z, rows - u->ndrawn);
	ui_flush(u);
}

/* --- what is finished -------------------------------------------------------------- */

/* A line that stays: cut like the region, so that short terminals stay readable. */
static void tty_final(
	struct ui *u, const char *title, const char *style, const char *word, double seconds)
{
	struct size z = screen(u);
	auto_buf struct buf right;
	size_t used, room;

	buf_init(&right, BUF_TEXT_MAX);
	buf_adds(&right, word);
	if (seconds >= 0)
		text_add_seconds(&right, seconds);
	room = z.columns - 1 > right.len + 2 ? z.columns - 2 - right.len : 1;
	used = text_add_cut(&u->pending, title, strlen(title), false, room);
	buf_addf(&u->pending, "%*s", (int)(room - used + 1), "");
	color(u, &u->pending, style);
	buf_adds(&u->pending, right.data);
	color(u, &u->pending, "0");
	buf_addc(&u->pending, '\n');
}

static void final_step(
	struct ui *u, const struct ui_step *s, const char *style, const char *word, double seconds)
{
	auto_free char *title = mem_printf("#%u %s", s->number, s->title);

	tty_final(u, title, style, word, seconds);
	if (s->why) {
		buf_adds(&u->pending, "   ");
		color(u, &u->pending, "2");
		buf_adds(&u->pending, s->why);
		color(u, &u->pending, "0");
		buf_addc(&u->pending, '\n');
	}
}

/* A status that was shown is over. */
static void tty_end_status(struct ui *u, unsigned number)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->nstatuses; i++) {
		struct ui_status *s = &u->statuses[i];

		if (s->number != number) {
			u->statuses[kept++] = *s;
			continue;
		}
		tty_final(u, s->text, "0", "", (double)(ui_now(u) - s->start_ms) / 1000);
		free(s->text);
	}
	u->nstatuses = kept;
	ui_drop_transfers(u, number);
}

static void tty_start(struct ui *u, struct ui_step *s)
{
	(void)s;
	tty_end_status(u, 0);
}

static void tty_cached(struct ui *u, struct ui_step *s)
{
	final_step(u, s, "36", "CACHED", -1);
}

static void tty_line(struct ui *u, struct ui_step *s, const char *p, size_t n)
{
	/* It is among the lines kept: the next picture shows it. */
	(void)u;
	(void)s;
	(void)p;
	(void)n;
}

static void tty_done(struct ui *u, struct ui_step *s, double seconds)
{
	final_step(u, s, "32", "DONE ", seconds);
}

static void tty_failed(struct ui *u, struct ui_step *s, double seconds, const char *reason)
{
	final_step(u, s, "1;31", "ERROR ", seconds);
	buf_adds(&u->pending, "   ");
	buf_add_escaped(&u->pending, reason, strlen(reason), false);
	buf_addc(&u->pending, '\n');
	ui_add_kept(&u->pending, s, "   | ");
}

static void tty_ended(struct ui *u, struct ui_step *s)
{
	final_step(u, s, "0", "ENDED", -1);
}

static void tty_status(struct ui *u, unsigned number, const char *text)
{
	auto_buf struct buf b;

	tty_end_status(u, number);
	buf_init(&b, BUF_TEXT_MAX);
	buf_add_escaped(&b, text, strlen(text), false);
	MEM_PUSH(u->statuses, u->nstatuses, u->cap_statuses) =
		(struct ui_status){.number = number, .text = buf_take(&b), .start_ms = ui_now(u)};
}

static void tty_transfer(struct ui *u, struct ui_transfer *t)
{
	(void)u;
	(void)t;
}

static void tty_warning(struct ui *u, const char *text)
{
	size_t n = strlen(text);

	color(u, &u->pending, "33");
	if (n && text[n - 1] != '\n')
		buf_adds(&u->pending, "warning: ");
	ui_add_text(&u->pending, text, "");
	color(u, &u->pending, "0");
}

static void tty_finish(struct ui *u)
{
	while (u->nstatuses)
		tty_end_status(u, u->statuses[0].number);
	redraw(u);
}

const struct ui_view tty_view = {
	.start = tty_start,
	.why = tty_start,
	.cached = tty_cached,
	.line = tty_line,
	.done = tty_done,
	.failed = tty_failed,
	.ended = tty_ended,
	.status = tty_status,
	.status_end = tty_end_status,
	.transfer = tty_transfer,
	.warning = tty_warning,
	.redraw = redraw,
	.finish = tty_finish,
};

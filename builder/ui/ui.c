// SPDX-License-Identifier: Apache-2.0
/*
 * The state behind the progress display: running steps, their unfinished and last lines, transfers.
 * Views show it.
 */
#include "builder/ui/ui.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/ui/lines.h"
#include "builder/ui/text.h"
#include "builder/ui/ui_private.h"
#include "store/base/deadline.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/base/thread.h"

#define UI_LOG_LINES 6
#define UI_REDRAW_MS 100 /* between two pictures */

bool ui_mode_parse(const char *text, enum ui_mode *out)
{
	static const char *const names[] = {[UI_AUTO] = "auto",
		[UI_PLAIN] = "plain",
		[UI_TTY] = "tty",
		[UI_QUIET] = "quiet",
		[UI_RAWJSON] = "rawjson",
		[UI_NONE] = "none"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum ui_mode)i;
			return true;
		}
	}
	return false;
}

static bool capable(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

void ui_opts_from_env(struct ui_opts *o, enum ui_mode mode, int fd)
{
	const char *lines = getenv("BLD_TTY_LOG_LINES"), *no_color = getenv("NO_COLOR");

	*o = (struct ui_opts){.mode = mode, .fd = fd, .log_lines = -1};
	if (mode == UI_AUTO || mode == UI_TTY)
		o->mode = capable(fd) ? UI_TTY : UI_PLAIN;
	o->color = !(no_color && *no_color);
	if (lines && *lines) {
		long n = strtol(lines, NULL, 10);

		o->log_lines = n < 0 ? 0 : n > UI_KEEP_LINES ? UI_KEEP_LINES : (int)n;
	}
}

void ui_add_bytes(struct buf *out, uint64_t bytes)
{
	static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 999.95 && u + 1 < ARRAY_LEN(unit)) {
		v /= 1000;
		u++;
	}
	if (u == 0)
		buf_addf(out, "%lluB", (unsigned long long)bytes);
	else
		buf_addf(out, "%.1f%s", v, unit[u]);
}

uint64_t ui_now(const struct ui *u)
{
	return u->o.now_ms ? u->o.now_ms() : now_monotonic_ms();
}

void ui_flush(struct ui *u)
{
	(void)!fs_write_all(u->o.fd, u->out.data, u->out.len);
	buf_reset(&u->out);
}

void ui_add_text(struct buf *out, const char *text, const char *prefix)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		buf_adds(out, prefix);
		text_add_line(out, text, n, false);
		buf_addc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

void ui_add_kept(struct buf *out, const struct ui_step *s, const char *prefix)
{
	for (size_t i = 0; i < s->kept.n; i++) {
		size_t len;
		const char *line = lines_kept_get(&s->kept, i, &len);

		buf_adds(out, prefix);
		text_add_line(out, line, len, false);
		buf_addc(out, '\n');
	}
}

static void *redraw_loop(void *ctx)
{
	struct ui *u = ctx;

	pthread_mutex_lock(&u->lock);
	while (!u->stop) {
		/* Nothing runs: sleep until an event comes. */
		u->idle = u->nsteps == 0 && u->nstatuses == 0 && u->pending.len == 0;
		if (u->idle) {
			pthread_cond_wait(&u->wake, &u->lock);
			continue;
		}
		u->view->redraw(u);
		struct deadline next = deadline_in(UI_REDRAW_MS);
		while (!u->stop && deadline_cond_wait(&u->wake, &u->lock, next) == 0)
			;
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

static void init_sync(struct ui *u)
{
	pthread_mutex_init(&u->lock, NULL);
	deadline_cond_init(&u->wake);
}

static void ui_start_thread(struct ui *u)
{
	u->has_thread = thread_start(&u->thread, redraw_loop, u) == 0;
}

static const struct ui_view *view_of(enum ui_mode mode)
{
	switch (mode) {
	case UI_TTY:
		return &tty_view;
	case UI_QUIET:
	case UI_RAWJSON: /* has its own way with events */
	case UI_NONE:
		return &quiet_view;
	case UI_AUTO:
	case UI_PLAIN:
		break;
	}
	return &plain_view;
}

struct ui *ui_new(const struct ui_opts *o)
{
	struct ui *u = mem_alloc(sizeof *u);

	u->o = *o;
	if (u->o.log_lines < 0)
		u->o.log_lines = UI_LOG_LINES;
	u->view = view_of(o->mode);
	if (o->mode == UI_RAWJSON)
		u->raw = rawjson_new(u);
	buf_init(&u->out, BUF_TEXT_MAX);
	buf_init(&u->pending, BUF_TEXT_MAX);
	init_sync(u);
	if (o->mode == UI_TTY && !o->manual)
		ui_start_thread(u);
	return u;
}

/* --- steps ------------------------------------------------------------------ */

static char *make_title(const struct event *e)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	if (e->nsteps) {
		buf_addc(&b, '[');
		if (e->stage) {
			buf_add_escaped(&b, e->stage, strlen(e->stage), false);
			buf_addc(&b, ' ');
		}
		buf_addf(&b, "%u/%u] ", e->step, e->nsteps);
	}
	if (e->text)
		buf_add_escaped(&b, e->text, strlen(e->text), false);
	return buf_take(&b);
}

static struct ui_step *ui_find_step(struct ui *u, unsigned number)
{
	for (size_t i = 0; i < u->nsteps; i++) {
		if (u->steps[i]->number == number)
			return u->steps[i];
	}
	return NULL;
}

static struct ui_step *ui_add_step(struct ui *u, const struct event *e)
{
	struct ui_step *s = mem_alloc(sizeof *s);

	s->number = e->step;
	s->title = make_title(e);
	s->start_ms = ui_now(u);
	lines_split_init(&s->stream[0]);
	lines_split_init(&s->stream[1]);
	MEM_PUSH(u->steps, u->nsteps, u->cap_steps) = s;
	return s;
}

static void drop_step(struct ui *u, struct ui_step *s)
{
	for (size_t i = 0; i < u->nsteps; i++) {
		if (u->steps[i] == s) {
			memmove(&u->steps[i], &u->steps[i + 1],
				(u->nsteps - i - 1) * sizeof(struct ui_step *));
			u->nsteps--;
			break;
		}
	}
	lines_split_clear(&s->stream[0]);
	lines_split_clear(&s->stream[1]);
	lines_kept_clear(&s->kept);
	free(s->title);
	free(s->why);
	free(s);
}

struct line_ctx {
	struct ui *u;
	struct ui_step *s;
};

static void on_line(void *ctx, const char *p, size_t n)
{
	struct line_ctx *c = ctx;

	lines_keep(&c->s->kept, p, n);
	c->u->view->line(c->u, c->s, p, n);
}

static void end_step(struct ui *u, struct ui_step *s, const struct event *e)
{
	struct line_ctx c = {u, s};

	lines_flush(&s->stream[0], on_line, &c);
	lines_flush(&s->stream[1], on_line, &c);
	if (e->kind == EVENT_STEP_FAILED)
		u->view->failed(u, s, e->seconds, e->text ? e->text : "failed");
	else if (e->kind == EVENT_STEP_ENDED)
		u->view->ended(u, s);
	else if (e->kind == EVENT_STEP_CACHED)
		u->view->cached(u, s);
	else
		u->view->done(u, s, e->seconds);
	drop_step(u, s);
}

static void set_why(struct ui *u, struct ui_step *s, const char *text)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_adds(&b, "why: ");
	buf_add_escaped(&b, text, strlen(text), false);
	free(s->why);
	s->why = buf_take(&b);
	u->view->why(u, s);
}

static void ui_step_event(struct ui *u, const struct event *e)
{
	struct ui_step *s = ui_find_step(u, e->step);
	struct line_ctx c = {u, s};

	ui_drop_transfers(u, 0);
	if (!s) {
		struct event unnamed = *e;

		if (e->kind != EVENT_STEP_START && e->kind != EVENT_STEP_CACHED)
			unnamed.text = NULL; /* text is a reason there */
		s = c.s = ui_add_step(u, &unnamed);
		u->view->start(u, s);
	}
	if (e->kind == EVENT_STEP_OUTPUT)
		lines_feed(&s->stream[e->stream == 2], e->bytes, e->len, on_line, &c);
	else if (e->kind == EVENT_STEP_WHY)
		set_why(u, s, e->text ? e->text : "");
	else if (e->kind != EVENT_STEP_START)
		end_step(u, s, e);
}

/* --- the rest --------------------------------------------------------------- */

void ui_drop_transfers(struct ui *u, unsigned status)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->ntransfers; i++)
		if (u->transfers[i].status != status)
			u->transfers[kept++] = u->transfers[i];
	u->ntransfers = kept;
}

static void transfer_event(struct ui *u, const struct event *e)
{
	auto_buf struct buf name;
	struct ui_transfer *t = NULL;

	buf_init(&name, sizeof t->name - 1);
	buf_add_escaped(&name, e->text ? e->text : "", e->text ? strlen(e->text) : 0, false);
	for (size_t i = 0; i < u->ntransfers && !t; i++) {
		if (u->transfers[i].status == e->step &&
			strcmp(u->transfers[i].name, name.data) == 0)
			t = &u->transfers[i];
	}
	if (!t) {
		/* When all are in use, the oldest makes room. */
		if (u->ntransfers == UI_TRANSFERS_MAX) {
			memmove(u->transfers, u->transfers + 1,
				(UI_TRANSFERS_MAX - 1) * sizeof *u->transfers);
			u->ntransfers--;
		}
		t = &u->transfers[u->ntransfers++];
		*t = (struct ui_transfer){.status = e->step, .shown_ms = ui_now(u)};
		memcpy(t->name, name.data, name.len + 1);
	} else if (t->total && t->done >= t->total) {
		return; /* complete already */
	}
	t->done = e->done;
	t->total = e->total;
	u->view->transfer(u, t);
}

static void other_event(struct ui *u, const struct event *e)
{
	switch (e->kind) {
	case EVENT_STATUS:
		ui_drop_transfers(u, e->step);
		u->view->status(u, e->step, e->text ? e->text : "");
		break;
	case EVENT_STATUS_END:
		u->view->status_end(u, e->step);
		ui_drop_transfers(u, e->step);
		break;
	case EVENT_TRANSFER:
		transfer_event(u, e);
		break;
	case EVENT_WARNING:
		u->view->warning(u, e->text ? e->text : "");
		break;
	default:
		break;
	}
}

void ui_event(void *ctx, const struct event *e)
{
	struct ui *u = ctx;

	pthread_mutex_lock(&u->lock);
	if (u->finished || u->o.mode == UI_NONE) {
		pthread_mutex_unlock(&u->lock);
		return;
	}
	if (u->raw) {
		rawjson_event(u, e);
		pthread_mutex_unlock(&u->lock);
		return;
	}
	if (event_is_step(e->kind))
		ui_step_event(u, e);
	else
		other_event(u, e);
	if (u->idle)
		pthread_cond_signal(&u->wake);
	pthread_mutex_unlock(&u->lock);
}

void ui_redraw(struct ui *u)
{
	pthread_mutex_lock(&u->lock);
	u->view->redraw(u);
	pthread_mutex_unlock(&u->lock);
}

void ui_finish(struct ui *u)
{
	pthread_mutex_lock(&u->lock);
	u->stop = true;
	pthread_cond_signal(&u->wake);
	pthread_mutex_unlock(&u->lock);
	if (u->has_thread)
		pthread_join(u->thread, NULL);
	u->has_thread = false;
	pthread_mutex_lock(&u->lock);
	if (!u->finished) {
		while (u->nsteps)
			drop_step(u, u->steps[u->nsteps - 1]);
		u->view->finish(u);
		if (u->raw)
			rawjson_finish(u);
		u->finished = true;
	}
	pthread_mutex_unlock(&u->lock);
}

void ui_free(struct ui *u)
{
	if (!u)
		return;
	ui_finish(u);
	pthread_cond_destroy(&u->wake);
	pthread_mutex_destroy(&u->lock);
	buf_clear(&u->out);
	buf_clear(&u->pending);
	for (size_t i = 0; i < u->nstatuses; i++)
		free(u->statuses[i].text);
	rawjson_free(u->raw);
	free(u->statuses);
	free(u->drawn);
	free(u->steps);
	free(u);
}

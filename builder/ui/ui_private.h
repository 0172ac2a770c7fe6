/* SPDX-License-Identifier: Apache-2.0 */
/* Between ui.c, which keeps the state, and the views, which show it. Every call is made under
 * u->lock. */
#ifndef BLD_BUILDER_UI_UI_PRIVATE_H
#define BLD_BUILDER_UI_UI_PRIVATE_H

#include <pthread.h>

#include "builder/ui/lines.h"
#include "builder/ui/ui.h"
#include "store/base/buf.h"

#define UI_TRANSFERS_MAX 16 /* shown at a time */

struct ui_step {
	unsigned number;
	char *title; /* "[build 2/5] RUN make", harmless, one line; owned */
	char *why;   /* "why: src/a.c: content", harmless, one line, or NULL; owned */
	uint64_t start_ms;
	struct lines_split stream[2];
	struct lines_kept kept;
};

struct ui_transfer {
	char name[80];   /* harmless */
	unsigned status; /* number of the status it belongs to */
	uint64_t done;
	uint64_t total;    /* 0 = unknown */
	uint64_t shown_ms; /* when a view last mentioned it */
};

struct ui_status {
	unsigned number; /* 0: until the next one, or the next step */
	char *text;      /* harmless; owned */
	uint64_t start_ms;
};

struct ui_view {
	void (*start)(struct ui *u, struct ui_step *s);
	void (*why)(struct ui *u, struct ui_step *s); /* s->why is there */
	void (*cached)(struct ui *u, struct ui_step *s);
	void (*line)(struct ui *u, struct ui_step *s, const char *p, size_t n);
	void (*done)(struct ui *u, struct ui_step *s, double seconds);
	void (*failed)(struct ui *u, struct ui_step *s, double seconds, const char *reason);
	void (*ended)(struct ui *u, struct ui_step *s);
	void (*status)(struct ui *u, unsigned number, const char *text);
	void (*status_end)(struct ui *u, unsigned number);
	void (*transfer)(struct ui *u, struct ui_transfer *t);
	void (*warning)(struct ui *u, const char *text);
	void (*redraw)(struct ui *u);
	void (*finish)(struct ui *u);
};

extern const struct ui_view plain_view, tty_view, quiet_view;

struct ui {
	struct ui_opts o;
	const struct ui_view *view;
	struct ui_step **steps; /* running ones, in order of start */
	size_t nsteps;
	size_t cap_steps;
	struct ui_transfer transfers[UI_TRANSFERS_MAX]; /* of the running statuses */
	size_t ntransfers;
	struct rawjson *raw; /* UI_RAWJSON; owned */
	struct buf out;      /* scratch for what is written next */
	bool finished;

	/* tty only */
	struct ui_status *statuses; /* running ones, in order of start; owned */
	size_t nstatuses;
	size_t cap_statuses;
	struct buf pending; /* finished lines that go above the region with the next redraw */
	size_t *drawn;      /* columns used by each line of the region on the screen; owned */
	size_t ndrawn;
	size_t cap_drawn;
	pthread_t thread;
	bool has_thread;
	bool stop;
	bool idle; /* the thread waits for an event */
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

/* Instead of the views. */
struct rawjson *rawjson_new(const struct ui *u);
void rawjson_event(struct ui *u, const struct event *e);
void rawjson_finish(struct ui *u);
void rawjson_free(struct rawjson *r);

uint64_t ui_now(const struct ui *u);
/* Forget the transfers of a status. */
void ui_drop_transfers(struct ui *u, unsigned status);
/* Write u->out and empty it. A descriptor that does not take it is ignored: progress is not a
 * result. */
void ui_flush(struct ui *u);
/* The lines kept of a step, each as "prefix text\n", into out. */
void ui_add_kept(struct buf *out, const struct ui_step *s, const char *prefix);
/* Outside text of one or several lines, each behind prefix. */
void ui_add_text(struct buf *out, const char *text, const char *prefix);

#endif

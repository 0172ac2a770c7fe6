// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps what the steps of a build printed, between the steps and the display: every event is passed
 * on, whatever becomes of the log. A directory is made when the first step runs, locked while the
 * build does; old ones go when a new one begins. A log that cannot be written is a warning, once.
 */
#include "builder/log/buildlog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/base/now.h"

struct file {
	unsigned step;
	int fd;
	uint64_t len; /* bytes written */
	bool full;
};

struct buildlog {
	struct store *s;
	char *title; /* owned */
	event_fn emit;
	void *emit_ctx;
	char id[BUILDLOG_ID]; /* "" = nothing was written yet */
	int dir;              /* locked while the build runs; -1 */
	int steps;            /* -1 */
	struct file *files;   /* owned; of running steps */
	size_t nfiles, cap_files;
	unsigned failed;
	bool broken; /* no more attempts */
};

struct buildlog *buildlog_new(struct store *s, const char *title, event_fn emit, void *emit_ctx)
{
	struct buildlog *l = mem_alloc(sizeof *l);

	*l = (struct buildlog){.s = s,
		.title = mem_strdup(title),
		.emit = emit,
		.emit_ctx = emit_ctx,
		.dir = -1,
		.steps = -1};
	return l;
}

/* The build goes on without a log. */
static void buildlog_give_up(struct buildlog *l)
{
	auto_free char *text =
		mem_printf("the log of this build cannot be kept: %s", strerror(errno));

	if (!l->broken)
		l->emit(l->emit_ctx, &(struct event){.kind = EVENT_WARNING, .text = text});
	l->broken = true;
}

/* --- keeping few ----------------------------------------------------------------------------- */

/* A build that runs keeps its directory, whatever its age. */
static void buildlog_remove_one(struct store *s, int logs, const char *id)
{
	auto_fd int fd = openat(logs, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		store_trash(s, logs, id);
}

static void remove_old(const struct buildlog *l, int logs)
{
	auto_strlist struct strlist ids = {0};

	if (buildlog_list(l->s, &ids, NULL) < 0)
		return;
	for (size_t i = 0; i + BUILDLOG_KEEP <= ids.n; i++)
		buildlog_remove_one(l->s, logs, ids.v[i]);
}

/* --- beginning ------------------------------------------------------------------------------- */

static int buildlog_open_logs(struct store *s)
{
	int fd = openat(
		store_bld_fd(s), BUILDLOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(store_bld_fd(s), BUILDLOG_DIR, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(
		store_bld_fd(s), BUILDLOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* "2026-11-23T10:15:30Z" -> "20261123-101530-MSEC-PID" */
static void make_id(char id[BUILDLOG_ID], unsigned attempt)
{
	char t[NOW_RFC3339];

	int64_t ms = now_milliseconds();

	now_rfc3339(ms / 1000, t);
	snprintf(id, BUILDLOG_ID, "%.4s%.2s%.2s-%.2s%.2s%.2s-%03d-%d", t, t + 5, t + 8, t + 11,
		t + 14, t + 17, (int)(ms % 1000), (int)getpid());
	if (attempt)
		snprintf(id + strlen(id), BUILDLOG_ID - strlen(id), "-%u", attempt);
}

static int buildlog_begin(struct buildlog *l)
{
	auto_fd int logs = buildlog_open_logs(l->s);

	if (logs < 0)
		return -1;
	remove_old(l, logs);
	for (unsigned i = 0;; i++) {
		make_id(l->id, i);
		if (mkdirat(logs, l->id, 0700) == 0)
			break;
		if (errno != EEXIST || i == BUILDLOG_KEEP)
			return -1;
	}
	l->dir = openat(logs, l->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->dir < 0 || flock(l->dir, LOCK_EX) < 0)
		return -1;
	l->steps =
		openat(l->dir, "steps", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return l->steps < 0 ? -1 : 0;
}

/* --- events ---------------------------------------------------------------------------------- */

static int buildlog_add_row(const struct buildlog *l, const struct event *e, const char *state)
{
	auto_json json_t *o = json_object();
	size_t len;

	jsonx_set(o, "step", json_integer(e->step));
	jsonx_set(o, "of", json_integer(e->nsteps));
	jsonx_set_text(o, "stage", e->stage);
	jsonx_set_text(o, "state", state);
	jsonx_set_text(o, e->kind == EVENT_STEP_FAILED ? "reason" : "text", e->text);
	jsonx_set(o, "seconds", json_real(e->seconds));
	auto_free char *text = jsonx_dump(o, &len);
	auto_free char *row = mem_printf("%s\n", text);
	return fs_write_all(l->steps, row, len + 1);
}

static struct file *find_file(struct buildlog *l, unsigned step)
{
	for (size_t i = 0; i < l->nfiles; i++)
		if (l->files[i].step == step)
			return &l->files[i];
	return NULL;
}

/* A step that writes for ever fills the terminal, not the store. */
static int buildlog_write_some(struct file *f, const char *bytes, size_t len)
{
	static const char cut[] = "\n[the log was cut here: the step wrote more than 16 MiB]\n";
	uint64_t room = BUILDLOG_STEP_MAX - f->len;

	_Static_assert(BUILDLOG_STEP_MAX == 16 << 20, "the text says it");
	if (f->full)
		return 0;
	if (len <= room) {
		f->len += len;
		return fs_write_all(f->fd, bytes, len);
	}
	f->full = true;
	return fs_write_all(f->fd, bytes, (size_t)room) < 0
		       ? -1
		       : fs_write_all(f->fd, cut, sizeof cut - 1);
}

static int add_output(struct buildlog *l, const struct event *e)
{
	struct file *f = find_file(l, e->step);

	if (!f) {
		char name[32];
		struct file n = {.step = e->step};

		snprintf(name, sizeof name, "%u.log", e->step);
		n.fd = openat(l->dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (n.fd < 0)
			return -1;
		MEM_PUSH(l->files, l->nfiles, l->cap_files) = n;
		f = &l->files[l->nfiles - 1];
	}
	return buildlog_write_some(f, e->bytes, e->len);
}

static void buildlog_close_file(struct buildlog *l, unsigned step)
{
	struct file *f = find_file(l, step);

	if (!f)
		return;
	close(f->fd);
	*f = l->files[--l->nfiles];
}

static const char *state_of(const struct event *e)
{
	switch (e->kind) {
	case EVENT_STEP_START:
		return "running";
	case EVENT_STEP_CACHED:
		return "cached";
	case EVENT_STEP_DONE:
		return "done";
	case EVENT_STEP_FAILED:
		return "failed";
	case EVENT_STEP_ENDED:
		return "ended";
	default:
		return NULL;
	}
}

static int buildlog_note(struct buildlog *l, const struct event *e)
{
	const char *state = state_of(e);

	if (e->kind == EVENT_STEP_OUTPUT)
		return add_output(l, e);
	if (!state)
		return 0;
	if (e->kind == EVENT_STEP_FAILED)
		l->failed = e->step;
	if (e->kind != EVENT_STEP_START)
		buildlog_close_file(l, e->step);
	return buildlog_add_row(l, e, state);
}

void buildlog_event(void *ctx, const struct event *e)
{
	struct buildlog *l = ctx;

	/* A build that only finds what is cached is not worth a directory. */
	if (!l->broken && !*l->id && e->kind == EVENT_STEP_START && buildlog_begin(l) < 0)
		buildlog_give_up(l);
	if (!l->broken && *l->id && buildlog_note(l, e) < 0)
		buildlog_give_up(l);
	l->emit(l->emit_ctx, e);
}

void buildlog_end(struct buildlog *l, const char *error)
{
	auto_json json_t *o = json_object();
	size_t len;

	if (!*l->id || l->dir < 0)
		return;
	jsonx_set_text(o, "title", l->title);
	jsonx_set(o, "failed", json_boolean(error != NULL));
	jsonx_set_text(o, "error", error);
	auto_free char *text = jsonx_dump(o, &len);
	if (fs_replace_file(l->dir, "end", text, len, 0600, false, NULL) < 0)
		buildlog_give_up(l);
}

const char *buildlog_id(const struct buildlog *l, unsigned *step)
{
	*step = l->failed;
	return *l->id && !l->broken ? l->id : NULL;
}

void buildlog_free(struct buildlog *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->nfiles; i++)
		close(l->files[i].fd);
	fd_close(l->steps);
	fd_close(l->dir);
	free(l->files);
	free(l->title);
	free(l);
}

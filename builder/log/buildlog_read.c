// SPDX-License-Identifier: Apache-2.0
/* The reading half: lists of builds, what became of their steps. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "builder/log/buildlog.h"
#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/store.h"

#define STEPS_MAX ((size_t)16 << 20) /* bytes of one index */
#define ROW_MAX   ((size_t)64 << 10)
#define END_MAX   ((size_t)1 << 20)

/* Nothing else in the directory is ours. */
static bool buildlog_read_is_id(const char *name)
{
	size_t n = strlen(name);

	return n > 16 && n < BUILDLOG_ID && strspn(name, "0123456789-") == n && name[8] == '-';
}

static int buildlog_read_open_logs(struct store *s)
{
	return openat(
		store_bld_fd(s), BUILDLOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int buildlog_list(struct store *s, struct strlist *ids, struct err **err)
{
	DIR *dir = fs_opendir(store_bld_fd(s), BUILDLOG_DIR);
	const struct dirent *e;
	int more;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return err_sys(err, "store %s: logs", store_root(s));
	while ((more = fs_readdir(dir, &e)) == 1)
		if (buildlog_read_is_id(e->d_name))
			strlist_add(ids, e->d_name);
	if (more < 0)
		err_sys(err, "store %s: logs", store_root(s));
	closedir(dir);
	if (more < 0)
		return -1;
	strlist_sort(ids);
	return 0;
}

static int open_build(struct store *s, const char *id, struct err **err)
{
	auto_fd int logs = buildlog_read_is_id(id) ? buildlog_read_open_logs(s) : -1;
	int fd = logs < 0 ? -1 : openat(logs, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && buildlog_read_is_id(id) && errno != ENOENT)
		return err_sys(err, "store %s: log of build %s", store_root(s), id);
	return fd < 0 ? err_set(err, ERR_NOT_FOUND, "no log of a build %s", id) : fd;
}

static struct buildlog_step *buildlog_read_find_step(struct buildlog_info *i, unsigned number)
{
	for (size_t k = 0; k < i->nsteps; k++)
		if (i->steps[k].number == number)
			return &i->steps[k];
	i->steps = mem_grow(i->steps, i->nsteps + 1, sizeof *i->steps);
	i->steps[i->nsteps] = (struct buildlog_step){.number = number};
	return &i->steps[i->nsteps++];
}

static void buildlog_read_replace(char **field, const char *value)
{
	if (!value)
		return;
	free(*field);
	*field = mem_strdup(value);
}

/* A row that a killed build left half is the last one, and is left out. */
static void take_row(struct buildlog_info *i, const char *row, size_t n)
{
	auto_json json_t *o = jsonx_load(row, n, ROW_MAX, "log", NULL);
	int64_t number = 0, of = 0;
	const char *stage = NULL, *state = NULL, *text = NULL, *reason = NULL;

	if (!json_is_object(o) || jsonx_int(o, "step", true, "", &number, NULL) < 0 || number < 1 ||
		number > UINT32_MAX || jsonx_int(o, "of", false, "", &of, NULL) < 0 ||
		jsonx_string(o, "stage", false, "", &stage, NULL) < 0 ||
		jsonx_string(o, "state", true, "", &state, NULL) < 0 ||
		jsonx_string(o, "text", false, "", &text, NULL) < 0 ||
		jsonx_string(o, "reason", false, "", &reason, NULL) < 0)
		return;
	struct buildlog_step *s = buildlog_read_find_step(i, (unsigned)number);
	s->nsteps = (unsigned)of;
	s->seconds = json_real_value(json_object_get(o, "seconds"));
	buildlog_read_replace(&s->stage, stage);
	buildlog_read_replace(&s->state, state);
	buildlog_read_replace(&s->text, text);
	if (reason) {
		auto_free char *both = mem_printf("%s: %s", s->text ? s->text : "", reason);

		buildlog_read_replace(&s->text, both);
	}
}

static int buildlog_read_by_number(const void *a, const void *b)
{
	const struct buildlog_step *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void read_steps(struct buildlog_info *i, int dir)
{
	auto_buf struct buf b = {0};
	auto_fd int fd = openat(dir, "steps", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fs_read_fd(fd, STEPS_MAX, "steps", &b, NULL) < 0)
		return;
	for (const char *p = b.data, *end = p + b.len, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break;
		take_row(i, p, (size_t)(nl - p));
	}
	if (i->nsteps)
		qsort(i->steps, i->nsteps, sizeof *i->steps, buildlog_read_by_number);
}

static void read_end(struct buildlog_info *i, int dir)
{
	auto_buf struct buf b = {0};
	const char *title = NULL, *error = NULL;
	auto_fd int fd = openat(dir, "end", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		i->state =
			flock(dir, LOCK_SH | LOCK_NB) < 0 ? BUILDLOG_RUNNING : BUILDLOG_INTERRUPTED;
		return;
	}
	if (fs_read_fd(fd, END_MAX, "end", &b, NULL) < 0)
		return;
	auto_json json_t *o = jsonx_load(b.data, b.len, END_MAX, "end", NULL);
	if (!json_is_object(o) || jsonx_string(o, "title", false, "", &title, NULL) < 0 ||
		jsonx_string(o, "error", false, "", &error, NULL) < 0)
		return;
	i->state = json_is_true(json_object_get(o, "failed")) ? BUILDLOG_FAILED : BUILDLOG_DONE;
	buildlog_read_replace(&i->title, title);
	buildlog_read_replace(&i->error, error);
}

int buildlog_read(struct store *s, const char *id, struct buildlog_info *out, struct err **err)
{
	*out = (struct buildlog_info){0};
	auto_fd int dir = open_build(s, id, err);
	if (dir < 0)
		return -1;
	snprintf(out->id, sizeof out->id, "%s", id);
	read_steps(out, dir);
	read_end(out, dir);
	return 0;
}

int buildlog_open(struct store *s, const char *id, unsigned step, struct err **err)
{
	char name[32];
	auto_fd int dir = open_build(s, id, err);

	if (dir < 0)
		return -1;
	snprintf(name, sizeof name, "%u.log", step);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_sys(err, "store %s: log of build %s", store_root(s), id);
	return fd < 0 ? err_set(err, ERR_NOT_FOUND, "step %u of build %s wrote nothing", step, id)
		      : fd;
}

void buildlog_info_clear(struct buildlog_info *i)
{
	for (size_t k = 0; k < i->nsteps; k++) {
		free(i->steps[k].stage);
		free(i->steps[k].text);
		free(i->steps[k].state);
	}
	free(i->steps);
	free(i->title);
	free(i->error);
	*i = (struct buildlog_info){0};
}

// SPDX-License-Identifier: Apache-2.0
/* bld logs: the complete output of builds that were. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/show.h"
#include "builder/log/buildlog.h"
#include "parser/words.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/store.h"

#define CHUNK 65536

static const char details[] =
	"Without BUILD the builds that ran a step are listed, newest first. BUILD is an\n"
	"ID or its beginning, \"last\", or \"failed\": the last one that failed. Without\n"
	"STEP all steps are shown, of \"failed\" those that failed. A step is named by\n"
	"its number. What RUN wrote is complete up to 16 MiB a step, and cut there with\n"
	"a line that says so; on a terminal control characters are escaped.\n"
	"\n"
	"Examples:\n"
	"  bld logs\n"
	"  bld logs failed\n"
	"  bld logs last 3 > compile.log\n";

static const char *const states[] = {
	[BUILDLOG_DONE] = "done",
	[BUILDLOG_FAILED] = "failed",
	[BUILDLOG_RUNNING] = "running",
	[BUILDLOG_INTERRUPTED] = "interrupted",
};

static int cmd_logs_list(struct store *s, const struct strlist *ids)
{
	struct show_table t = {.ncolumns = 4};

	show_table_row(&t, (const char *const[]){"BUILD", "STATE", "STEPS", "NAME"});
	for (size_t i = ids->n; i-- > 0;) {
		auto_buildlog_info struct buildlog_info b = {0};
		char steps[32];

		if (buildlog_read(s, ids->v[i], &b, NULL) < 0)
			continue; /* removed meanwhile */
		snprintf(steps, sizeof steps, "%zu", b.nsteps);
		show_table_row(&t, (const char *const[]){
					   b.id, states[b.state], steps, b.title ? b.title : "-"});
	}
	show_table_print(&t);
	return 0;
}

/* The newest build that failed, or NULL. */
static const char *last_failed(struct store *s, const struct strlist *ids)
{
	for (size_t i = ids->n; i-- > 0;) {
		auto_buildlog_info struct buildlog_info b = {0};

		if (buildlog_read(s, ids->v[i], &b, NULL) == 0 && b.state == BUILDLOG_FAILED)
			return ids->v[i];
	}
	return NULL;
}

static const char *find_build(
	struct store *s, const struct strlist *ids, const char *text, struct err **err)
{
	const char *found = NULL;
	size_t n = 0;

	if (strcmp(text, "last") == 0 && ids->n)
		return ids->v[ids->n - 1];
	if (strcmp(text, "failed") == 0)
		found = last_failed(s, ids);
	for (size_t i = 0; !found && i < ids->n; i++)
		n += strncmp(ids->v[i], text, strlen(text)) == 0;
	if (n > 1) {
		err_set(err, ERR_USAGE, "%zu builds begin with \"%s\"", n, text);
		err_hint(err, "\"bld logs\" lists them");
		return NULL;
	}
	for (size_t i = 0; n == 1 && i < ids->n; i++)
		if (strncmp(ids->v[i], text, strlen(text)) == 0)
			found = ids->v[i];
	if (!found) {
		err_set(err, ERR_NOT_FOUND, "no log of a build \"%s\"", text);
		err_hint(err, "\"bld logs\" lists those there are");
	}
	return found;
}

/* As they are for a file or a program, harmless for a terminal. */
static int cmd_logs_copy(int fd, struct err **err)
{
	auto_free char *chunk = mem_alloc(CHUNK + 1);
	bool terminal = isatty(STDOUT_FILENO);
	ssize_t n;

	while ((n = read(fd, chunk, CHUNK)) > 0) {
		auto_buf struct buf b;

		buf_init(&b, (size_t)CHUNK * 4 + 1);
		if (terminal)
			buf_add_escaped(&b, chunk, (size_t)n, true);
		if (terminal)
			fwrite(b.data, 1, b.len, stdout);
		else
			fwrite(chunk, 1, (size_t)n, stdout);
	}
	return n < 0 ? err_sys(err, "log") : 0;
}

static int show_step(
	struct store *s, const struct buildlog_info *b, unsigned step, struct err **err)
{
	auto_fd int fd = buildlog_open(s, b->id, step, err);

	return fd < 0 ? -1 : cmd_logs_copy(fd, err);
}

static int show_steps(struct store *s, const struct buildlog_info *b, bool failed, struct err **err)
{
	for (size_t i = 0; i < b->nsteps; i++) {
		const struct buildlog_step *p = &b->steps[i];
		bool stage = p->stage && *p->stage;

		if (failed && strcmp(p->state, "failed") != 0)
			continue;
		show_line("#%u [%s%s%u/%u] %s\n", p->number, stage ? p->stage : "",
			stage ? " " : "", p->number, p->nsteps, p->text ? p->text : "");
		auto_fd int fd = buildlog_open(s, b->id, p->number, NULL);
		if (fd >= 0 && cmd_logs_copy(fd, err) < 0)
			return -1;
		show_line("#%u %s %.1fs\n", p->number, p->state, p->seconds);
	}
	if (b->error)
		show_line("%s%s", b->error,
			b->error[0] && b->error[strlen(b->error) - 1] == '\n' ? "" : "\n");
	return 0;
}

static int cmd_logs_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	auto_store struct store *s = store_open(c->root, err);
	auto_strlist struct strlist ids = {0};
	auto_buildlog_info struct buildlog_info b = {0};
	uint64_t step;

	(void)opts;
	if (!s || buildlog_list(s, &ids, err) < 0)
		return -1;
	if (operands->n == 0)
		return cmd_logs_list(s, &ids);
	const char *id = find_build(s, &ids, operands->v[0], err);
	if (!id || buildlog_read(s, id, &b, err) < 0)
		return -1;
	if (operands->n == 1)
		return show_steps(s, &b, strcmp(operands->v[0], "failed") == 0, err);
	if (!words_number(slice_of(operands->v[1]), 10, UINT32_MAX, &step))
		return err_set(
			err, ERR_USAGE, "\"%s\" is not the number of a step", operands->v[1]);
	return show_step(s, &b, (unsigned)step, err);
}

const struct cli_command cli_logs = {
	.name = "logs",
	.operands = "[BUILD [STEP]]",
	.summary = "Show what the steps of builds wrote",
	.details = details,
	.max_operands = 2,
	.run = cmd_logs_run,
};

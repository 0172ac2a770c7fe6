// SPDX-License-Identifier: Apache-2.0
/* bld: run one command, print its error, end with its status. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "store/base/jsonx.h"

static const struct cli_command *const commands[] = {&cli_build, &cli_pull, &cli_push, &cli_images,
	&cli_inspect, &cli_history, &cli_logs, &cli_tag, &cli_rmi, &cli_prune, &cli_save, &cli_load,
	&cli_login, &cli_logout, &cli_run, &cli_lint, &cli_context, &cli_parse_file, &cli_manifest,
	&cli_verify, &cli_info, &cli_version, NULL};

static atomic_int caught_signal;

/* The first signal asks everything to stop and clean up; the second ends bld at once, and the
 * kernel ends what it started. */
static void on_signal(int sig)
{
	if (caught_signal)
		_exit(sig == SIGINT ? 130 : 143);
	caught_signal = sig;
}

/* One thread wakes another out of a call that blocks. */
static void on_nudge(int sig)
{
	(void)sig;
}

static void catch_signals(void)
{
	static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction act = {
		.sa_handler = on_signal}; /* no SA_RESTART: calls that block return */
	struct sigaction nudge = {.sa_handler = on_nudge};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;

	for (size_t i = 0; i < ARRAY_LEN(stopping); i++) {
		/* What nohup or a background job of a script ignores stays ignored. */
		if (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(stopping[i], &act, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGURG, &nudge, NULL);
}

/* Descriptors 0 to 2 exist, so that no file of ours gets such a number. */
static void fill_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDWR); /* becomes fd */
}

/* A rendering of diagnostics (several lines, newline at its end) says itself what it is. */
static void main_add_line(struct buf *b, const char *name, const char *text)
{
	if (!*text)
		return;
	buf_adds(b, name);
	buf_add_escaped(b, text, strlen(text), false);
	buf_addc(b, '\n');
}

static int print_error(const struct err *e)
{
	auto_buf struct buf b;
	const char *text = err_text(e);
	size_t n = strlen(text);
	bool rendered = n && text[n - 1] == '\n';

	buf_init(&b, BUF_TEXT_MAX);
	if (rendered)
		buf_add_escaped(&b, text, n, true);
	else
		main_add_line(&b, "error: ", text);
	main_add_line(&b, "help: ", err_hint_text(e));
	main_add_line(&b, "note: ", err_note_text(e));
	fflush(stdout);
	fwrite(b.data, 1, b.len, stderr);
	if (caught_signal)
		return caught_signal == SIGINT ? 130 : 143;
	return err_exit_status(e);
}

/* A stack of 500 layers is held open as a descriptor each, some of them twice. */
static void raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/*
 * No dump of bld or its children: there are passwords in it. The limit is 1, not 0, as with 0 the
 * kernel still pipes a dump into a program that core_pattern names. bld stays dumpable, for without
 * that nobody could write the uid map of its children.
 */
static void forbid_dumps(void)
{
	const struct rlimit least = {1, 1};

	if (setrlimit(RLIMIT_CORE, &least) < 0)
		setrlimit(RLIMIT_CORE, &(const struct rlimit){0, 0});
}

int main(int argc, char **argv)
{
	auto_err struct err *err = NULL, *unwritten = NULL;
	struct cli c = {.cancelled = &caught_signal};
	int status;

	fill_stdio();
	raise_file_limit();
	forbid_dumps();
	catch_signals();
	jsonx_start();
	status = cli_main(&c, commands, argc, argv, &err);
	if (cli_finish_output(status < 0 ? &unwritten : &err) < 0)
		status = status < 0 ? err_note(&err, "%s", err_text(unwritten)) : -1;
	return status < 0 ? print_error(err) : status;
}

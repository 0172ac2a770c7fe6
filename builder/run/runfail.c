// SPDX-License-Identifier: Apache-2.0
/*
 * What to say when a RUN failed. The cause is looked for in this order: what bld did itself (stop,
 * time-out), what the kernel did, what the program's file tells, what the shell printed. A line of
 * a heredoc is named only if the shell's message decided the exit status.
 */
#include "builder/run/runfail.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/run/progfile.h"
#include "builder/state.h"
#include "parser/ast.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

#define MESSAGE_SHOWN 200 /* bytes of what a shell said */
#define NOT_EXECUTED  126 /* of POSIX shells, with the next one */
#define NOT_FOUND     127
#define BY_SIGNAL     128

/* --- what a shell said ----------------------------------------------------------------------- */

static bool runfail_parse_line(struct slice line, const char *name, struct runfail_message *out)
{
	size_t n = strlen(name), i;

	if (!slice_starts(line, name) || slice_from(line, n).len < 2 || line.ptr[n] != ':' ||
		line.ptr[n + 1] != ' ')
		return false;
	*out = (struct runfail_message){.text = slice_from(line, n + 2)};
	struct slice rest = out->text;
	if (slice_starts(rest, "line "))
		rest = slice_from(rest, 5);
	for (i = 0; i < rest.len && i < 7 && isdigit((unsigned char)rest.ptr[i]); i++)
		out->line = out->line * 10 + (unsigned)(rest.ptr[i] - '0');
	if (i == 0 || i + 1 >= rest.len || rest.ptr[i] != ':' || rest.ptr[i + 1] != ' ')
		out->line = 0;
	else
		out->text = slice_from(rest, i + 2);
	return true;
}

bool runfail_message(struct slice tail, const char *name, struct runfail_message *out)
{
	bool found = false;

	while (tail.len) {
		size_t n = slice_find(tail, '\n', 0);
		struct runfail_message m;
		if (runfail_parse_line(slice_sub(tail, 0, n), name, &m)) {
			*out = m;
			found = true;
		}
		tail = slice_from(tail, n < tail.len ? n + 1 : n);
	}
	return found;
}

static bool runfail_word_at(struct slice s, size_t at, struct slice word)
{
	static const char inside[] = "_-./";
	char before = at ? s.ptr[at - 1] : ' ';
	char after = at + word.len < s.len ? s.ptr[at + word.len] : ' ';

	return memcmp(s.ptr + at, word.ptr, word.len) == 0 && !isalnum((unsigned char)before) &&
	       !strchr(inside, before) && !isalnum((unsigned char)after) && !strchr(inside, after);
}

unsigned runfail_line_of(struct slice script, struct slice word)
{
	unsigned line = 1, found = 0;

	for (size_t i = 0; word.len && i + word.len <= script.len; i++) {
		if (script.ptr[i] == '\n') {
			line++;
		} else if (runfail_word_at(script, i, word) && found != line) {
			if (found)
				return 0;
			found = line;
		}
	}
	return found;
}

/* "nosuch: not found", "nosuch: command not found", "/x: Permission denied" */
static struct slice subject(struct slice text)
{
	size_t n = slice_find(text, ':', 0);

	return n < text.len ? slice_sub(text, 0, n) : (struct slice){0};
}

static bool says(struct slice text, const char *what)
{
	return text.len && memmem(text.ptr, text.len, what, strlen(what));
}

/* --- causes ---------------------------------------------------------------------------------- */

static struct slice tail_of(const struct runfail *f, int stream)
{
	return runoutput_tail(f->output, stream);
}

static bool printed(const struct runfail *f, const char *what)
{
	return says(tail_of(f, 2), what) || says(tail_of(f, 1), what);
}

static const char *runfail_find_path(const struct runfail *f)
{
	const char *path = strlist_get_kv(&f->sp->st->scope.vars, "PATH");

	return path ? path : STATE_PATH_DEFAULT;
}

/* What the file itself tells, in the layers before this RUN. */
static char *explain_program(const struct runfail *f, const char *name)
{
	auto_err struct err *ignored = NULL;
	const struct layer_tree *t = state_tree(f->sp->st, f->se->s, &ignored);
	auto_free char *path = t ? progfile_find(t, name, runfail_find_path(f)) : NULL;

	return path ? progfile_explain(t, path) : NULL;
}

static char *exec_cause(const struct runfail *f)
{
	const char *program = f->argv->v[0];
	char *why = explain_program(f, program);

	if (why)
		return why;
	switch (f->res->exec_errno) {
	case ENOENT:
		if (!f->sp->ins->run.command.json)
			return mem_printf("%s is not in the image: use the exec form, RUN "
					  "[\"/program\", \"argument\"], or a base with a shell",
				program);
		return mem_strdup("the image has no such program, or it is not in PATH");
	case ENOEXEC:
		return mem_strdup("the program is built for another architecture, or it is a "
				  "script without a #! line");
	case EACCES:
		return mem_strdup("the file is not executable for the USER of this step");
	default:
		return NULL;
	}
}

static char *missing_network(const struct runfail *f)
{
	static const char *const words[] = {"ould not resolve", "emporary failure in name",
		"emporary failure resolving", "bad address", "etwork is unreachable",
		"ame or service not known", "emporary error (try again"};
	const struct word *flag = &f->sp->ins->run.network_word;

	for (size_t i = 0; f->no_network && i < ARRAY_LEN(words); i++)
		if (printed(f, words[i]))
			return mem_printf("this RUN has no network: %s",
				flag->text.ptr ? "it has --network=none"
					       : "bld was called with --network=none");
	return NULL;
}

static char *printed_cause(const struct runfail *f)
{
	static const char *const given[] = {"/etc/resolv.conf: Read-only", "/etc/hosts: Read-only",
		"/etc/hostname: Read-only", "/etc/resolv.conf': Device or resource busy",
		"/etc/hosts': Device or resource busy"};
	char *why = missing_network(f);

	for (size_t i = 0; !why && i < ARRAY_LEN(given); i++)
		if (printed(f, given[i]))
			return mem_strdup("/etc/resolv.conf, hosts and hostname are given by bld "
					  "while RUN runs; they cannot be changed, and are no part "
					  "of the image");
	if (!why && printed(f, "No space left on device"))
		why = mem_strdup("a file system is full: that of the store, a tmpfs mount or "
				 "/dev/shm (64m)");
	return why;
}

/* The heredoc with #! that a shell could not start. */
static char *script_cause(const struct runfail *f)
{
	const struct ast_heredoc *h = ast_run_only_heredoc(&f->sp->ins->run);
	auto_err struct err *ignored = NULL;
	const struct layer_tree *t = state_tree(f->sp->st, f->se->s, &ignored);
	auto_free char *loader = NULL;
	const char *machine;

	if (!h || !t || !progfile_read(h->body.ptr, h->body.len, &loader, &machine) || !loader ||
		layer_tree_lookup(t, loader, true, NULL, NULL))
		return NULL;
	return mem_printf("%s of its #! line is not in the image", loader);
}

/* What the file that a shell names tells. */
static char *named_cause(const struct runfail *f, const char *name)
{
	return f->script_path && strcmp(name, f->script_path) == 0 ? script_cause(f)
								   : explain_program(f, name);
}

static char *worded_cause(int code, const char *name, struct slice text)
{
	if (code == NOT_FOUND && says(text, "not found") && !strchr(name, '/'))
		return mem_printf("\"%s\" is in no directory of PATH: install it, or look for a "
				  "misspelt name",
			name);
	if (code == NOT_EXECUTED && says(text, "xec format error"))
		return mem_printf("%s is built for another architecture, or it is a script without "
				  "a #! line",
			name);
	if (code == NOT_EXECUTED && says(text, "ermission denied"))
		return mem_printf("%s may not be executed: COPY --chmod=755, or chmod +x", name);
	return NULL;
}

/* 126 and 127 of a shell. */
static char *shell_cause(const struct runfail *f, const struct runfail_message *m)
{
	int code = f->res->exit_code;
	struct slice who = m ? subject(m->text) : (struct slice){0};
	auto_free char *name = who.len ? mem_strndup(who.ptr, who.len) : NULL;
	char *why = name ? named_cause(f, name) : NULL;

	if (!why && name)
		why = worded_cause(code, name, m->text);
	if (why)
		return why;
	return mem_strdup(code == NOT_FOUND
				  ? "127 is how a shell says \"command not found\""
				  : "126 is how a shell says \"found, but not executable\"");
}

static char *status_cause(const struct runfail *f, const struct runfail_message *m)
{
	int code = f->res->exit_code;
	char *why = printed_cause(f);

	if (why)
		return why;
	if (code == NOT_FOUND || code == NOT_EXECUTED)
		return shell_cause(f, m);
	if (code == BY_SIGNAL + SIGKILL)
		return mem_strdup("137 is 128 + 9: something was killed; nobody in the build sends "
				  "SIGKILL, the kernel may have been out of memory");
	if (code > BY_SIGNAL && code < BY_SIGNAL + 32 && sigabbrev_np(code - BY_SIGNAL))
		return mem_printf("%d is 128 + %d: what the shell ran was killed by SIG%s", code,
			code - BY_SIGNAL, sigabbrev_np(code - BY_SIGNAL));
	return NULL;
}

/* --- where ----------------------------------------------------------------------------------- */

/* The first line of the instruction. */
static struct span head_span(const struct ast_instruction *ins)
{
	return (struct span){.off = ins->span.off,
		.len = ins->text.len < ins->span.len ? ins->text.len : ins->span.len};
}

static struct span runfail_line_span(const struct ast_heredoc *h, unsigned line)
{
	size_t at = 0;

	for (; line > 1 && at < h->raw.len; line--)
		at = slice_find(h->raw, '\n', at) + 1;
	if (at >= h->raw.len)
		return (struct span){0};
	size_t end = slice_find(h->raw, '\n', at);
	while (at < end && slice_is_blank(h->raw.ptr[at]))
		at++;
	return (struct span){h->body_span.off + at, end - at};
}

/* The end of the command was decided by this message? Only then it says where that was. */
static bool is_reason(int code, const struct runfail_message *m)
{
	if (code == NOT_FOUND)
		return says(m->text, "not found") || says(m->text, "No such file");
	if (code == NOT_EXECUTED)
		return says(m->text, "ermission denied") || says(m->text, "xec format") ||
		       says(m->text, "s a directory");
	return code == 2 && (says(m->text, "yntax error") || says(m->text, "unterminated") ||
				    says(m->text, "unexpected"));
}

/* Of a heredoc that is the whole script: its line, len 0 when it is not known. */
static struct span runfail_find_line(const struct runfail *f, const struct runfail_message *m)
{
	const struct ast_heredoc *h = ast_run_only_heredoc(&f->sp->ins->run);
	unsigned line = m->line;

	if (!h || !is_reason(f->res->exit_code, m))
		return (struct span){0};
	if (!line && f->res->exit_code != 2)
		line = runfail_line_of(h->raw, subject(m->text));
	return line ? runfail_line_span(h, line) : (struct span){0};
}

/* --- reports --------------------------------------------------------------------------------- */

static int report_status(const struct runfail *f, struct err **err)
{
	const struct step *sp = f->sp;
	const char *name = f->script_path ? f->script_path : f->argv->v[0];
	struct span at = head_span(sp->ins);
	struct runfail_message m = {0};
	bool said = runfail_message(tail_of(f, 2), name, &m) ||
		    runfail_message(tail_of(f, 1), name, &m) ||
		    runfail_message(tail_of(f, 2), f->argv->v[0], &m);
	auto_free char *hint = status_cause(f, said ? &m : NULL);
	struct span line = said ? runfail_find_line(f, &m) : (struct span){0};

	if (!line.len)
		return dferr_at(err, ERR_BUILD, sp->df, at, hint, "RUN failed with exit status %d",
			f->res->exit_code);
	int shown = m.text.len < MESSAGE_SHOWN ? (int)m.text.len : MESSAGE_SHOWN;
	return dferr_at(err, ERR_BUILD, sp->df, line, hint,
		"RUN failed with exit status %d; the shell says of this line: %.*s",
		f->res->exit_code, shown, m.text.ptr);
}

int runfail_report(const struct runfail *f, struct err **err)
{
	const struct step *sp = f->sp;
	struct span at = head_span(sp->ins);

	if (stop_check(&f->se->stop, err) < 0)
		return -1;
	if (f->late)
		return dferr_at(err, ERR_BUILD, sp->df, sp->ins->run.timeout.span, NULL,
			"RUN was killed: it took longer than %.*s (--timeout)",
			SLICE_ARG(sp->ins->run.timeout.text));
	if (f->res->exec_errno) {
		auto_free char *hint = exec_cause(f);
		return dferr_at(err, ERR_BUILD, sp->df, at, hint, "RUN could not start \"%s\": %s",
			f->argv->v[0], strerror(f->res->exec_errno));
	}
	if (f->res->oom)
		return dferr_at(err, ERR_BUILD, sp->df, at,
			"the machine or the container bld runs in has too little memory",
			"RUN was killed by the kernel: out of memory");
	if (f->res->pids)
		return dferr_at(err, ERR_BUILD, sp->df, at,
			"the kernel refused one more; a program that starts copies of itself "
			"without end does this, or too many steps at a time (--jobs)",
			"RUN failed with exit status %d: the steps of this build had %d processes, "
			"which is the limit",
			f->res->exit_code, SANDBOX_PIDS_MAX);
	if (f->res->signal)
		return dferr_at(err, ERR_BUILD, sp->df, at,
			f->res->signal == SIGKILL
				? "nobody in the build sends SIGKILL: the kernel may have been out "
				  "of memory"
				: NULL,
			"RUN was killed by signal %d (%s)", f->res->signal,
			strsignal(f->res->signal));
	return report_status(f, err);
}

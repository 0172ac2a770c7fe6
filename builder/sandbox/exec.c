// SPDX-License-Identifier: Apache-2.0
/* From a process of bld to PID 1 and the command: see exec.h. */
#include "builder/sandbox/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/pid1.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define FD_CTL   3 /* where PID 1 reports */
#define FD_PID1  4
#define FD_ABOVE 10 /* copies are made here before 0 to 4 are filled */

/* --- which program --------------------------------------------------------------------------- */

static const char *search_path(const char *const *envp)
{
	for (; envp && *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return EXEC_PATH_DEFAULT;
}

static const char *const *exec_candidates(struct op_list *l, const char *name, const char *path)
{
	size_t n = 2, k = 0;
	const char **v;

	for (const char *p = path; *p; p++)
		n += *p == ':';
	v = ops_array(l, n + 1, sizeof *v);
	if (strchr(name, '/') || *name == '\0') {
		v[0] = ops_text(l, "%s", name);
		return v;
	}
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, ":");

		/* An empty element is the working directory. */
		v[k++] =
			len ? ops_text(l, "%.*s/%s", (int)len, p, name) : ops_text(l, "./%s", name);
		p += len;
		if (!*p)
			return v;
	}
}

/* Copies in the region of the sandbox. */
static const char **exec_copy_words(struct op_list *l, const char *const *v, size_t before)
{
	size_t n = 0;
	const char **copy;

	while (v && v[n])
		n++;
	copy = ops_array(l, before + n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[before + i] = ops_text(l, "%s", v[i]);
	return copy;
}

const struct exec_command *exec_prepare(struct op_list *l, const struct sandbox_spec *s)
{
	struct exec_command *c = ops_alloc(l, sizeof *c);

	c->argv = exec_copy_words(l, s->argv, 2);
	c->argv[0] = PID1_NAME;
	c->envp = exec_copy_words(l, s->envp, 0);
	c->candidate = exec_candidates(l, s->argv[0], search_path(s->envp));
	return c;
}

/* --- in the child ---------------------------------------------------------------------------- */

/* 0, 1, 2 for the command, 3 and 4 for PID 1; nothing else is open behind this. */
static int place_files(struct ops_state *st, const struct op *op)
{
	static const int from[] = {OPS_STDIN, OPS_STDOUT, OPS_STDERR, OPS_CTL, OPS_PID1};
	int high[ARRAY_LEN(from)];

	(void)op;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		high[i] = fcntl(st->slot[from[i]], F_DUPFD_CLOEXEC, FD_ABOVE);
		if (high[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (dup3(high[i], (int)i, i == FD_PID1 ? O_CLOEXEC : 0) < 0)
			return -1;
		st->slot[from[i]] = (int)i;
	}
	return close_range(FD_PID1 + 1, ~0U, 0);
}

void exec_plan_before(struct op_list *l)
{
	ops_add(l, &(struct op){place_files, .what = "place the standard files"});
}

/* A working directory outside of the root shows as ENOENT or as "(unreachable)/...". */
static int check_cwd(struct ops_state *st, const struct op *op)
{
	char path[PATH_MAX];
	long n = syscall(SYS_getcwd, path, sizeof path);

	(void)st;
	(void)op;
	if (n > 0 && path[0] == '/')
		return 0;
	if (n > 0)
		errno = EXDEV;
	return -1;
}

void exec_plan_after(struct op_list *l)
{
	ops_add(l, &(struct op){check_cwd, .what = "check the working directory"});
}

/* As execvp chooses: the first that can be executed; otherwise EACCES if one was there. */
static const char *exec_pick(const struct exec_command *c, int *error)
{
	struct stat sb;

	*error = ENOENT;
	for (size_t i = 0; c->candidate[i]; i++) {
		const char *p = c->candidate[i];

		if (fstatat(AT_FDCWD, p, &sb, 0) == 0) {
			if (S_ISREG(sb.st_mode) &&
				syscall(SYS_faccessat2, AT_FDCWD, p, X_OK, AT_EACCESS) == 0)
				return p;
			*error = EACCES;
		} else if (errno == EACCES || (c->candidate[1] == NULL && errno != ENOENT)) {
			*error = errno;
		}
	}
	return NULL;
}

int exec_run(const struct ops_state *st, const struct exec_command *c)
{
	int error;

	c->argv[1] = exec_pick(c, &error);
	if (!c->argv[1])
		return error;
	syscall(SYS_execveat, st->slot[OPS_PID1], "", c->argv, c->envp, AT_EMPTY_PATH);
	return errno;
}

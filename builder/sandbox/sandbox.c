// SPDX-License-Identifier: Apache-2.0
/*
 * From a specification to a running command: the plan, in the order in which the child walks it,
 * then the conversation with PID 1.
 */
#include "builder/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/sandbox/caps.h"
#include "builder/sandbox/cgroups.h"
#include "builder/sandbox/channel.h"
#include "builder/sandbox/devices.h"
#include "builder/sandbox/exec.h"
#include "builder/sandbox/forker.h"
#include "builder/sandbox/freeze.h"
#include "builder/sandbox/erofsmounts.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/landlock.h"
#include "builder/sandbox/limits.h"
#include "builder/sandbox/mounts.h"
#include "builder/sandbox/namespace.h"
#include "builder/sandbox/network.h"
#include "builder/sandbox/ops.h"
#include "builder/sandbox/overlay.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/runner.h"
#include "builder/sandbox/seccomp.h"
#include "builder/sandbox/target.h"
#include "builder/sandbox/usermounts.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define VMSTAT_MAX  ((size_t)64 << 10)
#define REPORTS_MAX 4 /* packets of PID 1 at a time */

#define SIGNAL_PROCESS_GROUP (1U << 2) /* PIDFD_SIGNAL_PROCESS_GROUP */

/* --- the plan -------------------------------------------------------------------------------- */

struct plan {
	const struct sandbox_spec *spec;
	const struct runner_facts *facts;
	int skeleton; /* -1 = none */
	struct op_list *ops;
	struct usermounts mounts;
	struct network_files files;
};

static int check_spec(const struct plan *p, struct err **err)
{
	const struct sandbox_spec *s = p->spec;

	if (!s->argv || !s->argv[0])
		return err_set(err, ERR_SANDBOX, "there is no command");
	if (!s->cwd || s->cwd[0] != '/')
		return err_set(err, ERR_SANDBOX, "working directory %s: not an absolute path",
			s->cwd ? s->cwd : "");
	if (s->lowers.n > SANDBOX_LOWERS_MAX)
		return err_set(err, ERR_LIMIT, "%zu layers, the kernel takes %d in one overlay",
			s->lowers.n, SANDBOX_LOWERS_MAX);
	if (s->ngroups > SANDBOX_GROUPS_MAX)
		return err_set(err, ERR_LIMIT, "%zu groups, the kernel takes %d", s->ngroups,
			SANDBOX_GROUPS_MAX);
	return 0;
}

/* An empty directory: the one lower of an empty root, the second of a single layer. */
static int plan_empty(struct plan *p, struct err **err)
{
	bool wanted = p->spec->lowers.n == 0 && p->skeleton < 0;
	int fd;

	for (size_t i = 0; i < p->spec->nmounts; i++)
		wanted |= p->spec->mounts[i].source_fd < 0 && p->spec->mounts[i].lowers.n == 1;
	p->mounts.empty = ops_slot(p->ops);
	if (wanted) {
		fd = overlay_scratch_dir(p->spec->scratch_fd, "empty", 0755, err);
		if (fd < 0)
			return -1;
		p->mounts.empty = ops_slot_take_fd(p->ops, fd);
	}
	return 0;
}

static int plan_root(struct plan *p, struct err **err)
{
	const struct sandbox_spec *s = p->spec;
	auto_free struct overlay_lower *lower = mem_array(s->lowers.n + 1, sizeof *lower);
	struct overlay o = {.lower = lower,
		.out = OPS_ROOT,
		.api = p->mounts.api,
		.devices = p->mounts.devices};

	if (p->skeleton >= 0 && s->lowers.n < SANDBOX_LOWERS_MAX)
		lower[o.n++].slot = ops_slot_fd(p->ops, p->skeleton);
	if (overlay_plan_lowers(p->ops, p->mounts.indexes, &s->lowers, lower + o.n, err) < 0)
		return -1;
	o.n += s->lowers.n;
	if (o.n == 0)
		lower[o.n++].slot = p->mounts.empty;
	if (overlay_plan_upper(p->ops, s->scratch_fd, NULL, &o, err) < 0)
		return -1;
	o.what = ops_text(p->ops, "mount the overlay of %zu layers", o.n);
	return overlay_plan(p->ops, &o, err);
}

/* The first half of PID 1's work: everything that comes from descriptors of bld. */
static int plan_outside(struct plan *p, struct err **err)
{
	struct op_list *l = p->ops;
	bool classic = p->mounts.api == OVERLAY_CLASSIC;

	namespace_plan_first(l);
	namespace_plan_group(l, p->spec, &p->facts->groups);
	if (usermounts_init(&p->mounts, l, err) < 0 || plan_empty(p, err) < 0)
		return -1;
	usermounts_plan_descriptors(&p->mounts, l);
	if (classic)
		namespace_plan_mounts(l);
	if (usermounts_plan_overlays(&p->mounts, l, err) < 0 || plan_root(p, err) < 0)
		return -1;
	if (!classic)
		namespace_plan_mounts(l);
	mounts_plan_files(l);
	usermounts_plan_inner(&p->mounts, l);
	if (network_plan_files(l, p->spec->network, &p->files, err) < 0)
		return -1;
	namespace_plan_pivot(l, classic);
	return 0;
}

static int open_null(struct ops_state *st, const struct op *op)
{
	st->slot[op->out] = openat(st->slot[OPS_DEV], "null", O_RDONLY | O_CLOEXEC);
	return st->slot[op->out] < 0 ? -1 : 0;
}

/* Made 0755 root when it is missing, and that belongs to the layer. */
static int enter_cwd(struct ops_state *st, const struct op *op)
{
	const struct target t = {op->arg, TARGET_DIR, .stub = false};
	auto_fd int fd = target_open(st, &t);

	return fd < 0 ? -1 : fchdir(fd);
}

/* The second half: inside the new root. */
static void plan_inside(struct plan *p)
{
	struct op_list *l = p->ops;

	network_plan_loopback(l, p->spec->network); /* before /proc/sys is read-only */
	devices_plan(l);
	mounts_plan_system(l, &p->facts->probe, p->spec->insecure);
	if (!p->mounts.devices)
		devices_plan_guard(l);
	network_plan_targets(l, &p->files);
	usermounts_plan_targets(&p->mounts, l);
	namespace_plan_names(l, NETWORK_HOST_NAME);
	if (p->spec->stdin_fd < 0)
		ops_add(l, &(struct op){open_null, .what = "open /dev/null", .out = OPS_STDIN});
	ops_add(l, &(struct op){enter_cwd,
			   .what = ops_text(l, "enter the working directory %s", p->spec->cwd),
			   .arg = ops_text(l, "%s", p->spec->cwd)});
}

/* PID 1 and the command have what this leaves, both in one Landlock domain. */
static void plan_confinement(struct plan *p)
{
	struct op_list *l = p->ops;

	l->confine_from = l->n;
	/* On a network of its own there is no abstract socket but its own. */
	if (p->spec->network == SANDBOX_NET_HOST && !p->spec->insecure &&
		p->facts->probe.landlock >= LANDLOCK_ABI_SCOPE)
		landlock_plan(l);
	exec_plan_before(l);
	limits_plan(l);
	caps_plan_groups(l, p->spec);
	if (!p->spec->insecure)
		sandbox_seccomp_plan(l, &p->facts->filter);
	caps_plan_drop(l, p->spec, &p->facts->probe);
	exec_plan_after(l);
}

static const struct lower *first_index(const struct sandbox_lowers *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].index_fd >= 0)
			return &l->v[i];
	return NULL;
}

/* Mounts that must be attached are attached in the new mount namespace, and what is made of them is
 * made there: that is the classic way. */
static int choose_overlay(struct plan *p, struct err **err)
{
	const struct sandbox_spec *s = p->spec;
	const struct lower *index = NULL;
	bool attach = false;
	int fd;

	p->mounts.api = p->facts->probe.overlay;
	index = first_index(&s->lowers);
	for (size_t i = 0; !index && i < s->nmounts; i++)
		index = first_index(&s->mounts[i].lowers);
	if (!index)
		return 0;
	fd = erofsmounts_get(p->mounts.indexes, index, &attach, err);
	if (fd < 0)
		return -1;
	close(fd);
	if (attach)
		p->mounts.api = OVERLAY_CLASSIC;
	return 0;
}

static int make_plan(struct plan *p, struct err **err)
{
	const struct sandbox_spec *s = p->spec;

	if (check_spec(p, err) < 0 || choose_overlay(p, err) < 0)
		return -1;
	ops_set_fd(p->ops, OPS_SCRATCH, s->scratch_fd);
	if (s->stdin_fd >= 0)
		ops_set_fd(p->ops, OPS_STDIN, s->stdin_fd);
	ops_set_fd(p->ops, OPS_STDOUT, s->stdout_fd);
	ops_set_fd(p->ops, OPS_STDERR, s->stderr_fd);
	ops_set_fd(p->ops, OPS_PID1, p->facts->pid1);
	if (plan_outside(p, err) < 0)
		return -1;
	plan_inside(p);
	plan_confinement(p);
	return 0;
}

/* --- start ----------------------------------------------------------------------------------- */

static int init_plan_fill(struct init_plan *p, const struct sandbox_spec *s, struct err **err)
{
	struct op_list *l = &p->ops;

	p->command = exec_prepare(l, s);
	p->state.max_stub = l->stubs;
	p->state.stub = ops_array(l, l->stubs, sizeof *p->state.stub);
	if (ops_seal(l) < 0)
		return err_set(err, ERR_LIMIT,
			"RUN: arguments, environment and files of more than %zu bytes", l->size);
	p->state.slot = l->slot;
	return 0;
}

static int word_failure(const struct op_list *l, const struct channel_msg *m, struct err **err)
{
	const struct op *op = m->a >= 0 && (size_t)m->a < l->n ? &l->v[m->a] : NULL;
	size_t text = strcspn(m->text, "\n");
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_addf(&b, "%s: %s", op ? op->what : "clean up", strerror(m->b));
	if (text > 0) {
		buf_adds(&b, " (");
		buf_add_escaped(&b, m->text, text, false);
		buf_addc(&b, ')');
	}
	if (op && op->rule)
		buf_addf(&b, "; %s", op->rule);
	return err_set(err, ERR_SANDBOX, "sandbox: %s", b.data);
}

/* What the child holds for the end: the root first, then the parents of stubs. */
static void hold(struct sandbox_job *job, const struct channel_extra *extra)
{
	struct ops_state *st = &job->region->state;

	for (size_t i = 0; i < extra->nfd; i++) {
		if (job->root < 0)
			job->root = extra->fd[i];
		else if (job->nparent < st->nstub)
			st->stub[job->nparent++].parent = extra->fd[i];
		else
			close(extra->fd[i]);
	}
}

/* The command's process, while it is there for sure: it is about to execute the command. */
static void meet_command(struct sandbox_job *job, pid_t pid)
{
	if (pid <= 0)
		return;
	job->command = pidfd_open(pid, 0);
	job->command_pid = pid;
}

/* Until the command is about to run: 0, or -1. */
static int sandbox_converse(struct sandbox_job *job, const struct op_list *l, struct err **err)
{
	auto_free struct channel_extra *extra = mem_alloc(sizeof *extra);
	struct channel_msg m;
	int r;

	while ((r = channel_recv(job->ctl, &m, extra, 0)) > 0) {
		switch ((enum channel_kind)m.kind) {
		case CHANNEL_HELD:
			hold(job, extra);
			continue;
		case CHANNEL_READY:
			meet_command(job, extra->pid);
			return 0;
		case CHANNEL_FAILED:
			if (m.a != CHANNEL_OP_EXEC)
				return word_failure(l, &m, err);
			job->exec_errno = m.b;
			return 0;
		case CHANNEL_EXIT:
			return err_set(
				err, ERR_SANDBOX, "sandbox: the command's process was killed");
		}
	}
	if (r < 0)
		return err_sys_kind(err, ERR_SANDBOX, "sandbox: read from PID 1");
	return err_set(err, ERR_SANDBOX, "sandbox: PID 1 was killed while it was set up");
}

/* How often the kernel's OOM killer struck; it counts for the whole machine. */
static unsigned long long oom_kills(void)
{
	auto_buf struct buf b;
	auto_err struct err *ignored = NULL;
	const char *p;

	buf_init(&b, VMSTAT_MAX);
	if (fs_read_file(AT_FDCWD, "/proc/vmstat", VMSTAT_MAX, &b, &ignored) < 0)
		return 0;
	p = strstr(b.data, "\noom_kill ");
	return p ? strtoull(p + strlen("\noom_kill "), NULL, 10) : 0;
}

static struct sandbox_job *launch(struct sandbox_runner *r, struct init_plan *plan,
	const struct sandbox_spec *s, struct err **err)
{
	auto_fd int up = -1, down = -1;
	int pair[2];
	struct sandbox_job *job;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_sys_kind(err, ERR_SANDBOX, "sandbox: socket pair");
		return NULL;
	}
	up = pair[0];
	down = pair[1];
	if (channel_ask_pids(up) < 0) {
		err_sys_kind(err, ERR_SANDBOX, "sandbox: socket pair");
		return NULL;
	}
	ops_set_fd(&plan->ops, OPS_CTL, down);
	if (init_plan_fill(plan, s, err) < 0)
		return NULL;
	job = mem_alloc(sizeof *job);
	job->runner = r;
	job->region = plan;
	job->root = job->command = -1;
	job->freeze = s->freeze;
	if (forker_clone(runner_forker(r), init_main, plan, namespace_flags(s), &job->child) < 0) {
		err_sys_kind(err, ERR_SANDBOX, "sandbox: make namespaces");
		free(job);
		return NULL;
	}
	job->ctl = TAKE_FD(up);
	close(TAKE_FD(down));
	job->oom_before = oom_kills(); /* while the child works */
	job->pids_before = cgroups_pids_refused(&runner_facts(r)->groups);
	if (sandbox_converse(job, &plan->ops, err) < 0) {
		runner_let_go(job);
		job->region = NULL; /* the caller returns it */
		runner_end_job(job);
		return NULL;
	}
	return job;
}

struct sandbox_job *sandbox_start(
	struct sandbox_runner *r, const struct sandbox_spec *s, struct err **err)
{
	struct init_plan *init = forker_take_region(runner_forker(r));
	struct sandbox_job *job = NULL;
	struct plan p = {
		.spec = s,
		.facts = runner_facts(r),
		.skeleton = runner_skeleton(r),
	};

	if (!init) {
		err_set(err, ERR_LIMIT, "more than %d sandboxes at a time", FORKER_REGIONS);
		return NULL;
	}
	p.ops = &init->ops;
	p.mounts.spec = s;
	p.mounts.indexes = runner_erofsmounts(r);
	p.mounts.devices = s->insecure || cgroups_guard_devices(&runner_facts(r)->groups);
	ops_init(&init->ops, init, runner_forker(r)->size, sizeof *init);
	if (make_plan(&p, err) == 0)
		job = launch(r, init, s, err);
	ops_clear(&init->ops);
	if (job)
		runner_add(r, job);
	else
		forker_return_region(runner_forker(r), init, init->ops.used);
	return job;
}

/* --- the end --------------------------------------------------------------------------------- */

static void fill_result(struct sandbox_result *out, const struct sandbox_job *job, int status)
{
	*out = (struct sandbox_result){0};
	if (WIFSIGNALED(status)) {
		out->signal = WTERMSIG(status);
		out->exit_code = 128 + out->signal;
	} else {
		out->exit_code = WEXITSTATUS(status);
	}
	/* A shell tells by 128 + 9 that what it ran was killed. */
	out->oom = out->exit_code == 128 + SIGKILL && !atomic_load(&job->killed) &&
		   oom_kills() > job->oom_before;
	out->pids = out->exit_code != 0 &&
		    cgroups_pids_refused(&runner_facts(job->runner)->groups) > job->pids_before;
}

/* The report of PID 1, which the command may have got hold of: one number, and no more than a wait
 * status has. Without one PID 1 was killed. */
static int take_report(struct sandbox_job *job, int *status)
{
	struct channel_msg m;

	for (int packets = 0; packets < REPORTS_MAX; packets++) {
		int r = channel_recv(job->ctl, &m, NULL, MSG_DONTWAIT);

		if (r <= 0)
			return r == 0 || errno != EAGAIN;
		if (m.kind == CHANNEL_EXIT) {
			*status = m.a & 0xff7f;
			return 1;
		}
		if (m.kind == CHANNEL_FAILED && m.a == CHANNEL_OP_EXEC)
			job->exec_errno = m.b > 0 ? m.b : EINVAL;
	}
	return 1;
}

/* Until there is a report, or PID 1 is dead; somebody else may hold its end of the channel open. */
static int wait_for_report(struct sandbox_job *job)
{
	struct pollfd fd[2] = {
		{.fd = job->ctl, .events = POLLIN}, {.fd = job->child.pidfd, .events = POLLIN}};
	int status = SIGKILL;

	for (;;) {
		if (poll(fd, 2, -1) < 0)
			continue;
		if (take_report(job, &status) || fd[1].revents)
			return status;
	}
}

int sandbox_end_fd(const struct sandbox_job *job)
{
	return job->child.pidfd;
}

/* Everything of the sandbox is dead; its root is there as long as bld holds it. */
static int finish_root(struct sandbox_job *job, bool freeze, struct err **err)
{
	char left[NAME_MAX + 1];
	int r = 0;

	/* Left where it is, it would become part of the layer. */
	if (target_remove_stubs(&job->region->state, left) < 0 && freeze) {
		auto_free char *shown = fs_printable(left);
		r = err_sys(err, "removing the mount point %s, which was made for this RUN", shown);
	}
	job->nparent = 0;
	if (freeze && r == 0)
		r = freeze_root(job->root, err);
	runner_let_go(job);
	return r;
}

int sandbox_wait(struct sandbox_job *job, struct sandbox_result *out, struct err **err)
{
	int status = wait_for_report(job), r;

	runner_kill_job(job);
	fill_result(out, job, status);
	out->exec_errno = job->exec_errno;
	if (out->exec_errno) {
		out->signal = 0;
		out->exit_code =
			out->exec_errno == ENOENT || out->exec_errno == ENOTDIR ? 127 : 126;
	}
	r = finish_root(job, job->freeze && !out->exit_code, err);
	runner_remove(job->runner, job);
	runner_end_job(job);
	return r;
}

void sandbox_signal(struct sandbox_job *job, int sig)
{
	if (sig == SIGKILL) {
		atomic_store(&job->killed, true);
		(void)pidfd_send_signal(job->child.pidfd, SIGKILL, NULL, 0);
		return;
	}
	if (job->command < 0)
		return;
	/* It has a session, and so a group, of its own. The flag is of Linux 6.9. */
	if (pidfd_send_signal(job->command, sig, NULL, SIGNAL_PROCESS_GROUP) < 0 &&
		errno == EINVAL && pidfd_send_signal(job->command, 0, NULL, 0) == 0)
		(void)kill(-job->command_pid, sig);
}

bool sandbox_takes_erofs(struct sandbox_runner *r)
{
	return erofsmounts_taken(runner_erofsmounts(r));
}

int sandbox_try_lowers(struct sandbox_runner *r, const struct lower *v, size_t n, struct err **err)
{
	return erofsmounts_try(runner_erofsmounts(r), v, n, err);
}

/* By making them and joining them. */
static void describe_groups(struct strlist *out)
{
	struct cgroups g;
	struct forker f;

	/* `why` says what went wrong. */
	if (cgroups_open(&g, NULL) == 0 && forker_init(&f, NULL) == 0) {
		(void)forker_start(&f, &g);
		forker_clear(&f);
	}
	auto_free char *devices = cgroups_describe(&g, CGROUP_DEVICES);
	auto_free char *pids = cgroups_describe(&g, CGROUP_PIDS);
	strlist_addf(out, "device nodes in RUN: %s%s", devices,
		cgroups_guard_devices(&g) ? "" : ": they can be made, not opened");
	strlist_addf(out, "limit of %d processes: %s", SANDBOX_PIDS_MAX, pids);
	cgroups_close(&g);
}

int sandbox_make_scratch(int scratch_fd, struct err **err)
{
	return overlay_make_scratch(scratch_fd, err);
}

const char *sandbox_scratch_refused(int dir_fd)
{
	return overlay_scratch_refused(dir_fd);
}

void sandbox_describe(struct strlist *out)
{
	const char *why = NULL;
	int no = erofsmounts_obstacle(&why), untold = errno;

	probe_describe(out);
	describe_groups(out);
	if (no < 0)
		strlist_addf(out, "EROFS images: not known (%s)", strerror(untold));
	else if (no)
		strlist_addf(out, "EROFS images: no (%s)", why);
	else
		strlist_add(out, "EROFS images: yes (where the store's file system allows)");
}

// SPDX-License-Identifier: Apache-2.0
/* The process that sandboxes are cloned from: see forker.h. */
#include "builder/sandbox/forker.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define LARGE         ((size_t)4 << 20) /* smaller mappings are not worth a call */
#define LARGE_MAX     1024
#define MAPS_MAX      ((size_t)4 << 20)
#define KEEP_MEMORY   ((size_t)256 << 10) /* of a region, for the next sandbox */
#define TALK_SIZE     ((size_t)4096)
#define LOOK_AFTER_MS 500 /* is the forker still there? Only when it does not answer */

/* DONE after a request; nothing follows on it before the next one. */
enum { TALK_IDLE, TALK_ASKED, TALK_DONE };

struct forker_talk {
	_Atomic uint32_t state; /* TALK_*; what both wait on */
	int error;
	struct cgroups_joined joined;
	void (*run)(void *arg);
	void *arg;
	uint64_t flags;
	struct forker_child child;
};

static char *region(const struct forker *f, size_t i)
{
	return (char *)f->talk + TALK_SIZE + i * f->size;
}

/* --- waiting between processes ---------------------------------------------------------------- */

static void set_state(struct forker_talk *t, uint32_t state)
{
	atomic_store(&t->state, state);
	syscall(SYS_futex, &t->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint32_t get_state(const struct forker_talk *t)
{
	return atomic_load(&t->state);
}

/* Returns for any reason; the caller looks. */
static void wait_while(struct forker_talk *t, uint32_t state, const struct timespec *limit)
{
	syscall(SYS_futex, &t->state, FUTEX_WAIT, state, limit, NULL, 0);
}

/* --- the process ------------------------------------------------------------------------------ */

/* Not sigaction(): sanitizers and libc have their own ideas about some signals. */
static void default_signals(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} dfl = {0};

	for (int sig = 1; sig <= 64; sig++)
		(void)syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof dfl.mask);
}

static _Noreturn void forker_main(
	struct forker_talk *t, pid_t parent, const struct cgroups *groups, int into)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
	cgroups_join(groups, into, &t->joined);
	set_state(t, TALK_DONE);
	(void)prctl(PR_SET_NAME, "bld-forker", 0, 0, 0);
	default_signals();
	umask(0);
	for (;;) {
		int pidfd = -1;
		pid_t pid;
		uint32_t state;
		/* Wait on the very state that was looked at: a request may come in between. */
		while ((state = get_state(t)) != TALK_ASKED)
			wait_while(t, state, NULL);
		/* Read before there is a child: the next request may be faster than that is. */
		void (*run)(void *) = t->run;
		void *arg = t->arg;
		pid = kernel_clone(t->flags | CLONE_PARENT, &pidfd);
		if (pid == 0) {
			run(arg);
			_exit(0);
		}
		t->error = pid < 0 ? errno : 0;
		t->child = (struct forker_child){pid, pidfd};
		set_state(t, TALK_DONE);
	}
}

/* --- without the large memory ----------------------------------------------------------------- */

struct large {
	struct {
		void *at;
		size_t size;
	} v[LARGE_MAX];
	size_t n;
};

static void advise(const struct large *l, int advice)
{
	for (size_t i = 0; i < l->n; i++)
		(void)madvise(l->v[i].at, l->v[i].size, advice);
}

struct range {
	uintptr_t from, to;
};

static void forker_add_range(struct large *l, uintptr_t from, uintptr_t to)
{
	if (from >= to || to - from < LARGE || l->n == LARGE_MAX)
		return;
	l->v[l->n].at = (void *)from; /* NOLINT: an address is what the kernel gives */
	l->v[l->n++].size = to - from;
}

/* After n words and the blanks behind them. */
static const char *skip_words(const char *p, int n)
{
	for (; n > 0; n--) {
		p += strcspn(p, " \n");
		p += strspn(p, " ");
	}
	return p;
}

/* A line of /proc/self/maps, "from-to mode offset device inode name": private memory that is no
 * file. The stack of this thread is needed, with what libc keeps in it; the kernel may have merged
 * it with its neighbours. */
static void forker_add_line(struct large *l, const char *line, const struct range *stack)
{
	static const char heap[] = "[heap]";
	char *p;
	uintptr_t from = strtoul(line, &p, 16), to = *p == '-' ? strtoul(p + 1, NULL, 16) : 0;
	const char *mode = skip_words(line, 1), *inode = skip_words(mode, 3);
	const char *name = skip_words(inode, 1);

	if (strcspn(mode, " \n") != 4 || mode[3] != 'p' || strtoul(inode, NULL, 10) != 0)
		return;
	if (*name && *name != '\n' && strncmp(name, heap, sizeof heap - 1) != 0)
		return;
	forker_add_range(l, from, to < stack->from ? to : stack->from);
	forker_add_range(l, from > stack->to ? from : stack->to, to);
}

static int own_stack(struct range *r)
{
	pthread_attr_t attr;
	void *at = NULL;
	size_t size = 0;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return -1;
	if (pthread_attr_getstack(&attr, &at, &size) != 0)
		size = 0;
	pthread_attr_destroy(&attr);
	*r = (struct range){(uintptr_t)at, (uintptr_t)at + size};
	return size ? 0 : -1;
}

static void find_large(struct large *l)
{
	auto_err struct err *ignored = NULL;
	auto_buf struct buf b;
	struct range stack;

	buf_init(&b, MAPS_MAX);
	/* The tables of a sanitizer are large, and every process needs them. */
	if (KERNEL_SANITIZED || own_stack(&stack) < 0 ||
		fs_read_file(AT_FDCWD, "/proc/self/maps", MAPS_MAX, &b, &ignored) < 0)
		return;
	for (const char *p = b.data; *p; p += strcspn(p, "\n"), p += *p == '\n')
		forker_add_line(l, p, &stack);
}

/* Only asked when there is no answer for long: the kernel may have killed it for its memory. */
static bool is_dead(const struct forker *f)
{
	siginfo_t info = {0};

	return waitid(P_PIDFD, (id_t)f->pidfd, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
	       info.si_pid != 0;
}

/* Of what is asked: 0, or ESRCH when the process has died. */
static int forker_await(struct forker *f)
{
	const struct timespec limit = {.tv_nsec = LOOK_AFTER_MS * 1000000L};
	struct forker_talk *t = f->talk;

	while (get_state(t) == TALK_ASKED) {
		wait_while(t, TALK_ASKED, &limit);
		if (get_state(t) == TALK_ASKED && is_dead(f))
			return ESRCH;
	}
	return 0;
}

/* Into the group of version 2, where there is one to be had. What was wrong with that, or 0. */
static int clone_self(const struct cgroups *groups, pid_t *pid, int *pidfd)
{
	int error = 0;

	*pid = -1;
	if (groups->into >= 0) {
		*pid = kernel_clone_into(CLONE_FILES, pidfd, groups->into);
		if (*pid >= 0 || !cgroups_refused(errno))
			return 0;
		error = errno;
	}
	*pid = kernel_clone(CLONE_FILES, pidfd);
	return error;
}

int forker_start(struct forker *f, struct cgroups *groups)
{
	auto_free struct large *l = mem_alloc(sizeof *l);
	struct forker_talk *t = f->talk;
	pid_t parent = getpid();

	find_large(l);
	advise(l, MADV_DONTFORK);
	/* The child has no heap when that is large: it touches its stack and the talk. */
	int pidfd = -1;
	pid_t pid = -1;
	const struct cgroups own = *groups; /* on the stack: see above */
	t->state = TALK_ASKED;              /* to join */
	int into = clone_self(&own, &pid, &pidfd);
	if (pid == 0)
		forker_main(t, parent, &own, into);
	int error = pid < 0 ? errno : 0;
	f->pid = pid;
	f->pidfd = pidfd;
	advise(l, MADV_DOFORK);
	if (!error)
		error = forker_await(f);
	if (error)
		return error;
	return cgroups_settle(groups, &t->joined);
}

/* --- bld -------------------------------------------------------------------------------------- */

static void *map(size_t region_size)
{
	return mmap(NULL, TALK_SIZE + FORKER_REGIONS * region_size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int forker_init(struct forker *f, struct err **err)
{
	void *p = map(FORKER_REGION_SIZE);

	*f = (struct forker){.pidfd = -1, .size = FORKER_REGION_SIZE};
	if (p == MAP_FAILED) {
		f->size = FORKER_REGION_SMALL;
		p = map(f->size);
	}
	if (p == MAP_FAILED)
		return err_sys_kind(err, ERR_SANDBOX, "map memory for sandboxes");
	f->talk = p;
	pthread_mutex_init(&f->lock, NULL);
	return 0;
}

void forker_clear(struct forker *f)
{
	siginfo_t info;

	if (!f->talk)
		return;
	if (f->pidfd >= 0) {
		(void)pidfd_send_signal(f->pidfd, SIGKILL, NULL, 0);
		while (waitid(P_PIDFD, (id_t)f->pidfd, &info, WEXITED | __WALL) < 0 &&
			errno == EINTR)
			;
		close(f->pidfd);
	}
	munmap(f->talk, TALK_SIZE + FORKER_REGIONS * f->size);
	pthread_mutex_destroy(&f->lock);
}

void *forker_take_region(struct forker *f)
{
	void *p = NULL;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; !p && i < FORKER_REGIONS; i++) {
		if (!f->used[i]) {
			f->used[i] = true;
			p = region(f, i);
		}
	}
	pthread_mutex_unlock(&f->lock);
	return p;
}

void forker_return_region(struct forker *f, void *p, size_t written)
{
	size_t i = (size_t)((char *)p - region(f, 0)) / f->size;

	if (written > KEEP_MEMORY && madvise(p, f->size, MADV_REMOVE) == 0)
		written = 0;
	memset(p, 0, written);
	pthread_mutex_lock(&f->lock);
	f->used[i] = false;
	pthread_mutex_unlock(&f->lock);
}

int forker_clone(struct forker *f, void (*run)(void *arg), void *arg, uint64_t flags,
	struct forker_child *out)
{
	struct forker_talk *t = f->talk;
	int error;

	pthread_mutex_lock(&f->lock);
	t->run = run;
	t->arg = arg;
	t->flags = flags;
	set_state(t, TALK_ASKED);
	error = forker_await(f);
	if (!error) {
		error = t->error;
		*out = t->child;
	}
	pthread_mutex_unlock(&f->lock);
	errno = error;
	return error ? -1 : 0;
}

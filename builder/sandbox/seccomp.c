// SPDX-License-Identifier: Apache-2.0
/*
 * The filter of the command, for builds with root's privilege and no user namespace: nothing that
 * makes or enters namespaces or mounts, and none of the interfaces that a build does not need and
 * that were the way into the kernel before (AF_ALG, AF_VSOCK, io_uring, keyrings, bpf, userfaultfd,
 * TIOCSTI).
 *
 * libseccomp knows the numbers; the program is written here. Its own compiler needs 20 ms for this
 * list and yields three times the instructions, which the kernel checks and translates for every
 * RUN. The program: per architecture a binary tree over ranges of numbers with the same answer;
 * the answer of some is a look at one argument. Foreign architectures, x32 among them, get ENOSYS.
 *
 * i386 multiplexes sockets through socketcall, whose arguments are in memory where no filter can
 * see them; it is allowed, or most 32-bit programs could not use the network.
 */
#include "builder/sandbox/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/seccomp_names.h"
#include "builder/sandbox/seccomplib.h"
#include "store/base/mem.h"

#define CHECK_VALUES 5
#define NEW_SPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)
#define NUMBERS_MAX 1024 /* names times architectures stay far below */
#define JUMP_MAX    255  /* of a conditional jump */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_WORD 0
#else
#define LOW_WORD 4
#endif

/* Calls whose answer depends on one argument. The kernel uses the low 32 bits of all of these. */
struct check {
	const char *name;
	unsigned arg;
	uint32_t mask;
	bool allow; /* the values listed are those allowed, not those refused */
	size_t n;
	uint32_t value[CHECK_VALUES];
};

static const struct check checks[] = {
	{"socket", 0, ~0U, false, 2, {AF_ALG, AF_VSOCK}},
	{"socketpair", 0, ~0U, false, 2, {AF_ALG, AF_VSOCK}},
	/* Characters pushed into a terminal are typed by whoever reads it. */
	{"ioctl", 1, ~0U, false, 2, {TIOCSTI, TIOCLINUX}},
	{"clone", 0, NEW_SPACES, true, 1, {0}},
	/* Linux, short inode, UNAME26, both, and the question for the present one */
	{"personality", 0, ~0U, true, 5, {0x0, 0x8, 0x20000, 0x20008, 0xffffffff}},
};

/* System calls of i386 that libseccomp knows only as parts of socketcall and ipc. */
static const struct {
	const char *name;
	int nr;
} i386_direct[] = {
	{"socket", 359},
	{"socketpair", 360},
	{"bind", 361},
	{"connect", 362},
	{"listen", 363},
	{"accept4", 364},
	{"getsockopt", 365},
	{"setsockopt", 366},
	{"getsockname", 367},
	{"getpeername", 368},
	{"sendto", 369},
	{"sendmsg", 370},
	{"recvfrom", 371},
	{"recvmsg", 372},
	{"shutdown", 373},
	{"semget", 393},
	{"semctl", 394},
	{"shmget", 395},
	{"shmctl", 396},
	{"shmat", 397},
	{"shmdt", 398},
	{"msgget", 399},
	{"msgsnd", 400},
	{"msgrcv", 401},
	{"msgctl", 402},
};

static const uint32_t architectures[] = {
#if defined(__x86_64__)
	SCMP_ARCH_X86_64,
	SCMP_ARCH_X86,
#elif defined(__aarch64__)
	SCMP_ARCH_AARCH64,
	SCMP_ARCH_ARM,
#else
#error "the system call filter is not written for this machine"
#endif
};

/* What a number gets: one of these, or ANSWER_CHECK + the index of a check. */
enum answer { ANSWER_NONE, ANSWER_ALLOW, ANSWER_REFUSE, ANSWER_CHECK };

struct number {
	uint32_t nr; /* from this one on, in a list of ranges */
	unsigned answer;
};

struct numbers {
	struct number v[NUMBERS_MAX];
	size_t n;
};

struct program {
	struct sock_filter v[BPF_MAXINSNS];
	size_t n;
	bool full;
};

/* --- numbers ---------------------------------------------------------------------------------- */

static int resolve(uint32_t arch, const char *name)
{
	int nr = seccomplib_get(NULL)->resolve_name(arch, name);

	for (size_t i = 0; arch == SCMP_ARCH_X86 && nr < 0 && i < ARRAY_LEN(i386_direct); i++)
		if (strcmp(i386_direct[i].name, name) == 0)
			return i386_direct[i].nr;
	return nr;
}

/* Unknown here, or no call of its own on this architecture: ENOSYS. */
static void add_name(struct numbers *l, uint32_t arch, const char *name, unsigned answer)
{
	int nr = resolve(arch, name);

	if (nr >= 0 && l->n < NUMBERS_MAX)
		l->v[l->n++] = (struct number){(uint32_t)nr, answer};
}

/* By number; of two answers for one the later kind wins: a check over a refusal over allowed. */
static int by_number(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return (x->answer < y->answer) - (x->answer > y->answer);
}

static void collect(struct numbers *l, uint32_t arch)
{
	l->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(seccomp_allowed); i++)
		add_name(l, arch, seccomp_allowed[i], ANSWER_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(seccomp_refused); i++)
		add_name(l, arch, seccomp_refused[i], ANSWER_REFUSE);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		add_name(l, arch, checks[i].name, ANSWER_CHECK + (unsigned)i);
	qsort(l->v, l->n, sizeof(l->v[0]), by_number);
}

static void add_range(struct numbers *r, uint32_t from, unsigned answer)
{
	if (r->n > 0 && r->v[r->n - 1].answer == answer)
		return;
	if (r->n < NUMBERS_MAX)
		r->v[r->n++] = (struct number){from, answer};
}

/* Ranges that cover all numbers; the last one has no end. */
static void make_ranges(const struct numbers *l, struct numbers *r)
{
	uint32_t next = 0;

	r->n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0 && l->v[i].nr == l->v[i - 1].nr)
			continue;
		if (l->v[i].nr > next)
			add_range(r, next, ANSWER_NONE);
		add_range(r, l->v[i].nr, l->v[i].answer);
		next = l->v[i].nr + 1;
	}
	add_range(r, next, ANSWER_NONE);
}

/* --- instructions ----------------------------------------------------------------------------- */

static void emit(struct program *p, struct sock_filter f)
{
	if (p->n < ARRAY_LEN(p->v))
		p->v[p->n++] = f;
	else
		p->full = true;
}

static void emit_load(struct program *p, size_t offset)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_return(struct program *p, unsigned answer)
{
	uint32_t ret = SECCOMP_RET_ERRNO | ENOSYS;

	if (answer == ANSWER_ALLOW)
		ret = SECCOMP_RET_ALLOW;
	else if (answer == ANSWER_REFUSE)
		ret = SECCOMP_RET_ERRNO | EPERM;
	emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ret));
}

static void emit_check(struct program *p, const struct check *c)
{
	emit_load(p, offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t) + LOW_WORD);
	if (c->mask != ~0U)
		emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
	for (size_t i = 0; i < c->n; i++) /* over the rest of them and one return */
		emit(p, (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JEQ | BPF_K, c->value[i], (uint8_t)(c->n - i), 0));
	emit_return(p, c->allow ? ANSWER_REFUSE : ANSWER_ALLOW);
	emit_return(p, c->allow ? ANSWER_ALLOW : ANSWER_REFUSE);
}

/* Set the jump at `at`, for which `spare` instructions are reserved, over what follows it. */
static void close_jump(struct program *p, size_t at, uint16_t code, uint32_t value)
{
	size_t over = p->n - at - 1;

	if (over <= JUMP_MAX) {
		p->v[at] = (struct sock_filter)BPF_JUMP(code, value, (uint8_t)over, 0);
		return;
	}
	/* Too far: a second instruction, and what follows moves; its own jumps are relative. */
	emit_return(p, ANSWER_NONE);
	if (p->full)
		return;
	memmove(&p->v[at + 2], &p->v[at + 1], over * sizeof(p->v[0]));
	p->v[at] = (struct sock_filter)BPF_JUMP(code, value, 0, 1);
	p->v[at + 1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)over);
}

static void emit_tree(struct program *p, const struct number *r, size_t n)
{
	size_t half = n / 2, at = p->n;

	if (n > 1) {
		emit_return(p, ANSWER_NONE); /* room for the jump */
		emit_tree(p, r, half);
		if (!p->full)
			close_jump(p, at, BPF_JMP | BPF_JGE | BPF_K, r[half].nr);
		emit_tree(p, r + half, n - half);
	} else if (r->answer >= ANSWER_CHECK) {
		emit_check(p, &checks[r->answer - ANSWER_CHECK]);
	} else {
		emit_return(p, r->answer);
	}
}

static void emit_architecture(struct program *p, uint32_t arch, struct numbers scratch[2])
{
	size_t skip;

	collect(&scratch[0], arch);
	make_ranges(&scratch[0], &scratch[1]);
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0));
	skip = p->n;
	emit_return(p, ANSWER_NONE);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_tree(p, scratch[1].v, scratch[1].n);
	if (!p->full)
		p->v[skip] =
			(struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(p->n - skip - 1));
}

int sandbox_seccomp_compile(struct sandbox_seccomp *f, struct err **err)
{
	auto_free struct program *p = mem_alloc(sizeof(*p));
	auto_free struct numbers *scratch = mem_array(2, sizeof(*scratch));

	*f = (struct sandbox_seccomp){0};
	if (!seccomplib_get(err))
		return -1;
	emit_load(p, offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < ARRAY_LEN(architectures); i++)
		emit_architecture(p, architectures[i], scratch);
	emit_return(p, ANSWER_NONE);
	if (p->full || scratch[0].n == NUMBERS_MAX || scratch[1].n == NUMBERS_MAX)
		return err_set(err, ERR_SANDBOX, "the system call filter is too long");
	f->prog.len = (unsigned short)p->n;
	f->prog.filter = mem_dup(p->v, p->n * sizeof(p->v[0]));
	return 0;
}

void sandbox_seccomp_clear(struct sandbox_seccomp *f)
{
	free(f->prog.filter);
	*f = (struct sandbox_seccomp){0};
}

/* --- in the command's process ------------------------------------------------------------------
 */

static int no_new_privileges(struct ops_state *st, const struct op *op)
{
	(void)st;
	(void)op;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int load(struct ops_state *st, const struct op *op)
{
	(void)st;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, op->arg) < 0 ? -1 : 0;
}

void sandbox_seccomp_plan(struct op_list *l, const struct sandbox_seccomp *f, bool no_new_privs)
{
	struct sock_fprog *prog;

	if (no_new_privs)
		ops_add(l, &(struct op){no_new_privileges, .what = "set no_new_privs"});
	prog = ops_dup(l, &f->prog, sizeof(f->prog));
	prog->filter = ops_dup(l, f->prog.filter, f->prog.len * sizeof(*f->prog.filter));
	ops_add(l, &(struct op){load, .what = "load the system call filter", .arg = prog});
}

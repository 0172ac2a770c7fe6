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
 * the answer of some is a look at one argument. Each answer is one instruction that all jump to,
 * for the kernel's work at every RUN grows with the instructions. Foreign architectures, x32 among
 * them, get ENOSYS.
 *
 * i386 multiplexes sockets through socketcall, whose arguments are in memory where no filter can
 * see them; it is allowed, or most 32-bit programs could not use the network.
 */
#include "builder/sandbox/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

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
	/* PID 1 has the user and the privilege of the command, and is none of its processes. */
	{"ptrace", 1, ~0U, false, 1, {1}},
	{"process_vm_readv", 0, ~0U, false, 1, {1}},
	{"process_vm_writev", 0, ~0U, false, 1, {1}},
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

static int seccomp_resolve(uint32_t arch, const char *name)
{
	int nr = seccomplib_get(NULL)->resolve_name(arch, name);

	for (size_t i = 0; arch == SCMP_ARCH_X86 && nr < 0 && i < ARRAY_LEN(i386_direct); i++)
		if (strcmp(i386_direct[i].name, name) == 0)
			return i386_direct[i].nr;
	return nr;
}

/* Unknown here, or no call of its own on this architecture: ENOSYS. */
static void seccomp_add_name(struct numbers *l, uint32_t arch, const char *name, unsigned answer)
{
	int nr = seccomp_resolve(arch, name);

	if (nr >= 0 && l->n < NUMBERS_MAX)
		l->v[l->n++] = (struct number){(uint32_t)nr, answer};
}

/* By number; of two answers for one the later kind wins: a check over a refusal over allowed. */
static int seccomp_by_number(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return (x->answer < y->answer) - (x->answer > y->answer);
}

static void seccomp_collect(struct numbers *l, uint32_t arch)
{
	l->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(seccomp_allowed); i++)
		seccomp_add_name(l, arch, seccomp_allowed[i], ANSWER_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(seccomp_refused); i++)
		seccomp_add_name(l, arch, seccomp_refused[i], ANSWER_REFUSE);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		seccomp_add_name(l, arch, checks[i].name, ANSWER_CHECK + (unsigned)i);
	qsort(l->v, l->n, sizeof l->v[0], seccomp_by_number);
}

static void seccomp_add_range(struct numbers *r, uint32_t from, unsigned answer)
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
			seccomp_add_range(r, next, ANSWER_NONE);
		seccomp_add_range(r, l->v[i].nr, l->v[i].answer);
		next = l->v[i].nr + 1;
	}
	seccomp_add_range(r, next, ANSWER_NONE);
}

/* --- instructions ----------------------------------------------------------------------------- */

/* Jumps go forward only, so the program is made from its end: what a jump goes to is there when it
 * is made. A place is a number of instructions from the end. */
static size_t seccomp_emit(struct program *p, struct sock_filter f)
{
	if (p->n < ARRAY_LEN(p->v))
		p->v[p->n++] = f;
	else
		p->full = true;
	return p->n - 1;
}

static size_t emit_load(struct program *p, size_t offset)
{
	return seccomp_emit(
		p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static size_t emit_return(struct program *p, uint32_t ret)
{
	return seccomp_emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ret));
}

/* How far an instruction made now has to jump. */
static size_t distance(const struct program *p, size_t to)
{
	return p->n - to - 1;
}

static size_t emit_far(struct program *p, size_t to)
{
	return seccomp_emit(
		p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance(p, to)));
}

/* The answer is made once per architecture; a conditional jump to it may need a step between. */
static size_t emit_jump(struct program *p, uint16_t code, uint32_t value, size_t yes, size_t no)
{
	if (distance(p, yes) >= JUMP_MAX)
		yes = emit_far(p, yes);
	if (distance(p, no) > JUMP_MAX)
		no = emit_far(p, no);
	return seccomp_emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | code | BPF_K, value,
				       (uint8_t)distance(p, yes), (uint8_t)distance(p, no)));
}

/* Where to jump for an answer. */
struct answers {
	size_t at[ANSWER_CHECK + ARRAY_LEN(checks)];
};

static size_t emit_check(struct program *p, const struct check *c, const struct answers *a)
{
	size_t listed = a->at[c->allow ? ANSWER_ALLOW : ANSWER_REFUSE];
	size_t next = a->at[c->allow ? ANSWER_REFUSE : ANSWER_ALLOW];

	for (size_t i = c->n; i-- > 0;)
		next = emit_jump(p, BPF_JEQ, c->value[i], listed, next);
	if (c->mask != ~0U)
		seccomp_emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
	return emit_load(
		p, offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t) + LOW_WORD);
}

static void emit_answers(struct program *p, struct answers *a)
{
	a->at[ANSWER_NONE] = emit_return(p, SECCOMP_RET_ERRNO | ENOSYS);
	a->at[ANSWER_REFUSE] = emit_return(p, SECCOMP_RET_ERRNO | EPERM);
	a->at[ANSWER_ALLOW] = emit_return(p, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		a->at[ANSWER_CHECK + i] = emit_check(p, &checks[i], a);
}

static size_t emit_tree(
	struct program *p, const struct number *r, size_t n, const struct answers *a)
{
	size_t half = n / 2, above, below;

	if (n == 1)
		return a->at[r->answer];
	above = emit_tree(p, r + half, n - half, a);
	below = emit_tree(p, r, half, a);
	return emit_jump(p, BPF_JGE, r[half].nr, above, below);
}

/* For another architecture it goes to what was made before. */
static void emit_architecture(struct program *p, uint32_t arch, struct numbers scratch[2])
{
	struct answers a;
	size_t other = p->n - 1, tree;

	seccomp_collect(&scratch[0], arch);
	make_ranges(&scratch[0], &scratch[1]);
	emit_answers(p, &a);
	tree = emit_tree(p, scratch[1].v, scratch[1].n, &a);
	if (distance(p, tree) > 0)
		emit_far(p, tree);
	tree = emit_load(p, offsetof(struct seccomp_data, nr));
	emit_jump(p, BPF_JEQ, arch, tree, other);
}

static void reverse(struct program *p)
{
	for (size_t i = 0, k = p->n; i + 1 < k; i++) {
		struct sock_filter f = p->v[--k];

		p->v[k] = p->v[i];
		p->v[i] = f;
	}
}

int sandbox_seccomp_compile(struct sandbox_seccomp *f, struct err **err)
{
	auto_free struct program *p = mem_alloc(sizeof *p);
	auto_free struct numbers *scratch = mem_array(2, sizeof *scratch);

	*f = (struct sandbox_seccomp){0};
	if (!seccomplib_get(err))
		return -1;
	emit_return(p, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = ARRAY_LEN(architectures); i-- > 0;)
		emit_architecture(p, architectures[i], scratch);
	emit_load(p, offsetof(struct seccomp_data, arch));
	reverse(p);
	if (p->full || scratch[0].n == NUMBERS_MAX || scratch[1].n == NUMBERS_MAX)
		return err_set(err, ERR_SANDBOX, "the system call filter is too long");
	f->prog.len = (unsigned short)p->n;
	f->prog.filter = mem_dup(p->v, p->n * sizeof p->v[0]);
	return 0;
}

void sandbox_seccomp_clear(struct sandbox_seccomp *f)
{
	free(f->prog.filter);
	*f = (struct sandbox_seccomp){0};
}

/* --- in the command's process --------------------------------------------------------------- */

static int seccomp_install(struct ops_state *st, const struct op *op)
{
	(void)st;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, op->arg) < 0 ? -1 : 0;
}

void sandbox_seccomp_plan(struct op_list *l, const struct sandbox_seccomp *f)
{
	struct sock_fprog *prog;

	prog = ops_dup(l, &f->prog, sizeof f->prog);
	prog->filter = ops_dup(l, f->prog.filter, f->prog.len * sizeof *f->prog.filter);
	ops_add(l,
		&(struct op){seccomp_install, .what = "load the system call filter", .arg = prog});
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The filter of the command, for builds with root's privilege and no user namespace: nothing that
 * makes or enters namespaces or mounts, and none of the interfaces that a build does not need and
 * that were the way into the kernel before (AF_ALG, AF_VSOCK, io_uring, keyrings, bpf, userfaultfd,
 * TIOCSTI). All architectures that the CPU runs are filtered. Names that libseccomp does not know
 * are left to ENOSYS.
 *
 * i386 multiplexes sockets through socketcall, whose arguments are in memory where no filter can
 * see them; it is allowed, or no 32-bit program could use the network.
 */
#include "builder/sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/seccomp_names.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif

#define WORD        0xffffffffU
#define PROGRAM_MAX ((size_t)BPF_MAXINSNS * sizeof(struct sock_filter))

/* Calls that are refused when the argument, masked, has this value. */
struct refusal {
	const char *name;
	unsigned arg;
	uint64_t mask, value;
};

static const struct refusal refusals[] = {
	{"socket", 0, WORD, AF_ALG},
	{"socket", 0, WORD, AF_VSOCK},
	{"socketpair", 0, WORD, AF_ALG},
	{"socketpair", 0, WORD, AF_VSOCK},
	/* Characters pushed into a terminal are typed by whoever reads it. */
	{"ioctl", 1, WORD, TIOCSTI},
	{"ioctl", 1, WORD, TIOCLINUX},
	{"clone", 0, CLONE_NEWNS, CLONE_NEWNS},
	{"clone", 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP},
	{"clone", 0, CLONE_NEWUTS, CLONE_NEWUTS},
	{"clone", 0, CLONE_NEWIPC, CLONE_NEWIPC},
	{"clone", 0, CLONE_NEWUSER, CLONE_NEWUSER},
	{"clone", 0, CLONE_NEWPID, CLONE_NEWPID},
	{"clone", 0, CLONE_NEWNET, CLONE_NEWNET},
};

/* personality(2): Linux, short inode, UNAME26, both, and the question for the present one. */
static const uint64_t personalities[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

static int add_architectures(scmp_filter_ctx ctx)
{
#if defined(__x86_64__)
	int r = seccomp_arch_add(ctx, SCMP_ARCH_X86);

	return r < 0 ? r : seccomp_arch_add(ctx, SCMP_ARCH_X32);
#elif defined(__aarch64__)
	return seccomp_arch_add(ctx, SCMP_ARCH_ARM);
#else
	(void)ctx;
	return 0;
#endif
}

static bool is_known(const char *name, int *nr)
{
	*nr = seccomp_syscall_resolve_name(name);
	return *nr != __NR_SCMP_ERROR;
}

static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr, r;

		if (!is_known(names[i], &nr))
			continue;
		r = seccomp_rule_add(ctx, action, nr, 0);
		if (r < 0 && r != -EDOM) /* not on any of these architectures */
			return r;
	}
	return 0;
}

static int add_personalities(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(personalities); i++) {
		int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
			SCMP_A0(SCMP_CMP_EQ, personalities[i]));

		if (r < 0)
			return r;
	}
	return 0;
}

static int by_number(scmp_filter_ctx ctx)
{
	int r = add_names(ctx, SCMP_ACT_ALLOW, seccomp_allowed, ARRAY_LEN(seccomp_allowed));

	if (r == 0)
		r = add_personalities(ctx);
	if (r == 0)
		r = add_names(
			ctx, SCMP_ACT_ERRNO(EPERM), seccomp_refused, ARRAY_LEN(seccomp_refused));
	return r;
}

static int by_argument(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *f = &refusals[i];
		int nr, r;

		if (!is_known(f->name, &nr))
			continue;
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 1,
			SCMP_CMP(f->arg, SCMP_CMP_MASKED_EQ, f->mask, f->value));
		if (r < 0)
			return r;
	}
	return 0;
}

static int export(scmp_filter_ctx ctx, struct sock_fprog *out)
{
	auto_fd int fd = memfd_create("bld-seccomp", MFD_CLOEXEC);
	struct stat sb;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &sb) < 0)
		return -errno;
	if (sb.st_size <= 0 || (size_t)sb.st_size > PROGRAM_MAX)
		return -E2BIG;
	out->filter = mem_alloc((size_t)sb.st_size);
	out->len = (unsigned short)((size_t)sb.st_size / sizeof(*out->filter));
	return fs_pread_all(fd, out->filter, (size_t)sb.st_size, 0) < 0 ? -errno : 0;
}

static int compile(uint32_t otherwise, int (*rules)(scmp_filter_ctx), struct sock_fprog *out)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int r;

	if (!ctx)
		return -ENOMEM;
	/* A foreign architecture gets ENOSYS as well, not a signal. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary search */
	if (r == 0)
		r = add_architectures(ctx);
	if (r == 0)
		r = rules(ctx);
	if (r == 0)
		r = export(ctx, out);
	seccomp_release(ctx);
	return r;
}

int sandbox_seccomp_compile(struct sandbox_seccomp *f, struct err **err)
{
	int r;

	*f = (struct sandbox_seccomp){0};
	r = compile(SCMP_ACT_ERRNO(ENOSYS), by_number, &f->prog[0]);
	if (r == 0)
		r = compile(SCMP_ACT_ALLOW, by_argument, &f->prog[1]);
	if (r == 0)
		return 0;
	sandbox_seccomp_clear(f);
	return err_set(err, ERR_SANDBOX, "compile the system call filter: %s", strerror(-r));
}

void sandbox_seccomp_clear(struct sandbox_seccomp *f)
{
	for (size_t i = 0; i < SANDBOX_SECCOMP_PROGRAMS; i++)
		free(f->prog[i].filter);
	*f = (struct sandbox_seccomp){0};
}

static int no_new_privileges(struct ops_state *st, const struct op *op)
{
	(void)st;
	(void)op;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The program that allows by number comes last: it may refuse seccomp(2) itself. */
static int load(struct ops_state *st, const struct op *op)
{
	const struct sandbox_seccomp *f = op->arg;

	(void)st;
	for (size_t i = SANDBOX_SECCOMP_PROGRAMS; i-- > 0;)
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f->prog[i]) < 0)
			return -1;
	return 0;
}

void sandbox_seccomp_plan(struct op_list *l, const struct sandbox_seccomp *f, bool no_new_privs)
{
	if (no_new_privs)
		ops_add(l, &(struct op){no_new_privileges, .what = "set no_new_privs"});
	ops_add(l, &(struct op){load, .what = "load the system call filter", .arg = f});
}

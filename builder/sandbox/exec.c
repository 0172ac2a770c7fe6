// SPDX-License-Identifier: Apache-2.0
/* From a process of bld to the command: see exec.h. */
#include "builder/sandbox/exec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "builder/sandbox/kernel.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

#define FD_CTL    3 /* where the launcher reports */
#define FD_LAUNCH 4
#define FD_ABOVE  10 /* copies are made here before 0 to 4 are filled */

#if defined(__x86_64__)
#define LAUNCH_MACHINE EM_X86_64
/*
 * fcntl(3, F_SETFD, FD_CLOEXEC) or exit(126); execve(argv[0], argv + 1, envp); write(3, &errno, 4);
 * exit(126). The first exit is for a script that names /proc/self/exe as its interpreter: by then 3
 * is closed, and without it the two would execute each other forever.
 */
__asm__(".pushsection .rodata.exec_code,\"a\",@progbits\n"
	"exec_code_begin:\n"
	"	mov	$72, %eax\n"
	"	mov	$3, %edi\n"
	"	mov	$2, %esi\n"
	"	mov	$1, %edx\n"
	"	syscall\n"
	"	test	%eax, %eax\n"
	"	js	1f\n"
	"	mov	(%rsp), %rcx\n"
	"	mov	8(%rsp), %rdi\n"
	"	lea	16(%rsp), %rsi\n"
	"	lea	16(%rsp,%rcx,8), %rdx\n"
	"	mov	$59, %eax\n"
	"	syscall\n"
	"	neg	%eax\n"
	"	push	%rax\n"
	"	mov	$1, %eax\n"
	"	mov	$3, %edi\n"
	"	mov	%rsp, %rsi\n"
	"	mov	$4, %edx\n"
	"	syscall\n"
	"1:	mov	$231, %eax\n"
	"	mov	$126, %edi\n"
	"	syscall\n"
	"	hlt\n"
	"exec_code_end:\n"
	".popsection\n");
#elif defined(__aarch64__) /* the same */
#define LAUNCH_MACHINE EM_AARCH64
__asm__(".pushsection .rodata.exec_code,\"a\",@progbits\n"
	".balign 4\n"
	"exec_code_begin:\n"
	"	mov	x8, #25\n"
	"	mov	x0, #3\n"
	"	mov	x1, #2\n"
	"	mov	x2, #1\n"
	"	svc	#0\n"
	"	tbnz	w0, #31, 1f\n"
	"	ldr	x3, [sp]\n"
	"	ldr	x0, [sp, #8]\n"
	"	add	x1, sp, #16\n"
	"	add	x2, x1, x3, lsl #3\n"
	"	mov	x8, #221\n"
	"	svc	#0\n"
	"	neg	w0, w0\n"
	"	str	x0, [sp, #-16]!\n"
	"	mov	x8, #64\n"
	"	mov	x0, #3\n"
	"	mov	x1, sp\n"
	"	mov	x2, #4\n"
	"	svc	#0\n"
	"1:	mov	x8, #94\n"
	"	mov	x0, #126\n"
	"	svc	#0\n"
	"	brk	#0\n"
	"exec_code_end:\n"
	".popsection\n");
#else
#error "the launcher is not written for this machine: see exec.h"
#endif

extern const char exec_code_begin[] __attribute__((visibility("hidden")));
extern const char exec_code_end[] __attribute__((visibility("hidden")));

/* One loadable segment: headers and code. */
struct launcher {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	char code[256];
};

#define LAUNCH_ADDRESS 0x400000UL

static void fill_launcher(struct launcher *p, size_t code)
{
	size_t size = offsetof(struct launcher, code) + code;

	*p = (struct launcher){
		.head =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = LAUNCH_MACHINE,
				.e_version = EV_CURRENT,
				.e_entry = LAUNCH_ADDRESS + offsetof(struct launcher, code),
				.e_phoff = offsetof(struct launcher, segment),
				.e_ehsize = sizeof(p->head),
				.e_phentsize = sizeof(p->segment),
				.e_phnum = 1,
			},
		.segment =
			{
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_X,
				.p_vaddr = LAUNCH_ADDRESS,
				.p_paddr = LAUNCH_ADDRESS,
				.p_filesz = size,
				.p_memsz = size,
				.p_align = 0x1000,
			},
	};
	memcpy(p->code, exec_code_begin, code);
}

int exec_launcher(struct err **err)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	size_t code = (size_t)(exec_code_end - exec_code_begin);
	struct launcher p;
	auto_fd int fd = -1;

	fill_launcher(&p, code);
	fd = memfd_create("bld-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("bld-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys_kind(err, ERR_SANDBOX, "make an executable memfd");
	if (fs_write_all(fd, &p, offsetof(struct launcher, code) + code) < 0 ||
		fchmod(fd, 0555) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "write and seal a memfd");
	return TAKE_FD(fd);
}

/* --- which program --------------------------------------------------------------------------- */

static const char *search_path(const char *const *envp)
{
	for (; envp && *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return EXEC_PATH_DEFAULT;
}

static const char *const *candidates(struct op_list *l, const char *name, const char *path)
{
	size_t n = 2, k = 0;
	const char **v;

	for (const char *p = path; *p; p++)
		n += *p == ':';
	v = ops_array(l, n + 1, sizeof(*v));
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
static const char **copy_words(struct op_list *l, const char *const *v, size_t before)
{
	size_t n = 0;
	const char **copy;

	while (v && v[n])
		n++;
	copy = ops_array(l, before + n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[before + i] = ops_text(l, "%s", v[i]);
	return copy;
}

const struct exec_command *exec_prepare(struct op_list *l, const struct sandbox_spec *s)
{
	struct exec_command *c = ops_alloc(l, sizeof(*c));

	c->argv = copy_words(l, s->argv, 1);
	c->envp = copy_words(l, s->envp, 0);
	c->candidate = candidates(l, s->argv[0], search_path(s->envp));
	return c;
}

/* --- in the command's process ---------------------------------------------------------------- */

static int own_session(struct ops_state *st, const struct op *op)
{
	(void)st;
	(void)op;
	return syscall(SYS_setsid) < 0 ? -1 : 0;
}

/* 0, 1, 2 for the command, 3 and 4 for the launcher; nothing else is open behind this. */
static int place_files(struct ops_state *st, const struct op *op)
{
	static const int from[] = {OPS_STDIN, OPS_STDOUT, OPS_STDERR, OPS_CTL, OPS_LAUNCH};
	int high[ARRAY_LEN(from)];

	(void)op;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		high[i] = fcntl(st->slot[from[i]], F_DUPFD_CLOEXEC, FD_ABOVE);
		if (high[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		/* The launcher sets close-on-exec for 3 itself, when it is running. */
		if (dup3(high[i], (int)i, i == FD_LAUNCH ? O_CLOEXEC : 0) < 0)
			return -1;
		st->slot[from[i]] = (int)i;
	}
	return close_range(FD_LAUNCH + 1, ~0U, 0);
}

void exec_plan_before(struct op_list *l)
{
	ops_add(l, &(struct op){own_session, .what = "start a session"});
	ops_add(l, &(struct op){place_files, .what = "place the standard files"});
}

/* A working directory outside of the root shows as ENOENT or as "(unreachable)/...". */
static int check_cwd(struct ops_state *st, const struct op *op)
{
	char path[PATH_MAX];
	long n = syscall(SYS_getcwd, path, sizeof(path));

	(void)st;
	(void)op;
	if (n > 0 && path[0] == '/')
		return 0;
	if (n > 0)
		errno = EXDEV;
	return -1;
}

static int open_signals(struct ops_state *st, const struct op *op)
{
	sigset_t none;

	(void)st;
	(void)op;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

void exec_plan_after(struct op_list *l)
{
	ops_add(l, &(struct op){check_cwd, .what = "check the working directory"});
	ops_add(l, &(struct op){open_signals, .what = "unblock signals"});
}

/* As execvp chooses: the first that can be executed; otherwise EACCES if one was there. */
static const char *pick(const struct exec_command *c, int *error)
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

	c->argv[0] = pick(c, &error);
	if (!c->argv[0])
		return error;
	syscall(SYS_execveat, st->slot[OPS_LAUNCH], "", c->argv, c->envp, AT_EMPTY_PATH);
	return errno;
}

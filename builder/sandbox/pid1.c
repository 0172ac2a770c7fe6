// SPDX-License-Identifier: Apache-2.0
/* PID 1 of a sandbox, as instructions: see pid1.h. It has no libc, no stack to speak of, no data.
 */
#include "builder/sandbox/pid1.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/channel.h"
#include "store/base/fs.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

_Static_assert(CHANNEL_READY == 2 && CHANNEL_EXIT == 4, "the instructions write these numbers");

#if defined(__x86_64__)
#define PID1_MACHINE EM_X86_64
/* r12 the words, r13 the environment, r15 the child */
__asm__(".pushsection .rodata.pid1_code,\"a\",@progbits\n"
	"pid1_code_begin:\n"
	"	mov	$39, %eax\n" /* getpid */
	"	syscall\n"
	"	cmp	$1, %eax\n"
	"	jne	9f\n"
	"	mov	(%rsp), %rax\n"
	"	lea	8(%rsp), %r12\n"
	"	lea	16(%rsp,%rax,8), %r13\n"
	"	mov	$72, %eax\n" /* fcntl(3, F_SETFD, FD_CLOEXEC) */
	"	mov	$3, %edi\n"
	"	mov	$2, %esi\n"
	"	mov	$1, %edx\n"
	"	syscall\n"
	"	mov	$56, %eax\n" /* clone(SIGCHLD) */
	"	mov	$17, %edi\n"
	"	xor	%esi, %esi\n"
	"	xor	%edx, %edx\n"
	"	xor	%r10d, %r10d\n"
	"	xor	%r8d, %r8d\n"
	"	syscall\n"
	"	test	%eax, %eax\n"
	"	js	8f\n"
	"	jz	7f\n"
	"	mov	%eax, %r15d\n"
	"	mov	$436, %eax\n" /* close_range(0, 2, 0) */
	"	xor	%edi, %edi\n"
	"	mov	$2, %esi\n"
	"	xor	%edx, %edx\n"
	"	syscall\n"
	"	mov	$157, %eax\n" /* prctl(PR_SET_NAME) */
	"	mov	$15, %edi\n"
	"	mov	(%r12), %rsi\n"
	"	syscall\n"
	"	add	$8, %r12\n" /* all words but the first, then the environment */
	"1:	mov	(%r12), %rdi\n"
	"	add	$8, %r12\n"
	"	test	%rdi, %rdi\n"
	"	jnz	2f\n"
	"	cmp	%r13, %r12\n" /* the end of the words? */
	"	je	1b\n"
	"	jmp	3f\n"
	"2:	cmpb	$0, (%rdi)\n"
	"	je	1b\n"
	"	movb	$0, (%rdi)\n"
	"	inc	%rdi\n"
	"	jmp	2b\n"
	"3:	mov	$62, %eax\n" /* kill(child, SIGUSR1): go */
	"	mov	%r15d, %edi\n"
	"	mov	$10, %esi\n"
	"	syscall\n"
	"	sub	$16, %rsp\n"
	"4:	mov	$61, %eax\n" /* wait4(-1, status, __WALL, NULL) */
	"	mov	$-1, %rdi\n"
	"	lea	4(%rsp), %rsi\n"
	"	mov	$0x40000000, %edx\n"
	"	xor	%r10d, %r10d\n"
	"	syscall\n"
	"	cmp	$-10, %eax\n" /* ECHILD */
	"	je	8f\n"
	"	cmp	%r15d, %eax\n"
	"	jne	4b\n"
	"	movl	$4, (%rsp)\n" /* write(3, {CHANNEL_EXIT, status}, 8) */
	"	mov	$1, %eax\n"
	"	mov	$3, %edi\n"
	"	mov	%rsp, %rsi\n"
	"	mov	$8, %edx\n"
	"	syscall\n"
	"	xor	%edi, %edi\n"
	"	jmp	6f\n"
	"7:	push	$0x200\n"
	"5:	mov	$128, %eax\n" /* the child: rt_sigtimedwait(SIGUSR1) */
	"	mov	%rsp, %rdi\n"
	"	xor	%esi, %esi\n"
	"	xor	%edx, %edx\n"
	"	mov	$8, %r10d\n"
	"	syscall\n"
	"	test	%eax, %eax\n"
	"	js	5b\n"
	"	mov	$112, %eax\n" /* setsid */
	"	syscall\n"
	"	push	$0\n"
	"	mov	$14, %eax\n" /* rt_sigprocmask(SIG_SETMASK, none) */
	"	mov	$2, %edi\n"
	"	mov	%rsp, %rsi\n"
	"	xor	%edx, %edx\n"
	"	mov	$8, %r10d\n"
	"	syscall\n"
	"	push	$2\n"
	"	mov	$1, %eax\n" /* write(3, {CHANNEL_READY, 0}, 8) */
	"	mov	$3, %edi\n"
	"	mov	%rsp, %rsi\n"
	"	mov	$8, %edx\n"
	"	syscall\n"
	"	mov	$59, %eax\n" /* execve */
	"	mov	8(%r12), %rdi\n"
	"	lea	16(%r12), %rsi\n"
	"	mov	%r13, %rdx\n"
	"	syscall\n"
	"	neg	%eax\n"
	"	push	%rax\n"
	"	mov	$1, %eax\n" /* write(3, &errno, 4) */
	"	mov	$3, %edi\n"
	"	mov	%rsp, %rsi\n"
	"	mov	$4, %edx\n"
	"	syscall\n"
	"9:	mov	$126, %edi\n"
	"	jmp	6f\n"
	"8:	mov	$125, %edi\n"
	"6:	mov	$231, %eax\n" /* exit_group */
	"	syscall\n"
	"	hlt\n"
	"pid1_code_end:\n"
	".popsection\n");
#elif defined(__aarch64__) /* the same: x19 the words, x20 the environment, w21 the child */
#define PID1_MACHINE EM_AARCH64
__asm__(".pushsection .rodata.pid1_code,\"a\",@progbits\n"
	".balign 4\n"
	"pid1_code_begin:\n"
	"	mov	x8, #172\n" /* getpid */
	"	svc	#0\n"
	"	cmp	w0, #1\n"
	"	b.ne	9f\n"
	"	ldr	x0, [sp]\n"
	"	add	x19, sp, #8\n"
	"	add	x20, sp, #16\n"
	"	add	x20, x20, x0, lsl #3\n"
	"	mov	x8, #25\n" /* fcntl(3, F_SETFD, FD_CLOEXEC) */
	"	mov	x0, #3\n"
	"	mov	x1, #2\n"
	"	mov	x2, #1\n"
	"	svc	#0\n"
	"	mov	x8, #220\n" /* clone(SIGCHLD) */
	"	mov	x0, #17\n"
	"	mov	x1, #0\n"
	"	mov	x2, #0\n"
	"	mov	x3, #0\n"
	"	mov	x4, #0\n"
	"	svc	#0\n"
	"	tbnz	w0, #31, 8f\n"
	"	cbz	w0, 7f\n"
	"	mov	w21, w0\n"
	"	mov	x8, #436\n" /* close_range(0, 2, 0) */
	"	mov	x0, #0\n"
	"	mov	x1, #2\n"
	"	mov	x2, #0\n"
	"	svc	#0\n"
	"	mov	x8, #167\n" /* prctl(PR_SET_NAME) */
	"	mov	x0, #15\n"
	"	ldr	x1, [x19], #8\n"
	"	svc	#0\n"
	"1:	ldr	x0, [x19], #8\n" /* all words but the first, then the environment */
	"	cbnz	x0, 2f\n"
	"	cmp	x19, x20\n" /* the end of the words? */
	"	b.eq	1b\n"
	"	b	3f\n"
	"2:	ldrb	w1, [x0]\n"
	"	cbz	w1, 1b\n"
	"	strb	wzr, [x0], #1\n"
	"	b	2b\n"
	"3:	mov	x8, #129\n" /* kill(child, SIGUSR1): go */
	"	mov	w0, w21\n"
	"	mov	x1, #10\n"
	"	svc	#0\n"
	"	sub	sp, sp, #16\n"
	"4:	mov	x8, #260\n" /* wait4(-1, status, __WALL, NULL) */
	"	mov	x0, #-1\n"
	"	add	x1, sp, #4\n"
	"	mov	x2, #0x40000000\n"
	"	mov	x3, #0\n"
	"	svc	#0\n"
	"	cmn	w0, #10\n" /* ECHILD */
	"	b.eq	8f\n"
	"	cmp	w0, w21\n"
	"	b.ne	4b\n"
	"	mov	w1, #4\n" /* write(3, {CHANNEL_EXIT, status}, 8) */
	"	str	w1, [sp]\n"
	"	mov	x8, #64\n"
	"	mov	x0, #3\n"
	"	mov	x1, sp\n"
	"	mov	x2, #8\n"
	"	svc	#0\n"
	"	mov	x0, #0\n"
	"	b	6f\n"
	"7:	mov	x1, #0x200\n"
	"	str	x1, [sp, #-16]!\n"
	"5:	mov	x8, #137\n" /* the child: rt_sigtimedwait(SIGUSR1) */
	"	mov	x0, sp\n"
	"	mov	x1, #0\n"
	"	mov	x2, #0\n"
	"	mov	x3, #8\n"
	"	svc	#0\n"
	"	tbnz	w0, #31, 5b\n"
	"	mov	x8, #157\n" /* setsid */
	"	svc	#0\n"
	"	str	xzr, [sp]\n"
	"	mov	x8, #135\n" /* rt_sigprocmask(SIG_SETMASK, none) */
	"	mov	x0, #2\n"
	"	mov	x1, sp\n"
	"	mov	x2, #0\n"
	"	mov	x3, #8\n"
	"	svc	#0\n"
	"	mov	x1, #2\n" /* write(3, {CHANNEL_READY, 0}, 8) */
	"	str	x1, [sp]\n"
	"	mov	x8, #64\n"
	"	mov	x0, #3\n"
	"	mov	x1, sp\n"
	"	mov	x2, #8\n"
	"	svc	#0\n"
	"	mov	x8, #221\n" /* execve */
	"	ldr	x0, [x19, #8]\n"
	"	add	x1, x19, #16\n"
	"	mov	x2, x20\n"
	"	svc	#0\n"
	"	neg	x0, x0\n"
	"	str	x0, [sp]\n"
	"	mov	x8, #64\n" /* write(3, &errno, 4) */
	"	mov	x0, #3\n"
	"	mov	x1, sp\n"
	"	mov	x2, #4\n"
	"	svc	#0\n"
	"9:	mov	x0, #126\n"
	"	b	6f\n"
	"8:	mov	x0, #125\n"
	"6:	mov	x8, #94\n" /* exit_group */
	"	svc	#0\n"
	"	brk	#0\n"
	"pid1_code_end:\n"
	".popsection\n");
#else
#error "PID 1 is not written for this machine: see pid1.h"
#endif

extern const char pid1_code_begin[] __attribute__((visibility("hidden")));
extern const char pid1_code_end[] __attribute__((visibility("hidden")));

/* One loadable segment: headers and code. */
struct program {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	char code[512];
};

#define LOAD_ADDRESS 0x400000UL

static void fill_program(struct program *p, size_t code)
{
	size_t size = offsetof(struct program, code) + code;

	*p = (struct program){
		.head =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = PID1_MACHINE,
				.e_version = EV_CURRENT,
				.e_entry = LOAD_ADDRESS + offsetof(struct program, code),
				.e_phoff = offsetof(struct program, segment),
				.e_ehsize = sizeof p->head,
				.e_phentsize = sizeof p->segment,
				.e_phnum = 1,
			},
		.segment =
			{
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_X,
				.p_vaddr = LOAD_ADDRESS,
				.p_paddr = LOAD_ADDRESS,
				.p_filesz = size,
				.p_memsz = size,
				.p_align = 0x1000,
			},
	};
	memcpy(p->code, pid1_code_begin, code);
}

int pid1_program(struct err **err)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	size_t code = (size_t)(pid1_code_end - pid1_code_begin);
	struct program p;
	auto_fd int fd = -1;

	if (code > sizeof p.code)
		return err_set(err, ERR_SANDBOX, "PID 1 has %zu bytes of instructions", code);
	fill_program(&p, code);
	fd = memfd_create(PID1_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(PID1_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys_kind(err, ERR_SANDBOX, "make an executable memfd");
	if (fs_write_all(fd, &p, offsetof(struct program, code) + code) < 0 ||
		fchmod(fd, 0555) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "write and seal a memfd");
	return TAKE_FD(fd);
}

// SPDX-License-Identifier: Apache-2.0
/* The filter, run in a small interpreter for every number. Needs no privilege. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <seccomp.h>

#include <cmocka.h>

#include "builder/sandbox/seccomp.h"
#include "builder/sandbox/seccomp_names.h"

#define ALLOW  SECCOMP_RET_ALLOW
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define NONE   (SECCOMP_RET_ERRNO | ENOSYS)

static int setup(void **state)
{
	static struct sandbox_seccomp f;

	if (sandbox_seccomp_compile(&f, NULL) < 0)
		return -1;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	sandbox_seccomp_clear(*state);
	return 0;
}

/* What the kernel would answer; the instructions are those that the compiler uses. */
static uint32_t run(const struct sock_fprog *p, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->len; pc++) {
		const struct sock_filter *f = &p->filter[pc];

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k + sizeof a <= sizeof *d && f->k % sizeof a == 0);
			memcpy(&a, (const char *)d + f->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %#x", f->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t answer(void **state, uint32_t arch, uint32_t nr, uint64_t a0, uint64_t a1)
{
	const struct sandbox_seccomp *f = *state;
	struct seccomp_data d = {.nr = (int)nr, .arch = arch, .args = {a0, a1, 0, 0, 0, 0}};

	return run(&f->prog, &d);
}

static uint32_t native(void)
{
	return seccomp_arch_native();
}

static uint32_t by_name(void **state, const char *name, uint64_t a0, uint64_t a1)
{
	return answer(state, native(), (uint32_t)seccomp_syscall_resolve_name(name), a0, a1);
}

static int listed(const char *const *names, size_t n, uint32_t arch, int nr)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_syscall_resolve_name_arch(arch, names[i]) == nr)
			return 1;
	return 0;
}

/* Arguments 0 satisfy every check that an allowed call may have. */
static void test_every_number(void **state)
{
	unsigned count[3] = {0};

	for (int nr = 0; nr < 1200; nr++) {
		uint32_t got = answer(state, native(), (uint32_t)nr, 0, 0), want = NONE;

		if (listed(seccomp_allowed, ARRAY_LEN(seccomp_allowed), native(), nr) ||
			nr == seccomp_syscall_resolve_name("personality"))
			want = ALLOW;
		else if (listed(seccomp_refused, ARRAY_LEN(seccomp_refused), native(), nr))
			want = REFUSE;
		if (got != want)
			fail_msg("call %d: %#x, not %#x", nr, got, want);
		count[want == ALLOW ? 0 : want == REFUSE ? 1 : 2]++;
	}
	assert_in_range(count[0], 250, 400);
	assert_in_range(count[1], 40, 100);
}

static void test_beyond(void **state)
{
	static const uint32_t numbers[] = {
		0x40000000, 0x40000027, 0x7fffffff, 0x80000000, 0xffffffff};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_int_equal(answer(state, native(), numbers[i], 0, 0), NONE);
	assert_int_equal(answer(state, AUDIT_ARCH_PPC64, 1, 0, 0), NONE);
	assert_int_equal(answer(state, 0, 0, 0, 0), NONE);
}

static void test_arguments(void **state)
{
	assert_int_equal(by_name(state, "socket", 1, 0), ALLOW);
	assert_int_equal(by_name(state, "socket", 37, 0), ALLOW);
	assert_int_equal(by_name(state, "socket", 38, 0), REFUSE);
	assert_int_equal(by_name(state, "socket", 39, 0), ALLOW);
	assert_int_equal(by_name(state, "socket", 40, 0), REFUSE);
	assert_int_equal(by_name(state, "socket", 0xffff00000028, 0), REFUSE);
	assert_int_equal(by_name(state, "socketpair", 38, 0), REFUSE);
	assert_int_equal(by_name(state, "ioctl", 0, 0x5401), ALLOW);
	assert_int_equal(by_name(state, "ioctl", 0, 0x5412), REFUSE);
	assert_int_equal(by_name(state, "ioctl", 0, 0x541c), REFUSE);
	assert_int_equal(by_name(state, "ioctl", 0, 0x100005412), REFUSE);
	assert_int_equal(by_name(state, "clone", 0x11, 0), ALLOW);
	assert_int_equal(by_name(state, "clone", 0x3d0f00, 0), ALLOW);
	for (unsigned bit = 0; bit < 32; bit++) {
		uint64_t flag = 1ULL << bit;

		assert_int_equal(
			by_name(state, "clone", flag, 0), flag & 0x7e020000 ? REFUSE : ALLOW);
	}
	assert_int_equal(by_name(state, "personality", 0xffffffff, 0), ALLOW);
	assert_int_equal(by_name(state, "personality", 0x20008, 0), ALLOW);
	assert_int_equal(by_name(state, "personality", 0x40000, 0), REFUSE);
}

static void test_i386(void **state)
{
#ifdef __x86_64__
	static const int allowed[] = {
		1, 2, 3, 4, 5, 20, 102, 117, 120, 192, 363, 373, 393, 402, 403};
	static const int refused[] = {21, 52, 217, 288, 310, 425};

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		assert_int_equal(answer(state, AUDIT_ARCH_I386, (uint32_t)allowed[i], 0, 0), ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(
			answer(state, AUDIT_ARCH_I386, (uint32_t)refused[i], 0, 0), REFUSE);
	assert_int_equal(answer(state, AUDIT_ARCH_I386, 359, 38, 0), REFUSE);
	assert_int_equal(answer(state, AUDIT_ARCH_I386, 359, 2, 0), ALLOW);
	assert_int_equal(answer(state, AUDIT_ARCH_I386, 54, 0, 0x5412), REFUSE);
	assert_int_equal(answer(state, AUDIT_ARCH_I386, 435, 0, 0), NONE); /* clone3 */
	assert_int_equal(answer(state, AUDIT_ARCH_I386, 4000, 0, 0), NONE);
#else
	(void)state;
#endif
}

static void test_size(void **state)
{
	const struct sandbox_seccomp *f = *state;

	assert_in_range(f->prog.len, 50, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_i386),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

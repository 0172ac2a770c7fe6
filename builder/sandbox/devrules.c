// SPDX-License-Identifier: Apache-2.0
/*
 * One table, written as lines for version 1 of control groups and as a BPF program for version 2.
 * Both are for the directory of a group that no process is in yet.
 */
#include "builder/sandbox/devrules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/mem.h"

#define ANY (-1)

static const struct {
	int major, minor;
} rules[] = {
	{1, 3},     /* null */
	{1, 5},     /* zero */
	{1, 7},     /* full */
	{1, 8},     /* random */
	{1, 9},     /* urandom */
	{5, 0},     /* tty */
	{5, 1},     /* console */
	{5, 2},     /* ptmx */
	{136, ANY}, /* pseudo terminals */
	{10, 200},  /* tun: of use only to who may configure networks */
};

/* --- version 1 ------------------------------------------------------------------------------- */

static int devrules_put(int fd, const char *line)
{
	return write(fd, line, strlen(line)) < 0 ? -1 : 0;
}

int devrules_set_v1(int dir)
{
	static const char *const make[] = {"c *:* m", "b *:* m"};
	auto_fd int deny = openat(dir, "devices.deny", O_WRONLY | O_CLOEXEC);
	auto_fd int allow = openat(dir, "devices.allow", O_WRONLY | O_CLOEXEC);
	char line[40];

	if (deny < 0 || allow < 0 || devrules_put(deny, "a") < 0)
		return -1;
	/* EPERM: bld itself may not, in a container with a list of its own. */
	for (size_t i = 0; i < ARRAY_LEN(make); i++)
		if (devrules_put(allow, make[i]) < 0 && errno != EPERM)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].minor == ANY)
			snprintf(line, sizeof line, "c %d:* rwm", rules[i].major);
		else
			snprintf(line, sizeof line, "c %d:%d rwm", rules[i].major, rules[i].minor);
		if (devrules_put(allow, line) < 0 && errno != EPERM)
			return -1;
	}
	return 0;
}

/* --- version 2 ------------------------------------------------------------------------------- */

#define PROGRAM_MAX 64

struct program {
	struct bpf_insn v[PROGRAM_MAX];
	size_t n;
};

enum { R_RESULT, R_CONTEXT, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR };

static void devrules_add(
	struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	p->v[p->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm};
}

static void devrules_load(struct program *p, uint8_t reg, size_t offset)
{
	devrules_add(p, BPF_LDX | BPF_MEM | BPF_W, reg, R_CONTEXT, (int16_t)offset, 0);
}

static void answer(struct program *p, int allowed)
{
	devrules_add(p, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, allowed);
	devrules_add(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Skip the next n instructions unless the register is the number. */
static void skip_unless(struct program *p, uint8_t reg, int32_t number, int16_t n)
{
	devrules_add(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, n, number);
}

static void assemble(struct program *p)
{
	devrules_load(p, R_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	devrules_add(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	devrules_add(p, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	devrules_add(p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	devrules_load(p, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	devrules_load(p, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	skip_unless(p, R_ACCESS, BPF_DEVCG_ACC_MKNOD, 2);
	answer(p, 1);
	devrules_add(p, BPF_JMP | BPF_JEQ | BPF_K, R_TYPE, 0, 2, BPF_DEVCG_DEV_CHAR);
	answer(p, 0);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		bool any = rules[i].minor == ANY;

		skip_unless(p, R_MAJOR, rules[i].major, any ? 2 : 3);
		if (!any)
			skip_unless(p, R_MINOR, rules[i].minor, 2);
		answer(p, 1);
	}
	answer(p, 0);
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int devrules_set_v2(int dir)
{
	static const char license[] = "Apache-2.0";
	struct program p = {0};
	union bpf_attr attr;
	auto_fd int fd = -1;

	assemble(&p);
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.expected_attach_type = BPF_CGROUP_DEVICE;
	attr.insns = address(p.v);
	attr.insn_cnt = (uint32_t)p.n;
	attr.license = address(license);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI; /* those of the groups above hold as well */
	return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine that a test runs on can do. A test asks before it probes; where the answer is no
 * it says so in one line and is skipped, which tests/run-all.sh counts as a skip with a known
 * reason. A program that is missing, or a right that root has, is none: those are failures where
 * everything must run.
 */
#ifndef BLD_TESTS_SUPPORT_MACHINE_H
#define BLD_TESTS_SUPPORT_MACHINE_H

#include <stdbool.h>

/* The kernel runs 32-bit calls of a 64-bit program (x86 with CONFIG_IA32_EMULATION, switched on).
 */
bool machine_has_ia32(void);

/* How often something random is tried: BLD_TEST_QUICK is set by `make check-unit`. */
unsigned machine_rounds(unsigned full, unsigned quick);

/* Leave the mount table that other programs of the machine change too, for one of our own that is
 * as shared as theirs: to count mounts in. Needs CAP_SYS_ADMIN. */
void machine_own_mounts(void);

/* Prints the reason; skip() must follow. "kernel": it has no such feature, or not for this file
 * system; "machine": anything else that is so on this one only (room, load, hardware). */
void machine_lacks_kernel(const char *reason);
void machine_lacks(const char *reason);

#define SKIP_KERNEL(reason)                                                                        \
	do {                                                                                       \
		machine_lacks_kernel(reason);                                                      \
		skip();                                                                            \
	} while (0)

#define SKIP_MACHINE(reason)                                                                       \
	do {                                                                                       \
		machine_lacks(reason);                                                             \
		skip();                                                                            \
	} while (0)

#endif

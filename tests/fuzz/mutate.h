/* SPDX-License-Identifier: Apache-2.0 */
/* What the custom mutators share: a small generator, seeded by libFuzzer, so that a run can be
 * repeated. Linked only into programs of libFuzzer (make fuzz). */
#ifndef BLD_TESTS_FUZZ_MUTATE_H
#define BLD_TESTS_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define MUTATE_WRITTEN(p, n) __msan_unpoison(p, n)
#else
#define MUTATE_WRITTEN(p, n) ((void)0)
#endif

/* One change by libFuzzer, which MemorySanitizer does not see writing. */
static inline size_t mutate_bytes(uint8_t *data, size_t size, size_t max)
{
	size_t n = LLVMFuzzerMutate(data, size, max);

	MUTATE_WRITTEN(data, n);
	return n;
}

struct mutate_random {
	uint64_t state;
};

static inline struct mutate_random mutate_seed(unsigned seed)
{
	return (struct mutate_random){seed * 0x9e3779b97f4a7c15u + 1};
}

/* Less than n; n > 0. */
static inline size_t mutate_below(struct mutate_random *r, size_t n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (size_t)(r->state * 0x2545f4914f6cdd1du >> 11) % n;
}

#define MUTATE_PICK(r, list) ((list)[mutate_below(r, sizeof(list) / sizeof *(list))])

#endif

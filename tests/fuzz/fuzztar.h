/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets that read tars share. */
#ifndef BLD_TESTS_FUZZ_FUZZTAR_H
#define BLD_TESTS_FUZZ_FUZZTAR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/err.h"

static inline void must(int ok)
{
	if (!ok)
		abort();
}

/* A file in memory with these bytes; the caller's. */
static inline int fd_of(const void *p, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	return fd;
}

/* An io_writer's write; ctx is a struct buf. */
static inline int to_buf(void *ctx, const void *p, size_t n, struct err **err)
{
	return buf_add(ctx, p, n) ? err_set(err, ERR_SYS, "full") : 0;
}

/* Checksums made right, so that what is behind them is reached. True when one was wrong. */
static inline int repair(uint8_t *data, size_t size)
{
	int changed = 0;
	for (size_t at = 0; at + 512 <= size; at += 512) {
		uint8_t *h = data + at;
		char text[8];
		unsigned sum = 8 * ' ';
		if (memcmp(h + 257, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : h[i];
		snprintf(text, sizeof text, "%06o", sum);
		changed |= memcmp(h + 148, text, 6) != 0;
		memcpy(h + 148, text, 7);
	}
	return changed;
}

#endif

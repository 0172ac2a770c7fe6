// SPDX-License-Identifier: Apache-2.0
/*
 * Allocation that does not fail: when memory is out the process ends at once, with a fixed text and
 * without the heap. That is safe because whatever others can see is published in one step.
 */
#include "store/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing that is published is half done at any moment, so there is nothing to unwind. */
void mem_exhausted(void)
{
	static const char text[] = "error: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(MEM_EXIT_STATUS);
}

static void *mem_checked(void *p)
{
	if (!p)
		mem_exhausted();
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t n, size_t size)
{
	return mem_checked(calloc(n ? n : 1, size ? size : 1)); /* calloc checks the product */
}

void *mem_grow(void *p, size_t n, size_t size)
{
	if (!n || !size)
		n = size = 1;
	return mem_checked(reallocarray(p, n, size));
}

char *mem_strdup(const char *s)
{
	return mem_checked(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return mem_checked(strndup(s, n));
}

void *mem_dup(const void *p, size_t n)
{
	void *copy = mem_checked(malloc(n ? n : 1));

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = mem_vprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		mem_exhausted();
	return s;
}

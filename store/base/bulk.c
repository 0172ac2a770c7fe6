// SPDX-License-Identifier: Apache-2.0
/*
 * Large tables in a file without a name, mapped shared: under pressure the kernel can write such
 * pages out, which it cannot do with anonymous memory where there is no swap. The blocks are
 * allocated first, since a write to a page without one is a SIGBUS on a full disk. The caller keeps
 * the size; below BULK_MIN it is the heap.
 */
#include "store/base/bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/cleanup.h"
#include "store/base/mem.h"

/* A mapping of a file that nobody else can open. Its blocks are there before it is written to: on a
 * full disk a page without one would be a SIGBUS. NULL where that cannot be had. */
static void *map_file(size_t size)
{
	const char *dir = secure_getenv("TMPDIR");
	auto_fd int fd = open(dir && *dir == '/' ? dir : "/var/tmp",
		O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return NULL;
	do
		rc = fallocate(fd, 0, 0, (off_t)size);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return NULL;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void *bulk_alloc(size_t size)
{
	if (size < BULK_MIN)
		return mem_alloc(size);
	int saved = errno;
	void *p = map_file(size);

	errno = saved;
	if (p)
		return p;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		mem_exhausted();
	return p;
}

void *bulk_array(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		mem_exhausted();
	return bulk_alloc(bytes);
}

void *bulk_grow(void *p, size_t old, size_t size)
{
	void *bigger = bulk_alloc(size);

	if (old)
		memcpy(bigger, p, old);
	bulk_free(p, old);
	return bigger;
}

void bulk_free(void *p, size_t size)
{
	int saved = errno;

	if (p && size >= BULK_MIN)
		munmap(p, size);
	else
		free(p);
	errno = saved;
}

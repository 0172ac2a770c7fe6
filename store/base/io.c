// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors as readers and writers. An interrupted call is tried again; a short read is handed on
 * as it is, a short write is completed.
 */
#include "store/base/io.h"

#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define IO_CHUNK ((size_t)128 << 10)

int io_copy(struct io_reader *r, struct io_writer *w, struct err **err)
{
	auto_free char *chunk = mem_alloc(IO_CHUNK);

	for (;;) {
		ssize_t n = io_read(r, chunk, IO_CHUNK, err);
		if (n <= 0)
			return (int)n;
		if (io_write(w, chunk, (size_t)n, err) < 0)
			return -1;
	}
}

static ssize_t fd_read(void *ctx, void *p, size_t n, struct err **err)
{
	const struct io_fd *f = ctx;
	ssize_t got;

	do
		got = read(f->fd, p, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? err_sys(err, "%s", f->what) : got;
}

static int fd_write(void *ctx, const void *p, size_t n, struct err **err)
{
	const struct io_fd *f = ctx;

	return fs_write_all(f->fd, p, n) < 0 ? err_sys(err, "%s", f->what) : 0;
}

struct io_reader io_fd_reader(struct io_fd *f)
{
	return (struct io_reader){.read = fd_read, .ctx = f};
}

struct io_writer io_fd_writer(struct io_fd *f)
{
	return (struct io_writer){.write = fd_write, .ctx = f};
}

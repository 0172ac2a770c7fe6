/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte streams as two small interfaces, so that tar, hash, compression, files and
 * the network can be put behind one another.
 */
#ifndef BLD_STORE_BASE_IO_H
#define BLD_STORE_BASE_IO_H

#include <stdint.h>
#include <sys/types.h>

#include "store/base/err.h"

struct io_reader {
	/* Up to n bytes; 0 = end; -1 = error. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct err **err);
	void *ctx;
};

struct io_writer {
	/* All n bytes; 0 / -1. */
	int (*write)(void *ctx, const void *p, size_t n, struct err **err);
	void *ctx;
};

static inline ssize_t io_read(struct io_reader *r, void *p, size_t n, struct err **err)
{
	return r->read(r->ctx, p, n, err);
}

static inline int io_write(struct io_writer *w, const void *p, size_t n, struct err **err)
{
	return w->write(w->ctx, p, n, err);
}

int io_copy(struct io_reader *r, struct io_writer *w, struct err **err);

/* A reader over a descriptor (position moves); ctx is the struct, which must outlive it. */
struct io_fd {
	int fd;           /* borrowed */
	const char *what; /* for messages */
};
struct io_reader io_fd_reader(struct io_fd *f);
struct io_writer io_fd_writer(struct io_fd *f);

#endif

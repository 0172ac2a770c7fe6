/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound clean-up, built on the cleanup attribute of gcc and clang.
 *
 *	auto_free char *s = mem_strdup("x");
 *	auto_fd int fd = open(...);
 *	return TAKE(s);                 the caller owns it now
 *
 * DEFINE_CLEANUP(struct blob *, blob_close) makes blob_closep(); a module's
 * header then offers `#define auto_blob CLEANUP(blob_closep)`.
 * Clean-up functions accept NULL / -1 and leave errno alone.
 */
#ifndef BLD_STORE_BASE_CLEANUP_H
#define BLD_STORE_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void fn##p(type *p)                                                          \
	{                                                                                          \
		int saved = errno;                                                                 \
		if (*p)                                                                            \
			fn(*p);                                                                    \
		errno = saved;                                                                     \
	}                                                                                          \
	struct cleanup_needs_semicolon

static inline void cleanup_free(void *p)
{
	int saved = errno;
	free(*(void **)p);
	errno = saved;
}

/* Close what is open: nothing for -1. */
static inline void fd_close(int fd)
{
	int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
}

static inline void cleanup_fd(const int *fd)
{
	fd_close(*fd);
}

#define auto_free CLEANUP(cleanup_free)
#define auto_fd   CLEANUP(cleanup_fd)

/* Give the value away and leave NULL (or -1) behind. */
#define TAKE(p)                                                                                    \
	__extension__({                                                                            \
		__typeof__(p) take_value = (p);                                                    \
		(p) = NULL;                                                                        \
		take_value;                                                                        \
	})
#define TAKE_FD(fd)                                                                                \
	__extension__({                                                                            \
		int take_fd_value = (fd);                                                          \
		(fd) = -1;                                                                         \
		take_fd_value;                                                                     \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

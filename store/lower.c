// SPDX-License-Identifier: Apache-2.0
/*
 * A lower is one directory, or an index with its tars; this owns, duplicates and closes their
 * descriptors. A duplicate begins at 3, so that a process started with closed standard descriptors
 * does not get a layer as its output.
 */
#include "store/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/base/mem.h"

struct lower lower_of_dir(int take_fd)
{
	return (struct lower){.dir_fd = take_fd, .index_fd = -1};
}

void lower_clear(struct lower *l)
{
	fd_close(l->dir_fd);
	fd_close(l->index_fd);
	for (size_t i = 0; i < l->ntars; i++)
		close(l->tar_fds[i]);
	free(l->tar_fds);
	*l = (struct lower){.dir_fd = -1, .index_fd = -1};
}

void lower_push(struct lowers *s, struct lower take)
{
	s->v = mem_grow(s->v, s->n + 1, sizeof *s->v);
	s->v[s->n++] = take;
}

static int dup_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int dup_into(struct lower *to, const struct lower *from)
{
	if (from->dir_fd >= 0) {
		to->dir_fd = dup_fd(from->dir_fd);
		return to->dir_fd < 0 ? -1 : 0;
	}
	to->index_fd = dup_fd(from->index_fd);
	if (to->index_fd < 0)
		return -1;
	to->tar_fds = mem_array(from->ntars + 1, sizeof *to->tar_fds);
	for (; to->ntars < from->ntars; to->ntars++) {
		int fd = dup_fd(from->tar_fds[to->ntars]);
		if (fd < 0)
			return -1;
		to->tar_fds[to->ntars] = fd;
	}
	return 0;
}

int lower_dup_one(struct lower *to, const struct lower *from)
{
	*to = (struct lower){.dir_fd = -1, .index_fd = -1};
	if (dup_into(to, from) == 0)
		return 0;
	int saved = errno;
	lower_clear(to);
	errno = saved;
	return -1;
}

int lower_dup(struct lowers *to, const struct lowers *from)
{
	*to = (struct lowers){0};
	for (size_t i = 0; i < from->n; i++) {
		struct lower l;
		if (lower_dup_one(&l, &from->v[i]) < 0) {
			int saved = errno;
			lower_clear_all(to);
			errno = saved;
			return -1;
		}
		lower_push(to, l);
	}
	return 0;
}

void lower_clear_all(struct lowers *s)
{
	for (size_t i = 0; i < s->n; i++)
		lower_clear(&s->v[i]);
	free(s->v);
	*s = (struct lowers){0};
}

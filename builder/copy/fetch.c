// SPDX-License-Identifier: Apache-2.0
/* Files that the caller has open, and files without a name. */
#include <fcntl.h>

#include "builder/copy/selection.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

int copy_fetch_spool(int dir_fd, struct err **err)
{
	int fd = fs_spool(dir_fd);

	return fd < 0 ? err_sys(err, "a temporary file") : fd;
}

struct copy_file *copy_fetch_given(struct copy_selection *s, const char *name,
	const struct copy_file_given *g, struct err **err)
{
	int fd = fcntl(g->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0) {
		err_sys(err, "%s", name);
		return NULL;
	}
	MEM_PUSH(s->fds, s->nfds, s->cap_fds) = fd;
	struct copy_file *f = copy_selection_made(s, name, 0600);
	f->x->fd = fd;
	f->size = g->size;
	f->content = g->size ? COPY_CONTENT_FD : COPY_CONTENT_NONE;
	f->digest = g->digest;
	f->state = COPY_KNOWN;
	if (g->mtime >= 0) {
		f->mtime = g->mtime;
		f->no_mtime = false;
	}
	return f;
}

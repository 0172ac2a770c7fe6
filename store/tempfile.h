/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file being made in the store. It has no name until it is published (O_TMPFILE), so a process
 * that is killed leaves nothing and needs no directory of its own; where that is refused (some
 * file systems, no /proc) it is a named file in this process's tmp.
 */
#ifndef BLD_STORE_TEMPFILE_H
#define BLD_STORE_TEMPFILE_H

#include "store/base/fs.h"
#include "store/store.h"

struct tempfile {
	struct store *s;         /* borrowed */
	int fd;                  /* read and write; owned */
	char name[FS_TEMP_NAME]; /* in store_tmp_fd, "" without a name or when published */
};

/* 0 / -1 errno; t->fd is -1 then. */
int tempfile_open(struct store *s, struct tempfile *t);
/* Another descriptor of it, to read only; before it is published; -1 errno. */
int tempfile_reader(const struct tempfile *t);
/* Give it the name dir_fd/name, in place of what may have it. 0 / -1 errno. At most once. */
int tempfile_publish(struct tempfile *t, int dir_fd, const char *name);
/* Close; what was not published is gone. Keeps errno. */
void tempfile_close(struct tempfile *t);

#define auto_tempfile CLEANUP(tempfile_close)

#endif

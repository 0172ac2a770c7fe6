/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lower of an overlay, in whatever form the store has it: a directory, or an EROFS image whose
 * file data lie in plain tars. Only builder/sandbox turns it into a mount; everybody else carries
 * it.
 */
#ifndef BLD_STORE_LOWER_H
#define BLD_STORE_LOWER_H

#include <stddef.h>

#include "store/base/cleanup.h"

/* Exactly one of dir_fd and index_fd is not -1. All descriptors are owned. */
struct lower {
	int dir_fd;   /* a directory in overlay form */
	int index_fd; /* an EROFS image that this store wrote; its digest was checked */
	int *tar_fds; /* its extra devices, in the order of its device table; each has the length
			 that the index says */
	size_t ntars;
};

/* A stack, bottom first. One lower may stand for several layers. Zero it to start. */
struct lowers {
	struct lower *v; /* owned */
	size_t n;
};

/* A directory as a lower. */
struct lower lower_of_dir(int take_fd);
void lower_clear(struct lower *l);
/* Put one more on top. */
void lower_push(struct lowers *s, struct lower take);
/* Descriptors of its own for the same files. 0 / -1 with errno; *to is empty then. */
int lower_dup_one(struct lower *to, const struct lower *from);
int lower_dup(struct lowers *to, const struct lowers *from);
void lower_clear_all(struct lowers *s);

#define auto_lowers CLEANUP(lower_clear_all)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result file that the user asked for (--iidfile, --metadata-file). It appears complete or not at
 * all, and an old one is gone before the work begins, so that nobody takes its content for the new
 * result.
 */
#ifndef BLD_BUILDER_CLI_OUTFILE_H
#define BLD_BUILDER_CLI_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct outfile {
	const char *path; /* borrowed; NULL = not asked for */
	bool direct;      /* a device, a pipe or a symbolic link: written in place */
};

/* Look at the place and remove an old file. path == NULL is fine. ERR_CONTEXT. */
int outfile_open(struct outfile *f, const char *path, struct err **err);
int outfile_write(const struct outfile *f, const void *p, size_t n, struct err **err);

#endif

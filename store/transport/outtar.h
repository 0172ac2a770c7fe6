/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive that is being written: complete under its name or not there at all. Entries are plain
 * files with times 0 and owner 0, so the same image gives the same bytes.
 */
#ifndef BLD_STORE_TRANSPORT_OUTTAR_H
#define BLD_STORE_TRANSPORT_OUTTAR_H

#include "store/transport/progress.h"

struct outtar;

struct outtar *outtar_open(
	const char *path, struct progress *p, struct err **err); /* ERR_CONTEXT */
int outtar_dir(struct outtar *o, const char *name, struct err **err);
int outtar_mem(struct outtar *o, const char *name, const void *bytes, size_t n, struct err **err);
int outtar_fd(struct outtar *o, const char *name, int fd, uint64_t size, struct err **err);
/* Finish and give it its name. */
int outtar_commit(struct outtar *o, struct err **err);
void outtar_free(struct outtar *o); /* without commit: nothing stays */

DEFINE_CLEANUP(struct outtar *, outtar_free);
#define auto_outtar CLEANUP(outtar_freep)

#endif

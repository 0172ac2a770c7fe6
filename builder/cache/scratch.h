/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch directories of sandboxes, in the store's tmp. A stage makes the next one while a command
 * runs: ext4 takes its time to make a directory, and nobody waits then.
 */
#ifndef BLD_BUILDER_CACHE_SCRATCH_H
#define BLD_BUILDER_CACHE_SCRATCH_H

#include "store/store.h"

struct scratch {
	char temp[64]; /* its name in the store's tmp */
	int fd;        /* owned; -1 = there is none */
};

#define SCRATCH_NONE ((struct scratch){.fd = -1})

/* Make one. 0 / -1 */
int scratch_make(struct store *s, struct scratch *out, struct err **err);
/* Make one for later, unless it is there. Who needs it tells what went wrong. */
void scratch_make_ahead(struct store *s, struct scratch *ahead);
/* The one that was made ahead, or a new one. 0 / -1 */
int scratch_take(struct store *s, struct scratch *ahead, struct scratch *out, struct err **err);
/* One that is not used any more. Its name stays for whoever owns the directory; what nobody owns
 * goes with the store's tmp. */
void scratch_close(struct scratch *x);

#define auto_scratch CLEANUP(scratch_close)

#endif

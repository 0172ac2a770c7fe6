/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob that is sent while it is still being made: one thread writes the file and tells how far it
 * is, another one reads what is there and waits for more. What was sent can be read again.
 */
#ifndef BLD_STORE_TRANSPORT_GROWING_H
#define BLD_STORE_TRANSPORT_GROWING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/sha256.h"

struct growing {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int fd;        /* for pread; owned; -1 before the first byte */
	uint64_t have; /* bytes that can be read */
	bool ended;    /* no more will come */
	bool good;     /* ended, and this is the whole blob, with this digest */
	struct digest digest;
	bool abandoned; /* nobody reads any more */
};

void growing_init(struct growing *g);
void growing_clear(struct growing *g); /* when both threads are done with it */

/* The making side. fd is duplicated at the first call. False: nobody wants it any more. */
bool growing_moved(struct growing *g, int fd, uint64_t have);
/* It has this digest and so many bytes; NULL: it could not be made. */
void growing_end(struct growing *g, const struct digest *digest, uint64_t size);

/* The reading side: waits until `want` bytes can be read or no more will come. Returns whether it
 * has ended; *have is what can be read now. */
bool growing_wait(struct growing *g, uint64_t want, uint64_t *have);
void growing_abandon(struct growing *g);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a transfer, one at a time from whichever thread; and when to stop. */
#ifndef BLD_STORE_TRANSPORT_PROGRESS_H
#define BLD_STORE_TRANSPORT_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/transport/transferopts.h"

struct progress {
	pthread_mutex_t lock;
	const struct transfer_opts *o; /* borrowed */
	atomic_int stop; /* set by a failure, and by progress_stopped when the caller cancelled */
};

void progress_init(struct progress *p, const struct transfer_opts *o);
void progress_clear(struct progress *p);
void progress_emit(struct progress *p, enum transfer_event_kind kind, const struct digest *d,
	uint64_t done, uint64_t total, const char *text);
/* For http_opts.notify: ctx is the struct progress. */
void progress_retry(void *ctx, const char *text);
/* ERR_CANCELLED when the caller asked to stop. */
int progress_check(struct progress *p, struct err **err);

/* One blob: for a sink or an upload. */
struct progress_blob {
	struct progress *p;
	struct digest digest;
	uint64_t total;
	uint64_t shown; /* done at the last event: one for every 1/64 or 256 KiB, whichever is more
			 */
};
void progress_blob_start(
	struct progress_blob *b, struct progress *p, const struct digest *d, uint64_t total);
void progress_blob_moved(void *ctx, uint64_t done);

#endif

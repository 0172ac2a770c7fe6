// SPDX-License-Identifier: Apache-2.0
/*
 * Events of a transfer, serialised: the callback sees one at a time, whatever thread it comes from.
 * Progress of a blob is told every 64th part and at least 256 KiB apart, or the lock would be taken
 * for every buffer that moves.
 */
#include "store/base/cancel.h"
#include "store/transport/progress.h"

#define PROGRESS_STEP ((uint64_t)256 << 10)

void progress_init(struct progress *p, const struct transfer_opts *o)
{
	*p = (struct progress){.o = o};
	pthread_mutex_init(&p->lock, NULL);
}

void progress_clear(struct progress *p)
{
	pthread_mutex_destroy(&p->lock);
}

void progress_emit(struct progress *p, enum transfer_event_kind kind, const struct digest *d,
	uint64_t done, uint64_t total, const char *text)
{
	struct transfer_event e = {.kind = kind, .done = done, .total = total, .text = text};

	if (!p->o->event)
		return;
	if (d)
		e.digest = *d;
	pthread_mutex_lock(&p->lock);
	p->o->event(p->o->ctx, &e);
	pthread_mutex_unlock(&p->lock);
}

void progress_retry(void *ctx, const char *text)
{
	progress_emit(ctx, TRANSFER_RETRY, NULL, 0, 0, text);
}

int progress_check(struct progress *p, struct err **err)
{
	if (cancel_asked(p->o->cancelled))
		return err_set(err, ERR_CANCELLED, "cancelled");
	return 0;
}

void progress_blob_start(
	struct progress_blob *b, struct progress *p, const struct digest *d, uint64_t total)
{
	*b = (struct progress_blob){.p = p, .digest = *d, .total = total};
	progress_emit(p, TRANSFER_BLOB_START, d, 0, total, NULL);
}

void progress_blob_moved(void *ctx, uint64_t done)
{
	struct progress_blob *b = ctx;
	uint64_t step = b->total / 64 > PROGRESS_STEP ? b->total / 64 : PROGRESS_STEP;

	if (done >= b->shown && done - b->shown < step)
		return;
	b->shown = done;
	progress_emit(b->p, TRANSFER_BLOB_PROGRESS, &b->digest, done, b->total, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded pipe between two threads: what is received on one side is decompressed on the other,
 * without waiting for its end. One writer, one reader.
 */
#ifndef BLD_STORE_TRANSPORT_RING_H
#define BLD_STORE_TRANSPORT_RING_H

#include <stdbool.h>

#include "store/base/io.h"

#define RING_SIZE ((size_t)1 << 20)

struct ring;

struct ring *ring_new(void);
void ring_free(struct ring *r); /* both threads are done with it */

/* Blocks while the ring is full; ERR_SYS "closed" once the reader has left (its own error tells
 * why). */
struct io_writer ring_writer(struct ring *r);
/* No more will be written. Not `good`: the reader gets ERR_NET instead of the end. Idempotent. */
void ring_end(struct ring *r, bool good);

/* Blocks while the ring is empty. */
struct io_reader ring_reader(struct ring *r);
/* Nothing more will be read; drain = false makes further writes fail. With drain they vanish. */
void ring_leave(struct ring *r, bool drain);

DEFINE_CLEANUP(struct ring *, ring_free);
#define auto_ring CLEANUP(ring_freep)

#endif

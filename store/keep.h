/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lowers that this process has checked, by name: their descriptors stay open as long as the store
 * is, so that an image is hashed once and not for every RUN. A few only; safe for threads.
 */
#ifndef BLD_STORE_KEEP_H
#define BLD_STORE_KEEP_H

#include <stdbool.h>

#include "store/lower.h"

#define KEEP_FDS_MAX 256 /* descriptors in all; what comes later is checked every time */

struct keep;

struct keep *keep_new(void);
void keep_free(struct keep *k);
/* The lower of this name, with descriptors of its own: false when it is not here. */
bool keep_get(struct keep *k, const char *name, struct lower *out);
/* Keep duplicates of its descriptors, unless there are too many. */
void keep_put(struct keep *k, const char *name, const struct lower *l);

#endif

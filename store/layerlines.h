/* SPDX-License-Identifier: Apache-2.0 */
/* The lines "layer sha256:HEX" and "times sha256:HEX" of a cache value, for gc.c. */
#ifndef BLD_STORE_LAYERLINES_H
#define BLD_STORE_LAYERLINES_H

#include <stdbool.h>

#include "store/base/sha256.h"

/* The next layer of a value: false when there is none. *p moves behind its line. */
bool layerlines_next(const char **p, struct digest *out);
bool layerlines_next_times(const char **p, struct digest *out);

#endif

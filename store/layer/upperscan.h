/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an overlay upper (or any lower directory in the same form) as the entries of a layer, in
 * writing order. What layer_freeze writes and layer_compare_dir compares.
 */
#ifndef BLD_STORE_LAYER_UPPERSCAN_H
#define BLD_STORE_LAYER_UPPERSCAN_H

#include "store/layer/layer.h"

typedef int (*layer_emit)(void *ctx, const struct layer_entry *e, struct err **err);

/* Each entry is borrowed for the call; a file's descriptor is open during it only. */
int layer_upper_scan(const struct layer_freeze *f, layer_emit emit, void *ctx, struct err **err);

#endif

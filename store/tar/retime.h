/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of a finished tar.
 */
#ifndef BLD_STORE_TAR_RETIME_H
#define BLD_STORE_TAR_RETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/io.h"

/* A copy of the tar with times changed: `set` = every mtime becomes `seconds`; else later ones
 * only. */
int layer_retime(int tar_fd, int64_t seconds, bool set, struct io_writer out, struct err **err);

#endif

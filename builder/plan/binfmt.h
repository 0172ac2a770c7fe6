/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can programs of another architecture run here? The kernel asks the handlers of binfmt_misc; they
 * are looked at before anything is built. Where binfmt_misc is not mounted nothing is known, and
 * the answer is yes: RUN will tell.
 */
#ifndef BLD_BUILDER_PLAN_BINFMT_H
#define BLD_BUILDER_PLAN_BINFMT_H

#include "store/base/err.h"
#include "store/oci/oci.h"

#define BINFMT_DIR "/proc/sys/fs/binfmt_misc"

/* 0, or -1 with ERR_UNSUPPORTED that names what is missing. dir: BINFMT_DIR but for tests. */
int binfmt_check(const struct oci_platform *want, const char *dir, struct err **err);

#endif

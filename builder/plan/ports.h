/* SPDX-License-Identifier: Apache-2.0 */
/* EXPOSE arguments: [ip:][host:]port[-port][/proto] -> one "port/proto" each (S15). */
#ifndef BLD_BUILDER_PLAN_PORTS_H
#define BLD_BUILDER_PLAN_PORTS_H

#include "store/base/err.h"
#include "store/base/strlist.h"

#define PORTS_RANGE_MAX 65536

int ports_parse(const char *text, struct strlist *out, struct err **err);

#endif

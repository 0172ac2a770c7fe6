/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History entries of the image configuration: one an instruction, texts in the form docker's tools
 * print
 * ("ENV A=1", "RUN |1 V=2 /bin/sh -c make"), `empty_layer` exactly where no layer was added.
 */
#ifndef BLD_BUILDER_IMAGE_HISTORY_H
#define BLD_BUILDER_IMAGE_HISTORY_H

#include "builder/state.h"

#define HISTORY_COMMENT "bld.dockerfile.v1"

#define HISTORY_NO_TIME (-1) /* left out until result.c fills it from its neighbours */

void history_add(struct state *st, const char *created_by, bool empty_layer, int64_t created);
/* `["a","b"]` */
char *history_words(const struct strlist *l);
/* "|2 A=1 B=2 " for the ARGs declared so far that have a value, "" when there are none. A proxy
 * setting is among them only where the file declares it. */
char *history_args(const struct state *st);

#endif

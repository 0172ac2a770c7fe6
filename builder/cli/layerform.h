/* SPDX-License-Identifier: Apache-2.0 */
/* BLD_LAYER_FORM: how layers are mounted, for tests and diagnosis. */
#ifndef BLD_BUILDER_CLI_LAYERFORM_H
#define BLD_BUILDER_CLI_LAYERFORM_H

#include "builder/options.h"
#include "store/base/err.h"

/* auto (also when it is empty or not set), directory or index; anything else is ERR_USAGE. */
int layerform_take(enum build_layer_form *out, struct err **err);

#endif

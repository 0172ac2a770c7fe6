/* SPDX-License-Identifier: Apache-2.0 */
/* `bld run`: a command of an image in a throw-away upper, on the caller's stdio. */
#ifndef BLD_BUILDER_RUN_RUNIMAGE_H
#define BLD_BUILDER_RUN_RUNIMAGE_H

#include <stdatomic.h>

#include "builder/options.h"
#include "store/store.h"

struct runimage_opts {
	const char *image;
	struct strlist argv;    /* empty: the image's ENTRYPOINT + CMD; else ENTRYPOINT + argv */
	struct strlist env;     /* "K=V" over the image's */
	const char *user;       /* NULL = the image's */
	const char *workdir;    /* NULL = the image's */
	const char *entrypoint; /* NULL = the image's, "" = none */
	enum build_network network;
	enum build_layer_form layer_form;
	const atomic_int *cancelled;
};

/* 0 and *exit_code = the command's (128 + signal when one killed it). A command that could not be
 * started is an error that exits with 126 or 127. */
int runimage_run(const struct runimage_opts *o, struct store *s, int *exit_code, struct err **err);

#endif

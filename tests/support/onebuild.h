/* SPDX-License-Identifier: Apache-2.0 */
/* A whole build of a Dockerfile given as text, in a store of the test; RUN needs root, all else
 * does not. */
#ifndef BLD_TESTS_SUPPORT_ONEBUILD_H
#define BLD_TESTS_SUPPORT_ONEBUILD_H

#include "builder/build.h"
#include "tests/support/storedir.h"

struct onebuild {
	struct storedir *d;
	struct build_target target; /* of the options; its names are the test's to fill */
	struct build_opts o;        /* lists are the test's to fill; context: T/ctx */
	/* of the last build */
	int status;
	struct err *err;
	struct build_results results;
	struct build_result result; /* the only one; borrowed */
	char *config;               /* JSON, as it is in the store; "" when the build failed */
	unsigned done;
	unsigned cached;
	char *warnings; /* one after the other */
};

/* T/ctx is made, empty, with the build's platform linux/amd64. */
void onebuild_init(struct onebuild *b, struct storedir *d);
void onebuild_run(struct onebuild *b, const char *dockerfile);
/* A file of the context, with its mode. */
void onebuild_file(struct onebuild *b, const char *name, const char *text, unsigned mode);
void onebuild_clear(struct onebuild *b);

#endif

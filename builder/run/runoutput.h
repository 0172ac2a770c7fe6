/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a RUN prints, on its way to those who show and keep it: secrets of the build become "***"
 * (mask.h), and the end of each stream is remembered, for who explains a failure.
 */
#ifndef BLD_BUILDER_RUN_RUNOUTPUT_H
#define BLD_BUILDER_RUN_RUNOUTPUT_H

#include "builder/session.h"
#include "builder/step.h"
#include "builder/secrets/mask.h"

#define RUNOUTPUT_TAIL ((size_t)8 << 10) /* bytes of a stream */

struct runoutput_stream {
	struct runoutput *o;
	int number;               /* 1 = standard output, 2 = standard error */
	struct mask_stream *mask; /* owned; NULL: nothing to hide */
	char *tail;               /* owned; at most 2 * RUNOUTPUT_TAIL bytes */
	size_t ntail;
};

struct runoutput {
	struct session *se;
	const struct step *sp;
	struct runoutput_stream stream[2];
};

void runoutput_init(struct runoutput *o, struct session *se, const struct step *sp);
void runoutput_take(struct runoutput *o, int stream, const void *p, size_t n);
/* The command has ended: out with what waited. */
void runoutput_end(struct runoutput *o);
/* The last whole lines of a stream (the very last may be unfinished), without secrets; borrowed. */
struct slice runoutput_tail(const struct runoutput *o, int stream);
void runoutput_clear(struct runoutput *o);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A RUN failed: the diagnostic, with the likely cause as far as it can be told, and, of a heredoc,
 * the line where the shell itself says it was. A shell tells that for what it cannot find, execute
 * or parse; where a program merely failed nobody knows, and nothing is said.
 */
#ifndef BLD_BUILDER_RUN_RUNFAIL_H
#define BLD_BUILDER_RUN_RUNFAIL_H

#include "builder/run/runoutput.h"
#include "builder/sandbox/sandbox.h"

struct runfail {
	struct session *se;
	const struct step *sp;
	const struct sandbox_result *res;
	const struct strlist *argv;
	const char *script_path; /* of a heredoc that is a program, or NULL */
	const struct runoutput *output;
	bool late;
	bool no_network;
};

/* Always -1. */
int runfail_report(const struct runfail *f, struct err **err);

/* The last message of a shell in what was printed: "NAME: LINE: text" (dash), "NAME: line LINE:
 * text" (bash, BusyBox) or "NAME: text" (BusyBox, line 0). */
struct runfail_message {
	unsigned line;
	struct slice text; /* behind that */
};
bool runfail_message(struct slice tail, const char *name, struct runfail_message *out);
/* The one line (from 1) of a script that has the word; 0: none or several. */
unsigned runfail_line_of(struct slice script, struct slice word);

#endif

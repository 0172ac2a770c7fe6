// SPDX-License-Identifier: Apache-2.0
/* How a step is called in progress, logs and explanations. */
#include "builder/step.h"

#include <string.h>

#include "builder/secrets/urlshown.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"

#define STEP_TEXT_MAX 400 /* bytes of an instruction shown in progress */

char *step_text(const struct step *sp)
{
	/* Of the whole text: a secret that is cut is hard to see. */
	auto_free char *whole = urlshown(sp->ins->text);
	char *text = mem_strndup(whole, strnlen(whole, STEP_TEXT_MAX));

	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return text;
}

struct event step_event(const struct step *sp, enum event_kind kind, struct events *p)
{
	return (struct event){
		.kind = kind, .step = sp->number, .nsteps = events_nsteps(p), .stage = sp->title};
}

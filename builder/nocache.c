// SPDX-License-Identifier: Apache-2.0
/*
 * --no-cache-filter: marks stages by name or number, and then those that are FROM a marked one, in
 * the order of the file, so that one pass is enough.
 */
#include "builder/nocache.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int mark_named(struct plan *p, const char *name, struct err **err)
{
	bool found = false;
	char number[24];

	for (size_t k = 0; k < p->nstages; k++) {
		snprintf(number, sizeof number, "%zu", k);
		if (strcasecmp(name, p->stages[k].title) != 0 && strcmp(name, number) != 0)
			continue;
		p->stages[k].renewed = found = true;
	}
	return found ? 0
		     : err_set(err, ERR_USAGE, "--no-cache-filter: there is no stage \"%s\"", name);
}

int nocache_mark(struct job *j, struct err **err)
{
	struct plan *p = &j->plan;

	for (size_t i = 0; i < j->session.o->no_cache_stages.n; i++)
		if (mark_named(p, j->session.o->no_cache_stages.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < p->nstages; i++) {
		struct plan_stage *st = &p->stages[i];

		if (st->base == PLAN_STAGE && p->stages[st->base_stage].renewed)
			st->renewed = true;
	}
	return 0;
}

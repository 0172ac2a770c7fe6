// SPDX-License-Identifier: Apache-2.0
/*
 * Stages that only a trigger of a base image needs. They cannot be known before that image is
 * there, so its ONBUILD lines are read ahead of the build, but only where an unneeded stage in
 * front could become needed. From the last stage to the first, since need spreads that way.
 */
#include "builder/latefrom.h"

#include "builder/base.h"
#include "builder/plan/dferr.h"
#include "builder/plan/planneeds.h"
#include "parser/dockerfile.h"
#include "store/base/mem.h"

struct dockerfile *latefrom_parse(const char *trigger)
{
	return dockerfile_parse_trigger(SLICE("ONBUILD of the base image"), slice_of(trigger));
}

/* Is there a stage in front of this one that a trigger could make needed? */
static bool latefrom_wanted(const struct plan *p, size_t stage)
{
	const struct plan_stage *st = &p->stages[stage];

	if (!st->needed || (st->base != PLAN_IMAGE && st->base != PLAN_CONTEXT))
		return false;
	for (size_t i = 0; i < stage; i++)
		if (!p->stages[i].needed)
			return true;
	return false;
}

static int latefrom_look(struct job *j, size_t stage, struct err **err)
{
	auto_strlist struct strlist triggers = {0};
	int r = base_triggers(j, stage, &triggers, err);

	for (size_t i = 0; i < triggers.n && r == 0; i++) {
		struct dockerfile *df = latefrom_parse(triggers.v[i]);
		r = df->diags.errors ? dferr_report(err, df)
				     : planneeds_trigger(&j->plan, df, &j->contexts.names, stage,
					       df->trigger, err);
		dockerfile_free(df);
	}
	return r;
}

int latefrom_find(struct job *j, struct err **err)
{
	for (size_t i = j->plan.nstages; i-- > 0;) {
		if (latefrom_wanted(&j->plan, i) && latefrom_look(j, i, err) < 0)
			return -1;
		if (planneeds_spread(&j->plan, j->df, &j->contexts.names, i, err) < 0)
			return -1;
	}
	planneeds_number(&j->plan);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The targets of one build as arrays, the main one last: stages for the plan, results in the same
 * order. Results are put together aside and handed over whole, so after an error the caller has
 * none to clear. Of a single target the result carries no name.
 */
#include "builder/targets.h"

#include <string.h>

#include "builder/image/result.h"
#include "store/base/mem.h"

const struct build_target *targets_main(const struct build_opts *o)
{
	return &o->targets[o->ntargets - 1];
}

const char **targets_stages(const struct build_opts *o)
{
	const char **v = mem_array(o->ntargets, sizeof *v);

	for (size_t i = 0; i < o->ntargets; i++)
		v[i] = o->targets[i].stage;
	return v;
}

struct build_target *targets_unnamed(const struct build_opts *o)
{
	struct build_target *v = mem_array(o->ntargets, sizeof *v);

	for (size_t i = 0; i < o->ntargets; i++)
		v[i] = (struct build_target){.stage = o->targets[i].stage};
	return v;
}

struct build_results targets_results(const struct build_opts *o)
{
	struct build_results r = {.v = mem_alloc(o->ntargets * sizeof *r.v), .n = o->ntargets};

	for (size_t i = 0; r.n > 1 && i < r.n; i++)
		r.v[i].target = o->targets[i].stage ? mem_strdup(o->targets[i].stage) : NULL;
	return r;
}

int targets_write(struct job *j, struct build_results *out, struct err **err)
{
	const struct build_opts *o = j->session.o;
	struct build_results all = targets_results(o);
	int r = 0;

	for (size_t i = 0; i < all.n && r == 0; i++) {
		all.v[i].times = j->session.times;
		r = result_write(&j->session, &j->stages[j->plan.targets[i]], &o->targets[i].tags,
			&all.v[i], err);
	}
	if (r < 0) {
		result_clear_all(&all);
		return -1;
	}
	*out = all;
	return 0;
}

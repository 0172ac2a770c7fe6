// SPDX-License-Identifier: Apache-2.0
#include "builder/targets.h"

#include <string.h>

#include "builder/image/result.h"
#include "store/base/mem.h"

size_t targets_count(const struct build_opts *o)
{
	return o->more_targets.n + 1;
}

const char *targets_name(const struct build_opts *o, size_t i)
{
	return i < o->more_targets.n ? o->more_targets.v[i] : o->target;
}

void targets_tags(const struct build_opts *o, size_t i, struct strlist *out)
{
	if (i == o->more_targets.n) {
		strlist_copy(out, &o->tags);
		return;
	}
	size_t len = strlen(o->more_targets.v[i]);
	for (size_t k = 0; k < o->more_tags.n; k++)
		if (strncmp(o->more_tags.v[k], o->more_targets.v[i], len) == 0 &&
			o->more_tags.v[k][len] == '=')
			strlist_add(out, o->more_tags.v[k] + len + 1);
}

void targets_prepare(const struct build_opts *o, struct build_result *r)
{
	*r = (struct build_result){.nbefore = o->more_targets.n};
	if (!r->nbefore)
		return;
	r->before = mem_alloc(r->nbefore * sizeof *r->before);
	for (size_t i = 0; i <= r->nbefore; i++) {
		const char *name = targets_name(o, i);
		targets_result(r, i)->target = name ? mem_strdup(name) : NULL;
	}
}

struct build_result *targets_result(struct build_result *r, size_t i)
{
	return i < r->nbefore ? &r->before[i] : r;
}

int targets_write(struct job *j, struct build_result *out, struct err **err)
{
	struct build_result all;
	int r = 0;

	targets_prepare(j->session.o, &all);
	all.times = j->session.times;
	for (size_t i = 0; i < j->plan.ntargets && r == 0; i++) {
		auto_strlist struct strlist tags = {0};

		targets_tags(j->session.o, i, &tags);
		r = result_write(&j->session, &j->stages[j->plan.targets[i]], &tags,
			targets_result(&all, i), err);
	}
	if (r < 0) {
		result_clear(&all);
		return -1;
	}
	*out = all;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* What a build was asked for is freed here, and nowhere changed. */
#include "builder/options.h"

#include <stdlib.h>

void options_clear(struct build_opts *o)
{
	struct strlist *const lists[] = {&o->build_args, &o->env, &o->labels, &o->annotations,
		&o->unset_env, &o->unset_labels, &o->secrets, &o->ssh, &o->contexts, &o->made,
		&o->no_cache_stages, &o->proxy_env};

	for (size_t i = 0; i < o->ntargets; i++)
		strlist_clear(&o->targets[i].tags);
	free(o->targets);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		strlist_clear(lists[i]);
	*o = (struct build_opts){0};
}

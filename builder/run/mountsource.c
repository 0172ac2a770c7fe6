// SPDX-License-Identifier: Apache-2.0
/*
 * from= and source= of a mount. A stage or an image is known by its key, with nothing opened; what
 * a bind mount shows of a context becomes a layer, found again by content.
 */
#include "builder/run/mountsource.h"

#include <string.h>

#include "builder/cache/lowers.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/plan/fromref.h"
#include "builder/plan/plan.h"
#include "builder/session.h"
#include "builder/state.h"
#include "store/tree/tree.h"

int mountsource_find(struct job *j, const struct step *sp, struct runmount *m, struct err **err)
{
	const struct ast_mount *a = m->ast;
	struct plan_from from;
	struct word word;

	if (!m->source || !*m->source)
		m->source = "/";
	if (fromref_word(&j->plan, &sp->st->scope, sp->df, &a->from, &word, err) < 0 ||
		plan_resolve_from(&j->plan, sp->df, &j->contexts.names, sp->stage, &word, false,
			&from, NULL, err) < 0)
		return -1;
	if (origin_open(j, &from, &m->origin, err) < 0)
		return dferr_locate(err, sp->df, a->from.text.ptr ? a->from.span : a->span);
	return 0;
}

int mountsource_find_bind(
	struct job *j, const struct step *sp, struct runmount *m, struct err **err)
{
	const struct ast_mount *a = m->ast;
	struct copy_root root;

	if (mountsource_find(j, sp, m, err) < 0)
		return -1;
	if (m->origin.state)
		return 0;
	if (origin_root(j, &m->origin, &root, err) < 0 ||
		origin_make_layer(j, &root, m->source, &m->layer, err) < 0)
		return dferr_locate(err, sp->df, a->source.text.ptr ? a->source.span : a->span);
	return 0;
}

int mountsource_check(struct job *j, const struct runmount *m, struct err **err)
{
	if (strcmp(m->source, "/") == 0)
		return 0;
	const struct layer_tree *t = state_tree(m->origin.state, j->session.s, err);
	if (!t)
		return -1;
	if (!layer_tree_lookup(t, m->source, true, NULL, NULL))
		return err_set(err, ERR_CONTEXT, "mount source \"%s\" does not exist in \"%.*s\"",
			m->source, SLICE_ARG(m->ast->from.text));
	return 0;
}

int mountsource_open_bind(
	struct job *j, struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	const struct state *st = m->origin.state;
	const struct layer_stack own = {
		.diff_ids = &m->layer.record.layer, .times = &m->layer.record.times, .n = 1};
	struct lowers_request q = {
		.s = j->session.s,
		.runner = session_runner(&j->session, err),
		.form = j->session.o->layer_form,
		.k = st ? state_stack(st) : own,
		.base = st ? st->nbase : 0,
	};

	if (st && mountsource_check(j, m, err) < 0)
		return -1;
	if (q.k.n == 0) { /* FROM scratch and nothing yet: an empty directory */
		out->kind = SANDBOX_MOUNT_TMPFS;
		return 0;
	}
	if (lowers_open(&q, &m->lowers, err) < 0)
		return -1;
	out->kind = m->readonly ? SANDBOX_MOUNT_BIND : SANDBOX_MOUNT_SCRATCH;
	out->lowers = (struct sandbox_lowers){.v = m->lowers.v, .n = m->lowers.n};
	out->source = st ? m->source : m->layer.inner;
	return 0;
}

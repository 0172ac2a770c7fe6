// SPDX-License-Identifier: Apache-2.0
#include "builder/lowers.h"

static int find(const struct lowers_request *q, bool index, struct lowers *out, struct err **err)
{
	struct snapshot_forms forms = {
		.index = index,
		.strict = q->form == BUILD_FORM_INDEX,
		.merge = q->base,
		.max = SANDBOX_LOWERS_MAX > q->above ? SANDBOX_LOWERS_MAX - q->above : 1,
		.below = q->below,
	};

	return snapshot_lowers(q->s, q->diff_ids, q->n, &forms, out, err);
}

static int refused(struct err **err)
{
	err_set(err, ERR_UNSUPPORTED,
		"layers cannot be mounted as EROFS indexes here, and BLD_LAYER_FORM allows nothing "
		"else");
	return err_hint(err, "`bld info` says what this kernel and this user can do; the store "
			     "must not lie on tmpfs or overlayfs");
}

int lowers_open(const struct lowers_request *q, struct lowers *out, struct err **err)
{
	auto_lowers struct lowers made = {0};
	int taken = 0;

	if (q->form != BUILD_FORM_DIRECTORY && sandbox_takes_indexes(q->runner)) {
		if (find(q, true, &made, err) < 0)
			return -1;
		taken = sandbox_try_lowers(q->runner, made.v, made.n, err);
		if (taken < 0)
			return -1;
	}
	if (taken == 0 && q->form == BUILD_FORM_INDEX)
		return refused(err);
	if (taken == 0)
		return find(q, false, out, err);
	*out = made;
	made = (struct lowers){0};
	return 0;
}

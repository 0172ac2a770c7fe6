// SPDX-License-Identifier: Apache-2.0
#include "builder/lowers.h"

int lowers_open(const struct lowers_request *q, struct lowers *out, struct err **err)
{
	struct snapshot_forms forms = {
		.merge = q->base,
		.max = SANDBOX_LOWERS_MAX > q->above ? SANDBOX_LOWERS_MAX - q->above : 1,
		.below = q->below,
	};

	return snapshot_lowers(q->s, q->diff_ids, q->n, &forms, out, err);
}

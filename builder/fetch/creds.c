// SPDX-License-Identifier: Apache-2.0
/*
 * Whether --creds are meant for a registry: the one that is pushed to, else that of the first FROM
 * with an image. For every other name nothing is set, and the credential files are asked.
 */
#include "builder/fetch/creds.h"

#include <string.h>

#include "builder/plan/plan.h"
#include "store/base/mem.h"
#include "store/reference.h"
#include "store/transport/transfer.h"

char *creds_registry(const char *name)
{
	auto_reference struct reference r = {0};

	if (transfer_is_local(name) || reference_parse(name, &r, NULL) < 0)
		return NULL;
	return mem_strdup(r.host);
}

static char *first_from(const struct plan *p)
{
	for (size_t i = 0; i < p->nstages; i++) {
		char *host = p->stages[i].base == PLAN_IMAGE
				     ? creds_registry(p->stages[i].base_name)
				     : NULL;

		if (host)
			return host;
	}
	return NULL;
}

void creds_apply(
	const struct creds *c, const struct plan *plan, const char *name, struct transfer_opts *t)
{
	if (!c->user)
		return;
	auto_free char *asked = creds_registry(name);
	auto_free char *meant = c->host ? mem_strdup(c->host) : plan ? first_from(plan) : NULL;

	if (!asked || !meant || strcmp(asked, meant) != 0)
		return;
	t->user = c->user;
	t->password = c->password;
}

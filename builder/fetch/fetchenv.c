// SPDX-License-Identifier: Apache-2.0
/*
 * The session as those see it who fetch things: a view with borrowed members, so that the folders
 * below need not know struct session. "bld lint" makes one without a session.
 */
#include "builder/fetch/fetchenv.h"

#include <stdarg.h>

#include "builder/session.h"
#include "store/base/mem.h"

static void emit_status(void *ctx, const char *text)
{
	struct session *se = ctx;

	events_status(&se->events, text);
}

struct fetchenv fetchenv_of(struct session *se)
{
	return (struct fetchenv){
		.s = se->s,
		.proxies = &se->o->proxy_env,
		.secrets = &se->secrets,
		.agents = &se->agents,
		.cert_dir = se->o->cert_dir,
		.allow_private = se->o->allow_private,
		.context = se->o->context,
		.cancelled = stop_flag(&se->stop),
		.status = emit_status,
		.ctx = se,
	};
}

void fetchenv_status(const struct fetchenv *e, const char *fmt, ...)
{
	va_list ap;

	if (!e->status)
		return;
	va_start(ap, fmt);
	auto_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	e->status(e->ctx, text);
}

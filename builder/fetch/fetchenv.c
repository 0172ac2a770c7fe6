// SPDX-License-Identifier: Apache-2.0
#include "builder/fetch/fetchenv.h"

#include <stdarg.h>

#include "builder/job.h"
#include "store/base/mem.h"

static void emit_status(void *ctx, const char *text)
{
	job_emit(ctx, &(struct event){.kind = EVENT_STATUS, .text = text});
}

struct fetchenv fetchenv_of(struct job *j)
{
	return (struct fetchenv){
		.s = j->s,
		.proxies = &j->o->proxy_env,
		.secrets = &j->secrets,
		.agents = &j->agents,
		.cert_dir = j->o->cert_dir,
		.context = j->o->context,
		.cancelled = job_cancelled(j),
		.status = emit_status,
		.ctx = j,
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

// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets and agents of a RUN. A secret's bytes are borrowed from the session until the step has
 * ended; as a variable they are a copy, which runmounts_clear() wipes.
 */
#include "builder/run/mountsecret.h"

#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshagent.h"
#include "builder/secrets/sshproxy.h"
#include "builder/state.h"
#include "store/base/mem.h"

/* Of "/a/b" and "/a/b/": "b". */
static const char *mountsecret_last_part(struct arena *a, const char *path)
{
	size_t end = strlen(path), at;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (at = end; at > 0 && path[at - 1] != '/';)
		at--;
	if (!path[end])
		return path + at;
	return arena_printf(a, "%.*s", (int)(end - at), path + at).ptr;
}

/* The id is that of id=, else source=, else what the file is called. */
int mountsecret_settle(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err)
{
	struct arena *a = sp->st->scope.arena;

	(void)nth;
	if (!m->id || !*m->id)
		m->id = m->source && *m->source ? m->source
			: given                 ? mountsecret_last_part(a, given)
						: NULL;
	if (!m->id || !*m->id)
		return dferr_at(err, ERR_SYNTAX, sp->df, m->ast->span, NULL,
			"a secret mount needs id= or target=");
	if (!m->target && !m->env)
		m->target = mem_printf("/run/secrets/%s", mountsecret_last_part(a, m->id));
	return 0;
}

int mountsecret_open(struct job *j, const struct step *sp, struct runmounts *r, struct runmount *m,
	struct sandbox_mount *out, struct err **err)
{
	const struct secret *s = secrets_find(&j->session.secrets, m->id);

	if (!s && m->required)
		return dferr_at(err, ERR_BUILD, sp->df, m->ast->span,
			"pass it with --secret id=...,src=FILE or env=NAME",
			"the secret \"%s\" was not given", m->id);
	if (!s)
		return 0;
	r->secrets[r->nsecrets++] = s;
	if (m->env) {
		if (memchr(s->data, '\0', s->len))
			return dferr_at(err, ERR_BUILD, sp->df, m->ast->span, NULL,
				"the secret \"%s\" holds a NUL byte and cannot be a variable",
				m->id);
		auto_free char *value = mem_strndup(s->data, s->len);
		strlist_set_kv(&r->env, m->env, value);
		explicit_bzero(value, s->len);
	}
	if (!m->target)
		return 0;
	out->kind = SANDBOX_MOUNT_FILE;
	out->data = s->data;
	out->len = s->len;
	return 1;
}

int mountsecret_settle_ssh(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err)
{
	(void)sp, (void)given, (void)err;
	if (!m->id || !*m->id)
		m->id = "default";
	if (!m->target)
		m->target = mem_printf("/run/buildkit/ssh_agent.%zu", nth);
	return 0;
}

int mountsecret_open_ssh(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	const struct sshagent *a = sshagent_find(&j->session.agents, m->id);

	(void)r;
	if (!a && m->required)
		return dferr_at(err, ERR_BUILD, sp->df, m->ast->span,
			"pass it with --ssh ID, --ssh ID=SOCKET or --ssh ID=KEYFILE",
			"no ssh agent \"%s\" was given", m->id);
	if (!a)
		return 0;
	m->proxy = sshproxy_start(j->session.s, a, m->uid, m->gid, out->mode, err);
	if (!m->proxy)
		return -1;
	out->kind = SANDBOX_MOUNT_BIND;
	out->source_fd = sshproxy_fd(m->proxy);
	return 1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The types of RUN --mount, a row each; what the words of a type may be is parser/mountopt.c. Short
 * types are whole here, those with more to them have a file of their own.
 */
#include "builder/run/mounttypes.h"

#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/run/mountcache.h"
#include "builder/run/mountsecret.h"
#include "builder/run/mountsource.h"
#include "builder/state.h"
#include "parser/mountopt.h"
#include "store/base/path.h"

/* What has no target lies on the working directory. */
static int mounttypes_settle(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err)
{
	(void)given, (void)nth;
	if (m->target)
		return 0;
	m->target = path_absolute("/", state_workdir(sp->st));
	if (strcmp(m->target, "/") != 0)
		return 0;
	return dferr_at(err, ERR_SYNTAX, sp->df, m->ast->span, "add target=PATH",
		"a %s mount without a target is the working directory, and that is /",
		mountopt_type_name(m->type));
}

static int mounttypes_open_bind(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	(void)sp, (void)r;
	return mountsource_open_bind(j, m, out, err) < 0 ? -1 : 1;
}

/* Two of one target are one directory, as long as nothing else is said. */
static int mounttypes_settle_cache(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err)
{
	if (mounttypes_settle(sp, m, given, nth, err) < 0)
		return -1;
	if (!m->id || !*m->id)
		m->id = m->target;
	return 0;
}

static int mounttypes_open_cache(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	(void)j, (void)sp, (void)r, (void)err;
	out->kind = SANDBOX_MOUNT_BIND;
	out->source_fd = m->source_fd;
	return 1;
}

static int mounttypes_open_tmpfs(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	(void)j, (void)sp, (void)err;
	out->kind = SANDBOX_MOUNT_TMPFS;
	out->size_bytes = m->size;
	out->uid = m->chown ? r->owner.uid : 0;
	out->gid = m->chown ? r->owner.gid : 0;
	return 1;
}

static const struct mounttype types[AST_MOUNT_TYPES] = {
	[AST_MOUNT_BIND] = {.readonly = true,
		.mode = 0755,
		.on = MOUNTTYPE_ON_EITHER,
		.settle = mounttypes_settle,
		.find = mountsource_find_bind,
		.open = mounttypes_open_bind},
	[AST_MOUNT_CACHE] = {.mode = MOUNTCACHE_MODE,
		.on = MOUNTTYPE_ON_DIRECTORY,
		.settle = mounttypes_settle_cache,
		.find = mountcache_find,
		.prepare = mountcache_open_all,
		.open = mounttypes_open_cache},
	/* The kernel's mode, also over a directory of the image with another one. */
	[AST_MOUNT_TMPFS] = {.mode = 01777,
		.on = MOUNTTYPE_ON_DIRECTORY,
		.settle = mounttypes_settle,
		.open = mounttypes_open_tmpfs},
	[AST_MOUNT_SECRET] = {.readonly = true,
		.source_is_id = true,
		.id_in_key = true,
		.mode = 0400,
		.on = MOUNTTYPE_ON_FILE,
		.settle = mountsecret_settle,
		.open = mountsecret_open},
	[AST_MOUNT_SSH] = {.id_in_key = true,
		.mode = 0600,
		.on = MOUNTTYPE_ON_EITHER,
		.variable = "SSH_AUTH_SOCK",
		.settle = mountsecret_settle_ssh,
		.open = mountsecret_open_ssh},
};

const struct mounttype *mounttypes_of(const struct runmount *m)
{
	return &types[m->type];
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Cache mounts of a RUN: which directory of the store each is, what a new one begins with, and the
 * order in which several are opened, so that two builds never wait for each other.
 */
#include "builder/run/mountcache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/run/cachemount.h"
#include "builder/run/mountsource.h"
#include "builder/state.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

int mountcache_find(struct job *j, const struct step *sp, struct runmount *m, struct err **err)
{
	return m->ast->from.text.ptr ? mountsource_find(j, sp, m, err) : 0;
}

/* A cache mount about to be opened. */
struct cache_use {
	struct runmount *m;
	struct cachemount c;
	struct copy_root seed;
	char name[DIGEST_HEX];
};

static int mountcache_describe(struct job *j, const struct step *sp, struct runmount *m,
	struct cache_use *out, struct err **err)
{
	*out = (struct cache_use){
		.m = m,
		.c = {.id = m->id,
			.sharing = m->sharing,
			.uid = m->uid,
			.gid = m->gid,
			.mode = m->has_mode ? m->mode : MOUNTCACHE_MODE,
			.anew = sp->fresh_mounts},
	};
	if (m->origin.state || m->origin.context) {
		if (origin_root(j, &m->origin, &out->seed, err) < 0)
			return -1;
		out->c.seed = &out->seed;
		out->c.seed_path = m->source;
		out->c.seed_key = m->origin.state ? &m->origin.state->key : NULL;
	}
	cachemount_name(&out->c, out->name);
	return 0;
}

/* Of one name the locked one first: then a private one beside it takes another copy. */
static int mountcache_by_name(const void *a, const void *b)
{
	const struct cache_use *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return (y->c.sharing == CACHEMOUNT_LOCKED) - (x->c.sharing == CACHEMOUNT_LOCKED);
}

/* source= without from= is a directory inside the cache; what RUN left there may be a link. */
static int enter_source(struct runmount *m, struct err **err)
{
	if (!m->source || m->origin.state || m->origin.context)
		return 0;
	int fd = fs_open_beneath(
		m->source_fd, *m->source ? m->source : "/", O_RDONLY | O_DIRECTORY, 0, FS_IN_ROOT);
	if (fd < 0)
		return err_sys_kind(
			err, ERR_BUILD, "directory \"%s\" of the cache mount", m->source);
	close(m->source_fd);
	m->source_fd = fd;
	return 0;
}

static int mountcache_open_one(
	struct job *j, const struct cache_use *u, const struct cache_use *before, struct err **err)
{
	struct runmount *m = u->m;
	bool ours = before && before->c.sharing == CACHEMOUNT_LOCKED &&
		    u->c.sharing == CACHEMOUNT_LOCKED && strcmp(before->name, u->name) == 0;

	if (ours) {
		struct cachemount again = u->c;
		int none;
		again.sharing = CACHEMOUNT_SHARED; /* the lock is held already */
		m->source_fd = cachemount_open(&j->session, &again, &none, err);
	} else {
		m->source_fd = cachemount_open(&j->session, &u->c, &m->lock_fd, err);
	}
	return m->source_fd < 0 ? -1 : enter_source(m, err);
}

int mountcache_open_all(struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	auto_free struct cache_use *uses = mem_array(r->n + 1, sizeof *uses);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->m[i].type != AST_MOUNT_CACHE)
			continue;
		if (mountcache_describe(j, sp, &r->m[i], &uses[n], err) < 0)
			return dferr_locate(err, sp->df, r->m[i].ast->span);
		n++;
	}
	/* The seeds moved with the array's order. */
	qsort(uses, n, sizeof *uses, mountcache_by_name);
	for (size_t i = 0; i < n; i++) {
		if (uses[i].c.seed)
			uses[i].c.seed = &uses[i].seed;
		if (mountcache_open_one(j, &uses[i], i ? &uses[i - 1] : NULL, err) < 0 ||
			(uses[i].m->chown && cachemount_give(uses[i].m->source_fd, r->owner.uid,
						     r->owner.gid, err) < 0))
			return dferr_locate(err, sp->df, uses[i].m->ast->span);
	}
	return 0;
}

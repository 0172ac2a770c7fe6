// SPDX-License-Identifier: Apache-2.0
/*
 * The mounts of a RUN: where each comes from, what of it is in the key, and what the sandbox is
 * given. Descriptors, locks and proxies stay here until runmounts_clear(); the sandbox borrows.
 */
#include "builder/run/runmounts.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "builder/explain/explain.h"
#include "builder/image/userdb.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/run/mountsource.h"
#include "builder/run/mounttypes.h"
#include "builder/run/mountwords.h"
#include "builder/secrets/sshproxy.h"
#include "builder/state.h"
#include "parser/ast.h"
#include "parser/mountopt.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/lower.h"
#include "store/tree/tree.h"

int runmounts_expand(struct job *j, const struct step *sp, struct runmounts *out, struct err **err)
{
	const struct ast_run *run = &sp->ins->run;
	size_t seen[AST_MOUNT_TYPES] = {0};

	*out = (struct runmounts){
		.m = mem_array(run->nmounts + 1, sizeof *out->m), .n = run->nmounts};
	for (size_t i = 0; i < out->n; i++)
		out->m[i] =
			(struct runmount){.ast = &run->mounts[i], .source_fd = -1, .lock_fd = -1};
	for (size_t i = 0; i < out->n; i++) {
		struct runmount *m = &out->m[i];
		bool ok = mountwords_expand(sp, m, seen, err) == 0;
		const struct mounttype *type = mounttypes_of(m);

		if (!ok || (type->find && type->find(j, sp, m, err) < 0)) {
			runmounts_clear(out);
			return -1;
		}
	}
	return 0;
}

/* As --explain shows it. */
static char *mount_text(const struct runmount *m)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_addf(&b, "type=%s", mountopt_type_name(m->type));
	if (m->source && (m->origin.state || m->origin.context))
		buf_addf(&b, ",source=%s", m->source);
	if (mounttypes_of(m)->id_in_key && m->id)
		buf_addf(&b, ",id=%s", m->id);
	if (m->env)
		buf_addf(&b, ",env=%s", m->env);
	if (m->size)
		buf_addf(&b, ",size=%llu", (unsigned long long)m->size);
	if (m->uid || m->gid)
		buf_addf(&b, ",uid=%u,gid=%u", m->uid, m->gid);
	if (m->has_mode)
		buf_addf(&b, ",mode=%04o", m->mode);
	if (m->chown)
		buf_adds(&b, ",U");
	if (m->noexec)
		buf_adds(&b, ",noexec");
	if (m->required)
		buf_adds(&b, ",required");
	buf_adds(&b, m->readonly ? ",ro" : ",rw");
	return buf_take(&b);
}

static void part_mount(const struct runmount *m, const char *name, struct keyparts *k)
{
	auto_free char *text = k->facts ? mount_text(m) : NULL;
	struct sha256 *h = keyparts_part(k, KEYPART_VALUE, name, text);

	sha256_field_str(h, mountopt_type_name(m->type));
	sha256_field_str(h, m->target);
	sha256_field_u64(h, m->readonly);
	sha256_field_str(h, mounttypes_of(m)->id_in_key ? m->id : NULL);
	sha256_field_str(h, m->env);
	sha256_field_u64(h, m->size);
	/* Whether the command can read or write there. */
	sha256_field_u64(h, m->uid);
	sha256_field_u64(h, m->gid);
	sha256_field_u64(h, m->has_mode ? 1 + (uint64_t)m->mode : 0);
	/* Only then, so that other keys are what they always were. */
	if (m->noexec)
		sha256_field_str(h, "noexec");
	if (m->chown)
		sha256_field_str(h, "U");
	if (m->required)
		sha256_field_str(h, "required");
}

/* What is there: of a cache only what a new one starts with. */
static void part_source(struct job *j, const struct runmount *m, const char *name, bool by_content,
	struct keyparts *k)
{
	auto_free char *prefix = k->facts ? mem_printf("%s: ", name) : NULL;

	if (by_content && m->origin.stage) {
		struct sha256 *h = explain_origin(k, j, prefix, m->origin.state);
		sha256_field_str(h, m->content_dir ? "directory" : "file");
		cachekey_digest(h, &m->content);
		return;
	}
	/* The mount's own part shows it. */
	sha256_field_str(keyparts_implied(k), m->layer.inner ? NULL : m->source);
	if (m->origin.state)
		cachekey_digest(
			explain_origin(k, j, prefix, m->origin.state), &m->origin.state->key);
	else if (m->layer.inner)
		cachekey_digest(
			explain_mount(k, j, prefix, &m->origin, m->source), &m->layer.content);
}

void runmounts_parts(struct job *j, const struct runmounts *r, bool by_content, struct keyparts *k)
{
	sha256_field_u64(keyparts_implied(k), r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct runmount *m = &r->m[i];
		auto_free char *name =
			k->facts ? mem_printf("mount %s", m->target ? m->target : m->id) : NULL;
		part_mount(m, name, k);
		part_source(j, m, name, by_content, k);
	}
	if (by_content)
		sha256_field_str(keyparts_implied(k), "by content");
}

bool runmounts_reads_stage(const struct runmounts *r, bool *renewed)
{
	bool reads = false;

	*renewed = false;
	for (size_t i = 0; i < r->n; i++) {
		reads = reads || r->m[i].origin.stage;
		*renewed = *renewed || r->m[i].origin.renewed;
	}
	return reads;
}

/* --- opening ----------------------------------------------------------------------------- */

int runmounts_look(struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct runmount *m = &r->m[i];

		if (!m->origin.stage)
			continue;
		if (mountsource_check(j, m, err) < 0 ||
			origin_content(
				j, &m->origin, m->source, &m->content, &m->content_dir, err) < 0)
			return dferr_locate(err, sp->df, m->ast->span);
	}
	return 0;
}

/* Whose U makes what is in a mount: looked up for those who need it only. */
static int runmounts_find_owner(
	struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	auto_userdb_user struct userdb_user user = {0};
	bool wanted = false;

	for (size_t i = 0; i < r->n; i++)
		wanted = wanted || r->m[i].chown;
	if (!wanted)
		return 0;
	const struct layer_tree *t = state_tree(sp->st, j->session.s, err);
	if (!t || userdb_user(t, state_user(sp->st), &user, err) < 0)
		return -1;
	r->owner.uid = user.uid;
	r->owner.gid = user.gid;
	return 0;
}

static int runmounts_prepare(
	struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	bool done[AST_MOUNT_TYPES] = {false};

	for (size_t i = 0; i < r->n; i++) {
		const struct mounttype *type = mounttypes_of(&r->m[i]);

		if (type->prepare && !done[r->m[i].type] && type->prepare(j, sp, r, err) < 0)
			return -1;
		done[r->m[i].type] = true;
	}
	return 0;
}

static int runmounts_open_one(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	const struct mounttype *type = mounttypes_of(m);

	*out = (struct sandbox_mount){
		.target = m->target,
		.source_fd = -1,
		.readonly = m->readonly,
		.noexec = m->noexec,
		.uid = m->uid,
		.gid = m->gid,
		.mode = m->has_mode ? m->mode : type->mode,
	};
	return type->open(j, sp, r, m, out, err);
}

/* A directory is mounted on a directory, a file on a file; what is missing is made. */
static int check_target(
	struct job *j, const struct step *sp, const struct runmount *m, struct err **err)
{
	const struct layer_tree *t = m->target ? state_tree(sp->st, j->session.s, err) : NULL;
	struct layer_node *n = t ? layer_tree_lookup(t, m->target, true, NULL, NULL) : NULL;
	enum mounttype_target on = mounttypes_of(m)->on;

	if (m->target && !t)
		return -1;
	if (!n || on == MOUNTTYPE_ON_EITHER)
		return 0;
	bool dir = layer_node_type(n) == LAYER_DIR;
	if (dir == (on == MOUNTTYPE_ON_DIRECTORY))
		return 0;
	return dferr_at(err, ERR_BUILD, sp->df, m->ast->span, NULL,
		dir ? "%s is a directory, a %s is a file" : "%s is not a directory", m->target,
		mountopt_type_name(m->type));
}

/* Below the target of another mount the image says nothing. */
static bool lies_in_mount(const struct runmounts *r, size_t i)
{
	for (size_t k = 0; r->m[i].target && k < r->n; k++) {
		const char *outer = r->m[k].target;
		size_t len = outer ? strlen(outer) : 0;
		if (len && strncmp(r->m[i].target, outer, len) == 0 && r->m[i].target[len] == '/')
			return true;
	}
	return false;
}

struct placed {
	struct sandbox_mount mount;
	size_t written; /* its place among those of the RUN */
};

static int by_target(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = strcmp(x->mount.target, y->mount.target);

	return order ? order : (x->written > y->written) - (x->written < y->written);
}

/* Parents first, whatever the order in the Dockerfile: who is mounted later hides what lies below.
 * Of two at one place the later one is seen. A path sorts in front of what begins with it. */
static void sort_mounts(struct runmounts *r)
{
	auto_free struct placed *v = mem_array(r->nmounts + 1, sizeof *v);

	for (size_t i = 0; i < r->nmounts; i++)
		v[i] = (struct placed){r->mounts[i], i};
	qsort(v, r->nmounts, sizeof *v, by_target);
	for (size_t i = 0; i < r->nmounts; i++)
		r->mounts[i] = v[i].mount;
}

int runmounts_open(struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	for (size_t i = 0; i < r->n; i++)
		if (!lies_in_mount(r, i) && check_target(j, sp, &r->m[i], err) < 0)
			return -1;
	r->mounts = mem_array(r->n + 2, sizeof *r->mounts); /* room for the script of a heredoc */
	r->secrets = mem_array(r->n + 1, sizeof *r->secrets);
	if (runmounts_find_owner(j, sp, r, err) < 0 || runmounts_prepare(j, sp, r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		int got = runmounts_open_one(j, sp, r, &r->m[i], &r->mounts[r->nmounts], err);
		if (got < 0)
			return dferr_locate(err, sp->df, r->m[i].ast->span);
		r->nmounts += (size_t)got;
	}
	sort_mounts(r);
	return 0;
}

void runmounts_add_file(struct runmounts *r, const char *target, struct slice data, uint32_t mode)
{
	r->mounts[r->nmounts++] = (struct sandbox_mount){
		.kind = SANDBOX_MOUNT_FILE,
		.target = target,
		.source_fd = -1,
		.readonly = true,
		.mode = mode,
		.data = data.ptr,
		.len = data.len,
	};
}

void runmounts_add_env(const struct runmounts *r, struct strlist *env)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *name = mounttypes_of(&r->m[i])->variable;
		if (name && !strlist_get_kv(env, name))
			strlist_set_kv(env, name, r->m[i].target);
	}
	/* A secret is nearer than an ENV of its name: it is asked for in this very step. */
	for (size_t i = 0; i < r->env.n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(r->env.v[i], &value);
		strlist_set_kv(env, name, value);
	}
}

void runmounts_clear(struct runmounts *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct runmount *m = &r->m[i];
		sshproxy_stop(m->proxy);
		free(m->target);
		free(m->layer.inner);
		lower_clear_all(&m->lowers);
		fd_close(m->source_fd);
		fd_close(m->lock_fd);
	}
	for (size_t i = 0; i < r->env.n; i++)
		explicit_bzero(r->env.v[i], strlen(r->env.v[i]));
	strlist_clear(&r->env);
	free(r->m);
	free(r->mounts);
	free(r->secrets);
	*r = (struct runmounts){0};
}

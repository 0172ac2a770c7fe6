// SPDX-License-Identifier: Apache-2.0
/*
 * The mounts of a RUN: where each comes from, what of it is in the key, and what the sandbox is
 * given. Descriptors, locks and proxies stay here until runmounts_clear(); the sandbox borrows.
 */
#include "builder/plan/fromref.h"
#include "builder/run/runmounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/lowers.h"
#include "builder/explain/explain.h"
#include "builder/image/userdb.h"
#include "builder/plan/dferr.h"
#include "builder/plan/plan.h"
#include "builder/run/cachemount.h"
#include "builder/run/mountwords.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshagent.h"
#include "builder/secrets/sshproxy.h"
#include "builder/session.h"
#include "builder/state.h"
#include "builder/steps/copystep.h"
#include "parser/ast.h"
#include "parser/words.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/lock.h"
#include "store/lower.h"
#include "store/tree/tree.h"

#define TMPFS_MODE                                                                                 \
	01777 /* as the kernel's; also over a directory of the image with another one              \
	       */

/* The source of a bind: contexts become a layer by content, stages and images are known by key. */
static int find_origin(struct job *j, const struct step *sp, struct runmount *m, struct err **err)
{
	const struct ast_mount *a = m->ast;
	struct plan_from from;
	struct copy_root root;
	struct word word;

	if (m->type != AST_MOUNT_BIND && !(m->type == AST_MOUNT_CACHE && a->from.text.ptr))
		return 0;
	if (!m->source || !*m->source)
		m->source = "/";
	if (fromref_word(&j->plan, &sp->st->scope, sp->df, &a->from, &word, err) < 0 ||
		plan_resolve_from(&j->plan, sp->df, &j->contexts.names, sp->stage, &word, false,
			&from, NULL, err) < 0)
		return -1;
	if (origin_open(j, &from, &m->origin, err) < 0)
		return dferr_locate(err, sp->df, a->from.text.ptr ? a->from.span : a->span);
	if (m->type != AST_MOUNT_BIND || m->origin.state)
		return 0;
	if (origin_root(j, &m->origin, &root, err) < 0 ||
		origin_make_layer(j, &root, m->source, &m->layer, err) < 0)
		return dferr_locate(err, sp->df, a->source.text.ptr ? a->source.span : a->span);
	return 0;
}

int runmounts_expand(struct job *j, const struct step *sp, struct runmounts *out, struct err **err)
{
	const struct ast_run *run = &sp->ins->run;

	*out = (struct runmounts){
		.m = mem_array(run->nmounts + 1, sizeof *out->m), .n = run->nmounts};
	for (size_t i = 0; i < out->n; i++)
		out->m[i] =
			(struct runmount){.ast = &run->mounts[i], .source_fd = -1, .lock_fd = -1};
	size_t nssh = 0;
	for (size_t i = 0; i < out->n; i++) {
		if (mountwords_expand(sp, &out->m[i], nssh, err) < 0 ||
			find_origin(j, sp, &out->m[i], err) < 0) {
			runmounts_clear(out);
			return -1;
		}
		if (out->m[i].type == AST_MOUNT_SSH && nssh++ == 0)
			out->ssh_socket = out->m[i].target;
	}
	return 0;
}

/* As --explain shows it. */
static char *mount_text(const struct runmount *m)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_addf(&b, "type=%s", ast_mount_type_name(m->type));
	if (m->source && (m->origin.state || m->origin.context))
		buf_addf(&b, ",source=%s", m->source);
	if ((m->type == AST_MOUNT_SECRET || m->type == AST_MOUNT_SSH) && m->id)
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

	sha256_field_str(h, ast_mount_type_name(m->type));
	sha256_field_str(h, m->target);
	sha256_field_u64(h, m->readonly);
	sha256_field_str(h, m->type == AST_MOUNT_SECRET || m->type == AST_MOUNT_SSH ? m->id : NULL);
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
	bool bind = m->type == AST_MOUNT_BIND;
	auto_free char *prefix = k->facts ? mem_printf("%s: ", name) : NULL;

	if (by_content && m->origin.stage) {
		struct sha256 *h = explain_origin(k, j, prefix, m->origin.state);
		sha256_field_str(h, m->content_dir ? "directory" : "file");
		cachekey_digest(h, &m->content);
		return;
	}
	/* The mount's own part shows it. */
	sha256_field_str(keyparts_implied(k), m->origin.state || !bind ? m->source : NULL);
	if (m->origin.state)
		cachekey_digest(
			explain_origin(k, j, prefix, m->origin.state), &m->origin.state->key);
	else if (bind)
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

/* A missing path is a mistake in the Dockerfile, found before the sandbox would trip over it. */
static int runmounts_check_source(struct job *j, const struct runmount *m, struct err **err)
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

int runmounts_look(struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct runmount *m = &r->m[i];

		if (!m->origin.stage)
			continue;
		if (runmounts_check_source(j, m, err) < 0 ||
			origin_content(
				j, &m->origin, m->source, &m->content, &m->content_dir, err) < 0)
			return dferr_locate(err, sp->df, m->ast->span);
	}
	return 0;
}

static int open_bind(struct job *j, struct runmount *m, struct sandbox_mount *out, struct err **err)
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

	if (st && runmounts_check_source(j, m, err) < 0)
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

/* A cache mount about to be opened. */
struct cache_use {
	struct runmount *m;
	struct cachemount c;
	struct copy_root seed;
	char name[DIGEST_HEX];
};

static int describe_cache(struct job *j, const struct step *sp, struct runmount *m,
	struct cache_use *out, struct err **err)
{
	*out = (struct cache_use){
		.m = m,
		.c = {.id = m->id,
			.sharing = m->sharing,
			.uid = m->uid,
			.gid = m->gid,
			.mode = m->has_mode ? m->mode : 0755,
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
static int runmounts_by_name(const void *a, const void *b)
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

static int open_cache(
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

/* In the order of their names, whatever the order of the mounts. */
static int open_caches(struct job *j, const struct step *sp, struct runmounts *r, struct err **err)
{
	auto_free struct cache_use *uses = mem_array(r->n + 1, sizeof *uses);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->m[i].type != AST_MOUNT_CACHE)
			continue;
		if (describe_cache(j, sp, &r->m[i], &uses[n], err) < 0)
			return dferr_locate(err, sp->df, r->m[i].ast->span);
		n++;
	}
	/* The seeds moved with the array's order. */
	qsort(uses, n, sizeof *uses, runmounts_by_name);
	for (size_t i = 0; i < n; i++) {
		if (uses[i].c.seed)
			uses[i].c.seed = &uses[i].seed;
		if (open_cache(j, &uses[i], i ? &uses[i - 1] : NULL, err) < 0 ||
			(uses[i].m->chown && cachemount_give(uses[i].m->source_fd, r->owner.uid,
						     r->owner.gid, err) < 0))
			return dferr_locate(err, sp->df, uses[i].m->ast->span);
	}
	return 0;
}

/* 1 a file to mount, 0 nothing to mount, -1. */
static int open_secret(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
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
	out->mode = m->has_mode ? m->mode : 0400;
	return 1;
}

/* 1 / 0 / -1 as open_secret. */
static int open_ssh(struct job *j, const struct step *sp, struct runmount *m,
	struct sandbox_mount *out, struct err **err)
{
	const struct sshagent *a = sshagent_find(&j->session.agents, m->id);

	if (!a && m->required)
		return dferr_at(err, ERR_BUILD, sp->df, m->ast->span,
			"pass it with --ssh ID, --ssh ID=SOCKET or --ssh ID=KEYFILE",
			"no ssh agent \"%s\" was given", m->id);
	if (!a)
		return 0;
	m->proxy =
		sshproxy_start(j->session.s, a, m->uid, m->gid, m->has_mode ? m->mode : 0600, err);
	if (!m->proxy)
		return -1;
	out->kind = SANDBOX_MOUNT_BIND;
	out->source_fd = sshproxy_fd(m->proxy);
	return 1;
}

/* 1 / 0 / -1 as open_secret. */
static int runmounts_open_one(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err)
{
	*out = (struct sandbox_mount){
		.target = m->target,
		.source_fd = -1,
		.readonly = m->readonly,
		.noexec = m->noexec,
		.uid = m->uid,
		.gid = m->gid,
		.mode = m->has_mode ? m->mode : 0755,
	};
	switch (m->type) {
	case AST_MOUNT_BIND:
		return open_bind(j, m, out, err) < 0 ? -1 : 1;
	case AST_MOUNT_CACHE:
		out->kind = SANDBOX_MOUNT_BIND;
		out->source_fd = m->source_fd;
		return 1;
	case AST_MOUNT_TMPFS:
		out->kind = SANDBOX_MOUNT_TMPFS;
		out->size_bytes = m->size;
		out->mode = m->has_mode ? m->mode : TMPFS_MODE;
		out->uid = m->chown ? r->owner.uid : 0;
		out->gid = m->chown ? r->owner.gid : 0;
		return 1;
	case AST_MOUNT_SECRET:
		return open_secret(j, sp, r, m, out, err);
	case AST_MOUNT_SSH:
		return open_ssh(j, sp, m, out, err);
	}
	return 0;
}

/* A directory is mounted on a directory, a file on a file; what is missing is made. */
static int check_target(
	struct job *j, const struct step *sp, const struct runmount *m, struct err **err)
{
	const struct layer_tree *t = m->target ? state_tree(sp->st, j->session.s, err) : NULL;
	struct layer_node *n = t ? layer_tree_lookup(t, m->target, true, NULL, NULL) : NULL;
	enum ast_mount_type type = m->type;

	if (m->target && !t)
		return -1;
	if (!n || type == AST_MOUNT_BIND || type == AST_MOUNT_SSH)
		return 0; /* what a bind brings is known when it is opened */
	bool dir = layer_node_type(n) == LAYER_DIR;
	if (dir != (type == AST_MOUNT_SECRET))
		return 0;
	return dferr_at(err, ERR_BUILD, sp->df, m->ast->span, NULL,
		dir ? "%s is a directory, a secret is a file" : "%s is not a directory", m->target);
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
	if (runmounts_find_owner(j, sp, r, err) < 0 || open_caches(j, sp, r, err) < 0)
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

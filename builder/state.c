// SPDX-License-Identifier: Apache-2.0
/*
 * The state of a stage: configuration, variables, layers, key. The merged tree grows when it is
 * asked for, behind a lock, since other stages read it through from=. It may have layers that are
 * still being written: nobody has to wait for these, unless /etc/passwd or /etc/group is among
 * their files.
 */
#include "builder/state.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cache/pending.h"
#include "store/base/mem.h"
#include "store/snapshot.h"

void state_init(struct state *st)
{
	memset(st, 0, sizeof *st);
	oci_config_init(&st->config);
	scope_init(&st->scope);
	pthread_mutex_init(&st->growing, NULL);
	st->ahead = SCRATCH_NONE;
	st->open = true;
}

void state_clear(struct state *st)
{
	oci_config_clear(&st->config);
	for (size_t i = 0; i < st->nbase; i++)
		oci_descriptor_clear(&st->base_layers[i]);
	free(st->base_layers);
	free(st->layer_times);
	scope_clear(&st->scope);
	free(st->ports);
	free(st->base_name);
	layer_tree_free(st->tree);
	lower_clear_all(&st->lowers);
	pending_free(st->pending);
	scratch_close(&st->ahead);
	pthread_mutex_destroy(&st->growing);
	memset(st, 0, sizeof *st);
}

void state_expose(struct state *st, const struct port_range *r)
{
	auto_strlist struct strlist fresh = {0};

	if (!st->ports) {
		st->ports = mem_alloc(sizeof *st->ports);
		memset(st->ports, 0, sizeof *st->ports);
		ports_from_names(st->ports, &st->config.exposed_ports);
	}
	ports_add(st->ports, r, &fresh);
	for (size_t i = 0; i < fresh.n; i++)
		oci_config_add_port(&st->config, fresh.v[i]);
}

static uint64_t cost(const struct strlist *l)
{
	uint64_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += strlen(l->v[i]) + BUDGET_ENTRY;
	return n;
}

uint64_t state_cost(const struct state *st)
{
	const struct oci_config *c = &st->config;
	uint64_t n = scope_cost(&st->scope) + cost(&c->env) + cost(&c->labels) + cost(&c->volumes) +
		     cost(&c->exposed_ports) + cost(&c->onbuild);

	/* An entry has several strings. */
	for (size_t i = 0; i < c->nhistory; i++)
		n += (c->history[i].created_by ? strlen(c->history[i].created_by) : 0) +
		     3 * (uint64_t)BUDGET_ENTRY;
	return n;
}

void state_copy(struct state *dst, const struct state *src)
{
	state_init(dst);
	oci_config_copy(&dst->config, &src->config);
	dst->base_layers = mem_alloc((src->nbase + 1) * sizeof *dst->base_layers);
	for (size_t i = 0; i < src->nbase; i++)
		oci_descriptor_copy(&dst->base_layers[i], &src->base_layers[i]);
	struct layer_stack k = state_stack(src);
	dst->layer_times = mem_array(k.n + 1, sizeof *dst->layer_times);
	for (size_t i = 0; i < k.n; i++)
		dst->layer_times[i] = *layerstack_times(&k, i);
	dst->nlayer_times = k.n;
	dst->nbase = src->nbase;
	dst->nbase_history = src->nbase_history;
	dst->key = src->key;
	dst->base_name = src->base_name ? mem_strdup(src->base_name) : NULL;
	dst->base_digest = src->base_digest;
	scope_copy(&dst->scope, &src->scope);
	if (lower_dup(&dst->lowers, &src->lowers) == 0)
		dst->nlowered = src->nlowered;
}

static void pad_times(struct state *st, size_t n)
{
	if (n <= st->nlayer_times)
		return;
	st->layer_times = mem_grow(st->layer_times, n, sizeof *st->layer_times);
	memset(st->layer_times + st->nlayer_times, 0,
		(n - st->nlayer_times) * sizeof *st->layer_times);
	st->nlayer_times = n;
}

void state_add_layer(struct state *st, const struct digest *diff_id, const struct digest *times)
{
	oci_config_add_diff_id(&st->config, diff_id);
	pad_times(st, st->config.ndiff_ids);
	if (times)
		st->layer_times[st->config.ndiff_ids - 1] = *times;
}

struct layer_stack state_stack(const struct state *st)
{
	/* A base has none of them, and steps add theirs: all or as many as there are layers. */
	bool all = st->nlayer_times >= st->config.ndiff_ids;

	return (struct layer_stack){.diff_ids = st->config.diff_ids,
		.times = all && st->nlayer_times ? st->layer_times : NULL,
		.n = st->config.ndiff_ids};
}

static const struct layer_tree *state_grow(struct state *st, struct store *s, struct err **err)
{
	struct layer_stack k = state_stack(st);

	if (!st->tree)
		st->tree = layer_tree_new();
	for (; st->tree_layers < k.n; st->tree_layers++)
		if (snapshot_put(s, st->tree, &k, st->tree_layers, err) < 0)
			return NULL;
	return st->tree;
}

int state_settle(struct state *st, struct err **err)
{
	return pending_settle(st->pending, &st->config, err);
}

/* Users are looked up in the tree while layers are still being written. */
static bool lacks_users(const struct state *st)
{
	static const char *const files[] = {"/etc/passwd", "/etc/group"};
	struct layer_entry e;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct layer_node *n =
			layer_tree_lookup(st->tree, files[i], true, NULL, NULL);
		if (!n)
			continue;
		layer_node_attrs(n, &e);
		if (e.source == LAYER_DATA_FD && pending_writes(st->pending, e.fd))
			return true;
	}
	return false;
}

const struct layer_tree *state_tree(struct state *st, struct store *s, struct err **err)
{
	pthread_mutex_lock(&st->growing);
	const struct layer_tree *t = state_grow(st, s, err);
	pthread_mutex_unlock(&st->growing);
	if (t && pending_any(st->pending) && lacks_users(st) && state_settle(st, err) < 0)
		return NULL;
	return t;
}

void state_default_path(struct state *st)
{
	if (!strlist_get_kv(&st->config.env, "PATH"))
		strlist_set_kv(&st->config.env, "PATH", STATE_PATH_DEFAULT);
}

void state_inherit_env(struct state *st)
{
	for (size_t i = 0; i < st->config.env.n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(st->config.env.v[i], &value);
		if (value)
			scope_set(&st->scope, name, value);
	}
}

const char *state_workdir(const struct state *st)
{
	return st->config.working_dir && *st->config.working_dir ? st->config.working_dir : "/";
}

const char *state_user(const struct state *st)
{
	return st->config.user ? st->config.user : "";
}

const struct strlist *state_shell(const struct state *st, struct strlist *fallback)
{
	if (st->config.shell.n)
		return &st->config.shell;
	strlist_clear(fallback);
	strlist_add(fallback, "/bin/sh");
	strlist_add(fallback, "-c");
	return fallback;
}

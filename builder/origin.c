// SPDX-License-Identifier: Apache-2.0
/*
 * What from= means when a step runs: a context, a stage (which is waited for) or an image, fetched
 * once for all stages. Its files as a root for COPY, as a digest for keys, or as a layer for a
 * mount; a layer of a context is cached by content, as two contexts may hold the same.
 */
#include "builder/origin.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/base.h"
#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/fetch/fetchenv.h"
#include "builder/input/context.h"
#include "builder/plan/hints.h"
#include "builder/stages.h"
#include "builder/state.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/store.h"
#include "store/tree/tree.h"

/* One is fetched by the first stage that asks; others wait for that one only. */
struct origin_image {
	char *name;
	pthread_mutex_t fetching;
	bool fetched;
	struct state state;
};

struct origin_cache {
	pthread_mutex_t lock;
	struct origin_image **v; /* pointers, because origins borrow the states */
	size_t n;
	size_t cap;
};

struct origin_cache *origin_cache_new(void)
{
	struct origin_cache *c = mem_alloc(sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static struct origin_image *entry(struct origin_cache *c, const char *name)
{
	struct origin_image *img = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n && !img; i++)
		if (strcmp(c->v[i]->name, name) == 0)
			img = c->v[i];
	if (!img) {
		img = mem_alloc(sizeof *img);
		img->name = mem_strdup(name);
		pthread_mutex_init(&img->fetching, NULL);
		MEM_PUSH(c->v, c->n, c->cap) = img;
	}
	pthread_mutex_unlock(&c->lock);
	return img;
}

static struct state *cached_image(struct job *j, const char *name, struct err **err)
{
	struct origin_image *img = entry(j->origins, name);

	pthread_mutex_lock(&img->fetching);
	if (!img->fetched && strcmp(name, "scratch") == 0) {
		state_init(&img->state);
		img->fetched = true;
	} else if (!img->fetched) {
		img->fetched = base_image(j, name, NULL, &img->state, err) == 0;
	}
	bool there = img->fetched;
	pthread_mutex_unlock(&img->fetching);
	return there ? &img->state : NULL;
}

void origin_cache_free(struct origin_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i]->name);
		pthread_mutex_destroy(&c->v[i]->fetching);
		if (c->v[i]->fetched)
			state_clear(&c->v[i]->state);
		free(c->v[i]);
	}
	free(c->v);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int origin_open_named(struct job *j, const char *name, struct origin *out, struct err **err)
{
	struct fetchenv e = fetchenv_of(&j->session);
	const struct context *c = context_use(&j->contexts, name, &e, err);

	if (!c)
		return -1;
	if (c->image)
		out->state = cached_image(j, c->image, err);
	else
		out->context = c;
	return c->image && !out->state ? -1 : 0;
}

int origin_open(struct job *j, const struct plan_from *from, struct origin *out, struct err **err)
{
	*out = (struct origin){0};
	switch (from->kind) {
	case PLAN_FROM_CONTEXT:
		out->context = &j->contexts.main;
		return 0;
	case PLAN_FROM_NAMED:
		return origin_open_named(j, from->name, out, err);
	case PLAN_FROM_STAGE:
		out->state = &j->stages[from->stage];
		out->stage = true;
		out->renewed = j->plan.stages[from->stage].renewed;
		/* The name came to be while the base image of this build was replaced by one with
		 * other triggers. */
		if (!j->plan.stages[from->stage].needed)
			return err_set(err, ERR_BUILD,
				"stage \"%s\" was not built: the base image with this trigger "
				"changed meanwhile",
				j->plan.stages[from->stage].title);
		return stages_wait(j, from->stage, err);
	case PLAN_FROM_IMAGE:
		out->state = cached_image(j, from->name, err);
		if (!out->state)
			return hints_near_context(&j->contexts.names, from->name, err);
		return 0;
	}
	return -1;
}

int origin_root(struct job *j, const struct origin *o, struct copy_root *out, struct err **err)
{
	if (o->context) {
		*out = context_root(o->context);
		if (out->dir_fd < 0 && !out->tree)
			return err_set(err, ERR_CONTEXT, "the build has no context to read from");
		return 0;
	}
	const struct layer_tree *t = state_tree(o->state, j->session.s, err);
	if (!t)
		return -1;
	*out = (struct copy_root){.dir_fd = -1, .tree = t, .keep_owner = true};
	return 0;
}

/* What a mount is of, at its root. */
struct mounted {
	bool dir;
	uint32_t mode, uid, gid;
};

static int origin_look(
	const struct copy_root *root, const char *path, struct mounted *out, struct err **err)
{
	if (root->dir_fd < 0) {
		struct layer_node *n = layer_tree_lookup(root->tree, path, true, NULL, NULL);
		struct layer_entry e = {0};
		if (!n)
			return err_set(
				err, ERR_CONTEXT, "mount source \"%s\" does not exist", path);
		layer_node_attrs(n, &e);
		*out = (struct mounted){layer_node_type(n) == LAYER_DIR, e.mode, e.uid, e.gid};
		return 0;
	}
	auto_fd int fd = fs_open_beneath(root->dir_fd, path, O_PATH, 0, FS_IN_ROOT);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "mount source \"%s\"", path);
	*out = (struct mounted){.dir = S_ISDIR(st.st_mode), .mode = st.st_mode & 07777};
	return 0;
}

/* A pattern that stands for this one path. */
static char *origin_literal(const char *path)
{
	char *out = mem_array(2 * strlen(path) + 1, 1), *at = out;

	for (; *path; path++) {
		if (strchr("*?[]\\", *path))
			*at++ = '\\';
		*at++ = *path;
	}
	*at = '\0';
	return out;
}

int origin_content(struct job *j, const struct origin *o, const char *path, struct digest *out,
	bool *dir, struct err **err)
{
	auto_free char *pattern = origin_literal(path);
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = pattern};
	struct copy_request q = {
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = store_spool_fd(j->session.s),
		.cancelled = stop_flag(&j->session.stop),
	};

	if (origin_root(j, o, &q.root, err) < 0)
		return -1;
	struct mounted at;
	if (origin_look(&q.root, path, &at, err) < 0)
		return -1;
	*dir = at.dir;
	auto_copy_selection struct copy_selection *sel = copy_select(&q, NULL, err);
	return sel ? copy_digest(sel, out, err) : -1;
}

static int write_layer(struct job *j, struct copy_selection *sel, const char *dest, bool itself,
	struct record *out, struct err **err)
{
	auto_layer_tree struct layer_tree *empty = layer_tree_new();
	struct copy_dest d = {.below = empty, .path = dest, .workdir = "/", .itself = itself};
	auto_copy_placed struct copy_placed *p = copy_place(sel, &d, err);

	return p ? commit_copy(j->session.s, p, out, err) : -1;
}

/* The root of a context has no mode of its own; it is 0755, as most directories are. */
static bool stands_out(const struct mounted *at, const char *path)
{
	return at->dir && path[strspn(path, "/.")] && (at->mode != 0755 || at->uid || at->gid);
}

static void add_place(const struct mounted *at, struct digest *content)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "directory itself");
	sha256_field_u64(&h, at->mode);
	sha256_field_u64(&h, at->uid);
	sha256_field_u64(&h, at->gid);
	cachekey_digest(&h, content);
	sha256_final(&h, content);
}

int origin_make_layer(struct job *j, const struct copy_root *root, const char *path,
	struct origin_layer *out, struct err **err)
{
	auto_free char *pattern = origin_literal(path);
	struct copy_item item = {.kind = COPY_ITEM_PATH, .text = pattern};
	struct copy_request q = {
		.root = *root,
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = store_spool_fd(j->session.s),
		.cancelled = stop_flag(&j->session.stop),
	};
	static const struct digest none;
	struct mounted at;
	struct digest key;
	struct sha256 h;

	if (origin_look(root, path, &at, err) < 0)
		return -1;
	auto_copy_selection struct copy_selection *sel = copy_select(&q, NULL, err);
	if (!sel || copy_digest(sel, &out->content, err) < 0)
		return -1;
	bool itself = stands_out(&at, path);
	if (itself)
		add_place(&at, &out->content);
	const char *dest = itself ? "/dir" : at.dir ? "/" : "/file";
	cachekey_begin(&h, &none, "context layer");
	sha256_field_str(&h, dest);
	cachekey_digest(&h, &out->content);
	sha256_final(&h, &key);
	int found = record_find(j->session.s, &key, &out->record, err);
	if (found < 0)
		return -1;
	if (!found && (write_layer(j, sel, dest, itself, &out->record, err) < 0 ||
			      record_put(j->session.s, &key, &out->record, err) < 0))
		return -1;
	out->inner = mem_strdup(dest);
	return 0;
}

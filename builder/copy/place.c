// SPDX-License-Identifier: Apache-2.0
/* Where each source goes. */
#include "builder/copy/place.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/path.h"
#include "parser/filemode.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

uint32_t copy_place_mode(const struct copy_dest *d, uint32_t mode, bool is_dir)
{
	if (d->symbolic)
		return filemode_apply(d->symbolic, mode, is_dir);
	return d->has_mode ? d->mode & 07777 : mode;
}

struct copy_attrs copy_place_made(const struct copy_dest *d, bool mode_rule)
{
	return (struct copy_attrs){
		.mode = mode_rule && d->has_mode ? d->mode & 07777 : 0755,
		.uid = d->has_owner ? d->uid : 0,
		.gid = d->has_owner ? d->gid : 0,
		.mtime = d->now,
	};
}

static int copy_place_refuse(const struct copy_node *at, bool dir, struct err **err)
{
	auto_free char *shown = copy_target_show(at);

	if (dir)
		return err_set(err, ERR_BUILD,
			"cannot copy a directory to %s, which is not a directory", shown);
	return err_set(
		err, ERR_BUILD, "cannot replace the directory %s with something else", shown);
}

static int refuse_type(int type, const struct copy_file *f)
{
	if (f->type == LAYER_DIR)
		return type != LAYER_DIR && type != COPY_TARGET_ABSENT;
	return type == LAYER_DIR;
}

static int place_children(struct copy_placed *p, const struct copy_file *dir, uint32_t source,
	struct copy_node *at, struct err **err);

/* A child of a source's directory, at a node of its own. */
static int place_child(struct copy_placed *p, const struct copy_file *f, uint32_t source,
	struct copy_node *at, struct err **err)
{
	struct copy_node *n = copy_target_child(&p->target, at, f->name, strlen(f->name));

	if (refuse_type(copy_target_type(n), f))
		return copy_place_refuse(n, f->type == LAYER_DIR, err);
	copy_target_put_file(n, f, source);
	return f->type == LAYER_DIR ? place_children(p, f, source, n, err) : 0;
}

/* Does a child need a node? Not where nothing is in its way, and not where a file replaces a file.
 */
static bool in_the_way(const struct copy_node *at, const struct copy_file *f)
{
	if (copy_target_peek(at, f->name))
		return true;
	if (!at->below || layer_node_type(at->below) != LAYER_DIR)
		return false;
	const struct layer_node *n = layer_node_find(at->below, f->name, strlen(f->name));
	return n && (f->type == LAYER_DIR || layer_node_type(n) == LAYER_DIR);
}

/* What is in a directory, into a directory that is there. */
static int place_children(struct copy_placed *p, const struct copy_file *dir, uint32_t source,
	struct copy_node *at, struct err **err)
{
	bool whole = !at->graft;

	for (uint32_t i = 0; i < dir->nchild; i++) {
		const struct copy_file *f = &dir->child[i];
		if (whole && !in_the_way(at, f))
			continue;
		if (place_child(p, f, source, at, err) < 0)
			return -1;
	}
	if (whole)
		copy_target_graft(at, dir, source);
	return 0;
}

static int place_dir(struct copy_placed *p, const struct copy_source *src, struct copy_node *at,
	struct err **err)
{
	const struct copy_file *f = src->file;
	uint32_t source = (uint32_t)(src - p->s->v) + 1;
	struct copy_attrs made = copy_place_made(&p->d, true);
	int type = copy_target_type(at);

	if (p->d.itself)
		made = (struct copy_attrs){.mode = f->mode, .uid = f->uid, .gid = f->gid};
	if (type != LAYER_DIR && type != COPY_TARGET_ABSENT)
		return copy_place_refuse(at, true, err);
	if (copy_target_mkdirs(&p->target, at, &made, err) < 0)
		return -1;
	if (!src->parents)
		copy_target_touch(&p->target, at, f->mtime, f->mtime_ns);
	return place_children(p, f, source, at, err);
}

static int place_file(struct copy_placed *p, const struct copy_file *f, struct copy_node *at,
	bool says_dir, struct err **err)
{
	struct copy_attrs made = copy_place_made(&p->d, true);
	bool inside = says_dir || copy_target_type(at) == LAYER_DIR;

	if (copy_target_mkdirs(&p->target, inside ? at : at->parent, &made, err) < 0)
		return err_prefix(err, "cannot copy");
	if (inside) /* a symlink of that name is replaced, not followed */
		at = copy_target_child(&p->target, at, f->name, strlen(f->name));
	if (copy_target_type(at) == LAYER_DIR)
		return copy_place_refuse(at, false, err);
	copy_target_put_file(at, f, 0);
	return 0;
}

static int place_source(
	struct copy_placed *p, const struct copy_source *src, const char *path, struct err **err)
{
	struct copy_node *at = copy_target_walk(&p->target, p->target.root, path, true, err);

	if (!at)
		return err_prefix(err, "cannot copy");
	if (src->file->type == LAYER_DIR)
		return place_dir(p, src, at, err);
	if (!src->archive)
		return place_file(p, src->file, at, path_says_dir(p->d.path), err);
	struct copy_attrs made = copy_place_made(&p->d, false);
	if (copy_target_mkdirs(&p->target, at, &made, err) < 0)
		return err_prefix(err, "cannot unpack");
	return copy_extract(p, src, at, err);
}

static int place_all(struct copy_placed *p, struct err **err)
{
	struct copy_selection *s = p->s;
	auto_free char *path = path_below(p->d.workdir, p->d.path);

	for (int last = 0; last < 2; last++)
		for (size_t i = 0; i < s->n; i++) {
			if (s->v[i].last != (bool)last)
				continue;
			if (copy_selection_cancelled(s, err) ||
				place_source(p, &s->v[i], path, err) < 0)
				return -1;
		}
	return 0;
}

bool copy_at_once(const struct copy_selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].archive)
			return false;
	return true;
}

struct copy_placed *copy_place(
	struct copy_selection *s, const struct copy_dest *d, struct err **err)
{
	auto_copy_placed struct copy_placed *p = mem_alloc(sizeof *p);

	p->s = s;
	p->d = *d;
	copy_target_init(&p->target, d->below, &p->d);
	if (!copy_at_once(s) && copy_digest(s, NULL, err) < 0)
		return NULL;
	return place_all(p, err) < 0 ? NULL : TAKE(p);
}

void copy_placed_free(struct copy_placed *p)
{
	if (!p)
		return;
	copy_target_clear(&p->target);
	free(p);
}

// SPDX-License-Identifier: Apache-2.0
// Where each source goes.
#include "builder/copy/place.h"

#include <string.h>

#include "builder/copy/path.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"

struct copy_attrs copy_place_made(const struct copy_dest *d, bool mode_rule)
{
	return (struct copy_attrs){
		.mode = mode_rule && d->has_mode ? d->mode & 07777 : 0755,
		.uid = d->has_owner ? d->uid : 0,
		.gid = d->has_owner ? d->gid : 0,
		.mtime = d->now,
	};
}

static struct copy_attrs attrs_of(const struct copy_dest *d, const struct copy_file *f)
{
	return (struct copy_attrs){
		.mode = d->has_mode ? d->mode & 07777 : f->mode,
		.uid = d->has_owner ? d->uid : f->uid,
		.gid = d->has_owner ? d->gid : f->gid,
		.mtime = f->no_mtime ? d->now : f->mtime,
	};
}

static int refuse(const struct copy_node *at, bool dir, struct err **err)
{
	auto_free char *shown = copy_target_show(at);

	if (dir)
		return err_set(err, ERR_BUILD,
			"cannot copy a directory to %s, which is not a directory", shown);
	return err_set(
		err, ERR_BUILD, "cannot replace the directory %s with something else", shown);
}

// What is in a directory, into a directory that is there.
static int place_children(
	struct copy_place *p, const struct copy_file *dir, struct copy_node *at, struct err **err)
{
	for (size_t i = 0; i < dir->nchild; i++) {
		const struct copy_file *f = &dir->child[i];
		struct copy_node *n = copy_target_child(&p->target, at, f->name, strlen(f->name));
		struct copy_attrs a = attrs_of(p->d, f);
		int type = copy_target_type(n);

		if (f->type == LAYER_DIR && type != LAYER_DIR && type != COPY_TARGET_ABSENT)
			return refuse(n, true, err);
		if (f->type != LAYER_DIR && type == LAYER_DIR)
			return refuse(n, false, err);
		copy_target_put_file(n, f, f->links, &a);
		if (f->type == LAYER_DIR && place_children(p, f, n, err) < 0)
			return -1;
	}
	return 0;
}

static int place_dir(
	struct copy_place *p, const struct copy_file *f, struct copy_node *at, struct err **err)
{
	struct copy_attrs made = copy_place_made(p->d, true);
	int type = copy_target_type(at);

	if (type != LAYER_DIR && type != COPY_TARGET_ABSENT)
		return refuse(at, true, err);
	if (copy_target_mkdirs(&p->target, at, &made, err) < 0)
		return -1;
	copy_target_touch(&p->target, at, f->mtime);
	return place_children(p, f, at, err);
}

static int place_file(struct copy_place *p, const struct copy_file *f, struct copy_node *at,
	bool says_dir, struct err **err)
{
	struct copy_attrs made = copy_place_made(p->d, true), a = attrs_of(p->d, f);
	bool inside = says_dir || copy_target_type(at) == LAYER_DIR;

	if (copy_target_mkdirs(&p->target, inside ? at : at->parent, &made, err) < 0)
		return err_prefix(err, "cannot copy");
	if (inside) // a symlink of that name is replaced, not followed
		at = copy_target_child(&p->target, at, f->name, strlen(f->name));
	if (copy_target_type(at) == LAYER_DIR)
		return refuse(at, false, err);
	copy_target_put_file(at, f, NULL, &a);
	return 0;
}

static int place_source(
	struct copy_place *p, const struct copy_source *src, const char *path, struct err **err)
{
	struct copy_node *at = copy_target_walk(&p->target, p->target.root, path, true, err);

	if (!at)
		return err_prefix(err, "cannot copy");
	if (src->file->type == LAYER_DIR)
		return place_dir(p, src->file, at, err);
	if (!src->archive)
		return place_file(p, src->file, at, copy_path_says_dir(p->d->path), err);
	struct copy_attrs made = copy_place_made(p->d, false);
	if (copy_target_mkdirs(&p->target, at, &made, err) < 0)
		return err_prefix(err, "cannot unpack");
	return copy_extract(p, src->file, at, err);
}

static int place_all(struct copy_place *p, struct err **err)
{
	struct copy_selection *s = p->s;
	auto_free char *path = copy_path_below(p->d->workdir, p->d->path);

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

struct layer_list *copy_place(struct copy_selection *s, const struct copy_dest *d, struct err **err)
{
	struct copy_place p = {.s = s, .d = d};
	auto_layer_list struct layer_list *out = layer_list_new();

	if (copy_digest(s, NULL, err) < 0)
		return NULL;
	copy_target_init(&p.target, d->below);
	int rc = place_all(&p, err);
	if (rc == 0)
		rc = copy_target_emit(&p.target, s, ++s->turn, out, err);
	copy_target_clear(&p.target);
	return rc < 0 ? NULL : TAKE(out);
}

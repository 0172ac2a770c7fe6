// SPDX-License-Identifier: Apache-2.0
/*
 * A destination as entries, in the order of a layer: component by component, a directory in front
 * of what is in it. Kids and the children of a grafted directory are both sorted by name, and
 * merged.
 */
#include <limits.h>
#include <search.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "builder/copy/target.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tree/tree.h"

struct emit {
	struct copy_target *t;
	const struct copy_emit *out;
	struct buf path;
	size_t depth;
	int rc;
	struct err **err;
	/* of the directory at hand: what of its graft comes next */
	const struct copy_node *dir;
	uint32_t next;
};

static int emit_check_name(struct emit *e, const char *name)
{
	if (strncmp(name, ".wh.", 4) == 0) {
		auto_free char *shown = fs_printable(e->path.data);
		return err_set(e->err, ERR_BUILD,
			"/%s: a name that begins with .wh. cannot be stored in a layer", shown);
	}
	if (strlen(name) > NAME_MAX) {
		auto_free char *shown = fs_printable(name);
		return err_set(
			e->err, ERR_LIMIT, "%s: the name is longer than %d bytes", shown, NAME_MAX);
	}
	if (e->path.full || e->depth > LAYER_DEPTH_MAX) {
		auto_free char *shown = fs_printable(name);
		return err_set(e->err, ERR_LIMIT,
			"%s: its path is longer than %d bytes or %d components", shown,
			LAYER_PATH_MAX, LAYER_DEPTH_MAX);
	}
	return 0;
}

static int emit_give(
	struct emit *e, struct layer_entry *entry, const struct copy_file *f, uint32_t source)
{
	return e->out->entry(e->out->ctx, entry, f, source, e->err);
}

static void emit_add_link(struct emit *e, struct copy_links *l, struct layer_entry *entry)
{
	if (!l->first) {
		l->first = copy_pool_strdup(&e->t->pool, e->path.data);
		return;
	}
	*entry = (struct layer_entry){.path = entry->path,
		.type = LAYER_HARDLINK,
		.link = l->first,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.mtime = entry->mtime,
		.fd = -1};
}

/* A link to a symlink is given an owner and nothing else. */
static void last_header(const struct copy_attrs *a, struct layer_entry *entry)
{
	entry->uid = a->uid;
	entry->gid = a->gid;
	if (entry->type == LAYER_SYMLINK)
		return;
	entry->mode = a->mode;
	entry->mtime = a->mtime;
	entry->mtime_ns = a->mtime_ns;
}

static int give_node(struct emit *e, const struct copy_node *n)
{
	struct layer_entry entry;

	if (n->file) {
		copy_file_entry(n->file, e->path.data, &entry);
	} else if (n->own) {
		entry = *n->own;
		entry.mode = n->attrs.mode;
		entry.uid = n->attrs.uid;
		entry.gid = n->attrs.gid;
		entry.mtime = n->attrs.mtime;
		entry.mtime_ns = n->attrs.mtime_ns;
	} else { /* leads to what was put; as it is, so that the layer shows it unchanged on its own
		  */
		layer_node_attrs(n->below, &entry);
	}
	entry.path = e->path.data;
	const struct copy_file *f = n->file;
	if (n->links)
		last_header(&n->links->attrs, &entry);
	if (n->links && entry.type == LAYER_FILE) {
		emit_add_link(e, n->links, &entry);
		f = entry.type == LAYER_FILE ? f : NULL;
	}
	if (n->touched) {
		entry.mtime = n->mtime;
		entry.mtime_ns = n->mtime_ns;
	}
	if (emit_give(e, &entry, f, n->links ? 0 : n->source) < 0)
		return -1;
	if (!n->gone || entry.type != LAYER_DIR)
		return 0;
	struct layer_entry opaque = {.path = e->path.data, .type = LAYER_OPAQUE, .fd = -1};
	return emit_give(e, &opaque, NULL, 0);
}

static size_t emit_enter(struct emit *e, const char *name)
{
	size_t len = e->path.len;

	if (len)
		buf_addc(&e->path, '/');
	buf_adds(&e->path, name);
	e->depth++;
	return len;
}

static void emit_leave(struct emit *e, size_t len)
{
	e->depth--;
	e->path.len = len;
	e->path.data[len] = '\0';
}

static int emit_graft(struct emit *e, const struct copy_file *f, uint32_t source)
{
	size_t len = emit_enter(e, f->name);
	struct layer_entry entry;
	int rc = emit_check_name(e, f->name);

	if (rc == 0) {
		copy_file_entry(f, e->path.data, &entry);
		rc = emit_give(e, &entry, f, source);
	}
	for (uint32_t i = 0; rc == 0 && i < f->nchild; i++)
		rc = emit_graft(e, &f->child[i], source);
	emit_leave(e, len);
	return rc;
}

/* Grafted children in front of `name`, or all; one of that very name has a node that goes first. */
static void emit_grafts(struct emit *e, const char *name)
{
	const struct copy_file *g = e->dir->graft;

	for (; e->rc == 0 && g && e->next < g->nchild; e->next++) {
		int c = name ? strcmp(g->child[e->next].name, name) : -1;
		if (c > 0)
			return;
		if (c < 0)
			e->rc = emit_graft(e, &g->child[e->next], e->dir->graft_source);
	}
}

static void emit_kid(const void *node, VISIT which, void *ctx);

static void emit_inside(struct emit *e, const struct copy_node *dir)
{
	const struct copy_node *up = e->dir;
	uint32_t next = e->next;

	e->dir = dir;
	e->next = 0;
	if (dir->kids)
		twalk_r(dir->kids, emit_kid, e);
	emit_grafts(e, NULL);
	e->dir = up;
	e->next = next;
}

static void emit_kid(const void *node, VISIT which, void *ctx)
{
	struct emit *e = ctx;
	const struct copy_node *n = *(struct copy_node *const *)node;

	if ((which != postorder && which != leaf) || e->rc < 0)
		return;
	emit_grafts(e, n->name);
	if (e->rc < 0 || !n->busy)
		return;
	size_t len = emit_enter(e, n->name);
	e->rc = emit_check_name(e, n->name);
	if (e->rc == 0)
		e->rc = give_node(e, n);
	if (e->rc == 0)
		emit_inside(e, n);
	emit_leave(e, len);
}

int copy_target_emit(struct copy_target *t, const struct copy_emit *out, struct err **err)
{
	struct emit e = {.t = t, .out = out, .err = err};

	buf_init(&e.path, LAYER_PATH_MAX);
	emit_inside(&e, t->root);
	buf_clear(&e.path);
	return e.rc;
}

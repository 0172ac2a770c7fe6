// SPDX-License-Identifier: Apache-2.0
/*
 * --exclude: what was selected without the files that the rules take away. The tree of a walk may
 * be shared with other steps and stays as it is; the view has copies of its files, and what is
 * learnt of them goes back to it in the end.
 */
#include <string.h>

#include "builder/copy/pool.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

struct view {
	struct copy_selection *s;
	const struct ignore *exclude;
	struct buf path; /* below the directory that is copied */
};

static void filter(struct view *w, struct copy_file *from, struct copy_file *to);

/* True when c is kept, as *to. */
static bool view_take(struct view *w, struct copy_file *c, struct copy_file *to)
{
	struct slice path = {w->path.data, w->path.len};
	bool out = ignore_match(w->exclude, path, NULL);

	if (out && (c->type != LAYER_DIR || !ignore_may_contain(w->exclude, path)))
		return false;
	*to = *c;
	if (c->type == LAYER_DIR) {
		filter(w, c, to);
		return !out || to->nchild;
	}
	MEM_PUSH(w->s->views, w->s->nviews, w->s->cap_views) = (struct copy_view){to, c};
	return true;
}

static void filter(struct view *w, struct copy_file *from, struct copy_file *to)
{
	size_t len = w->path.len;

	to->nchild = 0;
	to->child = copy_pool_array(&w->s->pool, from->nchild, sizeof *to->child);
	for (uint32_t i = 0; i < from->nchild; i++) {
		struct copy_file *at = &to->child[to->nchild];
		if (len)
			buf_addc(&w->path, '/');
		buf_adds(&w->path, from->child[i].name);
		if (view_take(w, &from->child[i], at)) {
			at->parent = to;
			to->nchild++;
		}
		w->path.len = len;
		w->path.data[len] = '\0';
	}
}

struct copy_file *copy_view(
	struct copy_selection *s, const struct ignore *exclude, struct copy_file *dir)
{
	struct view w = {.s = s, .exclude = exclude};
	struct copy_file *top = copy_pool_alloc(&s->pool, sizeof *top);

	*top = *dir;
	buf_init(&w.path, (size_t)2 * LAYER_PATH_MAX);
	buf_reset(&w.path);
	filter(&w, dir, top);
	buf_clear(&w.path);
	return top;
}

void copy_view_return(struct copy_selection *s)
{
	for (size_t i = 0; i < s->nviews; i++) {
		struct copy_file *from = s->views[i].from, *parent = from->parent;
		if (from->state == COPY_KNOWN || s->views[i].f->state != COPY_KNOWN)
			continue;
		*from = *s->views[i].f;
		from->parent = parent;
	}
	s->nviews = 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Does a directory show what a tar says? The directory is scanned as a freeze would; each entry
 * must be what the delta of the tar shows at its path, content included, and each node of the delta
 * must have been met. Opaque directories are spelled out as whiteouts first, as the scan does, so
 * that a frozen upper and an unpacked tar are judged alike.
 */
#include "store/tree/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/holes.h"
#include "store/tree/node.h"
#include "store/tree/upperscan.h"
#include "store/tar/arena.h"
#include "store/tar/entry.h"
#include "store/tar/name.h"
#include "store/tree/freeze.h"
#include "store/tree/tree.h"

#define CHUNK ((size_t)64 << 10)

struct compare {
	struct layer_delta *d;
	char *why; /* owned; the first difference */
	char *a;   /* owned buffers of CHUNK bytes */
	char *b;
};

static int differs(struct compare *c, const char *path, const char *what)
{
	if (!c->why) {
		auto_free char *shown = layer_show(path);
		c->why = mem_printf("%s: %s", shown, what);
	}
	return 0;
}

/* --- spelling out --------------------------------------------------------------------------- */

static struct layer_node *new_whiteout(
	struct layer_delta *d, struct layer_node *dir, const struct layer_node *low)
{
	struct layer_node *n = layer_arena_alloc(&d->arena, sizeof *n);
	n->parent = dir;
	n->name = low->name;
	n->name_len = low->name_len;
	n->path_len = (uint16_t)(dir->path_len + (dir->parent ? 1 : 0) + low->name_len);
	n->depth = (uint16_t)(dir->depth + 1);
	n->type = LAYER_WHITEOUT;
	n->flags = NODE_HIDES;
	return n;
}

/* `n` shows nothing of `low`: a whiteout for every name that is only there. */
static void spell_out(struct layer_delta *d, struct layer_node *n, struct layer_node *low)
{
	n->lower = low;
	uint32_t room = n->nchild + low->nchild, kept = 0;
	struct layer_node **v = layer_arena_alloc(&d->arena, room * sizeof(struct layer_node *));
	for (uint32_t i = 0, j = 0; i < n->nchild || j < low->nchild;) {
		struct layer_node *a = i < n->nchild ? n->child[i] : NULL;
		struct layer_node *b = j < low->nchild ? low->child[j] : NULL;
		int c = a && b ? layer_name_cmp(a->name, a->name_len, b->name, b->name_len) : 0;
		if (b && (!a || c > 0)) { /* only below */
			v[kept++] = new_whiteout(d, n, b);
			j++;
			continue;
		}
		v[kept++] = a;
		i++;
		if (!b || c < 0) /* only in this layer */
			continue;
		if (a->type == LAYER_DIR && b->type == LAYER_DIR)
			spell_out(d, a, b);
		j++;
	}
	n->child = v;
	n->nchild = kept;
}

static void spell_all(struct layer_delta *d, struct layer_node *n)
{
	if (layer_delta_opaque(n)) {
		spell_out(d, n, n->lower);
		return;
	}
	for (uint32_t i = 0; i < n->nchild; i++)
		spell_all(d, n->child[i]);
}

/* --- the view ------------------------------------------------------------------------------- */

struct seen {
	struct layer_node *delta;      /* the layer's own node at a path, or NULL */
	const struct layer_node *node; /* what the path shows, or NULL */
};

static struct seen comparedir_look(const struct layer_delta *d, const char *path)
{
	struct layer_node *own = (struct layer_node *)(uintptr_t)&d->root;
	const struct layer_node *low = d->root.flags & NODE_HIDES ? NULL : d->root.lower;
	while (*path) {
		size_t len = strcspn(path, "/");
		own = own ? layer_node_search(own, path, len) : NULL;
		low = low ? layer_node_search(low, path, len) : NULL;
		if (own && (own->flags & NODE_HIDES || own->type != LAYER_DIR))
			low = NULL;
		if (!own && !low)
			break;
		path += len + (path[len] == '/');
	}
	const struct layer_node *shown = own ? own : low;
	return (struct seen){
		.delta = own, .node = shown && shown->type == LAYER_WHITEOUT ? NULL : shown};
}

/* --- entries -------------------------------------------------------------------------------- */

/* 1: len bytes from `off` of the scanned file are those of the tar at `data` (-1: zeros), 0, -1. */
static int comparedir_same_bytes(struct compare *c, const struct layer_entry *e, uint64_t off,
	uint64_t len, int fd, uint64_t data, struct err **err)
{
	while (len > 0) {
		if (fd < 0) { /* a hole here, and may be one there */
			uint64_t at = e->data_off + off;
			uint64_t skip = layer_next_data(e->fd, at, at + len) - at;
			off += skip;
			len -= skip;
		}
		size_t k = len < CHUNK ? (size_t)len : CHUNK;
		ssize_t got = fs_pread_upto(e->fd, c->a, k, e->data_off + off);
		if (got < 0)
			return err_sys(err, "reading %s", e->path);
		if ((size_t)got < k)
			return 0;
		if (fd < 0)
			memset(c->b, 0, k);
		else if (fs_pread_all(fd, c->b, k, data))
			return err_sys(err, "reading the layer");
		if (memcmp(c->a, c->b, k) != 0)
			return 0;
		off += k;
		data += k;
		len -= k;
	}
	return 1;
}

static int comparedir_same_content(struct compare *c, const struct layer_entry *e,
	const struct layer_node *n, struct err **err)
{
	struct layer_entry want;
	uint64_t at = 0;
	layer_node_fill(n, e->path, &want);
	struct layer_extent whole = {.len = want.size, .data = want.data_off};
	const struct layer_extent *x = want.extents ? want.extents : &whole;
	size_t nx = want.extents ? want.nextents : want.size > 0;
	for (size_t i = 0; i < nx; i++) {
		int rc = comparedir_same_bytes(c, e, at, x[i].off - at, -1, 0, err);
		if (rc == 1)
			rc = comparedir_same_bytes(
				c, e, x[i].off, x[i].len, want.fd, x[i].data, err);
		if (rc != 1)
			return rc;
		at = x[i].off + x[i].len;
	}
	return comparedir_same_bytes(c, e, at, want.size - at, -1, 0, err);
}

static int comparedir_check_file(
	struct compare *c, const struct layer_entry *e, const struct seen *s, struct err **err)
{
	if (s->delta) {
		if (s->delta->inode->matched)
			return differs(c, e->path, "not a hard link");
		s->delta->inode->matched = true;
	}
	int rc = comparedir_same_content(c, e, s->node, err);
	return rc < 0 ? -1 : rc ? 0 : differs(c, e->path, "content");
}

static int comparedir_check_entry(void *ctx, const struct layer_entry *e, struct err **err)
{
	struct compare *c = ctx;
	struct seen s = comparedir_look(c->d, e->path);

	if (c->why)
		return 0;
	if (s.delta)
		s.delta->flags |= NODE_SEEN;
	if (e->type == LAYER_WHITEOUT)
		return s.node ? differs(c, e->path, "removed in the directory") : 0;
	if (!s.node)
		return differs(c, e->path, "not in the layer");
	if (e->type == LAYER_HARDLINK) {
		struct seen first = comparedir_look(c->d, e->link);
		bool same = first.node && first.node->inode == s.node->inode;
		return same ? 0 : differs(c, e->path, "a hard link");
	}
	if (!layer_node_matches(s.node, e))
		return differs(c, e->path, "type or attributes");
	return e->type == LAYER_FILE ? comparedir_check_file(c, e, &s, err) : 0;
}

/* What the layer says and the scan did not meet. */
static void check_missing(struct compare *c, const struct layer_node *n)
{
	if (!(n->flags & NODE_SEEN)) {
		bool unchanged = !(n->flags & NODE_EXPLICIT);
		if (n->type == LAYER_DIR && !unchanged && n->lower && n->lower->type == LAYER_DIR) {
			struct layer_entry e;
			struct timespec t = layer_inode_time(
				n->parent ? n->lower->inode : n->inode); /* as in the scan */
			layer_node_fill(n->lower, "", &e);
			e.mtime = t.tv_sec;
			e.mtime_ns = (uint32_t)t.tv_nsec;
			unchanged = layer_node_matches(n, &e);
		}
		if (n->type != LAYER_DIR || !unchanged) {
			auto_free char *path = mem_array(LAYER_PATH_MAX + 1, 1);
			layer_node_path(n, path);
			differs(c, path,
				n->type == LAYER_WHITEOUT ? "not removed in the directory"
							  : "missing in the directory");
		}
	}
	for (uint32_t i = 0; i < n->nchild && !c->why; i++)
		check_missing(c, n->child[i]);
}

int layer_compare_dir(int tar_fd, const struct layer_unpack *dir, char **why, struct err **err)
{
	auto_layer_tree struct layer_tree *nothing = dir->below ? NULL : layer_tree_new();
	const struct layer_tree *below = dir->below ? dir->below : nothing;
	auto_delta struct layer_delta d;
	const struct layer_freeze f = {
		.upper_fd = dir->dest_fd, .below = below, .userxattr = dir->userxattr};

	if (layer_delta_read(&d, tar_fd, below, dir->times, NULL, err))
		return -1;
	spell_all(&d, &d.root);
	auto_free char *a = mem_array(CHUNK, 1), *b = mem_array(CHUNK, 1);
	struct compare c = {.d = &d, .a = a, .b = b};
	if (layer_upper_scan(&f, LAYER_DIRS_TIMES, comparedir_check_entry, &c, err)) {
		free(c.why);
		return -1;
	}
	if (!c.why)
		check_missing(&c, &d.root);
	if (!c.why)
		return 1;
	*why = c.why;
	return 0;
}

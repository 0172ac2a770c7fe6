// SPDX-License-Identifier: Apache-2.0
/*
 * Directories of an EROFS image. Blocks of entries: 12 bytes each, then their names back to back.
 * Look-up is a binary search over blocks and then within one, so all names, "." and ".." among
 * them, are in bytewise order; '!' or '-' comes before '.'.
 */
#include <string.h>

#include "store/erofs/private.h"
#include "store/tree/tree.h"

#define ENTRY     12u
#define ENTRY_MAX (LAYER_EROFS_BLOCK / (ENTRY + 1))

struct dir_pos {
	uint32_t child; /* the next one */
	unsigned dots;  /* of "." and ".." given so far */
};

struct dir_name {
	const char *name;
	uint32_t len;
	const struct layer_node *node; /* NULL: "." or ".." */
	uint32_t child;                /* its place; or 0 for "." and 1 for ".." */
};

static bool dir_next_name(const struct layer_node *dir, struct dir_pos *p, struct dir_name *out)
{
	static const char dots[] = "..";
	const struct layer_node *c = p->child < dir->nchild ? dir->child[p->child] : NULL;

	if (p->dots < 2 && (!c || layer_name_cmp(dots, p->dots + 1, c->name, c->name_len) < 0)) {
		*out = (struct dir_name){.name = dots, .len = p->dots + 1, .child = p->dots};
		p->dots++;
		return true;
	}
	if (!c)
		return false;
	*out = (struct dir_name){
		.name = c->name, .len = c->name_len, .node = c, .child = p->child++};
	return true;
}

uint64_t layer_erofs_dir_size(const struct layer_node *dir)
{
	struct dir_pos p = {0};
	struct dir_name n;
	uint64_t full = 0;
	uint32_t used = 0;

	while (dir_next_name(dir, &p, &n)) {
		uint32_t need = ENTRY + n.len;
		if (used + need > LAYER_EROFS_BLOCK) {
			full += LAYER_EROFS_BLOCK;
			used = 0;
		}
		used += need;
	}
	return full + used;
}

static uint8_t type_code(const struct dir_name *n)
{
	switch (n->node ? n->node->type : LAYER_DIR) {
	case LAYER_FILE:
		return 1;
	case LAYER_DIR:
		return 2;
	case LAYER_CHAR:
	case LAYER_WHITEOUT:
		return 3;
	case LAYER_BLOCK:
		return 4;
	case LAYER_FIFO:
		return 5;
	case LAYER_SYMLINK:
		return 7;
	default:
		return 0;
	}
}

static uint32_t nid_of(
	const struct layer_erofs *x, const struct dir_name *n, const struct layer_erofs_at *at)
{
	uint32_t number = n->node ? at->first + n->child : n->child ? at->parent : at->number;
	return x->nid[number];
}

/* One block of the names in v. */
static size_t dir_fill(unsigned char *block, const struct layer_erofs *x, const struct dir_name *v,
	size_t n, const struct layer_erofs_at *at)
{
	size_t name_at = n * ENTRY;
	for (size_t i = 0; i < n; i++) {
		unsigned char *e = block + i * ENTRY;
		layer_erofs_le64(e, nid_of(x, &v[i], at));
		layer_erofs_le16(e + 8, (uint16_t)name_at);
		e[10] = type_code(&v[i]);
		e[11] = 0;
		memcpy(block + name_at, v[i].name, v[i].len);
		name_at += v[i].len;
	}
	return name_at;
}

int layer_erofs_dir_put(struct layer_erofs *x, const struct layer_node *dir,
	struct layer_erofs_at at, struct err **err)
{
	unsigned char block[LAYER_EROFS_BLOCK];
	struct dir_name v[ENTRY_MAX + 1];
	struct dir_pos p = {0};
	uint32_t used = 0;
	size_t n = 0;

	while (dir_next_name(dir, &p, &v[n])) {
		uint32_t need = ENTRY + v[n].len;
		if (used + need > LAYER_EROFS_BLOCK) {
			size_t len = dir_fill(block, x, v, n, &at);
			memset(block + len, 0, sizeof block - len);
			if (layer_erofs_put(&x->out, block, sizeof block, err))
				return -1;
			v[0] = v[n];
			n = 0;
			used = 0;
		}
		used += need;
		n++;
	}
	return layer_erofs_put(&x->out, block, dir_fill(block, x, v, n, &at), err);
}

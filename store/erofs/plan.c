// SPDX-License-Identifier: Apache-2.0
/*
 * Planning an EROFS image: the walk, the survey, the shape of each inode, and where it lies.
 *
 * An inode of a compact shape has the time of the superblock (Linux before 6.15 ignores the field
 * for a time of its own), so the superblock gets the most common time. Finding it exactly would
 * take memory for every time; each of some thousand slots keeps a majority vote instead, which
 * misses only times that share a slot with many others, and then costs 32 bytes a file.
 */
#include "store/erofs/private.h"

#include <string.h>
#include <sys/stat.h>

#include "store/base/bulk.h"
#include "store/base/mem.h"
#include "store/tar/name.h"
#include "store/tree/tree.h"

#define COMPACT    32u
#define EXTENDED   64u
#define XATTR_HEAD 12u
#define XATTR_MAX  (XATTR_HEAD + 4u * (UINT16_MAX - 1u))
#define VOTE_BITS  12
#define NID_MAX    UINT32_MAX

struct layer_erofs_vote {
	int64_t mtime;
	uint64_t lead;
};

/* "PATH: why", ERR_UNSUPPORTED. */
static int layer_erofs_refuse(const struct layer_node *n, const char *why, struct err **err)
{
	auto_free char *path = mem_array(LAYER_PATH_MAX + 1, 1);
	layer_node_path(n, path);
	auto_free char *shown = layer_show(path);
	return err_set(err, ERR_UNSUPPORTED, "%s: %s", shown, why);
}

struct layer_erofs_tar *layer_erofs_tar(const struct layer_erofs *x, const struct layer_node *n)
{
	return &x->tars[x->by_fd[n->inode->fd] - 1];
}

/* --- the walk -------------------------------------------------------------------------------- */

static int erofs_plan_walk(struct layer_erofs *x, const struct layer_node *dir, uint32_t number,
	uint32_t parent, layer_erofs_visit *visit, struct err **err)
{
	struct layer_erofs_at at = {.number = number, .first = x->next, .parent = parent};

	x->next += dir->nchild;
	if (visit(x, dir, at, err))
		return -1;
	for (uint32_t i = 0; i < dir->nchild; i++)
		if (dir->child[i]->type != LAYER_DIR &&
			visit(x, dir->child[i], (struct layer_erofs_at){.number = at.first + i},
				err))
			return -1;
	for (uint32_t i = 0; i < dir->nchild; i++)
		if (dir->child[i]->type == LAYER_DIR &&
			erofs_plan_walk(x, dir->child[i], at.first + i, number, visit, err))
			return -1;
	return 0;
}

int layer_erofs_walk(struct layer_erofs *x, layer_erofs_visit *visit, struct err **err)
{
	x->next = 1;
	return erofs_plan_walk(x, x->root, 0, 0, visit, err);
}

/* --- attributes ------------------------------------------------------------------------------ */

int layer_erofs_xattrs(const struct layer_erofs *x, const struct layer_node *n,
	layer_erofs_xattr_fn *fn, void *ctx, struct err **err)
{
	static const struct layer_xattr opaque = {"trusted.overlay.opaque", "y", 1};
	const struct layer_extra *e = n->inode ? n->inode->extra : NULL;
	int rc = 0;

	/* As in unpacked layers: nothing else can have the attributes that layers carry. */
	if (n->type != LAYER_FILE && n->type != LAYER_DIR)
		return 0;
	if (x->opaque && layer_delta_opaque(n))
		rc = fn(ctx, &opaque, err);
	for (size_t i = 0; e && !rc && i < e->nxattrs; i++)
		rc = fn(ctx, &e->xattrs[i], err);
	return rc;
}

uint8_t layer_erofs_prefix(const char *name, const char **rest)
{
	static const struct {
		const char *text;
		uint8_t number;
	} prefixes[] = {{"user.", 1}, {"trusted.", 4}, {"security.", 6}};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i].text);
		if (strncmp(name, prefixes[i].text, n) == 0 && name[n]) {
			*rest = name + n;
			return prefixes[i].number;
		}
	}
	return 0;
}

static int add_bytes(void *ctx, const struct layer_xattr *a, struct err **err)
{
	uint64_t *sum = ctx;
	const char *rest = "";
	(void)err;
	layer_erofs_prefix(a->name, &rest);
	*sum += layer_erofs_up(4 + strlen(rest) + a->len, 4);
	return 0;
}

/* Bytes of the area behind the inode, 0 for none. */
static uint64_t layer_erofs_xattr_bytes(const struct layer_erofs *x, const struct layer_node *n)
{
	uint64_t sum = 0;
	layer_erofs_xattrs(x, n, add_bytes, &sum, NULL);
	return sum ? XATTR_HEAD + sum : 0;
}

static int check_xattr(void *ctx, const struct layer_xattr *a, struct err **err)
{
	const char *rest;
	if (!layer_erofs_prefix(a->name, &rest) || strlen(a->name) > LAYER_EROFS_NAME_MAX)
		return layer_erofs_refuse(ctx, "an attribute whose name cannot be stored", err);
	if (a->len > UINT16_MAX)
		return layer_erofs_refuse(ctx, "an attribute that is too large", err);
	return 0;
}

/* --- the survey ------------------------------------------------------------------------------ */

static int check_piece(const struct layer_erofs *x, const struct layer_node *n, uint64_t data,
	uint64_t len, struct err **err)
{
	struct layer_erofs_tar *t = layer_erofs_tar(x, n);
	if (data % LAYER_EROFS_BLOCK)
		return layer_erofs_refuse(n, "its content does not begin at a block", err);
	if ((data + len + LAYER_EROFS_BLOCK - 1) / LAYER_EROFS_BLOCK > t->blocks)
		return layer_erofs_refuse(n, "the tar ends in the last block of its content", err);
	t->used = true;
	return 0;
}

static int check_sparse(struct layer_erofs *x, const struct layer_node *n, struct err **err)
{
	const struct layer_inode *i = n->inode;
	uint64_t records;
	uint8_t bits;

	switch (layer_erofs_sparse(i, &bits, &records)) {
	case LAYER_EROFS_NO_DATA:
		return 0;
	case LAYER_EROFS_COPIED:
		if (i->size > LAYER_EROFS_COPY_MAX || x->copied + i->size > LAYER_EROFS_COPY_MAX)
			return layer_erofs_refuse(n, "a sparse file whose pieces lie crooked", err);
		x->copied += i->size;
		return 0;
	case LAYER_EROFS_PIECES:
		if (records > LAYER_EROFS_RECORDS || x->records + records > LAYER_EROFS_RECORDS)
			return layer_erofs_refuse(n, "a sparse file of too many pieces", err);
		x->records += records;
		break;
	case LAYER_EROFS_ONE_PIECE:
		break;
	}
	for (size_t k = 0; k < i->extra->nextents; k++)
		if (check_piece(x, n, i->extra->extents[k].data, i->extra->extents[k].len, err))
			return -1;
	return 0;
}

static int check_content(struct layer_erofs *x, const struct layer_node *n, struct err **err)
{
	const struct layer_inode *i = n->inode;

	if (n->type != LAYER_FILE || !i->size)
		return 0;
	if (i->fd < 0 || (size_t)i->fd >= x->nby_fd || !x->by_fd[i->fd])
		return layer_erofs_refuse(n, "its content is in no tar of the stack", err);
	return i->sparse ? check_sparse(x, n, err) : check_piece(x, n, i->data_off, i->size, err);
}

static void cast_vote(struct layer_erofs_vote *votes, int64_t mtime)
{
	struct layer_erofs_vote *v =
		&votes[(uint64_t)mtime * 0x9e3779b97f4a7c15u >> (64 - VOTE_BITS)];
	if (v->mtime == mtime) {
		v->lead++;
	} else if (v->lead) {
		v->lead--;
	} else {
		v->mtime = mtime;
		v->lead = 1;
	}
}

static int survey_node(struct layer_erofs *x, const struct layer_node *n, struct layer_erofs_at at,
	struct err **err)
{
	const struct layer_inode *i = n->inode;
	(void)at;
	x->nnodes++;
	if (n->name_len > LAYER_EROFS_NAME_MAX)
		return layer_erofs_refuse(n, "a name of more than 255 bytes", err);
	if (x->nnodes > UINT32_MAX - LAYER_ENTRIES_MAX)
		return layer_erofs_refuse(n, "too many files", err);
	/* The other names of a file were looked at with the first. */
	if (i && i->linked && x->links[i->ino].nlink++)
		return 0;
	x->ninodes++;
	if (!i)
		return 0;
	struct timespec time = layer_inode_time(i);
	if (!time.tv_nsec) /* a compact inode has whole seconds */
		cast_vote(x->votes, time.tv_sec);
	if (layer_erofs_xattrs(x, n, check_xattr, (void *)(uintptr_t)n, err))
		return -1;
	if (i->extra && layer_erofs_xattr_bytes(x, n) > XATTR_MAX)
		return layer_erofs_refuse(n, "attributes that are too large", err);
	return check_content(x, n, err);
}

/* Of equal times the one that is found first. */
static int64_t winner(const struct layer_erofs_vote *votes)
{
	const struct layer_erofs_vote *best = votes;
	for (size_t i = 1; i < (size_t)1 << VOTE_BITS; i++)
		if (votes[i].lead > best->lead)
			best = &votes[i];
	return best->mtime;
}

int layer_erofs_survey(struct layer_erofs *x, uint32_t last_ino, struct err **err)
{
	auto_free struct layer_erofs_vote *votes = mem_array((size_t)1 << VOTE_BITS, sizeof *votes);

	x->nlinks = (size_t)last_ino + 1;
	x->links = bulk_array(x->nlinks, sizeof *x->links);
	x->votes = votes;
	int rc = layer_erofs_walk(x, survey_node, err);
	x->votes = NULL;
	x->base = winner(votes);
	return rc;
}

/* --- shapes ---------------------------------------------------------------------------------- */

static uint32_t subdirs(const struct layer_node *dir)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < dir->nchild; i++)
		n += dir->child[i]->type == LAYER_DIR;
	return n;
}

/* Size, and what of the content is in the EROFS image. */
static void shape_content(const struct layer_node *n, struct layer_erofs_shape *s)
{
	uint64_t records;

	switch (n->type) {
	case LAYER_DIR:
		s->nlink = 2 + subdirs(n);
		s->data = s->size = layer_erofs_dir_size(n);
		break;
	case LAYER_SYMLINK:
		s->data = s->size = strlen(n->inode->link);
		break;
	case LAYER_FILE:
		s->size = n->inode->size;
		if (!n->inode->sparse)
			break;
		switch (layer_erofs_sparse(n->inode, &s->chunk_bits, &records)) {
		case LAYER_EROFS_PIECES:
			s->form = LAYER_EROFS_CHUNKED;
			s->tail = (uint32_t)(records * 8);
			break;
		case LAYER_EROFS_COPIED:
			s->data = s->size;
			break;
		default:
			break;
		}
		break;
	default:
		break;
	}
}

static bool fits_compact(
	const struct layer_erofs *x, const struct layer_node *n, const struct layer_erofs_shape *s)
{
	const struct layer_inode *i = n->inode;
	bool ids = !i || (i->uid <= UINT16_MAX && i->gid <= UINT16_MAX);
	return ids && s->mtime.tv_sec == x->base && !s->mtime.tv_nsec && s->size <= UINT32_MAX &&
	       s->nlink <= UINT16_MAX;
}

void layer_erofs_shape(
	const struct layer_erofs *x, const struct layer_node *n, struct layer_erofs_shape *s)
{
	const struct layer_inode *i = n->inode;

	*s = (struct layer_erofs_shape){.nlink = 1,
		.mtime = i ? layer_inode_time(i) : (struct timespec){.tv_sec = x->base}};
	shape_content(n, s);
	if (i && i->linked)
		s->nlink = x->links[i->ino].nlink;
	s->extended = !fits_compact(x, n, s);
	if (x->opaque || (i && i->extra))
		s->xattrs = (uint32_t)layer_erofs_xattr_bytes(x, n);
	s->head = (s->extended ? EXTENDED : COMPACT) + s->xattrs;
	/* Inodes lie at multiples of a slot: some place lets the tail end in its block. */
	if (n->type != LAYER_FILE && s->data && s->data < LAYER_EROFS_BLOCK &&
		s->head % LAYER_EROFS_SLOT + s->data <= LAYER_EROFS_BLOCK) {
		s->form = LAYER_EROFS_INLINE;
		s->tail = (uint32_t)s->data;
		s->data = 0;
	}
}

struct layer_erofs_spot layer_erofs_place(struct layer_erofs *x, const struct layer_erofs_shape *s)
{
	struct layer_erofs_spot spot = {.inode = layer_erofs_up(x->pos, LAYER_EROFS_SLOT)};

	spot.tail = spot.inode + s->head;
	if (s->form == LAYER_EROFS_INLINE) {
		while (spot.tail % LAYER_EROFS_BLOCK + s->tail > LAYER_EROFS_BLOCK)
			spot.tail += LAYER_EROFS_SLOT;
		spot.inode = spot.tail - s->head;
	} else if (s->form == LAYER_EROFS_CHUNKED) {
		spot.tail = layer_erofs_up(spot.tail, 8);
	}
	x->pos = spot.tail + s->tail;
	if (s->data) {
		spot.data = layer_erofs_up(x->pos, LAYER_EROFS_BLOCK);
		x->pos = spot.data + layer_erofs_up(s->data, LAYER_EROFS_BLOCK);
	}
	return spot;
}

static int layout_node(struct layer_erofs *x, const struct layer_node *n, struct layer_erofs_at at,
	struct err **err)
{
	struct layer_erofs_link *link =
		n->inode && n->inode->linked ? &x->links[n->inode->ino] : NULL;
	struct layer_erofs_shape s;

	if (link && link->nid) {
		x->nid[at.number] = link->nid;
		return 0;
	}
	layer_erofs_shape(x, n, &s);
	uint64_t nid = layer_erofs_place(x, &s).inode / LAYER_EROFS_SLOT;
	if (nid > NID_MAX)
		return layer_erofs_refuse(n, "the EROFS image becomes too large", err);
	x->nid[at.number] = (uint32_t)nid;
	if (link)
		link->nid = (uint32_t)nid;
	return 0;
}

int layer_erofs_layout(struct layer_erofs *x, uint64_t start, struct err **err)
{
	x->nid = bulk_array((size_t)x->nnodes, sizeof *x->nid);
	x->pos = start;
	return layer_erofs_walk(x, layout_node, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Layers as what overlayfs takes as lowers: EROFS images where this kernel and user can mount
 * those from the store's file system, which is tried, else directories. Also the words that "bld
 * info" and a failed RUN have for it.
 */
#include "builder/cache/lowers.h"

#include "builder/cache/scratch.h"
#include "store/base/fs.h"
#include "store/layerstack.h"
#include "store/store.h"
#include "store/tempfile.h"
#include "store/base/io.h"
#include "store/erofs/erofs.h"
#include "store/tree/tree.h"

static int lowers_find(
	const struct lowers_request *q, bool index, struct lowers *out, struct err **err)
{
	struct snapshot_forms forms = {
		.index = index,
		.strict = q->form == BUILD_FORM_EROFS,
		.merge = q->base,
		.max = SANDBOX_LOWERS_MAX,
		.below = q->below,
	};

	return snapshot_lowers(q->s, &q->k, &forms, out, err);
}

static int refused(struct err **err)
{
	err_set(err, ERR_UNSUPPORTED,
		"layers cannot be mounted as EROFS images here, and BLD_LAYER_FORM allows nothing "
		"else");
	return err_hint(err, "`bld info` says what this kernel and this user can do; the store "
			     "must not lie on tmpfs or overlayfs");
}

int lowers_open(const struct lowers_request *q, struct lowers *out, struct err **err)
{
	auto_lowers struct lowers made = {0};
	int taken = 0;

	if (q->form != BUILD_FORM_DIRECTORY && sandbox_takes_erofs(q->runner)) {
		if (lowers_find(q, true, &made, err) < 0)
			return -1;
		taken = sandbox_try_lowers(q->runner, made.v, made.n, err);
		if (taken < 0)
			return -1;
	}
	if (taken == 0 && q->form == BUILD_FORM_EROFS)
		return refused(err);
	if (taken == 0)
		return lowers_find(q, false, out, err);
	*out = made;
	made = (struct lowers){0};
	return 0;
}

static int lowers_add_one(
	const struct lowers_request *q, size_t i, struct lowers *on, struct err **err)
{
	struct layer_stack one = {
		.diff_ids = &q->k.diff_ids[i], .times = layerstack_times(&q->k, i), .n = 1};
	struct lower l;
	int r = snapshot_lower_above(q->s, &one, q->below->tree, &l, err);

	if (r <= 0)
		return r;
	r = sandbox_try_lowers(q->runner, &l, 1, err);
	if (r <= 0) {
		lower_clear(&l);
		return r;
	}
	lower_push(on, l);
	return 1;
}

int lowers_add(const struct lowers_request *q, size_t have, struct lowers *on, struct err **err)
{
	auto_lowers struct lowers made = {0};

	if (q->form == BUILD_FORM_DIRECTORY || !sandbox_takes_erofs(q->runner) ||
		q->below->n != have || on->n + (q->k.n - have) > SANDBOX_LOWERS_MAX)
		return 0;
	for (size_t i = have; i < q->k.n; i++) {
		int r = lowers_add_one(q, i, &made, err);
		if (r <= 0)
			return r;
		if (snapshot_grow(q->s, q->below, &q->k, i + 1, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < made.n; i++)
		lower_push(on, made.v[i]);
	made.n = 0;
	return 1;
}

static int write_to_fd(void *ctx, const void *p, size_t n, struct err **err)
{
	const int *fd = ctx;

	return fs_write_all(*fd, p, n) < 0 ? err_sys(err, "index") : 0;
}

/* An index of nothing, on the store's file system: fd / -1. */
static int empty_index(struct store *s)
{
	auto_tempfile struct tempfile t;
	auto_layer_tree struct layer_tree *tree = layer_tree_new();
	struct layer_erofs_made made CLEANUP(layer_erofs_made_clear) = {0};

	if (tempfile_open(s, &t) < 0)
		return -1;
	struct io_writer out = {.write = write_to_fd, .ctx = &t.fd};
	if (layer_erofs_tree(tree, out, &made, NULL) < 0)
		return -1;
	return tempfile_reader(&t);
}

/* NULL: indexes. Else why they are directories. */
static const char *why_directories(struct store *s)
{
	auto_sandbox_runner struct sandbox_runner *r = sandbox_runner_new(NULL);

	if (!r)
		return "RUN cannot run here";
	if (!sandbox_takes_erofs(r))
		return "EROFS images are not taken here";
	struct lower l CLEANUP(lower_clear) = {.dir_fd = -1, .index_fd = empty_index(s)};
	if (l.index_fd < 0)
		return "the store cannot be written";
	return sandbox_try_lowers(r, &l, 1, NULL) == 1
		       ? NULL
		       : "the kernel takes no EROFS image from the file system of this store";
}

/* NULL: a RUN can write in the store. */
static const char *why_refused(struct store *s)
{
	auto_scratch struct scratch x = SCRATCH_NONE;

	return scratch_make(s, &x, NULL) < 0 ? NULL : sandbox_scratch_refused(x.fd);
}

void lowers_hint(struct store *s, struct err **err)
{
	const char *why = err && *err && err_get_kind(*err) == ERR_SANDBOX ? why_refused(s) : NULL;

	if (why)
		err_hint(err,
			"%s: mount a volume at %s (docker run -v bld:%s), or name one with --root",
			why, store_root(s), store_root(s));
}

void lowers_describe(struct store *s, struct strlist *out)
{
	const char *no = why_refused(s);

	if (no)
		strlist_addf(out, "RUN: no (%s; mount a volume at %s, or name one with --root)", no,
			store_root(s));
	else
		strlist_add(out, "RUN: the file system of the store serves");
	const char *why = why_directories(s);

	if (why)
		strlist_addf(out, "layers: directories (%s)", why);
	else
		strlist_add(out, "layers: EROFS images, nothing is unpacked");
}

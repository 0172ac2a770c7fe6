// SPDX-License-Identifier: Apache-2.0
/*
 * From files to a layer in the store. What COPY and lists give is written at once. The upper of a
 * RUN is frozen into a tar, taken over as the lower of the next step, and, unless it is small,
 * written in the background (pending.c); the record is complete only then. Secrets are looked for
 * while the tar is made and judged before anything of it is kept.
 */
#include "builder/cache/commit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cache/pending.h"
#include "builder/image/history.h"
#include "builder/secrets/mask.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/layerstack.h"
#include "store/lower.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tar/list.h"
#include "store/tar/write.h"
#include "store/tree/freeze.h"
#include "store/tree/tree.h"

#define COMMIT_EMPTY_TAR 1024 /* two zero blocks */

/* A layer up to this size is written while the next step waits. */
#define COMMIT_AT_ONCE_ENTRIES 256
#define COMMIT_AT_ONCE_BYTES   ((uint64_t)512 << 10)

/* A layer blob of what `fill` puts into the writer and finishes. */
static int commit_layer(struct store *s,
	int (*fill)(void *ctx, struct layer_writer *w, struct err **err), void *ctx,
	struct record *out, struct err **err)
{
	auto_blob_writer struct blob_writer *b = blob_create(s, err);

	if (!b)
		return -1;
	auto_layer_writer struct layer_writer *w = layer_writer_into(blob_pipe(b));
	auto_layer_times struct layer_times times;
	layer_times_init(&times);
	layer_writer_times(w, &times);
	if (fill(ctx, w, err) < 0 || blob_commit(b, NULL, &out->layer, NULL, err) < 0 ||
		layerstack_put_times(s, &times, &out->times, err) < 0)
		return -1;
	out->created = now_seconds();
	return 0;
}

static int fill_list(void *ctx, struct layer_writer *w, struct err **err)
{
	return layer_list_put(ctx, w, err);
}

int commit_list(struct store *s, struct layer_list *l, struct record *out, struct err **err)
{
	return commit_layer(s, fill_list, l, out, err);
}

static int fill_copy(void *ctx, struct layer_writer *w, struct err **err)
{
	return copy_write(ctx, w, err);
}

int commit_copy(struct store *s, struct copy_placed *p, struct record *out, struct err **err)
{
	return commit_layer(s, fill_copy, p, out, err);
}

/* --- uppers ------------------------------------------------------------------------------- */

struct upper {
	struct commit_upper *c;
	struct layer_freezing *freezing; /* owned */
	struct blob_writer *tar;         /* owned */
	int fd;                          /* owned */
};

static void upper_clear(struct upper *u)
{
	layer_freezing_free(u->freezing);
	blob_free(u->tar);
	fd_close(u->fd);
}

static struct hashpipe *commit_open_tar(void *ctx, struct err **err)
{
	struct upper *u = ctx;

	u->tar = blob_create(u->c->se->s, err);
	if (!u->tar)
		return NULL;
	if (u->c->leak)
		blob_tap(u->tar, leakcheck_writer(u->c->leak));
	return blob_pipe(u->tar);
}

/* A directory that no layer has is the skeleton's, a place to mount on. What a command does to it
 * copies it up; empty it is none of the layer. */
static int leave_skeleton(int upper_fd, const struct layer_tree *below, struct err **err)
{
	struct stat sb;

	if (fstat(upper_fd, &sb) < 0)
		return err_sys(err, "upper directory of the step");
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, sb.st_mtim};
	for (const char *const *name = sandbox_skeleton_dirs; *name; name++) {
		if (layer_tree_lookup(below, *name, false, NULL, NULL) ||
			unlinkat(upper_fd, *name, AT_REMOVEDIR) < 0)
			continue;
		if (futimens(upper_fd, times) < 0)
			return err_sys(err, "upper directory of the step");
	}
	return 0;
}

static int commit_begin(struct upper *u, struct err **err)
{
	struct session *se = u->c->se;

	u->fd = openat(u->c->scratch_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->fd < 0)
		return err_sys(err, "upper directory of the step");
	const struct layer_tree *below = state_tree(u->c->st, se->s, err);
	if (!below || leave_skeleton(u->fd, below, err) < 0)
		return -1;
	struct layer_freezing_opts o = {
		.upper = {.upper_fd = u->fd, .below = below, .as_lower = true},
		.open = commit_open_tar,
		.ctx = u,
		.spool_fd = store_spool_fd(se->s),
		.most_entries = u->c->leak ? SIZE_MAX : COMMIT_AT_ONCE_ENTRIES,
		.most_bytes = u->c->leak ? UINT64_MAX : COMMIT_AT_ONCE_BYTES,
	};
	u->freezing = layer_freezing_new(&o, err);
	return u->freezing ? 0 : -1;
}

/* Times of directories are all that changed. The upper shows them to the next step; other builds
 * make a form of their own. */
static int keep_moved(struct upper *u, const struct record *out, struct err **err)
{
	struct state *st = u->c->st;
	int tar = blob_open(u->c->se->s, &out->layer, NULL, err);

	if (tar < 0 ||
		layer_tree_apply_timed(st->tree, tar, layer_freezing_times(u->freezing), err) < 0)
		return -1;
	if (!st->pending)
		st->pending = pending_new(u->c->se);
	if (st->nlowered == st->config.ndiff_ids)
		lower_push(&st->lowers, lower_of_dir(TAKE_FD(u->fd)));
	u->c->taken = true;
	pending_keep(st->pending, u->c->temp);
	return 0;
}

/* A step that changed no file: every such layer is the same tar, and shows nothing as a lower but
 * the times of directories. */
static int commit_empty(struct upper *u, struct record *out, struct err **err)
{
	static const unsigned char nothing[COMMIT_EMPTY_TAR];
	struct state *st = u->c->st;

	sha256_of(nothing, sizeof nothing, &out->layer);
	int have = blob_exists(u->c->se->s, &out->layer, NULL, err);
	if (have < 0 ||
		(!have && blob_put(u->c->se->s, nothing, sizeof nothing, &out->layer, err) < 0))
		return -1;
	if (layer_times_any(layer_freezing_times(u->freezing)) && keep_moved(u, out, err) < 0)
		return -1;
	if (st->nlowered == st->config.ndiff_ids)
		st->nlowered++;
	st->tree_layers++;
	return 0;
}

/* The upper goes below the next step, and the layer on the tree. */
static int stack_up(struct upper *u, int *tar_fd, struct err **err)
{
	struct state *st = u->c->st;
	uint64_t so_far;

	*tar_fd = fcntl(blob_readable(u->tar, &so_far), F_DUPFD_CLOEXEC, 3);
	if (*tar_fd < 0)
		return err_sys(err, "layer");
	if (layer_freezing_apply(u->freezing, st->tree, *tar_fd, err) < 0)
		return -1;
	st->tree_layers++;
	if (st->nlowered == st->config.ndiff_ids) {
		lower_push(&st->lowers, lower_of_dir(TAKE_FD(u->fd)));
		st->nlowered++;
	}
	return 0;
}

static int commit_adopt(struct upper *u, const struct record *r, struct err **err)
{
	const struct layer_stack below = state_stack(u->c->st);
	size_t n = below.n + 1;
	auto_free struct digest *diff_ids = mem_array(n, sizeof *diff_ids);
	auto_free struct digest *times = mem_array(n, sizeof *times);

	for (size_t i = 0; i < below.n; i++) {
		diff_ids[i] = below.diff_ids[i];
		times[i] = *layerstack_times(&below, i);
	}
	diff_ids[below.n] = r->layer;
	times[below.n] = r->times;
	const struct layer_stack k = {.diff_ids = diff_ids, .times = times, .n = n};
	return snapshot_adopt(u->c->se->s, &k, u->c->temp, err);
}

static void commit_leave(struct upper *u, int tar_fd, const struct record *r)
{
	struct pending_layer l = {
		.record = *r,
		.tar_fd = tar_fd,
		.freezing = TAKE(u->freezing),
		.tar = TAKE(u->tar),
	};

	snprintf(l.temp, sizeof l.temp, "%s", u->c->temp);
	flight_leave(u->c->flight, &l.rest);
	const struct layer_stack below = state_stack(u->c->st);
	pending_add(u->c->st->pending, &below, &l);
}

static int commit_changes(struct upper *u, struct record *out, struct err **err)
{
	struct state *st = u->c->st;
	int tar_fd, r;

	if (!st->pending)
		st->pending = pending_new(u->c->se);
	if (stack_up(u, &tar_fd, err) < 0)
		return -1;
	u->c->taken = true;
	if (pending_any(st->pending) || !layer_freezing_done(u->freezing)) {
		commit_leave(u, tar_fd, out);
		return FLIGHT_LATER;
	}
	r = blob_commit(u->tar, NULL, &out->layer, NULL, err);
	if (r == 0)
		r = commit_adopt(u, out, err);
	if (r != 0)
		pending_keep(st->pending, u->c->temp);
	return r < 0 ? -1 : 0;
}

/* The path may hold the secret itself. */
static int commit_check_leak(const struct commit_upper *c, struct err **err)
{
	const char *id = NULL;
	size_t more = 0;
	const char *found = c->leak ? leakcheck_found(c->leak, &id, &more) : NULL;

	if (!found)
		return 0;
	auto_free char *path = mask_text(c->se->secrets.mask, found);
	auto_free char *others = more ? mem_printf(" and %zu more", more) : mem_strdup("");
	err_set(err, ERR_BUILD, "the secret \"%s\" is in what RUN left behind: %s%s", id, path,
		others);
	return err_hint(err, "remove it in the same RUN; or, where it may be in the image: "
			     "--allow secret-in-layer");
}

int commit_upper(struct commit_upper *c, struct record *out, struct err **err)
{
	struct upper u CLEANUP(upper_clear) = {.c = c, .fd = -1};

	if (commit_begin(&u, err) < 0 || commit_check_leak(c, err) < 0)
		return -1;
	out->created = now_seconds();
	if (layerstack_put_times(c->se->s, layer_freezing_times(u.freezing), &out->times, err) < 0)
		return -1;
	return layer_freezing_entries(u.freezing) ? commit_changes(&u, out, err)
						  : commit_empty(&u, out, err);
}

void commit_to_state(
	struct state *st, const struct record *r, const struct digest *key, const char *created_by)
{
	state_add_layer(st, &r->layer, &r->times);
	history_add(st, created_by, false, r->created);
	st->key = *key;
}

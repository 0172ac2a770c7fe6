// SPDX-License-Identifier: Apache-2.0
/* Forms that can be mounted: bld/dirs/CHAIN/ (dirform.h), bld/erofs/CHAIN.KIND/ (erofsform.h).
 * Files of bytes are packed.h's. */
#include "store/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/dirform.h"
#include "store/erofsform.h"
#include "store/packed.h"
#include "store/tree/unpack.h"

static int snapshot_in_layer(struct err **err, const struct digest *diff_id)
{
	char text[DIGEST_STRING];

	return err_prefix(err, "layer %s", sha256_string(diff_id, text));
}

/* --- the plain tar ---------------------------------------------------------------------------- */

int snapshot_exists(struct store *s, const struct digest *diff_id, struct err **err)
{
	return packed_exists(s, diff_id, err);
}

int snapshot_tar(struct store *s, const struct digest *diff_id, uint64_t *size, struct err **err)
{
	return packed_tar(s, diff_id, size, err);
}

/* --- the merged tree and directories -------------------------------------------------------- */

int snapshot_put(struct store *s, struct layer_tree *t, const struct layer_stack *k, size_t i,
	struct err **err)
{
	auto_layer_times struct layer_times times = {.entries = 0};

	if (layerstack_get_times(s, layerstack_times(k, i), &times, err) < 0)
		return snapshot_in_layer(err, &k->diff_ids[i]);
	int fd = snapshot_tar(s, &k->diff_ids[i], NULL, err);
	if (fd < 0)
		return -1;
	return layer_tree_apply_timed(t, fd, &times, err) < 0
		       ? snapshot_in_layer(err, &k->diff_ids[i])
		       : 0;
}

int snapshot_grow(struct store *s, struct snapshot_grown *g, const struct layer_stack *k, size_t n,
	struct err **err)
{
	if (!g->tree)
		g->tree = layer_tree_new();
	for (; g->n < n; g->n++)
		if (snapshot_put(s, g->tree, k, g->n, err) < 0)
			return -1;
	return 0;
}

void snapshot_grown_clear(struct snapshot_grown *g)
{
	layer_tree_free(g->tree);
	*g = (struct snapshot_grown){0};
}

struct layer_tree *snapshot_tree(struct store *s, const struct layer_stack *k, struct err **err)
{
	struct snapshot_grown g CLEANUP(snapshot_grown_clear) = {0};

	return snapshot_grow(s, &g, k, k->n, err) < 0 ? NULL : TAKE(g.tree);
}

/* Is it of no use in a directory form? What an overlay mount leaves beside its upper directory,
 * "work", is empty and stays: taking it away would cost more than it is. */
static bool is_left_over(const char *name)
{
	return strcmp(name, "upper") != 0 && strcmp(name, "work") != 0 && strcmp(name, "form") != 0;
}

/* What throw-away mounts took lies beside the upper directory. */
static int drop_left_over(struct store *s, int dir_fd)
{
	DIR *dir = fs_opendir(dir_fd, ".");
	const struct dirent *e;
	int r = 0, more;

	if (!dir)
		return -1;
	while (r == 0 && (more = fs_readdir(dir, &e)) != 0) {
		if (more < 0) {
			r = -1;
			break;
		}
		char trash[FS_TEMP_NAME];
		fs_temp_name(trash, sizeof trash, "t");
		if (is_left_over(e->d_name))
			r = fs_renameat(dir_fd, e->d_name, store_dir(s, STORE_TRASH), trash);
	}
	int saved = errno;
	closedir(dir);
	errno = saved;
	return r;
}

/* Publish tmp/temp_name, which holds "upper", as the directory form of the stack. The caller holds
 * the lock of its chain ID and knows that no usable form is there. */
static int snapshot_publish(struct store *s, const struct digest *chain,
	const struct layer_stack *k, const char *temp_name, struct err **err)
{
	char hex[DIGEST_HEX];
	int tmp = store_tmp_fd(s), to = store_dir(s, STORE_DIRS);
	auto_fd int dir =
		fs_open_beneath(tmp, temp_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, FS_NOLINKS);

	if (dir < 0 || drop_left_over(s, dir) < 0)
		return err_sys(err, "layer directory");
	if (dirform_write(s, dir, k, err) < 0)
		return -1;
	sha256_hex(chain, hex);
	if (renameat(tmp, temp_name, to, hex) == 0)
		return 0;
	dirform_drop(s, chain, false); /* one of an earlier boot, or damaged */
	if (renameat(tmp, temp_name, to, hex) < 0)
		return err_sys(err, "layer directory %s", hex);
	return 0;
}

/* The last layer of the stack. */
static int unpack_into(struct store *s, int dir, const struct layer_stack *k,
	const struct layer_tree *below, struct err **err)
{
	const struct digest *diff_id = &k->diff_ids[k->n - 1];
	auto_layer_times struct layer_times times = {.entries = 0};

	if (layerstack_get_times(s, layerstack_times(k, k->n - 1), &times, err) < 0)
		return snapshot_in_layer(err, diff_id);
	if (mkdirat(dir, "upper", 0755) < 0)
		return err_sys(err, "layer directory");
	auto_fd int dest = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int tar = dest < 0 ? -1 : snapshot_tar(s, diff_id, NULL, err);
	if (dest < 0)
		return err_sys(err, "layer directory");
	if (tar < 0)
		return -1;
	struct layer_unpack u = {
		.dest_fd = dest, .below = below, .userxattr = dirform_userxattr(), .times = &times};
	return layer_unpack(tar, &u, err) < 0 ? snapshot_in_layer(err, diff_id) : 0;
}

/* Unpack the last layer of the stack and publish it. The caller holds the lock. */
static int snapshot_make_dir(struct store *s, const struct digest *chain,
	const struct layer_stack *k, const struct layer_tree *below, struct err **err)
{
	char name[64];
	auto_fd int dir = store_temp_dir(s, name, err);

	if (dir < 0)
		return -1;
	if (unpack_into(s, dir, k, below, err) < 0 ||
		snapshot_publish(s, chain, k, name, err) < 0) {
		store_discard(s, name);
		return -1;
	}
	return 0;
}

/* --- lowers ----------------------------------------------------------------------------------- */

/* A stack whose lowers are being found. */
struct request {
	struct store *s;
	const struct layer_stack *k;
	const struct snapshot_forms *forms;
	struct snapshot_grown own; /* trees grow only as far as some layer needs them */
	size_t dirs;               /* the first so many layers become directories */
	struct lowers made;
};

/* The merged tree of exactly the first n layers; borrowed until the next call. */
static const struct layer_tree *tree_of(struct request *q, size_t n, struct err **err)
{
	struct snapshot_grown *g = q->forms->below;

	if (!g || g->n > n)
		g = &q->own;
	if (g->n > n)
		snapshot_grown_clear(g);
	return snapshot_grow(q->s, g, q->k, n, err) < 0 ? NULL : g->tree;
}

/* The directory form of layer n: fd; -1 without *err when there is none, -1. */
static int find_dir(struct request *q, size_t n, struct err **err)
{
	struct layer_stack k = layerstack_first(q->k, n);
	struct digest chain;

	layerstack_id(&k, &chain);
	return dirform_open(q->s, &chain, err);
}

/* Make layer n a directory, unless somebody did meanwhile: fd / -1. */
static int need_dir(struct request *q, size_t n, struct err **err)
{
	struct layer_stack k = layerstack_first(q->k, n);
	struct digest chain;

	layerstack_id(&k, &chain);
	auto_fd int lock = store_lock(q->s, STORE_LOCK_DIR, &chain, true, err);
	if (lock < 0)
		return -1;
	auto_err struct err *why = NULL;
	int fd = dirform_open(q->s, &chain, &why);
	if (fd >= 0)
		return fd;
	if (why)
		return err_pass(err, &why);
	const struct layer_tree *below = tree_of(q, n - 1, err);
	if (!below || snapshot_make_dir(q->s, &chain, &k, below, err) < 0)
		return -1;
	fd = dirform_open(q->s, &chain, err);
	if (fd < 0 && err && !*err)
		err_set(err, ERR_SYS, "a layer directory vanished after it was made");
	return fd;
}

/* Make the EROFS image: 1; 0 it cannot be one; -1. */
static int snapshot_make_index(struct request *q, const struct erofsform_stack *k, struct err **err)
{
	auto_err struct err *why = NULL;
	size_t n = k->kind == EROFSFORM_MERGED ? k->k.n : k->k.n - 1;
	const struct layer_tree *tree = tree_of(q, n, err);

	if (!tree)
		return -1;
	if (erofsform_make(q->s, k, tree, &why) == 0)
		return 1;
	if (err_get_kind(why) == ERR_UNSUPPORTED && !q->forms->strict)
		return 0;
	err_pass(err, &why);
	return snapshot_in_layer(err, &k->k.diff_ids[k->k.n - 1]);
}

/* The EROFS image of the first n layers as one, or of the last of them: 1; 0 it cannot be one; -1.
 */
static int need_index(
	struct request *q, enum erofsform_kind kind, size_t n, struct lower *out, struct err **err)
{
	struct erofsform_stack k = {.kind = kind, .k = layerstack_first(q->k, n)};
	struct digest chain;
	int r = erofsform_open(q->s, &k, out, err);

	if (r != 0)
		return r;
	layerstack_id(&k.k, &chain);
	auto_fd int lock = store_lock(q->s, STORE_LOCK_INDEX, &chain, true, err);
	if (lock < 0)
		return -1;
	r = erofsform_open(q->s, &k, out, err);
	if (r == 0)
		r = snapshot_make_index(q, &k, err);
	else
		return r;
	if (r == 1)
		r = erofsform_open(q->s, &k, out, err);
	else
		return r;
	return r == 0 ? err_set(err, ERR_SYS, "an EROFS image vanished after it was made") : r;
}

/* Put layer n on top of what was made. What the first layer is over nothing is its merged tree,
 * which is often there already. */
static int snapshot_add_one(struct request *q, size_t n, struct err **err)
{
	enum erofsform_kind kind = n == 1 ? EROFSFORM_MERGED : EROFSFORM_LAYER;
	auto_err struct err *why = NULL;
	struct lower l;
	int fd = q->forms->strict ? -1 : find_dir(q, n, &why);

	if (why)
		return err_pass(err, &why);
	if (fd < 0 && q->forms->index && n > q->dirs) {
		int r = need_index(q, kind, n, &l, err);
		if (r == 1)
			lower_push(&q->made, l);
		if (r != 0)
			return r;
	}
	if (fd < 0)
		fd = need_dir(q, n, err);
	if (fd < 0)
		return -1;
	lower_push(&q->made, lower_of_dir(fd));
	return 0;
}

/* How many layers are to be one lower. So that a stack that grows by a layer at a time beyond what
 * can be mounted does not get a new merged index each time, it goes in steps. */
static size_t merged_layers(const struct snapshot_forms *f, size_t n)
{
	size_t m = f->merge < n ? f->merge : n;
	size_t step = f->max > 1 ? f->max / 2 : 1;
	size_t need = f->max && n > f->max ? n - f->max + 1 : 0;

	if (n - m + (m > 0) <= f->max || !f->max)
		return m;
	need = (need + step - 1) / step * step;
	return need < m ? m : need < n ? need : n;
}

/* The first m layers from the directories that are there: 1; 0 one is missing; -1. */
static int add_dirs(struct request *q, size_t m, struct err **err)
{
	auto_err struct err *why = NULL;

	while (q->made.n < m) {
		int fd = find_dir(q, q->made.n + 1, &why);
		if (fd < 0) {
			lower_clear_all(&q->made);
			return why ? err_pass(err, &why) : 0;
		}
		lower_push(&q->made, lower_of_dir(fd));
	}
	return 1;
}

/* Put the first layers down as one lower: how many that are, 0 when each is to be its own; -1. */
static ssize_t add_merged(struct request *q, size_t n, struct err **err)
{
	const struct snapshot_forms *f = q->forms;
	size_t m = f->index ? merged_layers(f, n) : 0;
	bool fits = !f->max || n <= f->max;
	struct lower l;
	int r;

	if (m < 2)
		return 0;
	r = fits && !f->strict ? add_dirs(q, m, err) : 0;
	if (r != 0)
		return r < 0 ? -1 : (ssize_t)m;
	r = need_index(q, EROFSFORM_MERGED, m, &l, err);
	if (r == 0)
		q->dirs = m;
	if (r <= 0)
		return r;
	lower_push(&q->made, l);
	return (ssize_t)m;
}

static int snapshot_add_all(struct request *q, size_t n, struct err **err)
{
	ssize_t have = add_merged(q, n, err);

	if (have < 0)
		return -1;
	for (size_t i = (size_t)have; i < n; i++)
		if (snapshot_add_one(q, i + 1, err) < 0)
			return -1;
	return 0;
}

int snapshot_lowers(struct store *s, const struct layer_stack *k,
	const struct snapshot_forms *forms, struct lowers *out, struct err **err)
{
	struct request q = {.s = s, .k = k, .forms = forms};
	int r = snapshot_add_all(&q, k->n, err);

	snapshot_grown_clear(&q.own);
	if (r < 0)
		lower_clear_all(&q.made);
	else
		*out = q.made;
	return r;
}

int snapshot_lower_above(struct store *s, const struct layer_stack *one,
	const struct layer_tree *below, struct lower *out, struct err **err)
{
	auto_err struct err *why = NULL;

	if (erofsform_unnamed(s, one, below, out, &why) == 0)
		return 1;
	if (err_get_kind(why) == ERR_UNSUPPORTED)
		return 0;
	err_pass(err, &why);
	return snapshot_in_layer(err, one->diff_ids);
}

int snapshot_adopt(
	struct store *s, const struct layer_stack *k, const char *temp_name, struct err **err)
{
	struct digest chain;

	layerstack_id(k, &chain);
	auto_fd int lock = store_lock(s, STORE_LOCK_DIR, &chain, true, err);
	if (lock < 0)
		return -1;
	auto_err struct err *why = NULL;
	auto_fd int have = dirform_open(s, &chain, &why);
	if (have >= 0)
		return 1;
	if (why)
		return err_pass(err, &why);
	return snapshot_publish(s, &chain, k, temp_name, err);
}

// SPDX-License-Identifier: Apache-2.0
/* Forms that can be mounted: bld/dirs/CHAIN/ (dirform.h). Files of bytes are packed.h's. */
#include "store/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/dirform.h"
#include "store/packed.h"

static int in_layer(struct err **err, const struct digest *diff_id)
{
	char text[DIGEST_STRING];

	return err_prefix(err, "layer %s", sha256_string(diff_id, text));
}

/* --- the plain tar ---------------------------------------------------------------------------- */

bool snapshot_exists(struct store *s, const struct digest *diff_id)
{
	return packed_exists(s, diff_id);
}

int snapshot_tar(struct store *s, const struct digest *diff_id, uint64_t *size, struct err **err)
{
	return packed_tar(s, diff_id, size, err);
}

/* --- the merged tree and directories -----------------------------------------------------------
 */

/* Put one more layer on a tree. */
static int grow(
	struct store *s, struct layer_tree *t, const struct digest *diff_id, struct err **err)
{
	int fd = snapshot_tar(s, diff_id, NULL, err);

	if (fd < 0)
		return -1;
	return layer_tree_apply(t, fd, err) < 0 ? in_layer(err, diff_id) : 0;
}

int snapshot_grow(struct store *s, struct snapshot_grown *g, const struct digest *diff_ids,
	size_t n, struct err **err)
{
	if (!g->tree)
		g->tree = layer_tree_new();
	for (; g->n < n; g->n++)
		if (grow(s, g->tree, &diff_ids[g->n], err) < 0)
			return -1;
	return 0;
}

void snapshot_grown_clear(struct snapshot_grown *g)
{
	layer_tree_free(g->tree);
	*g = (struct snapshot_grown){0};
}

struct layer_tree *snapshot_tree(
	struct store *s, const struct digest *diff_ids, size_t n, struct err **err)
{
	struct snapshot_grown g CLEANUP(snapshot_grown_clear) = {0};

	return snapshot_grow(s, &g, diff_ids, n, err) < 0 ? NULL : TAKE(g.tree);
}

/* Publish tmp/temp_name, which holds "upper", as the directory form of the stack. The caller holds
 * the lock of its chain ID and knows that no usable form is there. */
static int publish(struct store *s, const struct digest *chain, const struct digest *diff_ids,
	size_t n, const char *temp_name, struct err **err)
{
	char hex[DIGEST_HEX];
	auto_fd int dir = fs_open_beneath(
		store_tmp_fd(s), temp_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, FS_NOLINKS);

	if (dir < 0)
		return err_sys(err, "layer directory");
	/* What an overlay mount leaves beside its upper directory: a few empty directories. */
	if (fs_remove_tree(dir, "work") < 0)
		return err_sys(err, "layer directory: work");
	if (dirform_write(s, dir, diff_ids, n, err) < 0)
		return -1;
	dirform_drop(s, chain); /* one of an earlier boot, or damaged */
	if (renameat(store_tmp_fd(s), temp_name, store_dir(s, STORE_DIRS), sha256_hex(chain, hex)) <
		0)
		return err_sys(err, "layer directory %s", hex);
	return 0;
}

static int unpack_into(struct store *s, int dir, const struct digest *diff_id,
	const struct layer_tree *below, struct err **err)
{
	if (mkdirat(dir, "upper", 0755) < 0)
		return err_sys(err, "layer directory");
	auto_fd int dest = openat(dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int tar = dest < 0 ? -1 : snapshot_tar(s, diff_id, NULL, err);
	if (dest < 0)
		return err_sys(err, "layer directory");
	if (tar < 0)
		return -1;
	struct layer_unpack u = {.dest_fd = dest, .below = below, .userxattr = dirform_userxattr()};
	return layer_unpack(tar, &u, err) < 0 ? in_layer(err, diff_id) : 0;
}

/* Unpack the last layer of the stack and publish it. The caller holds the lock. */
static int make_dir(struct store *s, const struct digest *chain, const struct digest *diff_ids,
	size_t n, const struct layer_tree *below, struct err **err)
{
	char name[64];
	auto_fd int dir = store_temp_dir(s, name, err);

	if (dir < 0)
		return -1;
	if (unpack_into(s, dir, &diff_ids[n - 1], below, err) < 0 ||
		publish(s, chain, diff_ids, n, name, err) < 0) {
		store_discard(s, name);
		return -1;
	}
	return 0;
}

/* The tree of the layers below grows only as far as some layer has to be unpacked. */
struct stack {
	struct layer_tree *below; /* owned; NULL until it is needed */
	size_t applied;
};

static int lower(
	struct store *s, const struct digest *diff_ids, size_t n, struct stack *k, struct err **err)
{
	struct digest chain;
	auto_err struct err *why = NULL;

	oci_chain_id(diff_ids, n, &chain);
	int fd = dirform_open(s, &chain, &why);
	if (fd >= 0)
		return fd;
	if (why)
		return err_set(err, err_get_kind(why), "%s", err_text(why));
	auto_fd int lock = store_lock(s, STORE_LOCK_DIR, &chain, true, err);
	if (lock < 0)
		return -1;
	fd = dirform_open(s, &chain, NULL);
	if (fd >= 0)
		return fd;
	if (!k->below)
		k->below = layer_tree_new();
	for (; k->applied < n - 1; k->applied++)
		if (grow(s, k->below, &diff_ids[k->applied], err) < 0)
			return -1;
	if (make_dir(s, &chain, diff_ids, n, k->below, err) < 0)
		return -1;
	fd = dirform_open(s, &chain, err);
	if (fd < 0 && err && !*err)
		err_set(err, ERR_SYS, "a layer directory vanished after it was made");
	return fd;
}

int snapshot_lowers(struct store *s, const struct digest *diff_ids, size_t n,
	const struct snapshot_forms *forms, struct lowers *out, struct err **err)
{
	struct stack k = {0};
	auto_lowers struct lowers made = {0};

	(void)forms; /* there are directories only, so far */
	while (made.n < n) {
		int fd = lower(s, diff_ids, made.n + 1, &k, err);
		if (fd < 0)
			break;
		lower_push(&made, lower_of_dir(fd));
	}
	layer_tree_free(k.below);
	if (made.n < n)
		return -1;
	*out = made;
	made = (struct lowers){0};
	return 0;
}

int snapshot_adopt(struct store *s, const struct digest *diff_ids, size_t n, const char *temp_name,
	struct err **err)
{
	struct digest chain;

	oci_chain_id(diff_ids, n, &chain);
	auto_fd int lock = store_lock(s, STORE_LOCK_DIR, &chain, true, err);
	if (lock < 0)
		return -1;
	auto_fd int have = dirform_open(s, &chain, NULL);
	if (have >= 0) {
		store_discard(s, temp_name);
		return 0;
	}
	return publish(s, &chain, diff_ids, n, temp_name, err);
}

// SPDX-License-Identifier: Apache-2.0
/* Directories with their missing parents, as WORKDIR and VOLUME want them. */
#include "builder/copy/copy.h"
#include "builder/copy/target.h"
#include "store/base/cleanup.h"

static int mkdir_add(void *ctx, struct layer_entry *e, const struct copy_file *f, uint32_t source,
	struct err **err)
{
	(void)f;
	(void)source;
	(void)err;
	layer_list_add(ctx, e);
	return 0;
}

struct layer_list *copy_mkdirs(const struct layer_tree *below, const struct strlist *paths,
	uint32_t uid, uint32_t gid, int64_t now, struct err **err)
{
	auto_layer_list struct layer_list *out = layer_list_new();
	struct copy_emit to = {mkdir_add, out};
	struct copy_attrs a = {.mode = 0755, .uid = uid, .gid = gid, .mtime = now};
	auto_copy_target struct copy_target t;

	copy_target_init(&t, below, NULL);
	for (size_t i = 0; i < paths->n; i++) {
		struct copy_node *at = copy_target_walk(&t, t.root, paths->v[i], true, err);
		if (!at || copy_target_mkdirs(&t, at, &a, err) < 0)
			return NULL;
	}
	if (copy_target_emit(&t, &to, err) < 0)
		return NULL;
	return TAKE(out);
}

struct layer_list *copy_mkdir(const struct layer_tree *below, const char *path, uint32_t uid,
	uint32_t gid, int64_t now, struct err **err)
{
	auto_strlist struct strlist one = {0};

	strlist_add(&one, path);
	return copy_mkdirs(below, &one, uid, gid, now, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * --compat-volumes: what a RUN wrote below a VOLUME goes to the trash before the layer is made. The
 * path is resolved in the image below, where links may be followed, and then looked up in the upper
 * without following any.
 */
#include "builder/run/volumes.h"

#include <fcntl.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/store.h"
#include "store/tree/tree.h"

/* The command may have put links anywhere in the upper: none is followed. A parent that it replaced
 * took the volume with it. */
static int discard(struct store *s, int upper, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
	auto_fd int fd = fs_open_beneath(upper, dir, O_RDONLY | O_DIRECTORY, 0, FS_NOLINKS);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	return store_trash(s, fd, slash ? slash + 1 : path);
}

int volumes_discard(struct state *st, struct store *s, int scratch_fd, struct err **err)
{
	const struct strlist *volumes = &st->config.volumes;

	if (volumes->n == 0)
		return 0;
	const struct layer_tree *below = state_tree(st, s, err);
	auto_fd int upper =
		below ? openat(scratch_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (upper < 0)
		return below ? err_sys(err, "upper directory of the step") : -1;
	for (size_t i = 0; i < volumes->n; i++) {
		auto_free char *path = NULL;

		layer_tree_lookup(below, volumes->v[i], true, &path, NULL);
		/* "/" as a volume would throw everything away: nobody means that. */
		if (path && *path && discard(s, upper, path) < 0)
			return err_sys(err, "volume %s", volumes->v[i]);
	}
	return 0;
}

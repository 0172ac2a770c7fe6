// SPDX-License-Identifier: Apache-2.0
/*
 * A context that comes as bytes. It is written to a file without a name first, since archives are
 * read by offset, then unpacked into a list, and from there into a plain tar under a merged tree:
 * what follows works as it does for layers.
 */
#include "builder/input/archivetree.h"

#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"
#include "store/tar/list.h"
#include "store/tar/userarchive.h"
#include "store/tree/tree.h"

#define CHUNK ((size_t)1 << 18)

int archivetree_spool(int from, const char *what, struct store *s, struct err **err)
{
	auto_fd int fd = fs_spool(store_spool_fd(s));
	struct io_fd in = {.fd = from, .what = what};
	struct io_reader r = io_fd_reader(&in);
	auto_free char *chunk = mem_alloc(CHUNK);
	uint64_t total = 0;

	if (fd < 0)
		return err_sys(err, "spool file in the store");
	for (;;) {
		ssize_t n = io_read(&r, chunk, CHUNK, err);
		if (n < 0)
			return err_rekind(err, ERR_CONTEXT);
		if (n == 0)
			break;
		total += (uint64_t)n;
		if (total > ARCHIVETREE_MAX)
			return err_set(err, ERR_LIMIT, "%s has more than %llu bytes", what,
				(unsigned long long)ARCHIVETREE_MAX);
		if (fs_write_all(fd, chunk, (size_t)n) < 0)
			return err_sys(err, "write %s to the store", what);
	}
	return TAKE_FD(fd);
}

/* Archive -> entries -> plain tar -> merged tree: the walker and the tree then do what they do for
 * layers. */
struct layer_tree *archivetree_make(int archive, struct store *s, struct err **err)
{
	auto_layer_archive struct layer_archive *a =
		layer_archive_open(archive, store_spool_fd(s), ARCHIVETREE_MAX, err);
	auto_layer_list struct layer_list *list = layer_list_new();
	auto_fd int tar = fs_spool(store_spool_fd(s));
	const struct layer_entry *e;
	int more;

	if (!a)
		return NULL;
	if (tar < 0) {
		err_sys(err, "spool file in the store");
		return NULL;
	}
	while ((more = layer_archive_next(a, &e, err)) > 0)
		layer_list_add(list, e);
	if (more < 0)
		return NULL;
	struct io_fd f = {.fd = tar, .what = "context"};
	if (layer_list_write(list, io_fd_writer(&f), err) < 0)
		return NULL;
	auto_layer_tree struct layer_tree *t = layer_tree_new();
	if (layer_tree_apply(t, TAKE_FD(tar), err) < 0)
		return NULL;
	return TAKE(t);
}

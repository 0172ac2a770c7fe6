// SPDX-License-Identifier: Apache-2.0
/*
 * A tar from outside as an EROFS index, of the layer over a small tree and of the merged tree:
 * refused, or well formed, with every name of the tree in it, and the same bytes when it is made
 * again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "tests/fuzz/fuzztar.h"
#include "tests/unit/erofs_check.h"
#include "store/erofs/erofs.h"
#include "store/tar/entry.h"
#include "store/tar/write.h"
#include "store/tree/tree.h"

#define INDEX_ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int base_tar(void)
{
	static const struct layer_xattr x = {"user.x", "value", 5};
	static const struct layer_entry e[] = {
		{.path = "a", .type = LAYER_DIR, .mode = 0755, .xattrs = &x, .nxattrs = 1},
		{.path = "a/b", .type = LAYER_DIR, .mode = 0755},
		{.path = "a/b/c",
			.type = LAYER_FILE,
			.size = 5,
			.source = LAYER_DATA_MEM,
			.mem = "hello"},
		{.path = "a/h", .type = LAYER_HARDLINK, .link = "a/b/c"},
		{.path = "a/l", .type = LAYER_SYMLINK, .link = "/a/b"},
		{.path = "d", .type = LAYER_SYMLINK, .link = "a/../x"},
		{.path = "f", .type = LAYER_FILE, .uid = 70000},
	};
	struct buf b;
	buf_init(&b, 1 << 20);
	struct layer_writer *w = layer_writer_new((struct io_writer){.write = to_buf, .ctx = &b});
	for (size_t i = 0; i < sizeof e / sizeof *e; i++)
		must(layer_writer_add(w, &e[i], NULL) == 0);
	must(layer_writer_finish(w, NULL) == 0);
	layer_writer_free(w);
	int fd = fd_of(b.data, b.len);
	buf_clear(&b);
	return fd;
}

static size_t names(const struct layer_node *n)
{
	size_t sum = 1;
	for (size_t i = 0; i < layer_node_nchildren(n); i++)
		sum += names(layer_node_child(n, i));
	return sum;
}

/* The index of a layer (tar >= 0) over t, or of t itself. */
static int make(int tar, const struct layer_tree *t, struct buf *out)
{
	struct layer_erofs_made m = {0};
	struct err *err = NULL;
	struct io_writer w = {.write = to_buf, .ctx = out};
	buf_init(out, INDEX_ROOM);
	int rc = tar >= 0 ? layer_erofs_layer(tar, t, NULL, w, &m, &err)
			  : layer_erofs_tree(t, w, &m, &err);
	must((rc < 0) == (err != NULL));
	err_free(err);
	if (rc == 0) {
		size_t seen = 0;
		must(m.size == out->len);
		const char *bad = index_check(
			(const unsigned char *)out->data, out->len, m.fds, m.nfds, &seen);
		if (bad)
			fprintf(stderr, "%s\n", bad);
		must(!bad && (tar >= 0 || seen == names(layer_tree_root(t))));
	}
	layer_erofs_made_clear(&m);
	return rc;
}

static void twice(int tar, const struct layer_tree *t)
{
	struct buf a, b;
	int rc = make(tar, t, &a);
	must(make(tar, t, &b) == rc);
	must(rc < 0 || (a.len == b.len && memcmp(a.data, b.data, a.len) == 0));
	buf_clear(&a);
	buf_clear(&b);
}

static void one(const uint8_t *data, size_t size)
{
	int tar = fd_of(data, size);
	struct layer_tree *t = layer_tree_new();
	twice(tar, NULL);
	must(layer_tree_apply(t, base_tar(), NULL) == 0);
	twice(tar, t);
	layer_tree_apply(t, tar, NULL);
	twice(-1, t);
	layer_tree_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_dup(data, size);
	repair(copy, size);
	one(copy, size);
	free(copy);
	return 0;
}

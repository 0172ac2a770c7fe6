// SPDX-License-Identifier: Apache-2.0
/*
 * A tar from outside: walked, merged over a small tree, written again. What was accepted must be
 * clean, must be found in the tree, and must read the same after writing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "tests/fuzz/fuzztar.h"
#include "store/tar/entry.h"
#include "store/tar/retime.h"
#include "store/tar/walk.h"
#include "store/tar/write.h"
#include "store/tree/tree.h"

#define SMALL ((uint64_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(const char *path)
{
	must(path[0] != '/' && strlen(path) <= LAYER_PATH_MAX);
	for (const char *p = path; *p;) {
		size_t k = strcspn(p, "/");
		must(k > 0 && !(k == 1 && p[0] == '.') && !(k == 2 && p[0] == '.' && p[1] == '.'));
		p += k + (p[k] == '/');
		must(*p || p[-1] != '/');
	}
}

/* A digest of all entries; -1 when the tar is refused. *bytes: what writing it would take. */
static int walk(int fd, uint64_t size, struct digest *sum, uint64_t *bytes)
{
	struct sha256 s;
	const struct layer_entry *e;
	struct err *err = NULL;
	int rc;
	sha256_init(&s);
	struct layer_walk *w = layer_walk_new(fd, size);
	while ((rc = layer_walk_next(w, &e, &err)) > 0) {
		clean(e->path);
		must(!e->link || *e->link);
		must(e->nxattrs <= LAYER_XATTRS_MAX && e->size <= LAYER_SIZE_MAX);
		for (size_t i = 0; i < e->nextents; i++)
			must(e->extents[i].data + e->extents[i].len <= size);
		must(e->extents || e->source == LAYER_NO_DATA || e->data_off + e->size <= size);
		*bytes += e->size;
		sha256_field_str(&s, e->path);
		sha256_field_str(&s, e->link);
		sha256_field_u64(&s, (uint64_t)e->type << 32 | e->mode);
		sha256_field_u64(&s, (uint64_t)e->uid << 32 | e->gid);
		sha256_field_u64(&s, (uint64_t)e->mtime);
		sha256_field_u64(&s, e->size);
		sha256_field_u64(&s, (uint64_t)e->dev_major << 32 | e->dev_minor);
	}
	must((rc < 0) == (err != NULL));
	err_free(err);
	layer_walk_free(w);
	sha256_final(&s, sum);
	return rc;
}

/* Each node is where its path says; children are in order. */
static void check_node(const struct layer_tree *t, struct layer_node *n)
{
	struct layer_entry e;
	layer_node_entry(n, &e);
	clean(e.path);
	char *path = mem_strdup(e.path);
	must(layer_tree_lookup(t, path, false, NULL, NULL) == n);
	free(path);
	for (size_t i = 0; i < layer_node_nchildren(n); i++) {
		struct layer_node *c = layer_node_child(n, i);
		must(i == 0 || strcmp(layer_node_name(layer_node_child(n, i - 1)),
				       layer_node_name(c)) < 0);
		check_node(t, c);
	}
}

static int apply_entries(struct layer_tree *t, const struct layer_entry *e, size_t n)
{
	struct buf b;
	buf_init(&b, SMALL);
	struct layer_writer *w = layer_writer_new((struct io_writer){.write = to_buf, .ctx = &b});
	for (size_t i = 0; i < n; i++)
		must(layer_writer_add(w, &e[i], NULL) == 0);
	must(layer_writer_finish(w, NULL) == 0);
	layer_writer_free(w);
	int rc = layer_tree_apply(t, fd_of(b.data, b.len), NULL);
	buf_clear(&b);
	return rc;
}

static struct layer_tree *base(void)
{
	static const struct layer_entry e[] = {
		{.path = "a", .type = LAYER_DIR, .mode = 0755},
		{.path = "a/b", .type = LAYER_DIR, .mode = 0755},
		{.path = "a/b/c", .type = LAYER_FILE},
		{.path = "a/l", .type = LAYER_SYMLINK, .link = "/a/b"},
		{.path = "d", .type = LAYER_SYMLINK, .link = "a/../x"},
		{.path = "f", .type = LAYER_FILE},
	};
	struct layer_tree *t = layer_tree_new();
	must(apply_entries(t, e, sizeof e / sizeof *e) == 0);
	return t;
}

static void one(const uint8_t *data, size_t size)
{
	struct digest first, second;
	uint64_t bytes = 0, again = 0;
	struct buf b;
	int fd = fd_of(data, size);
	struct layer_tree *t = base();

	int rc = walk(fd, size, &first, &bytes);
	int applied = layer_tree_apply(t, dup(fd), NULL);
	must(rc == 0 || applied < 0);
	check_node(t, layer_tree_root(t));
	layer_tree_free(t);

	buf_init(&b, 4 * SMALL);
	if (rc == 0 && bytes < SMALL) {
		struct io_writer w = {.write = to_buf, .ctx = &b};
		if (layer_retime(fd, INT64_MAX, false, w, NULL) == 0) {
			int out = fd_of(b.data, b.len);
			must(walk(out, b.len, &second, &again) == 0);
			must(sha256_equal(&first, &second));
			t = base();
			must((layer_tree_apply(t, out, NULL) < 0) == (applied < 0));
			layer_tree_free(t);
		}
	}
	buf_clear(&b);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(data, size);
	uint8_t *copy = mem_dup(data, size);
	if (repair(copy, size))
		one(copy, size);
	free(copy);
	return 0;
}

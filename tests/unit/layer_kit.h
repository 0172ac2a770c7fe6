/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of layers share: tars in memory files, raw headers, listings as text. */
#ifndef BLD_TESTS_UNIT_LAYER_KIT_H
#define BLD_TESTS_UNIT_LAYER_KIT_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"
#include "store/tar/walk.h"
#include "store/tar/write.h"
#include "store/tree/tree.h"

#define KIT __attribute__((unused)) static

#define assert_ok(call)                                                                            \
	do {                                                                                       \
		struct err *kit_err = NULL;                                                        \
		struct err **err = &kit_err;                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, kit_err ? err_text(kit_err) : "no text");        \
		assert_null(kit_err);                                                              \
	} while (0)

/* The call fails with this kind and a text that contains `part`. */
#define assert_fails(call, kind, part)                                                             \
	do {                                                                                       \
		struct err *kit_err = NULL;                                                        \
		struct err **err = &kit_err;                                                       \
		if ((call) >= 0)                                                                   \
			fail_msg("%s did not fail", #call);                                        \
		assert_non_null(kit_err);                                                          \
		if (!strstr(err_text(kit_err), part) || err_get_kind(kit_err) != (kind))           \
			fail_msg("kind %d: %s", err_get_kind(kit_err), err_text(kit_err));         \
		err_free(kit_err);                                                                 \
	} while (0)

KIT int kit_memfd(void)
{
	int fd = memfd_create("kit", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

KIT int kit_write_fd(void *ctx, const void *p, size_t n, struct err **err)
{
	return fs_write_all(*(int *)ctx, p, n) ? err_sys(err, "test file") : 0;
}

KIT struct io_writer kit_writer(int *fd)
{
	return (struct io_writer){.write = kit_write_fd, .ctx = fd};
}

/* A directory of ours with an absolute name; fs_remove_tree wants its parent. */
KIT void kit_remove(const char *dir)
{
	char *parent = mem_strndup(dir, (size_t)(strrchr(dir, '/') - dir));
	int fd = open(parent, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fs_remove_tree(fd, strrchr(dir, '/') + 1), 0);
	close(fd);
	free(parent);
}

KIT uint64_t kit_size(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

KIT int kit_fd_of(const void *p, size_t n)
{
	int fd = kit_memfd();
	assert_int_equal(fs_write_all(fd, p, n), 0);
	return fd;
}

/* Entries as given, in this order, through the writer. */
KIT int kit_tar(const struct layer_entry *e, size_t n)
{
	int fd = kit_memfd();
	struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	for (size_t i = 0; i < n; i++)
		assert_ok(layer_writer_add(w, &e[i], err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	return fd;
}
#define KIT_TAR(...)                                                                               \
	kit_tar((const struct layer_entry[]){__VA_ARGS__},                                         \
		sizeof((const struct layer_entry[]){__VA_ARGS__}) / sizeof(struct layer_entry))

#define DIR_(p)                                                                                    \
	{                                                                                          \
		.path = (p), .type = LAYER_DIR, .mode = 0755, .mtime = 1000                        \
	}
#define FILE_(p, text)                                                                             \
	{                                                                                          \
		.path = (p), .type = LAYER_FILE, .mode = 0644, .mtime = 1000,                      \
		.size = strlen(text), .source = LAYER_DATA_MEM, .mem = (text)                      \
	}
#define LINK_(p, to)                                                                               \
	{                                                                                          \
		.path = (p), .type = LAYER_SYMLINK, .mode = 0777, .link = (to), .mtime = 1000      \
	}
#define HARD_(p, to)                                                                               \
	{                                                                                          \
		.path = (p), .type = LAYER_HARDLINK, .mode = 0644, .link = (to), .mtime = 1000     \
	}
#define WH_(p)                                                                                     \
	{                                                                                          \
		.path = (p), .type = LAYER_WHITEOUT                                                \
	}
#define OPQ_(p)                                                                                    \
	{                                                                                          \
		.path = (p), .type = LAYER_OPAQUE                                                  \
	}

/* A raw header as any tar might have it, then its content padded. */
KIT void kit_raw(
	struct buf *b, const char *name, char type, const char *link, const char *content, size_t n)
{
	unsigned char h[512] = {0};
	unsigned sum = 0;
	memcpy(h, name, strnlen(name, 100));
	memcpy(h + 100, "0000644", 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	snprintf((char *)h + 124, 12, "%011zo", n);
	memcpy(h + 136, "00000001750", 12);
	memset(h + 148, ' ', 8);
	h[156] = (unsigned char)type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	buf_add(b, h, sizeof h);
	if (n)
		buf_add(b, content, n);
	while (b->len % 512)
		buf_addc(b, 0);
}

KIT void kit_end(struct buf *b)
{
	for (int i = 0; i < 1024; i++)
		buf_addc(b, 0);
}

KIT char *kit_pax(char out[5000], const char *key, const char *value)
{
	size_t body = strlen(key) + strlen(value) + 3, digits = 1;
	for (size_t limit = 10; body + digits >= limit; limit *= 10)
		digits++;
	snprintf(out, 5000, "%zu %s=%s\n", body + digits, key, value);
	return out;
}

KIT const char *kit_type(enum layer_type t)
{
	static const char *const names[] = {
		"file", "dir", "symlink", "link", "char", "block", "fifo", "whiteout", "opaque"};
	return names[t];
}

KIT void kit_line(struct buf *b, const struct layer_entry *e)
{
	buf_addf(b, "%s %s %o %u:%u %lld", kit_type(e->type), *e->path ? e->path : ".", e->mode,
		e->uid, e->gid, (long long)e->mtime);
	if (e->type == LAYER_FILE)
		buf_addf(b, " %llu", (unsigned long long)e->size);
	if (e->type == LAYER_CHAR || e->type == LAYER_BLOCK)
		buf_addf(b, " %u,%u", e->dev_major, e->dev_minor);
	if (e->link)
		buf_addf(b, " -> %s", e->link);
	for (size_t i = 0; i < e->nxattrs; i++)
		buf_addf(b, " %s=%zu", e->xattrs[i].name, e->xattrs[i].len);
	if (e->type == LAYER_FILE && e->source == LAYER_DATA_FD && e->size <= 64 && !e->extents) {
		char text[65] = {0};
		assert_int_equal(fs_pread_all(e->fd, text, (size_t)e->size, e->data_off), 0);
		buf_addf(b, " \"%s\"", text);
	}
	buf_addc(b, '\n');
}

/* The entries of a tar, a line each; owned. */
KIT char *kit_list(int fd)
{
	struct buf b;
	const struct layer_entry *e;
	struct err *e2 = NULL;
	int rc;
	buf_init(&b, BUF_TEXT_MAX);
	struct layer_walk *w = layer_walk_new(fd, kit_size(fd));
	while ((rc = layer_walk_next(w, &e, &e2)) > 0)
		kit_line(&b, e);
	layer_walk_free(w);
	if (rc < 0)
		buf_addf(&b, "error %d: %s\n", err_get_kind(e2), err_text(e2));
	err_free(e2);
	return buf_take(&b);
}

KIT void kit_tree_lines(struct buf *b, const struct layer_node *n)
{
	struct layer_entry e;
	layer_node_entry(n, &e);
	kit_line(b, &e);
	for (size_t i = 0; i < layer_node_nchildren(n); i++)
		kit_tree_lines(b, layer_node_child(n, i));
}

/* A merged tree, a line each node; owned. */
KIT char *kit_tree(const struct layer_tree *t)
{
	struct buf b;
	buf_init(&b, BUF_TEXT_MAX);
	kit_tree_lines(&b, layer_tree_root(t));
	return buf_take(&b);
}

KIT void assert_text(char *take_got, const char *want)
{
	if (strcmp(take_got, want) != 0)
		fail_msg("got:\n%swant:\n%s", take_got, want);
	free(take_got);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Random layers of all features, from a seed: each entry is one that the stack below accepts. */
#ifndef BLD_TESTS_UNIT_EROFS_RANDOM_H
#define BLD_TESTS_UNIT_EROFS_RANDOM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/erofs_kit.h"

#include "store/base/mem.h"
#include "store/tree/node.h"

#define RANDOM_PATHS 256

struct random_layers {
	uint64_t state;
	char *paths[RANDOM_PATHS]; /* owned; names that were used in this stack */
	size_t npaths;
	char text[40000];
};

KIT uint64_t random_next(struct random_layers *r)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	uint64_t x = r->state ^ r->state >> 33;
	x *= 0xff51afd7ed558ccdu;
	return x ^ x >> 29;
}

KIT uint64_t random_below(struct random_layers *r, uint64_t n)
{
	return random_next(r) % n;
}

#define RANDOM_OF(r, ...)                                                                          \
	((const int64_t[]){__VA_ARGS__}[random_below(                                              \
		r, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))])

KIT void random_start(struct random_layers *r, uint64_t seed)
{
	memset(r, 0, sizeof *r);
	r->state = seed * 0x9e3779b97f4a7c15u + 1;
	for (size_t i = 0; i < sizeof r->text; i++)
		r->text[i] = (char)random_below(r, 256);
}

KIT void random_end(struct random_layers *r)
{
	for (size_t i = 0; i < r->npaths; i++)
		free(r->paths[i]);
}

KIT void random_name(struct random_layers *r, char out[256])
{
	static const char *const some[] = {"a", "b", "c", "d", "e", "usr", "lib", "bin", "a.b",
		"!x", "#", "-", "...", "..a", ".-", ".a", " ", "\xff\xfe", "\xc3\xa9", "A", "a\n",
		"x=y", "+,", "~"};
	size_t n;
	switch (random_below(r, 12)) {
	case 0:
		n = (size_t)RANDOM_OF(r, 254, 255, 200, 100);
		memset(out, 'L', n);
		out[n - 1] = (char)('a' + random_below(r, 3));
		out[n] = 0;
		break;
	case 1:
	case 2:
		snprintf(out, 256, "n%llu", (unsigned long long)random_below(r, 1000));
		break;
	default:
		snprintf(out, 256, "%s", some[random_below(r, ARRAY_LEN(some))]);
	}
}

KIT const char *random_known(struct random_layers *r)
{
	return r->npaths ? r->paths[random_below(r, r->npaths)] : "a";
}

KIT void random_path(struct random_layers *r, char out[1024])
{
	char name[256];
	size_t depth = random_below(r, 3);
	if (random_below(r, 3) == 0) {
		snprintf(out, 1024, "%s", random_known(r));
		return;
	}
	out[0] = 0;
	if (random_below(r, 3) && strlen(random_known(r)) < 500)
		snprintf(out, 1024, "%.500s", random_known(r));
	for (size_t i = 0; !*out || i < depth; i++) {
		if (strlen(out) > 600)
			break;
		random_name(r, name);
		size_t n = strlen(out);
		snprintf(out + n, 1024 - n, "%s%s", n ? "/" : "", name);
		if (i >= depth)
			break;
	}
}

KIT size_t random_xattrs(struct random_layers *r, struct layer_xattr x[8], char names[8][200])
{
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 4};
	size_t n = random_below(r, 4) ? 0 : 1 + random_below(r, 4);
	for (size_t i = 0; i < n; i++) {
		size_t pad = (size_t)RANDOM_OF(r, 0, 1, 2, 3, 150);
		snprintf(names[i], 200, "user.%zu%.*s", i, (int)pad,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxx");
		x[i] = (struct layer_xattr){names[i], r->text + random_below(r, 100),
			(size_t)RANDOM_OF(r, 0, 1, 2, 3, 4, 100, 450, 512, 1500)};
	}
	if (n && random_below(r, 3) == 0)
		x[n++] = (struct layer_xattr){"security.capability", caps, sizeof caps};
	return n;
}

struct random_scratch {
	char path[1024];
	char link[5000];
	struct layer_xattr xattrs[8];
	char names[8][200];
};

KIT void random_link(struct random_layers *r, struct random_scratch *s)
{
	size_t n = (size_t)RANDOM_OF(r, 1, 440, 447, 448, 449, 475, 480, 481, 511, 512, 513, 1100);
	switch (random_below(r, 4)) {
	case 0:
		for (size_t i = 0; i < n; i++)
			s->link[i] = i % 100 == 99 ? '/' : 'x';
		s->link[n] = 0;
		break;
	case 1:
		snprintf(s->link, sizeof s->link, "/%s", random_known(r));
		break;
	case 2:
		snprintf(s->link, sizeof s->link, "../%s", random_known(r));
		break;
	default:
		random_name(r, s->link);
	}
}

KIT void random_entry(struct random_layers *r, struct random_scratch *s, struct layer_entry *e)
{
	static const enum layer_type types[] = {LAYER_FILE, LAYER_FILE, LAYER_FILE, LAYER_FILE,
		LAYER_FILE, LAYER_FILE, LAYER_DIR, LAYER_DIR, LAYER_DIR, LAYER_SYMLINK,
		LAYER_SYMLINK, LAYER_HARDLINK, LAYER_HARDLINK, LAYER_CHAR, LAYER_BLOCK, LAYER_FIFO,
		LAYER_FILE, LAYER_FILE, LAYER_DIR, LAYER_HARDLINK, LAYER_WHITEOUT, LAYER_WHITEOUT,
		LAYER_OPAQUE};

	random_path(r, s->path);
	*e = (struct layer_entry){
		.path = s->path, .type = types[random_below(r, ARRAY_LEN(types))], .fd = -1};
	if (e->type == LAYER_DIR && random_below(r, 20) == 0)
		s->path[0] = 0;
	if (e->type == LAYER_WHITEOUT || e->type == LAYER_OPAQUE) {
		snprintf(s->path, sizeof s->path, "%s", random_known(r));
		return;
	}
	e->mode = (uint32_t)random_below(r, 2) ? 0755 : (uint32_t)random_below(r, 010000);
	e->uid = (uint32_t)RANDOM_OF(r, 0, 0, 0, 1000, 65535, 65536, 4294967294);
	e->gid = (uint32_t)RANDOM_OF(r, 0, 0, 0, 1000, 65535, 65536, 4294967294);
	e->mtime = RANDOM_OF(r, 1700000000, 1700000000, 1700000000, 0, -1, -99999999999, 2147483648,
		17179869183, 253402300800);
	if (e->type == LAYER_FILE) {
		e->size = (uint64_t)RANDOM_OF(r, 0, 1, 511, 512, 513, 1024, 3000, 5000);
		e->source = LAYER_DATA_MEM;
		e->mem = r->text + random_below(r, 10000);
	}
	if (e->type == LAYER_FILE || e->type == LAYER_DIR) {
		e->xattrs = s->xattrs;
		e->nxattrs = random_xattrs(r, s->xattrs, s->names);
	}
	if (e->type == LAYER_SYMLINK) {
		random_link(r, s);
		e->link = s->link;
	} else if (e->type == LAYER_HARDLINK) {
		e->link = random_known(r);
	} else if (e->type == LAYER_CHAR || e->type == LAYER_BLOCK) {
		e->dev_major = (uint32_t)RANDOM_OF(r, 1, 8, 255, 256, 4095);
		e->dev_minor = (uint32_t)RANDOM_OF(r, 0, 3, 255, 256, 1048575);
	}
}

/* An octal field of a header. */
KIT void random_octal(struct buf *b, size_t header, size_t at, uint64_t v)
{
	char text[16];
	snprintf(text, sizeof text, "%011llo", (unsigned long long)v);
	memcpy(b->data + header + at, text, 12);
}

/* Old GNU sparse member: pieces of units of `unit` bytes with holes between. */
KIT void random_sparse(struct random_layers *r, struct buf *b, const char *path)
{
	uint64_t unit = (uint64_t)RANDOM_OF(r, 512, 512, 4096, 1000), off = 0, stored = 0;
	static const char no_link[101];
	size_t header = b->len, n = random_below(r, 4);
	uint64_t offs[4], lens[4];
	for (size_t i = 0; i < n; i++) {
		offs[i] = off + unit * random_below(r, 3);
		lens[i] = unit * (1 + random_below(r, 2));
		off = offs[i] + lens[i];
		stored += lens[i];
	}
	uint64_t size = off + (random_below(r, 2) ? 0 : random_below(r, 9000));
	kit_raw(b, path, 'S', no_link, r->text, stored);
	for (size_t i = 0; i < n; i++) {
		random_octal(b, header, 386 + 24 * i, offs[i]);
		random_octal(b, header, 398 + 24 * i, lens[i]);
	}
	random_octal(b, header, 483, size);
	unsigned char *h = (unsigned char *)b->data + header;
	unsigned sum = 8 * ' ';
	memcpy(h + 257, "ustar  ", 8);
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

KIT int random_to_buf(void *ctx, const void *p, size_t n, struct err **err)
{
	(void)err;
	return buf_add(ctx, p, n);
}

KIT void random_used(struct random_layers *r, const char *path)
{
	if (r->npaths < RANDOM_PATHS && strlen(path) < 700)
		r->paths[r->npaths++] = mem_strdup(path);
}

/* The bytes of one more layer of up to `most` entries; b is initialised here. */
KIT void random_layer(
	struct random_layers *r, const struct layer_tree *below, size_t most, struct buf *b)
{
	struct random_scratch *s = mem_alloc(sizeof *s);
	struct layer_delta d;
	struct layer_entry e;

	buf_init(b, 16 << 20);
	layer_delta_init(&d, below, NULL);
	struct layer_writer *w =
		layer_writer_new((struct io_writer){.write = random_to_buf, .ctx = b});
	for (size_t i = random_below(r, most) + 1; i; i--) {
		random_entry(r, s, &e);
		if (e.link && (!*e.link || strcmp(e.link, e.path) == 0))
			continue;
		if (layer_delta_add(&d, &e, NULL))
			continue;
		random_used(r, e.path);
		if (e.type == LAYER_FILE && strlen(e.path) < 100 && random_below(r, 6) == 0)
			random_sparse(r, b, e.path);
		else
			assert_ok(layer_writer_add(w, &e, err));
	}
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	layer_delta_clear(&d);
	free(s);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Generated layers: mounted indexes equal unpacked layers, alone and stacked; corrupted tars are
 * refused, or give an index that is well formed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/erofs/erofs.h"
#include "store/tree/tree.h"
#include "tests/unit/erofs_random.h"

#define TARS    300
#define CORRUPT 10000
#define BASES   64

static void test_generated(void **state)
{
	struct world *w = *state;
	size_t names = 0, refused = 0;
	NEEDS_EROFS(w);
	struct random_layers *r = mem_alloc(sizeof *r);
	for (size_t made = 0, seed = 1; made < TARS; seed++) {
		struct stack s = {0};
		random_start(r, seed);
		size_t layers = 3 + random_below(r, 3);
		while (s.n < layers) {
			struct buf b;
			random_layer(r, s.n ? s.below[s.n] : NULL, 150, &b);
			int tar = kit_fd_of(b.data, b.len);
			buf_clear(&b);
			/* What a refused entry left in the generator may be missing in the tar. */
			struct layer_tree *t = layer_tree_new();
			int rc = 0;
			for (size_t k = 0; k < s.n; k++)
				rc |= layer_tree_apply(t, dup(s.tar[k]), NULL);
			rc |= layer_tree_apply(t, dup(tar), NULL);
			layer_tree_free(t);
			if (rc) {
				refused++;
				close(tar);
				continue;
			}
			stack_add(w, &s, tar);
			made++;
		}
		names += stack_finish(w, &s);
		random_end(r);
	}
	print_message("%zu names in merged trees, %zu tars generated again\n", names, refused);
	assert_true(names > 3000);
	free(r);
}

/* --- corrupted tars -------------------------------------------------------------------------- */

/* Memory that takes so much and then fails, as a full disk does. */
struct sink {
	struct buf b;
};

static int to_sink(void *ctx, const void *p, size_t n, struct err **err)
{
	struct sink *s = ctx;
	return buf_add(&s->b, p, n) ? err_set(err, ERR_SYS, "full") : 0;
}

static void check_sink(struct sink *s, int rc, struct err *e, struct layer_erofs_made *m)
{
	assert_int_equal(rc < 0, e != NULL);
	if (rc == 0) {
		size_t names;
		assert_int_equal(s->b.len, m->size);
		const char *bad = index_check(
			(const unsigned char *)s->b.data, s->b.len, m->fds, m->nfds, &names);
		if (bad)
			fail_msg("%s", bad);
	}
	err_free(e);
	layer_erofs_made_clear(m);
	buf_clear(&s->b);
}

/* 1 when the tar was accepted as a layer. */
static int try_tar(struct random_layers *r, int tar, int base_tar, const struct layer_tree *base)
{
	struct layer_erofs_made m = {0};
	struct err *e = NULL;
	struct sink s;
	size_t room = random_below(r, 50) ? 64 << 20 : random_below(r, 70000);
	buf_init(&s.b, room);
	struct io_writer out = {.write = to_sink, .ctx = &s};
	int rc = layer_erofs_layer(tar, base, NULL, out, &m, &e);
	check_sink(&s, rc, e, &m);

	struct layer_tree *t = layer_tree_new();
	e = NULL;
	if (base)
		assert_ok(layer_tree_apply(t, dup(base_tar), err));
	layer_tree_apply(t, dup(tar), NULL);
	buf_init(&s.b, room);
	int merged = layer_erofs_tree(t, out, &m, &e);
	check_sink(&s, merged, e, &m);
	layer_tree_free(t);
	return rc == 0;
}

static void repair_sum(unsigned char *h)
{
	unsigned sum = 8 * ' ';
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

/* One change; headers get a right sum half of the time, so that what is behind it is reached. */
static void corrupt(struct random_layers *r, struct buf *b, const struct buf *other)
{
	size_t blocks = b->len / 512, at = random_below(r, blocks) * 512;
	unsigned char *p = (unsigned char *)b->data;
	for (int tries = 0; tries < 20 && memcmp(p + at + 257, "ustar", 5) != 0; tries++)
		at = random_below(r, blocks) * 512;
	switch (random_below(r, 6)) {
	case 0:
		b->len = random_below(r, b->len + 1);
		return;
	case 1:
		memcpy(p + at, other->data + random_below(r, other->len / 512) * 512, 512);
		break;
	case 2:
		p[random_below(r, b->len)] ^= (unsigned char)(1u << random_below(r, 8));
		return;
	case 3: {
		static const unsigned fields[] = {
			100, 108, 116, 124, 136, 156, 157, 257, 329, 337, 386, 398, 483};
		p[at + fields[random_below(r, ARRAY_LEN(fields))] + random_below(r, 11)] =
			(unsigned char)RANDOM_OF(r, '0', '7', 0, 0x80, 0xff, ' ', '9');
		break;
	}
	case 4:
		p[at + 156] =
			(unsigned char)RANDOM_OF(r, '0', '1', '2', '3', '5', 'S', 'x', 'L', 0);
		break;
	default:
		p[at + random_below(r, 512)] ^= (unsigned char)(1u << random_below(r, 8));
	}
	if (random_below(r, 4))
		repair_sum(p + at);
}

static void test_corrupted(void **state)
{
	struct random_layers *r = mem_alloc(sizeof *r);
	struct buf bases[BASES];
	int lower[BASES];
	struct layer_tree *below[BASES];
	size_t accepted = 0;
	(void)state;
	for (size_t i = 0; i < BASES; i++) {
		struct buf b;
		random_start(r, 1000 + i);
		do {
			random_layer(r, NULL, 40, &b);
			lower[i] = kit_fd_of(b.data, b.len);
			buf_clear(&b);
			below[i] = layer_tree_new();
		} while (layer_tree_apply(below[i], dup(lower[i]), NULL) &&
			 (close(lower[i]), layer_tree_free(below[i]), 1));
		random_layer(r, below[i], 30, &bases[i]);
		random_end(r);
	}
	random_start(r, 77);
	for (size_t i = 0; i < CORRUPT; i++) {
		size_t k = random_below(r, BASES);
		bool alone = random_below(r, 3) == 0;
		struct buf b;
		buf_init(&b, 64 << 20);
		buf_add(&b, bases[k].data, bases[k].len);
		for (size_t n = 1 + random_below(r, 3); n && b.len >= 512; n--)
			corrupt(r, &b, &bases[random_below(r, BASES)]);
		int tar = kit_fd_of(b.data, b.len);
		accepted += (size_t)try_tar(r, tar, lower[k], alone ? NULL : below[k]);
		close(tar);
		buf_clear(&b);
	}
	print_message("%zu of %d corrupted tars accepted\n", accepted, CORRUPT);
	assert_true(accepted > CORRUPT / 50 && accepted < CORRUPT);
	for (size_t i = 0; i < BASES; i++) {
		buf_clear(&bases[i]);
		layer_tree_free(below[i]);
		close(lower[i]);
	}
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_corrupted),
	};
	return cmocka_run_group_tests(tests, world_up, world_down);
}

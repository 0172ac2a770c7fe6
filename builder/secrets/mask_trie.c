// SPDX-License-Identifier: Apache-2.0
/*
 * Aho-Corasick over the values of secrets. Nodes lie in one mapping that no core dump has and that
 * is wiped, since they spell the secrets. Links are made level by level, so a node's tail is
 * complete when it is needed.
 */
#include "builder/secrets/mask_trie.h"

#include <string.h>
#include <sys/mman.h>

#include "store/base/cleanup.h"
#include "store/base/mem.h"

int mask_trie_init(struct mask_trie *t, size_t cap)
{
	*t = (struct mask_trie){.cap = cap + 1, .n = 1};
	t->mapped = t->cap * sizeof *t->v;
	t->v = mmap(NULL, t->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->v == MAP_FAILED) {
		t->v = NULL;
		return -1;
	}
	madvise(t->v, t->mapped, MADV_DONTDUMP);
	t->v[0].value = -1;
	return 0;
}

bool mask_trie_add(struct mask_trie *t, const unsigned char *p, size_t n, int value)
{
	uint32_t at = 0;

	if (n == 0 || n > UINT16_MAX || n > t->cap - t->n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t to = mask_trie_child(t, at, p[i]);
		if (!to) {
			to = (uint32_t)t->n++;
			t->v[to] = (struct mask_node){
				.byte = p[i], .depth = (uint16_t)(i + 1), .value = -1};
			if (at) {
				t->v[to].next = t->v[at].child;
				t->v[at].child = to;
			} else {
				t->root[p[i]] = to;
			}
		}
		at = to;
	}
	t->v[at].match = (uint16_t)n;
	if (t->v[at].value < 0)
		t->v[at].value = (int16_t)value;
	return true;
}

/* Level by level; a node's own pattern is longer than any that ends in its tail. */
static void link_node(struct mask_trie *t, uint32_t parent, uint32_t k)
{
	struct mask_node *x = &t->v[k];

	x->fail = parent ? mask_trie_step(t, t->v[parent].fail, x->byte) : 0;
	const struct mask_node *tail = &t->v[x->fail];
	if (!x->match)
		x->match = tail->match;
	if (x->value < 0)
		x->value = tail->value;
}

void mask_trie_link(struct mask_trie *t)
{
	auto_free uint32_t *queue = mem_array(t->n, sizeof *queue);
	size_t head = 0, tail = 0;

	for (int c = 0; c < 256; c++) {
		if (!t->root[c])
			continue;
		link_node(t, 0, t->root[c]);
		queue[tail++] = t->root[c];
	}
	while (head < tail) {
		uint32_t at = queue[head++];
		for (uint32_t k = t->v[at].child; k; k = t->v[k].next) {
			link_node(t, at, k);
			queue[tail++] = k;
		}
	}
}

void mask_trie_clear(struct mask_trie *t)
{
	if (!t->v)
		return;
	explicit_bzero(t->v, t->n * sizeof *t->v);
	munmap(t->v, t->mapped);
	*t = (struct mask_trie){0};
}

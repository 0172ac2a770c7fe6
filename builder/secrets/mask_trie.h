/* SPDX-License-Identifier: Apache-2.0 */
/* The automaton of mask.h. */
#ifndef BLD_BUILDER_SECRETS_MASK_TRIE_H
#define BLD_BUILDER_SECRETS_MASK_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Children are a list: most nodes have one. Node 0 is the root; 0 as a link is none. */
struct mask_node {
	uint32_t child;
	uint32_t next; /* sibling */
	uint32_t fail; /* the longest end of what led here that begins a pattern */
	uint16_t depth;
	uint16_t match; /* length of the longest pattern that ends here, 0 = none */
	int16_t value;  /* a whole value that ends here, or -1 */
	unsigned char byte;
};

struct mask_trie {
	struct mask_node *v; /* owned; mapped */
	size_t n;
	size_t cap;
	size_t mapped;
	uint32_t root[256];
};

/* At most cap nodes, in memory that is in no core dump. 0 / -1 */
int mask_trie_init(struct mask_trie *t, size_t cap);
/* value -1: a part of one. False when there is no room: then nothing is added. n <= UINT16_MAX. */
bool mask_trie_add(struct mask_trie *t, const unsigned char *p, size_t n, int value);
/* After the last pattern. */
void mask_trie_link(struct mask_trie *t);
void mask_trie_clear(struct mask_trie *t); /* wipes */

static inline uint32_t mask_trie_child(const struct mask_trie *t, uint32_t at, unsigned char c)
{
	uint32_t k = at ? t->v[at].child : t->root[c];

	while (at && k && t->v[k].byte != c)
		k = t->v[k].next;
	return k;
}

static inline uint32_t mask_trie_step(const struct mask_trie *t, uint32_t at, unsigned char c)
{
	for (;;) {
		uint32_t to = mask_trie_child(t, at, c);
		if (to || !at)
			return to;
		at = t->v[at].fail;
	}
}

#endif

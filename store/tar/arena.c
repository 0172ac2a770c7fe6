// SPDX-License-Identifier: Apache-2.0
/*
 * The arena of trees and lists, and the keyed hash of their tables. Chunks double up to 1 MiB, so
 * that a tree of three files stays small and one of a million takes few calls of malloc. What is
 * beyond LARGE comes in pieces that are no anonymous memory (bulk.h).
 */
#include "store/tar/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store/base/bulk.h"
#include "store/tar/entry.h"

#define CHUNK_MIN   ((size_t)4 << 10)
#define CHUNK_MAX   ((size_t)1 << 20)
#define LARGE       ((size_t)16 << 20)
#define CHUNK_LARGE ((size_t)8 << 20)

struct layer_arena_chunk {
	struct layer_arena_chunk *next;
	size_t used;
	size_t size;
	size_t pad; /* data is 16-byte aligned */
	unsigned char data[];
};

static struct layer_arena_chunk *chunk_new(struct layer_arena *a, size_t size)
{
	struct layer_arena_chunk *c = bulk_alloc(sizeof *c + size);
	c->size = size;
	a->total += size;
	return c;
}

void *layer_arena_alloc(struct layer_arena *a, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	struct layer_arena_chunk *c = a->head;
	if (c && c->size - c->used >= n) {
		c->used += n;
		return c->data + c->used - n;
	}
	size_t next = c ? c->size * 2 : CHUNK_MIN;
	if (next > CHUNK_MAX)
		next = a->total < LARGE ? CHUNK_MAX : CHUNK_LARGE;
	if (n > next / 4 && c) {
		/* A large piece of its own, behind the chunk that is still being filled. */
		struct layer_arena_chunk *big = chunk_new(a, n);
		big->used = n;
		big->next = c->next;
		c->next = big;
		return big->data;
	}
	struct layer_arena_chunk *fresh = chunk_new(a, n > next ? n : next);
	fresh->next = c;
	fresh->used = n;
	a->head = fresh;
	return fresh->data;
}

void *layer_arena_dup(struct layer_arena *a, const void *p, size_t n)
{
	void *copy = layer_arena_alloc(a, n);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *layer_arena_strndup(struct layer_arena *a, const char *s, size_t n)
{
	char *copy = layer_arena_alloc(a, n + 1);
	memcpy(copy, s, n);
	return copy;
}

void layer_arena_absorb(struct layer_arena *dst, struct layer_arena *src)
{
	if (!src->head)
		return;
	struct layer_arena_chunk **end = &src->head;
	while (*end)
		end = &(*end)->next;
	*end = dst->head;
	dst->head = src->head;
	dst->total += src->total;
	*src = (struct layer_arena){0};
}

void layer_arena_clear(struct layer_arena *a)
{
	while (a->head) {
		struct layer_arena_chunk *next = a->head->next;
		bulk_free(a->head, sizeof *a->head + a->head->size);
		a->head = next;
	}
	a->total = 0;
}

struct layer_xattr *layer_arena_xattrs(struct layer_arena *a, const struct layer_xattr *x, size_t n)
{
	if (!n)
		return NULL;
	struct layer_xattr *copy = layer_arena_alloc(a, n * sizeof *copy);
	for (size_t i = 0; i < n; i++) {
		copy[i].name = layer_arena_strndup(a, x[i].name, strlen(x[i].name));
		copy[i].value = layer_arena_dup(a, x[i].value, x[i].len);
		copy[i].len = x[i].len;
	}
	return copy;
}

void layer_hash_key_init(struct layer_hash_key *key)
{
	if (getrandom(key, sizeof *key, GRND_NONBLOCK) != (ssize_t)sizeof *key) {
		/* Before the kernel's pool is filled: addresses are the next best secret. */
		key->k0 = (uint64_t)(uintptr_t)key;
		key->k1 = (uint64_t)(uintptr_t)&layer_hash_key_init;
	}
}

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t layer_hash(const struct layer_hash_key *key, const void *p, size_t n)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
	const unsigned char *b = p;
	uint64_t word = 0;

	for (size_t left = n; left >= 8; left -= 8, b += 8) {
		memcpy(&word, b, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)n << 56;
	for (size_t i = 0; i < n % 8; i++)
		word |= (uint64_t)b[i] << 8 * i;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

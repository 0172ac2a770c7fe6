// SPDX-License-Identifier: Apache-2.0
/*
 * Edits compressed data behind its checksums. Two bytes choose format and pieces (fuzz_inflate.c);
 * what follows is unpacked, changed as plain bytes and packed again with another level, strategy
 * or head; or the packed bits are changed and a trailer made that fits what they give.
 */
#include <zlib.h>
#include <zstd.h>

#include "tests/fuzz/mutate.h"

#define PLAIN_MAX ((size_t)64 << 10)
#define FRONT     2 /* bytes that fuzz_inflate.c reads itself */
#define HEAD_MAX  64

/* As much as can be had of one raw deflate stream. */
static size_t unpack_raw(const uint8_t *p, size_t n, uint8_t *out, size_t *used)
{
	z_stream s = {.next_in = (uint8_t *)(uintptr_t)p, .avail_in = (unsigned)n};
	s.next_out = out;
	s.avail_out = PLAIN_MAX;
	if (inflateInit2(&s, -15) != Z_OK)
		return 0;
	inflate(&s, Z_FINISH);
	*used = n - s.avail_in;
	inflateEnd(&s);
	return PLAIN_MAX - s.avail_out;
}

/* Bytes of the gzip head at p, 0 when it is none. */
static size_t head_size(const uint8_t *p, size_t n)
{
	size_t at = 10;
	if (n < 18 || p[0] != 0x1f || p[1] != 0x8b)
		return 0;
	if (p[3] & 4)
		at += 2 + (size_t)(p[10] | p[11] << 8);
	for (int bit = 8; bit <= 16; bit *= 2) {
		if (!(p[3] & bit))
			continue;
		while (at < n && p[at])
			at++;
		at++;
	}
	at += p[3] & 2 ? 2 : 0;
	return at < n ? at : 0;
}

static size_t put_head(struct mutate_random *r, uint8_t *out)
{
	size_t n = 10;
	memcpy(out, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
	out[3] = (uint8_t)(mutate_below(r, 4) ? 0 : mutate_below(r, 32));
	if (out[3] & 4) {
		size_t k = mutate_below(r, 9);
		out[n++] = (uint8_t)k;
		out[n++] = 0;
		memset(out + n, 'e', k);
		n += k;
	}
	for (int bit = 8; bit <= 16; bit *= 2)
		if (out[3] & bit) {
			memcpy(out + n, "name", 5);
			n += 5;
		}
	if (out[3] & 2) {
		unsigned long crc = crc32(0, out, (unsigned)n);
		out[n++] = (uint8_t)crc;
		out[n++] = (uint8_t)(crc >> 8);
	}
	return n;
}

static size_t put_trailer(uint8_t *out, const uint8_t *plain, size_t n)
{
	unsigned long crc = crc32(0, plain, (unsigned)n);
	for (int i = 0; i < 4; i++) {
		out[i] = (uint8_t)(crc >> 8 * i);
		out[4 + i] = (uint8_t)(n >> 8 * i);
	}
	return 8;
}

static size_t pack_gzip(
	struct mutate_random *r, const uint8_t *plain, size_t n, uint8_t *out, size_t max)
{
	static const int strategies[] = {
		Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
	z_stream s = {.next_in = (uint8_t *)(uintptr_t)plain, .avail_in = (unsigned)n};
	if (max < HEAD_MAX + 64)
		return 0;
	size_t head = put_head(r, out);
	s.next_out = out + head;
	s.avail_out = (unsigned)(max - head - 8);
	if (deflateInit2(&s, (int)mutate_below(r, 10), Z_DEFLATED, -(int)(9 + mutate_below(r, 7)),
		    8, MUTATE_PICK(r, strategies)) != Z_OK)
		return 0;
	int rc = deflate(&s, Z_FINISH);
	size_t end = max - 8 - s.avail_out;
	deflateEnd(&s);
	return rc == Z_STREAM_END ? end + put_trailer(out + end, plain, n) : 0;
}

static size_t pack_zstd(
	struct mutate_random *r, const uint8_t *plain, size_t n, uint8_t *out, size_t max)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, (int)mutate_below(r, 8));
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, (int)mutate_below(r, 2));
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, (int)mutate_below(r, 2));
	size_t got = ZSTD_compress2(c, out, max, plain, n);
	ZSTD_freeCCtx(c);
	return ZSTD_isError(got) ? 0 : got;
}

/* The packed bits changed, with head and trailer that fit what they give. */
static size_t change_bits(struct mutate_random *r, const uint8_t *p, size_t n, size_t head,
	uint8_t *plain, uint8_t *out, size_t max)
{
	size_t used = 0, bits = n - head;
	if (max < HEAD_MAX + bits + 32)
		return 0;
	size_t at = put_head(r, out);
	memcpy(out + at, p + head, bits);
	bits = mutate_bytes(out + at, bits > 8 ? bits - 8 : bits, max - at - 8);
	size_t got = unpack_raw(out + at, bits, plain, &used);
	at += used;
	return at + put_trailer(out + at, plain, got);
}

static size_t plain_of(bool zstd, const uint8_t *p, size_t n, uint8_t *plain)
{
	size_t used, got, head;
	if (zstd) {
		got = ZSTD_decompress(plain, PLAIN_MAX, p, n);
		return ZSTD_isError(got) ? 0 : got;
	}
	head = head_size(p, n);
	return head ? unpack_raw(p + head, n - head, plain, &used) : 0;
}

static size_t change(struct mutate_random *r, uint8_t *data, size_t size, size_t max,
	uint8_t *plain, uint8_t *out)
{
	bool zstd = data[0] & 1;
	size_t head = zstd ? 0 : head_size(data + FRONT, size - FRONT), n, room = max - FRONT;

	if (head && mutate_below(r, 2))
		return change_bits(r, data + FRONT, size - FRONT, head, plain, out, room);
	n = plain_of(zstd, data + FRONT, size - FRONT, plain);
	n = mutate_bytes(plain, n, PLAIN_MAX < 2 * n + 64 ? PLAIN_MAX : 2 * n + 64);
	if (mutate_below(r, 16) == 0)
		zstd = data[0] ^= 1;
	return zstd ? pack_zstd(r, plain, n, out, room) : pack_gzip(r, plain, n, out, room);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct mutate_random r = mutate_seed(seed);

	if (size < FRONT || max < FRONT + 256 || mutate_below(&r, 4) == 0)
		return mutate_bytes(data, size, max);
	uint8_t *plain = malloc(PLAIN_MAX), *out = malloc(max);
	if (!plain || !out)
		abort();
	size_t n = change(&r, data, size, max, plain, out);
	size_t keep = n && mutate_below(&r, 8) == 0 ? size - FRONT : 0; /* a second member */
	if (keep + n > max - FRONT)
		keep = 0;
	if (n)
		memcpy(data + FRONT + keep, out, n);
	if (mutate_below(&r, 8) == 0)
		data[1] = (uint8_t)mutate_below(&r, 256);
	free(plain);
	free(out);
	return n ? FRONT + keep + n : mutate_bytes(data, size, max);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * SHA-256 (FIPS 180-4). Three compression functions with one result: the SHA extensions of x86-64;
 * where the CPU has none (or is another one, whose extensions OpenSSL knows) OpenSSL, loaded when
 * there is enough to hash to be worth it; plain C for the rest. glibc knows the CPU already, so no
 * CPUID instruction, which is slow in virtual machines, is needed to choose.
 */
#include "store/base/sha256.h"

#include "store/base/cryptolib.h"

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#define SHA256_HAVE_NI 1
#include <immintrin.h>
#include <sys/platform/x86.h>
#else
#define SHA256_HAVE_NI 0
#endif

#define OPENSSL_BLOCKS                                                                             \
	1024 /* at once: loading the library costs as much as hashing some of these */

typedef void sha256_compress_fn(uint32_t h[8], const uint8_t *p, size_t blocks);

/* Fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_k[64] __attribute__((aligned(16))) = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The eight words move on by renaming, not by copying. */
#define C_ROUND(a, b, c, d, e, f, g, h, t)                                                         \
	do {                                                                                       \
		uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) +   \
			      round_k[t] + w[t];                                                   \
		d += t1;                                                                           \
		h = t1 + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));    \
	} while (0)

static void compress_portable(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	for (; blocks; blocks--, p += 64) {
		uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

		for (int t = 0; t < 16; t++)
			w[t] = load_be32(p + 4 * t);
		for (int t = 16; t < 64; t++) {
			uint32_t x = w[t - 15], y = w[t - 2];
			w[t] = w[t - 16] + w[t - 7] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3) +
			       (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
		}
		for (int t = 0; t < 64; t += 8) {
			C_ROUND(a, b, c, d, e, f, g, h, t);
			C_ROUND(h, a, b, c, d, e, f, g, t + 1);
			C_ROUND(g, h, a, b, c, d, e, f, t + 2);
			C_ROUND(f, g, h, a, b, c, d, e, t + 3);
			C_ROUND(e, f, g, h, a, b, c, d, t + 4);
			C_ROUND(d, e, f, g, h, a, b, c, t + 5);
			C_ROUND(c, d, e, f, g, h, a, b, t + 6);
			C_ROUND(b, c, d, e, f, g, h, a, t + 7);
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}

#if SHA256_HAVE_NI
/* Four rounds with message words 4i..4i+3, which lie in m[i % 4]. */
#define NI_ROUNDS(i)                                                                               \
	do {                                                                                       \
		__m128i wk = _mm_add_epi32(m[(i) % 4],                                             \
			_mm_load_si128((const __m128i *)(const void *)&round_k[4 * (i)]));         \
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);                                      \
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));             \
	} while (0)

/* Replace m[i % 4] by the words of four groups later. */
#define NI_SCHEDULE(i)                                                                             \
	do {                                                                                       \
		__m128i x = _mm_sha256msg1_epu32(m[(i) % 4], m[((i) + 1) % 4]);                    \
		x = _mm_add_epi32(x, _mm_alignr_epi8(m[((i) + 3) % 4], m[((i) + 2) % 4], 4));      \
		m[(i) % 4] = _mm_sha256msg2_epu32(x, m[((i) + 3) % 4]);                            \
	} while (0)

#define NI_STEP(i)                                                                                 \
	do {                                                                                       \
		NI_ROUNDS(i);                                                                      \
		NI_SCHEDULE(i);                                                                    \
	} while (0)

/* The instructions want the state as the halves {A,B,E,F} and {C,D,G,H}, highest lane first. */
__attribute__((target("sha,sse4.1,ssse3"))) static void ni_load(
	const uint32_t h[8], __m128i *abef, __m128i *cdgh)
{
	__m128i cdab =
		_mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&h[0]), 0xb1);
	__m128i efgh =
		_mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)&h[4]), 0x1b);

	*abef = _mm_alignr_epi8(cdab, efgh, 8);
	*cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

__attribute__((target("sha,sse4.1,ssse3"))) static void ni_store(
	uint32_t h[8], __m128i abef, __m128i cdgh)
{
	__m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)&h[0], _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)&h[4], _mm_alignr_epi8(dchg, feba, 8));
}

/* Four words of the message, which are big-endian. */
__attribute__((target("ssse3"), always_inline)) static inline __m128i ni_word(const uint8_t *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

__attribute__((target("sha,sse4.1,ssse3"))) static void compress_ni(
	uint32_t h[8], const uint8_t *p, size_t blocks)
{
	__m128i abef, cdgh;

	ni_load(h, &abef, &cdgh);
	for (; blocks; blocks--, p += 64) {
		const __m128i abef0 = abef, cdgh0 = cdgh;
		__m128i m[4] = {ni_word(p), ni_word(p + 16), ni_word(p + 32), ni_word(p + 48)};

		NI_STEP(0);
		NI_STEP(1);
		NI_STEP(2);
		NI_STEP(3);
		NI_STEP(4);
		NI_STEP(5);
		NI_STEP(6);
		NI_STEP(7);
		NI_STEP(8);
		NI_STEP(9);
		NI_STEP(10);
		NI_STEP(11);
		NI_ROUNDS(12);
		NI_ROUNDS(13);
		NI_ROUNDS(14);
		NI_ROUNDS(15);
		abef = _mm_add_epi32(abef, abef0);
		cdgh = _mm_add_epi32(cdgh, cdgh0);
	}
	ni_store(h, abef, cdgh);
}

#define NI_ROUNDS2(i)                                                                              \
	do {                                                                                       \
		__m128i wk = _mm_add_epi32(m[(i) % 4],                                             \
			_mm_load_si128((const __m128i *)(const void *)&round_k[4 * (i)]));         \
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);                                      \
		s1 = _mm_sha256rnds2_epu32(s1, s0, wk);                                            \
		wk = _mm_shuffle_epi32(wk, 0x0e);                                                  \
		abef = _mm_sha256rnds2_epu32(abef, cdgh, wk);                                      \
		s0 = _mm_sha256rnds2_epu32(s0, s1, wk);                                            \
	} while (0)

#define NI_STEP2(i)                                                                                \
	do {                                                                                       \
		NI_ROUNDS2(i);                                                                     \
		NI_SCHEDULE(i);                                                                    \
	} while (0)

__attribute__((target("sha,sse4.1,ssse3"))) static void compress2_ni(
	uint32_t a[8], uint32_t b[8], const uint8_t *p, size_t blocks)
{
	__m128i abef, cdgh, s0, s1;

	ni_load(a, &abef, &cdgh);
	ni_load(b, &s0, &s1);
	for (; blocks; blocks--, p += 64) {
		const __m128i abef0 = abef, cdgh0 = cdgh, s00 = s0, s10 = s1;
		__m128i m[4] = {ni_word(p), ni_word(p + 16), ni_word(p + 32), ni_word(p + 48)};

		NI_STEP2(0);
		NI_STEP2(1);
		NI_STEP2(2);
		NI_STEP2(3);
		NI_STEP2(4);
		NI_STEP2(5);
		NI_STEP2(6);
		NI_STEP2(7);
		NI_STEP2(8);
		NI_STEP2(9);
		NI_STEP2(10);
		NI_STEP2(11);
		NI_ROUNDS2(12);
		NI_ROUNDS2(13);
		NI_ROUNDS2(14);
		NI_ROUNDS2(15);
		abef = _mm_add_epi32(abef, abef0);
		cdgh = _mm_add_epi32(cdgh, cdgh0);
		s0 = _mm_add_epi32(s0, s00);
		s1 = _mm_add_epi32(s1, s10);
	}
	ni_store(a, abef, cdgh);
	ni_store(b, s0, s1);
}

/* A CPU with these has the others that compress_ni needs. */
static bool have_ni(void)
{
	return CPU_FEATURE_PRESENT(SHA);
}
#else
static bool have_ni(void)
{
	return false;
}

static void compress_ni(uint32_t h[8], const uint8_t *p, size_t blocks)
{
	compress_portable(h, p, blocks);
}

static void compress2_ni(uint32_t a[8], uint32_t b[8], const uint8_t *p, size_t blocks)
{
	compress_portable(a, p, blocks);
	compress_portable(b, p, blocks);
}
#endif

static void compress_openssl(uint32_t h[8], const uint8_t *p, size_t blocks)
{
	const struct cryptolib *lib = cryptolib_get();
	SHA256_CTX c;

	lib->sha256_init(&c);
	memcpy(c.h, h, sizeof c.h);
	lib->sha256_update(&c, p, blocks * 64);
	memcpy(h, c.h, sizeof c.h);
}

static void compress(uint32_t h[8], const uint8_t *p, size_t blocks)
{
	if (have_ni())
		compress_ni(h, p, blocks);
	else if (blocks >= OPENSSL_BLOCKS && cryptolib_get())
		compress_openssl(h, p, blocks);
	else
		compress_portable(h, p, blocks);
}

static void compress2(uint32_t a[8], uint32_t b[8], const uint8_t *p, size_t blocks)
{
	if (have_ni()) {
		compress2_ni(a, b, p, blocks);
	} else {
		compress(a, p, blocks);
		compress(b, p, blocks);
	}
}

void sha256_init(struct sha256 *s)
{
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(s->h, start, sizeof s->h);
	s->bytes = 0;
	s->fill = 0;
}

static void update(struct sha256 *s, const uint8_t *p, size_t n, sha256_compress_fn *fn)
{
	if (!n)
		return;
	s->bytes += n;
	if (s->fill) {
		size_t part = 64 - s->fill < n ? 64 - s->fill : n;
		memcpy(s->block + s->fill, p, part);
		s->fill += part;
		p += part;
		n -= part;
		if (s->fill < 64)
			return;
		fn(s->h, s->block, 1);
		s->fill = 0;
	}
	if (n / 64)
		fn(s->h, p, n / 64);
	p += n & ~(size_t)63;
	s->fill = n % 64;
	memcpy(s->block, p, s->fill);
}

static void sha256_finish_with(struct sha256 *s, struct digest *out, sha256_compress_fn *fn)
{
	uint64_t bits = s->bytes * 8;
	uint8_t tail[72] = {0x80};
	size_t zeros = (s->fill < 56 ? 56 : 120) - s->fill;

	for (int i = 0; i < 8; i++)
		tail[zeros + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
	update(s, tail, zeros + 8, fn);
	for (int i = 0; i < 32; i++)
		out->b[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_update(struct sha256 *s, const void *p, size_t n)
{
	update(s, p, n, compress);
}

void sha256_update2(struct sha256 *a, struct sha256 *b, const void *p, size_t n)
{
	const uint8_t *at = p;

	if (a->fill == b->fill) {
		size_t head = a->fill ? 64 - a->fill : 0, whole;
		head = head < n ? head : n;
		sha256_update(a, at, head);
		sha256_update(b, at, head);
		whole = (n - head) & ~(size_t)63;
		if (whole)
			compress2(a->h, b->h, at + head, whole / 64);
		a->bytes += whole;
		b->bytes += whole;
		at += head + whole;
		n -= head + whole;
	}
	sha256_update(a, at, n);
	sha256_update(b, at, n);
}

void sha256_final(struct sha256 *s, struct digest *out)
{
	sha256_finish_with(s, out, compress);
}

void sha256_of(const void *p, size_t n, struct digest *out)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, p, n);
	sha256_final(&s, out);
}

bool sha256_of_by(enum sha256_code code, const void *p, size_t n, struct digest *out)
{
	static sha256_compress_fn *const codes[] = {
		[SHA256_BY_CPU] = compress_ni,
		[SHA256_BY_OPENSSL] = compress_openssl,
		[SHA256_BY_C] = compress_portable,
	};
	struct sha256 s;

	if ((code == SHA256_BY_CPU && !have_ni()) ||
		(code == SHA256_BY_OPENSSL && !cryptolib_get()))
		return false;
	sha256_init(&s);
	update(&s, p, n, codes[code]);
	sha256_finish_with(&s, out, codes[code]);
	return true;
}

void sha256_field_u64(struct sha256 *s, uint64_t v)
{
	uint8_t le[8];

	for (int i = 0; i < 8; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	sha256_update(s, le, sizeof le);
}

void sha256_field(struct sha256 *s, const void *p, size_t n)
{
	sha256_field_u64(s, n);
	sha256_update(s, p, n);
}

void sha256_field_str(struct sha256 *s, const char *text)
{
	if (text)
		sha256_field(s, text, strlen(text));
	else
		sha256_field_u64(s, UINT64_MAX); /* no text has this length */
}

const char *sha256_hex(const struct digest *d, char out[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < SHA256_BYTES; i++) {
		out[2 * i] = digits[d->b[i] >> 4];
		out[2 * i + 1] = digits[d->b[i] & 15];
	}
	out[DIGEST_HEX - 1] = '\0';
	return out;
}

const char *sha256_string(const struct digest *d, char out[DIGEST_STRING])
{
	memcpy(out, "sha256:", 7);
	sha256_hex(d, out + 7);
	return out;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int sha256_parse_hex(const char *hex, size_t len, struct digest *out)
{
	struct digest d;

	if (len != (size_t)2 * SHA256_BYTES)
		return -1;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -1;
		d.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*out = d;
	return 0;
}

int sha256_parse_string(const char *s, struct digest *out)
{
	if (strncmp(s, "sha256:", 7) != 0)
		return -1;
	return sha256_parse_hex(s + 7, strlen(s + 7), out);
}

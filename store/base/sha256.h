/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and the digest type. The one home of the hash function.
 *
 * A digest is binary from the moment it is parsed; no text from outside ever
 * becomes part of a path. Only "sha256:" with exactly 64 lower-case hex digits
 * is accepted.
 */
#ifndef BLD_STORE_BASE_SHA256_H
#define BLD_STORE_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA256_BYTES  32
#define DIGEST_HEX    65 /* 64 digits + NUL */
#define DIGEST_STRING 72 /* "sha256:" + 64 digits + NUL */

struct digest {
	uint8_t b[SHA256_BYTES];
};

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t block[64];
	size_t fill;
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *p, size_t n);
/* The same bytes into two hashes, as two updates; where both have had a like number of bytes (mod
 * 64) this costs little more than one. */
void sha256_update2(struct sha256 *a, struct sha256 *b, const void *p, size_t n);
void sha256_final(struct sha256 *s, struct digest *out);
void sha256_of(const void *p, size_t n, struct digest *out);
/* The same by one of the ways to do it, for tests; false when it is not available here. */
enum sha256_code { SHA256_BY_CPU, SHA256_BY_OPENSSL, SHA256_BY_C };
bool sha256_of_by(enum sha256_code code, const void *p, size_t n, struct digest *out);

/* Length-prefixed update, so that ("ab","c") and ("a","bc") differ in a key. */
void sha256_field(struct sha256 *s, const void *p, size_t n);
void sha256_field_str(struct sha256 *s, const char *text); /* NULL counts as unset, not as "" */
void sha256_field_u64(struct sha256 *s, uint64_t v);

const char *sha256_hex(const struct digest *d, char out[DIGEST_HEX]);       /* returns out */
const char *sha256_string(const struct digest *d, char out[DIGEST_STRING]); /* "sha256:..." */
int sha256_parse_hex(const char *hex, size_t len, struct digest *out);      /* 0 / -1 */
int sha256_parse_string(const char *s, struct digest *out); /* "sha256:..." 0 / -1 */

static inline bool sha256_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, SHA256_BYTES) == 0;
}

static inline bool sha256_is_zero(const struct digest *a)
{
	static const struct digest zero;
	return sha256_equal(a, &zero);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 4648 with padding, one way only: what comes from outside is decoded by secret.c, into memory
 * that is wiped. The caller has room for BASE64_LENGTH(n) bytes; no NUL is added.
 */
#include "store/base/base64.h"

void base64_encode(const void *p, size_t n, char *out)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)b[i] << 16;

		if (i + 1 < n)
			v |= (unsigned)b[i + 1] << 8;
		if (i + 2 < n)
			v |= b[i + 2];
		*out++ = set[v >> 18];
		*out++ = set[v >> 12 & 63];
		*out++ = i + 1 < n ? set[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? set[v & 63] : '=';
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), the usual alphabet, with padding. */
#ifndef BLD_STORE_BASE_BASE64_H
#define BLD_STORE_BASE_BASE64_H

#include <stddef.h>

#define BASE64_LENGTH(n) (((size_t)(n) + 2) / 3 * 4)

/* Exactly BASE64_LENGTH(n) characters, without a 0 at the end. */
void base64_encode(const void *p, size_t n, char *out);

#endif

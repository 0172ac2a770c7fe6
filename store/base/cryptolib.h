/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto, loaded at the first large hash on a CPU for which we have no code of our own
 * (store/base/dynlib.h). For sha256.c. */
#ifndef BLD_STORE_BASE_CRYPTOLIB_H
#define BLD_STORE_BASE_CRYPTOLIB_H

/* The old interface: it hashes on from a state that the caller has, the new one does not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "store/base/dynlib.h"

#define CRYPTOLIB_CALLS(X)                                                                         \
	X(sha256_init, SHA256_Init)                                                                \
	X(sha256_update, SHA256_Update)

struct cryptolib {
	CRYPTOLIB_CALLS(DYNLIB_SLOT)
};

/* NULL when it is missing: there is plain C. Any thread. */
const struct cryptolib *cryptolib_get(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says when it refuses: one line for people. */
#ifndef BLD_STORE_TRANSPORT_REPLY_H
#define BLD_STORE_TRANSPORT_REPLY_H

#include "store/transport/http.h"

/*
 * "WHAT: HTTP 404 Not Found: manifest unknown". ERR_AUTH for 401 and 403, else ERR_NET. The words
 * are the registry's `errors` list, a token server's `error`, or a short plain text; escaped, at
 * most 300 bytes. Returns -1.
 */
int reply_error(const struct http_response *r, const char *what, struct err **err);
/* Is this error code ("MANIFEST_UNKNOWN"; NULL: any) in the body's list? */
bool reply_has_code(const struct http_response *r, const char *code);

#endif

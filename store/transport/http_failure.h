/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong between us and a server that gave no answer, from what libcurl says: for
 * http_attempt.c. */
#ifndef BLD_STORE_TRANSPORT_HTTP_FAILURE_H
#define BLD_STORE_TRANSPORT_HTTP_FAILURE_H

#include "store/transport/curllib.h"
#include "store/transport/http.h"

/* said: libcurl's words for it. */
enum http_failure http_failure_of(CURLcode rc, const char *said);
/* ERR_NET: which host (with its port), what it is and what can be done. written: as http_opts has
 * it. */
int http_failure_explain(CURLcode rc, const char *said, const char *host, bool https, bool written,
	struct err **err);

#endif

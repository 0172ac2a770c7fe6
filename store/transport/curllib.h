/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded at the first request (store/base/dynlib.h). For http_attempt.c and http_failure.c only. */
#ifndef BLD_STORE_TRANSPORT_CURLLIB_H
#define BLD_STORE_TRANSPORT_CURLLIB_H

#include <curl/curl.h>

#include "store/base/dynlib.h"

#define CURLLIB_CALLS(X)                                                                           \
	X(global_init, curl_global_init)                                                           \
	X(easy_init, curl_easy_init)                                                               \
	X(easy_cleanup, curl_easy_cleanup)                                                         \
	X(easy_reset, curl_easy_reset)                                                             \
	X(easy_setopt, curl_easy_setopt)                                                           \
	X(easy_perform, curl_easy_perform)                                                         \
	X(easy_getinfo, curl_easy_getinfo)                                                         \
	X(easy_strerror, curl_easy_strerror)                                                       \
	X(slist_append, curl_slist_append)                                                         \
	X(slist_free_all, curl_slist_free_all)

struct curllib {
	CURLLIB_CALLS(DYNLIB_SLOT)
};

/* The functions, with libcurl initialised for the process; NULL: ERR_UNSUPPORTED. Any thread. */
const struct curllib *curllib_get(struct err **err);

#endif

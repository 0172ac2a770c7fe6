// SPDX-License-Identifier: Apache-2.0
/*
 * What a response holds. Requests are made in http_perform.c (redirects, retries) out of attempts
 * (http_attempt.c); http_sink.c and http_download.c take bodies that are not kept in memory.
 */
#include "store/transport/http.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

void http_response_init(struct http_response *r)
{
	*r = (struct http_response){0};
	buf_init(&r->body, HTTP_ERROR_MAX);
}

void http_response_clear(struct http_response *r)
{
	strlist_clear(&r->headers);
	buf_clear(&r->body);
	free(r->url);
	r->url = NULL;
}

const char *http_header(const struct http_response *r, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < r->headers.n; i++)
		if (strncmp(r->headers.v[i], name, n) == 0 && r->headers.v[i][n] == ':')
			return r->headers.v[i] + n + 2;
	return NULL;
}

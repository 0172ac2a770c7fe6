// SPDX-License-Identifier: Apache-2.0
/* WWW-Authenticate values, one a line, as an evil registry may send them; also realms and
 * Retry-After. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/transport/auth.h"
#include "store/transport/auth_header.h"
#include "store/transport/backoff.h"
#include "store/transport/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void realm(const struct auth_challenge *c)
{
	const char *text = c ? strlist_get_kv(&c->params, "realm") : NULL;
	struct url u, v;

	if (!text || url_parse(text, &u, NULL) < 0)
		return;
	if (auth_realm_trusted("registry.example.org:5000", u.host) &&
		!strstr(u.host, "example.org"))
		abort();
	char *again = url_text(&u);
	if (url_parse(again, &v, NULL) < 0 || !url_same_origin(&u, &v) ||
		strcmp(u.target, v.target) != 0)
		abort();
	url_clear(&v);
	free(again);
	if (url_resolve(&u, text, &v, NULL) == 0)
		url_clear(&v);
	free(url_printable(text));
	url_clear(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth_header h = {.n = 0};
	char *text = mem_strndup(size ? (const char *)data : "", size);

	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		(void)auth_header_parse(line, &h);
		(void)backoff_retry_after_ms(line, 0);
	}
	if (h.n > AUTH_HEADER_CHALLENGES)
		abort();
	for (size_t i = 0; i < h.n; i++)
		if (h.v[i].params.n > AUTH_HEADER_PARAMS)
			abort();
	realm(auth_header_find(&h, "bearer"));
	auth_header_clear(&h);
	free(text);
	return 0;
}

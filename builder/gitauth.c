// SPDX-License-Identifier: Apache-2.0
#include "builder/gitauth.h"

#include <string.h>

#include "store/base/base64.h"
#include "store/base/mem.h"

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static char *basic(const char *login)
{
	size_t n = strlen(login);
	char *code = mem_alloc(BASE64_LENGTH(n) + 1);

	base64_encode(login, n, code);
	char *header = mem_printf("Basic %s", code);
	wipe(code);
	return header;
}

/* "https://host" of an http(s) URL, or NULL. */
static char *origin_of(const char *remote)
{
	const char *host = strstr(remote, "://");

	if (strncmp(remote, "http://", 7) != 0 && strncmp(remote, "https://", 8) != 0)
		return NULL;
	return mem_strndup(remote, (size_t)(host - remote) + 3 + strcspn(host + 3, "/"));
}

/* One printable line; NULL with *err. */
static char *value_of(const struct secret *s, struct err **err)
{
	size_t n = s->len;

	while (n && (s->data[n - 1] == '\n' || s->data[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s->data[i] < ' ' || s->data[i] == 0x7f) {
			err_set(err, ERR_USAGE,
				"the secret %s has control characters in it, which no header can",
				s->id);
			return NULL;
		}
	return mem_strndup(s->data, n);
}

static const struct secret *find(const struct secrets *s, const char *id, const char *host)
{
	auto_free char *of_host = mem_printf("%s.%s", id, host);
	const struct secret *found = secrets_find(s, of_host);

	return found ? found : secrets_find(s, id);
}

static int from_secret(const struct secrets *s, const char *host, char **header, struct err **err)
{
	const struct secret *as_is = find(s, "GIT_AUTH_HEADER", host);
	const struct secret *token = as_is ? NULL : find(s, "GIT_AUTH_TOKEN", host);

	if (!as_is && !token)
		return 0;
	char *value = value_of(as_is ? as_is : token, err);
	if (!value)
		return -1;
	if (token) {
		char *login = mem_printf("x-access-token:%s", value);
		wipe(value);
		value = basic(login);
		wipe(login);
	}
	*header = value;
	return 0;
}

int gitauth_find(
	const struct giturl *u, const struct secrets *s, struct gitauth *out, struct err **err)
{
	auto_free char *origin = origin_of(u->remote);

	*out = (struct gitauth){0};
	if (!origin)
		return 0;
	if (u->login)
		out->header = basic(u->login);
	else if (s && from_secret(s, strstr(origin, "://") + 3, &out->header, err) < 0)
		return -1;
	if (out->header)
		out->origin = TAKE(origin);
	return 0;
}

void gitauth_clear(struct gitauth *a)
{
	free(a->origin);
	wipe(a->header);
	*a = (struct gitauth){0};
}

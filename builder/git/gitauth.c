// SPDX-License-Identifier: Apache-2.0
/*
 * Which secret goes with a request for a repository, as an Authorization header for one origin. A
 * secret bound to a host by its name goes there, a general one only where the caller named the
 * host; neither without https unless the caller wrote http or the host is this machine. Why one is
 * withheld is kept for the hint.
 */
#include "builder/git/gitauth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/base64.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/download.h"

static void gitauth_wipe(char *secret)
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
	gitauth_wipe(code);
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

/* What decides whether a secret goes along. */
struct to {
	const char *host; /* and port, as the URL has it */
	bool named;       /* by the caller, in a URL */
	bool safe;        /* https, this machine, or http because the caller wrote so */
};

/* The host of the build context, where that is a URL and has this one. */
static bool is_contexts(const char *context, const char *host)
{
	auto_free char *origin = context ? origin_of(context) : NULL;
	const char *at, *theirs;

	if (!origin)
		return false;
	theirs = strstr(origin, "://") + 3;
	at = strrchr(theirs, '@');
	return strcasecmp(at ? at + 1 : theirs, host) == 0;
}

static struct to to_of(const char *origin, const struct fetchenv *e)
{
	const char *host = strstr(origin, "://") + 3;
	struct to t = {.host = host, .named = !e->foreign || is_contexts(e->context, host)};

	t.safe = strncmp(origin, "https:", 6) == 0 || http_is_local(host) || !e->foreign;
	return t;
}

/* The secret of this kind for the host; *withheld says why one that is there is not for it. */
static const struct secret *gitauth_find_in(
	const struct secrets *s, const char *id, const struct to *t, char **withheld)
{
	auto_free char *of_host = mem_printf("%s.%s", id, t->host);
	const struct secret *found = secrets_find(s, of_host);
	bool bound = found != NULL;
	auto_free char *shown = fs_printable(t->host);

	if (!found)
		found = secrets_find(s, id);
	if (!found || ((bound || t->named) && t->safe))
		return found;
	free(*withheld);
	if (bound || t->named)
		*withheld = mem_printf(
			"the secret %s is not sent to %s without https", found->id, shown);
	else
		*withheld =
			mem_printf("the secret %s is for the host of the build context; one for "
				   "%s has the id %s.%s",
				id, shown, id, shown);
	return NULL;
}

static int from_secret(
	const struct secrets *s, const struct to *t, struct gitauth *out, struct err **err)
{
	const struct secret *as_is = gitauth_find_in(s, "GIT_AUTH_HEADER", t, &out->withheld);
	const struct secret *token =
		as_is ? NULL : gitauth_find_in(s, "GIT_AUTH_TOKEN", t, &out->withheld);

	if (!as_is && !token)
		return 0;
	char *value = value_of(as_is ? as_is : token, err);
	if (!value)
		return -1;
	if (token) {
		char *login = mem_printf("x-access-token:%s", value);
		gitauth_wipe(value);
		value = basic(login);
		gitauth_wipe(login);
	}
	out->header = value;
	return 0;
}

int gitauth_find(
	const struct giturl *u, const struct fetchenv *e, struct gitauth *out, struct err **err)
{
	auto_free char *origin = origin_of(u->remote);

	*out = (struct gitauth){0};
	if (!origin)
		return 0;
	struct to t = to_of(origin, e);
	if (u->login)
		out->header = basic(u->login);
	else if (e->secrets && from_secret(e->secrets, &t, out, err) < 0)
		return -1;
	if (out->header)
		out->origin = TAKE(origin);
	return 0;
}

void gitauth_clear(struct gitauth *a)
{
	free(a->origin);
	gitauth_wipe(a->header);
	free(a->withheld);
	*a = (struct gitauth){0};
}

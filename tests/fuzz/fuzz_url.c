// SPDX-License-Identifier: Apache-2.0
/*
 * URLs and names of sources, two lines: a URL and a Location to resolve against it. What is
 * accepted reads the same when it is written again, keeps no login, and can be printed. The first
 * line also as a git repository, as a build context and as a named one. All of it is searched for
 * secrets.
 */
#include "builder/input/contextspec.h"
#include "parser/giturl.h"
#include "parser/urlsecret.h"
#include "store/transport/url.h"
#include "tests/fuzz/fuzzkit.h"

static void graphic(const char *s)
{
	for (; *s; s++)
		fuzz_must((unsigned char)*s > ' ' && *s != 0x7f);
}

static void same(const struct url *u)
{
	struct url v = {0};
	char *text = url_text(u), *host = url_host_port(u);

	graphic(text);
	fuzz_must(*host && *u->target == '/' && u->port > 0 && u->port < 65536);
	fuzz_must(url_parse(text, &v, NULL) == 0);
	fuzz_must(url_same_origin(u, &v) && strcmp(u->target, v.target) == 0 && !v.has_user);
	url_clear(&v);
	free(text);
	free(host);
}

static void http(const char *text, const char *location)
{
	struct url u = {0}, v = {0};
	struct err *err = NULL;
	char *shown = url_printable(text), *login = url_user_info(text);

	fuzz_must(shown != NULL);
	for (const char *p = shown; *p; p++)
		fuzz_must((unsigned char)*p >= ' ' && *p != 0x7f);
	if (!fuzz_failed(url_parse(text, &u, &err), &err)) {
		same(&u);
		if (!fuzz_failed(url_resolve(&u, location, &v, &err), &err))
			same(&v);
		url_clear(&v);
		url_clear(&u);
	}
	(void)url_is_loopback(text);
	free(login);
	free(shown);
}

static void git(const char *text, enum giturl_use use)
{
	struct arena *a = arena_new();
	struct slice s = {text, strlen(text)};
	struct giturl g = {0};
	const char *why = NULL;

	if (giturl_is(s, use)) {
		if (!giturl_parse(a, s, use, &g, &why)) {
			fuzz_must(why && *why);
		} else {
			fuzz_must(*g.remote && *g.remote != '-' && *g.ref != '-');
			fuzz_must(!fuzz_names_helper(g.remote) && *g.subdir != '/');
			for (const char *p = g.remote; *p; p++)
				fuzz_must((unsigned char)*p > ' ' && *p != 0x7f);
		}
	}
	(void)giturl_checksum(a, s);
	arena_free(a);
}

/* The secrets lie in the text, and are not seen once they are blanked. */
static void seen(void *ctx, struct slice secret)
{
	const struct slice *text = ctx;

	fuzz_must(secret.len > 0 && secret.ptr >= text->ptr &&
		  secret.ptr + secret.len <= text->ptr + text->len);
}

static void blanked(void *ctx, struct slice secret)
{
	seen(ctx, secret);
	for (size_t i = 0; i < secret.len; i++)
		fuzz_must(secret.ptr[i] == '*');
}

static void secrets(const uint8_t *data, size_t size)
{
	char *copy = mem_dup(data, size);
	struct slice text = {copy, size};

	urlsecret_each(text, seen, &text);
	urlsecret_blank(copy, size);
	urlsecret_each(text, blanked, &text);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *line = strchr(text, '\n');
	struct contextspec c = {0};
	struct err *err = NULL;

	if (size)
		secrets(data, size);
	if (line)
		*line++ = '\0';
	http(text, line ? line : "/x?y");
	git(text, GITURL_SOURCE);
	git(text, GITURL_CONTEXT);
	for (int named = 0; named < 2; named++)
		if (!fuzz_failed(contextspec_parse(text, named, &c, &err), &err))
			contextspec_clear(&c);
	free(text);
	return 0;
}

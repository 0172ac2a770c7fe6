// SPDX-License-Identifier: Apache-2.0
/*
 * Grammar (distribution reference, S26):
 *	name = [host "/"] part *("/" part)
 *	part = alnum+ *(("." | "_" | "__" | "-"+) alnum+)     lower case
 *	tag  = word (word | "." | "-"){0,127}
 * What is in front of the first "/" is a host only if it contains "." or ":" or an upper case
 * letter, or is "localhost".
 */
#include "store/reference.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define NAME_MAX_BYTES ((size_t)255)
#define TAG_MAX_BYTES  ((size_t)128)
#define TEXT_MAX_BYTES ((size_t)1024) /* more than any valid name, tag and digest */
#define DEFAULT_HOST   "docker.io"

void reference_clear(struct reference *r)
{
	free(r->host);
	free(r->path);
	free(r->tag);
	*r = (struct reference){0};
}

static bool lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Length of the separator at p: one '.', one or two '_', any number of '-'; 0 = none. */
static size_t separator(const char *p)
{
	if (*p == '.')
		return 1;
	if (*p == '_')
		return p[1] == '_' ? 2 : 1;
	return strspn(p, "-");
}

static bool reference_valid_part(const char *p, const char *end)
{
	for (;;) {
		if (p == end || !lower_alnum(*p))
			return false;
		while (p < end && lower_alnum(*p))
			p++;
		if (p == end)
			return true;
		size_t n = separator(p);
		if (!n || n > (size_t)(end - p))
			return false;
		p += n;
	}
}

static bool valid_path(const char *path)
{
	for (;;) {
		const char *end = path + strcspn(path, "/");
		if (!reference_valid_part(path, end))
			return false;
		if (!*end)
			return true;
		path = end + 1;
	}
}

static bool valid_port(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n > 0 && n <= 5 && !p[n];
}

/* "[::1]" with an optional port. */
static bool valid_ipv6(const char *host)
{
	size_t n = strcspn(host + 1, "]");
	const char *end = host + 1 + n;
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;

	if (*end != ']' || n >= sizeof address)
		return false;
	memcpy(address, host + 1, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1 &&
	       (!end[1] || (end[1] == ':' && valid_port(end + 2)));
}

/* Labels of letters, digits and inner '-', separated by dots, and an optional port. */
static bool valid_host(const char *host)
{
	const char *p = host;

	if (*p == '[')
		return valid_ipv6(host);
	for (;;) {
		size_t n = 0;
		while (alnum(p[n]) || p[n] == '-')
			n++;
		if (!n || *p == '-' || p[n - 1] == '-')
			return false;
		p += n;
		if (*p != '.')
			break;
		p++;
	}
	return !*p || (*p == ':' && valid_port(p + 1));
}

static bool is_host(const char *s, size_t n)
{
	if (memchr(s, '.', n) || memchr(s, ':', n) || *s == '[' ||
		(n == 9 && memcmp(s, "localhost", 9) == 0))
		return true;
	for (size_t i = 0; i < n; i++)
		if (s[i] >= 'A' && s[i] <= 'Z')
			return true;
	return false;
}

static bool valid_tag(const char *t)
{
	size_t n = strlen(t);

	if (n == 0 || n > TAG_MAX_BYTES || !(alnum(*t) || *t == '_'))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!alnum(t[i]) && !strchr("_.-", t[i]))
			return false;
	return true;
}

static int invalid(struct err **err, const char *text, const char *why)
{
	auto_free char *shown = fs_printable(text);

	return err_set(err, ERR_USAGE, "invalid image name \"%s\": %s", shown, why);
}

/* Split name into host and path, with Docker's defaults. */
static void reference_split_host(const char *name, struct reference *r)
{
	const char *slash = strchr(name, '/');

	if (slash && is_host(name, (size_t)(slash - name))) {
		r->host = mem_strndup(name, (size_t)(slash - name));
		name = slash + 1;
	} else {
		r->host = mem_strdup(DEFAULT_HOST);
	}
	if (strcmp(r->host, "index.docker.io") == 0) {
		free(r->host);
		r->host = mem_strdup(DEFAULT_HOST);
	}
	bool official = strcmp(r->host, DEFAULT_HOST) == 0 && !strchr(name, '/');
	r->path = mem_printf("%s%s", official ? "library/" : "", name);
}

/* Why a name cannot be one, NULL when it can. */
static const char *reference_check_name(const char *name, const struct reference *r)
{
	struct digest d;

	if (!*name)
		return "it is empty";
	if (sha256_parse_hex(name, strlen(name), &d) == 0)
		return "64 hexadecimal digits are an image ID, not a name";
	if (!valid_host(r->host))
		return "the registry host is malformed";
	if (!valid_path(r->path)) {
		for (const char *p = r->path; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				return "the repository must be lower-case";
		return "the repository is malformed";
	}
	if (strlen(r->host) + 1 + strlen(r->path) > NAME_MAX_BYTES)
		return "the name is longer than 255 bytes";
	return NULL;
}

static int reference_parse_parts(
	char *copy, const char *text, struct reference *r, struct err **err)
{
	char *at = strchr(copy, '@');

	if (at) {
		*at = '\0';
		if (sha256_parse_string(at + 1, &r->digest) < 0)
			return invalid(err, text,
				"after @ a digest sha256:... of 64 hexadecimal digits is expected");
		r->has_digest = true;
	}
	char *slash = strrchr(copy, '/');
	char *colon = strrchr(slash ? slash : copy, ':');
	if (colon) {
		*colon = '\0';
		if (!valid_tag(colon + 1))
			return invalid(err, text,
				"a tag is 1 to 128 letters, digits, _ . - and begins with a "
				"letter, digit or _");
		r->tag = mem_strdup(colon + 1);
	} else if (!at) {
		r->tag = mem_strdup("latest");
	}
	reference_split_host(copy, r);
	const char *why = reference_check_name(copy, r);
	return why ? invalid(err, text, why) : 0;
}

int reference_parse(const char *text, struct reference *out, struct err **err)
{
	auto_reference struct reference r = {0};

	if (strlen(text) > TEXT_MAX_BYTES)
		return err_set(err, ERR_USAGE, "invalid image name: it is longer than %zu bytes",
			TEXT_MAX_BYTES);
	auto_free char *copy = mem_strdup(text);
	if (reference_parse_parts(copy, text, &r, err) < 0)
		return -1;
	*out = r;
	r = (struct reference){0};
	return 0;
}

char *reference_name(const struct reference *r)
{
	return mem_printf("%s/%s", r->host, r->path);
}

char *reference_text(const struct reference *r)
{
	char digest[DIGEST_STRING];

	return mem_printf("%s/%s%s%s%s%s", r->host, r->path, r->tag ? ":" : "",
		r->tag ? r->tag : "", r->has_digest ? "@" : "",
		r->has_digest ? sha256_string(&r->digest, digest) : "");
}

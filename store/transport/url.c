// SPDX-License-Identifier: Apache-2.0
/*
 * A small strict parser instead of the HTTP library's lenient one: what decides about credentials
 * (the origin) must be read the same way by us and by the connection that is made, so odd spellings
 * are refused, not repaired.
 */
#include "store/transport/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

static int url_bad(struct err **err, const char *text, const char *why)
{
	auto_free char *shown = url_printable(text);
	return err_set(err, ERR_NET, "%s: %s", shown, why);
}

static bool host_char(unsigned char c)
{
	return isalnum(c) || c == '-' || c == '.' || c == '_';
}

static int url_parse_port(const char *p, const char *end, unsigned *port)
{
	unsigned v = 0;

	if (p == end || end - p > 5)
		return -1;
	for (; p < end; p++) {
		if (!isdigit((unsigned char)*p))
			return -1;
		v = v * 10 + (unsigned)(*p - '0');
	}
	if (v == 0 || v > 65535)
		return -1;
	*port = v;
	return 0;
}

/* End of the host, which begins at p; NULL when it is none. */
static const char *host_end(const char *p, const char *end)
{
	const char *stop;

	if (p < end && *p == '[') {
		stop = memchr(p, ']', (size_t)(end - p));
		for (const char *c = p + 1; stop && c < stop; c++)
			if (!isxdigit((unsigned char)*c) && *c != ':' && *c != '.')
				return NULL;
		return stop ? stop + 1 : NULL;
	}
	for (stop = p; stop < end && *stop != ':'; stop++)
		if (!host_char((unsigned char)*stop))
			return NULL;
	return stop > p ? stop : NULL;
}

static int parse_authority(const char *p, const char *end, struct url *u)
{
	const char *at = memrchr(p, '@', (size_t)(end - p));
	const char *stop;

	u->has_user = at != NULL;
	p = at ? at + 1 : p;
	stop = host_end(p, end);
	if (!stop || stop - p > 255)
		return -1;
	u->port = u->https ? 443 : 80;
	if (stop < end && (*stop != ':' || url_parse_port(stop + 1, end, &u->port) < 0))
		return -1;
	u->host = mem_strndup(p, (size_t)(stop - p));
	for (char *c = u->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return 0;
}

int url_parse(const char *text, struct url *out, struct err **err)
{
	struct url u = {0};
	const char *p, *end, *stop;
	size_t len = strlen(text);

	if (len > URL_MAX)
		return url_bad(err, "", "the URL is longer than 8 KiB");
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c == 0x7f || *c == '\\')
			return url_bad(err, text, "the URL has bytes that URLs cannot have");
	if (strncasecmp(text, "https://", 8) == 0) {
		u.https = true;
		p = text + 8;
	} else if (strncasecmp(text, "http://", 7) == 0) {
		p = text + 7;
	} else {
		return url_bad(err, text, "not an http or https URL");
	}
	end = text + len;
	stop = p + strcspn(p, "/?#");
	if (parse_authority(p, stop, &u) < 0) {
		url_clear(&u);
		return url_bad(err, text, "the URL has no valid host");
	}
	end = memchr(stop, '#', (size_t)(end - stop)) ? strchr(stop, '#') : end;
	u.target = mem_printf("%s%.*s", *stop == '/' ? "" : "/", (int)(end - stop), stop);
	*out = u;
	return 0;
}

void url_clear(struct url *u)
{
	free(u->host);
	free(u->target);
	*u = (struct url){0};
}

char *url_host_port(const struct url *u)
{
	if (u->port == (u->https ? 443u : 80u))
		return mem_strdup(u->host);
	return mem_printf("%s:%u", u->host, u->port);
}

char *url_text(const struct url *u)
{
	auto_free char *host = url_host_port(u);
	return mem_printf("%s://%s%s", u->https ? "https" : "http", host, u->target);
}

int url_resolve(const struct url *base, const char *ref, struct url *out, struct err **err)
{
	auto_free char *host = url_host_port(base);
	const char *scheme = base->https ? "https" : "http";
	auto_free char *full = NULL;

	if (strlen(ref) > URL_MAX)
		return url_bad(err, "", "the server redirects to a URL longer than 8 KiB");
	if (strstr(ref, "://") && strcspn(ref, "/?#") > 0 && ref[strcspn(ref, ":/?#")] == ':')
		return url_parse(ref, out, err);
	if (strncmp(ref, "//", 2) == 0) {
		full = mem_printf("%s:%s", scheme, ref);
	} else if (*ref == '/') {
		full = mem_printf("%s://%s%s", scheme, host, ref);
	} else if (*ref == '?') {
		full = mem_printf("%s://%s%.*s%s", scheme, host, (int)strcspn(base->target, "?"),
			base->target, ref);
	} else {
		size_t path = strcspn(base->target, "?");
		while (path > 0 && base->target[path - 1] != '/')
			path--;
		full = mem_printf("%s://%s%.*s%s", scheme, host, (int)path, base->target, ref);
	}
	return url_parse(full, out, err);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

static int url_hex_digit(char c)
{
	const char *set = "0123456789abcdef";
	const char *p = c ? strchr(set, tolower((unsigned char)c)) : NULL;
	return p ? (int)(p - set) : -1;
}

char *url_user_info(const char *text)
{
	const char *p = strstr(text, "://");
	const char *at = p ? memrchr(p + 3, '@', strcspn(p + 3, "/?#")) : NULL;
	char *out, *o;

	if (!at)
		return NULL;
	out = o = mem_strndup(p + 3, (size_t)(at - p - 3));
	for (const char *c = out; *c; c++) {
		int high = *c == '%' ? url_hex_digit(c[1]) : -1,
		    low = high >= 0 ? url_hex_digit(c[2]) : -1;

		*o++ = low >= 0 ? (char)(high * 16 + low) : *c;
		if (low >= 0)
			c += 2;
	}
	*o = '\0';
	for (o = out; *o; o++)
		if ((unsigned char)*o < ' ') {
			free(out);
			return NULL;
		}
	return out;
}

char *url_printable(const char *text)
{
	struct buf b;
	const char *p = strstr(text, "://");
	size_t scheme = 0;

	buf_init(&b, (size_t)1 << 20);
	if (p) {
		const char *rest = p + 3;
		size_t authority = strcspn(rest, "/?#");
		const char *at = memrchr(rest, '@', authority);

		scheme = (size_t)(rest - text);
		buf_add_escaped(&b, text, scheme, false);
		text = at ? at + 1 : rest;
	}
	buf_add_escaped(&b, text,
		strnlen(text, strcspn(text, "?#") < 512 ? strcspn(text, "?#") : 512), false);
	return buf_take(&b);
}

void url_add_query(struct buf *b, const char *name, const char *value)
{
	static const char safe[] = "-._~:/";

	buf_addc(b, memchr(b->data, '?', b->len) ? '&' : '?');
	buf_adds(b, name);
	buf_addc(b, '=');
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		if (isalnum(*c) || strchr(safe, *c))
			buf_addc(b, (char)*c);
		else
			buf_addf(b, "%%%02X", *c);
	}
}

bool url_listed(const char *list, const char *host, unsigned port)
{
	auto_free char *with_port = mem_printf("%s:%u", host, port);

	for (const char *p = list ? list : ""; *p;) {
		size_t n = strcspn(p, ", ");

		if ((n == strlen(host) && strncasecmp(p, host, n) == 0) ||
			(n == strlen(with_port) && strncasecmp(p, with_port, n) == 0))
			return true;
		p += n;
		p += strspn(p, ", ");
	}
	return false;
}

bool url_is_loopback(const char *host_port)
{
	auto_free char *host = mem_strdup(host_port);
	struct in_addr four;
	char *end;

	if (*host == '[') {
		end = strchr(host, ']');
		return end && strncmp(host, "[::1]", 5) == 0 && (end[1] == '\0' || end[1] == ':');
	}
	end = strchr(host, ':');
	if (end)
		*end = '\0';
	if (strcasecmp(host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, host, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

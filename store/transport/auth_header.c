// SPDX-License-Identifier: Apache-2.0
/*
 * A list element that is "token = value" belongs to the challenge before it, any other token begins
 * a new one; that rule alone tells challenges and parameters apart, since both are separated by
 * commas.
 */
#include "store/transport/auth_header.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"

static bool token_char(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *auth_header_skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *skip_token(const char *p)
{
	while (token_char((unsigned char)*p))
		p++;
	return p;
}

static char *auth_header_lower(const char *p, size_t n)
{
	char *s = mem_strndup(p, n);

	for (char *c = s; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return s;
}

/* Behind the value, or NULL. */
static const char *read_value(const char *p, struct buf *out)
{
	if (*p != '"') {
		const char *end = skip_token(p);
		/* Seen in the wild: unquoted URLs and scopes. */
		while (*end && !strchr(" \t,\"", *end))
			end++;
		return end > p && buf_add(out, p, (size_t)(end - p)) == 0 ? end : NULL;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (buf_addc(out, *p) < 0)
			return NULL;
	}
	return *p == '"' ? p + 1 : NULL;
}

static const char *read_param(const char *name, size_t len, const char *p, struct auth_challenge *c)
{
	auto_free char *key = auth_header_lower(name, len);
	auto_buf struct buf value;

	buf_init(&value, AUTH_HEADER_VALUE_MAX);
	p = read_value(p, &value);
	if (!p || memchr(value.data, '\0', value.len))
		return NULL;
	if (strlist_get_kv(&c->params, key)) /* the first counts */
		return p;
	if (c->params.n == AUTH_HEADER_PARAMS)
		return NULL;
	strlist_set_kv(&c->params, key, value.data);
	return p;
}

/* The rest of a challenge that is one opaque word (token68). */
static const char *skip_token68(const char *p)
{
	const char *q = p;

	while (isalnum((unsigned char)*q) || (*q && strchr("-._~+/", *q)))
		q++;
	while (*q == '=')
		q++;
	return q > p && (*auth_header_skip_blanks(q) == ',' || *auth_header_skip_blanks(q) == '\0')
		       ? auth_header_skip_blanks(q)
		       : p;
}

int auth_header_parse(const char *value, struct auth_header *h)
{
	struct auth_challenge *now = NULL;
	const char *p = value;

	for (;;) {
		const char *start, *end;

		while (*p == ' ' || *p == '\t' || *p == ',')
			p++;
		if (*p == '\0')
			return 0;
		start = p;
		end = skip_token(p);
		if (end == start)
			return -1;
		p = auth_header_skip_blanks(end);
		if (*p == '=' && now) {
			p = read_param(
				start, (size_t)(end - start), auth_header_skip_blanks(p + 1), now);
			if (!p)
				return -1;
			p = auth_header_skip_blanks(p);
			if (*p != ',' && *p != '\0')
				return -1;
			continue;
		}
		if (h->n == AUTH_HEADER_CHALLENGES || (*p != '\0' && *p != ',' && p == end))
			return -1;
		now = &h->v[h->n++];
		*now = (struct auth_challenge){
			.scheme = auth_header_lower(start, (size_t)(end - start))};
		p = skip_token68(p);
	}
}

void auth_header_clear(struct auth_header *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].scheme);
		strlist_clear(&h->v[i].params);
	}
	h->n = 0;
}

const struct auth_challenge *auth_header_find(const struct auth_header *h, const char *scheme)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->v[i].scheme, scheme) == 0)
			return &h->v[i];
	return NULL;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What a server says in an answer that is no success, as words for the user: the JSON forms of
 * registries and token servers, or one line of plain text. HTML is not shown. All of it is escaped
 * and cut.
 */
#include "store/transport/reply.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "store/base/jsonx.h"
#include "store/base/mem.h"

#define REPLY_WORDS_MAX ((size_t)300)

static const char *reply_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{400, " Bad Request"},
		{401, " Unauthorized"},
		{403, " Forbidden"},
		{404, " Not Found"},
		{405, " Method Not Allowed"},
		{408, " Request Timeout"},
		{413, " Content Too Large"},
		{415, " Unsupported Media Type"},
		{416, " Range Not Satisfiable"},
		{429, " Too Many Requests"},
		{500, " Internal Server Error"},
		{502, " Bad Gateway"},
		{503, " Service Unavailable"},
		{504, " Gateway Timeout"},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].status == status)
			return known[i].text;
	return "";
}

static void add_words(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	if (n == 0)
		return;
	buf_adds(b, ": ");
	buf_add_escaped(b, s, n < REPLY_WORDS_MAX ? n : REPLY_WORDS_MAX, false);
}

static const char *reply_member(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);
	return json_is_string(v) && json_string_length(v) > 0 ? json_string_value(v) : NULL;
}

/* {"errors":[{"code":..,"message":..}]} or {"error":"..","error_description":".."} or
 * {"details":".."} */
static bool json_words(json_t *doc, struct buf *b)
{
	json_t *first = json_array_get(json_object_get(doc, "errors"), 0);
	static const char *const keys[] = {"error_description", "message", "details", "error"};
	const char *words;

	if (json_is_object(first)) {
		words = reply_member(first, "message");
		if (!words)
			words = reply_member(first, "code");
		if (words)
			add_words(b, words);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		words = reply_member(doc, keys[i]);
		if (words) {
			add_words(b, words);
			return true;
		}
	}
	return json_is_object(doc);
}

static json_t *reply_load(const struct http_response *r)
{
	if (r->body.len == 0 || (r->body.data[0] != '{' && r->body.data[0] != '['))
		return NULL;
	return jsonx_load(r->body.data, r->body.len, HTTP_ERROR_MAX, "error", NULL);
}

static void body_words(const struct http_response *r, struct buf *b)
{
	auto_json json_t *doc = reply_load(r);
	const char *type = http_header(r, "content-type");
	size_t line;

	if (doc && json_words(doc, b))
		return;
	if (r->body.len == 0 || !type || strncasecmp(type, "text/plain", 10) != 0)
		return;
	line = strcspn(r->body.data, "\r\n");
	if (line > 0 && line <= REPLY_WORDS_MAX) {
		auto_free char *text = mem_strndup(r->body.data, line);
		add_words(b, text);
	}
}

/* What the servers in use say to http:// on a port of https. */
static bool wants_https(const struct http_response *r)
{
	static const char *const words[] = {
		"to an HTTPS server", "to HTTPS port", "to an SSL-enabled"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (r->status == 400 && r->body.len && strstr(r->body.data, words[i]))
			return r->url && strncmp(r->url, "http://", 7) == 0;
	return false;
}

int reply_error(const struct http_response *r, const char *what, struct err **err)
{
	auto_buf struct buf words;
	enum err_kind kind = r->status == 401 || r->status == 403 ? ERR_AUTH : ERR_NET;

	buf_init(&words, (size_t)16 << 10);
	body_words(r, &words);
	err_set(err, kind, "%s: HTTP %d%s%s", what, r->status, reply_reason(r->status), words.data);
	if (wants_https(r))
		err_hint(err, "the server speaks https there and was asked with http: its URL "
			      "begins with https://");
	return -1;
}

bool reply_has_code(const struct http_response *r, const char *code)
{
	auto_json json_t *doc = reply_load(r);
	json_t *list = json_object_get(doc, "errors");
	json_t *e;
	size_t i;

	json_array_foreach(list, i, e)
	{
		const char *c = reply_member(e, "code");
		if (c && (!code || strcmp(c, code) == 0))
			return true;
	}
	return false;
}

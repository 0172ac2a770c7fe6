// SPDX-License-Identifier: Apache-2.0
/*
 * jansson behind bounds. Values are counted in the text before the parser makes anything of it, for
 * its tree is many times larger than what it was made from. The parser's message quotes the text,
 * so it is escaped. Getters name the path of a wrong member; strings they return belong to the
 * document.
 */
#include "store/base/jsonx.h"

#include <string.h>
#include <sys/auxv.h>

#include "store/base/buf.h"
#include "store/base/mem.h"

void jsonx_start(void)
{
	/* 16 bytes that the kernel gave this process, of which other use is made, too. */
	uintptr_t at = getauxval(AT_RANDOM);
	struct digest d;
	size_t seed;

	if (!at)
		return;
	sha256_of((const void *)at, 16, &d);
	memcpy(&seed, d.b, sizeof seed);
	json_object_seed(seed);
}

/*
 * An upper bound of the values in a text, before anything is made of it: each is the first of a
 * container, which has an opening bracket, or comes after a comma. In what is no JSON it is some
 * number.
 */
static size_t count_values(const char *p, size_t n)
{
	size_t count = 1;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (quoted && p[i] == '\\')
			i++;
		else if (!quoted && (p[i] == ',' || p[i] == '{' || p[i] == '['))
			count++;
	}
	return count;
}

json_t *jsonx_load(const char *p, size_t n, size_t max, const char *what, struct err **err)
{
	json_error_t e;

	if (n > max) {
		err_set(err, ERR_LIMIT, "%s: %zu bytes, the limit is %zu", what, n, max);
		return NULL;
	}
	if (count_values(p, n) > JSONX_VALUES_MAX) {
		err_set(err, ERR_LIMIT, "%s: more than %d values", what, JSONX_VALUES_MAX);
		return NULL;
	}
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &e);
	if (!j) {
		auto_buf struct buf text = {0};
		/* the parser quotes what it found, so its text comes from outside */
		buf_init(&text, BUF_TEXT_MAX);
		buf_add_escaped(&text, e.text, strlen(e.text), false);
		err_set(err, ERR_CORRUPT, "%s: not valid JSON: line %d: %s", what, e.line,
			text.data);
	}
	return j;
}

char *jsonx_dump(const json_t *j, size_t *len)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!s)
		mem_exhausted(); /* only out of memory: what we dump was loaded or built by us */
	if (len)
		*len = strlen(s);
	return s;
}

static char *as_utf8(const char *s)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	buf_add_utf8(&b, s, strlen(s));
	return buf_take(&b);
}

static json_t *jsonx_checked(json_t *j)
{
	if (!j)
		mem_exhausted();
	return j;
}

json_t *jsonx_text(const char *s)
{
	json_t *j = json_string(s);

	if (j)
		return j;
	auto_free char *clean = as_utf8(s);
	return jsonx_checked(json_string(clean));
}

void jsonx_set(json_t *o, const char *key, json_t *take_value)
{
	auto_free char *clean = as_utf8(key);

	if (json_object_set_new(o, clean, jsonx_checked(take_value)) < 0)
		mem_exhausted();
}

void jsonx_set_text(json_t *o, const char *key, const char *text)
{
	if (text)
		jsonx_set(o, key, jsonx_text(text));
}

json_t *jsonx_from_strlist(const struct strlist *l)
{
	json_t *a = jsonx_checked(json_array());

	for (size_t i = 0; i < l->n; i++)
		if (json_array_append_new(a, jsonx_text(l->v[i])) < 0)
			mem_exhausted();
	return a;
}

static int jsonx_wrong(struct err **err, const char *path, const char *key, const char *what)
{
	bool top = !path || !*path;

	return err_set(err, ERR_CORRUPT, "%s%s%s: %s", top ? "" : path, top ? "" : ".", key, what);
}

/* The member, NULL when it is missing or null: 1 there, 0 missing, -1 missing and required. */
static int jsonx_member(
	json_t *o, const char *key, bool required, const char *path, json_t **out, struct err **err)
{
	json_t *v = json_object_get(o, key);

	if (json_is_null(v))
		v = NULL;
	if (!v && required)
		return jsonx_wrong(err, path, key, "missing");
	*out = v;
	return v ? 1 : 0;
}

int jsonx_object(
	json_t *o, const char *key, bool required, const char *path, json_t **out, struct err **err)
{
	json_t *v = NULL;

	if (jsonx_member(o, key, required, path, &v, err) < 0)
		return -1;
	if (v && !json_is_object(v))
		return jsonx_wrong(err, path, key, "expected object");
	*out = v;
	return 0;
}

int jsonx_array(
	json_t *o, const char *key, bool required, const char *path, json_t **out, struct err **err)
{
	json_t *v = NULL;

	if (jsonx_member(o, key, required, path, &v, err) < 0)
		return -1;
	if (v && !json_is_array(v))
		return jsonx_wrong(err, path, key, "expected array");
	*out = v;
	return 0;
}

int jsonx_string(json_t *o, const char *key, bool required, const char *path, const char **out,
	struct err **err)
{
	json_t *v = NULL;

	if (jsonx_member(o, key, required, path, &v, err) < 0)
		return -1;
	if (v && !json_is_string(v))
		return jsonx_wrong(err, path, key, "expected string");
	*out = v ? json_string_value(v) : NULL;
	return 0;
}

int jsonx_int(
	json_t *o, const char *key, bool required, const char *path, int64_t *out, struct err **err)
{
	json_t *v = NULL;

	if (jsonx_member(o, key, required, path, &v, err) < 0)
		return -1;
	if (v && !json_is_integer(v))
		return jsonx_wrong(err, path, key, "expected integer");
	if (v)
		*out = json_integer_value(v);
	return 0;
}

int jsonx_digest(json_t *o, const char *key, bool required, const char *path, struct digest *out,
	struct err **err)
{
	const char *s = NULL;

	if (jsonx_string(o, key, required, path, &s, err) < 0)
		return -1;
	if (s && sha256_parse_string(s, out) < 0)
		return jsonx_wrong(err, path, key, "not a sha256 digest");
	return 0;
}

int jsonx_strlist(
	json_t *o, const char *key, const char *path, struct strlist *out, struct err **err)
{
	json_t *v = NULL, *item;
	size_t i;
	auto_strlist struct strlist list = {0};

	if (jsonx_array(o, key, false, path, &v, err) < 0)
		return -1;
	json_array_foreach(v, i, item)
	{
		if (!json_is_string(item)) {
			auto_free char *at = mem_printf("%s[%zu]", key, i);
			return jsonx_wrong(err, path, at, "expected string");
		}
		strlist_add(&list, json_string_value(item));
	}
	strlist_clear(out);
	*out = list;
	list = (struct strlist){0};
	return 0;
}

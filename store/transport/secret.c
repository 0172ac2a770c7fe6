// SPDX-License-Identifier: Apache-2.0
/*
 * Passwords and tokens in pages of their own that no core dump contains, wiped when they are freed.
 * Also the wiping of what they passed through: buffers and JSON documents, which jansson would free
 * as they are.
 */
#include "store/transport/secret.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/base/base64.h"
#include "store/base/mem.h"

struct secret {
	size_t room; /* bytes of text */
	size_t len;
	char text[];
};

/* Pages of its own, all zero, which no core dump has. */
static struct secret *secret_reserve(size_t room)
{
	struct secret *s = mmap(
		NULL, sizeof *s + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		abort(); /* as everywhere when memory ends */
	(void)madvise(s, sizeof *s + room, MADV_DONTDUMP);
	s->room = room;
	return s;
}

struct secret *secret_new(const char *p, size_t n)
{
	struct secret *s = secret_reserve(n + 1);

	s->len = n;
	if (n)
		memcpy(s->text, p, n);
	return s;
}

struct secret *secret_of(const char *text)
{
	return text ? secret_new(text, strlen(text)) : NULL;
}

struct secret *secret_copy(const struct secret *s)
{
	return s ? secret_new(s->text, s->len) : NULL;
}

const char *secret_text(const struct secret *s)
{
	return s ? s->text : "";
}

size_t secret_length(const struct secret *s)
{
	return s ? s->len : 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a && b && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	explicit_bzero(s->text, s->len);
	munmap(s, sizeof *s + s->room);
}

struct secret *secret_base64_encode(const void *p, size_t n)
{
	struct secret *s = secret_reserve(BASE64_LENGTH(n) + 1);

	base64_encode(p, n, s->text);
	s->len = BASE64_LENGTH(n);
	return s;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

struct secret *secret_base64_decode(const char *text)
{
	auto_secret struct secret *s = NULL;
	size_t n = strlen(text), fill;
	unsigned v = 0, bits = 0;

	for (fill = 0; n > 0 && text[n - 1] == '=' && fill < 2; fill++)
		n--;
	if (n % 4 == 1 || (fill > 0 && (n + fill) % 4 != 0))
		return NULL;
	s = secret_reserve(n / 4 * 3 + 4);
	for (size_t i = 0; i < n; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return NULL;
		v = v << 6 | (unsigned)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			s->text[s->len++] = (char)(v >> bits & 255);
		}
	}
	while (s->len > 0 && s->text[s->len - 1] == '\0')
		s->len--;
	return TAKE(s);
}

struct secret *secret_basic(const char *user, const struct secret *password)
{
	size_t n = strlen(user) + 1 + secret_length(password);
	auto_secret struct secret *plain = secret_reserve(n + 1);
	auto_secret struct secret *coded = NULL;
	struct secret *out;

	plain->len = n;
	memcpy(plain->text, user, strlen(user));
	plain->text[strlen(user)] = ':';
	memcpy(plain->text + strlen(user) + 1, secret_text(password), secret_length(password));
	coded = secret_base64_encode(plain->text, n);
	out = secret_reserve(6 + coded->len + 1);
	out->len = 6 + coded->len;
	memcpy(out->text, "Basic ", 6);
	memcpy(out->text + 6, coded->text, coded->len);
	return out;
}

void secret_clear_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	buf_clear(b);
}

/* jansson frees without zeroing. */
static void secret_wipe(json_t *j)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_string(j)) {
		union {
			const char *in;
			char *out;
		} text = {.in = json_string_value(j)};
		explicit_bzero(text.out, json_string_length(j));
	} else if (json_is_array(j)) {
		json_array_foreach(j, i, v) secret_wipe(v);
	} else if (json_is_object(j)) {
		json_object_foreach(j, key, v) secret_wipe(v);
	}
}

void secret_clear_json(struct json_t **doc)
{
	if (!*doc)
		return;
	secret_wipe(*doc);
	json_decref(*doc);
	*doc = NULL;
}

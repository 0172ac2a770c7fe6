// SPDX-License-Identifier: Apache-2.0
/*
 * Output for people and for programs. Everything printed is escaped, as names and labels come from
 * images. JSON is collected without white space and laid out when it is printed; there, characters
 * that are valid in JSON but not fit for a terminal become \uXXXX.
 */
#include "builder/cli/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/diag.h"
#include "store/base/mem.h"

static void print_escaped(const char *s)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_add_escaped(&b, s, strlen(s), true);
	fwrite(b.data, 1, b.len, stdout);
}

void show_line(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = mem_vprintf(fmt, ap);
	va_end(ap);
	print_escaped(s);
	free(s);
}

const char *show_short_id(const struct digest *d, char out[DIGEST_HEX])
{
	sha256_hex(d, out);
	out[SHOW_SHORT_ID] = '\0';
	return out;
}

/* --- tables -------------------------------------------------------------------- */

void show_table_row(struct show_table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		auto_buf struct buf b;

		buf_init(&b, BUF_TEXT_MAX);
		buf_add_escaped(&b, cells[i], strlen(cells[i]), false);
		strlist_add_take(&t->cells, buf_take(&b));
	}
}

void show_table_print(struct show_table *t)
{
	size_t width[SHOW_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < t->cells.n; i++) {
		size_t n = strlen(t->cells.v[i]);

		if (n > width[i % t->ncolumns])
			width[i % t->ncolumns] = n;
	}
	for (size_t i = 0; i < t->cells.n; i++) {
		if (i % t->ncolumns == t->ncolumns - 1)
			printf("%s\n", t->cells.v[i]);
		else
			printf("%-*s  ", (int)width[i % t->ncolumns], t->cells.v[i]);
	}
	strlist_clear(&t->cells);
}

/* --- JSON ---------------------------------------------------------------------- */

void show_json_init(struct show_json *j)
{
	buf_init(&j->b, BUF_TEXT_MAX);
	j->comma = false;
}

void show_json_clear(struct show_json *j)
{
	buf_clear(&j->b);
}

static void show_to_buf(void *ctx, struct slice s)
{
	buf_add(ctx, s.ptr, s.len);
}

static void begin_value(struct show_json *j, const char *key)
{
	if (j->comma)
		buf_addc(&j->b, ',');
	j->comma = true;
	if (key) {
		diag_render_json_string(slice_of(key), show_to_buf, &j->b);
		buf_addc(&j->b, ':');
	}
}

void show_json_open(struct show_json *j, const char *key, char bracket)
{
	begin_value(j, key);
	buf_addc(&j->b, bracket);
	j->comma = false;
}

void show_json_close(struct show_json *j, char bracket)
{
	buf_addc(&j->b, bracket);
	j->comma = true;
}

void show_json_string(struct show_json *j, const char *key, const char *value)
{
	begin_value(j, key);
	if (value)
		diag_render_json_string(slice_of(value), show_to_buf, &j->b);
	else
		buf_adds(&j->b, "null");
}

void show_json_digest(struct show_json *j, const char *key, const struct digest *d)
{
	char text[DIGEST_STRING];

	show_json_string(j, key, sha256_string(d, text));
}

void show_json_number(struct show_json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	buf_addf(&j->b, "%llu", (unsigned long long)value);
}

void show_json_bool(struct show_json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_adds(&j->b, value ? "true" : "false");
}

void show_json_raw(struct show_json *j, const char *key, const char *p, size_t n)
{
	begin_value(j, key);
	buf_add(&j->b, p, n);
}

/* Characters that are valid in JSON and not on a terminal: DEL, C1 controls, marks of direction,
 * line separators. */
static bool is_unsafe(unsigned c)
{
	return c == 0x7f || (c >= 0x80 && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* One character inside a string; returns its bytes. Only lengths up to three can be unsafe. */
static size_t pretty_char(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned c = p[0];

	if (len > n) { /* cut off */
		buf_adds(out, "\\ufffd");
		return n;
	}
	if (len == 2)
		c = (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	else if (len == 3)
		c = (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
	if (len < 4 && is_unsafe(c))
		buf_addf(out, "\\u%04x", c);
	else
		buf_add(out, s, len);
	return len;
}

static size_t pretty_string(struct buf *out, const char *s, size_t n)
{
	size_t i = 1;

	buf_addc(out, '"');
	while (i < n && s[i] != '"') {
		if (s[i] == '\\' && i + 1 < n) {
			buf_add(out, s + i, 2);
			i += 2;
		} else {
			i += pretty_char(out, s + i, n - i);
		}
	}
	buf_addc(out, '"');
	return i + 1;
}

static void newline(struct buf *out, int depth)
{
	buf_addf(out, "\n%*s", depth * 2, "");
}

void show_json_pretty(const struct show_json *j, struct buf *out)
{
	const char *s = j->b.data;
	size_t n = j->b.len;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"') {
			i += pretty_string(out, s + i, n - i) - 1;
		} else if (s[i] == '{' || s[i] == '[') {
			buf_addc(out, s[i]);
			while (i + 1 < n && strchr(" \t\r\n", s[i + 1]))
				i++;
			if (i + 1 < n && (s[i + 1] == '}' || s[i + 1] == ']'))
				buf_addc(out, s[++i]);
			else
				newline(out, ++depth);
		} else if (s[i] == '}' || s[i] == ']') {
			newline(out, --depth);
			buf_addc(out, s[i]);
		} else if (s[i] == ',') {
			buf_addc(out, ',');
			newline(out, depth);
		} else if (s[i] == ':') {
			buf_adds(out, ": ");
		} else if (!strchr(" \t\r\n", s[i])) {
			buf_addc(out, s[i]);
		}
	}
	buf_addc(out, '\n');
}

void show_json_print(const struct show_json *j)
{
	auto_buf struct buf out;

	buf_init(&out, BUF_TEXT_MAX);
	show_json_pretty(j, &out);
	fwrite(out.data, 1, out.len, stdout);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A buffer that grows by doubling up to a maximum. Beyond that nothing more is added and "full"
 * stays set, so a row of calls needs one check at its end. The escaping here is what keeps text
 * from outside from controlling a terminal: control characters, broken UTF-8 and bidirectional
 * controls become visible.
 */
#include "store/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.data = mem_alloc(1), .cap = 1, .max = max};
}

void buf_clear(struct buf *b)
{
	int saved = errno;

	free(b->data);
	*b = (struct buf){0};
	errno = saved;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Room for n more bytes and the NUL, or -1 and `full` when that would pass the maximum. */
static int buf_reserve(struct buf *b, size_t n)
{
	if (b->full || n > b->max - b->len) {
		b->full = true;
		return -1;
	}
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	b->data = mem_grow(b->data, cap, 1);
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	if (buf_reserve(b, n) < 0)
		return -1;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || buf_reserve(b, (size_t)n) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

/* What the first byte of a sequence says of its length; 0: no sequence begins so. */
static size_t utf8_len(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first >= 0xf5)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 =
 * none. */
static size_t buf_utf8_decode(const unsigned char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = utf8_len(s[0]);

	if (!len || len > n)
		return 0;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*cp = c;
	return len;
}

/* Code points that change how the text around them is shown: C1 controls, line separators, and the
 * bidirectional controls of Unicode annex 9. */
static bool misleading(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

int buf_add_escaped(struct buf *b, const char *s, size_t n, bool keep_lines)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		size_t len = buf_utf8_decode(p + i, n - i, &c);
		if (!len || c == 0x7f || (c < 0x20 && !(keep_lines && (c == '\n' || c == '\t')))) {
			buf_addf(b, "\\x%02x", p[i]);
			len = 1;
		} else if (misleading(c)) {
			buf_addf(b, "\\u{%x}", (unsigned)c);
		} else {
			buf_add(b, p + i, len);
		}
		if (b->full)
			return -1;
		i += len;
	}
	return 0;
}

int buf_add_utf8(struct buf *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		uint32_t c;
		size_t len = buf_utf8_decode(p + i, n - i, &c);
		if ((len ? buf_add(b, p + i, len) : buf_adds(b, "\xef\xbf\xbd")) < 0)
			return -1;
		i += len ? len : 1;
	}
	return 0;
}

char *buf_take(struct buf *b)
{
	char *p = TAKE(b->data);

	*b = (struct buf){0};
	return p;
}

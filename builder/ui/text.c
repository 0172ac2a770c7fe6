// SPDX-License-Identifier: Apache-2.0
/*
 * Making text harmless and fitting it into columns. The width of a character is a coarse table of
 * the wide and the combining blocks of Unicode: wcwidth() depends on the locale, which bld does not
 * set.
 */
#include "builder/ui/text.h"

#include <stdint.h>

#include "store/base/cleanup.h"

#define TEXT_SGR_MAX 64 /* bytes of one colour sequence; a longer one is shown escaped */
#define TEXT_TAB     8

/* Length of the SGR sequence at p, 0 if there is none. */
static size_t sgr_length(const char *p, size_t n)
{
	size_t i = 2;

	if (n < 3 || p[0] != '\x1b' || p[1] != '[')
		return 0;
	while (i < n && i < TEXT_SGR_MAX &&
		((p[i] >= '0' && p[i] <= '9') || p[i] == ';' || p[i] == ':'))
		i++;
	return i < n && i < TEXT_SGR_MAX && p[i] == 'm' ? i + 1 : 0;
}

void text_add_line(struct buf *out, const char *p, size_t n, bool sgr)
{
	bool colored = false;

	for (size_t i = 0, from = 0;; i++) {
		size_t len = i < n && p[i] == '\x1b' ? sgr_length(p + i, n - i) : 0;

		if (i < n && len == 0)
			continue;
		buf_add_escaped(out, p + from, i - from, true);
		if (i >= n)
			break;
		if (sgr) {
			buf_add(out, p + i, len);
			colored = true;
		}
		from = i + len;
		i = from - 1;
	}
	if (colored)
		buf_adds(out, "\x1b[0m");
}

struct range {
	uint32_t first;
	uint32_t last;
};

static bool in_ranges(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= r[i].first && c <= r[i].last)
			return true;
	}
	return false;
}

static size_t char_width(uint32_t c)
{
	static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff},
		{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
	static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
		/* Symbols that some terminals show wide: too few columns used is harmless, too many
		   wrap. */
		{0x2600, 0x27bf}, {0x2b00, 0x2bff}, {0x1f000, 0x1faff}, {0x20000, 0x3fffd}};

	if (c < 0x300)
		return 1;
	if (in_ranges(none, ARRAY_LEN(none), c))
		return 0;
	return in_ranges(wide, ARRAY_LEN(wide), c) ? 2 : 1;
}

/* One character of text that text_add_line made, so it is valid UTF-8. */
static size_t text_decode(const char *s, uint32_t *c)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	*c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (p[i] & 0x3f);
	return n;
}

/* Harmless text in, at most `columns` of it out. */
static size_t add_columns(struct buf *out, const struct buf *in, size_t columns)
{
	size_t at = 0;

	for (size_t i = 0; i < in->len;) {
		size_t len = sgr_length(in->data + i, in->len - i), width = 0;
		uint32_t c = 0;

		if (len == 0) {
			len = text_decode(in->data + i, &c);
			width = c == '\t' ? TEXT_TAB - at % TEXT_TAB : char_width(c);
		}
		if (at + width > columns)
			return at;
		if (c == '\t')
			buf_addf(out, "%*s", (int)width, "");
		else
			buf_add(out, in->data + i, len);
		at += width;
		i += len;
	}
	return at;
}

size_t text_add_cut(struct buf *out, const char *p, size_t n, bool sgr, size_t columns)
{
	auto_buf struct buf line;
	size_t used;
	/* No more bytes than could be seen: an escape takes up to four for one column. */
	size_t most = columns * 4 + (sgr ? TEXT_SGR_MAX * 4 : 0) + 4;

	buf_init(&line, BUF_TEXT_MAX);
	text_add_line(&line, p, n < most ? n : most, sgr);
	used = add_columns(out, &line, columns);
	if (sgr && line.len >= 4 && line.data[line.len - 1] == 'm')
		buf_adds(out, "\x1b[0m");
	return used;
}

void text_add_seconds(struct buf *out, double seconds)
{
	unsigned long long s = seconds > 0 ? (unsigned long long)seconds : 0;

	if (s < 60)
		buf_addf(out, "%.1fs", seconds > 0 ? seconds : 0.0);
	else if (s < 3600)
		buf_addf(out, "%llum%02llus", s / 60, s % 60);
	else
		buf_addf(out, "%lluh%02llum", s / 3600, s / 60 % 60);
}

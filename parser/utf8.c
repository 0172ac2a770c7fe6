// SPDX-License-Identifier: Apache-2.0
/*
 * UTF-8 as RFC 3629 has it. Of overlong forms, surrogates and cut sequences only the first byte is
 * taken, as an invalid one, so a decoder always moves on and no byte is lost to the one before it.
 */
#include "parser/utf8.h"

static int continuation(struct slice s, size_t at)
{
	return at < s.len && ((unsigned char)s.ptr[at] & 0xC0) == 0x80
		       ? (unsigned char)s.ptr[at] & 0x3F
		       : -1;
}

size_t utf8_decode(struct slice s, uint32_t *rune)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)s.ptr[0];
	uint32_t value;
	size_t len;

	if (lead < 0x80) {
		*rune = lead;
		return 1;
	}
	*rune = UTF8_INVALID;
	len = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
	if (len == 0)
		return 1;
	value = lead & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		int more = continuation(s, i);

		if (more < 0)
			return 1;
		value = value << 6 | (uint32_t)more;
	}
	if (value < smallest[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 1;
	*rune = value;
	return len;
}

size_t utf8_encode(uint32_t rune, char out[4])
{
	if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF))
		rune = 0xFFFD;
	if (rune < 0x80) {
		out[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (char)(0xC0 | rune >> 6);
		out[1] = (char)(0x80 | (rune & 0x3F));
		return 2;
	}
	if (rune < 0x10000) {
		out[0] = (char)(0xE0 | rune >> 12);
		out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
		out[2] = (char)(0x80 | (rune & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | rune >> 18);
	out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
	out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
	out[3] = (char)(0x80 | (rune & 0x3F));
	return 4;
}

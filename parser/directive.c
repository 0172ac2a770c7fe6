// SPDX-License-Identifier: Apache-2.0
/*
 * The lines "# key=value" at the top. They end at the first line that is not one of the three known
 * keys, and that line is an ordinary comment. The escape character is set in struct build here,
 * before any line is put together: the grammar continues where directives_end says.
 */
#include "parser/directive.h"

static bool directive_name_char(char c, bool first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return letter || (!first && c >= '0' && c <= '9');
}

bool directive_split(struct slice line, struct slice *name, struct slice *value)
{
	struct slice s = slice_trim(line);
	size_t n = 0;

	if (s.len == 0 || s.ptr[0] != '#')
		return false;
	s = slice_trim_left(slice_from(s, 1));
	while (n < s.len && directive_name_char(s.ptr[n], n == 0))
		n++;
	*name = slice_sub(s, 0, n);
	s = slice_trim_left(slice_from(s, n));
	if (n == 0 || s.len == 0 || s.ptr[0] != '=')
		return false;
	*value = slice_trim_left(slice_from(s, 1));
	return true;
}

static struct span directive_span_of(const struct build *b, struct slice cut)
{
	return (struct span){(size_t)(cut.ptr - b->df->source.text.ptr), cut.len};
}

/* False when the key is not one of the known three. */
static bool directive_apply(struct build *b, struct slice name, struct slice value)
{
	struct dockerfile *df = b->df;
	struct word *slot = slice_eq_nocase(name, "syntax")   ? &df->syntax
			    : slice_eq_nocase(name, "check")  ? &df->check
			    : slice_eq_nocase(name, "escape") ? &df->escape_word
							      : NULL;

	if (!slot)
		return false;
	if (slot->text.ptr) {
		build_error(b, "directive", directive_span_of(b, name),
			"directive \"%.*s\" is given twice", BUILD_SHOWN(name));
		return true;
	}
	*slot = (struct word){value, directive_span_of(b, value)};
	if (slot != &df->escape_word)
		return true;
	if (slice_eq_str(value, "\\") || slice_eq_str(value, "`"))
		b->escape = df->escape = value.ptr[0];
	else
		build_hint(b,
			build_error(b, "directive", directive_span_of(b, value.len ? value : name),
				"escape must be a backslash or a backtick"),
			"write \"# escape=\\\" or \"# escape=`\"");
	return true;
}

void directive_parse(struct build *b, size_t start)
{
	struct slice text = slice_from(b->df->source.text, start);
	struct slice name, value;

	while (text.len > 0) {
		size_t end = slice_find(text, '\n', 0);

		if (!directive_split(slice_sub(text, 0, end), &name, &value) ||
			!directive_apply(b, name, value))
			return;
		text = slice_from(text, end + 1);
		b->directives_end = b->df->source.text.len - text.len;
	}
}

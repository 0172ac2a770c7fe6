// SPDX-License-Identifier: Apache-2.0
/*
 * Cuts the text of a record line by line, in place: the newline becomes a NUL, and values point
 * into the buffer. A line that does not match moves nothing, so the caller can try the next key.
 */
#include "store/recordline.h"

#include <stddef.h>
#include <string.h>

char *recordline_value(char **p, const char *key)
{
	size_t n = strlen(key);
	char *end = strchr(*p, '\n'), *value = *p + n;

	if (!end || strncmp(*p, key, n) != 0)
		return NULL;
	*end = '\0';
	*p = end + 1;
	return value;
}

bool recordline_is(char **p, const char *text)
{
	const char *rest = recordline_value(p, text);

	return rest && !*rest;
}

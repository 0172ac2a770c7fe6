// SPDX-License-Identifier: Apache-2.0
/* What a cache value says of blobs. */
#include "store/layerlines.h"

#include <string.h>

static bool layerlines_next_line(const char **p, const char *key, struct digest *out)
{
	const size_t n = strlen(key);

	while (**p) {
		const char *line = *p, *end = strchrnul(line, '\n');
		*p = *end ? end + 1 : end;
		if ((size_t)(end - line) == n + DIGEST_HEX - 1 && strncmp(line, key, n) == 0 &&
			sha256_parse_hex(line + n, DIGEST_HEX - 1, out) == 0)
			return true;
	}
	return false;
}

bool layerlines_next(const char **p, struct digest *out)
{
	return layerlines_next_line(p, "layer sha256:", out);
}

bool layerlines_next_times(const char **p, struct digest *out)
{
	return layerlines_next_line(p, "times sha256:", out);
}

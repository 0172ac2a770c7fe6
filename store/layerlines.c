// SPDX-License-Identifier: Apache-2.0
#include "store/layerlines.h"

#include <string.h>

bool layerlines_next(const char **p, struct digest *out)
{
	static const char key[] = "layer sha256:";
	const size_t n = sizeof key - 1;

	while (**p) {
		const char *line = *p, *end = strchrnul(line, '\n');
		*p = *end ? end + 1 : end;
		if ((size_t)(end - line) == n + DIGEST_HEX - 1 && strncmp(line, key, n) == 0 &&
			sha256_parse_hex(line + n, DIGEST_HEX - 1, out) == 0)
			return true;
	}
	return false;
}

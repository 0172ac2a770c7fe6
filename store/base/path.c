// SPDX-License-Identifier: Apache-2.0
/* Cleaning and joining of paths: components are taken one by one, none is ever resolved. */
#include "store/base/path.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/mem.h"

size_t path_next(const char **rest, const char **comp)
{
	const char *p = *rest + strspn(*rest, "/");
	size_t n = strcspn(p, "/");

	*comp = p;
	*rest = p + n;
	return n;
}

char *path_clean(const char *text, bool *clamped)
{
	char *out = mem_alloc(strlen(text) + 1);
	size_t len = 0, n;
	const char *comp;
	bool hit = false;

	while ((n = path_next(&text, &comp)) > 0) {
		if (n == 1 && comp[0] == '.')
			continue;
		if (n == 2 && comp[0] == '.' && comp[1] == '.') {
			hit |= len == 0;
			while (len && out[len - 1] != '/')
				len--;
			if (len)
				len--;
			continue;
		}
		if (len)
			out[len++] = '/';
		memcpy(out + len, comp, n);
		len += n;
	}
	out[len] = '\0';
	if (clamped)
		*clamped = hit;
	return out;
}

char *path_below(const char *base, const char *text)
{
	if (text[0] == '/')
		return path_clean(text, NULL);
	char *whole = mem_printf("%s/%s", base, text);
	char *out = path_clean(whole, NULL);
	free(whole);
	return out;
}

char *path_absolute(const char *base, const char *text)
{
	auto_free char *relative = path_below(base, text);

	return mem_printf("/%s", relative);
}

bool path_says_dir(const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *last = slash ? slash + 1 : text;

	return !*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_join(const char *dir, const char *name)
{
	return *dir ? mem_printf("%s/%s", dir, name) : mem_strdup(name);
}

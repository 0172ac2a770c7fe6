// SPDX-License-Identifier: Apache-2.0
/*
 * A stack of texts. A piece that was read stays until the next component is asked for; there are
 * never more of them than links that may be followed.
 */
#include "store/tree/restpath.h"

#include <string.h>

void layer_rest_begin(struct layer_rest *r, const char *path, size_t len)
{
	r->piece[0].at = path;
	r->piece[0].end = path + len;
	r->n = 1;
	r->links = 0;
}

static const char *skip_slashes(const char *at, const char *end)
{
	while (at < end && *at == '/')
		at++;
	return at;
}

size_t layer_rest_next(struct layer_rest *r, const char **name)
{
	while (r->n) {
		const char *end = r->piece[r->n - 1].end;
		const char *at = skip_slashes(r->piece[r->n - 1].at, end);
		const char *slash = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
		size_t len = (size_t)((slash ? slash : end) - at);
		r->piece[r->n - 1].at = at + len;
		*name = at;
		if (!len)
			r->n--;
		else if (len > 1 || *at != '.')
			return len;
	}
	return 0;
}

bool layer_rest_empty(const struct layer_rest *r)
{
	for (int i = 0; i < r->n; i++)
		if (skip_slashes(r->piece[i].at, r->piece[i].end) < r->piece[i].end)
			return false;
	return true;
}

bool layer_rest_link(struct layer_rest *r, const char *target)
{
	if (++r->links > LAYER_SYMLINKS_MAX)
		return false;
	r->piece[r->n].at = target;
	r->piece[r->n++].end = target + strlen(target);
	return true;
}

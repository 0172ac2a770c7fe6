// SPDX-License-Identifier: Apache-2.0
/*
 * Names of entries: cleaning, whiteout spelling (OCI image-spec layer.md), order, and which
 * extended attributes a layer carries.
 */
#include "store/tar/name.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"

#define SHOWN_MAX 256 /* bytes of a name in a message */

char *layer_show(const char *path)
{
	size_t n = strlen(path);
	if (n <= SHOWN_MAX)
		return fs_printable(n ? path : ".");
	auto_free char *part =
		mem_printf("%.*s...%s", SHOWN_MAX / 2, path, path + n - SHOWN_MAX / 2);
	return fs_printable(part);
}

static int name_error(struct err **err, const char *s, size_t n, const char *what)
{
	char start[128];
	size_t k = n < sizeof start - 1 ? n : sizeof start - 1;
	memcpy(start, s, k);
	start[k] = 0;
	auto_free char *shown = fs_printable(start);
	return err_set(err, ERR_CORRUPT, "name \"%s\"%s: %s", shown, k < n ? "..." : "", what);
}

/* A path that is being put together. */
struct clean {
	char *out;
	size_t len;
	size_t depth;
};

static void name_go_up(struct clean *c)
{
	while (c->len > 0 && c->out[c->len - 1] != '/')
		c->len--;
	if (c->len > 0)
		c->len--;
	if (c->depth > 0)
		c->depth--;
}

/* n: of the whole name, for the message. */
static int name_go_down(struct clean *c, const char *p, size_t k, size_t n, struct err **err)
{
	if (c->len + (c->len > 0) + k > LAYER_PATH_MAX)
		return err_set(
			err, ERR_LIMIT, "a name of %zu bytes; the limit is %d", n, LAYER_PATH_MAX);
	if (++c->depth > LAYER_DEPTH_MAX)
		return err_set(
			err, ERR_LIMIT, "a name of more than %d components", LAYER_DEPTH_MAX);
	if (c->len > 0)
		c->out[c->len++] = '/';
	memcpy(c->out + c->len, p, k);
	c->len += k;
	return 0;
}

int layer_name_clean(const char *s, size_t n, bool clamp, char *out, struct err **err)
{
	struct clean c = {.out = out};
	const char *end = s + n;

	if (n > 2 * LAYER_PATH_MAX)
		return err_set(
			err, ERR_LIMIT, "a name of %zu bytes; the limit is %d", n, LAYER_PATH_MAX);
	if (memchr(s, 0, n))
		return name_error(err, s, n, "contains a NUL byte");
	for (const char *p = s; p < end;) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t k = (size_t)((slash ? slash : end) - p);
		if (k == 2 && p[0] == '.' && p[1] == '.') {
			if (!clamp && c.len == 0 && *s != '/')
				return name_error(err, s, n, "leads out of the layer");
			name_go_up(&c);
		} else if (k > 0 && !(k == 1 && p[0] == '.') &&
			   name_go_down(&c, p, k, n, err) < 0) {
			return -1;
		}
		p += k + 1;
	}
	out[c.len] = 0;
	return 0;
}

bool layer_name_reserved(const char *name, size_t len)
{
	return len >= LAYER_WH_LEN && memcmp(name, LAYER_WH, LAYER_WH_LEN) == 0;
}

int layer_name_kind(char *path, enum layer_name_kind *kind, struct err **err)
{
	char *base = path;
	for (char *p = path, *slash; (slash = strchr(p, '/')); p = base = slash + 1) {
		if (!layer_name_reserved(p, (size_t)(slash - p)))
			continue;
		if (strncmp(p, LAYER_WH_AUFS, strlen(LAYER_WH_AUFS)) == 0) {
			*kind = LAYER_NAME_SKIP;
			return 0;
		}
		return name_error(err, path, strlen(path), "a whiteout cannot be a directory");
	}
	size_t len = strlen(base);
	*kind = LAYER_NAME_PLAIN;
	if (!layer_name_reserved(base, len))
		return 0;
	if (strcmp(base, LAYER_WH_OPAQUE) == 0) {
		*(base > path ? base - 1 : base) = 0;
		*kind = LAYER_NAME_OPAQUE;
		return 0;
	}
	if (strncmp(base, LAYER_WH_AUFS, strlen(LAYER_WH_AUFS)) == 0) {
		*kind = LAYER_NAME_SKIP;
		return 0;
	}
	const char *removed = base + LAYER_WH_LEN;
	if (!*removed || strcmp(removed, ".") == 0 || strcmp(removed, "..") == 0)
		return name_error(err, path, strlen(path), "a whiteout of no plain name");
	memmove(base, removed, len - LAYER_WH_LEN + 1);
	*kind = LAYER_NAME_WHITEOUT;
	return 0;
}

bool layer_name_valid(const char *path)
{
	size_t depth = 0;
	if (!*path)
		return true;
	for (const char *p = path;; p++) {
		size_t k = strcspn(p, "/");
		if (k == 0 || (k == 1 && p[0] == '.') || (k == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (++depth > LAYER_DEPTH_MAX || (size_t)(p - path) + k > LAYER_PATH_MAX)
			return false;
		p += k;
		if (!*p)
			return true;
	}
}

/* '/' sorts before every byte of a name, the end before '/'. */
static unsigned rank(unsigned char c)
{
	return c == '/' ? 1 : c ? c + 1u : 0;
}

/* Component by component, bytewise: "a" < "a/b" < "a.b". */
static int layer_path_cmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	unsigned x = rank((unsigned char)*a), y = rank((unsigned char)*b);
	return x < y ? -1 : x > y;
}

static int type_rank(enum layer_type t)
{
	return t == LAYER_WHITEOUT ? 0 : t == LAYER_OPAQUE ? 2 : 1;
}

int layer_entry_cmp(const struct layer_entry *a, const struct layer_entry *b)
{
	int c = layer_path_cmp(a->path, b->path);
	return c ? c : type_rank(a->type) - type_rank(b->type);
}

bool layer_xattr_carried(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return strncmp(name, "user.", 5) == 0 && name[5] &&
	       strncmp(name, "user.overlay.", strlen("user.overlay.")) != 0;
}

static int name_xattr_cmp(const void *a, const void *b)
{
	const struct layer_xattr *x = a, *y = b;
	return strcmp(x->name, y->name);
}

void layer_xattrs_sort(struct layer_xattr *x, size_t n)
{
	if (n > 1)
		qsort(x, n, sizeof *x, name_xattr_cmp);
}

bool layer_xattrs_equal(
	const struct layer_xattr *a, size_t na, const struct layer_xattr *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i].name, b[i].name) != 0 || a[i].len != b[i].len ||
			(a[i].len && memcmp(a[i].value, b[i].value, a[i].len) != 0))
			return false;
	return true;
}

// SPDX-License-Identifier: Apache-2.0
// What to say about a source that is not there.
#include <errno.h>
#include <string.h>

#include "builder/copy/path.h"
#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define NAME_MAX_LEN 64 /* longer names get no suggestion */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

// Edits between two names: insert, delete, replace.
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], n = strlen(b);

	if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];
			row[j] = min3(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[n];
}

// The nearest name in the directory dir, close enough to be a slip; owned or NULL.
static char *nearest(struct copy_selection *s, const char *dir, const char *name)
{
	const struct copy_vfs *v = &s->vfs;
	struct copy_names names;
	struct copy_dir d;
	size_t best = strlen(name) / 3 + 2;
	char *out = NULL;

	if (v->ops->open(v, dir, &d) < 0)
		return NULL;
	if (v->ops->names(v, &d, &s->pool, &names) == 0)
		for (size_t i = 0; i < names.n; i++) {
			size_t far = distance(name, names.v[i].name);
			if (far >= best || far >= strlen(name))
				continue;
			best = far;
			free(out);
			out = copy_path_join(dir, names.v[i].name);
		}
	v->ops->close(&d);
	return out;
}

// Walk down to the first component that is missing and look at its neighbours.
static void hint_nearest(struct copy_selection *s, const char *clean, struct err **err)
{
	auto_free char *dir = mem_strdup("");
	const char *rest = clean, *comp;
	size_t n;

	while ((n = copy_path_next(&rest, &comp)) > 0) {
		auto_free char *name = mem_strndup(comp, n);
		auto_free char *path = copy_path_join(dir, name);
		char *canon = NULL;
		if (s->vfs.ops->resolve(&s->vfs, path, &canon) == 0) {
			free(dir);
			dir = canon;
			continue;
		}
		auto_free char *best = nearest(s, dir, name);
		if (best) {
			auto_free char *whole = mem_printf("%s%s", best, rest);
			auto_free char *shown = fs_printable(whole);
			err_hint(err, "did you mean %s?", shown);
		}
		return;
	}
}

int copy_hint_missing(struct copy_selection *s, const struct copy_root *root, const char *text,
	int e, size_t line, struct err **err)
{
	bool clamped = false;
	auto_free char *clean = copy_path_clean(text, &clamped);
	auto_free char *shown = fs_printable(text);
	auto_free char *path = fs_printable(*clean ? clean : ".");
	bool context = s->vfs.ops == &copy_dirsource || !s->vfs.keep_owner;
	const char *where = context ? "the build context" : "the source of --from";

	if (!e) {
		const char *file = root->ignore_name ? root->ignore_name : ".dockerignore";
		err_set(err, ERR_CONTEXT, "%s: excluded from %s by line %zu of %s", path, where,
			line, file);
		return err_hint(err, "remove the rule, or add !%s behind it", path);
	}
	if (e == ESTALE)
		return err_set(err, ERR_CONTEXT, "%s: changed while it was read", path);
	if (e == ELOOP)
		return err_set(err, ERR_CONTEXT, "%s: too many symbolic links", path);
	if (e != ENOENT && e != ENOTDIR) {
		errno = e;
		return err_sys_kind(err, ERR_CONTEXT, "cannot read %s", path);
	}
	if (clamped && context)
		err_set(err, ERR_CONTEXT,
			"%s: not found (a source cannot leave the build context, so this means "
			"%s in the context)",
			shown, path);
	else
		err_set(err, ERR_CONTEXT, "%s: not found in %s", path, where);
	hint_nearest(s, clean, err);
	return -1;
}

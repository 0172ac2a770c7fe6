// SPDX-License-Identifier: Apache-2.0
/* What to say about a source that is not there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "parser/suggest.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* The nearest name in the directory dir, close enough to be a slip; owned or NULL. */
static char *hint_nearest_in(struct copy_selection *s, const char *dir, const char *name)
{
	const struct copy_vfs *v = &s->vfs;
	auto_names struct copy_names names = {0};
	struct copy_dir d;
	size_t best = strlen(name) / 3 + 2;
	char *out = NULL;

	if (v->ops->open(v, dir, &d) < 0)
		return NULL;
	if (v->ops->names(v, &d, &s->pool, &names) == 0)
		for (size_t i = 0; i < names.n; i++) {
			size_t far = suggest_distance(slice_of(name), slice_of(names.v[i].name));
			if (far >= best || far >= strlen(name))
				continue;
			best = far;
			free(out);
			out = mem_strdup(names.v[i].name);
		}
	v->ops->close(&d);
	return out;
}

/* One component further: *dir (resolved) and *shown (as the user would write it) grow by `name`, or
 * by the nearest there is. 1 as it stands, 2 changed, 0 nothing near. */
static int take_step(struct copy_selection *s, char **dir, char **shown, const char *name)
{
	auto_free char *path = path_join(*dir, name);
	auto_free char *other = NULL;
	char *canon = NULL;
	int how = 1;

	if (s->vfs.ops->resolve(&s->vfs, path, &canon) != 0) {
		other = hint_nearest_in(s, *dir, name);
		auto_free char *near = other ? path_join(*dir, other) : NULL;
		if (!near || s->vfs.ops->resolve(&s->vfs, near, &canon) != 0)
			return 0;
		how = 2;
	}
	free(*dir);
	*dir = canon;
	char *longer = path_join(*shown, other ? other : name);
	free(*shown);
	*shown = longer;
	return how;
}

#define NAMES_SHOWN 4

/* "src holds a.c, b.c, d and 3 more"; dir is resolved, shown as it was written. */
static void hint_contents(
	struct copy_selection *s, const char *dir, const char *shown, struct err **err)
{
	const struct copy_vfs *v = &s->vfs;
	auto_names struct copy_names names = {0};
	auto_free char *text = mem_strdup("");
	struct copy_dir d;

	if (v->ops->open(v, dir, &d) < 0)
		return;
	int r = v->ops->names(v, &d, &s->pool, &names);
	v->ops->close(&d);
	if (r < 0)
		return;
	for (size_t i = 0; i < names.n && i < NAMES_SHOWN; i++) {
		auto_free char *name = fs_printable(names.v[i].name);
		char *longer = mem_printf("%s%s%s", text, i ? ", " : "", name);
		free(text);
		text = longer;
	}
	auto_free char *place = fs_printable(*shown ? shown : "it");
	if (names.n > NAMES_SHOWN)
		err_hint(err, "%s holds %s and %zu more", place, text, names.n - NAMES_SHOWN);
	else if (names.n)
		err_hint(err, "%s holds %s", place, text);
	else
		err_hint(err, "%s is empty", place);
}

/* Walk down, taking the nearest name wherever one is missing; what comes out is there. */
static void hint_nearest(struct copy_selection *s, const char *clean, struct err **err)
{
	auto_free char *dir = mem_strdup(""), *shown = mem_strdup("");
	const char *rest = clean, *comp;
	bool changed = false;
	size_t n;

	while ((n = path_next(&rest, &comp)) > 0) {
		auto_free char *name = mem_strndup(comp, n);
		int how = take_step(s, &dir, &shown, name);
		if (!how) {
			hint_contents(s, dir, shown, err);
			return;
		}
		changed |= how == 2;
	}
	auto_free char *printable = fs_printable(shown);
	if (changed)
		err_hint(err, "did you mean %s?", printable);
}

int copy_hint_missing(struct copy_selection *s, const struct copy_root *root, const char *text,
	int e, size_t line, struct err **err)
{
	bool clamped = false;
	auto_free char *clean = path_clean(text, &clamped);
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

// SPDX-License-Identifier: Apache-2.0
/*
 * Wildcards. The leading components without a wildcard are resolved with their symlinks; they have
 * to be there, but for --parents. From there on real directories are read, component by component.
 * What matches is not descended into.
 */
#include <errno.h>
#include <string.h>

#include "builder/copy/pool.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "parser/pattern.h"
#include "store/base/cleanup.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"

struct glob {
	struct copy_selection *s;
	const struct ignore *ignore;
	struct copy_pool *pool; /* of names, freed with the glob */
	struct strlist *out;
	struct err **err;
};

static int glob_read_names(struct glob *g, const char *canon, struct copy_names *names)
{
	const struct copy_vfs *v = &g->s->vfs;
	struct copy_dir d;

	if (v->ops->open(v, canon, &d) < 0)
		return -1;
	int rc = v->ops->names(v, &d, g->pool, names);
	int saved = errno;
	v->ops->close(&d);
	errno = saved;
	return rc;
}

static bool hidden(const struct glob *g, const char *path)
{
	struct slice slice = slice_of(path);

	return g->ignore && ignore_match(g->ignore, slice, NULL) &&
	       !ignore_may_contain(g->ignore, slice);
}

static int glob_level(struct glob *g, const char *canon, const char *written, const char *rest);

static int glob_match(struct glob *g, const char *canon, const char *written,
	const struct copy_name *n, const char *rest)
{
	auto_free char *name = path_join(written, n->name);

	if (!*rest) {
		if (g->out->n >= COPY_SOURCES_MAX)
			return err_set(g->err, ERR_LIMIT, "more than %d sources in one instruction",
				COPY_SOURCES_MAX);
		strlist_add(g->out, name);
		return 0;
	}
	auto_free char *path = path_join(canon, n->name);
	return n->type == LAYER_DIR && !hidden(g, path) ? glob_level(g, path, name, rest) : 0;
}

/* canon: the directory; written: the same as the pattern names it; rest: the pattern below it. */
static int glob_level(struct glob *g, const char *canon, const char *written, const char *rest)
{
	auto_names struct copy_names names = {0};
	const char *comp;
	size_t len = path_next(&rest, &comp);

	if (glob_read_names(g, canon, &names) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		struct copy_extra x = {.path = canon};
		struct copy_file at = {.x = &x};
		auto_free char *shown = copy_file_show(&at);
		return err_sys_kind(g->err, ERR_CONTEXT, "cannot read %s", shown);
	}
	struct pattern *pattern = pattern_new((struct slice){comp, len}, PATTERN_FILE);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		if (pattern && pattern_test(pattern, slice_of(names.v[i].name)))
			rc = glob_match(g, canon, written, &names.v[i], rest);
	pattern_free(pattern);
	return rc;
}

int copy_glob(struct copy_selection *s, const struct copy_root *root, const char *pattern,
	bool optional, struct strlist *out, struct err **err)
{
	struct copy_pool pool = {0};
	struct glob g = {s, root->ignore, &pool, out, err};
	size_t len = pattern_literal_prefix(slice_of(pattern));
	auto_free char *canon = NULL;

	while (len && pattern[len - 1] != '/') /* no wildcard at all: only its last component is */
		len--;
	auto_free char *raw = mem_strndup(pattern, len);
	auto_free char *prefix = path_clean(raw, NULL);
	size_t line = 0;
	if (s->vfs.ops->resolve(&s->vfs, prefix, &canon) < 0)
		return optional && (errno == ENOENT || errno == ENOTDIR)
			       ? 0
			       : copy_hint_missing(s, root, prefix, errno, 0, err);
	if (!optional && *canon && hidden(&g, canon) &&
		ignore_match(g.ignore, slice_of(canon), &line))
		return copy_hint_missing(s, root, prefix, 0, line, err);
	int rc = glob_level(&g, canon, prefix, pattern + len);
	copy_pool_clear(&pool);
	return rc;
}

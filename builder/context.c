// SPDX-License-Identifier: Apache-2.0
#include "builder/context.h"

#include <fcntl.h>
#include <string.h>

#include "builder/archivetree.h"
#include "builder/dferr.h"
#include "builder/dfsource.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static void context_clear(struct context *c)
{
	copy_share_free(c->share);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	layer_tree_free(c->tree);
	ignorefile_clear(&c->ignore);
	free(c->shown);
	*c = (struct context){.dir_fd = -1};
}

static int open_dir(const char *path, struct store *s, struct context *c, struct err **err)
{
	c->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0) {
		err_sys_kind(err, ERR_CONTEXT, "build context \"%s\"", path);
		if (errno == ENOTDIR)
			err_hint(err, "the context is a directory, or \"-\" for a tar on stdin; "
				      "a Dockerfile is named with -f");
		return -1;
	}
	c->shown = mem_strdup(path);
	c->share = copy_share_new(s, c->dir_fd);
	return 0;
}

static int open_ignore(
	struct context *c, const struct dfsource *file, const char *given, struct err **err)
{
	struct ignorefile_where w = {.dir_fd = c->dir_fd, .given = given};

	if (file && c->dir_fd >= 0) {
		w.dockerfile = file->path;
		w.in_context = file->in_context;
	}
	return ignorefile_find(&w, &c->ignore, err);
}

static int parse_text(const char *name, const struct buf *text, bool any, struct dockerfile **df,
	struct err **err)
{
	struct dockerfile *d =
		dockerfile_parse(slice_of(name), (struct slice){text->data, text->len});

	if (d->diags.errors && !any) {
		dferr_report(err, d);
		dockerfile_free(d);
		return -1;
	}
	*df = d;
	return 0;
}

/* A tar, or the Dockerfile itself: then *file is filled in, and the context is empty. */
static int open_stdin(struct store *s, struct context *c, struct dfsource *file, struct err **err)
{
	auto_fd int spool = archivetree_spool(STDIN_FILENO, "the context on stdin", s, err);

	if (spool < 0)
		return -1;
	c->shown = mem_strdup("stdin");
	int is_tar = layer_archive_probe(spool, err);
	if (is_tar < 0)
		return -1;
	c->tree = is_tar ? archivetree_make(spool, s, err) : layer_tree_new();
	if (!c->tree)
		return -1;
	if (is_tar)
		return 0;
	file->path = mem_strdup("Dockerfile");
	buf_init(&file->text, DOCKERFILE_SIZE_MAX);
	if (fs_read_fd(spool, DOCKERFILE_SIZE_MAX, "Dockerfile on stdin", &file->text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}

static int open_named(
	const struct context_opts *o, struct store *s, struct context_set *set, struct err **err)
{
	set->named = mem_alloc((o->named->n + 1) * sizeof *set->named);
	for (size_t i = 0; i < o->named->n; i++) {
		const char *text = o->named->v[i];
		const char *eq = strchr(text, '=');
		if (!eq || eq == text || !eq[1])
			return err_set(
				err, ERR_USAGE, "--build-context %s: expected NAME=DIR", text);
		struct context_named *n = &set->named[set->nnamed];
		n->context.dir_fd = -1;
		n->name = mem_strndup(text, (size_t)(eq - text));
		set->nnamed++;
		strlist_add(&set->names, n->name);
		if (strcmp(n->name, "scratch") == 0 || strcmp(n->name, "context") == 0)
			return err_set(err, ERR_USAGE, "--build-context: \"%s\" is a reserved name",
				n->name);
		if (open_dir(eq + 1, s, &n->context, err) < 0 ||
			open_ignore(&n->context, NULL, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int open_main(const struct context_opts *o, struct store *s, struct context_set *set,
	struct dfsource *file, struct err **err)
{
	struct context *c = &set->main;
	bool both = o->dockerfile && strcmp(o->dockerfile, "-") == 0;

	if (o->context && strcmp(o->context, "-") == 0) {
		if (both)
			return err_set(err, ERR_USAGE,
				"the context and the Dockerfile cannot both come from stdin");
		if (open_stdin(s, c, file, err) < 0)
			return -1;
	} else if (o->context && open_dir(o->context, s, c, err) < 0) {
		return -1;
	}
	struct dfsource_where w = {
		.given = o->dockerfile, .dir_fd = c->dir_fd, .tree = c->tree, .shown = c->shown};
	if (!file->path && dfsource_read(&w, file, &set->notes, err) < 0)
		return -1;
	return open_ignore(c, both ? NULL : file, o->ignorefile, err);
}

int context_open(const struct context_opts *o, struct store *s, struct context_set *out,
	struct dockerfile **df, struct err **err)
{
	auto_context struct context_set set = {.main = {.dir_fd = -1}};
	CLEANUP(dfsource_clear) struct dfsource file = {0};

	if (open_main(o, s, &set, &file, err) < 0 || open_named(o, s, &set, err) < 0 ||
		parse_text(file.path, &file.text, o->any_text, df, err) < 0)
		return -1;
	*out = set;
	set = (struct context_set){.main = {.dir_fd = -1}};
	return 0;
}

void context_close(struct context_set *c)
{
	context_clear(&c->main);
	for (size_t i = 0; i < c->nnamed; i++) {
		free(c->named[i].name);
		context_clear(&c->named[i].context);
	}
	free(c->named);
	strlist_clear(&c->names);
	strlist_clear(&c->notes);
	*c = (struct context_set){.main = {.dir_fd = -1}};
}

struct copy_root context_root(const struct context *c)
{
	return (struct copy_root){
		.dir_fd = c->dir_fd,
		.tree = c->tree,
		.ignore = c->ignore.rules,
		.ignore_name = c->ignore.name,
		.share = c->share,
		.keep_owner = false,
	};
}

const struct context *context_find(const struct context_set *c, const char *name)
{
	for (size_t i = c->nnamed; i-- > 0;)
		if (strcmp(c->named[i].name, name) == 0)
			return &c->named[i].context;
	return NULL;
}

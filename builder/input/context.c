// SPDX-License-Identifier: Apache-2.0
/*
 * Opens the main context, the named ones, the Dockerfile and the ignore file, in the order in which
 * one says where the next is. Named contexts that are directories are opened at once, so that a
 * wrong path is told early; others when a step first uses them, by one thread while others wait.
 */
#include "builder/input/context.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/fetch/download.h"
#include "builder/input/contextspec.h"
#include "builder/input/dfsource.h"
#include "builder/input/ignorefile.h"
#include "builder/plan/dferr.h"
#include "builder/plan/platformword.h"
#include "parser/ast.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"

static int parse_text(const char *name, const struct buf *text, bool any, struct dockerfile **df,
	struct err **err)
{
	struct dockerfile *d =
		dockerfile_parse(slice_of(name), (struct slice){text->data, text->len});

	if (d->diags.errors > d->late_errors && !any) {
		dferr_report(err, d);
		dockerfile_free(d);
		return -1;
	}
	*df = d;
	return 0;
}

/* --- named contexts ------------------------------------------------------------------------- */

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

static int context_open_one(struct context_named *n, const struct fetchenv *e, struct err **err)
{
	if (contextfiles_open(&n->spec, e, &n->context, NULL, err) < 0 ||
		open_ignore(&n->context, NULL, NULL, err) < 0) {
		auto_free char *shown = fs_printable(n->name);
		contextfiles_clear(&n->context);
		return err_prefix(err, "--build-context %s", shown);
	}
	n->opened = true;
	return 0;
}

static int add_named(
	struct context_set *set, const char *text, const struct fetchenv *e, struct err **err)
{
	const char *eq = strchr(text, '=');
	auto_free char *shown = fs_printable(text);

	if (!eq || eq == text || !eq[1]) {
		err_set(err, ERR_USAGE, "--build-context %s: expected NAME=VALUE", shown);
		return err_hint(err, "NAME=DIR, NAME=docker-image://REF, NAME=oci-layout://DIR, "
				     "NAME=https://HOST/REPO.git");
	}
	struct context_named *n = &set->named[set->nnamed++];
	n->context.dir_fd = -1;
	pthread_mutex_init(&n->opening, NULL);
	n->name = mem_strndup(text, (size_t)(eq - text));
	strlist_add(&set->names, n->name);
	if (strcmp(n->name, "scratch") == 0 || strcmp(n->name, "context") == 0)
		return err_set(
			err, ERR_USAGE, "--build-context: \"%s\" is a reserved name", n->name);
	const char *mark = strstr(n->name, "::");
	auto_oci_platform struct oci_platform platform = {0};
	if (mark && platformword_parse(mark + 2, false, &platform, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--build-context %s", shown);
	}
	if (contextspec_parse(eq + 1, true, &n->spec, err) < 0)
		return err_prefix(err, "--build-context");
	return n->spec.kind == CONTEXTSPEC_DIR ? context_open_one(n, e, err) : 0;
}

static int context_open_named(const struct context_opts *o, const struct fetchenv *e,
	struct context_set *set, struct err **err)
{
	set->named = mem_array(o->named->n + 1, sizeof *set->named);
	for (size_t i = 0; i < o->named->n; i++)
		if (add_named(set, o->named->v[i], e, err) < 0)
			return -1;
	return 0;
}

/* Of several with one name the last one given counts. */
static struct context_named *context_find(const struct context_set *c, const char *name)
{
	for (size_t i = c->nnamed; i-- > 0;)
		if (strcmp(c->named[i].name, name) == 0)
			return &c->named[i];
	return NULL;
}

const struct contextspec *context_spec(const struct context_set *c, const char *name)
{
	const struct context_named *n = context_find(c, name);

	return n ? &n->spec : NULL;
}

const struct context *context_use(
	struct context_set *c, const char *name, const struct fetchenv *e, struct err **err)
{
	struct context_named *n = context_find(c, name);

	if (!n) {
		err_set(err, ERR_CONTEXT, "there is no build context \"%s\"", name);
		return NULL;
	}
	pthread_mutex_lock(&n->opening);
	bool there = n->opened || context_open_one(n, e, err) == 0;
	pthread_mutex_unlock(&n->opening);
	return there ? &n->context : NULL;
}

bool context_is_scratch(const struct context *c)
{
	return c->image && strcmp(c->image, "scratch") == 0;
}

/* -f URL. */
static int fetch_dockerfile(
	const char *url, const struct fetchenv *e, struct dfsource *file, struct err **err)
{
	CLEANUP(download_clear) struct download d = {.fd = -1};

	file->path = download_shown(url);
	buf_init(&file->text, DOCKERFILE_SIZE_MAX);
	if (!e->s)
		return err_set(err, ERR_UNSUPPORTED,
			"%s: a Dockerfile of a URL is not fetched here", file->path);
	if (download_get(e, url, NULL, &d, err) < 0)
		return -1;
	if (lseek(d.fd, 0, SEEK_SET) < 0 ||
		fs_read_fd(d.fd, DOCKERFILE_SIZE_MAX, file->path, &file->text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}

/* --- the main one --------------------------------------------------------------------------- */

static bool context_is_remote(const struct context_opts *o)
{
	return o->dockerfile && ast_is_http_url(slice_of(o->dockerfile));
}

/* What -f names could be read without the context. */
static bool readable(const char *dockerfile)
{
	return strcmp(dockerfile, "-") == 0 || ast_is_http_url(slice_of(dockerfile)) ||
	       access(dockerfile, F_OK) == 0;
}

static int read_dockerfile(const struct context_opts *o, const struct fetchenv *e,
	struct context_set *set, struct dfsource *file, struct err **err)
{
	const struct context *c = &set->main;
	struct dfsource_where w = {
		.given = o->dockerfile, .dir_fd = c->dir_fd, .tree = c->tree, .shown = c->shown};

	return context_is_remote(o) ? fetch_dockerfile(o->dockerfile, e, file, err)
				    : dfsource_read(&w, file, &set->notes, err);
}

static int open_main(const struct context_opts *o, const struct fetchenv *e,
	struct context_set *set, struct dfsource *file, struct err **err)
{
	CLEANUP(contextspec_clear) struct contextspec spec = {0};
	struct context *c = &set->main;
	bool stdin_file = o->dockerfile && strcmp(o->dockerfile, "-") == 0;

	if (o->context && contextspec_parse(o->context, false, &spec, err) < 0)
		return -1;
	if (stdin_file && spec.kind == CONTEXTSPEC_STDIN)
		return err_set(err, ERR_USAGE,
			"the context and the Dockerfile cannot both come from stdin");
	if (o->context && contextfiles_open(&spec, e, c, file, err) < 0)
		return -1;
	if (file->path && o->dockerfile && readable(o->dockerfile)) {
		err_set(err, ERR_USAGE,
			"%s: this is no archive but the Dockerfile itself, and -f "
			"names another one",
			c->shown);
		return err_hint(err, "leave one of them out");
	}
	if (file->path && o->dockerfile) {
		auto_free char *shown = fs_printable(o->dockerfile);
		strlist_addf(&set->notes,
			"-f %s is not looked for: %s is no archive but the Dockerfile itself",
			shown, c->shown);
	}
	if (!file->path && read_dockerfile(o, e, set, file, err) < 0)
		return -1;
	bool local = !stdin_file && !context_is_remote(o);
	return open_ignore(c, local ? file : NULL, o->ignorefile, err);
}

int context_open(const struct context_opts *o, const struct fetchenv *e, struct context_set *out,
	struct dockerfile **df, struct err **err)
{
	auto_context struct context_set set = {.main = {.dir_fd = -1}};
	CLEANUP(dfsource_clear) struct dfsource file = {0};

	if (context_open_named(o, e, &set, err) < 0 || open_main(o, e, &set, &file, err) < 0 ||
		parse_text(file.path, &file.text, o->any_text, df, err) < 0)
		return -1;
	*out = set;
	set = (struct context_set){.main = {.dir_fd = -1}};
	return 0;
}

void context_close(struct context_set *c)
{
	contextfiles_clear(&c->main);
	for (size_t i = 0; i < c->nnamed; i++) {
		free(c->named[i].name);
		contextspec_clear(&c->named[i].spec);
		contextfiles_clear(&c->named[i].context);
		pthread_mutex_destroy(&c->named[i].opening);
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

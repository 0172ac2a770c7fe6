// SPDX-License-Identifier: Apache-2.0
/* Items of an instruction -> sources. Literal paths must be there; wildcards may match nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/copy/copy.h"
#include "builder/copy/pool.h"
#include "builder/copy/share.h"
#include "store/base/path.h"
#include "builder/copy/selection.h"
#include "parser/ignore.h"
#include "parser/pattern.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"
#include "store/tar/userarchive.h"

struct select {
	struct copy_selection *s;
	const struct copy_request *q;
	size_t item;
	struct err **err;
};

static struct copy_selection *selection_new(const struct copy_request *q)
{
	struct copy_selection *s = mem_alloc(sizeof *s);

	pthread_mutex_init(&s->lock, NULL);
	s->cancelled = q->cancelled;
	s->exclude = q->exclude;
	s->dir_fd = s->tmp_fd = -1;
	s->vfs.ops = q->root.dir_fd >= 0 ? &copy_dirsource : &copy_treesource;
	s->vfs.tree = q->root.tree;
	s->vfs.keep_owner = q->root.keep_owner;
	s->share = q->root.share;
	if (!s->share || q->root.dir_fd < 0) {
		s->share = copy_share_new(NULL, -1);
		s->own_share = true;
	}
	return s;
}

/* Wait for the steps of other stages that copy from the same context. */
static int take_share(struct copy_selection *s, struct err **err)
{
	s->has_share = copy_share_take(s->share, s->cancelled);
	return s->has_share ? 0 : err_set(err, ERR_CANCELLED, "interrupted");
}

static int own_fds(struct copy_selection *s, const struct copy_request *q, struct err **err)
{
	if (q->root.dir_fd >= 0 && (s->dir_fd = fcntl(q->root.dir_fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return err_sys(err, "the context directory");
	if (q->tmp_dir_fd >= 0 && (s->tmp_fd = fcntl(q->tmp_dir_fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return err_sys(err, "the directory for temporary files");
	s->vfs.fd = s->dir_fd;
	return 0;
}

void copy_selection_free(struct copy_selection *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->narchives; i++)
		layer_archive_close(s->archives[i]);
	for (size_t i = 0; i < s->nfds; i++)
		close(s->fds[i]);
	cleanup_fd(&s->dir_fd);
	cleanup_fd(&s->tmp_fd);
	copy_view_return(s);
	if (s->has_share)
		copy_share_release(s->share);
	if (s->own_share)
		copy_share_free(s->share);
	pthread_mutex_destroy(&s->lock);
	copy_pool_clear(&s->pool);
	free(s->archives);
	free(s->views);
	free(s->fds);
	free(s->v);
	free(s);
}

bool copy_selection_cancelled(const struct copy_selection *s, struct err **err)
{
	if (!copy_cancelled(s->cancelled))
		return false;
	err_set(err, ERR_CANCELLED, "interrupted");
	return true;
}

int copy_selection_add(struct copy_selection *s, uint64_t n, struct err **err)
{
	s->nfiles += n;
	if (s->nfiles > COPY_FILES_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d files in one instruction", COPY_FILES_MAX);
	return 0;
}

void copy_file_each(struct copy_file *f, copy_visit_fn *visit, void *ctx)
{
	visit(ctx, f);
	for (uint32_t i = 0; i < f->nchild; i++)
		copy_file_each(&f->child[i], visit, ctx);
}

struct copy_source *copy_selection_push(struct copy_selection *s, struct copy_file *f, size_t item)
{
	MEM_PUSH(s->v, s->n, s->cap) = (struct copy_source){.file = f, .item = item};
	return &s->v[s->n - 1];
}

struct copy_file *copy_selection_made(struct copy_selection *s, const char *name, uint32_t mode)
{
	struct copy_file *f = copy_pool_alloc(&s->pool, sizeof *f);

	f->name = copy_pool_strdup(&s->pool, name);
	copy_file_extra(f, &s->pool)->path = f->name;
	f->type = LAYER_FILE;
	f->mode = mode;
	f->stated = true;
	f->no_mtime = true;
	return f;
}

static bool ignored(const struct select *x, const char *path, size_t *line)
{
	return x->q->root.ignore && ignore_match(x->q->root.ignore, slice_of(path), line);
}

/* Type and metadata of the file at a canonical path. */
static int stat_canon(struct copy_selection *s, struct copy_file *f)
{
	const struct copy_vfs *v = &s->vfs;
	const char *path = f->x->path;
	struct copy_dir d;

	if (!*path) {
		f->type = LAYER_DIR;
		return 0;
	}
	const char *base = path_base(path);
	auto_free char *parent = mem_strndup(path, (size_t)(base - path));
	if (base > path)
		parent[base - path - 1] = '\0';
	if (v->ops->open(v, parent, &d) < 0)
		return -1;
	int rc = v->ops->stat(v, &d, base, &s->share->pool, f);
	int saved = errno;
	f->x->indexed = d.fd >= 0 && s->share->store && f->content == COPY_CONTENT_DIR &&
			copy_share_usable(s->share, f->x->dev, d.fd);
	v->ops->close(&d);
	errno = saved;
	return rc;
}

/* Where a name leads; with --no-follow its last component is what it is. */
static int select_resolve(const struct select *x, const char *written, char **canon)
{
	const struct copy_vfs *v = &x->s->vfs;
	const char *base = path_base(written);

	if (!x->q->no_follow || !*base)
		return v->ops->resolve(v, written, canon);
	auto_free char *dir = mem_strndup(written, (size_t)(base - written));
	auto_free char *real = NULL;
	if (base > written)
		dir[base - written - 1] = '\0';
	if (v->ops->resolve(v, dir, &real) < 0)
		return -1;
	*canon = path_join(real, base);
	return 0;
}

/* The file a name leads to. 1 = f is filled in, 0 = the ignore rules hide it, -1 with errno. */
static int select_find(struct select *x, const char *written, struct copy_file **out, size_t *line)
{
	struct copy_selection *s = x->s;
	struct copy_pool *pool = &s->share->pool; /* what the share remembers outlives us */
	auto_free char *canon = NULL;

	*line = 0;
	if (select_resolve(x, written, &canon) < 0)
		return -1;
	if (strcmp(canon, written) != 0 && ignored(x, written, line))
		return 0; /* the link, or a directory on the way to it */
	struct copy_file *f = copy_pool_alloc(pool, sizeof *f);
	f->name = copy_pool_strdup(pool, path_base(written));
	copy_file_extra(f, pool)->path = copy_pool_strdup(pool, canon);
	if (stat_canon(s, f) < 0)
		return -1;
	f->excluded = ignored(x, canon, line);
	if (f->excluded && f->type != LAYER_DIR)
		return 0;
	if (f->type == LAYER_SYMLINK && !x->q->no_follow) { /* it was something else a moment ago */
		errno = ESTALE;
		return -1;
	}
	if (f->x->indexed)
		copy_share_name(s->share, f);
	*out = f;
	return 1;
}

/* --exclude: a file by its name, in a directory what is below it. NULL: nothing is left. */
static struct copy_file *exclude(const struct select *x, struct copy_file *f)
{
	if (!x->q->exclude)
		return f;
	if (f->type == LAYER_DIR)
		return copy_view(x->s, x->q->exclude, f);
	return ignore_match(x->q->exclude, slice_of(f->name), NULL) ? NULL : f;
}

/* 1 = added, 0 = hidden by rule *line, -1 with *x->err, -2 with errno. */
static int add_path(struct select *x, const char *written, size_t *line)
{
	struct copy_selection *s = x->s;
	struct copy_file *f = NULL;
	int rc = select_find(x, written, &f, line);

	if (rc <= 0)
		return rc < 0 ? -2 : 0;
	if (copy_selection_add(s, 1, x->err))
		return -1;
	if (f->type == LAYER_DIR) {
		if (copy_walk(s, &x->q->root, f, x->err) < 0)
			return -1;
		if (f->excluded && !f->nchild)
			return 0;
	}
	if (!(f = exclude(x, f)))
		return 1;
	int archive = 0;
	if (x->q->unpack && f->type == LAYER_FILE &&
		(archive = copy_extract_probe(s, f, x->err)) < 0)
		return -1;
	if (s->n >= COPY_SOURCES_MAX)
		return err_set(x->err, ERR_LIMIT, "more than %d sources in one instruction",
			COPY_SOURCES_MAX);
	copy_selection_push(s, f, x->item)->archive = archive > 0;
	return 1;
}

static int add_matches(struct select *x, const char *text, const struct strlist *found)
{
	for (size_t i = 0; i < found->n; i++) {
		size_t line, own;
		int rc = add_path(x, found->v[i], &line), e = errno;
		if (rc == -1)
			return err_prefix(x->err, "%s", text);
		/* A link that a rule hides is not there, wherever it leads; one that is there and
		 * leads to what is hidden is missed. */
		if ((rc == 0 && !line) || rc == 1 || ignored(x, found->v[i], &own))
			continue;
		return copy_hint_missing(
			x->s, &x->q->root, found->v[i], rc ? e : 0, rc ? 0 : line, x->err);
	}
	return 0;
}

static bool well_formed(const char *text)
{
	struct pattern *p = pattern_new(slice_of(text), PATTERN_FILE);

	pattern_free(p);
	return p != NULL;
}

/* A name without wildcards. 1 = done, 0 = it may be a pattern all the same, -1. */
static int select_literal(struct select *x, const char *text, const char *clean)
{
	size_t line = 0;
	int rc = add_path(x, clean, &line), e = errno;

	if (rc == 1 || rc == -1)
		return rc;
	/* "a\\*b" is the file a*b, unless there is one with the backslash. */
	if (rc == 0 || e != ENOENT || !strchr(clean, '\\') || !well_formed(clean))
		return copy_hint_missing(x->s, &x->q->root, text, rc ? e : 0, line, x->err);
	return 0;
}

static int select_pattern(struct select *x, const char *text, const char *clean, bool wild)
{
	struct strlist found = {0};
	int rc = copy_glob(x->s, &x->q->root, clean, !wild, &found, x->err);

	if (rc == 0 && !wild && !found.n)
		rc = copy_hint_missing(x->s, &x->q->root, text, ENOENT, 0, x->err);
	if (rc == 0)
		rc = add_matches(x, text, &found);
	strlist_clear(&found);
	return rc;
}

static int select_path(struct select *x, const char *text)
{
	auto_free char *clean = path_clean(text, NULL);
	bool wild = pattern_has_wildcard(slice_of(clean));

	if (x->q->root.dir_fd < 0 && !x->q->root.tree)
		return err_set(x->err, ERR_CONTEXT, "there is no build context to copy from");
	if (strlen(clean) > LAYER_PATH_MAX)
		return err_set(x->err, ERR_CONTEXT, "the name of a source is longer than %d bytes",
			LAYER_PATH_MAX);
	if (x->q->parents)
		return copy_parents(x->s, x->q, x->item, x->err);
	if (!wild) {
		int rc = select_literal(x, text, clean);
		if (rc)
			return rc < 0 ? -1 : 0;
	} else if (!well_formed(clean)) {
		auto_free char *bad = fs_printable(text);
		return err_set(x->err, ERR_CONTEXT, "malformed pattern: %s", bad);
	}
	return select_pattern(x, text, clean, wild);
}

static int select_inline(struct select *x, const struct copy_item *it)
{
	struct copy_file *f = copy_selection_made(x->s, it->text, 0644);

	if (!*it->text || strchr(it->text, '/'))
		return err_set(x->err, ERR_CONTEXT, "a heredoc needs a plain name");
	if (it->len) {
		f->x->mem = it->data;
		f->size = it->len;
		f->content = COPY_CONTENT_MEM;
	}
	copy_selection_push(x->s, f, x->item)->last = true;
	return copy_selection_add(x->s, 1, x->err);
}

static int select_given(struct select *x, const struct copy_item *it)
{
	const struct copy_file_given *g = it->given;
	struct copy_file *f = copy_fetch_given(x->s, it->text, g, x->err);
	int archive = g->tree;

	if (!f || (g->unpack && (archive = copy_extract_probe(x->s, f, x->err)) < 0))
		return -1;
	struct copy_source *src = copy_selection_push(x->s, f, x->item);
	src->archive = archive > 0;
	src->tree = g->tree;
	return copy_selection_add(x->s, 1, x->err);
}

static int select_item(struct select *x, const struct copy_item *it)
{
	if (copy_selection_cancelled(x->s, x->err))
		return -1;
	if (it->kind == COPY_ITEM_PATH)
		return select_path(x, it->text);
	if (it->kind == COPY_ITEM_INLINE)
		return select_inline(x, it);
	return select_given(x, it);
}

struct copy_selection *copy_select(const struct copy_request *q, size_t *bad_item, struct err **err)
{
	auto_copy_selection struct copy_selection *s = selection_new(q);
	struct select x = {.s = s, .q = q, .err = err};

	if (take_share(s, err) < 0 || own_fds(s, q, err) < 0)
		return NULL;
	for (; x.item < q->nitems; x.item++)
		if (select_item(&x, &q->items[x.item]) < 0) {
			if (bad_item)
				*bad_item = x.item;
			return NULL;
		}
	return TAKE(s);
}

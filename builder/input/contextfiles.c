// SPDX-License-Identifier: Apache-2.0
/*
 * The files behind each kind of context: a directory stays one and is walked by COPY; everything
 * else becomes a merged tree. Bytes that are no archive are the Dockerfile itself, where one may
 * come.
 */
#include "builder/input/contextfiles.h"

#include <fcntl.h>
#include <stdlib.h>

#include "builder/fetch/download.h"
#include "builder/git/git.h"
#include "builder/input/archivetree.h"
#include "parser/dockerfile.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/snapshot.h"
#include "store/tar/userarchive.h"
#include "store/tree/tree.h"

static int contextfiles_open_dir(
	const char *path, struct store *s, struct context *c, struct err **err)
{
	auto_free char *shown = fs_printable(path);

	c->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0) {
		err_sys_kind(err, ERR_CONTEXT, "build context \"%s\"", shown);
		if (errno == ENOTDIR)
			err_hint(err, "the context is a directory, or \"-\" for a tar on stdin; "
				      "a Dockerfile is named with -f");
		return -1;
	}
	c->shown = TAKE(shown);
	c->share = copy_share_new(s, c->dir_fd);
	return 0;
}

/* An archive as the tree; anything else is the Dockerfile itself, where one may come. */
static int take_bytes(
	int fd, struct store *s, struct context *c, struct dfsource *file, struct err **err)
{
	int is_tar = layer_archive_probe(fd, err);

	if (is_tar < 0)
		return -1;
	if (is_tar) {
		c->tree = archivetree_make(fd, s, err);
		return c->tree ? 0 : -1;
	}
	if (!file)
		return err_set(err, ERR_CONTEXT, "not a tar archive");
	c->tree = layer_tree_new();
	file->path = mem_strdup("Dockerfile");
	buf_init(&file->text, DOCKERFILE_SIZE_MAX);
	if (fs_read_fd(fd, DOCKERFILE_SIZE_MAX, "the Dockerfile", &file->text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}

static int open_stdin(struct store *s, struct context *c, struct dfsource *file, struct err **err)
{
	auto_fd int spool = archivetree_spool(STDIN_FILENO, "the context on stdin", s, err);

	c->shown = mem_strdup("stdin");
	if (spool < 0)
		return -1;
	return take_bytes(spool, s, c, file, err) < 0 ? err_prefix(err, "stdin") : 0;
}

static int open_http(const char *url, const struct fetchenv *e, struct context *c,
	struct dfsource *file, struct err **err)
{
	CLEANUP(download_clear) struct download d = {.fd = -1};

	c->shown = download_shown(url);
	if (download_get(e, url, NULL, &d, err) < 0)
		return -1;
	c->modified = d.mtime > 0 ? d.mtime : 0;
	return take_bytes(d.fd, e->s, c, file, err) < 0 ? err_prefix(err, "%s", c->shown) : 0;
}

static int open_git(const char *url, const struct fetchenv *e, struct context *c, struct err **err)
{
	struct arena *a = arena_new();
	struct giturl u;
	struct record r;
	int done = git_url(a, url, GITURL_CONTEXT, &u, err);

	if (done == 0)
		done = git_layer(e, &u, &r, err);
	if (done == 0) {
		c->shown = fs_printable(u.remote);
		const struct layer_stack k = {.diff_ids = &r.layer, .n = 1};
		c->tree = snapshot_tree(e->s, &k, err);
	}
	arena_free(a);
	return c->tree ? 0 : -1;
}

int contextfiles_open(const struct contextspec *spec, const struct fetchenv *e, struct context *c,
	struct dfsource *file, struct err **err)
{
	switch (spec->kind) {
	case CONTEXTSPEC_DIR:
		return contextfiles_open_dir(spec->text, e->s, c, err);
	case CONTEXTSPEC_STDIN:
		return open_stdin(e->s, c, file, err);
	case CONTEXTSPEC_GIT:
		return open_git(spec->text, e, c, err);
	case CONTEXTSPEC_HTTP:
		return open_http(spec->text, e, c, file, err);
	case CONTEXTSPEC_IMAGE:
		c->image = mem_strdup(spec->text);
		return 0;
	}
	return -1;
}

void contextfiles_clear(struct context *c)
{
	copy_share_free(c->share);
	fd_close(c->dir_fd);
	layer_tree_free(c->tree);
	ignorefile_clear(&c->ignore);
	free(c->image);
	free(c->shown);
	*c = (struct context){.dir_fd = -1};
}

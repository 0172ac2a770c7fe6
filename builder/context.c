// SPDX-License-Identifier: Apache-2.0
#include "builder/context.h"

#include <fcntl.h>
#include <string.h>

#include "builder/dferr.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"

static void context_clear(struct context *c)
{
	copy_share_free(c->share);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	layer_tree_free(c->tree);
	ignore_free(c->ignore);
	free(c->ignore_name);
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

/* --- text files: Dockerfile, ignore file ------------------------------------------------ */

static int read_ignore_text(
	struct context *c, const char *name, const struct buf *text, struct err **err)
{
	auto_free char *shown = fs_printable(name);
	struct ignore *ig = ignore_parse(slice_of(shown), (struct slice){text->data, text->len});
	const struct diag_list *d = ignore_diags(ig);

	if (d->errors) {
		err_set(err, ERR_CONTEXT, "%s: line %zu: %.*s", shown,
			source_line_of(ignore_source(ig), d->items[0].span.off),
			SLICE_ARG(d->items[0].message));
		ignore_free(ig);
		return -1;
	}
	c->ignore = ig;
	c->ignore_name = mem_strdup(shown);
	return 0;
}

/* 1 read, 0 not there, -1. */
static int read_ignore_at(
	struct context *c, int dir_fd, const char *path, bool in_root, struct err **err)
{
	auto_fd int fd =
		in_root ? fs_open_beneath(dir_fd, path, O_RDONLY | O_NONBLOCK, 0, FS_IN_ROOT)
			: openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	auto_buf struct buf text = {0};
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_CONTEXT, "%s: not a regular file", path);
	buf_init(&text, IGNORE_SIZE_MAX);
	if (fs_read_fd(fd, IGNORE_SIZE_MAX, path, &text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return read_ignore_text(c, path, &text, err) < 0 ? -1 : 1;
}

/* S13: FILE.dockerignore beside the Dockerfile replaces the context's .dockerignore. */
static int open_ignore(struct context *c, const char *dockerfile, bool in_context, struct err **err)
{
	if (c->dir_fd < 0)
		return 0;
	if (dockerfile) {
		auto_free char *beside = mem_printf("%s.dockerignore", dockerfile);
		int found = read_ignore_at(
			c, in_context ? c->dir_fd : AT_FDCWD, beside, in_context, err);
		if (found)
			return found < 0 ? -1 : 0;
	}
	return read_ignore_at(c, c->dir_fd, ".dockerignore", true, err) < 0 ? -1 : 0;
}

static int parse_text(
	const char *name, const struct buf *text, struct dockerfile **df, struct err **err)
{
	struct dockerfile *d =
		dockerfile_parse(slice_of(name), (struct slice){text->data, text->len});

	if (d->diags.errors) {
		dferr_report(err, d);
		dockerfile_free(d);
		return -1;
	}
	*df = d;
	return 0;
}

/* --- a tar on stdin ------------------------------------------------------------------------ */

static int spool_stdin(struct store *s, struct err **err)
{
	auto_fd int fd = openat(store_spool_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct io_fd in = {.fd = STDIN_FILENO, .what = "stdin"};
	struct io_reader r = io_fd_reader(&in);
	auto_free char *chunk = mem_alloc(1 << 18);
	uint64_t total = 0;

	if (fd < 0)
		return err_sys(err, "spool file in the store");
	for (;;) {
		ssize_t n = io_read(&r, chunk, 1 << 18, err);
		if (n < 0)
			return err_rekind(err, ERR_CONTEXT);
		if (n == 0)
			break;
		total += (uint64_t)n;
		if (total > CONTEXT_TAR_MAX)
			return err_set(err, ERR_LIMIT,
				"the context on stdin is larger than %llu bytes",
				(unsigned long long)CONTEXT_TAR_MAX);
		if (fs_write_all(fd, chunk, (size_t)n) < 0)
			return err_sys(err, "write the context of stdin to the store");
	}
	return TAKE_FD(fd);
}

/* Archive -> entries -> plain tar -> merged tree: the walker and the tree then do what they do for
 * layers. */
static int tree_of_archive(int archive, struct store *s, struct layer_tree **out, struct err **err)
{
	auto_layer_archive struct layer_archive *a =
		layer_archive_open(archive, store_spool_fd(s), CONTEXT_TAR_MAX, err);
	auto_layer_list struct layer_list *list = layer_list_new();
	auto_fd int tar = openat(store_spool_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	const struct layer_entry *e;
	int more;

	if (!a)
		return -1;
	if (tar < 0)
		return err_sys(err, "spool file in the store");
	while ((more = layer_archive_next(a, &e, err)) > 0)
		layer_list_add(list, e);
	if (more < 0)
		return -1;
	struct io_fd f = {.fd = tar, .what = "context"};
	if (layer_list_write(list, io_fd_writer(&f), err) < 0)
		return -1;
	auto_layer_tree struct layer_tree *t = layer_tree_new();
	if (layer_tree_apply(t, TAKE_FD(tar), err) < 0)
		return -1;
	*out = TAKE(t);
	return 0;
}

static int read_tree_file(struct context *c, const char *path, struct buf *text, struct err **err)
{
	struct layer_node *n = layer_tree_lookup(c->tree, path, true, NULL, NULL);
	size_t len = 0;

	if (!n || layer_node_type(n) != LAYER_FILE)
		return err_set(err, ERR_CONTEXT, "the context on stdin has no file \"%s\"", path);
	auto_free char *p = layer_node_read(n, DOCKERFILE_SIZE_MAX, &len, err);
	if (!p)
		return -1;
	buf_add(text, p, len);
	return 0;
}

static int open_stdin(const struct context_opts *o, struct store *s, struct context *c,
	struct buf *text, struct err **err)
{
	auto_fd int spool = spool_stdin(s, err);

	if (spool < 0)
		return -1;
	c->shown = mem_strdup("stdin");
	int is_tar = layer_archive_probe(spool, err);
	if (is_tar < 0)
		return -1;
	if (!is_tar) {
		c->tree = layer_tree_new();
		if (fs_read_fd(spool, DOCKERFILE_SIZE_MAX, "Dockerfile on stdin", text, err) < 0)
			return err_rekind(err, ERR_CONTEXT);
		return 0;
	}
	if (tree_of_archive(spool, s, &c->tree, err) < 0)
		return -1;
	return read_tree_file(c, o->dockerfile ? o->dockerfile : "Dockerfile", text, err);
}

/* --- the Dockerfile of a directory context ---------------------------------------------------- */

static int read_dockerfile_fd(int fd, const char *shown, struct buf *text, struct err **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONTEXT, "%s: is a directory, not a Dockerfile", shown);
	if (fs_read_fd(fd, DOCKERFILE_SIZE_MAX, shown, text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}

/* *in_context tells where the ignore file beside it is looked for. */
static int read_dockerfile(const struct context_opts *o, struct context *c, struct buf *text,
	bool *in_context, struct err **err)
{
	const char *path = o->dockerfile ? o->dockerfile : "Dockerfile";
	auto_fd int fd = -1;

	*in_context = !o->dockerfile;
	if (o->dockerfile) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && path[0] != '/' && c->dir_fd >= 0) {
			fd = fs_open_beneath(c->dir_fd, path, O_RDONLY, 0, FS_IN_ROOT);
			*in_context = fd >= 0;
		}
	} else {
		fd = fs_open_beneath(c->dir_fd, path, O_RDONLY | O_NONBLOCK, 0, FS_IN_ROOT);
	}
	if (fd < 0) {
		err_sys_kind(err, ERR_CONTEXT,
			o->dockerfile ? "Dockerfile \"%s\"" : "%s in the context", path);
		if (errno == ENOENT)
			err_hint(err, "name it with -f FILE, or give the directory that holds it "
				      "as context");
		return -1;
	}
	return read_dockerfile_fd(fd, path, text, err);
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
			open_ignore(&n->context, NULL, true, err) < 0)
			return -1;
	}
	return 0;
}

int context_open(const struct context_opts *o, struct store *s, struct context_set *out,
	struct dockerfile **df, struct err **err)
{
	auto_context struct context_set set = {.main = {.dir_fd = -1}};
	auto_buf struct buf text = {0};
	bool stdin_file = o->dockerfile && strcmp(o->dockerfile, "-") == 0;
	const char *shown = o->dockerfile && !stdin_file ? o->dockerfile : "Dockerfile";

	buf_init(&text, DOCKERFILE_SIZE_MAX);
	if (o->context && strcmp(o->context, "-") == 0) {
		if (stdin_file)
			return err_set(err, ERR_USAGE,
				"the context and the Dockerfile cannot both come from stdin");
		if (open_stdin(o, s, &set.main, &text, err) < 0)
			return -1;
	} else {
		bool in_context = true;
		if (o->context && open_dir(o->context, s, &set.main, err) < 0)
			return -1;
		if (stdin_file ? read_dockerfile_fd(
					 STDIN_FILENO, "Dockerfile on stdin", &text, err) < 0
			       : read_dockerfile(o, &set.main, &text, &in_context, err) < 0)
			return -1;
		if (open_ignore(&set.main, stdin_file ? NULL : shown, in_context, err) < 0)
			return -1;
	}
	if (open_named(o, s, &set, err) < 0 || parse_text(shown, &text, df, err) < 0)
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
	*c = (struct context_set){.main = {.dir_fd = -1}};
}

struct copy_root context_root(const struct context *c)
{
	return (struct copy_root){
		.dir_fd = c->dir_fd,
		.tree = c->tree,
		.ignore = c->ignore,
		.ignore_name = c->ignore_name,
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

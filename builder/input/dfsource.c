// SPDX-License-Identifier: Apache-2.0
/*
 * Finds and reads the Dockerfile. -f is looked for in the current directory and then in the
 * context; in a context that is an archive only there, as the caller's directory is another one.
 * Names inside the context never lead out of it.
 */
#include "builder/input/dfsource.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/dockerfile.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"
#include "store/tree/tree.h"

static const char *const usual[] = {"Dockerfile", "Containerfile", "dockerfile"};

static int read_fd(int fd, const char *shown, struct buf *text, struct err **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_CONTEXT, "%s: is a directory, not a Dockerfile", shown);
		return err_hint(err, "-f names the file; the directory is the context");
	}
	if (fs_read_fd(fd, DOCKERFILE_SIZE_MAX, shown, text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return 0;
}

/* 1 read, 0 not there, -1. */
static int read_in_dir(
	const struct dfsource_where *w, const char *name, struct buf *text, struct err **err)
{
	auto_free char *shown = fs_printable(name);
	auto_fd int fd = fs_open_beneath(w->dir_fd, name, O_RDONLY | O_NONBLOCK, 0, FS_IN_ROOT);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s in the context", shown);
	return read_fd(fd, shown, text, err) < 0 ? -1 : 1;
}

static int read_in_tree(
	const struct dfsource_where *w, const char *name, struct buf *text, struct err **err)
{
	struct layer_node *n = layer_tree_lookup(w->tree, name, true, NULL, NULL);
	size_t len = 0;

	if (!n)
		return 0;
	if (layer_node_type(n) != LAYER_FILE) {
		auto_free char *shown = fs_printable(name);
		return err_set(err, ERR_CONTEXT, "%s in the context: not a regular file", shown);
	}
	auto_free char *p = layer_node_read(n, DOCKERFILE_SIZE_MAX, &len, err);
	if (!p)
		return -1;
	buf_add(text, p, len);
	return 1;
}

static int read_in_context(
	const struct dfsource_where *w, const char *name, struct buf *text, struct err **err)
{
	if (w->tree)
		return read_in_tree(w, name, text, err);
	return w->dir_fd >= 0 ? read_in_dir(w, name, text, err) : 0;
}

static bool dfsource_is_there(const struct dfsource_where *w, const char *name)
{
	struct stat st;

	if (w->tree)
		return layer_tree_lookup(w->tree, name, true, NULL, NULL) != NULL;
	auto_fd int fd =
		w->dir_fd < 0 ? -1 : fs_open_beneath(w->dir_fd, name, O_PATH, 0, FS_IN_ROOT);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int read_usual(const struct dfsource_where *w, struct dfsource *out, struct strlist *notes,
	struct err **err)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		int found = read_in_context(w, usual[i], &out->text, err);
		if (found < 0)
			return -1;
		if (!found)
			continue;
		if (i == 0 && dfsource_is_there(w, usual[1]))
			strlist_addf(notes, "the context has a Dockerfile and a Containerfile: the "
					    "Dockerfile is "
					    "used (-f Containerfile takes the other one)");
		out->path = mem_strdup(usual[i]);
		out->in_context = true;
		return 0;
	}
	err_set(err, ERR_CONTEXT, "there is no Dockerfile in the context %s",
		w->shown ? w->shown : "");
	return err_hint(
		err, "name it with -f FILE, or give the directory that holds it as context");
}

static int dfsource_read_given(
	const struct dfsource_where *w, struct dfsource *out, struct err **err)
{
	auto_free char *shown = fs_printable(w->given);
	/* A context that was packed has the file itself; the caller's directory is another one. */
	auto_fd int fd = w->tree ? -1 : open(w->given, O_RDONLY | O_CLOEXEC);
	int reason = fd < 0 && !w->tree ? errno : ENOENT;

	out->path = mem_strdup(w->given);
	if (fd >= 0)
		return read_fd(fd, shown, &out->text, err);
	if (reason == ENOENT && (w->tree || w->given[0] != '/')) {
		int found = read_in_context(w, w->given, &out->text, err);
		out->in_context = found > 0;
		if (found)
			return found < 0 ? -1 : 0;
	}
	errno = reason;
	err_sys_kind(err, ERR_CONTEXT, "Dockerfile \"%s\"", shown);
	if (reason != ENOENT)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (dfsource_is_there(w, usual[i]))
			return err_hint(
				err, "the context has a %s: leave -f out to build it", usual[i]);
	return err_hint(err, "-f is looked for in the current directory, then in the context");
}

int dfsource_read(const struct dfsource_where *w, struct dfsource *out, struct strlist *notes,
	struct err **err)
{
	int r;

	*out = (struct dfsource){0};
	buf_init(&out->text, DOCKERFILE_SIZE_MAX);
	if (!w->given) {
		r = read_usual(w, out, notes, err);
	} else if (strcmp(w->given, "-") == 0) {
		out->path = mem_strdup("Dockerfile");
		r = read_fd(STDIN_FILENO, "Dockerfile on stdin", &out->text, err);
	} else {
		r = dfsource_read_given(w, out, err);
	}
	if (r < 0)
		dfsource_clear(out);
	return r;
}

void dfsource_clear(struct dfsource *d)
{
	free(d->path);
	buf_clear(&d->text);
	*d = (struct dfsource){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the ignore file: the given one, else one beside the Dockerfile with its name in front, else
 * that of the context. The first that exists is the only one.
 */
#include "builder/input/ignorefile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "parser/source.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static int ignorefile_parse(
	const char *path, const struct buf *text, struct ignorefile *out, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct ignore *rules = ignore_parse(slice_of(shown), (struct slice){text->data, text->len});
	const struct diag_list *d = ignore_diags(rules);

	if (d->errors) {
		err_set(err, ERR_CONTEXT, "%s: line %zu: %.*s", shown,
			source_line_of(ignore_source(rules), d->items[0].span.off),
			SLICE_ARG(d->items[0].message));
		ignore_free(rules);
		return -1;
	}
	out->rules = rules;
	out->name = TAKE(shown);
	return 0;
}

/* 1 read, 0 not there, -1. in_root: names inside the context never lead out of it. */
static int read_at(
	int dir_fd, const char *path, bool in_root, struct ignorefile *out, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	auto_fd int fd =
		in_root ? fs_open_beneath(dir_fd, path, O_RDONLY | O_NONBLOCK, 0, FS_IN_ROOT)
			: openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	auto_buf struct buf text = {0};
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_CONTEXT, "%s: not a regular file", shown);
	buf_init(&text, IGNORE_SIZE_MAX);
	if (fs_read_fd(fd, IGNORE_SIZE_MAX, path, &text, err) < 0)
		return err_rekind(err, ERR_CONTEXT);
	return ignorefile_parse(path, &text, out, err) < 0 ? -1 : 1;
}

static int ignorefile_read_given(const char *path, struct ignorefile *out, struct err **err)
{
	auto_buf struct buf text = {0};

	buf_init(&text, IGNORE_SIZE_MAX);
	if (fs_read_file(AT_FDCWD, path, IGNORE_SIZE_MAX, &text, err) < 0)
		return err_prefix(err, "--ignorefile");
	return ignorefile_parse(path, &text, out, err);
}

int ignorefile_find(const struct ignorefile_where *w, struct ignorefile *out, struct err **err)
{
	static const char *const names[] = {".containerignore", ".dockerignore"};
	int found = 0;

	*out = (struct ignorefile){0};
	if (w->given)
		return ignorefile_read_given(w->given, out, err);
	if (w->dir_fd < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names) && w->dockerfile && !found; i++) {
		auto_free char *beside = mem_printf("%s%s", w->dockerfile, names[i]);
		found = read_at(
			w->in_context ? w->dir_fd : AT_FDCWD, beside, w->in_context, out, err);
	}
	for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++)
		found = read_at(w->dir_fd, names[i], true, out, err);
	return found < 0 ? -1 : 0;
}

void ignorefile_clear(struct ignorefile *f)
{
	ignore_free(f->rules);
	free(f->name);
	*f = (struct ignorefile){0};
}

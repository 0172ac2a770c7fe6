// SPDX-License-Identifier: Apache-2.0
/*
 * --output type=tar: the files of one or several images as one archive. Of several, each goes below
 * a directory of its platform, and its hard links with it.
 */
#include "builder/output/output.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

struct sink {
	const struct output_files *f;
	const char *shown;
	int fd;
};

static int output_tar_write_out(void *ctx, const void *p, size_t n, struct err **err)
{
	const struct sink *s = ctx;

	if (output_files_cancelled(s->f, err) < 0)
		return -1;
	return fs_write_all(s->fd, p, n) < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", s->shown) : 0;
}

/* Below a directory of its own; hard links are to paths in the same archive. */
static int add_below(
	struct layer_writer *w, const char *below, const struct layer_entry *e, struct err **err)
{
	auto_free char *path = mem_printf("%s/%s", below, e->path);
	auto_free char *link =
		e->type == LAYER_HARDLINK ? mem_printf("%s/%s", below, e->link) : NULL;
	struct layer_entry moved = *e;

	moved.path = path;
	if (link)
		moved.link = link;
	return layer_writer_add(w, &moved, err);
}

static int add_files(struct layer_writer *w, const struct output_files *f, struct err **err)
{
	struct layer_entry e = {.path = f->below, .type = LAYER_DIR, .mode = 0755};

	if (f->below && f->times->set)
		e.mtime = f->times->seconds;
	if (f->below && layer_writer_add(w, &e, err) < 0)
		return -1;
	for (size_t i = 0; i < layer_list_count(f->list); i++) {
		if (!output_files_at(f, i, &e))
			continue;
		if ((f->below ? add_below(w, f->below, &e, err) : layer_writer_add(w, &e, err)) < 0)
			return -1;
	}
	return 0;
}

int output_tar(const struct output_files *f, size_t n, int fd, const char *shown, struct err **err)
{
	struct sink s = {.f = f, .shown = shown, .fd = fd};
	auto_layer_writer struct layer_writer *w =
		layer_writer_new((struct io_writer){.write = output_tar_write_out, .ctx = &s});

	for (size_t i = 0; i < n; i++)
		if (add_files(w, &f[i], err) < 0)
			return -1;
	return layer_writer_finish(w, err);
}

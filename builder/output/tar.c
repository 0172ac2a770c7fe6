// SPDX-License-Identifier: Apache-2.0
#include "builder/output/output.h"
#include "store/base/fs.h"

struct sink {
	const struct output_files *f;
	const char *shown;
	int fd;
};

static int write_out(void *ctx, const void *p, size_t n, struct err **err)
{
	const struct sink *s = ctx;

	if (output_files_cancelled(s->f, err) < 0)
		return -1;
	return fs_write_all(s->fd, p, n) < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", s->shown) : 0;
}

int output_tar(const struct output_files *f, int fd, const char *shown, struct err **err)
{
	struct sink s = {.f = f, .shown = shown, .fd = fd};
	auto_layer_writer struct layer_writer *w =
		layer_writer_new((struct io_writer){.write = write_out, .ctx = &s});
	struct layer_entry e;

	for (size_t i = 0; i < layer_list_count(f->list); i++)
		if (output_files_at(f, i, &e) && layer_writer_add(w, &e, err) < 0)
			return -1;
	return layer_writer_finish(w, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A layer with other times: read by the walker, written by the writer, so that equal trees give
 * equal bytes whoever wrote the first one.
 */
#include "store/tar/retime.h"

#include <sys/stat.h>

#include "store/tar/entry.h"
#include "store/tar/walk.h"
#include "store/tar/write.h"

int layer_retime(int tar_fd, int64_t seconds, bool set, struct io_writer out, struct err **err)
{
	const struct layer_entry *e;
	struct stat st;
	int rc;

	if (fstat(tar_fd, &st))
		return err_sys(err, "layer");
	auto_layer_walk struct layer_walk *r = layer_walk_new(tar_fd, (uint64_t)st.st_size);
	auto_layer_writer struct layer_writer *w = layer_writer_new(out);
	while ((rc = layer_walk_next(r, &e, err)) > 0) {
		struct layer_entry changed = *e;
		if (set || changed.mtime > seconds)
			changed.mtime = seconds;
		if (layer_writer_add(w, &changed, err))
			return -1;
	}
	return rc < 0 ? -1 : layer_writer_finish(w, err);
}

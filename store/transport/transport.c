// SPDX-License-Identifier: Apache-2.0
/*
 * What all sources share. A file is copied into a sink from where the sink stands, and hashed on
 * the way as http.c does for what it receives; so callers need not know where bytes come from.
 */
#include "store/transport/transport.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/reference.h"

#define COPY_PIECE ((size_t)256 << 10)

void transport_init(struct transport *t, const struct transport_ops *ops, char *take_label)
{
	*t = (struct transport){.ops = ops, .label = take_label, .workers = 2};
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	free(t->label);
	strlist_clear(&t->names);
	t->ops->close(t);
}

int transport_copy_file(
	int fd, uint64_t off, uint64_t size, struct http_sink *sink, struct err **err)
{
	auto_free char *piece = mem_grow(NULL, COPY_PIECE, 1);

	while (sink->done < size) {
		uint64_t left = size - sink->done;
		size_t n = left < COPY_PIECE ? (size_t)left : COPY_PIECE;

		if (fs_pread_all(fd, piece, n, off + sink->done) < 0)
			return err_sys_kind(err, ERR_CONTEXT, "reading a blob");
		if (io_write(&sink->out, piece, n, err) < 0)
			return -1;
		sha256_update(&sink->hash, piece, n);
		sink->done += n;
		if (sink->progress)
			sink->progress(sink->ctx, sink->done);
	}
	return 0;
}

bool transport_same_name(const char *a, const char *b)
{
	auto_reference struct reference x = {0}, y = {0};
	auto_free char *full_a = NULL, *full_b = NULL;

	if (strcmp(a, b) == 0)
		return true;
	if (reference_parse(a, &x, NULL) < 0 || reference_parse(b, &y, NULL) < 0)
		return false;
	full_a = reference_text(&x);
	full_b = reference_text(&y);
	return strcmp(full_a, full_b) == 0;
}

// SPDX-License-Identifier: Apache-2.0
/* oci-archive:FILE[:NAME]: an OCI image layout as one tar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/transport/bundle.h"
#include "store/transport/oci_layout.h"
#include "store/transport/outgoing.h"
#include "store/transport/outtar.h"
#include "store/transport/progress.h"

/* --- reading ------------------------------------------------------------------------------ */

static int oci_archive_open(
	void *ctx, const char *name, struct oci_layout_file *out, struct err **err)
{
	const struct bundle_file *f = bundle_find(ctx, name);

	if (!f)
		return err_set(err, ERR_NOT_FOUND, "the archive has no %s", name);
	*out = (struct oci_layout_file){.fd = f->fd, .off = f->off, .size = f->size};
	return 0;
}

static void archive_free(void *ctx)
{
	bundle_free(ctx);
}

static const struct oci_layout_ops ops = {oci_archive_open, archive_free};

struct transport *transport_oci_archive_all(
	struct bundle *take_b, const char *shown, struct err **err)
{
	return oci_layout_open_all(&ops, take_b, mem_printf("oci-archive:%s", shown), err);
}

struct transport *transport_open_oci_archive(
	struct store *s, const char *path, const char *name, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct bundle *b = bundle_open(s, path, err);

	return b ? oci_layout_open(&ops, b, mem_printf("oci-archive:%s", shown), name, err) : NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

static int by_digest(const void *a, const void *b)
{
	const struct oci_descriptor *const *x = a, *const *y = b;
	return memcmp((*x)->digest.b, (*y)->digest.b, SHA256_BYTES);
}

static int oci_archive_write_blobs(struct outgoing_set *o, struct outtar *t, struct err **err)
{
	qsort(o->v, o->n, sizeof *o->v, by_digest);
	for (size_t i = 0; i < o->n; i++) {
		const struct oci_descriptor *d = o->v[i];
		uint64_t size;
		char hex[DIGEST_HEX], name[DIGEST_HEX + 16];
		auto_fd int from = -1;

		if (i && sha256_equal(&o->v[i - 1]->digest, &d->digest))
			continue; /* a layer of two images */
		from = blob_open(o->s, &d->digest, &size, err);
		if (from < 0)
			return -1;
		progress_emit(o->p, TRANSFER_BLOB_START, &d->digest, 0, size, NULL);
		snprintf(name, sizeof name, "blobs/sha256/%s", sha256_hex(&d->digest, hex));
		if (outtar_fd(t, name, from, size, err) < 0)
			return -1;
		progress_emit(o->p, TRANSFER_BLOB_DONE, &d->digest, size, size, NULL);
	}
	return 0;
}

int transport_to_oci_archive(struct outgoing_set *o, const char *path, struct err **err)
{
	auto_outtar struct outtar *t = outtar_open(path, o->p, err);
	auto_free char *index = NULL;
	size_t len;

	if (!t)
		return -1;
	index = oci_layout_index(NULL, 0, o->tops, o->ntops, &len, err);
	if (!index)
		return -1;
	if (outtar_dir(t, "blobs", err) < 0 || outtar_dir(t, "blobs/sha256", err) < 0 ||
		oci_archive_write_blobs(o, t, err) < 0 ||
		outtar_mem(t, "index.json", index, len, err) < 0 ||
		outtar_mem(t, "oci-layout", OCI_LAYOUT_FILE, strlen(OCI_LAYOUT_FILE), err) < 0)
		return -1;
	return outtar_commit(t, err);
}

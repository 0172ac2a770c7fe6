// SPDX-License-Identifier: Apache-2.0
/*
 * Images are prepared one after the other (outgoing.h), which may compress their layers; what they
 * are made of is gathered as a set that borrows from them, and written when all are there.
 */
#include "store/transport/archives.h"

#include <stdlib.h>

#include "store/base/mem.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/transport/progress.h"

/* An image, or the images of an index, on the way into a layout. */
struct layout_item {
	struct oci_index x;
	struct image *images;  /* of the index; owned, one per entry */
	size_t nimages;        /* that are open */
	struct outgoing *outs; /* owned */
	size_t n;
	struct oci_descriptor top; /* of the index */
};

static void clear_item(struct layout_item *f)
{
	for (size_t i = 0; i < f->n; i++)
		outgoing_clear(&f->outs[i]);
	for (size_t i = 0; i < f->nimages; i++)
		image_clear(&f->images[i]);
	free(f->outs);
	free(f->images);
	oci_descriptor_clear(&f->top);
	oci_index_clear(&f->x);
}

/* Its layers get their form for the outside, and with them the manifest. */
static int add_member(
	struct layout_item *f, const struct image *i, struct outgoing_set *set, struct err **err)
{
	struct outgoing *o = &f->outs[f->n++];

	*o = (struct outgoing){.s = set->s,
		.image = i,
		.p = set->p,
		.packing = set->p->o->packing,
		.repack = set->p->o->repack};
	return outgoing_prepare(o, 2, NULL, err) < 0 ? -1 : outgoing_add(o, set, err);
}

static int add_index(struct layout_item *f, const struct oci_descriptor *index,
	struct outgoing_set *set, struct err **err)
{
	if (imageindex_read(set->s, &index->digest, &f->x, err) < 0)
		return -1;
	f->images = mem_alloc((f->x.nmanifests + 1) * sizeof *f->images);
	f->outs = mem_alloc((f->x.nmanifests + 1) * sizeof *f->outs);
	for (size_t i = 0; i < f->x.nmanifests; i++) {
		struct oci_descriptor *d = &f->x.manifests[i];

		if (image_open_manifest(set->s, &d->digest, &f->images[i], err) < 0)
			return err_hint(err, "\"bld pull --platform\" fetches one image of it");
		f->nimages++;
		if (add_member(f, &f->images[i], set, err) < 0)
			return -1;
		d->digest = f->outs[i].d.digest;
		d->size = f->outs[i].d.size;
	}
	if (imageindex_write(set->s, &f->x, &f->top, err) < 0)
		return -1;
	strlist_copy(&f->top.annotations, &index->annotations);
	MEM_PUSH(set->v, set->n, set->cap) = &f->top;
	return 0;
}

static int add_item(struct layout_item *f, const struct transfer_item *item,
	struct outgoing_set *set, struct err **err)
{
	const struct oci_descriptor *top = &f->top;

	if (item->image) {
		f->outs = mem_alloc(sizeof *f->outs);
		if (add_member(f, item->image, set, err) < 0)
			return -1;
		top = &f->outs[0].d;
	} else if (add_index(f, item->index, set, err) < 0) {
		return -1;
	}
	MEM_PUSH(set->tops, set->ntops, set->tops_cap) = (struct outgoing_name){top, item->name};
	return 0;
}

int archives_write_layout(struct store *s, const struct transfer_item *v, size_t n,
	int (*put)(struct outgoing_set *set, const char *path, struct err **err), const char *path,
	struct progress *p, struct err **err)
{
	auto_free struct layout_item *items = mem_alloc((n + 1) * sizeof *items);
	struct outgoing_set set = {.s = s, .p = p};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_item(&items[i], &v[i], &set, err);
	if (rc == 0)
		rc = put(&set, path, err);
	outgoing_set_clear(&set);
	for (size_t i = 0; i < n; i++)
		clear_item(&items[i]);
	return rc;
}

int archives_write_docker(struct store *s, const struct transfer_item *v, size_t n,
	const char *path, struct progress *p, struct err **err)
{
	auto_free struct docker_image *images = mem_alloc((n + 1) * sizeof *images);

	for (size_t i = 0; i < n; i++) {
		if (!v[i].image)
			return err_set(err, ERR_UNSUPPORTED,
				"a docker-archive holds images of one platform");
		images[i] = (struct docker_image){v[i].image, v[i].name};
	}
	return transport_to_docker_archive(s, p, images, n, path, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * From the state of a target to an image in the store. The order matters: options, then squashing,
 * then times, then the layers with those times, whose digests go into the configuration, and the
 * names last, when all they lead to is there (and on the disk, with --sync).
 */
#include "builder/image/result.h"

#include <stdlib.h>
#include <string.h>

#include "builder/image/history.h"
#include "builder/image/imageopts.h"
#include "builder/image/squash.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/oci/layertype.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/reference.h"
#include "store/store.h"
#include "store/tags.h"

/* --- times ------------------------------------------------------------------------------- */

static int64_t adjust_time(const struct build_times *times, int64_t t)
{
	return times->set || (times->clamp && t > times->seconds) ? times->seconds : t;
}

/* An entry without a time of its own takes the next one's, else the last one's, else now (S22). */
static int64_t history_time(const struct oci_config *c, size_t i, int64_t fallback)
{
	int64_t t;

	for (size_t k = i; k < c->nhistory; k++)
		if (c->history[k].created && now_parse_rfc3339(c->history[k].created, &t) == 0)
			return t;
	for (size_t k = i; k-- > 0;)
		if (c->history[k].created && now_parse_rfc3339(c->history[k].created, &t) == 0)
			return t;
	return fallback;
}

static void result_set_times(
	const struct build_times *times, struct oci_config *c, size_t nbase_history)
{
	char text[NOW_RFC3339];
	int64_t last = now_seconds();

	if (c->nhistory == nbase_history && !times->set && c->created)
		return; /* only FROM: the image is as old as its base */
	for (size_t i = nbase_history; i < c->nhistory; i++) {
		last = adjust_time(times, history_time(c, i, last));
		free(c->history[i].created);
		c->history[i].created = mem_strdup(now_rfc3339(last, text));
	}
	if (c->nhistory == nbase_history)
		last = adjust_time(times, last);
	free(c->created);
	c->created = mem_strdup(now_rfc3339(last, text));
}

/* Layers of this build with the asked-for times; those of the base are never touched. */
static int retime_layers(struct session *se, struct oci_config *c, size_t nbase, struct err **err)
{
	if (!se->times.set && !se->times.clamp)
		return 0;
	for (size_t i = nbase; i < c->ndiff_ids; i++) {
		struct digest changed;
		if (packed_retimed(se->s, &c->diff_ids[i], se->times.seconds, se->times.set,
			    &changed, err) < 0)
			return -1;
		c->diff_ids[i] = changed;
	}
	return 0;
}

/* --- manifest ---------------------------------------------------------------------------- */

/* Docker's types know no zstd: such a layer of the base is described as the plain tar it is. */
static bool keeps_form(const struct session *se, const struct oci_descriptor *d)
{
	return !se->o->docker_format || !layertype_docker_lacks(d->media_type);
}

static int describe_layers(struct session *se, const struct state *st, const struct oci_config *c,
	struct oci_descriptor *out, struct err **err)
{
	for (size_t i = 0; i < c->ndiff_ids; i++) {
		if (i < st->nbase && keeps_form(se, &st->base_layers[i])) {
			oci_descriptor_copy(&out[i], &st->base_layers[i]);
			if (!out[i].media_type)
				out[i].media_type = mem_strdup(OCI_MEDIA_LAYER_GZIP);
		} else if (packed_layer(se->s, &c->diff_ids[i],
				   &(struct packed_how){.packing.c = LAYER_PLAIN}, &out[i],
				   err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int sync_image(struct session *se, const struct oci_config *c, const struct build_result *r,
	struct err **err)
{
	if (!se->o->sync)
		return 0;
	if (store_sync(se->s, err) < 0)
		return -1;
	for (size_t i = 0; i < c->ndiff_ids; i++)
		blob_mark_synced(se->s, &c->diff_ids[i]);
	blob_mark_synced(se->s, &r->config);
	blob_mark_synced(se->s, &r->manifest);
	return 0;
}

static int write_names(struct session *se, const struct strlist *tags,
	const struct oci_descriptor *manifest, struct build_result *r, struct err **err)
{
	for (size_t i = 0; i < tags->n; i++) {
		auto_reference struct reference ref = {0};
		if (reference_parse(tags->v[i], &ref, err) < 0)
			return -1;
		if (ref.has_digest)
			return err_set(err, ERR_USAGE,
				"-t %s: a name for a new image cannot have a digest", tags->v[i]);
		strlist_add_take(&r->names, reference_text(&ref));
	}
	if (r->names.n == 0)
		return 0;
	return tags_set(se->s, (const char *const *)r->names.v, r->names.n, manifest, err);
}

static int result_write_image(struct session *se, const struct state *st, struct oci_config *c,
	const struct strlist *tags, struct build_result *r, struct err **err)
{
	struct oci_descriptor *layers = mem_array(c->ndiff_ids + 1, sizeof *layers);
	struct oci_descriptor manifest = {0};
	auto_strlist struct strlist annotations = {0}, descriptor = {0};
	struct image_form form = {.docker = se->o->docker_format,
		.annotations = &annotations,
		.descriptor = &descriptor};

	imageopts_annotations(se->o, st, &annotations, &descriptor);
	memset(layers, 0, (c->ndiff_ids + 1) * sizeof *layers);
	int done = describe_layers(se, st, c, layers, err);
	if (done == 0)
		done = image_write(se->s, c, layers, &form, &manifest, &r->config, err);
	r->manifest = manifest.digest;
	if (done == 0)
		done = sync_image(se, c, r, err);
	if (done == 0)
		done = write_names(se, tags, &manifest, r, err);
	for (size_t i = 0; i < c->ndiff_ids; i++)
		oci_descriptor_clear(&layers[i]);
	free(layers);
	oci_descriptor_clear(&manifest);
	return done;
}

int result_write(struct session *se, const struct state *target, const struct strlist *tags,
	struct build_result *out, struct err **err)
{
	auto_oci_config struct oci_config c = {0};

	oci_config_copy(&c, &target->config);
	imageopts_edit(se->o, &c);
	if ((se->o->squash || se->o->no_layers) &&
		squash_layers(se->s, &c, target->nbase, target->nbase_history, err) < 0)
		return -1;
	result_set_times(&se->times, &c, target->nbase_history);
	if (c.ndiff_ids > OCI_LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "the image has %zu layers, at most %d can be used",
			c.ndiff_ids, OCI_LAYERS_MAX);
	if (retime_layers(se, &c, target->nbase, err) < 0)
		return -1;
	return result_write_image(se, target, &c, tags, out, err);
}

static void result_clear(struct build_result *r)
{
	free(r->target);
	strlist_clear(&r->names);
}

void result_clear_all(struct build_results *r)
{
	for (size_t i = 0; i < r->n; i++)
		result_clear(&r->v[i]);
	free(r->v);
	*r = (struct build_results){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * --platform with several platforms: the list, whether RUN can work for each, and the index around
 * the images. That a RUN cannot work is told before anything is built.
 */
#include "builder/platforms.h"

#include <string.h>

#include "builder/image/annotation.h"
#include "builder/plan/binfmt.h"
#include "builder/plan/dferr.h"
#include "builder/plan/platformword.h"
#include "store/base/mem.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/reference.h"
#include "store/tags.h"

int platforms_split(const char *text, struct strlist *out, struct err **err)
{
	auto_free char *copy = mem_strdup(text ? text : "");
	char *save = NULL;

	for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		auto_oci_platform struct oci_platform one = {0};
		if (platformword_parse(p, true, &one, err) < 0)
			return -1;
		auto_free char *full = oci_platform_text(&one);
		if (!strlist_has(out, full))
			strlist_add(out, full);
	}
	if (text && !out->n)
		return err_set(err, ERR_USAGE, "--platform: no platform is named");
	if (out->n > PLATFORMS_MAX)
		return err_set(err, ERR_LIMIT, "--platform: more than %d platforms", PLATFORMS_MAX);
	return 0;
}

/* --- RUN of a foreign platform -------------------------------------------------------------- */

/* What a stage is built for: its own FROM, or that of the stage it continues, or the result's. */
static const char *platform_of(const struct plan *p, size_t stage)
{
	while (!p->stages[stage].platform && p->stages[stage].base == PLAN_STAGE)
		stage = p->stages[stage].base_stage;
	return p->stages[stage].platform;
}

int platforms_check_runs(const struct job *j, struct err **err)
{
	for (size_t i = 0; i < j->plan.nstages; i++) {
		const struct plan_stage *ps = &j->plan.stages[i];
		const char *text = platform_of(&j->plan, i);
		auto_oci_platform struct oci_platform own = {0};
		const struct ast_instruction *run = NULL;

		for (size_t k = 0; ps->needed && k < ps->ast->body.count && !run; k++)
			if (ps->ast->body.items[k]->keyword == AST_RUN)
				run = ps->ast->body.items[k];
		if (!run)
			continue;
		if (text && oci_platform_parse(text, &own, err) < 0)
			return -1;
		if (binfmt_check(text ? &own : &j->session.platform, BINFMT_DIR, err) < 0)
			return dferr_locate(err, j->df, run->keyword_span);
	}
	return 0;
}

/* --- the index ------------------------------------------------------------------------------- */

static int platforms_describe(const struct build_opts *o, struct store *s,
	const struct digest *manifest, struct oci_descriptor *d, struct err **err)
{
	if (imageindex_entry(s, manifest, d, err) < 0)
		return -1;
	annotation_select(
		&o->annotations, ANNOTATION_MANIFEST_DESCRIPTOR, &d->platform, &d->annotations);
	return 0;
}

static int name_index(const struct strlist *tags, struct store *s, const struct oci_descriptor *d,
	struct build_result *out, struct err **err)
{
	for (size_t i = 0; i < tags->n; i++) {
		auto_reference struct reference ref = {0};
		if (reference_parse(tags->v[i], &ref, err) < 0)
			return -1;
		strlist_add_take(&out->names, reference_text(&ref));
	}
	if (!out->names.n)
		return 0;
	return tags_set(s, (const char *const *)out->names.v, out->names.n, d, err);
}

int platforms_write_index(const struct build_opts *o, struct store *s, const struct strlist *tags,
	const struct digest *manifests, size_t n, struct build_result *out, struct err **err)
{
	const char *type = o->docker_format ? OCI_MEDIA_DOCKER_LIST : OCI_MEDIA_INDEX;
	auto_oci_index struct oci_index x = {.media_type = mem_strdup(type)};
	auto_oci_descriptor struct oci_descriptor d = {0};

	x.manifests = mem_alloc((n + 1) * sizeof *x.manifests);
	for (size_t i = 0; i < n; i++) {
		x.nmanifests = i + 1;
		if (platforms_describe(o, s, &manifests[i], &x.manifests[i], err) < 0)
			return -1;
	}
	annotation_select(&o->annotations, ANNOTATION_INDEX, NULL, &x.annotations);
	if (imageindex_write(s, &x, &d, err) < 0)
		return -1;
	annotation_select(&o->annotations, ANNOTATION_INDEX_DESCRIPTOR, NULL, &d.annotations);
	if (name_index(tags, s, &d, out, err) < 0)
		return -1;
	out->manifest = out->config = d.digest;
	out->index = true;
	return 0;
}

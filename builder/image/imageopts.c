// SPDX-License-Identifier: Apache-2.0
/*
 * Options that change what an image says of itself and not what is in it; they are applied to a
 * copy of the configuration after the last step, so no key depends on them. What the command line
 * says comes behind what the base gave.
 */
#include "builder/image/imageopts.h"

#include <string.h>

#include "builder/image/annotation.h"
#include "store/base/mem.h"

#define BASE_NAME   "org.opencontainers.image.base.name"
#define BASE_DIGEST "org.opencontainers.image.base.digest"

void imageopts_edit(const struct build_opts *o, struct oci_config *c)
{
	for (size_t i = 0; i < o->unset_env.n; i++)
		strlist_unset_kv(&c->env, o->unset_env.v[i]);
	for (size_t i = 0; i < o->unset_labels.n; i++)
		strlist_unset_kv(&c->labels, o->unset_labels.v[i]);
	for (size_t i = 0; i < o->labels.n; i++) {
		const char *value;
		auto_free char *key = strlist_split_kv(o->labels.v[i], &value);

		strlist_set_kv(&c->labels, key, value ? value : "");
	}
}

void imageopts_annotations(const struct build_opts *o, const struct state *st,
	struct strlist *manifest, struct strlist *descriptor)
{
	const struct oci_platform *p = &st->config.platform;
	char text[DIGEST_STRING];

	if (st->base_name && !o->no_base_annotations) {
		strlist_set_kv(manifest, BASE_NAME, st->base_name);
		strlist_set_kv(manifest, BASE_DIGEST, sha256_string(&st->base_digest, text));
	}
	annotation_select(&o->annotations, ANNOTATION_MANIFEST, p, manifest);
	annotation_select(&o->annotations, ANNOTATION_MANIFEST_DESCRIPTOR, p, descriptor);
}

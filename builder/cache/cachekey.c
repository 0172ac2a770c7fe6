// SPDX-License-Identifier: Apache-2.0
/* What all keys begin with, and how lists and digests are fed into one. */
#include "builder/cache/cachekey.h"

#include "store/base/mem.h"
#include "store/oci/oci.h"

void cachekey_begin(struct sha256 *h, const struct digest *parent, const char *kind)
{
	sha256_init(h);
	sha256_field_str(h, CACHEKEY_FORMAT);
	cachekey_digest(h, parent);
	sha256_field_str(h, kind);
}

void cachekey_digest(struct sha256 *h, const struct digest *d)
{
	sha256_field(h, d->b, sizeof d->b);
}

void cachekey_list(struct sha256 *h, const struct strlist *l)
{
	sha256_field_u64(h, l->n);
	for (size_t i = 0; i < l->n; i++)
		sha256_field_str(h, l->v[i]);
}

void cachekey_base(const struct state *st, struct digest *out)
{
	const struct oci_config *c = &st->config;
	auto_free char *platform = oci_platform_text(&c->platform);
	struct digest chain;
	struct sha256 h;

	oci_chain_id(c->diff_ids, c->ndiff_ids, &chain);
	cachekey_begin(&h, &chain, "base");
	sha256_field_str(&h, platform);
	cachekey_list(&h, &c->env);
	sha256_field_str(&h, c->user);
	sha256_field_str(&h, c->working_dir);
	cachekey_list(&h, &c->shell);
	sha256_final(&h, out);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Layers with the times beside them: what their forms are called, and the blobs that hold the
 * times.
 */
#include "store/layerstack.h"

#include <stdio.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/oci/oci.h"

static const struct digest none;

struct layer_stack layerstack_first(const struct layer_stack *k, size_t n)
{
	return (struct layer_stack){.diff_ids = k->diff_ids, .times = k->times, .n = n};
}

const struct digest *layerstack_times(const struct layer_stack *k, size_t i)
{
	return k->times ? &k->times[i] : &none;
}

void layerstack_id(const struct layer_stack *k, struct digest *out)
{
	struct sha256 h;
	bool any = false;

	oci_chain_id(k->diff_ids, k->n, out);
	for (size_t i = 0; i < k->n && !any; i++)
		any = !sha256_is_zero(layerstack_times(k, i));
	if (!any)
		return;
	sha256_init(&h);
	sha256_field_str(&h, "bld layers with times");
	sha256_field(&h, out, sizeof *out);
	for (size_t i = 0; i < k->n; i++)
		sha256_field(&h, layerstack_times(k, i), sizeof *out);
	sha256_final(&h, out);
}

int layerstack_put_times(
	struct store *s, const struct layer_times *t, struct digest *out, struct err **err)
{
	*out = none;
	if (layer_times_check(t, err) < 0)
		return -1;
	return layer_times_any(t) ? blob_put(s, t->b.data, t->b.len, out, err) : 0;
}

int layerstack_get_times(
	struct store *s, const struct digest *d, struct layer_times *out, struct err **err)
{
	size_t n;

	layer_times_init(out);
	if (sha256_is_zero(d))
		return 0;
	auto_free char *text = blob_read(s, d, LAYER_TIMES_MAX, &n, err);
	if (!text)
		return -1;
	buf_add(&out->b, text, n);
	return 0;
}

const char *layerstack_text(const struct layer_stack *k, size_t i, char out[LAYERSTACK_TEXT])
{
	const struct digest *times = layerstack_times(k, i);
	char text[DIGEST_STRING], more[DIGEST_STRING];
	bool any = !sha256_is_zero(times);

	snprintf(out, LAYERSTACK_TEXT, "%s%s%s", sha256_string(&k->diff_ids[i], text),
		any ? " " : "", any ? sha256_string(times, more) : "");
	return out;
}

bool layerstack_parse(char *text, struct digest *diff_id, struct digest *times)
{
	char *more = strchr(text, ' ');

	*times = none;
	if (more)
		*more++ = '\0';
	return sha256_parse_string(text, diff_id) == 0 &&
	       (!more || (sha256_parse_string(more, times) == 0 && !sha256_is_zero(times)));
}

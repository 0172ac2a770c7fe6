// SPDX-License-Identifier: Apache-2.0
/* Descriptors (image-spec descriptor.md) and maps of strings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/oci/oci_private.h"

#define MEDIA_TYPE_MAX 255 /* RFC 6838: 127 + "/" + 127 */

void oci_descriptor_clear(struct oci_descriptor *d)
{
	free(d->media_type);
	strlist_clear(&d->annotations);
	strlist_clear(&d->urls);
	oci_platform_clear(&d->platform);
	*d = (struct oci_descriptor){0};
}

void oci_descriptor_copy(struct oci_descriptor *dst, const struct oci_descriptor *src)
{
	struct oci_descriptor d = {
		.media_type = src->media_type ? mem_strdup(src->media_type) : NULL,
		.digest = src->digest,
		.size = src->size,
		.has_platform = src->has_platform,
	};

	strlist_copy(&d.annotations, &src->annotations);
	strlist_copy(&d.urls, &src->urls);
	oci_platform_copy(&d.platform, &src->platform);
	oci_descriptor_clear(dst);
	*dst = d;
}

int oci_map_parse(json_t *o, const char *key, const char *path, bool strict, struct strlist *out,
	struct err **err)
{
	json_t *map = NULL, *value;
	const char *name;
	auto_strlist struct strlist l = {0};
	auto_free char *at = mem_printf("%s%s%s", path, *path ? "." : "", key);

	if (jsonx_object(o, key, false, path, &map, err) < 0)
		return -1;
	json_object_foreach(map, name, value)
	{
		if (!json_is_string(value))
			return err_set(err, ERR_CORRUPT, "%s: expected strings as values", at);
		if (!strchr(name, '='))
			strlist_addf(&l, "%s=%s", name, json_string_value(value));
		else if (strict)
			return err_set(err, ERR_CORRUPT, "%s: a key contains '='", at);
	}
	strlist_clear(out);
	*out = l;
	l = (struct strlist){0};
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	size_t n = strcspn(x, "="), m = strcspn(y, "=");
	int r = memcmp(x, y, n < m ? n : m);

	return r ? r : n < m ? -1 : n > m;
}

json_t *oci_map_json(const struct strlist *l)
{
	json_t *o = json_object();
	auto_strlist struct strlist sorted = {0};

	strlist_copy(&sorted, l);
	if (sorted.n > 1)
		qsort(sorted.v, sorted.n, sizeof *sorted.v, by_key);
	for (size_t i = 0; i < sorted.n; i++) {
		const char *value;
		auto_free char *key = strlist_split_kv(sorted.v[i], &value);

		jsonx_set(o, key, jsonx_text(value ? value : ""));
	}
	return o;
}

static int descriptor_parse(json_t *o, const char *path, struct oci_descriptor *d, struct err **err)
{
	const char *type = NULL;
	int64_t size = -1;
	json_t *platform = NULL;
	auto_free char *sub = mem_printf("%s.platform", path);

	if (!json_is_object(o))
		return err_set(err, ERR_CORRUPT, "%s: expected object", path);
	if (jsonx_string(o, "mediaType", true, path, &type, err) < 0 ||
		jsonx_digest(o, "digest", true, path, &d->digest, err) < 0 ||
		jsonx_int(o, "size", true, path, &size, err) < 0 ||
		jsonx_strlist(o, "urls", path, &d->urls, err) < 0 ||
		oci_map_parse(o, "annotations", path, false, &d->annotations, err) < 0 ||
		jsonx_object(o, "platform", false, path, &platform, err) < 0 ||
		(platform && oci_platform_from_json(platform, sub, &d->platform, err) < 0))
		return -1;
	if (size < 0 || strlen(type) > MEDIA_TYPE_MAX)
		return err_set(err, ERR_CORRUPT, "%s.%s: out of range", path,
			size < 0 ? "size" : "mediaType");
	d->media_type = mem_strdup(type);
	d->size = (uint64_t)size;
	d->has_platform = platform != NULL;
	return 0;
}

int oci_descriptor_parse(json_t *o, const char *path, struct oci_descriptor *out, struct err **err)
{
	struct oci_descriptor d = {0};

	if (descriptor_parse(o, path, &d, err) < 0) {
		oci_descriptor_clear(&d);
		return -1;
	}
	*out = d;
	return 0;
}

json_t *oci_descriptor_json(const struct oci_descriptor *d)
{
	char digest[DIGEST_STRING];
	json_t *o = json_object();

	jsonx_set_text(o, "mediaType", d->media_type ? d->media_type : "");
	jsonx_set_text(o, "digest", sha256_string(&d->digest, digest));
	jsonx_set(o, "size", json_integer((json_int_t)d->size));
	if (d->urls.n)
		jsonx_set(o, "urls", jsonx_from_strlist(&d->urls));
	if (d->annotations.n)
		jsonx_set(o, "annotations", oci_map_json(&d->annotations));
	if (d->has_platform) {
		json_t *p = json_object();
		oci_platform_to_json(&d->platform, p);
		jsonx_set(o, "platform", p);
	}
	return o;
}

void oci_descriptors_free(struct oci_descriptor *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		oci_descriptor_clear(&v[i]);
	free(v);
}

int oci_descriptors_parse(json_t *o, const char *key, size_t max, struct oci_descriptor **out,
	size_t *n, struct err **err)
{
	json_t *a = NULL, *item;
	size_t i;

	if (jsonx_array(o, key, true, "", &a, err) < 0)
		return -1;
	size_t count = json_array_size(a);
	if (count > max)
		return err_set(
			err, ERR_LIMIT, "%s: %zu entries, the limit is %zu", key, count, max);
	struct oci_descriptor *v = mem_array(count, sizeof *v);
	json_array_foreach(a, i, item)
	{
		char path[64];
		snprintf(path, sizeof path, "%s[%zu]", key, i);
		if (oci_descriptor_parse(item, path, &v[i], err) < 0) {
			oci_descriptors_free(v, i);
			return -1;
		}
	}
	*out = v;
	*n = count;
	return 0;
}

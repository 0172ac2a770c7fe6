// SPDX-License-Identifier: Apache-2.0
#include "builder/record.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/snapshot.h"

/* Text behind "NAME " at the start of a line, cut at its end into out; false when there is none. */
static bool line_value(const char *text, const char *name, char *out, size_t size)
{
	size_t nlen = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (strncmp(p, name, nlen) != 0 || p[nlen] != ' ')
			continue;
		size_t len = strcspn(p + nlen + 1, "\n");
		if (len >= size)
			return false;
		memcpy(out, p + nlen + 1, len);
		out[len] = '\0';
		return true;
	}
	return false;
}

int record_find(struct store *s, const struct digest *key, struct record *out, struct err **err)
{
	auto_free char *value = NULL;
	char layer[DIGEST_STRING], alias[DIGEST_STRING], created[32];
	struct record r = {0};
	size_t len;
	int found = cache_find(s, key, &value, &len, err);

	if (found <= 0)
		return found;
	if (!line_value(value, "layer", layer, sizeof layer) ||
		sha256_parse_string(layer, &r.layer) < 0 ||
		!line_value(value, "created", created, sizeof created))
		return 0;
	r.created = strtoll(created, NULL, 10);
	if (line_value(value, "key", alias, sizeof alias) && sha256_parse_string(alias, &r.key) < 0)
		return 0;
	found = snapshot_exists(s, &r.layer, err);
	if (found == 1)
		*out = r;
	return found;
}

int record_put(struct store *s, const struct digest *key, const struct record *r, struct err **err)
{
	char layer[DIGEST_STRING], alias[DIGEST_STRING];
	bool second = !sha256_is_zero(&r->key);
	auto_free char *value = mem_printf("layer %s\ncreated %lld\n%s%s%s",
		sha256_string(&r->layer, layer), (long long)r->created, second ? "key " : "",
		second ? sha256_string(&r->key, alias) : "", second ? "\n" : "");

	return cache_put(s, key, value, strlen(value), err);
}

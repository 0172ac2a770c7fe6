// SPDX-License-Identifier: Apache-2.0
/*
 * --annotation [TYPE[PLATFORM],...:]KEY=VALUE. Checked once before the build; afterwards each
 * manifest, index and descriptor selects its own from the same texts, which are known to be
 * well-formed then. The colon counts only in front of the first "=".
 */
#include "builder/image/annotation.h"
#include "builder/plan/platformword.h"

#include <string.h>

#include "parser/suggest.h"
#include "store/base/mem.h"

static const struct {
	const char *name;
	enum annotation_level level;
} types[] = {
	{"manifest", ANNOTATION_MANIFEST},
	{"index", ANNOTATION_INDEX},
	{"manifest-descriptor", ANNOTATION_MANIFEST_DESCRIPTOR},
	{"index-descriptor", ANNOTATION_INDEX_DESCRIPTOR},
};

/* "TYPE" or "TYPE[PLATFORM]". The platform stays as text: empty when there is none. */
struct scope_word {
	struct slice type;
	struct slice platform;
};

static bool split_word(struct slice w, struct scope_word *out)
{
	const char *open = memchr(w.ptr, '[', w.len);

	*out = (struct scope_word){.type = w};
	if (!open)
		return !memchr(w.ptr, ']', w.len);
	out->type.len = (size_t)(open - w.ptr);
	out->platform = (struct slice){open + 1, w.len - out->type.len - 1};
	if (out->platform.len < 2 || out->platform.ptr[out->platform.len - 1] != ']')
		return false;
	out->platform.len--;
	return true;
}

static unsigned annotation_level_of(struct slice type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (slice_eq_str(type, types[i].name))
			return types[i].level;
	return 0;
}

/* The words in front of the colon, which stands in front of the first "="; n = 0: none. */
static struct slice prefix_of(const char *text)
{
	size_t key = strcspn(text, "=");
	const char *colon = memchr(text, ':', key);

	return colon ? (struct slice){text, (size_t)(colon - text)} : (struct slice){text, 0};
}

static bool next_word(struct slice *rest, struct slice *word)
{
	if (!rest->ptr)
		return false;
	const char *comma = memchr(rest->ptr, ',', rest->len);
	*word = *rest;
	if (!comma) {
		*rest = (struct slice){NULL, 0};
		return true;
	}
	word->len = (size_t)(comma - rest->ptr);
	*rest = (struct slice){comma + 1, rest->len - word->len - 1};
	return true;
}

static int annotation_unknown_type(const char *text, struct slice type, struct err **err)
{
	const char *best = NULL;
	size_t distance = type.len / 3 + 2;

	err_set(err, ERR_USAGE, "--annotation %s: \"%.*s\" is nothing that can be annotated", text,
		SLICE_ARG(type));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t d = suggest_distance(type, slice_of(types[i].name));
		if (d < distance) {
			distance = d;
			best = types[i].name;
		}
	}
	if (best)
		return err_hint(err, "did you mean \"%s\"?", best);
	return err_hint(err, "it is manifest, index, manifest-descriptor or index-descriptor");
}

static int check_word(const char *text, struct slice word, unsigned *levels, struct err **err)
{
	auto_oci_platform struct oci_platform p = {0};
	struct scope_word w;

	if (!split_word(word, &w))
		return err_set(err, ERR_USAGE,
			"--annotation %s: a platform stands in brackets behind the type", text);
	unsigned level = annotation_level_of(w.type);
	if (!level)
		return annotation_unknown_type(text, w.type, err);
	*levels |= level;
	if (!w.platform.len)
		return 0;
	auto_free char *platform = mem_strndup(w.platform.ptr, w.platform.len);
	if (platformword_parse(platform, false, &p, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--annotation %s", text);
	}
	if (level & ANNOTATION_OF_INDEX)
		return err_set(err, ERR_USAGE, "--annotation %s: an index has no platform", text);
	return 0;
}

int annotation_check(const char *text, unsigned *levels, struct err **err)
{
	struct slice prefix = prefix_of(text), word, rest = prefix;
	unsigned all = 0;
	const char *key = text + (prefix.len || *text == ':' ? prefix.len + 1 : 0);

	if (!strchr(text, '=')) {
		err_set(err, ERR_USAGE, "--annotation %s: no value", text);
		return err_hint(err, "it has the form KEY=VALUE");
	}
	if (*key == '=' || *text == ':')
		return err_set(err, ERR_USAGE, "--annotation %s: the %s is empty", text,
			*text == ':' ? "type" : "key");
	if (!prefix.len)
		all = ANNOTATION_MANIFEST;
	while (prefix.len && next_word(&rest, &word))
		if (check_word(text, word, &all, err) < 0)
			return -1;
	if (levels)
		*levels = all;
	return 0;
}

static bool word_applies(
	struct slice word, enum annotation_level level, const struct oci_platform *platform)
{
	auto_oci_platform struct oci_platform p = {0};
	struct scope_word w;

	if (!split_word(word, &w) || annotation_level_of(w.type) != level)
		return false;
	if (!w.platform.len)
		return true;
	auto_free char *text = mem_strndup(w.platform.ptr, w.platform.len);
	if (!platform || oci_platform_parse(text, &p, NULL) < 0)
		return false;
	auto_free char *want = oci_platform_text(&p);
	auto_free char *have = oci_platform_text(platform);
	return strcmp(want, have) == 0;
}

static bool applies(
	const char *text, enum annotation_level level, const struct oci_platform *platform)
{
	struct slice prefix = prefix_of(text), word;

	if (!prefix.len)
		return level == ANNOTATION_MANIFEST;
	while (next_word(&prefix, &word))
		if (word_applies(word, level, platform))
			return true;
	return false;
}

void annotation_select(const struct strlist *given, enum annotation_level level,
	const struct oci_platform *platform, struct strlist *out)
{
	for (size_t i = 0; i < given->n; i++) {
		const char *text = given->v[i];
		size_t prefix = prefix_of(text).len;

		if (!applies(text, level, platform))
			continue;
		const char *pair = text + (prefix ? prefix + 1 : 0);
		const char *value;
		auto_free char *key = strlist_split_kv(pair, &value);
		strlist_set_kv(out, key, value);
	}
}

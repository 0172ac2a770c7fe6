// SPDX-License-Identifier: Apache-2.0
/*
 * The text of --output: CSV fields, a table of keys by type, and then what depends on more than one
 * field. A text without "=" is a directory, or "-". Whether a destination can be written is looked
 * at before the build, as far as that can be told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/output/output.h"
#include "parser/suggest.h"
#include "parser/words.h"
#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/compress/compress.h"
#include "store/oci/layertype.h"
#include "store/reference.h"

#define ON(type) (1u << (type))
#define FILES    (ON(OUTPUT_LOCAL) | ON(OUTPUT_TAR))
#define ARCHIVES (ON(OUTPUT_OCI) | ON(OUTPUT_DOCKER))
#define IMAGES   (ARCHIVES | ON(OUTPUT_IMAGE))
#define LEVELMAX 22

/* What is only known when all fields are read. */
struct fields {
	struct output *o;
	bool registry;
	bool has_push;
	bool tar, has_tar;
	const char *compression; /* borrowed from the list of fields */
	const char *level;
};

static const struct {
	const char *name;
	enum output_type type;
} types[] = {
	{"local", OUTPUT_LOCAL},
	{"tar", OUTPUT_TAR},
	{"oci", OUTPUT_OCI},
	{"docker", OUTPUT_DOCKER},
	{"image", OUTPUT_IMAGE},
	{"registry", OUTPUT_IMAGE},
	{"cacheonly", OUTPUT_CACHEONLY},
};

static const struct output_kind kinds[OUTPUT_TYPES] = {
	[OUTPUT_LOCAL] = {.directory = true},
	[OUTPUT_TAR] = {.streams = true},
	[OUTPUT_OCI] = {.directory_too = true, .streams = true},
	[OUTPUT_DOCKER] = {.plain = true, .one_platform = true},
	[OUTPUT_IMAGE] = {.names = true},
	[OUTPUT_CACHEONLY] = {.discards = true},
};

const struct output_kind *output_kind(enum output_type type)
{
	return &kinds[type];
}

static const char *output_parse_type_name(const struct output *o)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == o->type)
			return types[i].name;
	return "";
}

/* --- values --------------------------------------------------------------------------------- */

static int take_bool(const char *key, const char *value, bool *out, struct err **err)
{
	if (words_bool(slice_of(value), out))
		return 0;
	return err_set(err, ERR_USAGE, "%s=%s is neither true nor false", key, value);
}

static int take_dest(struct fields *f, const char *value, struct err **err)
{
	if (!*value)
		return err_set(err, ERR_USAGE, "dest= is empty");
	free(f->o->dest);
	f->o->dest = mem_strdup(value);
	return 0;
}

static int take_name(struct fields *f, const char *value, struct err **err)
{
	auto_free char *copy = mem_strdup(value);
	char *save = NULL;

	for (char *n = strtok_r(copy, ",", &save); n; n = strtok_r(NULL, ",", &save)) {
		auto_reference struct reference r = {0};

		if (reference_parse(n, &r, err) < 0)
			return err_rekind(err, ERR_USAGE);
		if (r.has_digest)
			return err_set(err, ERR_USAGE, "name=%s has a digest", n);
		strlist_add(&f->o->names, n);
	}
	return f->o->names.n ? 0 : err_set(err, ERR_USAGE, "name= is empty");
}

static int take_push(struct fields *f, const char *value, struct err **err)
{
	f->has_push = true;
	return take_bool("push", value, &f->o->push, err);
}

static int take_tar(struct fields *f, const char *value, struct err **err)
{
	f->has_tar = true;
	return take_bool("tar", value, &f->tar, err);
}

static int take_compression(struct fields *f, const char *value, struct err **err)
{
	(void)err;
	f->compression = value;
	return 0;
}

static int take_level(struct fields *f, const char *value, struct err **err)
{
	uint64_t n;

	f->level = value;
	if (words_number(slice_of(value), 10, LEVELMAX, &n))
		return 0;
	return err_set(err, ERR_USAGE, "compression-level=%s is not a level", value);
}

static int take_force(struct fields *f, const char *value, struct err **err)
{
	return take_bool("force-compression", value, &f->o->force_packing, err);
}

static int take_types(struct fields *f, const char *value, struct err **err)
{
	bool on;

	if (take_bool("oci-mediatypes", value, &on, err) < 0)
		return -1;
	f->o->oci_types = on;
	return 0;
}

/* bld always does: see --timestamp. */
static int take_rewrite(struct fields *f, const char *value, struct err **err)
{
	bool on;

	(void)f;
	if (take_bool("rewrite-timestamp", value, &on, err) < 0)
		return -1;
	if (on)
		return 0;
	err_set(err, ERR_USAGE, "rewrite-timestamp=false is not supported");
	return err_hint(err, "files of new layers always follow SOURCE_DATE_EPOCH; unset it");
}

static int take_mode(struct fields *f, const char *value, struct err **err)
{
	f->o->remove_others = strcmp(value, "delete") == 0;
	if (f->o->remove_others || strcmp(value, "copy") == 0)
		return 0;
	err_set(err, ERR_USAGE, "mode=%s is not known", value);
	return err_hint(err, "it is copy or delete");
}

static int take_devices(struct fields *f, const char *value, struct err **err)
{
	return take_bool("devices", value, &f->o->devices, err);
}

static int take_split(struct fields *f, const char *value, struct err **err)
{
	bool on;

	if (take_bool("platform-split", value, &on, err) < 0)
		return -1;
	f->o->platform_split = on;
	return 0;
}

static int take_insecure(struct fields *f, const char *value, struct err **err)
{
	return take_bool("registry.insecure", value, &f->o->insecure, err);
}

static const struct {
	const char *key;
	unsigned types;
	int (*take)(struct fields *f, const char *value, struct err **err);
} keys[] = {
	{"dest", FILES | ARCHIVES, take_dest},
	{"name", IMAGES, take_name},
	{"push", ON(OUTPUT_IMAGE), take_push},
	{"tar", ARCHIVES, take_tar},
	{"compression", IMAGES, take_compression},
	{"compression-level", IMAGES, take_level},
	{"force-compression", IMAGES, take_force},
	{"oci-mediatypes", IMAGES, take_types},
	{"rewrite-timestamp", IMAGES, take_rewrite},
	{"mode", ON(OUTPUT_LOCAL), take_mode},
	{"devices", ON(OUTPUT_LOCAL), take_devices},
	{"platform-split", FILES, take_split},
	{"registry.insecure", ON(OUTPUT_IMAGE), take_insecure},
};

/* --- fields --------------------------------------------------------------------------------- */

/* CSV: a field that begins with a double quote ends at the next one that is not doubled. */
static int output_parse_split(const char *text, struct strlist *out, struct err **err)
{
	const char *p = text;

	do {
		auto_buf struct buf b;
		bool quoted = *p == '"';

		buf_init(&b, BUF_TEXT_MAX);
		for (p += quoted; *p && (quoted || *p != ','); p++) {
			if (quoted && *p == '"' && p[1] != '"')
				break;
			p += quoted && *p == '"';
			buf_addc(&b, *p);
		}
		if (quoted && (*p != '"' || (p[1] && p[1] != ',')))
			return err_set(err, ERR_USAGE, "a quoted field has no end");
		p += quoted;
		strlist_add_take(out, buf_take(&b));
	} while (*p++ == ',');
	return 0;
}

static int unknown_key(const struct output *o, const char *key, struct err **err)
{
	const char *best = NULL;
	size_t distance = strlen(key) / 3 + 2;

	err_set(err, ERR_USAGE, "type=%s has no \"%s\"", output_parse_type_name(o), key);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t d = suggest_distance(slice_of(key), slice_of(keys[i].key));
		if ((keys[i].types & ON(o->type)) && d < distance) {
			distance = d;
			best = keys[i].key;
		}
	}
	return best ? err_hint(err, "did you mean \"%s\"?", best) : -1;
}

static int take_field(struct fields *f, const char *field, struct err **err)
{
	const char *eq = strchr(field, '=');
	auto_free char *key = mem_strndup(field, eq ? (size_t)(eq - field) : strlen(field));

	if (strcmp(key, "type") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].key, key) != 0 || !(keys[i].types & ON(f->o->type)))
			continue;
		if (!eq)
			return err_set(err, ERR_USAGE, "\"%s\" has no value", key);
		return keys[i].take(f, eq + 1, err);
	}
	return unknown_key(f->o, key, err);
}

static int output_parse_take_type(struct fields *f, const struct strlist *fields, struct err **err)
{
	const char *type = strlist_get_kv(fields, "type"), *best = NULL;
	size_t distance = 3;

	if (!type) {
		err_set(err, ERR_USAGE, "no type");
		return err_hint(err, "as in type=local,dest=DIR, or a directory alone");
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t d = suggest_distance(slice_of(type), slice_of(types[i].name));

		if (strcmp(types[i].name, type) == 0) {
			f->o->type = types[i].type;
			f->registry = strcmp(type, "registry") == 0;
			f->o->push = f->registry;
			return 0;
		}
		if (d < distance) {
			distance = d;
			best = types[i].name;
		}
	}
	err_set(err, ERR_USAGE, "type=%s is not known", type);
	return best ? err_hint(err, "did you mean \"%s\"?", best)
		    : err_hint(err, "it is local, tar, oci, docker, image, registry or cacheonly");
}

/* --- what belongs together ------------------------------------------------------------------ */

static int settle_packing(struct fields *f, struct err **err)
{
	const char *c = f->compression ? f->compression : "gzip";
	auto_free char *text = NULL;

	if (!f->compression && !f->level)
		return 0;
	if (strcmp(c, "uncompressed") == 0)
		c = "none";
	text = f->level ? mem_printf("%s:%s", c, f->level) : mem_strdup(c);
	f->o->has_packing = true;
	if (layer_packing_parse(text, &f->o->packing, err) < 0)
		return err_prefix(err, "compression");
	if (output_kind(f->o->type)->plain && f->o->packing.c != LAYER_PLAIN)
		return err_set(err, ERR_USAGE, "layers in an archive for %s are plain",
			output_parse_type_name(f->o));
	if (f->o->oci_types == 0 && !layertype_of(f->o->packing.c)->docker)
		return err_set(err, ERR_USAGE, "Docker's media types know no %s",
			layer_compression_row(f->o->packing.c)->name);
	return 0;
}

static int settle_dest(struct fields *f, struct err **err)
{
	struct output *o = f->o;
	const struct output_kind *k = output_kind(o->type);

	if (f->has_tar && !f->tar && !k->directory_too)
		return err_set(err, ERR_USAGE, "tar=false is for type=oci");
	o->directory = k->directory || (f->has_tar && !f->tar);
	if (!o->dest && o->directory) {
		err_set(err, ERR_USAGE, "dest is missing");
		return err_hint(err, "add dest=DIR");
	}
	o->to_stdout = o->dest ? strcmp(o->dest, "-") == 0 : k->streams;
	if (o->to_stdout && o->directory)
		return err_set(err, ERR_USAGE, "a directory cannot be written to standard output");
	if (f->registry && f->has_push && !o->push)
		return err_set(err, ERR_USAGE, "type=registry pushes; without it is type=image");
	return 0;
}

int output_parse(const char *text, struct output *out, struct err **err)
{
	auto_strlist struct strlist list = {0};
	struct fields f = {.o = out};

	*out = (struct output){.oci_types = -1, .platform_split = -1};
	if (!*text)
		return err_set(err, ERR_USAGE, "--output is empty");
	if (!strchr(text, '=') && !strchr(text, '"')) {
		out->type = strcmp(text, "-") == 0 ? OUTPUT_TAR : OUTPUT_LOCAL;
		out->dest = mem_strdup(text);
		out->to_stdout = out->type == OUTPUT_TAR;
		out->directory = !out->to_stdout;
		return 0;
	}
	int r = output_parse_split(text, &list, err) < 0 ||
				output_parse_take_type(&f, &list, err) < 0
			? -1
			: 0;
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = take_field(&f, list.v[i], err);
	if (r == 0 && (settle_packing(&f, err) < 0 || settle_dest(&f, err) < 0))
		r = -1;
	return r < 0 ? err_prefix(err, "--output %s", text) : 0;
}

void output_clear(struct output *o)
{
	free(o->dest);
	strlist_clear(&o->names);
	*o = (struct output){0};
}

/* The directory that a file goes to, or that a directory is made in. */
static int output_parse_check_parent(const struct output *o, struct err **err)
{
	const char *slash = strrchr(o->dest, '/');
	auto_free char *dir =
		slash ? mem_strndup(o->dest, (size_t)(slash - o->dest) + 1) : mem_strdup(".");
	auto_free char *shown = fs_printable(o->dest);

	return access(dir, W_OK | X_OK) < 0 ? err_sys_kind(err, ERR_CONTEXT, "%s", shown) : 0;
}

int output_check(const struct output *o, struct err **err)
{
	struct stat st;

	if (o->to_stdout && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, "an archive is nothing for a terminal");
		return err_hint(err, "add dest=FILE, or send standard output to one");
	}
	if (!o->dest || o->to_stdout)
		return 0;
	auto_free char *shown = fs_printable(o->dest);
	if (stat(o->dest, &st) < 0) {
		if (errno != ENOENT)
			return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
		return o->directory ? 0 : output_parse_check_parent(o, err);
	}
	if (o->directory != !!S_ISDIR(st.st_mode)) {
		errno = o->directory ? ENOTDIR : EISDIR;
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	}
	return 0;
}

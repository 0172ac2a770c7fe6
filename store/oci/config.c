// SPDX-License-Identifier: Apache-2.0
/*
 * Image configuration (image-spec config.md, S22). Parsing takes known members out of the document,
 * one by one; what is left in the two objects is unknown to us and is carried through unchanged,
 * printed behind the known members.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/oci/oci_private.h"

void oci_config_init(struct oci_config *c)
{
	*c = (struct oci_config){0};
}

static void history_clear(struct oci_history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->author);
	free(h->comment);
	*h = (struct oci_history){0};
}

void oci_config_clear(struct oci_config *c)
{
	free(c->created);
	free(c->author);
	oci_platform_clear(&c->platform);
	free(c->user);
	strlist_clear(&c->exposed_ports);
	strlist_clear(&c->env);
	strlist_clear(&c->entrypoint.l);
	strlist_clear(&c->cmd.l);
	strlist_clear(&c->volumes);
	free(c->working_dir);
	strlist_clear(&c->labels);
	free(c->stop_signal);
	strlist_clear(&c->healthcheck.test);
	strlist_clear(&c->onbuild);
	strlist_clear(&c->shell);
	free(c->diff_ids);
	for (size_t i = 0; i < c->nhistory; i++)
		history_clear(&c->history[i]);
	free(c->history);
	json_decref(c->extra);
	json_decref(c->extra_config);
	*c = (struct oci_config){0};
}

static char *config_copy_text(const char *s)
{
	return s && *s ? mem_strdup(s) : NULL;
}

/* --- parsing -------------------------------------------------------------------------------- */

static int config_take_text(
	json_t *o, const char *key, const char *path, char **out, struct err **err)
{
	const char *s = NULL;

	if (jsonx_string(o, key, false, path, &s, err) < 0)
		return -1;
	*out = config_copy_text(s);
	json_object_del(o, key);
	return 0;
}

/* A list is as long as this image's builder liked; what is done with it later takes its time. */
static int check_length(json_t *o, const char *key, size_t max, struct err **err)
{
	json_t *v = json_object_get(o, key);
	size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);

	return n > max ? err_set(err, ERR_LIMIT, "config.%s: %zu entries, the limit is %zu", key, n,
				 max)
		       : 0;
}

static int check_lengths(json_t *o, struct err **err)
{
	static const struct {
		const char *key;
		size_t max;
	} lists[] = {
		{"OnBuild", OCI_ONBUILD_MAX},
		{"Env", OCI_ENTRIES_MAX},
		{"Labels", OCI_ENTRIES_MAX},
		{"ExposedPorts", OCI_ENTRIES_MAX},
		{"Volumes", OCI_ENTRIES_MAX},
		{"Cmd", OCI_WORDS_MAX},
		{"Entrypoint", OCI_WORDS_MAX},
		{"Shell", OCI_WORDS_MAX},
	};
	json_t *health = json_object_get(o, "Healthcheck");

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (check_length(o, lists[i].key, lists[i].max, err) < 0)
			return -1;
	return check_length(health, "Test", OCI_WORDS_MAX, err);
}

static int take_list(
	json_t *o, const char *key, const char *path, struct strlist *out, struct err **err)
{
	if (jsonx_strlist(o, key, path, out, err) < 0)
		return -1;
	json_object_del(o, key);
	return 0;
}

static int take_words(json_t *o, const char *key, struct oci_words *out, struct err **err)
{
	json_t *v = json_object_get(o, key);

	out->set = v && !json_is_null(v);
	/* Old images have a plain string here. */
	if (json_is_string(v)) {
		strlist_add(&out->l, json_string_value(v));
		json_object_del(o, key);
		return 0;
	}
	return take_list(o, key, "config", &out->l, err);
}

/* {"80/tcp":{}} -> names; what the values hold says nothing. */
static int take_set(json_t *o, const char *key, struct strlist *out, struct err **err)
{
	json_t *map = NULL, *value;
	const char *name;

	if (jsonx_object(o, key, false, "config", &map, err) < 0)
		return -1;
	json_object_foreach(map, name, value) strlist_add(out, name);
	json_object_del(o, key);
	return 0;
}

static int take_healthcheck(json_t *o, struct oci_healthcheck *h, struct err **err)
{
	static const char path[] = "config.Healthcheck";
	json_t *v = NULL;

	if (jsonx_object(o, "Healthcheck", false, "config", &v, err) < 0)
		return -1;
	if (v) {
		h->present = true;
		if (jsonx_strlist(v, "Test", path, &h->test, err) < 0 ||
			jsonx_int(v, "Interval", false, path, &h->interval_ns, err) < 0 ||
			jsonx_int(v, "Timeout", false, path, &h->timeout_ns, err) < 0 ||
			jsonx_int(v, "StartPeriod", false, path, &h->start_period_ns, err) < 0 ||
			jsonx_int(v, "StartInterval", false, path, &h->start_interval_ns, err) <
				0 ||
			jsonx_int(v, "Retries", false, path, &h->retries, err) < 0)
			return -1;
	}
	json_object_del(o, "Healthcheck");
	return 0;
}

static int parse_run(json_t *o, struct oci_config *c, struct err **err)
{
	if (check_lengths(o, err) < 0 || config_take_text(o, "User", "config", &c->user, err) < 0 ||
		take_set(o, "ExposedPorts", &c->exposed_ports, err) < 0 ||
		take_list(o, "Env", "config", &c->env, err) < 0 ||
		take_words(o, "Entrypoint", &c->entrypoint, err) < 0 ||
		take_words(o, "Cmd", &c->cmd, err) < 0 ||
		take_set(o, "Volumes", &c->volumes, err) < 0 ||
		config_take_text(o, "WorkingDir", "config", &c->working_dir, err) < 0 ||
		oci_map_parse(o, "Labels", "config", true, &c->labels, err) < 0 ||
		config_take_text(o, "StopSignal", "config", &c->stop_signal, err) < 0 ||
		take_healthcheck(o, &c->healthcheck, err) < 0 ||
		take_list(o, "OnBuild", "config", &c->onbuild, err) < 0 ||
		take_list(o, "Shell", "config", &c->shell, err) < 0)
		return -1;
	json_object_del(o, "Labels");
	if (json_object_size(o))
		c->extra_config = json_incref(o);
	return 0;
}

static int parse_rootfs(json_t *o, struct oci_config *c, struct err **err)
{
	json_t *rootfs = NULL;
	const char *type = NULL;
	auto_strlist struct strlist ids = {0};

	if (jsonx_object(o, "rootfs", true, "", &rootfs, err) < 0 ||
		jsonx_string(rootfs, "type", true, "rootfs", &type, err) < 0 ||
		jsonx_strlist(rootfs, "diff_ids", "rootfs", &ids, err) < 0)
		return -1;
	if (strcmp(type, "layers") != 0)
		return err_set(err, ERR_CORRUPT, "rootfs.type: expected \"layers\"");
	if (ids.n > OCI_LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "rootfs.diff_ids: %zu layers, the limit is %d",
			ids.n, OCI_LAYERS_MAX);
	for (size_t i = 0; i < ids.n; i++) {
		struct digest d;
		if (sha256_parse_string(ids.v[i], &d) < 0)
			return err_set(
				err, ERR_CORRUPT, "rootfs.diff_ids[%zu]: not a sha256 digest", i);
		oci_config_add_diff_id(c, &d);
	}
	json_object_del(o, "rootfs");
	return 0;
}

static int parse_history_item(json_t *o, size_t i, struct oci_config *c, struct err **err)
{
	char path[32];
	struct oci_history *h = &c->history[c->nhistory];
	json_t *empty = json_object_get(o, "empty_layer");

	snprintf(path, sizeof path, "history[%zu]", i);
	if (!json_is_object(o))
		return err_set(err, ERR_CORRUPT, "%s: expected object", path);
	if (empty && !json_is_null(empty) && !json_is_boolean(empty))
		return err_set(err, ERR_CORRUPT, "%s.empty_layer: expected boolean", path);
	c->nhistory++;
	h->empty_layer = json_is_true(empty);
	return config_take_text(o, "created", path, &h->created, err) < 0 ||
			       config_take_text(o, "created_by", path, &h->created_by, err) < 0 ||
			       config_take_text(o, "author", path, &h->author, err) < 0 ||
			       config_take_text(o, "comment", path, &h->comment, err) < 0
		       ? -1
		       : 0;
}

static int parse_history(json_t *o, struct oci_config *c, struct err **err)
{
	json_t *a = NULL, *item;
	size_t i;

	if (jsonx_array(o, "history", false, "", &a, err) < 0)
		return -1;
	size_t n = json_array_size(a);
	if (n > OCI_HISTORY_MAX)
		return err_set(err, ERR_LIMIT, "history: %zu entries, the limit is %d", n,
			OCI_HISTORY_MAX);
	c->history = mem_array(n, sizeof *c->history);
	json_array_foreach(a, i, item) if (parse_history_item(item, i, c, err) < 0) return -1;
	json_object_del(o, "history");
	return 0;
}

static int parse_all(json_t *o, struct oci_config *c, struct err **err)
{
	static const char *const platform[] = {"os", "architecture", "variant", "os.version"};
	json_t *run = NULL;

	if (!json_is_object(o))
		return err_set(err, ERR_CORRUPT, "expected object");
	if (config_take_text(o, "created", "", &c->created, err) < 0 ||
		config_take_text(o, "author", "", &c->author, err) < 0 ||
		oci_platform_from_json(o, "", &c->platform, err) < 0 ||
		jsonx_object(o, "config", false, "", &run, err) < 0 ||
		(run && parse_run(run, c, err) < 0) || parse_rootfs(o, c, err) < 0 ||
		parse_history(o, c, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(platform); i++)
		json_object_del(o, platform[i]);
	json_object_del(o, "config");
	if (json_object_size(o))
		c->extra = json_incref(o);
	return 0;
}

int oci_config_parse(const char *p, size_t n, struct oci_config *out, struct err **err)
{
	auto_oci_config struct oci_config c = {0};
	auto_json json_t *o = jsonx_load(p, n, OCI_CONFIG_MAX, "image config", err);

	if (!o)
		return -1;
	if (parse_all(o, &c, err) < 0)
		return err_prefix(err, "image config");
	*out = c;
	c = (struct oci_config){0};
	return 0;
}

/* --- printing ------------------------------------------------------------------------------- */

static json_t *set_json(const struct strlist *names)
{
	json_t *o = json_object();
	auto_strlist struct strlist sorted = {0};

	strlist_copy_sorted(&sorted, names);
	for (size_t i = 0; i < sorted.n; i++)
		jsonx_set(o, sorted.v[i], json_object());
	return o;
}

static void put_list(json_t *o, const char *key, const struct strlist *l)
{
	if (l->n)
		jsonx_set(o, key, jsonx_from_strlist(l));
}

static void put_words(json_t *o, const char *key, const struct oci_words *w)
{
	if (w->set)
		jsonx_set(o, key, jsonx_from_strlist(&w->l));
}

static void put_int(json_t *o, const char *key, int64_t v)
{
	if (v)
		jsonx_set(o, key, json_integer(v));
}

static void put_healthcheck(json_t *o, const struct oci_healthcheck *h)
{
	if (!h->present)
		return;
	json_t *v = json_object();
	put_list(v, "Test", &h->test);
	put_int(v, "Interval", h->interval_ns);
	put_int(v, "Timeout", h->timeout_ns);
	put_int(v, "StartPeriod", h->start_period_ns);
	put_int(v, "StartInterval", h->start_interval_ns);
	put_int(v, "Retries", h->retries);
	jsonx_set(o, "Healthcheck", v);
}

/* Members of `extra` that are not there yet, by reference. */
static void put_extra(json_t *o, json_t *extra)
{
	const char *key;
	json_t *value;

	json_object_foreach(extra, key, value) if (!json_object_get(o, key))
		json_object_set(o, key, value);
}

static json_t *run_json(const struct oci_config *c)
{
	json_t *o = json_object();

	jsonx_set_text(o, "User", c->user);
	if (c->exposed_ports.n)
		jsonx_set(o, "ExposedPorts", set_json(&c->exposed_ports));
	put_list(o, "Env", &c->env);
	put_words(o, "Entrypoint", &c->entrypoint);
	put_words(o, "Cmd", &c->cmd);
	if (c->volumes.n)
		jsonx_set(o, "Volumes", set_json(&c->volumes));
	jsonx_set_text(o, "WorkingDir", c->working_dir);
	if (c->labels.n)
		jsonx_set(o, "Labels", oci_map_json(&c->labels));
	jsonx_set_text(o, "StopSignal", c->stop_signal);
	put_healthcheck(o, &c->healthcheck);
	put_list(o, "OnBuild", &c->onbuild);
	put_list(o, "Shell", &c->shell);
	put_extra(o, c->extra_config);
	return o;
}

int oci_config_check(const struct oci_config *c, struct err **err)
{
	const struct {
		const char *what;
		size_t n, max;
	} lists[] = {
		{"history", c->nhistory, OCI_HISTORY_MAX},
		{"config.OnBuild", c->onbuild.n, OCI_ONBUILD_MAX},
		{"config.Env", c->env.n, OCI_ENTRIES_MAX},
		{"config.Labels", c->labels.n, OCI_ENTRIES_MAX},
		{"config.ExposedPorts", c->exposed_ports.n, OCI_ENTRIES_MAX},
		{"config.Volumes", c->volumes.n, OCI_ENTRIES_MAX},
		{"config.Cmd", c->cmd.l.n, OCI_WORDS_MAX},
		{"config.Entrypoint", c->entrypoint.l.n, OCI_WORDS_MAX},
		{"config.Shell", c->shell.n, OCI_WORDS_MAX},
		{"config.Healthcheck.Test", c->healthcheck.test.n, OCI_WORDS_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].n > lists[i].max)
			return err_set(err, ERR_LIMIT,
				"the image configuration: %s: %zu entries, the limit is %zu",
				lists[i].what, lists[i].n, lists[i].max);
	return 0;
}

static json_t *history_json(const struct oci_config *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->nhistory; i++) {
		const struct oci_history *h = &c->history[i];
		json_t *o = json_object();
		jsonx_set_text(o, "created", h->created);
		jsonx_set_text(o, "created_by", h->created_by);
		jsonx_set_text(o, "author", h->author);
		jsonx_set_text(o, "comment", h->comment);
		if (h->empty_layer)
			jsonx_set(o, "empty_layer", json_true());
		json_array_append_new(a, o);
	}
	return a;
}

char *oci_config_dump(const struct oci_config *c, size_t *len)
{
	auto_json json_t *o = json_object();
	json_t *rootfs = json_object(), *ids = json_array();

	jsonx_set_text(o, "created", c->created);
	jsonx_set_text(o, "author", c->author);
	oci_platform_to_json(&c->platform, o);
	jsonx_set(o, "config", run_json(c));
	for (size_t i = 0; i < c->ndiff_ids; i++) {
		char text[DIGEST_STRING];
		json_array_append_new(ids, jsonx_text(sha256_string(&c->diff_ids[i], text)));
	}
	jsonx_set_text(rootfs, "type", "layers");
	jsonx_set(rootfs, "diff_ids", ids);
	jsonx_set(o, "rootfs", rootfs);
	if (c->nhistory)
		jsonx_set(o, "history", history_json(c));
	put_extra(o, c->extra);
	return jsonx_dump(o, len);
}

/* --- changing ------------------------------------------------------------------------------- */

static void config_copy_words(struct oci_words *dst, const struct oci_words *src)
{
	dst->set = src->set;
	strlist_copy(&dst->l, &src->l);
}

void oci_config_copy(struct oci_config *dst, const struct oci_config *src)
{
	struct oci_config c = {
		.created = config_copy_text(src->created),
		.author = config_copy_text(src->author),
		.user = config_copy_text(src->user),
		.working_dir = config_copy_text(src->working_dir),
		.stop_signal = config_copy_text(src->stop_signal),
		.healthcheck = src->healthcheck,
		.extra = json_incref(src->extra), /* nobody changes it, and it may be large */
		.extra_config = json_incref(src->extra_config),
	};

	c.healthcheck.test = (struct strlist){0};
	strlist_copy(&c.healthcheck.test, &src->healthcheck.test);
	oci_platform_copy(&c.platform, &src->platform);
	strlist_copy(&c.exposed_ports, &src->exposed_ports);
	strlist_copy(&c.env, &src->env);
	config_copy_words(&c.entrypoint, &src->entrypoint);
	config_copy_words(&c.cmd, &src->cmd);
	strlist_copy(&c.volumes, &src->volumes);
	strlist_copy(&c.labels, &src->labels);
	strlist_copy(&c.onbuild, &src->onbuild);
	strlist_copy(&c.shell, &src->shell);
	for (size_t i = 0; i < src->ndiff_ids; i++)
		oci_config_add_diff_id(&c, &src->diff_ids[i]);
	for (size_t i = 0; i < src->nhistory; i++)
		oci_config_add_history(&c, &src->history[i]);
	oci_config_clear(dst);
	*dst = c;
}

void oci_config_add_history(struct oci_config *c, const struct oci_history *h)
{
	c->history = mem_grow(c->history, c->nhistory + 1, sizeof *c->history);
	c->history[c->nhistory++] = (struct oci_history){
		.created = config_copy_text(h->created),
		.created_by = config_copy_text(h->created_by),
		.author = config_copy_text(h->author),
		.comment = config_copy_text(h->comment),
		.empty_layer = h->empty_layer,
	};
}

void oci_config_add_diff_id(struct oci_config *c, const struct digest *d)
{
	c->diff_ids = mem_grow(c->diff_ids, c->ndiff_ids + 1, sizeof *c->diff_ids);
	c->diff_ids[c->ndiff_ids++] = *d;
}

void oci_config_add_port(struct oci_config *c, const char *port)
{
	strlist_add_once(&c->exposed_ports, port);
}

void oci_config_add_volume(struct oci_config *c, const char *path)
{
	strlist_add_once(&c->volumes, path);
}

void oci_config_repair_history(struct oci_config *c)
{
	size_t layers = 0;

	for (size_t i = 0; i < c->nhistory; i++)
		layers += !c->history[i].empty_layer;
	for (size_t i = 0; i < c->nhistory && layers > c->ndiff_ids; i++) {
		layers -= !c->history[i].empty_layer;
		c->history[i].empty_layer = true;
	}
	size_t missing = c->ndiff_ids - layers;
	if (!missing)
		return;
	struct oci_history *v = mem_array(c->nhistory + missing, sizeof *v);
	if (c->nhistory)
		memcpy(v + missing, c->history, c->nhistory * sizeof *v);
	free(c->history);
	c->history = v;
	c->nhistory += missing;
}

void oci_chain_id(const struct digest *diff_ids, size_t n, struct digest *out)
{
	struct digest chain = {{0}};
	char text[2 * DIGEST_STRING];

	for (size_t i = 0; i < n; i++) {
		if (i == 0) {
			chain = diff_ids[0];
			continue;
		}
		sha256_string(&chain, text);
		text[DIGEST_STRING - 1] = ' ';
		sha256_string(&diff_ids[i], text + DIGEST_STRING);
		sha256_of(text, strlen(text), &chain);
	}
	*out = chain;
}

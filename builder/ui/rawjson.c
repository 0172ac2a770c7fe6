// SPDX-License-Identifier: Apache-2.0
/*
 * Raw progress: what BuildKit's client calls a SolveStatus, one JSON object a line, for programs.
 * A vertex is a step or a status; its digest is made from its number and its name, because
 * consumers only use it to tell vertexes apart. Its input is the step before it in its stage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/ui/ui_private.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/base/sha256.h"

struct vertex {
	bool is_step;
	unsigned number;
	char *stage; /* owned; "" when there is one only */
	char *name;  /* owned */
	char digest[DIGEST_STRING];
	char input[DIGEST_STRING]; /* "" = none */
	uint64_t start_ms;
	bool over;
};

struct rawjson {
	struct vertex *v; /* owned, as are its texts; in order of start */
	size_t n, cap;
	int64_t wall_ms; /* wall clock less ui_now() */
};

struct rawjson *rawjson_new(const struct ui *u)
{
	struct rawjson *r = mem_alloc(sizeof *r);

	r->wall_ms = now_milliseconds() - (int64_t)ui_now(u);
	return r;
}

void rawjson_free(struct rawjson *r)
{
	for (size_t i = 0; r && i < r->n; i++) {
		free(r->v[i].stage);
		free(r->v[i].name);
	}
	if (r)
		free(r->v);
	free(r);
}

/* --- pieces of JSON --------------------------------------------------------------------------- */

static json_t *time_json(const struct ui *u, uint64_t ms)
{
	int64_t t = u->raw->wall_ms + (int64_t)ms;
	char seconds[NOW_RFC3339], text[NOW_RFC3339 + 8];

	now_rfc3339(t / 1000, seconds);
	seconds[strcspn(seconds, "Z")] = '\0';
	snprintf(text, sizeof text, "%s.%03dZ", seconds, (int)(t % 1000));
	return jsonx_text(text);
}

/* Go's []byte. */
static json_t *bytes_json(const void *data, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	auto_free char *out = mem_alloc((n + 2) / 3 * 4 + 1);
	char *q = out;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
			     (i + 2 < n ? p[i + 2] : 0);

		*q++ = digits[v >> 18];
		*q++ = digits[v >> 12 & 63];
		*q++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*q++ = i + 2 < n ? digits[v & 63] : '=';
	}
	return jsonx_text(out);
}

/* One line: an object whose only member is a list of one. */
static void rawjson_put(struct ui *u, const char *member, json_t *take_item)
{
	auto_json json_t *line = json_object();
	json_t *list = json_array();
	size_t len;

	json_array_append_new(list, take_item);
	jsonx_set(line, member, list);
	auto_free char *text = jsonx_dump(line, &len);
	buf_add(&u->out, text, len);
	buf_addc(&u->out, '\n');
	ui_flush(u);
}

static void put_vertex(
	struct ui *u, const struct vertex *v, bool completed, bool cached, const char *error)
{
	json_t *o = json_object();

	jsonx_set_text(o, "digest", v->digest);
	if (*v->input) {
		json_t *inputs = json_array();

		json_array_append_new(inputs, jsonx_text(v->input));
		jsonx_set(o, "inputs", inputs);
	}
	jsonx_set_text(o, "name", v->name);
	jsonx_set(o, "started", time_json(u, v->start_ms));
	if (completed)
		jsonx_set(o, "completed", time_json(u, ui_now(u)));
	if (cached)
		jsonx_set(o, "cached", json_true());
	jsonx_set_text(o, "error", error);
	rawjson_put(u, "vertexes", o);
}

/* --- vertexes --------------------------------------------------------------------------------- */

static struct vertex *rawjson_find(struct ui *u, bool is_step, unsigned number)
{
	struct rawjson *r = u->raw;

	for (size_t i = r->n; i-- > 0;)
		if (r->v[i].is_step == is_step && r->v[i].number == number && !r->v[i].over)
			return &r->v[i];
	return NULL;
}

static void set_input(struct rawjson *r, struct vertex *v)
{
	const struct vertex *before = NULL;

	for (size_t i = 0; v->is_step && i < r->n; i++) {
		const struct vertex *w = &r->v[i];

		if (w->is_step && w->number < v->number && strcmp(w->stage, v->stage) == 0 &&
			(!before || w->number > before->number))
			before = w;
	}
	if (before)
		memcpy(v->input, before->digest, sizeof v->input);
}

static struct vertex *rawjson_add(
	struct ui *u, bool is_step, unsigned number, const char *stage, char *name)
{
	struct rawjson *r = u->raw;
	struct vertex v = {.is_step = is_step,
		.number = number,
		.stage = mem_strdup(stage ? stage : ""),
		.name = name,
		.start_ms = ui_now(u)};
	auto_free char *id =
		mem_printf("%d %zu %u %s %s", is_step, is_step ? 0 : r->n, number, v.stage, v.name);
	struct digest d;

	sha256_of(id, strlen(id), &d);
	sha256_string(&d, v.digest);
	set_input(r, &v);
	MEM_PUSH(r->v, r->n, r->cap) = v;
	return &r->v[r->n - 1];
}

/* "[build 2/5] RUN make" */
static char *step_name(const struct event *e)
{
	bool text = e->kind == EVENT_STEP_START || e->kind == EVENT_STEP_CACHED;

	return mem_printf("[%s%s%u/%u] %s", e->stage ? e->stage : "", e->stage ? " " : "", e->step,
		e->nsteps, text && e->text ? e->text : "");
}

static void rawjson_over(struct ui *u, struct vertex *v, bool cached, const char *error)
{
	put_vertex(u, v, true, cached, error);
	v->over = true;
}

static void put_log(struct ui *u, const struct vertex *v, int stream, const void *bytes, size_t len)
{
	json_t *o = json_object();

	jsonx_set_text(o, "vertex", v->digest);
	jsonx_set(o, "stream", json_integer(stream));
	jsonx_set(o, "data", bytes_json(bytes, len));
	jsonx_set(o, "timestamp", time_json(u, ui_now(u)));
	rawjson_put(u, "logs", o);
}

static void rawjson_step_event(struct ui *u, const struct event *e)
{
	struct vertex *v = rawjson_find(u, true, e->step);

	if (!v) {
		v = rawjson_add(u, true, e->step, e->stage, step_name(e));
		if (e->kind != EVENT_STEP_CACHED)
			put_vertex(u, v, false, false, NULL);
	}
	if (e->kind == EVENT_STEP_WHY) {
		auto_free char *line = mem_printf("why: %s\n", e->text ? e->text : "");

		put_log(u, v, 2, line, strlen(line));
	} else if (e->kind == EVENT_STEP_OUTPUT) {
		put_log(u, v, e->stream, e->bytes, e->len);
	} else if (e->kind == EVENT_STEP_FAILED) {
		rawjson_over(u, v, false, e->text ? e->text : "failed");
	} else if (e->kind == EVENT_STEP_ENDED) {
		rawjson_over(u, v, false, "context canceled");
	} else if (e->kind != EVENT_STEP_START) {
		rawjson_over(u, v, e->kind == EVENT_STEP_CACHED, NULL);
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

static void rawjson_end_status(struct ui *u, unsigned number)
{
	struct vertex *v = rawjson_find(u, false, number);

	if (v)
		rawjson_over(u, v, false, NULL);
}

static void rawjson_transfer(struct ui *u, const struct event *e)
{
	const struct vertex *v = rawjson_find(u, false, e->step);
	json_t *o = json_object();
	bool complete = e->total && e->done >= e->total;

	jsonx_set_text(o, "id", e->text ? e->text : "");
	jsonx_set_text(o, "vertex", v ? v->digest : NULL);
	if (e->total)
		jsonx_set(o, "total", json_integer((json_int_t)e->total));
	jsonx_set(o, "current", json_integer((json_int_t)e->done));
	jsonx_set(o, "timestamp", time_json(u, ui_now(u)));
	jsonx_set(o, "started", time_json(u, v ? v->start_ms : ui_now(u)));
	if (complete)
		jsonx_set(o, "completed", time_json(u, ui_now(u)));
	rawjson_put(u, "statuses", o);
}

/* The first line is the short form, the others are the detail. */
static void rawjson_warning(struct ui *u, const char *text)
{
	size_t n = strcspn(text, "\n");
	json_t *o = json_object();

	jsonx_set(o, "level", json_integer(1));
	jsonx_set(o, "short", bytes_json(text, n));
	if (text[n] && text[n + 1]) {
		json_t *detail = json_array();

		for (const char *p = text + n + 1; *p;) {
			size_t len = strcspn(p, "\n");

			json_array_append_new(detail, bytes_json(p, len));
			p += len + (p[len] == '\n');
		}
		jsonx_set(o, "detail", detail);
	}
	rawjson_put(u, "warnings", o);
}

void rawjson_event(struct ui *u, const struct event *e)
{
	if (event_is_step(e->kind)) {
		rawjson_end_status(u, 0);
		rawjson_step_event(u, e);
		return;
	}
	switch (e->kind) {
	case EVENT_STATUS:
		rawjson_end_status(u, e->step);
		put_vertex(u,
			rawjson_add(u, false, e->step, NULL, mem_strdup(e->text ? e->text : "")),
			false, false, NULL);
		break;
	case EVENT_STATUS_END:
		rawjson_end_status(u, e->step);
		break;
	case EVENT_TRANSFER:
		rawjson_transfer(u, e);
		break;
	case EVENT_WARNING:
		rawjson_warning(u, e->text ? e->text : "");
		break;
	default:
		break;
	}
}

void rawjson_finish(struct ui *u)
{
	for (size_t i = 0; i < u->raw->n; i++)
		if (!u->raw->v[i].is_step && !u->raw->v[i].over)
			rawjson_over(u, &u->raw->v[i], false, NULL);
}

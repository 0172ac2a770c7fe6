// SPDX-License-Identifier: Apache-2.0
/*
 * "bld explain 1\n", then records: a letter and its fields. Numbers are 4 bytes in the byte order
 * of the machine, texts have their length in front, keys are 32 bytes.
 */
#include "builder/explain/explain_past.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

static const char magic[] = "bld explain 1\n";

#define RECORD_HEAD 64 /* more than a record is longer than the texts in it */

/* --- reading ---------------------------------------------------------------------------------- */

static bool explain_past_take(struct slice *s, void *out, size_t n)
{
	if (s->len < n)
		return false;
	memcpy(out, s->ptr, n);
	*s = slice_from(*s, n);
	return true;
}

static bool explain_past_take_text(struct slice *s, struct slice *out)
{
	uint32_t n;

	if (!explain_past_take(s, &n, sizeof n) || s->len < n)
		return false;
	*out = (struct slice){s->ptr, n};
	*s = slice_from(*s, n);
	return true;
}

static bool explain_past_take_stage(struct slice *s, struct explain_stage *out)
{
	uint32_t n;

	if (!explain_past_take_text(s, &out->title) || !explain_past_take_text(s, &out->platform) ||
		!explain_past_take_text(s, &out->base) || !explain_past_take(s, &n, sizeof n))
		return false;
	while (n--) {
		struct explain_mark m;
		if (!explain_past_take(s, &m.key, sizeof m.key) ||
			!explain_past_take_text(s, &m.text))
			return false;
		MEM_PUSH(out->steps, out->nsteps, out->cap) = m;
	}
	return true;
}

static bool explain_past_take_entry(struct slice *s, struct explain_entry *out)
{
	uint32_t done;

	if (!explain_past_take(s, &out->key, sizeof out->key) ||
		!explain_past_take(s, &out->age, sizeof out->age) ||
		!explain_past_take(s, &done, sizeof done))
		return false;
	out->done = done != 0;
	return explain_past_take_text(s, &out->facts);
}

static bool take_record(struct slice *s, struct explain_past *p)
{
	struct explain_stage stage = {0};
	struct explain_entry entry = {0};
	struct explain_files files = {0};
	char letter;

	if (!explain_past_take(s, &letter, 1))
		return false;
	if (letter == 'S' && explain_past_take_stage(s, &stage)) {
		MEM_PUSH(p->stages, p->nstages, p->cap_stages) = stage;
		return true;
	}
	free(stage.steps);
	if (letter == 'E' && explain_past_take_entry(s, &entry)) {
		MEM_PUSH(p->entries, p->nentries, p->cap_entries) = entry;
		return true;
	}
	if (letter == 'L' && explain_past_take(s, &files.id, sizeof files.id) &&
		explain_past_take_text(s, &files.bytes)) {
		MEM_PUSH(p->files, p->nfiles, p->cap_files) = files;
		return true;
	}
	return false;
}

void explain_past_read(struct explain_past *out, char *take_data, size_t len)
{
	struct slice s = {take_data, len};

	*out = (struct explain_past){.data = take_data};
	if (!slice_starts(s, magic))
		return;
	s = slice_from(s, sizeof magic - 1);
	while (take_record(&s, out))
		;
}

void explain_past_clear(struct explain_past *p)
{
	for (size_t i = 0; i < p->nstages; i++)
		free(p->stages[i].steps);
	free(p->stages);
	free(p->entries);
	free(p->files);
	free(p->data);
	*p = (struct explain_past){0};
}

/* --- writing ---------------------------------------------------------------------------------- */

static void explain_past_put_number(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof v);
}

static void explain_past_put_text(struct buf *b, struct slice s)
{
	explain_past_put_number(b, (uint32_t)s.len);
	buf_add(b, s.ptr ? s.ptr : "", s.len);
}

static bool fits(const struct buf *b, size_t n)
{
	return b->len + n + RECORD_HEAD <= b->max;
}

static void put_stage(struct buf *b, const struct explain_stage *s)
{
	size_t size = s->title.len + s->platform.len + s->base.len;

	for (size_t i = 0; i < s->nsteps; i++)
		size += RECORD_HEAD + s->steps[i].text.len;
	if (!fits(b, size))
		return;
	buf_addc(b, 'S');
	explain_past_put_text(b, s->title);
	explain_past_put_text(b, s->platform);
	explain_past_put_text(b, s->base);
	explain_past_put_number(b, (uint32_t)s->nsteps);
	for (size_t i = 0; i < s->nsteps; i++) {
		buf_add(b, &s->steps[i].key, sizeof s->steps[i].key);
		explain_past_put_text(b, s->steps[i].text);
	}
}

void explain_past_write(const struct explain_past *p, struct buf *out)
{
	buf_adds(out, magic);
	for (size_t i = 0; i < p->nstages; i++)
		put_stage(out, &p->stages[i]);
	for (size_t i = 0; i < p->nentries; i++) {
		const struct explain_entry *e = &p->entries[i];
		if (!fits(out, e->facts.len))
			continue;
		buf_addc(out, 'E');
		buf_add(out, &e->key, sizeof e->key);
		explain_past_put_number(out, e->age);
		explain_past_put_number(out, e->done);
		explain_past_put_text(out, e->facts);
	}
	for (size_t i = 0; i < p->nfiles; i++) {
		if (!fits(out, p->files[i].bytes.len))
			continue;
		buf_addc(out, 'L');
		buf_add(out, &p->files[i].id, sizeof p->files[i].id);
		explain_past_put_text(out, p->files[i].bytes);
	}
}

/* --- finding ---------------------------------------------------------------------------------- */

const struct explain_entry *explain_past_entry(
	const struct explain_past *p, const struct digest *key)
{
	for (size_t i = 0; i < p->nentries; i++)
		if (sha256_equal(&p->entries[i].key, key))
			return &p->entries[i];
	return NULL;
}

struct slice explain_past_files(const struct explain_past *p, const struct digest *id)
{
	for (size_t i = 0; i < p->nfiles; i++)
		if (sha256_equal(&p->files[i].id, id))
			return p->files[i].bytes;
	return (struct slice){0};
}

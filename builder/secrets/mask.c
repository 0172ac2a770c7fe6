// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes are read in four ways at once: as they are and with %XX decoded, each for plain
 * patterns and for those of base64 (whose second alphabet is mapped to the first). Positions are
 * those of the bytes as they came: a match is a number of symbols of one reading, and its beginning
 * is found by going back so many of them.
 */
#include "builder/secrets/mask.h"

#include <stdlib.h>
#include <string.h>

#include "builder/secrets/mask_trie.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

struct mask {
	struct mask_trie plain;
	struct mask_trie base64;
	bool begins[256]; /* a pattern may begin with this byte, in one reading */
};

/* --- patterns -------------------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_line_end(unsigned char c)
{
	return c == '\n' || c == '\r';
}

static struct mask_value mask_trim(struct mask_value v)
{
	const unsigned char *p = v.p;

	while (v.n && is_line_end(p[v.n - 1]))
		v.n--;
	if (v.n > MASK_VALUE_MAX)
		v.n = MASK_VALUE_MAX;
	return v;
}

/* The characters that the value alone decides when `before` bytes stand in front of it. */
static size_t mask_encode(const unsigned char *p, size_t n, size_t before, unsigned char *out)
{
	size_t len = 0;

	for (size_t bit = (before * 8 + 5) / 6 * 6; bit + 6 <= (before + n) * 8; bit += 6) {
		size_t at = bit / 8 - before, shift = bit % 8;
		unsigned two = (unsigned)p[at] << 8 | (at + 1 < n ? p[at + 1] : 0U);
		out[len++] = (unsigned char)alphabet[two >> (10 - shift) & 63];
	}
	return len;
}

static void add_base64(struct mask *m, struct mask_value v, int value)
{
	unsigned char text[MASK_VALUE_MAX / 3 * 4 + 8];

	for (size_t before = 0; before < 3; before++)
		mask_trie_add(&m->base64, text, mask_encode(v.p, v.n, before, text), value);
	explicit_bzero(text, sizeof text);
}

/* Without its line ends, which are not looked at; and as a form has it that wrote "+" for a space
 * and left "+" alone. */
static void add_plain(struct mask *m, struct mask_value v, int value)
{
	unsigned char text[MASK_VALUE_MAX];
	const unsigned char *p = v.p;
	size_t n = 0;

	for (size_t i = 0; i < v.n; i++)
		if (!is_line_end(p[i]))
			text[n++] = p[i];
	if (n >= MASK_VALUE_MIN) {
		mask_trie_add(&m->plain, text, n, value);
		for (size_t i = 0; i < n; i++)
			if (text[i] == '+')
				text[i] = ' ';
		mask_trie_add(&m->plain, text, n, value);
	}
	explicit_bzero(text, sizeof text);
}

static void add_lines(struct mask *m, struct mask_value v)
{
	const unsigned char *p = v.p, *end = p + v.n;

	while (p < end && m->plain.n < MASK_LINES_MAX) {
		const unsigned char *stop = p;
		while (stop < end && !is_line_end(*stop))
			stop++;
		struct mask_value line = {p, (size_t)(stop - p)};
		if (line.n >= MASK_VALUE_MIN && line.n < v.n)
			add_plain(m, mask_trim(line), -1);
		p = stop + 1;
	}
}

static void find_begins(struct mask *m)
{
	for (int c = 0; c < 256; c++)
		m->begins[c] = m->plain.root[c] || m->base64.root[c];
	m->begins['-'] |= m->base64.root['+'] != 0;
	m->begins['_'] |= m->base64.root['/'] != 0;
	m->begins['+'] |= m->plain.root[' '] != 0;
	m->begins['%'] = true;
}

struct mask *mask_new(const struct mask_value *v, size_t n, bool lines)
{
	size_t plain = 0, base64 = 0;

	for (size_t i = 0; i < n; i++) {
		struct mask_value x = mask_trim(v[i]);
		if (x.n < MASK_VALUE_MIN)
			continue;
		plain += 2 * x.n + (lines ? 2 * v[i].n : 0);
		base64 += 3 * (x.n / 3 * 4 + 8);
	}
	if (plain == 0)
		return NULL;
	struct mask *m = mem_alloc(sizeof *m);
	plain = plain < MASK_NODES_MAX ? plain : MASK_NODES_MAX;
	base64 = base64 < MASK_NODES_MAX ? base64 : MASK_NODES_MAX;
	if (mask_trie_init(&m->plain, plain) < 0 || mask_trie_init(&m->base64, base64) < 0)
		mem_exhausted(); /* as all other memory (mem.h): nothing is shown without its mask
				  */
	for (size_t i = 0; i < n; i++) {
		struct mask_value x = mask_trim(v[i]);
		if (x.n < MASK_VALUE_MIN)
			continue;
		add_plain(m, x, (int)i);
		add_base64(m, x, (int)i);
	}
	for (size_t i = 0; lines && i < n; i++)
		add_lines(m, v[i]);
	mask_trie_link(&m->plain);
	mask_trie_link(&m->base64);
	find_begins(m);
	return m;
}

void mask_free(struct mask *m)
{
	if (!m)
		return;
	mask_trie_clear(&m->plain);
	mask_trie_clear(&m->base64);
	explicit_bzero(m, sizeof *m);
	free(m);
}

/* --- readings -------------------------------------------------------------------------------- */

/* One way of reading. */
struct view {
	uint32_t state;
	unsigned ends; /* line ends in a row */
	size_t end;    /* position behind its last symbol */
};

enum { PLAIN, PLAIN_URL, BASE64, BASE64_URL, NVIEWS };

struct reader {
	const struct mask *m;
	struct view view[NVIEWS];
	unsigned escape; /* bytes of an unfinished %XX: 0 to 2 */
	unsigned char digit;
	/* Somebody is told of each match: view, value (-1: a part of one), symbols. */
	void (*found)(struct reader *r, int view, int value, size_t symbols);
};

static const struct mask_trie *trie_of(const struct reader *r, int view)
{
	return view < BASE64 ? &r->m->plain : &r->m->base64;
}

static void reader_reset(struct reader *r)
{
	memset(r->view, 0, sizeof r->view);
	r->escape = 0;
}

static bool reader_rests(const struct reader *r)
{
	return !(r->view[0].state | r->view[1].state | r->view[2].state | r->view[3].state |
		 r->escape);
}

static void take_line_end(struct reader *r, int view)
{
	struct view *v = &r->view[view];

	if (trie_of(r, view)->v[v->state].depth < MASK_FOLD_MIN || ++v->ends > MASK_FOLD_RUN)
		v->state = 0;
}

static void take_symbol(struct reader *r, int view, unsigned char c, size_t end)
{
	struct view *v = &r->view[view];
	const struct mask_trie *t = trie_of(r, view);

	if (is_line_end(c)) {
		take_line_end(r, view);
		return;
	}
	v->ends = 0;
	if (view >= BASE64)
		c = c == '-' ? '+' : c == '_' ? '/' : c;
	v->state = mask_trie_step(t, v->state, c);
	v->end = end;
	if (t->v[v->state].match)
		r->found(r, view, t->v[v->state].value, t->v[v->state].match);
}

/* A byte that stands for itself in the reading with %XX decoded. */
static void take_literal(struct reader *r, unsigned char c, size_t end)
{
	take_symbol(r, PLAIN_URL, c == '+' ? ' ' : c, end);
	take_symbol(r, BASE64_URL, c, end);
}

static int mask_hex_digit(unsigned char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static void end_escape(struct reader *r, size_t at)
{
	unsigned had = r->escape;

	r->escape = 0;
	if (had > 0)
		take_literal(r, '%', at - had + 1);
	if (had > 1)
		take_literal(r, r->digit, at);
}

/* A line end that was written as %0A is one, too. */
static void take_decoded(struct reader *r, unsigned char c, size_t end)
{
	r->escape = 0;
	take_symbol(r, PLAIN_URL, c, end);
	take_symbol(r, BASE64_URL, c, end);
}

static void mask_take_url(struct reader *r, unsigned char c, size_t at)
{
	int hex = mask_hex_digit(c);

	if (r->escape && hex < 0)
		end_escape(r, at);
	if (r->escape == 2) {
		take_decoded(r, (unsigned char)(mask_hex_digit(r->digit) << 4 | hex), at + 1);
	} else if (r->escape == 1) {
		r->escape = 2;
		r->digit = c;
	} else if (c == '%') {
		r->escape = 1;
	} else {
		take_literal(r, c, at + 1);
	}
}

static void mask_take_byte(struct reader *r, unsigned char c, size_t at)
{
	take_symbol(r, PLAIN, c, at + 1);
	take_symbol(r, BASE64, c, at + 1);
	mask_take_url(r, c, at);
}

/* Bytes from `i` on that cannot begin anything. */
static size_t skip(const struct reader *r, const unsigned char *p, size_t i, size_t n)
{
	while (i < n && !r->m->begins[p[i]])
		i++;
	return i;
}

/* --- replacing ------------------------------------------------------------------------------- */

/* To be replaced; going_on: MASK_TEXT is out already. */
struct range {
	size_t start;
	size_t end;
	bool going_on;
};

struct mask_stream {
	struct reader r; /* first */
	mask_out out;
	void *ctx;
	unsigned char *hold; /* owned: bytes that are not out */
	size_t n;
	size_t cap;
	struct range *ranges; /* owned; in order, apart from each other */
	size_t nranges;
	size_t cap_ranges;
};

/* Where the last `symbols` of a view begin. */
static size_t go_back(const struct mask_stream *s, int view, size_t symbols)
{
	const unsigned char *p = s->hold;
	bool url = view == PLAIN_URL || view == BASE64_URL;
	size_t at = s->r.view[view].end;

	while (symbols && at) {
		size_t len = 1;
		unsigned char c = p[at - 1];
		if (url && at >= 3 && p[at - 3] == '%' && mask_hex_digit(p[at - 2]) >= 0 &&
			mask_hex_digit(c) >= 0) {
			c = (unsigned char)(mask_hex_digit(p[at - 2]) << 4 | mask_hex_digit(c));
			len = 3;
		}
		at -= len;
		symbols -= !is_line_end(c);
	}
	return at;
}

static void mask_mark(struct reader *r, int view, int value, size_t symbols)
{
	struct mask_stream *s = (struct mask_stream *)r;
	struct range x = {.start = go_back(s, view, symbols), .end = r->view[view].end};

	(void)value;
	while (s->nranges && s->ranges[s->nranges - 1].end >= x.start) {
		const struct range *last = &s->ranges[--s->nranges];
		if (last->start <= x.start) {
			x.start = last->start;
			x.going_on = last->going_on;
		}
		x.end = x.end > last->end ? x.end : last->end;
	}
	MEM_PUSH(s->ranges, s->nranges, s->cap_ranges) = x;
}

/* The first byte that may belong to a match that is not complete. */
static size_t first_needed(const struct mask_stream *s)
{
	size_t first = s->n - s->r.escape;

	for (int v = 0; v < NVIEWS; v++) {
		size_t depth = trie_of(&s->r, v)->v[s->r.view[v].state].depth;
		size_t at = depth ? go_back(s, v, depth) : first;
		first = at < first ? at : first;
	}
	return first;
}

static void mask_put(struct mask_stream *s, size_t from, size_t to)
{
	if (to > from)
		s->out(s->ctx, s->hold + from, to - from);
}

static void mask_drop(struct mask_stream *s, size_t upto, size_t ranges)
{
	if (!s->n)
		return;
	memmove(s->hold, s->hold + upto, s->n - upto);
	explicit_bzero(s->hold + s->n - upto, upto);
	s->n -= upto;
	for (int v = 0; v < NVIEWS; v++)
		s->r.view[v].end = s->r.view[v].end > upto ? s->r.view[v].end - upto : 0;
	s->nranges -= ranges;
	if (s->nranges)
		memmove(s->ranges, s->ranges + ranges, s->nranges * sizeof *s->ranges);
	for (size_t i = 0; i < s->nranges; i++) {
		s->ranges[i].start -= upto;
		s->ranges[i].end -= upto;
	}
}

static void flush(struct mask_stream *s, size_t upto)
{
	size_t at = 0, done = 0;

	for (; done < s->nranges && s->ranges[done].start < upto; done++) {
		struct range *x = &s->ranges[done];
		mask_put(s, at, x->start);
		if (!x->going_on)
			s->out(s->ctx, MASK_TEXT, sizeof MASK_TEXT - 1);
		at = x->end;
		if (x->end < upto)
			continue;
		/* It may grow, at its end. */
		x->start = at = upto;
		x->going_on = true;
		break;
	}
	mask_put(s, at, upto);
	mask_drop(s, upto, done);
}

struct mask_stream *mask_stream_new(const struct mask *m, mask_out out, void *ctx)
{
	struct mask_stream *s = mem_alloc(sizeof *s);

	s->r = (struct reader){.m = m, .found = mask_mark};
	s->out = out;
	s->ctx = ctx;
	return s;
}

static void mask_make_room(struct mask_stream *s, size_t n)
{
	if (s->n + n <= s->cap)
		return;
	unsigned char *more = mem_alloc(s->n + n);
	if (s->n)
		memcpy(more, s->hold, s->n);
	if (s->hold)
		explicit_bzero(s->hold, s->cap);
	free(s->hold);
	s->hold = more;
	s->cap = s->n + n;
}

void mask_stream_feed(struct mask_stream *s, const void *p, size_t n)
{
	size_t i = s->n;

	if (n == 0)
		return;
	mask_make_room(s, n);
	memcpy(s->hold + s->n, p, n);
	s->n += n;
	for (; i < s->n; i++) {
		if (reader_rests(&s->r))
			i = skip(&s->r, s->hold, i, s->n);
		if (i < s->n)
			mask_take_byte(&s->r, s->hold[i], i);
	}
	flush(s, first_needed(s));
}

void mask_stream_end(struct mask_stream *s)
{
	end_escape(&s->r, s->n);
	flush(s, s->n);
	reader_reset(&s->r);
	s->nranges = 0;
}

void mask_stream_free(struct mask_stream *s)
{
	if (!s)
		return;
	if (s->hold)
		explicit_bzero(s->hold, s->cap);
	free(s->hold);
	free(s->ranges);
	free(s);
}

static void add_out(void *ctx, const void *p, size_t n)
{
	buf_add(ctx, p, n);
}

char *mask_text(const struct mask *m, const char *text)
{
	struct buf b;

	if (!m)
		return mem_strdup(text);
	buf_init(&b, BUF_TEXT_MAX);
	auto_mask_stream struct mask_stream *s = mask_stream_new(m, add_out, &b);
	mask_stream_feed(s, text, strlen(text));
	mask_stream_end(s);
	return buf_take(&b);
}

/* --- finding --------------------------------------------------------------------------------- */

struct mask_search {
	struct reader r; /* first */
	int value;
};

static void mask_note(struct reader *r, int view, int value, size_t symbols)
{
	struct mask_search *s = (struct mask_search *)r;

	(void)view;
	(void)symbols;
	if (value >= 0)
		s->value = value;
}

struct mask_search *mask_search_new(const struct mask *m)
{
	struct mask_search *s = mem_alloc(sizeof *s);

	s->r = (struct reader){.m = m, .found = mask_note};
	return s;
}

int mask_search_feed(struct mask_search *s, const void *data, size_t n)
{
	const unsigned char *p = data;

	s->value = -1;
	for (size_t i = 0; i < n && s->value < 0; i++) {
		if (reader_rests(&s->r))
			i = skip(&s->r, p, i, n);
		if (i < n)
			mask_take_byte(&s->r, p[i], i);
	}
	if (s->value >= 0)
		reader_reset(&s->r);
	return s->value;
}

void mask_search_reset(struct mask_search *s)
{
	reader_reset(&s->r);
}

void mask_search_free(struct mask_search *s)
{
	free(s);
}

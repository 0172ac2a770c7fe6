// SPDX-License-Identifier: Apache-2.0
/*
 * Edits tars as tars. The bytes are cut into members (header and content), a few members are
 * changed (records of extended headers, numbers, names, types, sparse maps, order), and all are
 * put together again with sizes and checksums that are right, so that what is behind the checksum
 * is reached by every input. One time in eight the bytes are changed as bytes.
 */
#include <stdio.h>

#include "tests/fuzz/mutate.h"

#define BLOCK   512
#define MEMBERS 64
#define RECORDS 16384 /* bytes of one extended header that is edited */

struct member {
	uint8_t head[BLOCK];
	uint8_t *body; /* owned */
	size_t size;
	bool own_size; /* the size field is to stay as it is */
};

struct tar {
	struct member v[MEMBERS];
	size_t n;
	uint8_t *tail; /* owned: what follows the last member */
	size_t tail_size;
};

/* --- taking apart and putting together -------------------------------------------------------- */

static size_t octal(const uint8_t *p, size_t n)
{
	size_t v = 0;
	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (size_t)(p[i] - '0');
	return v;
}

static uint8_t *copy(const void *p, size_t n)
{
	uint8_t *out = malloc(n + 1);
	if (!out)
		abort();
	if (n)
		memcpy(out, p, n);
	return out;
}

static void split(struct tar *t, const uint8_t *p, size_t n)
{
	size_t at = 0;
	t->n = 0;
	while (n - at >= BLOCK && t->n < MEMBERS && p[at]) {
		struct member *m = &t->v[t->n++];
		size_t left = n - at - BLOCK, size = octal(p + at + 124, 12);
		memcpy(m->head, p + at, BLOCK);
		m->size = size < left ? size : left;
		m->own_size = size > left;
		m->body = copy(p + at + BLOCK, m->size);
		size_t whole = BLOCK + (m->size + BLOCK - 1) / BLOCK * BLOCK;
		at += whole < n - at ? whole : n - at;
	}
	t->tail_size = n - at;
	t->tail = copy(p + at, n - at);
}

static void seal(struct member *m)
{
	uint8_t *h = m->head;
	unsigned sum = 8 * ' ';
	char text[32];
	if (!m->own_size) {
		snprintf(text, sizeof text, "%011zo", m->size);
		memcpy(h + 124, text, 12);
	}
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? 0 : h[i];
	snprintf(text, sizeof text, "%06o", sum & 0777777);
	memcpy(h + 148, text, 7);
	h[155] = ' ';
}

static size_t join(struct tar *t, uint8_t *out, size_t max)
{
	size_t at = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct member *m = &t->v[i];
		size_t whole = BLOCK + (m->size + BLOCK - 1) / BLOCK * BLOCK;
		if (whole > max - at)
			break;
		seal(m);
		memset(out + at, 0, whole);
		memcpy(out + at, m->head, BLOCK);
		memcpy(out + at + BLOCK, m->body, m->size);
		at += whole;
	}
	size_t n = t->tail_size < max - at ? t->tail_size : max - at;
	if (n)
		memcpy(out + at, t->tail, n);
	return at + n;
}

static void clear(struct tar *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].body);
	free(t->tail);
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *const names[] = {"a", "a/", "a/b", "a/b/c", "a/l", "a/l/x", "d", "d/x", "f",
	"./", ".", "/", "../x", "a/../b", ".wh.f", "a/.wh.b", "a/.wh..wh..opq", ".wh..wh..opq",
	".wh.", ".wh..wh.aufs", "a/.wh.a/b", "x/.wh.x", "a//b", "\xff\xfe", "a\nb", "lib/x", "",
	"long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
static const char *const numbers[] = {"0", "1", "2", "5", "7", "8", "20", "511", "512", "513",
	"1024", "4096", "65535", "65536", "1048576", "4294967294", "4294967295", "4294967296",
	"68719476736", "68719476737", "999999999999999999", "9223372036854775807",
	"9223372036854775808", "18446744073709551615", "18446744073709551616", "-1", "-0", "", " ",
	"1.5", "-1.5", "-9223372036854775808", "0x10", "010", "x"};
static const char *const maps[] = {"", "0,1", "5,2", "0,512", "512,512", "0,512,1024,512", "0,0",
	"20,0", "5", "5,2,", ",", "5,2,9", "9,1,5,1", "5,1,5,1", "0,9223372036854775807",
	"9223372036854775807,1", "1,1,2,2,4,4,8,8"};
static const char *const data_maps[] = {"0\n", "1\n0\n1\n", "1\n5\n2\n", "2\n0\n512\n1024\n512\n",
	"1\n512\n512\n", "9\n", "999999999999999999\n", "1\n0\n999999999999999999\n", "\n",
	"1\n5\n"};
static const char *const keys[] = {"path", "linkpath", "size", "uid", "gid", "mtime", "atime",
	"comment", "GNU.sparse.name", "GNU.sparse.map", "GNU.sparse.offset", "GNU.sparse.numbytes",
	"GNU.sparse.size", "GNU.sparse.realsize", "GNU.sparse.major", "GNU.sparse.minor",
	"GNU.sparse.numblocks", "SCHILY.xattr.user.a", "SCHILY.xattr.user.b", "SCHILY.xattr.user.",
	"SCHILY.xattr.trusted.overlay.opaque", "SCHILY.xattr.security.capability",
	"SCHILY.xattr.user.overlay.redirect", "GNU.sparse.x", "hdrcharset"};
static const char types[] = "0123456775SxXgLKV0005512\0D";

static const char *value_for(struct mutate_random *r, const char *key)
{
	static const char *const flags[] = {"0", "1", "2"};
	if (strstr(key, "path") || strstr(key, ".name"))
		return MUTATE_PICK(r, names);
	if (strstr(key, ".map"))
		return MUTATE_PICK(r, maps);
	if (strstr(key, "major") || strstr(key, "minor"))
		return MUTATE_PICK(r, flags);
	/* Half of the numbers are small, or nothing would fit together. */
	return mutate_below(r, 2) ? numbers[mutate_below(r, 12)] : MUTATE_PICK(r, numbers);
}

/* --- records of an extended header -------------------------------------------------------------
 */

struct record {
	size_t at, len;
};

static size_t find_records(const struct member *m, struct record v[128])
{
	size_t n = 0;
	for (size_t at = 0; at < m->size && n < 128;) {
		size_t len = 0, i = at;
		while (i < m->size && i < at + 8 && m->body[i] >= '0' && m->body[i] <= '9')
			len = len * 10 + (size_t)(m->body[i++] - '0');
		if (len < 5 || len > m->size - at)
			break;
		v[n++] = (struct record){at, len};
		at += len;
	}
	return n;
}

static size_t put_record(char *out, const char *key, const char *value, size_t n)
{
	char head[32];
	size_t body = strlen(key) + n + 3, digits = 1;
	for (size_t limit = 10; body + digits >= limit; limit *= 10)
		digits++;
	int k = snprintf(head, sizeof head, "%zu ", body + digits);
	memcpy(out, head, (size_t)k);
	memcpy(out + k, key, strlen(key));
	out[(size_t)k + strlen(key)] = '=';
	memcpy(out + (size_t)k + strlen(key) + 1, value, n);
	out[body + digits - 1] = '\n';
	return body + digits;
}

/* Some bytes put in the place of others. */
static void splice(struct member *m, size_t at, size_t gone, const void *p, size_t n)
{
	if (m->size - gone + n > RECORDS)
		return;
	uint8_t *out = malloc(m->size - gone + n + 1);
	if (!out)
		abort();
	memcpy(out, m->body, at);
	if (n)
		memcpy(out + at, p, n);
	memcpy(out + at + n, m->body + at + gone, m->size - at - gone);
	free(m->body);
	m->body = out;
	m->size = m->size - gone + n;
	m->own_size = false;
}

static void edit_records(struct mutate_random *r, struct member *m)
{
	struct record v[128];
	char text[512], same[512];
	size_t n = find_records(m, v), k = n ? mutate_below(r, n) : 0;
	size_t at = n ? v[mutate_below(r, n)].at : 0;
	const char *key = MUTATE_PICK(r, keys);
	switch (mutate_below(r, n ? 6 : 1)) {
	case 0:
	case 1: { /* a new one */
		const char *value = value_for(r, key);
		splice(m, at, 0, text, put_record(text, key, value, strlen(value)));
		break;
	}
	case 2: /* gone */
		splice(m, v[k].at, v[k].len, NULL, 0);
		break;
	case 3: /* twice, or in another place */
		if (v[k].len <= sizeof same) {
			memcpy(same, m->body + v[k].at, v[k].len);
			splice(m, at, 0, same, v[k].len);
		}
		break;
	default: { /* another value, or the same with a byte changed */
		uint8_t *p = m->body + v[k].at, *equals = memchr(p, '=', v[k].len);
		uint8_t *blank = memchr(p, ' ', v[k].len);
		if (!equals || !blank || equals < blank || equals - blank > 200)
			return;
		memcpy(same, blank + 1, (size_t)(equals - blank) - 1);
		same[equals - blank - 1] = 0;
		const char *value = value_for(r, same);
		uint8_t bytes[128];
		size_t len = strlen(value);
		memcpy(bytes, value, len);
		if (mutate_below(r, 4) == 0)
			len = mutate_bytes(bytes, len, sizeof bytes);
		splice(m, v[k].at, v[k].len, text, put_record(text, same, (char *)bytes, len));
	}
	}
}

/* --- members ------------------------------------------------------------------------------------
 */

static struct member *insert(struct tar *t, size_t at, char type)
{
	if (t->n == MEMBERS)
		return NULL;
	memmove(&t->v[at + 1], &t->v[at], (t->n - at) * sizeof *t->v);
	t->n++;
	struct member *m = &t->v[at];
	memset(m, 0, sizeof *m);
	m->body = copy("", 0);
	memcpy(m->head, "x", 1);
	memcpy(m->head + 100, "0000644\0000000000\0000000000", 24);
	memcpy(m->head + 136, "00000001750", 12);
	m->head[156] = (uint8_t)type;
	memcpy(m->head + 257, "ustar\00000", 8);
	return m;
}

/* The extended header in front of a member, made when there is none. */
static struct member *records_of(struct mutate_random *r, struct tar *t)
{
	size_t at = mutate_below(r, t->n + 1);
	for (size_t i = at; i < t->n; i++)
		if (t->v[i].head[156] == 'x')
			return &t->v[i];
	return insert(t, at, 'x');
}

static void put_number(struct mutate_random *r, uint8_t *field, size_t n)
{
	static const uint8_t ends[][12] = {"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
		"\x80\0\0\0\x80\0\0\0\0\0\0\0", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x80\0\0\0\0\0\0\x10\0\0\0\0", "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"};
	static const char *const texts[] = {"0", "1", "2", "777", "4755", "1000", "37777777777",
		"7777777", " 5 ", "x", "8", "-1", ""};
	if (mutate_below(r, 3) == 0) {
		const uint8_t *p = ends[mutate_below(r, sizeof ends / sizeof *ends)];
		memcpy(field, p + 12 - n, n);
		field[0] |= p[0] & 0xc0;
	} else {
		const char *s = MUTATE_PICK(r, texts);
		memset(field, 0, n);
		memcpy(field, s, strnlen(s, n));
	}
}

static void edit_head(struct mutate_random *r, struct member *m)
{
	static const struct {
		size_t at, n;
	} fields[] = {{100, 8}, {108, 8}, {116, 8}, {124, 12}, {136, 12}, {329, 8}, {337, 8}};
	size_t k = mutate_below(r, sizeof fields / sizeof *fields);
	const char *name = MUTATE_PICK(r, names);
	switch (mutate_below(r, 6)) {
	case 0:
		m->head[156] = (uint8_t)types[mutate_below(r, sizeof types)];
		break;
	case 1:
		memset(m->head, 0, 100);
		memcpy(m->head, name, strnlen(name, 100));
		break;
	case 2:
		memset(m->head + 157, 0, 100);
		memcpy(m->head + 157, name, strnlen(name, 100));
		break;
	case 3:
		memset(m->head + 345, 0, 155);
		memcpy(m->head + 345, name, strnlen(name, 100));
		break;
	case 4:
		memcpy(m->head + 257, mutate_below(r, 2) ? "ustar  " : "ustar\00000", 8);
		break;
	default:
		put_number(r, m->head + fields[k].at, fields[k].n);
		m->own_size = fields[k].at == 124;
	}
}

/* Old GNU: pieces in the header, and perhaps a block more of them. */
static void make_old_sparse(struct mutate_random *r, struct member *m)
{
	m->head[156] = 'S';
	memcpy(m->head + 257, "ustar  ", 8);
	for (size_t i = 0; i < 4; i++) {
		memset(m->head + 386 + 24 * i, 0, 24);
		if (mutate_below(r, 3) == 0)
			break;
		put_number(r, m->head + 386 + 24 * i, 12);
		put_number(r, m->head + 398 + 24 * i, 12);
	}
	m->head[482] = mutate_below(r, 4) == 0;
	put_number(r, m->head + 483, 12);
}

/* Format 1.0: the map in front of the data. */
static void make_data_map(struct mutate_random *r, struct tar *t)
{
	static const char head[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
	struct member *x, *m;
	char text[128], block[BLOCK] = {0};
	size_t at = mutate_below(r, t->n + 1);
	if (t->n + 2 > MEMBERS || !insert(t, at, '0') || !(x = insert(t, at, 'x')))
		return;
	m = x + 1;
	splice(x, 0, 0, head, sizeof head - 1);
	const char *size = value_for(r, "size"), *map = MUTATE_PICK(r, data_maps);
	splice(x, x->size, 0, text, put_record(text, "GNU.sparse.realsize", size, strlen(size)));
	memcpy(block, map, strlen(map));
	splice(m, 0, 0, block, BLOCK);
	splice(m, BLOCK, 0, "0123456789", mutate_below(r, 11));
}

static void edit_order(struct mutate_random *r, struct tar *t)
{
	size_t a = mutate_below(r, t->n), b = mutate_below(r, t->n);
	struct member swap = t->v[a];
	switch (mutate_below(r, 3)) {
	case 0:
		t->v[a] = t->v[b];
		t->v[b] = swap;
		break;
	case 1:
		free(swap.body);
		memmove(&t->v[a], &t->v[a + 1], (t->n - a - 1) * sizeof *t->v);
		t->n--;
		break;
	default:
		if (t->n < MEMBERS) {
			t->v[t->n] = t->v[a];
			t->v[t->n++].body = copy(t->v[a].body, t->v[a].size);
		}
	}
}

static void edit_body(struct mutate_random *r, struct member *m)
{
	size_t room = m->size + 64;
	uint8_t *p = malloc(room);
	if (!p)
		abort();
	memcpy(p, m->body, m->size);
	if (mutate_below(r, 2))
		m->size = mutate_bytes(p, m->size, room);
	else
		m->size = mutate_below(r, m->size + 1);
	free(m->body);
	m->body = p;
	m->own_size = false;
}

static void edit_tail(struct mutate_random *r, struct tar *t)
{
	static const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK};
	free(t->tail);
	t->tail_size = MUTATE_PICK(r, sizes);
	t->tail = calloc(1, t->tail_size + 1);
	if (!t->tail)
		abort();
	if (t->tail_size && mutate_below(r, 4) == 0)
		t->tail[mutate_below(r, t->tail_size)] = 1;
}

static void add_long_name(struct mutate_random *r, struct tar *t)
{
	const char *name = MUTATE_PICK(r, names);
	struct member *m = insert(t, mutate_below(r, t->n + 1), mutate_below(r, 2) ? 'L' : 'K');
	if (m)
		splice(m, 0, 0, name, strlen(name) + mutate_below(r, 2));
}

static void edit(struct mutate_random *r, struct tar *t)
{
	size_t what = mutate_below(r, 16);
	struct member *m = t->n ? &t->v[mutate_below(r, t->n)] : NULL;
	if (what < 6 && (m = records_of(r, t)))
		edit_records(r, m);
	else if (what < 9 && m)
		edit_head(r, m);
	else if (what == 9)
		make_data_map(r, t);
	else if (what == 10 && m)
		make_old_sparse(r, m);
	else if (what == 11)
		add_long_name(r, t);
	else if (what == 12 && m)
		edit_body(r, m);
	else if (what == 13)
		edit_tail(r, t);
	else if (what == 14 && t->n < MEMBERS)
		insert(t, mutate_below(r, t->n + 1), types[mutate_below(r, sizeof types)]);
	else if (m)
		edit_order(r, t);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct mutate_random r = mutate_seed(seed);
	struct tar t;

	if (mutate_below(&r, 8) == 0)
		return mutate_bytes(data, size, max);
	split(&t, data, size);
	for (size_t i = 0, n = 1 + mutate_below(&r, 4); i < n; i++)
		edit(&r, &t);
	size = join(&t, data, max);
	clear(&t);
	return size ? size : mutate_bytes(data, 1, max);
}

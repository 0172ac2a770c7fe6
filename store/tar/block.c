// SPDX-License-Identifier: Apache-2.0
/*
 * Parsing of tar header fields and pax records. Strict where readers differ: a field that is not a
 * number, a record whose length is off or a NUL in a name is an error and never a guess.
 */
#include "store/tar/block.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/base/err.h"
#include "store/tar/name.h"

static int base256(const unsigned char *f, size_t n, int64_t *out)
{
	bool negative = f[0] & 0x40;
	uint64_t v = negative ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = f[i];
		if (i == 0)
			c = negative ? c | 0x80 : c & 0x7f;
		/* The byte that is pushed out on top must be a copy of the sign. */
		if ((v >> 56) != (negative ? 0xff : 0))
			return -1;
		v = v << 8 | c;
	}
	if ((v >> 63) != negative)
		return -1;
	*out = (int64_t)v;
	return 0;
}

int layer_tar_number(const unsigned char *f, size_t n, int64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	if (f[0] & 0x80)
		return base256(f, n, out);
	while (i < n && (f[i] == ' ' || f[i] == 0))
		i++;
	for (; i < n && f[i] >= '0' && f[i] <= '7'; i++) {
		if (v >> 60)
			return -1;
		v = v << 3 | (uint64_t)(f[i] - '0');
	}
	for (; i < n; i++)
		if (f[i] != ' ' && f[i] != 0)
			return -1;
	*out = (int64_t)v;
	return 0;
}

/* --- pax records ------------------------------------------------------------------------- */

void layer_pax_reset(struct layer_pax *p)
{
	struct layer_pax kept = {.xattrs = p->xattrs,
		.xattrs_cap = p->xattrs_cap,
		.extents = p->extents,
		.extents_cap = p->extents_cap};
	*p = kept;
}

void layer_pax_clear(struct layer_pax *p)
{
	free(p->xattrs);
	free(p->extents);
	memset(p, 0, sizeof *p);
}

static int malformed(struct err **err, const char *key)
{
	return err_set(err, ERR_CORRUPT, "extended header: malformed %s", key);
}

/* Digits only, at most `limit`. */
static int number_upto(const char *s, size_t n, uint64_t limit, uint64_t *out)
{
	uint64_t v = 0;
	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		uint64_t d = (uint64_t)(s[i] - '0');
		if (v > (limit - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

static int decimal(const char *s, size_t n, uint64_t *out)
{
	return number_upto(s, n, INT64_MAX, out);
}

/* "-12.5": whole seconds, rounded down. All of int64_t, as base-256 fields have it: what the
 * walker takes in the writer can write and the walker can read again. */
static int block_seconds(const char *s, size_t n, int64_t *out)
{
	bool negative = n > 0 && s[0] == '-', fraction = false;
	size_t i = negative, whole;
	uint64_t v;

	for (whole = i; whole < n && s[whole] != '.'; whole++)
		;
	if (number_upto(s + i, whole - i, (uint64_t)INT64_MAX + negative, &v))
		return -1;
	for (i = whole + 1; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		fraction |= s[i] != '0';
	}
	if (negative && fraction && v > INT64_MAX)
		return -1;
	/* Negated as unsigned: -INT64_MIN does not exist. */
	*out = negative ? (int64_t)(-v - fraction) : (int64_t)v;
	return 0;
}

int layer_pax_extent(struct layer_pax *p, uint64_t off, uint64_t len, struct err **err)
{
	if (p->nextents >= LAYER_EXTENTS_MAX)
		return err_set(
			err, ERR_LIMIT, "a sparse file of more than %zu pieces", LAYER_EXTENTS_MAX);
	MEM_PUSH(p->extents, p->nextents, p->extents_cap) =
		(struct layer_extent){.off = off, .len = len};
	return 0;
}

static int add_xattr(
	struct layer_pax *p, const char *name, const char *value, size_t n, struct err **err)
{
	size_t i = 0;
	if (!layer_xattr_carried(name))
		return 0;
	if (n > LAYER_XATTR_MAX)
		return err_set(err, ERR_LIMIT,
			"an extended attribute of %zu bytes; the limit is %d", n, LAYER_XATTR_MAX);
	while (i < p->nxattrs && strcmp(p->xattrs[i].name, name) != 0)
		i++;
	if (i == LAYER_XATTRS_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d extended attributes", LAYER_XATTRS_MAX);
	struct layer_xattr x = {.name = name, .value = value, .len = n};
	if (i < p->nxattrs)
		p->xattrs[i] = x;
	else
		MEM_PUSH(p->xattrs, p->nxattrs, p->xattrs_cap) = x;
	return 0;
}

static int two_formats(struct err **err)
{
	return err_set(err, ERR_CORRUPT, "extended header: two sparse maps");
}

/* "0,512,4096,512": format 0.1. Of two records the last. */
static int sparse_map(struct layer_pax *p, const char *s, size_t n, struct err **err)
{
	uint64_t pair[2];
	int have = 0;

	if (p->has_offsets)
		return two_formats(err);
	p->has_map = true;
	p->nextents = 0;
	for (const char *end = s + n; n > 0;) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t k = (size_t)((comma ? comma : end) - s);
		if (decimal(s, k, &pair[have]))
			return malformed(err, "GNU.sparse.map");
		if (++have == 2) {
			have = 0;
			if (layer_pax_extent(p, pair[0], pair[1], err))
				return -1;
		}
		if (!comma)
			break;
		s = comma + 1;
	}
	return have ? malformed(err, "GNU.sparse.map") : 0;
}

/* Format 0.0: offsets and lengths take turns, a record for each. */
static int sparse_offset(struct layer_pax *p, uint64_t off, struct err **err)
{
	if (p->has_map)
		return two_formats(err);
	if (p->half_extent)
		return malformed(err, "GNU.sparse.offset");
	p->has_offsets = true;
	p->half_extent = true;
	return layer_pax_extent(p, off, 0, err);
}

static int sparse_numbytes(struct layer_pax *p, uint64_t len, struct err **err)
{
	if (!p->half_extent || p->nextents == 0)
		return malformed(err, "GNU.sparse.numbytes");
	p->half_extent = false;
	p->extents[p->nextents - 1].len = len;
	return 0;
}

/* Two names for one number, and readers differ in which they take. */
static int sparse_size(struct layer_pax *p, uint64_t size, struct err **err)
{
	if (p->has_realsize && p->realsize != size)
		return err_set(err, ERR_CORRUPT, "extended header: a sparse file of two sizes");
	p->has_realsize = true;
	p->realsize = size;
	return 0;
}

static int sparse_name(struct layer_pax *p, const char *v, size_t n, struct err **err)
{
	if (memchr(v, 0, n))
		return malformed(err, "GNU.sparse.name");
	if (n == 0)
		return 0;
	p->sparse_name = true;
	p->path = v;
	p->path_len = n;
	return 0;
}

static int sparse_record(
	struct layer_pax *p, const char *key, const char *v, size_t n, struct err **err)
{
	uint64_t number;

	p->sparse = true;
	if (strcmp(key, "name") == 0)
		return sparse_name(p, v, n, err);
	if (strcmp(key, "map") == 0)
		return sparse_map(p, v, n, err);
	if (decimal(v, n, &number))
		return malformed(err, "GNU.sparse record");
	if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		return sparse_size(p, number, err);
	if (strcmp(key, "offset") == 0)
		return sparse_offset(p, number, err);
	if (strcmp(key, "numbytes") == 0)
		return sparse_numbytes(p, number, err);
	if (strcmp(key, "major") == 0) {
		p->has_major = true;
		p->major = number;
	} else if (strcmp(key, "minor") == 0) {
		p->has_minor = true;
		p->minor = number;
	}
	return 0;
}

int layer_pax_map_in_data(const struct layer_pax *p, bool *yes, struct err **err)
{
	/* 0.0 and 0.1 came without a version first. */
	*yes = p->has_major && p->major == 1;
	if (p->has_major != p->has_minor || p->major > 1 || p->minor > (*yes ? 0 : 1))
		return err_set(err, ERR_CORRUPT, "a sparse file of an unknown version");
	return *yes && (p->has_offsets || p->has_map) ? two_formats(err) : 0;
}

static int record(struct layer_pax *p, const char *key, const char *v, size_t n, struct err **err)
{
	static const char xattr[] = "SCHILY.xattr.", sparse[] = "GNU.sparse.";
	bool name = strcmp(key, "path") == 0;

	if (strncmp(key, xattr, sizeof xattr - 1) == 0)
		return add_xattr(p, key + sizeof xattr - 1, v, n, err);
	/* An empty value takes a record back (POSIX pax); readers then use the ustar field. */
	if (name || strcmp(key, "linkpath") == 0) {
		if (memchr(v, 0, n))
			return malformed(err, key);
		if (name && p->sparse_name)
			return 0;
		*(name ? &p->path : &p->link) = n ? v : NULL;
		*(name ? &p->path_len : &p->link_len) = n;
	} else if (strcmp(key, "size") == 0) {
		p->has_size = n > 0;
		return n && decimal(v, n, &p->size) ? malformed(err, key) : 0;
	} else if (strcmp(key, "uid") == 0) {
		p->has_uid = n > 0;
		return n && decimal(v, n, &p->uid) ? malformed(err, key) : 0;
	} else if (strcmp(key, "gid") == 0) {
		p->has_gid = n > 0;
		return n && decimal(v, n, &p->gid) ? malformed(err, key) : 0;
	} else if (strcmp(key, "mtime") == 0) {
		p->has_mtime = n > 0;
		return n && block_seconds(v, n, &p->mtime) ? malformed(err, key) : 0;
	} else if (strncmp(key, sparse, sizeof sparse - 1) == 0) {
		return sparse_record(p, key + sizeof sparse - 1, v, n, err);
	}
	return 0;
}

int layer_pax_parse(struct layer_pax *p, char *body, size_t n, struct err **err)
{
	for (char *s = body, *end = body + n; s < end;) {
		uint64_t len;
		char *blank = memchr(s, ' ', (size_t)(end - s));
		if (!blank || decimal(s, (size_t)(blank - s), &len) || len > (size_t)(end - s) ||
			len < (size_t)(blank - s) + 3 || s[len - 1] != '\n')
			return malformed(err, "record");
		char *key = blank + 1, *stop = s + len - 1;
		char *equals = memchr(key, '=', (size_t)(stop - key));
		if (!equals || equals == key || memchr(key, 0, (size_t)(equals - key)))
			return malformed(err, "record");
		*equals = *stop = 0;
		if (record(p, key, equals + 1, (size_t)(stop - equals) - 1, err))
			return -1;
		s += len;
	}
	return p->half_extent ? malformed(err, "GNU.sparse.offset") : 0;
}

int layer_sparse_finish(struct layer_pax *p, uint64_t realsize, uint64_t stored, uint64_t data_off,
	struct err **err)
{
	uint64_t at = 0, sum = 0;
	size_t kept = 0;
	/* A map without pieces: all hole. extents is not NULL then, or it would mean no map at all.
	 */
	if (!p->extents && layer_pax_extent(p, realsize, 0, err))
		return -1;
	for (size_t i = 0; i < p->nextents; i++) {
		struct layer_extent x = p->extents[i];
		if (x.off < at || x.off > realsize || x.len > realsize - x.off ||
			x.len > stored - sum)
			return err_set(err, ERR_CORRUPT, "a sparse file whose map is wrong");
		x.data = data_off + sum;
		at = x.off + x.len;
		sum += x.len;
		if (x.len)
			p->extents[kept++] = x;
	}
	if (sum != stored)
		return err_set(err, ERR_CORRUPT, "a sparse file whose map is wrong");
	p->nextents = kept;
	return 0;
}

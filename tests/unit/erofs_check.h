/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an EROFS image well formed? A reader of its own, for images that are never mounted: everything
 * reachable from the root lies in the image or in its tars, directories are sorted, counts agree.
 */
#ifndef BLD_TESTS_UNIT_EROFS_CHECK_H
#define BLD_TESTS_UNIT_EROFS_CHECK_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX_CHECK_DEPTH 1100

struct index_check {
	const unsigned char *p;
	uint64_t n;
	const int *fds;
	size_t nfds;
	uint64_t steps; /* inodes looked at, to end on circles */
	uint64_t files;
	const char *bad; /* the first complaint */
};

struct index_inode {
	uint64_t at, size, head, nlink, area;
	uint32_t mode, place, uid, gid;
	int64_t mtime;
	int form;
	bool extended;
};

static inline bool index_bad(struct index_check *c, const char *what)
{
	if (!c->bad)
		c->bad = what;
	return false;
}

static inline uint64_t index_le(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static inline bool index_inode_read(struct index_check *c, uint64_t nid, struct index_inode *i)
{
	const unsigned char *b;
	i->at = nid * 32;
	if (nid == 0 || i->at > c->n - 32)
		return index_bad(c, "an inode outside");
	b = c->p + i->at;
	i->extended = b[0] & 1;
	i->form = b[0] >> 1 & 7;
	if (b[0] >> 4 || b[1])
		return index_bad(c, "unknown format bits");
	if (i->extended && i->at > c->n - 64)
		return index_bad(c, "an inode outside");
	uint64_t count = index_le(b + 2, 2);
	i->area = count ? 12 + (count - 1) * 4 : 0;
	i->mode = (uint32_t)index_le(b + 4, 2);
	i->place = (uint32_t)index_le(b + 16, 4);
	if (index_le(b + 20, 4) != nid)
		return index_bad(c, "an inode with another number");
	i->nlink = i->extended ? index_le(b + 44, 4) : index_le(b + 6, 2);
	i->size = i->extended ? index_le(b + 8, 8) : index_le(b + 8, 4);
	i->uid = (uint32_t)(i->extended ? index_le(b + 24, 4) : index_le(b + 24, 2));
	i->gid = (uint32_t)(i->extended ? index_le(b + 28, 4) : index_le(b + 26, 2));
	i->mtime = i->extended ? (int64_t)index_le(b + 32, 8) : 0;
	i->head = i->at + (i->extended ? 64 : 32) + i->area;
	if (i->head > c->n)
		return index_bad(c, "attributes outside");
	return ++c->steps < c->n || index_bad(c, "a circle");
}

static inline bool index_xattrs_ok(struct index_check *c, const struct index_inode *i)
{
	uint64_t at = i->head - i->area + 12;
	if (!i->area)
		return true;
	if (c->p[at - 12 + 4])
		return index_bad(c, "shared attributes");
	while (at < i->head) {
		if (i->head - at < 4)
			return index_bad(c, "a cut attribute");
		const unsigned char *e = c->p + at;
		if (!e[0] || (e[1] != 1 && e[1] != 4 && e[1] != 6))
			return index_bad(c, "an attribute without a name");
		at += (4 + e[0] + index_le(e + 2, 2) + 3) / 4 * 4;
	}
	return at == i->head || index_bad(c, "an attribute across the end");
}

/* Blocks of the common space: of the index itself, or of one tar. */
static inline bool index_blocks_ok(struct index_check *c, uint64_t start, uint64_t blocks, bool own)
{
	if (own)
		return start + blocks <= c->n / 512 || index_bad(c, "data outside the index");
	for (size_t k = 0; k < c->nfds; k++) {
		const unsigned char *d = c->p + 1152 + 128 * k;
		uint64_t first = index_le(d + 68, 4), many = index_le(d + 64, 4);
		if (start >= first && start < first + many)
			return start + blocks <= first + many || index_bad(c, "data across tars");
	}
	return index_bad(c, "data in no tar");
}

static inline bool index_chunks_ok(struct index_check *c, const struct index_inode *i)
{
	uint64_t chunk = 512ull << (i->place & 31), at = (i->head + 7) / 8 * 8, left = i->size;
	if ((i->place & ~0x3fu) || !(i->place & 0x20))
		return index_bad(c, "unknown chunks");
	for (; left; at += 8) {
		uint64_t now = left < chunk ? left : chunk;
		if (at > c->n - 8)
			return index_bad(c, "chunk records outside");
		uint64_t slot = index_le(c->p + at + 2, 2), block = index_le(c->p + at + 4, 4);
		left -= now;
		if (block == UINT32_MAX)
			continue;
		if (!slot || slot > c->nfds)
			return index_bad(c, "a chunk in no tar");
		if (block + (now + 511) / 512 > index_le(c->p + 1152 + 128 * (slot - 1) + 64, 4))
			return index_bad(c, "a chunk outside its tar");
	}
	return true;
}

static inline bool index_content_ok(struct index_check *c, const struct index_inode *i)
{
	uint64_t tail = i->size % 512, blocks = (i->size + 511) / 512;
	bool file = S_ISREG(i->mode);

	if (S_ISCHR(i->mode) || S_ISBLK(i->mode) || S_ISFIFO(i->mode))
		return (i->size == 0 && i->form == 0) || index_bad(c, "a device with a size");
	if (i->form == 4)
		return file ? index_chunks_ok(c, i) : index_bad(c, "chunks of a directory");
	if (i->form == 2) {
		if (i->size >= 512 || !i->size || i->head % 512 + tail > 512 ||
			i->head + tail > c->n)
			return index_bad(c, "an inline tail that crosses a block");
		return true;
	}
	if (i->form)
		return index_bad(c, "an unknown form");
	if (!i->size)
		return file || index_bad(c, "an empty directory or link");
	if (file && i->place == UINT32_MAX)
		return true;
	return index_blocks_ok(c, i->place, blocks, !file || i->place < c->n / 512);
}

static inline const unsigned char *index_content(struct index_check *c, const struct index_inode *i)
{
	return c->p + (i->form == 2 ? i->head : (uint64_t)i->place * 512);
}

static inline bool index_inode_ok(struct index_check *c, uint64_t nid, struct index_inode *i)
{
	return index_inode_read(c, nid, i) && index_xattrs_ok(c, i) && index_content_ok(c, i) &&
	       (!S_ISLNK(i->mode) || (i->size < 4096 && !memchr(index_content(c, i), 0, i->size)) ||
		       index_bad(c, "a link target that is none"));
}

static inline uint8_t index_type(uint32_t mode)
{
	return S_ISREG(mode)    ? 1
	       : S_ISDIR(mode)  ? 2
	       : S_ISCHR(mode)  ? 3
	       : S_ISBLK(mode)  ? 4
	       : S_ISFIFO(mode) ? 5
				: 7;
}

struct index_name {
	const unsigned char *s;
	size_t len;
};

static inline bool index_dir_ok(
	struct index_check *c, uint64_t nid, uint64_t parent, unsigned depth);

static inline bool index_entry_ok(struct index_check *c, const unsigned char *e,
	struct index_name name, uint64_t nid, uint64_t parent, unsigned depth, unsigned *dots)
{
	uint64_t to = index_le(e, 8);
	struct index_inode i;
	bool self = name.len == 1 && name.s[0] == '.';
	bool up = name.len == 2 && name.s[0] == '.' && name.s[1] == '.';

	if (!name.len || name.len > 255 || memchr(name.s, '/', name.len) ||
		memchr(name.s, 0, name.len))
		return index_bad(c, "not a name");
	if (self || up) {
		++*dots;
		return (to == (self ? nid : parent) && e[10] == 2) || index_bad(c, "wrong dots");
	}
	if (!index_inode_ok(c, to, &i))
		return false;
	c->files++;
	if (e[10] != index_type(i.mode))
		return index_bad(c, "a wrong type");
	return !S_ISDIR(i.mode) || index_dir_ok(c, to, nid, depth + 1);
}

static inline bool index_dir_ok(
	struct index_check *c, uint64_t nid, uint64_t parent, unsigned depth)
{
	struct index_inode i;
	struct index_name last = {0};
	unsigned dots = 0;

	if (depth > INDEX_CHECK_DEPTH || !index_inode_ok(c, nid, &i))
		return index_bad(c, "too deep");
	if (!S_ISDIR(i.mode))
		return index_bad(c, "not a directory");
	for (uint64_t off = 0; off < i.size; off += 512) {
		const unsigned char *b = index_content(c, &i) + off;
		uint64_t len = i.size - off < 512 ? i.size - off : 512;
		uint64_t n = len < 12 ? 0 : index_le(b + 8, 2) / 12;
		if (!n || n * 12 >= len || index_le(b + 8, 2) % 12)
			return index_bad(c, "a block without entries");
		for (uint64_t k = 0; k < n; k++) {
			uint64_t at = index_le(b + 12 * k + 8, 2);
			uint64_t end = k + 1 < n ? index_le(b + 12 * k + 20, 2) : len;
			if (at > end || end > len)
				return index_bad(c, "a name outside");
			struct index_name name = {b + at, end - at};
			if (k + 1 == n && off + 512 < i.size)
				name.len = strnlen((const char *)name.s, name.len);
			size_t least = last.len < name.len ? last.len : name.len;
			int order = least ? memcmp(last.s, name.s, least) : 0;
			if (last.s && (order > 0 || (!order && last.len >= name.len)))
				return index_bad(c, "names out of order");
			last = name;
			if (!index_entry_ok(c, b + 12 * k, name, nid, parent, depth, &dots))
				return false;
		}
	}
	return dots == 2 || index_bad(c, "no dots");
}

/* NULL, or what is wrong. *names: how many there are, the root among them. */
static inline const char *index_check(
	const unsigned char *p, size_t n, const int *fds, size_t nfds, size_t *names)
{
	struct index_check c = {.p = p, .n = n, .fds = fds, .nfds = nfds};
	struct stat st;

	if (n < 1536 || n % 512 || index_le(p + 1024, 4) != 0xE0F5E1E2u || p[1036] != 9)
		return "no superblock";
	uint64_t next = index_le(p + 1060, 4);
	if (next != n / 512 || index_le(p + 1110, 2) != nfds || index_le(p + 1112, 2) != 9)
		return "wrong counts";
	if (1152 + 128 * nfds > n)
		return "devices outside";
	for (size_t k = 0; k < nfds; k++) {
		const unsigned char *d = p + 1152 + 128 * k;
		if (fstat(fds[k], &st) || index_le(d + 64, 4) != (uint64_t)st.st_size / 512 ||
			index_le(d + 68, 4) != next)
			return "a wrong device";
		next += index_le(d + 64, 4);
	}
	uint64_t root = index_le(p + 1038, 2);
	if (!index_dir_ok(&c, root, root, 0))
		return c.bad;
	*names = (size_t)c.files + 1;
	return c.files + 1 >= index_le(p + 1040, 8) ? NULL : "more inodes than names";
}

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * The list of files of a COPY in the record, and the first difference of two such lists. A name
 * stands with its depth and not with its path; reading puts paths together and sorts them. A
 * directory may stand for all below it, so a file missing in one list need not be a difference.
 */
#include "builder/explain/explain_list.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define PATH_TEXT_MAX                                                                              \
	((size_t)64 << 10) /* bytes of a path; the rest of a longer one is left out                \
			    */

/* What is in front of the name. */
struct attrs {
	uint64_t content;
	uint64_t other;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t depth_whole; /* depth * 2 + whole */
};
#define ATTRS_SIZE ((size_t)28)

struct writer {
	struct buf *out;
	const char *const *names;
	size_t nnames;
};

static void explain_list_put(void *ctx, const struct copy_listed *e)
{
	struct writer *w = ctx;
	const char *name = e->item < w->nnames && e->depth == 0 ? w->names[e->item] : NULL;
	struct attrs a = {
		.content = e->content,
		.other = e->other,
		.uid = e->uid,
		.gid = e->gid,
		.mode = (uint16_t)(e->mode | e->type << 12),
		.depth_whole = (uint16_t)(e->depth * 2 + e->whole),
	};

	name = name ? name : e->name;
	buf_add(w->out, &a, ATTRS_SIZE);
	buf_add(w->out, name, strlen(name) + 1);
	buf_add(w->out, e->link, strlen(e->link) + 1);
}

void explain_list_add(
	struct buf *out, const struct copy_selection *s, const char *const *names, size_t nnames)
{
	struct writer w = {.out = out, .names = names, .nnames = nnames};

	copy_list(s, EXPLAIN_LIST_FILES, explain_list_put, &w);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct file {
	struct attrs a;
	char *path; /* owned */
	const char *link;
};

struct files {
	struct file *v;
	size_t n;
	size_t cap;
};

static void files_clear(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
}

/* The directories that the next file may be in. */
struct trail {
	size_t *len; /* of the path at each depth */
	size_t n;
	size_t cap;
	struct buf path;
};

static char *explain_list_path_of(struct trail *t, size_t depth, const char *name)
{
	if (depth > t->n) /* not of our making */
		depth = t->n;
	t->n = depth;
	size_t parent = depth ? t->len[depth - 1] : 0;
	auto_free char *above = mem_strndup(t->path.data, parent);
	buf_reset(&t->path);
	buf_adds(&t->path, above);
	if (parent)
		buf_addc(&t->path, '/');
	buf_adds(&t->path, name);
	MEM_PUSH(t->len, t->n, t->cap) = t->path.len;
	return mem_strdup(t->path.data);
}

static int explain_list_by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void explain_list_read_all(struct slice s, struct files *out)
{
	struct trail t = {0};
	const char *p = s.ptr, *end = s.ptr + s.len;

	buf_init(&t.path, PATH_TEXT_MAX);
	while ((size_t)(end - p) > ATTRS_SIZE) {
		struct file f = {0};
		memcpy(&f.a, p, ATTRS_SIZE);
		const char *name = p + ATTRS_SIZE;
		const char *stop = memchr(name, '\0', (size_t)(end - name));
		const char *last = stop ? memchr(stop + 1, '\0', (size_t)(end - stop - 1)) : NULL;
		if (!last)
			break;
		f.link = stop + 1;
		f.path = explain_list_path_of(&t, f.a.depth_whole / 2, name);
		MEM_PUSH(out->v, out->n, out->cap) = f;
		p = last + 1;
	}
	buf_clear(&t.path);
	free(t.len);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, explain_list_by_path);
}

/* --- comparing -------------------------------------------------------------------------------- */

static const char *explain_list_type_name(unsigned type)
{
	static const char *const names[] = {
		"file", "directory", "link", "file", "character device", "block device", "fifo"};

	return type < ARRAY_LEN(names) ? names[type] : "something else";
}

static char *difference(const struct file *x, const struct file *y)
{
	const struct attrs *a = &x->a, *b = &y->a;
	auto_free char *path = fs_printable(*x->path ? x->path : ".");
	unsigned mode_a = a->mode & 07777, mode_b = b->mode & 07777;

	if (a->mode >> 12 != b->mode >> 12)
		return mem_printf("%s: %s -> %s", path, explain_list_type_name(a->mode >> 12),
			explain_list_type_name(b->mode >> 12));
	if (strcmp(x->link, y->link) != 0) {
		auto_free char *from = fs_printable(x->link), *to = fs_printable(y->link);
		return mem_printf("%s: link target %s -> %s", path, from, to);
	}
	if (a->depth_whole % 2 && b->depth_whole % 2 && a->content != b->content)
		return mem_printf("%s/: something below it", path);
	if (a->content != b->content && a->depth_whole % 2 == b->depth_whole % 2)
		return mem_printf(
			strstr(x->path, "://") ? "%s: other content" : "%s: content", path);
	if (mode_a != mode_b)
		return mem_printf("%s: mode %04o -> %04o", path, mode_a, mode_b);
	if (a->uid != b->uid || a->gid != b->gid)
		return mem_printf("%s: owner %u:%u -> %u:%u", path, a->uid, a->gid, b->uid, b->gid);
	if (a->other != b->other)
		return mem_printf("%s: extended attributes", path);
	return NULL;
}

static char *alone(const struct file *f, const char *what)
{
	auto_free char *path = fs_printable(*f->path ? f->path : ".");

	return mem_printf("%s: %s", path, what);
}

/* The files of one list may be directories of the other one: what is in one of them only because
 * of that is no difference. */
static bool below_whole(const struct files *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(l->v[i].path);
		if (l->v[i].a.depth_whole % 2 && strncmp(path, l->v[i].path, len) == 0 &&
			(len == 0 || path[len] == '/'))
			return true;
	}
	return false;
}

char *explain_list_compare(struct slice before, struct slice after)
{
	struct files a CLEANUP(files_clear) = {0}, b CLEANUP(files_clear) = {0};
	size_t i = 0, k = 0;

	explain_list_read_all(before, &a);
	explain_list_read_all(after, &b);
	while (i < a.n || k < b.n) {
		int order = i == a.n ? 1 : k == b.n ? -1 : strcmp(a.v[i].path, b.v[k].path);
		char *why = NULL;
		if (order < 0 && !below_whole(&b, a.v[i].path))
			why = alone(&a.v[i], "gone");
		else if (order > 0 && !below_whole(&a, b.v[k].path))
			why = alone(&b.v[k], "new");
		else if (order == 0)
			why = difference(&a.v[i], &b.v[k]);
		if (why)
			return why;
		i += order <= 0;
		k += order >= 0;
	}
	return NULL;
}

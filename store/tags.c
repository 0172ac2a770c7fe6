// SPDX-License-Identifier: Apache-2.0
/*
 * index.json is read without a lock (it is replaced atomically) and changed under bld/locks/index.
 * Entries without a name, which other tools may have put there, are kept.
 *
 * A build waits for no disk, not even for this file: a name would be worth little on the disk
 * before the objects it leads to. But all names hang on one file, so the one before stays as
 * bld/index.last, and is used when a power cut left the new one empty or torn. Writing back is
 * started at once, so that both are torn only when two changes and the cut fall into the same
 * moment.
 */
#include "store/tags.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/tempfile.h"

#define LAST "index.last"

/* The text, and what it says. *torn: what is wrong may come from a power cut: the file was not
 * written in this boot. */
static int tags_read_index(struct store *s, int dir_fd, const char *name, struct buf *text,
	struct oci_index *out, bool *torn, struct err **err)
{
	static const struct digest none;
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*torn = false;
	if (fd < 0)
		return err_sys(err, "store %s: %s", store_root(s), name);
	if (fs_read_fd(fd, OCI_MANIFEST_MAX, name, text, err) < 0)
		return err_prefix(err, "store %s", store_root(s));
	if (oci_index_parse(text->data, text->len, OCI_MEDIA_INDEX, out, err) == 0)
		return 0;
	*torn = text->len == 0 || !store_trusted(s, fd, &none);
	return err_prefix(err, "store %s: %s", store_root(s), name);
}

/* *text is empty when index.json is torn and the one before it was taken. */
static int tags_load_index(
	struct store *s, struct buf *text, struct oci_index *out, struct err **err)
{
	auto_err struct err *bad = NULL, *worse = NULL;
	auto_buf struct buf last = {0};
	bool torn, twice;

	if (tags_read_index(s, store_root_fd(s), "index.json", text, out, &torn, &bad) == 0)
		return 0;
	bool empty = text->len == 0;
	buf_clear(text);
	if (torn && tags_read_index(s, store_bld_fd(s), LAST, &last, out, &twice, &worse) == 0)
		return 0;
	/* Torn right after the store was made: there was no name yet. */
	if (torn && empty && err_errno(worse) == ENOENT)
		return 0;
	if (err)
		*err = TAKE(bad);
	return -1;
}

int tags_index(struct store *s, struct oci_index *out, struct err **err)
{
	auto_buf struct buf text = {0};

	return tags_load_index(s, &text, out, err);
}

static int replace_index(struct store *s, bool keep, const char *text, size_t n, struct err **err)
{
	auto_tempfile struct tempfile t;
	int root = store_root_fd(s), bld = store_bld_fd(s);

	if (tempfile_open(s, &t) < 0 || fs_write_all(t.fd, text, n) < 0)
		return err_sys(err, "store %s: index.json", store_root(s));
	static const struct digest none;
	store_trust(s, t.fd, &none);
	(void)sync_file_range(t.fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* does not wait */
	if (keep) {
		unlinkat(bld, LAST, 0);
		/* No hard links here: then the new one must be safe. */
		if (linkat(root, "index.json", bld, LAST, 0) < 0 && fsync(t.fd) < 0)
			return err_sys(err, "store %s: index.json", store_root(s));
	}
	return tempfile_publish(&t, root, "index.json") < 0
		       ? err_sys(err, "store %s: index.json", store_root(s))
		       : 0;
}

/* `old`: the text of index.json, if it is good. */
static int tags_write_index(
	struct store *s, const struct buf *old, const struct oci_index *x, struct err **err)
{
	size_t n;

	if (x->nmanifests > OCI_INDEX_MAX)
		return err_set(err, ERR_LIMIT, "store %s: more than %d names", store_root(s),
			OCI_INDEX_MAX);
	auto_free char *text = oci_index_dump(x, &n);
	if (n > OCI_MANIFEST_MAX)
		return err_set(err, ERR_LIMIT,
			"store %s: index.json would have more than %zu bytes", store_root(s),
			OCI_MANIFEST_MAX);
	if (n == old->len && memcmp(text, old->data, n) == 0)
		return 0;
	return replace_index(s, old->len > 0, text, n, err);
}

static const char *tags_name_of(const struct oci_descriptor *d)
{
	return strlist_get_kv(&d->annotations, OCI_REF_NAME);
}

static int tags_by_name(const void *a, const void *b)
{
	const struct tags_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void tags_clear(struct tags *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		oci_descriptor_clear(&t->v[i].manifest);
	}
	free(t->v);
	*t = (struct tags){0};
}

int tags_list(struct store *s, struct tags *out, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	if (tags_index(s, &x, err) < 0)
		return -1;
	*out = (struct tags){.v = mem_array(x.nmanifests, sizeof *out->v)};
	for (size_t i = 0; i < x.nmanifests; i++) {
		const char *name = tags_name_of(&x.manifests[i]);
		if (!name)
			continue;
		struct tags_entry *e = &out->v[out->n++];
		e->name = mem_strdup(name);
		oci_descriptor_copy(&e->manifest, &x.manifests[i]);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, tags_by_name);
	return 0;
}

int tags_find(struct store *s, const char *name, struct oci_descriptor *out, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	if (tags_index(s, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++) {
		const char *have = tags_name_of(&x.manifests[i]);
		if (!have || strcmp(have, name) != 0)
			continue;
		*out = (struct oci_descriptor){0};
		oci_descriptor_copy(out, &x.manifests[i]);
		return 1;
	}
	return 0;
}

/* Take the entries with this name out; the number of them. */
static size_t drop_name(struct oci_index *x, const char *name)
{
	size_t kept = 0, n = x->nmanifests;

	for (size_t i = 0; i < n; i++) {
		const char *have = tags_name_of(&x->manifests[i]);
		if (have && strcmp(have, name) == 0)
			oci_descriptor_clear(&x->manifests[i]);
		else
			x->manifests[kept++] = x->manifests[i];
	}
	x->nmanifests = kept;
	return n - kept;
}

static void tags_add_name(
	struct oci_index *x, const char *name, const struct oci_descriptor *manifest)
{
	x->manifests = mem_grow(x->manifests, x->nmanifests + 1, sizeof *x->manifests);
	struct oci_descriptor *d = &x->manifests[x->nmanifests++];
	*d = (struct oci_descriptor){0};
	oci_descriptor_copy(d, manifest);
	strlist_set_kv(&d->annotations, OCI_REF_NAME, name);
}

static int by_ref(const void *a, const void *b)
{
	const char *x = tags_name_of(a), *y = tags_name_of(b);

	return strcmp(x ? x : "", y ? y : "");
}

int tags_set(struct store *s, const char *const *names, size_t n,
	const struct oci_descriptor *manifest, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_buf struct buf old = {0};
	auto_fd int lock = lock_take(store_dir(s, STORE_LOCKS), "index", LOCK_EXCLUSIVE, true, err);

	if (lock < 0 || tags_load_index(s, &old, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		drop_name(&x, names[i]);
		tags_add_name(&x, names[i], manifest);
	}
	qsort(x.manifests, x.nmanifests, sizeof *x.manifests, by_ref);
	return tags_write_index(s, &old, &x, err);
}

int tags_remove(struct store *s, const char *name, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_buf struct buf old = {0};
	auto_fd int lock = lock_take(store_dir(s, STORE_LOCKS), "index", LOCK_EXCLUSIVE, true, err);

	if (lock < 0 || tags_load_index(s, &old, &x, err) < 0)
		return -1;
	if (!drop_name(&x, name))
		return 0;
	return tags_write_index(s, &old, &x, err) < 0 ? -1 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * index.json is read without a lock (it is replaced atomically) and changed under bld/locks/index.
 * Entries without a name, which other tools may have put there, are kept.
 */
#include "store/tags.h"

#include <fcntl.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"

int tags_index(struct store *s, struct oci_index *out, struct err **err)
{
	auto_buf struct buf b = {0};
	auto_fd int fd = openat(store_root_fd(s), "index.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "store %s: index.json", store_root(s));
	if (fs_read_fd(fd, OCI_MANIFEST_MAX, "index.json", &b, err) < 0 ||
		oci_index_parse(b.data, b.len, OCI_MEDIA_INDEX, out, err) < 0)
		return err_prefix(err, "store %s: index.json", store_root(s));
	return 0;
}

static int write_index(struct store *s, const struct oci_index *x, struct err **err)
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
	return store_write_file(s, store_root_fd(s), "index.json", text, n, true, err);
}

static const char *name_of(const struct oci_descriptor *d)
{
	return strlist_get_kv(&d->annotations, OCI_REF_NAME);
}

static int by_name(const void *a, const void *b)
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
		const char *name = name_of(&x.manifests[i]);
		if (!name)
			continue;
		struct tags_entry *e = &out->v[out->n++];
		e->name = mem_strdup(name);
		oci_descriptor_copy(&e->manifest, &x.manifests[i]);
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof *out->v, by_name);
	return 0;
}

int tags_find(struct store *s, const char *name, struct oci_descriptor *out, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	if (tags_index(s, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++) {
		const char *have = name_of(&x.manifests[i]);
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
		const char *have = name_of(&x->manifests[i]);
		if (have && strcmp(have, name) == 0)
			oci_descriptor_clear(&x->manifests[i]);
		else
			x->manifests[kept++] = x->manifests[i];
	}
	x->nmanifests = kept;
	return n - kept;
}

static void add_name(struct oci_index *x, const char *name, const struct oci_descriptor *manifest)
{
	x->manifests = mem_grow(x->manifests, x->nmanifests + 1, sizeof *x->manifests);
	struct oci_descriptor *d = &x->manifests[x->nmanifests++];
	*d = (struct oci_descriptor){0};
	oci_descriptor_copy(d, manifest);
	strlist_set_kv(&d->annotations, OCI_REF_NAME, name);
}

static int by_ref(const void *a, const void *b)
{
	const char *x = name_of(a), *y = name_of(b);

	return strcmp(x ? x : "", y ? y : "");
}

int tags_set(struct store *s, const char *const *names, size_t n,
	const struct oci_descriptor *manifest, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_fd int lock = lock_take(store_dir(s, STORE_LOCKS), "index", LOCK_EXCLUSIVE, true, err);

	if (lock < 0 || tags_index(s, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		drop_name(&x, names[i]);
		add_name(&x, names[i], manifest);
	}
	qsort(x.manifests, x.nmanifests, sizeof *x.manifests, by_ref);
	return write_index(s, &x, err);
}

int tags_remove(struct store *s, const char *name, struct err **err)
{
	auto_oci_index struct oci_index x = {0};
	auto_fd int lock = lock_take(store_dir(s, STORE_LOCKS), "index", LOCK_EXCLUSIVE, true, err);

	if (lock < 0 || tags_index(s, &x, err) < 0)
		return -1;
	if (!drop_name(&x, name))
		return 0;
	return write_index(s, &x, err) < 0 ? -1 : 1;
}

// SPDX-License-Identifier: Apache-2.0
#include "store/verify.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/digestset.h"
#include "store/dirform.h"
#include "store/indexform.h"
#include "store/layer/layer.h"
#include "store/snapshot.h"
#include "store/tags.h"

struct check {
	struct store *s;
	const struct verify_opts *o;
	struct verify_report report;
};

static void problem(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct check *c, const char *fmt, ...)
{
	va_list ap;

	c->report.problems++;
	if (!c->o->finding)
		return;
	va_start(ap, fmt);
	auto_free char *raw = mem_vprintf(fmt, ap);
	va_end(ap);
	auto_free char *text = fs_printable(raw);
	c->o->finding(c->o->ctx, text);
}

typedef int verify_entry_fn(struct check *c, const char *name, struct err **err);

/* Call fn for every entry of a directory; an entry that vanishes meanwhile is no problem. */
static int each(struct check *c, int dir_fd, verify_entry_fn *fn, struct err **err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return err_sys(err, "store %s", store_root(c->s));
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = fn(c, e->d_name, err);
	closedir(dir);
	return r;
}

/* --- blobs ------------------------------------------------------------------------------------ */

static int check_blob(struct check *c, const char *name, struct err **err)
{
	struct digest d;
	auto_err struct err *why = NULL;

	if (sha256_parse_hex(name, strlen(name), &d) < 0) {
		problem(c, "blobs/sha256/%s: not the name of an object", name);
		return 0;
	}
	c->report.blobs++;
	int good = blob_verify(c->s, &d, &why);
	if (good == 1 || (good < 0 && err_get_kind(why) == ERR_NOT_FOUND))
		return 0;
	if (good < 0 && err_get_kind(why) == ERR_SYS)
		return err_set(err, ERR_SYS, "%s", err_text(why));
	problem(c, "blob sha256:%s: its content does not match its digest", name);
	if (c->o->repair && blob_remove(c->s, &d) < 0)
		return err_sys(err, "blob sha256:%s", name);
	return 0;
}

/* --- what names reach ----------------------------------------------------------------------- */

/* A document, read and verified; a missing or wrong one is a problem and gives NULL. */
static char *read_document(
	struct check *c, const char *name, const struct digest *d, size_t max, size_t *n)
{
	auto_err struct err *why = NULL;
	char *text = blob_read(c->s, d, max, n, &why);

	if (!text)
		problem(c, "image %s: %s", name, err_text(why));
	return text;
}

static void check_layers(struct check *c, const char *name, const struct oci_manifest *m,
	const struct oci_config *config)
{
	char text[DIGEST_STRING];

	if (m->nlayers != config->ndiff_ids) {
		problem(c, "image %s: %zu layers, but %zu diff IDs", name, m->nlayers,
			config->ndiff_ids);
		return;
	}
	for (size_t i = 0; i < m->nlayers; i++) {
		uint64_t size;
		sha256_string(&m->layers[i].digest, text);
		if (!blob_exists(c->s, &m->layers[i].digest, &size))
			problem(c, "image %s: layer %s is missing", name, text);
		else if (size != m->layers[i].size)
			problem(c, "image %s: layer %s has %llu bytes, not %llu", name, text,
				(unsigned long long)size, (unsigned long long)m->layers[i].size);
	}
}

static void check_manifest(struct check *c, const char *name, const struct oci_manifest *m)
{
	size_t n;
	auto_oci_config struct oci_config config = {0};
	auto_err struct err *why = NULL;
	auto_free char *text = read_document(c, name, &m->config.digest, OCI_CONFIG_MAX, &n);

	if (!text)
		return;
	if (oci_config_parse(text, n, &config, &why) < 0)
		problem(c, "image %s: %s", name, err_text(why));
	else
		check_layers(c, name, m, &config);
}

/* One of the documents of an image; an index adds to them. */
static void check_document(
	struct check *c, const char *name, const struct digest *d, struct digestset *docs)
{
	size_t n;
	auto_oci_manifest struct oci_manifest m = {0};
	auto_oci_index struct oci_index x = {0};
	auto_err struct err *why = NULL;
	auto_free char *text = read_document(c, name, d, OCI_MANIFEST_MAX, &n);
	int index = text ? oci_is_index(text, n, NULL, &why) : 0;

	if (!text)
		return;
	if (index == 0 && oci_manifest_parse(text, n, NULL, &m, &why) == 0)
		check_manifest(c, name, &m);
	if (index == 1 && oci_index_parse(text, n, NULL, &x, &why) == 0) {
		/* Only the platforms that were pulled are here. */
		for (size_t i = 0; i < x.nmanifests; i++)
			if (blob_exists(c->s, &x.manifests[i].digest, NULL))
				digestset_add_new(docs, &x.manifests[i].digest);
	}
	if (why)
		problem(c, "image %s: %s", name, err_text(why));
}

/* Each document once: a hostile index may name another one thousands of times. */
static void check_image(struct check *c, const char *name, const struct digest *top)
{
	auto_digestset struct digestset docs = {0};

	digestset_add(&docs, top);
	for (size_t i = 0; i < docs.n; i++) {
		const struct digest d = docs.v[i];
		check_document(c, name, &d, &docs);
	}
}

static int check_names(struct check *c, struct err **err)
{
	auto_tags struct tags t = {0};
	auto_err struct err *why = NULL;

	if (tags_list(c->s, &t, &why) < 0) {
		if (err_get_kind(why) == ERR_SYS)
			return err_set(err, ERR_SYS, "%s", err_text(why));
		problem(c, "%s", err_text(why));
		return 0;
	}
	for (size_t i = 0; i < t.n; i++)
		check_image(c, t.v[i].name, &t.v[i].manifest.digest);
	return 0;
}

/* Did a build or somebody else's repair take it away while we looked? */
static bool vanished(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* --- derived forms -------------------------------------------------------------------------- */

/* Compare a directory with its tar; *why (owned) says what is wrong. */
static int compare(struct check *c, const struct digest *chain, const struct dirform *f, char **why,
	struct err **err)
{
	auto_layer_tree struct layer_tree *below = snapshot_tree(c->s, f->diff_ids, f->n - 1, err);
	auto_fd int tar = below ? snapshot_tar(c->s, &f->diff_ids[f->n - 1], NULL, err) : -1;
	auto_fd int dir = tar < 0 ? -1 : dirform_open(c->s, chain, err);

	if (tar < 0)
		return -1;
	if (dir < 0) {
		*why = mem_strdup("its directory \"upper\" is missing");
		return 0;
	}
	struct layer_unpack u = {.dest_fd = dir, .below = below, .userxattr = f->userxattr};
	return layer_compare_dir(tar, &u, why, err);
}

static int check_dir(struct check *c, const char *name, struct err **err)
{
	struct digest chain;
	auto_dirform struct dirform f = {0};
	auto_free char *why = NULL;
	auto_err struct err *failed = NULL;

	(void)err;
	if (sha256_parse_hex(name, strlen(name), &chain) < 0) {
		problem(c, "bld/dirs/%s: not the name of a layer directory", name);
		return 0;
	}
	c->report.dirs++;
	int r = dirform_read(c->s, &chain, &f, &failed);
	if (r == 1 && !f.usable)
		return 0; /* of another boot or privilege: it is made again before it is used */
	if (r == 1)
		r = compare(c, &chain, &f, &why, &failed);
	if (r == 1 || vanished(store_dir(c->s, STORE_DIRS), name))
		return 0;
	if (failed && err_get_kind(failed) == ERR_NOT_FOUND) {
		/* Its layer was dropped, and nothing opens a directory without one: stale, not
		 * wrong. */
		if (c->o->repair)
			dirform_drop(c->s, &chain, true);
		return 0;
	}
	problem(c, "layer directory %s: %s", name,
		failed ? err_text(failed)
		: why  ? why
		       : "its form file is damaged");
	if (c->o->repair)
		dirform_drop(c->s, &chain, true);
	return 0;
}

/* The image once more from the layers: it must be the same, byte for byte. */
static int compare_index(struct check *c, const struct indexform *x, char **why, struct err **err)
{
	bool merged = x->kind == INDEXFORM_MERGED;
	struct indexform_stack k = {.kind = x->kind, .diff_ids = x->diff_ids, .n = x->n};
	struct indexform_file again;
	auto_layer_tree struct layer_tree *tree =
		snapshot_tree(c->s, x->diff_ids, merged ? x->n : x->n - 1, err);

	if (!tree || indexform_again(c->s, &k, tree, &again, err) < 0)
		return -1;
	if (again.size == x->image.size && sha256_equal(&again.digest, &x->image.digest))
		return 1;
	*why = mem_strdup("it is not what its layers give");
	return 0;
}

static int check_index(struct check *c, const char *name, struct err **err)
{
	auto_indexform struct indexform x = {0};
	auto_free char *why = NULL;
	auto_err struct err *failed = NULL;
	int r = indexform_read(c->s, name, &x, &failed);

	(void)err;
	c->report.indexes++;
	if (r == 0)
		why = mem_strdup("its record is damaged");
	if (r == 1) {
		r = indexform_check(c->s, name, &x, &failed);
		if (r == 0)
			why = mem_strdup("its content does not match its digest");
	}
	if (r == 1)
		r = compare_index(c, &x, &why, &failed);
	if (r == 1 || vanished(store_dir(c->s, STORE_INDEX), name))
		return 0;
	/* Its layer was dropped: stale, not wrong. */
	if (!failed || err_get_kind(failed) != ERR_NOT_FOUND)
		problem(c, "index %s: %s", name, failed ? err_text(failed) : why);
	if (c->o->repair)
		indexform_drop(c->s, name);
	return 0;
}

/* What is wrong with an open form file, NULL when nothing is. One that names an object that was
 * dropped is stale: it counts as missing wherever it is read, and prune removes it. */
static const char *form_fault(const char *name, int fd)
{
	struct digest d, value;
	auto_buf struct buf b = {0};

	if (strlen(name) < DIGEST_HEX || sha256_parse_hex(name, DIGEST_HEX - 1, &d) < 0)
		return "not the name of a form";
	if (fd < 0 || fs_read_fd(fd, DIGEST_STRING, "form", &b, NULL) < 0 ||
		b.len != DIGEST_STRING || b.data[b.len - 1] != '\n')
		return "damaged";
	b.data[b.len - 1] = '\0';
	return sha256_parse_string(b.data, &value) < 0 ? "damaged" : NULL;
}

static int check_form(struct check *c, const char *name, struct err **err)
{
	int dir = store_dir(c->s, STORE_FORMS);
	auto_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	c->report.records++;
	const char *why = form_fault(name, fd);
	if (!why)
		return 0;
	problem(c, "bld/forms/%s: %s", name, why);
	if (c->o->repair && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, "bld/forms");
	return 0;
}

/* A record of a layer that was dropped is stale: the step is done again. */
static int check_record(void *ctx, const struct digest *key, const char *value, size_t len,
	int64_t used, struct err **err)
{
	struct check *c = ctx;
	char hex[DIGEST_HEX];

	(void)len;
	(void)used;
	(void)err;
	c->report.records++;
	if (value)
		return 0;
	problem(c, "cache record %s: damaged", sha256_hex(key, hex));
	if (c->o->repair)
		cache_drop(c->s, key);
	return 0;
}

int verify_run(
	struct store *s, const struct verify_opts *o, struct verify_report *out, struct err **err)
{
	struct check c = {.s = s, .o = o};

	/* Blobs first: with repair, what follows sees the damaged ones as missing. */
	if (each(&c, store_blobs_fd(s), check_blob, err) < 0 || check_names(&c, err) < 0 ||
		each(&c, store_dir(s, STORE_FORMS), check_form, err) < 0 ||
		each(&c, store_dir(s, STORE_DIRS), check_dir, err) < 0 ||
		each(&c, store_dir(s, STORE_INDEX), check_index, err) < 0 ||
		cache_each(s, check_record, &c, err) < 0)
		return -1;
	if (out)
		*out = c.report;
	return 0;
}

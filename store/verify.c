// SPDX-License-Identifier: Apache-2.0
/*
 * "bld verify". Blobs first: with --repair damaged ones are removed, and what comes after sees them
 * as missing. Then what names reach, and last the derived forms, each made again and compared. What
 * was dropped or vanishes during the check is stale and not wrong; an error of the system ends the
 * check.
 */
#include "store/verify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/digestset.h"
#include "store/dirform.h"
#include "store/erofsform.h"
#include "store/layerstack.h"
#include "store/oci/oci.h"
#include "store/snapshot.h"
#include "store/tags.h"
#include "store/tar/times.h"
#include "store/tree/tree.h"
#include "store/tree/unpack.h"

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
static int verify_each(struct check *c, int dir_fd, verify_entry_fn *fn, struct err **err)
{
	DIR *dir = fs_opendir(dir_fd, ".");
	const struct dirent *e;
	int r = 0, more = 0;

	if (!dir)
		return err_sys(err, "store %s", store_root(c->s));
	while (r == 0 && (more = fs_readdir(dir, &e)) == 1)
		r = fn(c, e->d_name, err);
	if (more < 0)
		r = err_sys(err, "store %s", store_root(c->s));
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
	if (good < 0 && !err_is_verdict(why))
		return err_pass(err, &why);
	problem(c, "blob sha256:%s: its content does not match its digest", name);
	if (c->o->repair && blob_remove(c->s, &d) < 0)
		return err_sys(err, "blob sha256:%s", name);
	return 0;
}

/* --- what names reach ----------------------------------------------------------------------- */

/* A document, read and verified: 1 with *text (owned), 0 it is missing or wrong, which is a
 * problem, -1. */
static int read_document(struct check *c, const char *name, const struct digest *d, size_t max,
	char **text, size_t *n, struct err **err)
{
	auto_err struct err *why = NULL;

	*text = blob_read(c->s, d, max, n, &why);
	if (*text)
		return 1;
	if (!err_is_verdict(why))
		return err_pass(err, &why);
	problem(c, "image %s: %s", name, err_text(why));
	return 0;
}

static int check_layers(struct check *c, const char *name, const struct oci_manifest *m,
	const struct oci_config *config, struct err **err)
{
	char text[DIGEST_STRING];

	if (m->nlayers != config->ndiff_ids) {
		problem(c, "image %s: %zu layers, but %zu diff IDs", name, m->nlayers,
			config->ndiff_ids);
		return 0;
	}
	for (size_t i = 0; i < m->nlayers; i++) {
		uint64_t size;
		sha256_string(&m->layers[i].digest, text);
		int have = blob_exists(c->s, &m->layers[i].digest, &size, err);
		if (have < 0)
			return -1;
		if (!have)
			problem(c, "image %s: layer %s is missing", name, text);
		else if (size != m->layers[i].size)
			problem(c, "image %s: layer %s has %llu bytes, not %llu", name, text,
				(unsigned long long)size, (unsigned long long)m->layers[i].size);
	}
	return 0;
}

static int check_manifest(
	struct check *c, const char *name, const struct oci_manifest *m, struct err **err)
{
	size_t n;
	auto_oci_config struct oci_config config = {0};
	auto_err struct err *why = NULL;
	auto_free char *text = NULL;
	int r = read_document(c, name, &m->config.digest, OCI_CONFIG_MAX, &text, &n, err);

	if (r <= 0)
		return r;
	if (oci_config_parse(text, n, &config, &why) == 0)
		return check_layers(c, name, m, &config, err);
	problem(c, "image %s: %s", name, err_text(why));
	return 0;
}

/* Only the platforms that were pulled are here. */
static int add_platforms(
	struct check *c, const struct oci_index *x, struct digestset *docs, struct err **err)
{
	for (size_t i = 0; i < x->nmanifests; i++) {
		int have = blob_exists(c->s, &x->manifests[i].digest, NULL, err);
		if (have < 0)
			return -1;
		if (have)
			digestset_add_new(docs, &x->manifests[i].digest);
	}
	return 0;
}

/* One of the documents of an image; an index adds to them. */
static int check_document(struct check *c, const char *name, const struct digest *d,
	struct digestset *docs, struct err **err)
{
	size_t n;
	auto_oci_manifest struct oci_manifest m = {0};
	auto_oci_index struct oci_index x = {0};
	auto_err struct err *why = NULL;
	auto_free char *text = NULL;
	int r = read_document(c, name, d, OCI_MANIFEST_MAX, &text, &n, err);

	if (r <= 0)
		return r;
	int index = oci_is_index(text, n, NULL, &why);
	if (index == 0 && oci_manifest_parse(text, n, NULL, &m, &why) == 0)
		return check_manifest(c, name, &m, err);
	if (index == 1 && oci_index_parse(text, n, NULL, &x, &why) == 0)
		return add_platforms(c, &x, docs, err);
	problem(c, "image %s: %s", name, err_text(why));
	return 0;
}

/* Each document once: a hostile index may name another one thousands of times. */
static int check_image(
	struct check *c, const char *name, const struct digest *top, struct err **err)
{
	auto_digestset struct digestset docs = {0};

	digestset_add(&docs, top);
	for (size_t i = 0; i < docs.n; i++) {
		const struct digest d = docs.v[i];
		if (check_document(c, name, &d, &docs, err) < 0)
			return -1;
	}
	return 0;
}

static int verify_check_names(struct check *c, struct err **err)
{
	auto_tags struct tags t = {0};
	auto_err struct err *why = NULL;

	if (tags_list(c->s, &t, &why) < 0) {
		if (!err_is_verdict(why))
			return err_pass(err, &why);
		problem(c, "%s", err_text(why));
		return 0;
	}
	for (size_t i = 0; i < t.n; i++)
		if (check_image(c, t.v[i].name, &t.v[i].manifest.digest, err) < 0)
			return -1;
	return 0;
}

/* Did a build or somebody else's repair take it away while we looked? */
static bool vanished(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* --- derived forms -------------------------------------------------------------------------- */

/* Compare a directory with its tar; *why (owned) says what is wrong. */
static int verify_compare(struct check *c, const struct digest *chain, const struct dirform *f,
	char **why, struct err **err)
{
	struct layer_stack k = dirform_stack(f), lower = layerstack_first(&k, k.n - 1);
	auto_layer_times struct layer_times times = {.entries = 0};
	if (layerstack_get_times(c->s, layerstack_times(&k, k.n - 1), &times, err) < 0)
		return -1;
	auto_layer_tree struct layer_tree *below = snapshot_tree(c->s, &lower, err);
	auto_fd int tar = below ? snapshot_tar(c->s, &f->diff_ids[f->n - 1], NULL, err) : -1;
	auto_fd int dir = tar < 0 ? -1 : dirform_open(c->s, chain, err);

	if (tar < 0)
		return -1;
	if (dir < 0) {
		*why = mem_strdup("its directory \"upper\" is missing");
		return 0;
	}
	struct layer_unpack u = {
		.dest_fd = dir, .below = below, .userxattr = f->userxattr, .times = &times};
	return layer_compare_dir(tar, &u, why, err);
}

static int verify_check_dir(struct check *c, const char *name, struct err **err)
{
	struct digest chain;
	auto_dirform struct dirform f = {0};
	auto_free char *why = NULL;
	auto_err struct err *failed = NULL;

	if (sha256_parse_hex(name, strlen(name), &chain) < 0) {
		problem(c, "bld/dirs/%s: not the name of a layer directory", name);
		return 0;
	}
	c->report.dirs++;
	int r = dirform_read(c->s, &chain, &f, &failed);
	if (r == 1 && !f.usable)
		return 0; /* of another boot or privilege: it is made again before it is used */
	if (r == 1)
		r = verify_compare(c, &chain, &f, &why, &failed);
	if (r == 1 || vanished(store_dir(c->s, STORE_DIRS), name))
		return 0;
	if (failed && !err_is_verdict(failed)) {
		err_pass(err, &failed);
		return err_prefix(err, "layer directory %s", name);
	}
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
static int compare_index(struct check *c, const struct erofsform *x, char **why, struct err **err)
{
	bool merged = x->kind == EROFSFORM_MERGED;
	struct erofsform_stack k = erofsform_stack_of(x);
	struct layer_stack shown = layerstack_first(&k.k, merged ? x->n : x->n - 1);
	struct erofsform_file again;
	auto_layer_tree struct layer_tree *tree = snapshot_tree(c->s, &shown, err);

	if (!tree || erofsform_again(c->s, &k, tree, &again, err) < 0)
		return -1;
	if (again.size == x->image.size && sha256_equal(&again.digest, &x->image.digest))
		return 1;
	*why = mem_strdup("it is not what its layers give");
	return 0;
}

static int check_index(struct check *c, const char *name, struct err **err)
{
	auto_erofsform struct erofsform x = {0};
	auto_free char *why = NULL;
	auto_err struct err *failed = NULL;
	int r = erofsform_read(c->s, name, &x, &failed);

	c->report.indexes++;
	if (r == 0)
		why = mem_strdup("its record is damaged");
	if (r == 1) {
		r = erofsform_check(c->s, name, &x, &failed);
		if (r == 0)
			why = mem_strdup("its content does not match its digest");
	}
	if (r == 1)
		r = compare_index(c, &x, &why, &failed);
	if (r == 1 || vanished(store_dir(c->s, STORE_EROFS), name))
		return 0;
	if (failed && !err_is_verdict(failed)) {
		err_pass(err, &failed);
		return err_prefix(err, "EROFS image %s", name);
	}
	/* Its layer was dropped: stale, not wrong. */
	if (!failed || err_get_kind(failed) != ERR_NOT_FOUND)
		problem(c, "EROFS image %s: %s", name, failed ? err_text(failed) : why);
	if (c->o->repair)
		erofsform_drop(c->s, name);
	return 0;
}

/* What is wrong with an open form file (-1: a link), *why is NULL when nothing is. One that names
 * an object that was dropped is stale: it counts as missing wherever it is read, and prune removes
 * it.
 */
static int form_fault(const char *name, int fd, const char **why, struct err **err)
{
	struct digest d, value;
	auto_err struct err *failed = NULL;
	auto_buf struct buf b = {0};

	*why = "not the name of a form";
	if (strlen(name) < DIGEST_HEX || sha256_parse_hex(name, DIGEST_HEX - 1, &d) < 0)
		return 0;
	*why = "damaged";
	if (fd >= 0 && fs_read_fd(fd, DIGEST_STRING, name, &b, &failed) < 0)
		return err_is_verdict(failed) ? 0 : err_pass(err, &failed);
	if (b.len != DIGEST_STRING || b.data[b.len - 1] != '\n')
		return 0;
	b.data[b.len - 1] = '\0';
	if (sha256_parse_string(b.data, &value) == 0)
		*why = NULL;
	return 0;
}

static int check_form(struct check *c, const char *name, struct err **err)
{
	int dir = store_dir(c->s, STORE_FORMS);
	auto_fd int fd = fs_openat(dir, name, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno != ELOOP)
		return err_sys(err, "bld/forms/%s", name);
	const char *why;
	c->report.records++;
	if (form_fault(name, fd, &why, err) < 0)
		return -1;
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
	c->report.records++;
	if (value)
		return 0;
	problem(c, "cache record %s: damaged", sha256_hex(key, hex));
	if (c->o->repair && cache_drop(c->s, key) < 0)
		return err_sys(err, "cache record %s", hex);
	return 0;
}

int verify_run(
	struct store *s, const struct verify_opts *o, struct verify_report *out, struct err **err)
{
	struct check c = {.s = s, .o = o};

	/* Blobs first: with repair, what follows sees the damaged ones as missing. */
	if (verify_each(&c, store_blobs_fd(s), check_blob, err) < 0 ||
		verify_check_names(&c, err) < 0 ||
		verify_each(&c, store_dir(s, STORE_FORMS), check_form, err) < 0 ||
		verify_each(&c, store_dir(s, STORE_DIRS), verify_check_dir, err) < 0 ||
		verify_each(&c, store_dir(s, STORE_EROFS), check_index, err) < 0 ||
		cache_each(s, check_record, &c, err) < 0)
		return -1;
	if (out)
		*out = c.report;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Mark, then sweep in an order that leaves no dangling name when the process is killed in between:
 * records, then forms and directories, then the blobs they are made of.
 */
#include "store/gc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/digestset.h"
#include "store/dirform.h"
#include "store/indexform.h"
#include "store/layerlines.h"
#include "store/statindex.h"
#include "store/tags.h"

#define SIZE_DEPTH 64 /* directories deeper than this are not counted in the report */

struct gc {
	struct store *s;
	const struct gc_opts *o;
	struct gc_report report;
	struct digestset blobs;  /* live blobs; diff IDs are names of blobs too */
	struct digestset layers; /* live diff IDs */
	struct digestset stale;  /* cache records to drop */
	struct digestset docs;   /* manifests and indexes to look at, each once; unsorted */
	int64_t now;
};

/* --- mark ------------------------------------------------------------------------------------- */

static void mark_layer(struct gc *g, const struct digest *diff_id)
{
	digestset_add(&g->layers, diff_id);
	digestset_add(&g->blobs, diff_id);
}

static void mark_config(struct gc *g, const struct digest *d)
{
	size_t n;
	auto_oci_config struct oci_config c = {0};
	auto_free char *text = blob_read(g->s, d, OCI_CONFIG_MAX, &n, NULL);

	digestset_add(&g->blobs, d);
	if (!text || oci_config_parse(text, n, &c, NULL) < 0)
		return;
	for (size_t i = 0; i < c.ndiff_ids; i++)
		mark_layer(g, &c.diff_ids[i]);
}

/* A hostile index may name another one thousands of times, and that the next: each counts once. */
static void mark_later(struct gc *g, const struct digest *d)
{
	if (blob_exists(g->s, d, NULL))
		digestset_add_new(&g->docs, d);
}

/* What cannot be read keeps only itself: verify reports it. */
static void mark_document(struct gc *g, const struct digest *d)
{
	size_t n;
	auto_oci_manifest struct oci_manifest m = {0};
	auto_oci_index struct oci_index x = {0};
	auto_free char *text = blob_read(g->s, d, OCI_MANIFEST_MAX, &n, NULL);

	digestset_add(&g->blobs, d);
	if (!text)
		return;
	if (oci_manifest_parse(text, n, NULL, &m, NULL) == 0) {
		mark_config(g, &m.config.digest);
		for (size_t i = 0; i < m.nlayers; i++)
			digestset_add(&g->blobs, &m.layers[i].digest);
	} else if (oci_index_parse(text, n, NULL, &x, NULL) == 0) {
		for (size_t i = 0; i < x.nmanifests; i++)
			mark_later(g, &x.manifests[i].digest);
	}
}

static int mark_record(void *ctx, const struct digest *key, const char *value, size_t len,
	int64_t used, struct err **err)
{
	struct gc *g = ctx;
	struct digest d;
	bool old = g->o->keep_seconds >= 0 && used < g->now - g->o->keep_seconds;

	(void)len;
	(void)err;
	if (!value || g->o->all || old) {
		digestset_add(&g->stale, key);
		return 0;
	}
	while (layerlines_next(&value, &d))
		mark_layer(g, &d);
	return 0;
}

static int mark_names(struct gc *g, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	/* Entries of index.json without a name count too. */
	if (tags_index(g->s, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < x.nmanifests; i++)
		mark_later(g, &x.manifests[i].digest);
	for (size_t i = 0; i < g->docs.n; i++) {
		const struct digest d = g->docs.v[i];
		mark_document(g, &d);
	}
	return 0;
}

/* --- sweep ------------------------------------------------------------------------------------ */

static uint64_t tree_bytes(int dir_fd, const char *name, int depth)
{
	struct stat st;
	uint64_t total;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	total = (uint64_t)st.st_blocks * 512;
	int fd = !S_ISDIR(st.st_mode) || depth == SIZE_DEPTH
			 ? -1
			 : openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			total += tree_bytes(fd, e->d_name, depth + 1);
	if (dir)
		closedir(dir);
	return total;
}

/* A tree leaves its place in one step: a directory form that is half removed must never be found.
 */
static int remove_whole(struct gc *g, int dir_fd, const char *name)
{
	char trash[FS_TEMP_NAME];
	int to = store_dir(g->s, STORE_TRASH);

	if (dir_fd == to || unlinkat(dir_fd, name, 0) == 0)
		return fs_remove_tree(dir_fd, name);
	fs_temp_name(trash, sizeof trash, "gc");
	return renameat(dir_fd, name, to, trash) < 0 ? -1 : fs_remove_tree(to, trash);
}

/* Count it, and remove it unless this is a dry run. */
static int sweep_one(struct gc *g, int dir_fd, const char *name, struct err **err)
{
	g->report.bytes += tree_bytes(dir_fd, name, 0);
	g->report.objects++;
	if (g->o->dry_run || remove_whole(g, dir_fd, name) == 0)
		return 0;
	auto_free char *shown = fs_printable(name);
	return err_sys(err, "store %s: remove %s", store_root(g->s), shown);
}

typedef bool gc_live_fn(struct gc *g, const char *name);

/* Remove what is not live in a directory. One entry that cannot be removed does not stop the rest.
 */
static int sweep(struct gc *g, int dir_fd, gc_live_fn *live, struct err **err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return err_sys(err, "store %s", store_root(g->s));
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
			live(g, e->d_name))
			continue;
		if (sweep_one(g, dir_fd, e->d_name, r < 0 ? NULL : err) < 0)
			r = -1;
	}
	closedir(dir);
	return r;
}

static bool live_blob(struct gc *g, const char *name)
{
	struct digest d;

	/* A name that is not a digest is not ours to remove. */
	return sha256_parse_hex(name, strlen(name), &d) < 0 || digestset_has(&g->blobs, &d);
}

static bool live_record(struct gc *g, const char *name)
{
	struct digest d;

	return sha256_parse_hex(name, strlen(name), &d) == 0 && !digestset_has(&g->stale, &d);
}

static bool live_dir(struct gc *g, const char *name)
{
	struct digest chain;
	auto_dirform struct dirform f = {0};

	if (sha256_parse_hex(name, strlen(name), &chain) < 0 ||
		dirform_read(g->s, &chain, &f, NULL) != 1 || !f.usable)
		return false;
	for (size_t i = 0; i < f.n; i++)
		if (!digestset_has(&g->layers, &f.diff_ids[i]))
			return false;
	return true;
}

static bool live_index(struct gc *g, const char *name)
{
	auto_indexform struct indexform x = {0};

	if (indexform_read(g->s, name, &x, NULL) != 1)
		return false;
	for (size_t i = 0; i < x.n; i++)
		if (!digestset_has(&g->layers, &x.diff_ids[i]))
			return false;
	return true;
}

/* The digest in a form file, and whether the layer it belongs to is live. */
static bool form_of_live(struct gc *g, const char *name, struct digest *value)
{
	struct digest d;
	auto_buf struct buf b = {0};

	if (strlen(name) < DIGEST_HEX || name[DIGEST_HEX - 1] != '.' ||
		sha256_parse_hex(name, DIGEST_HEX - 1, &d) < 0 || !digestset_has(&g->layers, &d))
		return false;
	auto_fd int fd =
		openat(store_dir(g->s, STORE_FORMS), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fs_read_fd(fd, DIGEST_STRING, "form", &b, NULL) < 0 || b.len != DIGEST_STRING)
		return false;
	b.data[b.len - 1] = '\0';
	return sha256_parse_string(b.data, value) == 0;
}

/* ".gzip" and ".zstd": the value is a blob of its own; else a diff ID that must be live by itself.
 */
static bool is_compressed(const char *name)
{
	return strncmp(name + DIGEST_HEX - 1, ".gzip", 5) == 0 ||
	       strncmp(name + DIGEST_HEX - 1, ".zstd", 5) == 0;
}

static bool live_form(struct gc *g, const char *name)
{
	struct digest value;

	return form_of_live(g, name, &value) &&
	       (is_compressed(name) || digestset_has(&g->layers, &value));
}

/* Compressed blobs of live layers are live. */
static int mark_forms(struct gc *g, struct err **err)
{
	int fd = openat(store_dir(g->s, STORE_FORMS), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct digest value;

	if (!dir)
		return err_sys(err, "store %s", store_root(g->s));
	while ((e = readdir(dir)))
		if (form_of_live(g, e->d_name, &value) && is_compressed(e->d_name))
			digestset_add(&g->blobs, &value);
	closedir(dir);
	return 0;
}

static bool live_never(struct gc *g, const char *name)
{
	(void)g;
	(void)name;
	return false;
}

/* The directories of dead processes were moved to the trash when the store was opened; a process
 * that could make none for itself and was killed left its files in tmp itself. */
static bool live_tmp(struct gc *g, const char *name)
{
	(void)g;
	return strncmp(name, STORE_PROCESS ".", sizeof STORE_PROCESS) == 0;
}

static bool live_statindex(struct gc *g, const char *name)
{
	struct stat st;
	int64_t keep = g->o->keep_seconds;
	auto_free char *path = mem_printf(STATINDEX_DIR "/%s", name);

	return !g->o->all &&
	       (keep < 0 || fstatat(store_bld_fd(g->s), path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		       st.st_mtime >= g->now - keep);
}

/* Stat indexes of contexts; the directory is made with the first one. */
static int sweep_statindexes(struct gc *g, struct err **err)
{
	auto_fd int fd = openat(
		store_bld_fd(g->s), STATINDEX_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? 0 : sweep(g, fd, live_statindex, err);
}

/* A build that runs holds a lock on the directory of its log. */
static bool live_log(struct gc *g, const char *name)
{
	struct stat st;
	int64_t keep = g->o->keep_seconds;
	auto_free char *path = mem_printf("logs/%s", name);
	auto_fd int fd =
		openat(store_bld_fd(g->s), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return true;
	return keep >= 0 && fd >= 0 && fstat(fd, &st) == 0 && st.st_mtime >= g->now - keep;
}

/* Output of builds (builder/buildlog.h); the directory is made with the first one. */
static int sweep_logs(struct gc *g, struct err **err)
{
	auto_fd int fd =
		openat(store_bld_fd(g->s), "logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? 0 : sweep(g, fd, live_log, err);
}

static int sweep_all(struct gc *g, struct err **err)
{
	if (sweep(g, store_dir(g->s, STORE_CACHE), live_record, err) < 0 ||
		sweep_statindexes(g, err) < 0 || sweep_logs(g, err) < 0 ||
		sweep(g, store_dir(g->s, STORE_FORMS), live_form, err) < 0 ||
		sweep(g, store_dir(g->s, STORE_DIRS), live_dir, err) < 0 ||
		sweep(g, store_dir(g->s, STORE_INDEX), live_index, err) < 0 ||
		sweep(g, store_blobs_fd(g->s), live_blob, err) < 0)
		return -1;
	if (g->o->all && sweep(g, store_dir(g->s, STORE_MOUNTS), live_never, err) < 0)
		return -1;
	if (sweep(g, store_dir(g->s, STORE_TMP), live_tmp, err) < 0)
		return -1;
	return sweep(g, store_dir(g->s, STORE_TRASH), live_never, err);
}

static int run(struct gc *g, struct err **err)
{
	if (mark_names(g, err) < 0 || cache_each(g->s, mark_record, g, err) < 0)
		return -1;
	digestset_sort(&g->layers);
	digestset_sort(&g->stale);
	if (mark_forms(g, err) < 0)
		return -1;
	digestset_sort(&g->blobs);
	return sweep_all(g, err);
}

int gc_run(struct store *s, const struct gc_opts *o, struct gc_report *out, struct err **err)
{
	struct gc g = {.s = s, .o = o, .now = now_seconds()};

	/* A store that the caller has for itself already stays so. */
	if (!o->dry_run && store_exclusive(s, false, err) < 0)
		return -1;
	int r = run(&g, err);
	digestset_clear(&g.blobs);
	digestset_clear(&g.layers);
	digestset_clear(&g.stale);
	digestset_clear(&g.docs);
	if (r == 0 && out)
		*out = g.report;
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Mark, judge, then sweep in an order that leaves no dangling name when the process is killed in
 * between: records, then forms and directories, then the blobs they are made of.
 *
 * Dead is what is found missing or wrong, and what nothing live needs. What could not be looked at
 * (EIO, EMFILE, ENOMEM ...) is an error, and ends the run before anything is removed: so all of the
 * store is judged before the first name goes.
 */
#include "store/gc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/base/strlist.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/digestset.h"
#include "store/dirform.h"
#include "store/erofsform.h"
#include "store/layerlines.h"
#include "store/layerstack.h"
#include "store/oci/oci.h"
#include "store/statcache.h"
#include "store/tags.h"

#define SIZE_DEPTH  64 /* directories deeper than this are not counted in the report */
#define GC_DIRS_MAX 16
#define LOG_END_MAX ((size_t)1 << 20)

/* What is to go from one directory. */
struct gc_doomed {
	int dir_fd;
	bool own; /* dir_fd is closed at the end */
	struct strlist names;
};

struct gc {
	struct store *s;
	const struct gc_opts *o;
	struct gc_report report;
	struct digestset blobs;  /* live blobs; diff IDs are names of blobs too */
	struct digestset layers; /* live diff IDs */
	struct digestset times;  /* live blobs of times (layerstack.h) */
	struct digestset stale;  /* cache records to drop */
	struct digestset docs;   /* manifests and indexes to look at, each once; unsorted */
	struct gc_doomed doomed[GC_DIRS_MAX]; /* in the order of removal */
	size_t ndoomed;
	int64_t now;
};

/* --- mark ------------------------------------------------------------------------------------- */

static void mark_layer(struct gc *g, const struct digest *diff_id)
{
	digestset_add(&g->layers, diff_id);
	digestset_add(&g->blobs, diff_id);
}

/* A document: 1 with *text (owned), 0 it is missing or wrong and keeps only itself (verify reports
 * it), -1. */
static int read_live(
	struct gc *g, const struct digest *d, size_t max, char **text, size_t *n, struct err **err)
{
	auto_err struct err *why = NULL;

	digestset_add(&g->blobs, d);
	*text = blob_read(g->s, d, max, n, &why);
	if (*text)
		return 1;
	return err_is_verdict(why) ? 0 : err_pass(err, &why);
}

static int mark_config(struct gc *g, const struct digest *d, struct err **err)
{
	size_t n;
	auto_oci_config struct oci_config c = {0};
	auto_free char *text = NULL;
	int r = read_live(g, d, OCI_CONFIG_MAX, &text, &n, err);

	if (r <= 0 || oci_config_parse(text, n, &c, NULL) < 0)
		return r < 0 ? -1 : 0;
	for (size_t i = 0; i < c.ndiff_ids; i++)
		mark_layer(g, &c.diff_ids[i]);
	return 0;
}

/* A hostile index may name another one thousands of times, and that the next: each counts once. */
static int mark_later(struct gc *g, const struct digest *d, struct err **err)
{
	int have = blob_exists(g->s, d, NULL, err);

	if (have == 1)
		digestset_add_new(&g->docs, d);
	return have < 0 ? -1 : 0;
}

static int mark_manifest(struct gc *g, const struct oci_manifest *m, struct err **err)
{
	for (size_t i = 0; i < m->nlayers; i++)
		digestset_add(&g->blobs, &m->layers[i].digest);
	return mark_config(g, &m->config.digest, err);
}

static int mark_index(struct gc *g, const struct oci_index *x, struct err **err)
{
	for (size_t i = 0; i < x->nmanifests; i++)
		if (mark_later(g, &x->manifests[i].digest, err) < 0)
			return -1;
	return 0;
}

static int mark_document(struct gc *g, const struct digest *d, struct err **err)
{
	size_t n;
	auto_oci_manifest struct oci_manifest m = {0};
	auto_oci_index struct oci_index x = {0};
	auto_free char *text = NULL;
	int r = read_live(g, d, OCI_MANIFEST_MAX, &text, &n, err);

	if (r <= 0)
		return r;
	if (oci_manifest_parse(text, n, NULL, &m, NULL) == 0)
		return mark_manifest(g, &m, err);
	return oci_index_parse(text, n, NULL, &x, NULL) == 0 ? mark_index(g, &x, err) : 0;
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
	for (const char *p = value; layerlines_next(&p, &d);)
		mark_layer(g, &d);
	for (const char *p = value; layerlines_next_times(&p, &d);) {
		digestset_add(&g->blobs, &d);
		digestset_add(&g->times, &d);
	}
	return 0;
}

static int mark_names(struct gc *g, struct err **err)
{
	auto_oci_index struct oci_index x = {0};

	/* Entries of index.json without a name count too. */
	if (tags_index(g->s, &x, err) < 0)
		return -1;
	if (mark_index(g, &x, err) < 0)
		return -1;
	for (size_t i = 0; i < g->docs.n; i++) {
		const struct digest d = g->docs.v[i];
		if (mark_document(g, &d, err) < 0)
			return -1;
	}
	return 0;
}

/* --- sweep ------------------------------------------------------------------------------------ */

static int tree_bytes(int dir_fd, const char *name, int depth, struct gc_report *total);

static int dir_bytes(int dir_fd, const char *name, int depth, struct gc_report *total)
{
	DIR *dir = fs_opendir(dir_fd, name);
	const struct dirent *e;
	int r = 0, more = 0;

	if (!dir)
		return -1;
	while (r == 0 && (more = fs_readdir(dir, &e)) == 1)
		r = tree_bytes(dirfd(dir), e->d_name, depth + 1, total);
	int saved = errno;
	closedir(dir);
	errno = saved;
	return r < 0 || more < 0 ? -1 : 0;
}

/* Adds what the tree has on the disk: 0 / -1 errno. */
static int tree_bytes(int dir_fd, const char *name, int depth, struct gc_report *total)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	total->bytes += (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth == SIZE_DEPTH)
		return 0;
	int r = dir_bytes(dir_fd, name, depth, total);
	if (r < 0 && errno == ENOENT)
		return 0;
	if (r == 0 || errno != EACCES)
		return r;
	/* What is not readable for us is removed all the same; only its size is not known. */
	total->at_least = true;
	return 0;
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
	return fs_renameat(dir_fd, name, to, trash) < 0 ? -1 : fs_remove_tree(to, trash);
}

/* Count it, and remove it unless this is a dry run. */
static int gc_sweep_one(struct gc *g, int dir_fd, const char *name, struct err **err)
{
	g->report.objects++;
	if (tree_bytes(dir_fd, name, 0, &g->report) == 0 &&
		(g->o->dry_run || remove_whole(g, dir_fd, name) == 0))
		return 0;
	auto_free char *shown = fs_printable(name);
	return err_sys(err, "store %s: remove %s", store_root(g->s), shown);
}

/* One entry that cannot be removed does not stop the rest of its directory. */
static int gc_sweep(struct gc *g, const struct gc_doomed *x, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < x->names.n; i++)
		if (gc_sweep_one(g, x->dir_fd, x->names.v[i], r < 0 ? NULL : err) < 0)
			r = -1;
	return r;
}

static int sweep_all(struct gc *g, struct err **err)
{
	for (size_t i = 0; i < g->ndoomed; i++)
		if (gc_sweep(g, &g->doomed[i], err) < 0)
			return -1;
	return 0;
}

/* --- judge ------------------------------------------------------------------------------------ */

/* Is this entry needed? 1, 0, or -1: that cannot be said. */
typedef int gc_live_fn(struct gc *g, const char *name, struct err **err);

/* Note what is not live in a directory. */
static int gc_classify(struct gc *g, int dir_fd, gc_live_fn *live, struct err **err)
{
	struct gc_doomed *x = &g->doomed[g->ndoomed];
	DIR *dir = fs_opendir(dir_fd, ".");
	const struct dirent *e;
	int r = 0, more = 0;

	if (!dir)
		return err_sys(err, "store %s", store_root(g->s));
	while (r >= 0 && (more = fs_readdir(dir, &e)) == 1) {
		r = live(g, e->d_name, err);
		if (r == 0)
			strlist_add(&x->names, e->d_name);
	}
	if (more < 0)
		r = err_sys(err, "store %s", store_root(g->s));
	closedir(dir);
	x->dir_fd = dir_fd;
	g->ndoomed++;
	return r < 0 ? -1 : 0;
}

static int live_blob(struct gc *g, const char *name, struct err **err)
{
	struct digest d;

	(void)err;
	/* A name that is not a digest is not ours to remove. */
	return sha256_parse_hex(name, strlen(name), &d) < 0 || digestset_has(&g->blobs, &d);
}

static int live_record(struct gc *g, const char *name, struct err **err)
{
	struct digest d;

	(void)err;
	return sha256_parse_hex(name, strlen(name), &d) == 0 && !digestset_has(&g->stale, &d);
}

static bool all_live(const struct gc *g, const struct layer_stack *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct digest *times = layerstack_times(k, i);
		if (!digestset_has(&g->layers, &k->diff_ids[i]) ||
			(!sha256_is_zero(times) && !digestset_has(&g->times, times)))
			return false;
	}
	return true;
}

static int live_dir(struct gc *g, const char *name, struct err **err)
{
	struct digest chain;
	auto_dirform struct dirform f = {0};

	if (sha256_parse_hex(name, strlen(name), &chain) < 0)
		return 0;
	int r = dirform_read(g->s, &chain, &f, err);
	struct layer_stack k = dirform_stack(&f);
	return r <= 0 ? r : f.usable && all_live(g, &k);
}

static int live_index(struct gc *g, const char *name, struct err **err)
{
	auto_erofsform struct erofsform x = {0};
	int r = erofsform_read(g->s, name, &x, err);

	struct layer_stack k = erofsform_stack_of(&x).k;
	return r <= 0 ? r : all_live(g, &k);
}

/* The digest in a form file, and whether the layer it belongs to is live: 1, 0, -1. */
static int form_of_live(struct gc *g, const char *name, struct digest *value, struct err **err)
{
	struct digest d;
	auto_err struct err *why = NULL;
	auto_buf struct buf b = {0};

	if (strlen(name) < DIGEST_HEX || name[DIGEST_HEX - 1] != '.' ||
		sha256_parse_hex(name, DIGEST_HEX - 1, &d) < 0 || !digestset_has(&g->layers, &d))
		return 0;
	auto_fd int fd = fs_openat(store_dir(g->s, STORE_FORMS), name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : err_sys(err, "bld/forms/%s", name);
	if (fs_read_fd(fd, DIGEST_STRING, name, &b, &why) < 0)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	if (b.len != DIGEST_STRING)
		return 0;
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

/* Compressed blobs of live layers are live. */
static int live_form(struct gc *g, const char *name, struct err **err)
{
	struct digest value;
	int r = form_of_live(g, name, &value, err);

	if (r == 1 && is_compressed(name)) {
		digestset_add(&g->blobs, &value);
		return 1;
	}
	return r == 1 ? digestset_has(&g->layers, &value) : r;
}

static int live_never(struct gc *g, const char *name, struct err **err)
{
	(void)g;
	(void)name;
	(void)err;
	return 0;
}

/* The directories of dead processes were moved to the trash when the store was opened; a process
 * that could make none for itself and was killed left its files in tmp itself. */
static int live_tmp(struct gc *g, const char *name, struct err **err)
{
	(void)g;
	(void)err;
	return strncmp(name, STORE_PROCESS ".", sizeof STORE_PROCESS) == 0;
}

static int is_recent(const struct gc *g, const struct stat *st)
{
	return st->st_mtime >= g->now - g->o->keep_seconds;
}

static int live_statcache(struct gc *g, const char *name, struct err **err)
{
	struct stat st;
	auto_free char *path = mem_printf(STATCACHE_DIR "/%s", name);

	if (g->o->all || g->o->keep_seconds < 0)
		return !g->o->all;
	if (fstatat(store_bld_fd(g->s), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "store %s: bld/%s", store_root(g->s), path);
	return is_recent(g, &st);
}

/* Did the build of this log fail? Then somebody may still want to read why: 1, 0, -1. */
static int is_of_failure(struct gc *g, int dir_fd, struct err **err)
{
	auto_err struct err *why = NULL;
	auto_buf struct buf b = {0};
	auto_fd int fd = fs_openat(dir_fd, "end", O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP
			       ? 0
			       : err_sys(err, "store %s: bld/logs", store_root(g->s));
	if (fs_read_fd(fd, LOG_END_MAX, "bld/logs", &b, &why) < 0)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	auto_json json_t *o = jsonx_load(b.data, b.len, LOG_END_MAX, "end", NULL);
	return json_is_true(json_object_get(o, "failed"));
}

/* A build that runs holds a lock on the directory of its log. */
static int live_log(struct gc *g, const char *name, struct err **err)
{
	struct stat st;
	auto_free char *path = mem_printf("logs/%s", name);
	auto_fd int fd =
		openat(store_bld_fd(g->s), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return err_sys(err, "store %s: bld/%s", store_root(g->s), path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? 1
			       : err_sys(err, "store %s: bld/%s", store_root(g->s), path);
	if (g->o->keep_seconds < 0)
		return g->o->all ? 0 : is_of_failure(g, fd, err);
	return fstat(fd, &st) < 0 ? err_sys(err, "store %s: bld/%s", store_root(g->s), path)
				  : is_recent(g, &st);
}

/* A directory that is made with the first thing in it: logs of builds (builder/log/buildlog.h),
 * stat indexes of contexts. */
static int gc_classify_below(struct gc *g, const char *name, gc_live_fn *live, struct err **err)
{
	auto_fd int fd =
		openat(store_bld_fd(g->s), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, "store %s: bld/%s", store_root(g->s), name);
	if (gc_classify(g, fd, live, err) < 0)
		return -1;
	g->doomed[g->ndoomed - 1].dir_fd = TAKE_FD(fd);
	g->doomed[g->ndoomed - 1].own = true;
	return 0;
}

/* In the order in which it goes. Forms are judged before the blobs that they keep. */
static int gc_classify_all(struct gc *g, struct err **err)
{
	if (gc_classify(g, store_dir(g->s, STORE_CACHE), live_record, err) < 0 ||
		gc_classify_below(g, STATCACHE_DIR, live_statcache, err) < 0 ||
		gc_classify_below(g, "logs", live_log, err) < 0 ||
		gc_classify(g, store_dir(g->s, STORE_FORMS), live_form, err) < 0 ||
		gc_classify(g, store_dir(g->s, STORE_DIRS), live_dir, err) < 0 ||
		gc_classify(g, store_dir(g->s, STORE_EROFS), live_index, err) < 0)
		return -1;
	digestset_sort(&g->blobs);
	if (gc_classify(g, store_blobs_fd(g->s), live_blob, err) < 0)
		return -1;
	if (g->o->all && gc_classify(g, store_dir(g->s, STORE_MOUNTS), live_never, err) < 0)
		return -1;
	if (gc_classify(g, store_dir(g->s, STORE_TMP), live_tmp, err) < 0)
		return -1;
	return gc_classify(g, store_dir(g->s, STORE_TRASH), live_never, err);
}

static int gc_collect(struct gc *g, struct err **err)
{
	if (mark_names(g, err) < 0 || cache_each(g->s, mark_record, g, err) < 0)
		return -1;
	digestset_sort(&g->layers);
	digestset_sort(&g->times);
	digestset_sort(&g->stale);
	return gc_classify_all(g, err) < 0 ? -1 : sweep_all(g, err);
}

static void gc_clear(struct gc *g)
{
	digestset_clear(&g->blobs);
	digestset_clear(&g->layers);
	digestset_clear(&g->times);
	digestset_clear(&g->stale);
	digestset_clear(&g->docs);
	for (size_t i = 0; i < g->ndoomed; i++) {
		strlist_clear(&g->doomed[i].names);
		if (g->doomed[i].own)
			close(g->doomed[i].dir_fd);
	}
}

int gc_run(struct store *s, const struct gc_opts *o, struct gc_report *out, struct err **err)
{
	struct gc g = {.s = s, .o = o, .now = now_seconds()};

	/* A store that the caller has for itself already stays so. */
	if (!o->dry_run && store_exclusive(s, false, err) < 0)
		return -1;
	int r = gc_collect(&g, err);
	gc_clear(&g);
	if (r == 0 && out)
		*out = g.report;
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * From a name to an image in the store: manifest (through indexes), configuration, layers, and then
 * the documents in the order that keeps the rule that a manifest in the store has all its parts. A
 * compressed layer is inflated behind its download by a second thread; both the packed and the
 * plain blob are checked before either is published.
 */
#include "store/transport/pull.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/hashpipe.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/blob.h"
#include "store/oci/layertype.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/store.h"
#include "store/tar/walk.h"
#include "store/tempfile.h"
#include "store/transport/growing.h"
#include "store/transport/http.h"
#include "store/transport/origins.h"
#include "store/transport/parallel.h"
#include "store/compress/inflate.h"
#include "store/tar/entry.h"

#define PULL_BATCH                                                                                 \
	((size_t)256 << 10) /* libcurl hands out 16 KiB; a write costs more than that              \
			     */

/* --- manifest ----------------------------------------------------------------------------- */

static int no_platform(struct transport *t, const struct oci_index *x,
	const struct oci_platform *want, struct err **err)
{
	auto_buf struct buf have;
	auto_free char *w = oci_platform_text(want);

	buf_init(&have, 4096);
	for (size_t i = 0; i < x->nmanifests; i++) {
		auto_free char *p = NULL;
		if (!x->manifests[i].has_platform)
			continue;
		p = oci_platform_text(&x->manifests[i].platform);
		buf_adds(&have, have.len ? ", " : "");
		buf_add_escaped(&have, p, strlen(p), false);
	}
	return err_set(err, t->remote ? ERR_NET : ERR_NOT_FOUND, "%s: no image for platform %s%s%s",
		t->label, w, have.len ? "; there is one for " : "", have.data);
}

/* The indexes on the way to a manifest: kept, so that their digests name the image in the store,
 * too. */
struct index_path {
	struct buf v[PULL_INDEX_DEPTH];
	size_t n;
};

static void clear_path(struct index_path *p)
{
	while (p->n)
		buf_clear(&p->v[--p->n]);
}
#define auto_index_path CLEANUP(clear_path)

/* From the name to the bytes of one image's manifest; *out names them. */
static int find_manifest(struct transport *t, const struct digest *at,
	const struct oci_platform *want, struct buf *body, struct index_path *path,
	struct oci_descriptor *out, struct err **err)
{
	struct digest next;
	uint64_t size = 0;

	for (int depth = 0;; depth++) {
		auto_free char *type = NULL;
		auto_oci_index struct oci_index x = {0};
		const struct oci_descriptor *d;
		int index;

		buf_reset(body);
		if (t->ops->manifest(t, depth ? &next : at, body, &type, err) < 0)
			return -1;
		if (depth && body->len != size)
			return err_set(err, ERR_CORRUPT,
				"%s: a manifest has %zu bytes, its index says %llu", t->label,
				body->len, (unsigned long long)size);
		index = oci_is_index(body->data, body->len, type, err);
		if (index < 0)
			return err_prefix(err, "%s", t->label);
		sha256_of(body->data, body->len, &out->digest);
		out->size = body->len;
		if (!index) {
			out->media_type = TAKE(type);
			return 0;
		}
		if (depth == PULL_INDEX_DEPTH)
			return err_set(err, ERR_CORRUPT, "%s: indexes nested deeper than %d",
				t->label, PULL_INDEX_DEPTH);
		if (oci_index_parse(body->data, body->len, type, &x, err) < 0)
			return err_prefix(err, "%s", t->label);
		d = oci_index_choose(&x, want);
		if (!d)
			return no_platform(t, &x, want, err);
		next = d->digest;
		size = d->size;
		path->v[path->n++] = *body;
		buf_init(body, OCI_MANIFEST_MAX);
	}
}

/* --- configuration -------------------------------------------------------------------------- */

static int pull_to_buf(void *ctx, const void *p, size_t n, struct err **err)
{
	return buf_add(ctx, p, n) < 0 ? err_set(err, ERR_LIMIT, "larger than 4 MiB") : 0;
}

/* Bytes of the configuration: from the store when it is there. */
static int get_config(struct store *s, struct transport *t, const struct oci_descriptor *d,
	struct buf *out, struct err **err)
{
	struct http_sink sink;
	struct digest got;
	int rc;

	if (d->size > OCI_CONFIG_MAX)
		return err_set(err, ERR_LIMIT,
			"%s: a configuration of %llu bytes, the limit is %zu", t->label,
			(unsigned long long)d->size, OCI_CONFIG_MAX);
	auto_err struct err *why = NULL;
	size_t n;
	auto_free char *text = blob_read(s, &d->digest, OCI_CONFIG_MAX, &n, &why);
	if (text && n == d->size)
		return buf_add(out, text, n);
	if (why && !err_is_verdict(why))
		return err_pass(err, &why);
	http_sink_init(&sink, (struct io_writer){pull_to_buf, out}, d->size, ERR_CORRUPT);
	rc = t->ops->blob(t, 0, d, &sink, err);
	http_sink_clear(&sink);
	if (rc < 0)
		return err_prefix(err, "configuration");
	sha256_of(out->data, out->len, &got);
	if (!sha256_equal(&got, &d->digest))
		return err_set(err, ERR_CORRUPT,
			"%s: the configuration does not have the digest it should have", t->label);
	return 0;
}

#define DIFF_ID "the content of a layer (its diff ID)"

/* --- one layer -------------------------------------------------------------------------------- */

/*
 * A download of a compressed layer: this thread receives, hashes and writes the compressed blob;
 * another one reads what is written, which is in the page cache, and inflates it into the blocks of
 * the plain blob, whose own thread hashes them. The file is the pipe between the two: it has to be
 * written anyway, and neither side waits for the other's short delays.
 */
struct layer_pull {
	struct store *s;
	struct progress *p;
	struct growing growing;
	struct tempfile packed;
	struct blob_writer *plain;
	enum layer_compression form;
	/* the receiving thread's */
	unsigned char *batch; /* owned, PULL_BATCH bytes */
	size_t fill;
	uint64_t written;
	/* the inflating thread's */
	uint64_t at;
	int rc;
	struct err *err; /* owned */
};

static int inflate_into(struct blob_writer *plain, struct io_reader in, enum layer_compression form,
	struct err **err)
{
	auto_layer_inflate struct layer_inflate *z = layer_inflate_new(in, form, LAYER_SIZE_MAX);
	struct io_reader from = layer_inflate_reader(z);
	struct hashpipe *to = blob_pipe(plain);

	for (;;) {
		size_t room;
		void *p = hashpipe_room(to, &room);
		ssize_t n = io_read(&from, p, room, err);

		if (n <= 0)
			return (int)n;
		if (hashpipe_filled(to, (size_t)n, err) < 0)
			return -1;
	}
}

/* The compressed bytes as they come. */
static ssize_t read_packed(void *ctx, void *p, size_t n, struct err **err)
{
	struct layer_pull *l = ctx;
	uint64_t have;
	ssize_t got;

	if (progress_check(l->p, err) < 0)
		return -1;
	if (growing_wait(&l->growing, l->at + 1, &have) && !l->growing.good)
		return err_set(err, ERR_NET, "the content did not arrive");
	if (n > have - l->at)
		n = (size_t)(have - l->at);
	got = fs_pread_all(l->packed.fd, p, n, l->at) < 0 ? -1 : (ssize_t)n;
	if (got < 0)
		return err_sys(err, "store %s: read", store_root(l->s));
	l->at += n;
	return got;
}

static void *inflate_thread(void *arg)
{
	struct layer_pull *l = arg;

	l->rc = inflate_into(
		l->plain, (struct io_reader){.read = read_packed, .ctx = l}, l->form, &l->err);
	/* Bytes that do not inflate are received to their end: most likely their digest is wrong,
	 * which says more. */
	if (l->rc < 0 && err_get_kind(l->err) != ERR_CORRUPT)
		growing_abandon(&l->growing);
	return NULL;
}

static int put_packed(struct layer_pull *l, const void *p, size_t n, struct err **err)
{
	if (fs_write_all(l->packed.fd, p, n) < 0)
		return err_sys(err, "store %s: write", store_root(l->s));
	l->written += n;
	if (!growing_moved(&l->growing, l->packed.fd, l->written))
		return err_set(err, ERR_SYS, "the receiving side is closed");
	return 0;
}

static int flush_packed(struct layer_pull *l, struct err **err)
{
	size_t n = l->fill;

	l->fill = 0;
	return n ? put_packed(l, l->batch, n, err) : 0;
}

static int on_packed(void *ctx, const void *p, size_t n, struct err **err)
{
	struct layer_pull *l = ctx;
	const unsigned char *from = p;

	while (n) {
		size_t room = PULL_BATCH - l->fill;

		room = room < n ? room : n;
		memcpy(l->batch + l->fill, from, room);
		l->fill += room;
		from += room;
		n -= room;
		if (l->fill == PULL_BATCH && flush_packed(l, err) < 0)
			return -1;
	}
	return 0;
}

/* *got: the digest of what came. */
static int pull_receive(struct layer_pull *l, struct transport *t, unsigned worker,
	const struct oci_descriptor *d, struct progress_blob *pb, struct digest *got,
	struct err **err)
{
	struct http_sink sink;
	pthread_t thread;
	int rc;

	if (thread_start(&thread, inflate_thread, l) != 0)
		return err_set(err, ERR_SYS, "no thread for decompression");
	http_sink_init(&sink, (struct io_writer){on_packed, l}, d->size, ERR_CORRUPT);
	sink.progress = progress_blob_moved;
	sink.ctx = pb;
	rc = t->ops->blob(t, worker, d, &sink, err);
	http_sink_digest(&sink, got);
	http_sink_clear(&sink);
	if (rc == 0)
		rc = flush_packed(l, err);
	growing_end(&l->growing, rc == 0 ? got : NULL, l->written);
	pthread_join(thread, NULL);
	return rc;
}

static int pull_wrong(
	const char *label, const char *what, const struct digest *want, struct err **err)
{
	char hex[DIGEST_STRING];

	return err_set(err, ERR_CORRUPT, "%s: %s %s does not have that digest", label, what,
		sha256_string(want, hex));
}

/* The content of a layer about to be published. */
struct layer_content {
	const char *label;
	const char *what;            /* whose digest is wrong, for a message */
	const struct digest *digest; /* of the blob as the manifest has it */
	bool refused;
};

/* What cannot be unpacked is refused here, not by the first RUN that stands on it. */
static int pull_check_tar(void *ctx, int fd, uint64_t size, struct err **err)
{
	struct layer_content *c = ctx;
	char text[DIGEST_STRING];

	if (layer_walk_check(fd, size, err) == 0)
		return 0;
	c->refused = true;
	err_prefix(
		err, "%s: layer %s cannot be unpacked", c->label, sha256_string(c->digest, text));
	return err_hint(err, "whoever pulls it gets the same bytes: the image has to be built and "
			     "pushed again");
}

static int pull_commit(
	struct blob_writer *w, const struct digest *want, struct layer_content *c, struct err **err)
{
	auto_err struct err *e = NULL;

	blob_check(w, pull_check_tar, c);
	if (blob_commit(w, want, NULL, NULL, &e) == 0)
		return 0;
	if (!c->refused && err_get_kind(e) == ERR_CORRUPT)
		return pull_wrong(c->label, c->what, want, err);
	return err_pass(err, &e);
}

/* Both blobs are written: publish them, the plain one first, since only it can still be wrong. */
static int pull_publish(struct layer_pull *l, struct transport *t, const struct oci_descriptor *d,
	const struct digest *got, const struct digest *diff_id, struct err **err)
{
	struct layer_content c = {.label = t->label, .what = DIFF_ID, .digest = &d->digest};

	if (!sha256_equal(got, &d->digest))
		return pull_wrong(t->label, "layer", &d->digest, err);
	if (l->rc < 0) {
		/* The right bytes, but they are no good layer. */
		if (err)
			*err = TAKE(l->err);
		return err_prefix(err, "%s: layer", t->label);
	}
	if (pull_commit(l->plain, diff_id, &c, err) < 0)
		return -1;
	if (blob_put_file(l->s, &l->packed, &d->digest, d->size, err) < 0)
		return -1;
	return packed_remember(l->s, diff_id, l->form, &d->digest, err);
}

static int pull_packed(struct store *s, struct transport *t, unsigned worker,
	const struct oci_descriptor *d, const struct digest *diff_id, enum layer_compression form,
	struct progress_blob *pb, struct err **err)
{
	auto_blob_writer struct blob_writer *plain = blob_create(s, err);
	struct layer_pull l = {.s = s, .p = pb->p, .plain = plain, .form = form};
	struct digest got;
	int rc;

	if (!plain)
		return -1;
	if (tempfile_open(s, &l.packed) < 0)
		return err_sys(err, "store %s: temporary file", store_root(s));
	growing_init(&l.growing);
	l.batch = mem_grow(NULL, PULL_BATCH, 1);
	rc = pull_receive(&l, t, worker, d, pb, &got, err);
	if (rc < 0 && l.rc < 0 && err && err_get_kind(l.err) != ERR_NET) {
		/* The inflating side gave up first and stopped the download: its words tell why. */
		err_free(*err);
		*err = TAKE(l.err);
		err_prefix(err, "%s: layer", t->label);
	} else if (rc == 0) {
		rc = pull_publish(&l, t, d, &got, diff_id, err);
	}
	tempfile_close(&l.packed);
	growing_clear(&l.growing);
	free(l.batch);
	err_free(l.err);
	return rc;
}

static int pull_plain(struct store *s, struct transport *t, unsigned worker,
	const struct oci_descriptor *d, const struct digest *diff_id, struct progress_blob *pb,
	struct err **err)
{
	auto_blob_writer struct blob_writer *w = NULL;
	struct layer_content c = {.label = t->label, .what = "layer", .digest = &d->digest};
	struct http_sink sink;
	int rc;

	if (!sha256_equal(&d->digest, diff_id))
		return pull_wrong(t->label, DIFF_ID, diff_id, err);
	w = blob_create(s, err);
	if (!w)
		return -1;
	http_sink_init(&sink, blob_stream(w), d->size, ERR_CORRUPT);
	sink.progress = progress_blob_moved;
	sink.ctx = pb;
	rc = t->ops->blob(t, worker, d, &sink, err);
	http_sink_clear(&sink);
	return rc < 0 ? -1 : pull_commit(w, &d->digest, &c, err);
}

/* --- all layers ----------------------------------------------------------------------------- */

struct image_pull {
	struct store *s;
	struct transport *t;
	struct progress *p;
	const struct oci_manifest *m;
	const struct oci_config *c;
	const size_t *order; /* of the layers */
};

/* "...+encrypted": ocicrypt, which imgcrypt and skopeo write; the keys are not in the image. */
static bool is_encrypted(const char *type)
{
	size_t n = strlen(type), end = strlen("+encrypted");

	return n > end && strcmp(type + n - end, "+encrypted") == 0;
}

static int pull_unknown_type(const struct image_pull *ip, size_t layer, struct err **err)
{
	const char *type = ip->m->layers[layer].media_type;
	auto_free char *shown = fs_printable(type ? type : "");

	if (type && is_encrypted(type)) {
		err_set(err, ERR_UNSUPPORTED,
			"%s: layer %zu is encrypted (%s), and bld cannot decrypt layers",
			ip->t->label, layer + 1, shown);
		return err_hint(err,
			"decrypt the image first: skopeo copy --decryption-key KEY SOURCE "
			"oci:DIR:NAME, then use oci:DIR:NAME");
	}
	err_set(err, ERR_UNSUPPORTED, "%s: layer %zu has the type \"%s\", which bld cannot read",
		ip->t->label, layer + 1, shown);
	return err_hint(err, "layers are tars: plain, or compressed with gzip or zstd");
}

/* The blob is here: only make sure that its plain form is, too. */
static int use_blob(struct image_pull *ip, const struct oci_descriptor *d,
	const struct digest *diff_id, enum layer_compression form, struct err **err)
{
	auto_fd int fd = -1;

	progress_emit(ip->p, TRANSFER_BLOB_EXISTS, &d->digest, d->size, d->size, NULL);
	if (form == LAYER_PLAIN) {
		if (!sha256_equal(&d->digest, diff_id))
			return pull_wrong(ip->t->label, DIFF_ID, diff_id, err);
		return 0;
	}
	int have = blob_exists(ip->s, diff_id, NULL, err);
	if (have < 0)
		return -1;
	if (!have) {
		auto_blob_writer struct blob_writer *plain = blob_create(ip->s, err);
		struct io_fd in = {.what = "layer"};
		struct layer_content c = {
			.label = ip->t->label, .what = DIFF_ID, .digest = &d->digest};

		if (!plain || (fd = blob_open(ip->s, &d->digest, NULL, err)) < 0)
			return -1;
		in.fd = fd;
		if (inflate_into(plain, io_fd_reader(&in), form, err) < 0)
			return err_prefix(err, "%s: layer", ip->t->label);
		if (pull_commit(plain, diff_id, &c, err) < 0)
			return -1;
	}
	return packed_remember(ip->s, diff_id, form, &d->digest, err);
}

static int pull_layer(void *ctx, unsigned worker, size_t item, struct err **err)
{
	struct image_pull *ip = ctx;
	const size_t i = ip->order[item];
	const struct oci_descriptor *d = &ip->m->layers[i];
	const struct digest *diff_id = &ip->c->diff_ids[i];
	const struct layertype *type = layertype_find(d->media_type);
	enum layer_compression form = type ? type->compression : LAYER_PLAIN;
	struct progress_blob pb;
	uint64_t size;
	int rc;

	for (size_t k = 0; k < i; k++) /* the same layer twice is one piece of work */
		if (sha256_equal(&ip->m->layers[k].digest, &d->digest))
			return sha256_equal(&ip->c->diff_ids[k], diff_id)
				       ? 0
				       : pull_wrong(ip->t->label, DIFF_ID, diff_id, err);
	if (!type)
		return pull_unknown_type(ip, i, err);
	int have = blob_exists(ip->s, &d->digest, &size, err);
	if (have < 0)
		return -1;
	if (have && size == d->size)
		return use_blob(ip, d, diff_id, form, err);
	if (d->size > LAYER_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "%s: a layer of %llu bytes", ip->t->label,
			(unsigned long long)d->size);
	progress_blob_start(&pb, ip->p, &d->digest, d->size);
	if (form == LAYER_PLAIN)
		rc = pull_plain(ip->s, ip->t, worker, d, diff_id, &pb, err);
	else
		rc = pull_packed(ip->s, ip->t, worker, d, diff_id, form, &pb, err);
	if (rc == 0)
		progress_emit(ip->p, TRANSFER_BLOB_DONE, &d->digest, d->size, d->size, NULL);
	return rc;
}

/* A layer is inflated by one thread: the largest begins first, so that it does not end alone. */
static int pull_layers(struct image_pull *ip, struct err **err)
{
	auto_free uint64_t *sizes = mem_array(ip->m->nlayers + 1, sizeof *sizes);
	auto_free size_t *order = NULL;

	for (size_t i = 0; i < ip->m->nlayers; i++)
		sizes[i] = ip->m->layers[i].size;
	ip->order = order = parallel_largest_first(sizes, ip->m->nlayers);
	return parallel_run(ip->m->nlayers, ip->t->workers, pull_layer, ip, &ip->p->stop, err);
}

static void remember_origins(struct image_pull *ip)
{
	if (!ip->t->remote)
		return;
	for (size_t i = 0; i < ip->m->nlayers; i++)
		origins_add(ip->s, ip->t->host, ip->t->path, &ip->m->layers[i].digest);
	origins_add(ip->s, ip->t->host, ip->t->path, &ip->m->config.digest);
}

static void pull_warn_platform(struct image_pull *ip, const struct oci_platform *want)
{
	auto_free char *have = NULL, *wanted = NULL, *shown = NULL, *text = NULL;

	if (!ip->c->platform.architecture || oci_platform_rank(want, &ip->c->platform) > 0)
		return;
	have = oci_platform_text(&ip->c->platform);
	shown = fs_printable(have);
	wanted = oci_platform_text(want);
	text = mem_printf("the image is for %s, not for %s", shown, wanted);
	progress_emit(ip->p, TRANSFER_MANIFEST, NULL, 0, 0, text);
}

int pull_image(struct store *s, struct transport *t, struct progress *p, const struct digest *at,
	struct oci_descriptor *out, struct err **err)
{
	auto_buf struct buf body, config;
	auto_index_path struct index_path path = {.n = 0};
	auto_oci_platform struct oci_platform want = {0};
	auto_oci_manifest struct oci_manifest m = {0};
	auto_oci_config struct oci_config c = {0};
	struct image_pull ip = {.s = s, .t = t, .p = p, .m = &m, .c = &c};
	struct digest stored;

	buf_init(&body, OCI_MANIFEST_MAX);
	buf_init(&config, OCI_CONFIG_MAX);
	oci_config_init(&c);
	if (p->o->platform)
		oci_platform_copy(&want, p->o->platform);
	else
		oci_platform_host(&want);
	if (find_manifest(t, at, &want, &body, &path, out, err) < 0)
		return -1;
	if (oci_manifest_parse(body.data, body.len, out->media_type, &m, err) < 0)
		return err_prefix(err, "%s", t->label);
	progress_emit(p, TRANSFER_MANIFEST, &out->digest, 0, out->size, NULL);
	if (get_config(s, t, &m.config, &config, err) < 0)
		return -1;
	if (oci_config_parse(config.data, config.len, &c, err) < 0)
		return err_prefix(err, "%s: configuration", t->label);
	if (c.ndiff_ids != m.nlayers)
		return err_set(err, ERR_CORRUPT,
			"%s: %zu layers, but %zu diff IDs in the configuration", t->label,
			m.nlayers, c.ndiff_ids);
	/* One that was asked for by its digest, and for no platform, is the right one. */
	if (!at || p->o->platform)
		pull_warn_platform(&ip, &want);
	if (pull_layers(&ip, err) < 0)
		return -1;
	free(out->media_type);
	out->media_type = mem_strdup(m.media_type);
	/* What names the layers comes last: a manifest in the store is a whole image. */
	if (blob_put(s, config.data, config.len, &stored, err) < 0 ||
		blob_put(s, body.data, body.len, &stored, err) < 0)
		return -1;
	for (size_t i = 0; i < path.n; i++)
		if (blob_put(s, path.v[i].data, path.v[i].len, &stored, err) < 0)
			return -1;
	remember_origins(&ip);
	return 0;
}

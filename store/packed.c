// SPDX-License-Identifier: Apache-2.0
/*
 * Files beside the plain tar, all of bld/forms:
 *	HEX.gzip, HEX.zstd	"sha256:HEX\n": the compressed blob of diff ID HEX
 *	HEX.gzip-6, ...		the same of a level that is not the default
 *	HEX.set.SECONDS		"sha256:HEX\n": the diff ID of the same layer with all times set
 *	HEX.clamp.SECONDS	the same with later times lowered
 * A form file that cannot be read, or names what is gone, counts as missing and is written again.
 */
#include "store/packed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/compress/compress.h"
#include "store/compress/deflate.h"
#include "store/compress/inflate.h"
#include "store/oci/layertype.h"
#include "store/tar/entry.h"
#include "store/tar/retime.h"

#define FORM_NAME   128
#define PACKING_END 16

/* How the file of a form ends that was made with the usual level. */
static const char *packed_suffix(enum layer_compression c)
{
	return layer_compression_row(c)->name;
}

static int packed_in_layer(struct err **err, const struct digest *diff_id)
{
	char text[DIGEST_STRING];

	return err_prefix(err, "layer %s", sha256_string(diff_id, text));
}

/* --- form files ------------------------------------------------------------------------------- */

static void form_name(const struct digest *diff_id, const char *end, char out[FORM_NAME])
{
	char hex[DIGEST_HEX];

	snprintf(out, FORM_NAME, "%s.%s", sha256_hex(diff_id, hex), end);
}

/* 1, 0 it is missing or damaged, -1. */
static int form_read(struct store *s, const struct digest *diff_id, const char *end,
	struct digest *out, struct err **err)
{
	char name[FORM_NAME];
	auto_err struct err *why = NULL;
	auto_buf struct buf b = {0};

	form_name(diff_id, end, name);
	auto_fd int fd = fs_openat(store_dir(s, STORE_FORMS), name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : err_sys(err, "bld/forms/%s", name);
	if (fs_read_fd(fd, DIGEST_STRING, name, &b, &why) < 0)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	if (b.len != DIGEST_STRING || b.data[b.len - 1] != '\n')
		return 0;
	b.data[b.len - 1] = '\0';
	return sha256_parse_string(b.data, out) == 0;
}

static int form_write(struct store *s, const struct digest *diff_id, const char *end,
	const struct digest *value, struct err **err)
{
	char name[FORM_NAME], text[DIGEST_STRING + 1];

	form_name(diff_id, end, name);
	sha256_string(value, text);
	text[DIGEST_STRING - 1] = '\n';
	return store_write_file(
		s, store_dir(s, STORE_FORMS), name, text, DIGEST_STRING, false, err);
}

static void form_drop(struct store *s, const struct digest *diff_id, const char *end)
{
	char name[FORM_NAME];

	form_name(diff_id, end, name);
	fs_unlinkat(store_dir(s, STORE_FORMS), name, 0);
}

/* --- the plain tar ---------------------------------------------------------------------------- */

/* The compressed form that is here: its blob opened; -1 without *err when there is none, -1. */
static int open_compressed(
	struct store *s, const struct digest *diff_id, enum layer_compression *c, struct err **err)
{
	/* From the one that is read fastest. */
	for (enum layer_compression k = LAYER_COMPRESSIONS - 1; k > LAYER_PLAIN; k--) {
		struct digest blob;
		auto_err struct err *why = NULL;
		int known = form_read(s, diff_id, packed_suffix(k), &blob, err);
		if (known < 0)
			return -1;
		int fd = known ? blob_open(s, &blob, NULL, &why) : -1;
		if (why && !err_is_verdict(why))
			return err_pass(err, &why);
		if (fd < 0)
			continue;
		*c = k;
		return fd;
	}
	return -1;
}

int packed_exists(struct store *s, const struct digest *diff_id, struct err **err)
{
	enum layer_compression c;
	auto_err struct err *why = NULL;
	int plain = blob_exists(s, diff_id, NULL, err);

	if (plain)
		return plain;
	auto_fd int fd = open_compressed(s, diff_id, &c, &why);
	return why ? err_pass(err, &why) : fd >= 0;
}

/* Inflate into the store; the result must be the diff ID. */
static int inflate(struct store *s, const struct digest *diff_id, int in, enum layer_compression c,
	struct err **err)
{
	struct io_fd file = {.fd = in, .what = "compressed layer"};
	auto_layer_inflate struct layer_inflate *z =
		layer_inflate_new(io_fd_reader(&file), c, LAYER_SIZE_MAX);
	struct io_reader from = layer_inflate_reader(z);
	auto_blob_writer struct blob_writer *w = blob_create(s, err);

	if (!w)
		return -1;
	struct io_writer to = blob_stream(w);
	if (io_copy(&from, &to, err) < 0)
		return -1;
	return blob_commit(w, diff_id, NULL, NULL, err);
}

static int make_tar(struct store *s, const struct digest *diff_id, struct err **err)
{
	enum layer_compression c;
	auto_err struct err *why = NULL;
	auto_fd int lock = store_lock(s, STORE_LOCK_TAR, diff_id, true, err);

	if (lock < 0)
		return -1;
	int have = blob_exists(s, diff_id, NULL, err);
	if (have) /* another process made it while we waited */
		return have < 0 ? -1 : 0;
	auto_fd int in = open_compressed(s, diff_id, &c, &why);
	if (why)
		return err_pass(err, &why);
	if (in < 0)
		return err_set(err, ERR_NOT_FOUND, "not in the store");
	if (inflate(s, diff_id, in, c, &why) == 0)
		return 0;
	if (err_get_kind(why) == ERR_CORRUPT)
		form_drop(s, diff_id, packed_suffix(c)); /* it is not a form of this layer */
	return err_pass(err, &why);
}

int packed_tar(struct store *s, const struct digest *diff_id, uint64_t *size, struct err **err)
{
	auto_err struct err *why = NULL;
	int fd = blob_open(s, diff_id, size, &why);

	if (fd >= 0)
		return fd;
	if (err_get_kind(why) != ERR_NOT_FOUND)
		return err_pass(err, &why);
	if (make_tar(s, diff_id, err) < 0)
		return packed_in_layer(err, diff_id);
	return blob_open(s, diff_id, size, err);
}

/* --- compressed and retimed ----------------------------------------------------------------- */

/* 1, 0 the blob is not there, -1. */
static int packed_describe(struct store *s, enum layer_compression c, const struct digest *blob,
	struct oci_descriptor *out, struct err **err)
{
	uint64_t size;
	int have = blob_exists(s, blob, &size, err);

	if (have <= 0)
		return have;
	*out = (struct oci_descriptor){
		.media_type = mem_strdup(layertype_of(c)->oci), .digest = *blob, .size = size};
	return 1;
}

/* Where the compressed bytes go: into the store, and whoever watches is told. */
struct growing {
	struct blob_writer *w;
	const struct packed_how *how;
};

static int on_compressed(void *ctx, const void *p, size_t n, struct err **err)
{
	struct growing *g = ctx;
	struct io_writer to = blob_stream(g->w);
	uint64_t ready;
	int fd;

	if (io_write(&to, p, n, err) < 0)
		return -1;
	fd = blob_readable(g->w, &ready);
	return g->how->grown ? g->how->grown(g->how->ctx, fd, ready, err) : 0;
}

static int deflate(struct store *s, const struct digest *diff_id, const struct packed_how *how,
	struct digest *out, struct err **err)
{
	auto_fd int tar = packed_tar(s, diff_id, NULL, err);
	auto_blob_writer struct blob_writer *w = tar < 0 ? NULL : blob_create(s, err);

	if (!w)
		return -1;
	struct growing g = {.w = w, .how = how};
	struct io_fd file = {.fd = tar, .what = "layer"};
	struct io_reader from = io_fd_reader(&file);
	auto_layer_deflate struct layer_deflate *z =
		layer_deflate_new((struct io_writer){.write = on_compressed, .ctx = &g},
			how->packing.c, how->packing.level, how->threads);
	if (layer_deflate_copy(z, &from, err) < 0 || layer_deflate_finish(z, err) < 0 ||
		blob_commit(w, NULL, out, NULL, err) < 0)
		return packed_in_layer(err, diff_id);
	return 0;
}

/* The end of the name of a form. */
static const char *packing_end(const struct layer_packing *p, char out[PACKING_END])
{
	if (p->level == 0 || p->level == layer_compression_row(p->c)->level)
		return packed_suffix(p->c);
	snprintf(out, PACKING_END, "%s-%d", packed_suffix(p->c), p->level);
	return out;
}

int packed_known(struct store *s, const struct digest *diff_id, const struct layer_packing *p,
	struct oci_descriptor *out, struct err **err)
{
	char end[PACKING_END];
	struct digest blob = *diff_id;
	int known =
		p->c == LAYER_PLAIN ? 1 : form_read(s, diff_id, packing_end(p, end), &blob, err);

	return known == 1 ? packed_describe(s, p->c, &blob, out, err) : known;
}

/* The same where it was just made. */
static int describe_made(struct store *s, enum layer_compression c, const struct digest *blob,
	struct oci_descriptor *out, struct err **err)
{
	int have = packed_describe(s, c, blob, out, err);

	if (have == 0)
		return err_set(err, ERR_SYS, "a layer vanished after it was made");
	return have < 0 ? -1 : 0;
}

int packed_layer(struct store *s, const struct digest *diff_id, const struct packed_how *how,
	struct oci_descriptor *out, struct err **err)
{
	const struct layer_packing *p = &how->packing;
	char end[PACKING_END];
	struct digest blob;

	if (p->c == LAYER_PLAIN) {
		auto_fd int tar = packed_tar(s, diff_id, NULL, err);
		return tar < 0 ? -1 : describe_made(s, p->c, diff_id, out, err);
	}
	int known = packed_known(s, diff_id, p, out, err);
	if (known)
		return known < 0 ? -1 : 0;
	auto_fd int lock = store_lock(s, STORE_LOCK_FORM, diff_id, true, err);
	if (lock < 0)
		return -1;
	known = packed_known(s, diff_id, p, out, err);
	if (known)
		return known < 0 ? -1 : 0;
	if (deflate(s, diff_id, how, &blob, err) < 0 ||
		form_write(s, diff_id, packing_end(p, end), &blob, err) < 0)
		return -1;
	return describe_made(s, p->c, &blob, out, err);
}

int packed_remember(struct store *s, const struct digest *diff_id, enum layer_compression c,
	const struct digest *blob, struct err **err)
{
	return c == LAYER_PLAIN ? 0 : form_write(s, diff_id, packed_suffix(c), blob, err);
}

int packed_retimed(struct store *s, const struct digest *diff_id, int64_t seconds, bool set,
	struct digest *out, struct err **err)
{
	char end[64];
	struct digest d;

	snprintf(end, sizeof end, "%s.%lld", set ? "set" : "clamp", (long long)seconds);
	int known = form_read(s, diff_id, end, &d, err);
	if (known == 1)
		known = packed_exists(s, &d, err);
	if (known < 0)
		return -1;
	if (known) {
		*out = d;
		return 0;
	}
	auto_fd int tar = packed_tar(s, diff_id, NULL, err);
	auto_blob_writer struct blob_writer *w = tar < 0 ? NULL : blob_create(s, err);
	if (!w)
		return -1;
	if (layer_retime(tar, seconds, set, blob_stream(w), err) < 0 ||
		blob_commit(w, NULL, &d, NULL, err) < 0 || form_write(s, diff_id, end, &d, err) < 0)
		return packed_in_layer(err, diff_id);
	*out = d;
	return 0;
}

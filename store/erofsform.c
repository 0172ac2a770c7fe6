// SPDX-License-Identifier: Apache-2.0
/*
 * EROFS images of layers: making, finding and checking them. Each lies in a directory with a record
 * of its stack, of the tars its data is in, and of its own digest; the record ends with a digest of
 * itself. An image is hashed every time it is opened from the disk; keep.c saves that for later
 * steps.
 */
#include "store/erofsform.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/keep.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/recordline.h"
#include "store/tempfile.h"
#include "store/erofs/erofs.h"
#include "store/tree/tree.h"

#define RECORD_MAX                                                                                 \
	((size_t)256 << 10) /* OCI_LAYERS_MAX lines of 150 and of 97 bytes, and the rest */
#define TARS_MAX    (OCI_LAYERS_MAX + 1)
#define READ_BUFFER ((size_t)256 << 10)
#define FORMAT_LINE "bld-index 2" /* 1: without a UUID; such an EROFS image is made again */
#define UUID_OFFSET (1024 + 48)   /* of an EROFS superblock */
#define UUID_SIZE   16

static const char *const kinds[] = {
	[EROFSFORM_LAYER] = "layer",
	[EROFSFORM_MERGED] = "merged",
};

const char *erofsform_name(const struct erofsform_stack *k, char out[EROFSFORM_NAME])
{
	struct digest chain;
	char hex[DIGEST_HEX];

	layerstack_id(&k->k, &chain);
	snprintf(out, EROFSFORM_NAME, "%s.%s", sha256_hex(&chain, hex), kinds[k->kind]);
	return out;
}

void erofsform_clear(struct erofsform *x)
{
	free(x->diff_ids);
	free(x->times);
	free(x->tars);
	*x = (struct erofsform){0};
}

struct erofsform_stack erofsform_stack_of(const struct erofsform *x)
{
	return (struct erofsform_stack){
		.kind = x->kind, .k = {.diff_ids = x->diff_ids, .times = x->times, .n = x->n}};
}

void erofsform_drop(struct store *s, const char *name)
{
	char trash[FS_TEMP_NAME];
	int saved = errno;

	fs_temp_name(trash, sizeof trash, "index");
	fs_renameat(store_dir(s, STORE_EROFS), name, store_dir(s, STORE_TRASH), trash);
	errno = saved;
}

/* --- the record ------------------------------------------------------------------------------- */

/* "sha256:HEX SIZE" */
static bool parse_file(char *v, struct erofsform_file *out)
{
	char *space = strchr(v, ' ');
	char *end;

	if (!space || space[1] < '0' || space[1] > '9')
		return false;
	*space = '\0';
	errno = 0;
	out->size = strtoull(space + 1, &end, 10);
	return errno == 0 && !*end && sha256_parse_string(v, &out->digest) == 0;
}

static bool parse_kind(const char *v, enum erofsform_kind *out)
{
	for (size_t i = 0; v && i < ARRAY_LEN(kinds); i++) {
		if (strcmp(v, kinds[i]) == 0) {
			*out = (enum erofsform_kind)i;
			return true;
		}
	}
	return false;
}

/* Everything before the last line, whose digest was found right. */
static bool parse_lines(char *p, struct erofsform *x)
{
	char *v;

	if (!recordline_is(&p, FORMAT_LINE) || !parse_kind(recordline_value(&p, "kind "), &x->kind))
		return false;
	x->diff_ids = mem_array(OCI_LAYERS_MAX, sizeof *x->diff_ids);
	x->times = mem_array(OCI_LAYERS_MAX, sizeof *x->times);
	x->tars = mem_array(TARS_MAX, sizeof *x->tars);
	for (; (v = recordline_value(&p, "layer ")); x->n++)
		if (x->n == OCI_LAYERS_MAX ||
			!layerstack_parse(v, &x->diff_ids[x->n], &x->times[x->n]))
			return false;
	while ((v = recordline_value(&p, "tar ")))
		if (x->ntars == TARS_MAX || !parse_file(v, &x->tars[x->ntars++]))
			return false;
	v = recordline_value(&p, "image ");
	return x->n && v && parse_file(v, &x->image) && !*p;
}

static bool erofsform_parse(struct buf *b, struct erofsform *x)
{
	static const char key[] = "end sha256:";
	size_t last = sizeof key - 1 + DIGEST_HEX; /* the hex digits and a newline */
	struct digest want, got;

	if (b->len < last || strlen(b->data) != b->len || b->data[b->len - 1] != '\n')
		return false;
	char *end = b->data + b->len - last;
	if (strncmp(end, key, sizeof key - 1) != 0 ||
		sha256_parse_hex(end + sizeof key - 1, DIGEST_HEX - 1, &want) < 0)
		return false;
	sha256_of(b->data, (size_t)(end - b->data), &got);
	*end = '\0';
	return sha256_equal(&want, &got) && parse_lines(b->data, x);
}

int erofsform_read(struct store *s, const char *name, struct erofsform *out, struct err **err)
{
	char own[EROFSFORM_NAME];
	auto_free char *path = mem_printf("%s/record", name);
	auto_buf struct buf b = {0};
	auto_erofsform struct erofsform x = {0};
	auto_fd int fd = fs_open_beneath(
		store_dir(s, STORE_EROFS), path, O_RDONLY | O_CLOEXEC, 0, FS_NOLINKS);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			       ? 0
			       : err_sys(err, "EROFS image %s", name);
	auto_err struct err *why = NULL;
	if (fs_read_fd(fd, RECORD_MAX, path, &b, &why) < 0)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	if (!erofsform_parse(&b, &x))
		return 0;
	struct erofsform_stack k = erofsform_stack_of(&x);
	if (strcmp(erofsform_name(&k, own), name) != 0)
		return 0;
	*out = x;
	x = (struct erofsform){0};
	return 1;
}

static int erofsform_write_file(
	int dir_fd, const char *name, const void *p, size_t n, struct err **err)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);

	if (fd < 0 || fs_write_all(fd, p, n) < 0)
		return err_sys(err, "EROFS image: %s", name);
	return 0;
}

static int write_record(int dir_fd, const struct erofsform *x, struct err **err)
{
	struct erofsform_stack k = erofsform_stack_of(x);
	auto_buf struct buf b = {0};
	char text[LAYERSTACK_TEXT];
	struct digest all;

	buf_init(&b, RECORD_MAX);
	buf_addf(&b, FORMAT_LINE "\nkind %s\n", kinds[x->kind]);
	for (size_t i = 0; i < x->n; i++)
		buf_addf(&b, "layer %s\n", layerstack_text(&k.k, i, text));
	for (size_t i = 0; i < x->ntars; i++)
		buf_addf(&b, "tar %s %" PRIu64 "\n", sha256_string(&x->tars[i].digest, text),
			x->tars[i].size);
	buf_addf(
		&b, "image %s %" PRIu64 "\n", sha256_string(&x->image.digest, text), x->image.size);
	sha256_of(b.data, b.len, &all);
	if (buf_addf(&b, "end %s\n", sha256_string(&all, text)) < 0)
		return err_set(err, ERR_LIMIT, "EROFS image: too many layers");
	return erofsform_write_file(dir_fd, "record", b.data, b.len, err);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* The image, its size and digest found right: fd; -1 without *err when they are not, -1. */
static int erofsform_open_image(
	struct store *s, const char *name, const struct erofsform *x, struct err **err)
{
	struct stat st;
	struct digest got;
	auto_free char *path = mem_printf("%s/image", name);
	auto_fd int fd = fs_open_beneath(
		store_dir(s, STORE_EROFS), path, O_RDONLY | O_CLOEXEC, 0, FS_NOLINKS);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "EROFS image %s", name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != x->image.size)
		return -1;
	if (blob_hash_fd(fd, &got) < 0)
		return err_sys(err, "EROFS image %s", name);
	return sha256_equal(&got, &x->image.digest) ? TAKE_FD(fd) : -1;
}

int erofsform_check(struct store *s, const char *name, const struct erofsform *x, struct err **err)
{
	auto_err struct err *why = NULL;
	auto_fd int fd = erofsform_open_image(s, name, x, &why);

	if (fd >= 0)
		return 1;
	return why ? err_pass(err, &why) : 0;
}

/*
 * The tar with the recorded length: fd; -1 without *err when the record has another one, -1. A tar
 * that was cut is no longer this layer: it goes, and comes back from where it came.
 */
static int erofsform_open_tar(struct store *s, const struct erofsform_file *tar, struct err **err)
{
	for (int tries = 0; tries < 2; tries++) {
		uint64_t size;
		auto_fd int fd = packed_tar(s, &tar->digest, &size, err);
		if (fd < 0)
			return -1;
		if (size == tar->size)
			return TAKE_FD(fd);
		if (blob_verify(s, &tar->digest, err) != 0)
			return -1;
		if (blob_remove(s, &tar->digest) < 0)
			return err_sys(err, "a layer that was cut");
	}
	return -1;
}

/* Did all open? *why: an error, not one that can be mended. */
static bool open_tars(
	struct store *s, const struct erofsform *x, struct lower *out, struct err **why)
{
	out->tar_fds = mem_array(x->ntars + 1, sizeof *out->tar_fds);
	while (out->ntars < x->ntars) {
		int fd = erofsform_open_tar(s, &x->tars[out->ntars], why);
		if (fd < 0)
			return false;
		out->tar_fds[out->ntars++] = fd;
	}
	return true;
}

/* 1 / 0 / -1, with what was opened so far in *out. */
static int erofsform_open_files(struct store *s, const char *name, const struct erofsform *x,
	struct lower *out, struct err **err)
{
	auto_err struct err *why = NULL;

	out->index_fd = erofsform_open_image(s, name, x, &why);
	if (out->index_fd >= 0 && open_tars(s, x, out, &why))
		return 1;
	return why ? err_pass(err, &why) : 0;
}

int erofsform_open(
	struct store *s, const struct erofsform_stack *k, struct lower *out, struct err **err)
{
	char name[EROFSFORM_NAME];
	auto_erofsform struct erofsform x = {0};
	struct lower l CLEANUP(lower_clear) = {.dir_fd = -1, .index_fd = -1};

	erofsform_name(k, name);
	if (keep_get(store_keep(s), name, out))
		return 1;
	int r = erofsform_read(s, name, &x, err);
	if (r == 1)
		r = erofsform_open_files(s, name, &x, &l, err);
	if (r <= 0)
		return r; /* what is wrong goes when the new one comes */
	keep_put(store_keep(s), name, &l);
	*out = l;
	l = (struct lower){.dir_fd = -1, .index_fd = -1};
	return 1;
}

/* --- making ----------------------------------------------------------------------------------- */

struct sink {
	int fd; /* -1: nowhere */
	struct sha256 hash;
	unsigned char *pending; /* owned */
	size_t n;
	const unsigned char *uuid; /* until it is written */
};

/*
 * Overlay finds the lower file that an upper one is a copy of by the UUID of the lower file system
 * (and only when no other lower has the same), and takes its inode number: without one a file that
 * RUN changed would get another number as soon as the kernel drops it from its cache. Equal stacks
 * give equal images, so the UUID comes from the name.
 */
static void make_uuid(const struct erofsform_stack *k, unsigned char uuid[UUID_SIZE])
{
	char name[EROFSFORM_NAME];
	struct digest d;

	erofsform_name(k, name);
	sha256_of(name, strlen(name), &d);
	memcpy(uuid, d.b, UUID_SIZE);
}

/* The first part holds the whole superblock. */
static void put_uuid(struct sink *k)
{
	if (k->uuid && k->n >= UUID_OFFSET + UUID_SIZE)
		memcpy(k->pending + UUID_OFFSET, k->uuid, UUID_SIZE);
	k->uuid = NULL;
}

static int sink_flush(struct sink *k, struct err **err)
{
	put_uuid(k);
	sha256_update(&k->hash, k->pending, k->n);
	if (k->fd >= 0 && fs_write_all(k->fd, k->pending, k->n) < 0)
		return err_sys(err, "EROFS image");
	k->n = 0;
	return 0;
}

static int sink_write(void *ctx, const void *p, size_t n, struct err **err)
{
	struct sink *k = ctx;
	const unsigned char *from = p;

	while (n) {
		size_t room = READ_BUFFER - k->n, part = n < room ? n : room;
		memcpy(k->pending + k->n, from, part);
		k->n += part;
		from += part;
		n -= part;
		if (k->n == READ_BUFFER && sink_flush(k, err) < 0)
			return -1;
	}
	return 0;
}

/* Which layer of the stack is this open tar? 1, 0, -1 errno. A tree may have been read before a
 * blob was replaced by an equal one; then it is none. */
static int name_tar(
	struct store *s, const struct erofsform_stack *k, int fd, struct erofsform_file *out)
{
	struct stat tar, blob;
	char hex[DIGEST_HEX];

	if (fstat(fd, &tar) < 0)
		return -1;
	out->size = (uint64_t)tar.st_size;
	for (size_t i = k->k.n; i-- > 0;) {
		if (fs_lstatat(store_blobs_fd(s), sha256_hex(&k->k.diff_ids[i], hex), &blob) < 0) {
			if (errno != ENOENT)
				return -1;
		} else if (blob.st_ino == tar.st_ino && blob.st_dev == tar.st_dev) {
			out->digest = k->k.diff_ids[i];
			return 1;
		}
	}
	return 0;
}

static int name_tars(struct store *s, const struct erofsform_stack *k,
	const struct layer_erofs_made *made, struct erofsform *x, struct err **err)
{
	if (made->nfds > TARS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "EROFS image: %zu tars", made->nfds);
	x->tars = mem_array(made->nfds + 1, sizeof *x->tars);
	for (; x->ntars < made->nfds; x->ntars++) {
		int r = name_tar(s, k, made->fds[x->ntars], &x->tars[x->ntars]);
		if (r < 0)
			return err_sys(err, "EROFS image: a layer");
		if (r == 0)
			return err_set(err, ERR_UNSUPPORTED,
				"EROFS image: a layer was replaced meanwhile");
	}
	return 0;
}

/* The image of a stack, to fd unless that is -1. x gets image and tars. */
static int make_image(struct store *s, const struct erofsform_stack *k,
	const struct layer_tree *tree, int fd, struct erofsform *x, struct err **err)
{
	bool merged = k->kind == EROFSFORM_MERGED;
	auto_free unsigned char *pending = mem_grow(NULL, READ_BUFFER, 1);
	unsigned char uuid[UUID_SIZE];
	struct sink sink = {.fd = fd, .pending = pending, .uuid = uuid};
	struct io_writer to = {.write = sink_write, .ctx = &sink};
	struct layer_erofs_made made CLEANUP(layer_erofs_made_clear) = {0};
	size_t last = k->k.n - 1;
	auto_fd int tar = merged ? -1 : packed_tar(s, &k->k.diff_ids[last], NULL, err);
	auto_layer_times struct layer_times times = {.entries = 0};

	if (!merged && (tar < 0 || layerstack_get_times(
					   s, layerstack_times(&k->k, last), &times, err) < 0))
		return -1;
	make_uuid(k, uuid);
	sha256_init(&sink.hash);
	if ((merged ? layer_erofs_tree(tree, to, &made, err)
		    : layer_erofs_layer(tar, tree, &times, to, &made, err)) < 0 ||
		sink_flush(&sink, err) < 0)
		return -1;
	sha256_final(&sink.hash, &x->image.digest);
	x->image.size = made.size;
	return name_tars(s, k, &made, x, err);
}

int erofsform_again(struct store *s, const struct erofsform_stack *k, const struct layer_tree *tree,
	struct erofsform_file *out, struct err **err)
{
	auto_erofsform struct erofsform x = {0};

	if (make_image(s, k, tree, -1, &x, err) < 0)
		return -1;
	*out = x.image;
	return 0;
}

int erofsform_unnamed(struct store *s, const struct layer_stack *one,
	const struct layer_tree *below, struct lower *out, struct err **err)
{
	struct erofsform_stack k = {.kind = EROFSFORM_LAYER, .k = *one};
	auto_erofsform struct erofsform x = {0};
	auto_tempfile struct tempfile t;

	struct lower l CLEANUP(lower_clear) = {.dir_fd = -1, .index_fd = -1};

	if (tempfile_open(s, &t) < 0)
		return err_sys(err, "EROFS image");
	if (make_image(s, &k, below, t.fd, &x, err) < 0)
		return -1;
	l.index_fd = tempfile_reader(&t);
	if (l.index_fd < 0)
		return err_sys(err, "EROFS image");
	if (!open_tars(s, &x, &l, err))
		return err && *err ? -1 : err_set(err, ERR_UNSUPPORTED, "EROFS image: no tar");
	*out = l;
	l = (struct lower){.dir_fd = -1, .index_fd = -1};
	return 0;
}

static int make_into(struct store *s, int dir, const struct erofsform_stack *k,
	const struct layer_tree *tree, struct err **err)
{
	auto_erofsform struct erofsform x = {.kind = k->kind, .n = k->k.n};
	auto_fd int fd = openat(dir, "image", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);

	if (fd < 0)
		return err_sys(err, "EROFS image");
	x.diff_ids = mem_array(k->k.n, sizeof *x.diff_ids);
	x.times = mem_array(k->k.n, sizeof *x.times);
	for (size_t i = 0; i < k->k.n; i++) {
		x.diff_ids[i] = k->k.diff_ids[i];
		x.times[i] = *layerstack_times(&k->k, i);
	}
	return make_image(s, k, tree, fd, &x, err) < 0 ? -1 : write_record(dir, &x, err);
}

/* In place of one that was found wrong. */
static int erofsform_publish(struct store *s, const char *temp, const char *name)
{
	int tmp = store_tmp_fd(s), to = store_dir(s, STORE_EROFS);

	if (renameat(tmp, temp, to, name) == 0)
		return 0;
	erofsform_drop(s, name);
	return renameat(tmp, temp, to, name);
}

int erofsform_make(struct store *s, const struct erofsform_stack *k, const struct layer_tree *tree,
	struct err **err)
{
	char temp[64], name[EROFSFORM_NAME];
	auto_fd int dir = store_temp_dir(s, temp, err);

	if (dir < 0)
		return -1;
	erofsform_name(k, name);
	if (make_into(s, dir, k, tree, err) == 0) {
		if (erofsform_publish(s, temp, name) == 0)
			return 0;
		err_sys(err, "EROFS image %s", name);
	}
	store_discard(s, temp);
	return -1;
}

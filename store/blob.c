// SPDX-License-Identifier: Apache-2.0
/*
 * Writing and reading of blobs. A new one is a temporary file until its digest is known, then it
 * gets that name; a file with the same name and no doubt about it is left in place. Reading trusts
 * what was written in this boot and hashes the rest once: after a crash a name may be on the disk
 * and its content not.
 */
#include "store/blob.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tempfile.h"

#define READ_BUFFER ((size_t)256 << 10)

struct blob_writer {
	struct store *s; /* borrowed */
	struct tempfile file;
	bool failed;
	uint64_t written;      /* to the file */
	struct hashpipe *pipe; /* owned */
	struct io_writer tap;  /* write is NULL: none */
	blob_check_fn *check;  /* or NULL */
	void *check_ctx;
};

static int write_failed(struct store *s, struct err **err)
{
	err_sys(err, "store %s: write", store_root(s));
	if (errno == ENOSPC || errno == EDQUOT)
		err_hint(err, "`bld prune` frees space");
	return -1;
}

static int blob_put_out(void *ctx, const void *p, size_t n, struct err **err)
{
	struct blob_writer *w = ctx;

	w->written += n;
	if (w->tap.write)
		(void)io_write(&w->tap, p, n, NULL);
	if (fs_write_all(w->file.fd, p, n) == 0)
		return 0;
	w->failed = true;
	return write_failed(w->s, err);
}

struct blob_writer *blob_create(struct store *s, struct err **err)
{
	struct blob_writer *w = mem_alloc(sizeof *w);

	w->s = s;
	if (tempfile_open(s, &w->file) < 0) {
		err_sys(err, "store %s: temporary file", store_root(s));
		free(w);
		return NULL;
	}
	w->pipe = hashpipe_new((struct io_writer){.write = blob_put_out, .ctx = w}, true);
	return w;
}

static int blob_write_some(void *ctx, const void *p, size_t n, struct err **err)
{
	struct blob_writer *w = ctx;

	return hashpipe_put(w->pipe, p, n, err);
}

struct io_writer blob_stream(struct blob_writer *w)
{
	return (struct io_writer){.write = blob_write_some, .ctx = w};
}

struct hashpipe *blob_pipe(struct blob_writer *w)
{
	return w->pipe;
}

void blob_tap(struct blob_writer *w, struct io_writer tap)
{
	w->tap = tap;
}

int blob_readable(const struct blob_writer *w, uint64_t *n)
{
	*n = w->written;
	return w->file.fd;
}

/* Is there an object of this name that needs no check? Then it stays. */
static bool have_trusted(struct store *s, const char *hex, const struct digest *d, uint64_t size)
{
	struct stat st;
	auto_fd int fd = fs_openat(store_blobs_fd(s), hex, O_RDONLY | O_NOFOLLOW, 0);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size && store_trusted(s, fd, d);
}

/* What may be there has the same name, so the same content, unless a crash tore it. */
static int blob_put_temp(
	struct store *s, struct tempfile *t, const struct digest *d, struct err **err)
{
	char hex[DIGEST_HEX];

	store_trust(s, t->fd, d);
	if (tempfile_publish(t, store_blobs_fd(s), sha256_hex(d, hex)) < 0)
		return err_sys(err, "store %s: sha256:%s", store_root(s), hex);
	return 0;
}

static int blob_publish(struct blob_writer *w, const struct digest *d, struct err **err)
{
	char hex[DIGEST_HEX];

	sha256_hex(d, hex);
	if (have_trusted(w->s, hex, d, w->written))
		return 0; /* blob_free removes our copy */
	return blob_put_temp(w->s, &w->file, d, err);
}

int blob_put_file(
	struct store *s, struct tempfile *t, const struct digest *d, uint64_t n, struct err **err)
{
	char hex[DIGEST_HEX];

	sha256_hex(d, hex);
	return have_trusted(s, hex, d, n) ? 0 : blob_put_temp(s, t, d, err);
}

void blob_check(struct blob_writer *w, blob_check_fn *check, void *ctx)
{
	w->check = check;
	w->check_ctx = ctx;
}

static int blob_run_check(struct blob_writer *w, struct err **err)
{
	auto_fd int fd = tempfile_reader(&w->file);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "store %s: temporary file", store_root(w->s));
	return w->check(w->check_ctx, fd, (uint64_t)st.st_size, err);
}

int blob_commit(struct blob_writer *w, const struct digest *want, struct digest *out, int *fd,
	struct err **err)
{
	struct digest d;
	char got[DIGEST_STRING], wanted[DIGEST_STRING];
	auto_fd int reader = -1;

	if (w->failed)
		return err_set(err, ERR_SYS, "store %s: an earlier write failed", store_root(w->s));
	if (hashpipe_finish(w->pipe, &d, err) < 0)
		return -1;
	if (want && !sha256_equal(want, &d))
		return err_set(err, ERR_CORRUPT, "digest is %s, expected %s",
			sha256_string(&d, got), sha256_string(want, wanted));
	if (w->check && blob_run_check(w, err) < 0)
		return -1;
	if (fd) {
		reader = tempfile_reader(&w->file);
		if (reader < 0)
			return err_sys(err, "store %s: temporary file", store_root(w->s));
	}
	if (blob_publish(w, &d, err) < 0)
		return -1;
	if (out)
		*out = d;
	if (fd)
		*fd = TAKE_FD(reader);
	return 0;
}

void blob_free(struct blob_writer *w)
{
	if (!w)
		return;
	int saved = errno;
	hashpipe_free(w->pipe);
	tempfile_close(&w->file);
	free(w);
	errno = saved;
}

int blob_put(struct store *s, const void *p, size_t n, struct digest *out, struct err **err)
{
	struct digest d;
	char hex[DIGEST_HEX];

	sha256_of(p, n, &d);
	if (!have_trusted(s, sha256_hex(&d, hex), &d, n)) {
		auto_tempfile struct tempfile t;
		if (tempfile_open(s, &t) < 0)
			return err_sys(err, "store %s: temporary file", store_root(s));
		if (fs_write_all(t.fd, p, n) < 0)
			return write_failed(s, err);
		if (blob_put_temp(s, &t, &d, err) < 0)
			return -1;
	}
	if (out)
		*out = d;
	return 0;
}

int blob_hash_fd(int fd, struct digest *out)
{
	auto_free unsigned char *chunk = mem_grow(NULL, READ_BUFFER, 1);
	struct sha256 h;
	off_t at = 0;

	sha256_init(&h);
	for (;;) {
		ssize_t n = pread(fd, chunk, READ_BUFFER, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		sha256_update(&h, chunk, (size_t)n);
		at += n;
	}
	sha256_final(&h, out);
	return 0;
}

/* The object as it lies there, unverified: its descriptor, -1 with *err. */
static int open_raw(struct store *s, const struct digest *d, struct stat *st, struct err **err)
{
	char hex[DIGEST_HEX];
	auto_fd int fd = fs_openat(store_blobs_fd(s), sha256_hex(d, hex), O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_CORRUPT, "blob sha256:%s is not a file", hex);
	if (fd < 0)
		return errno == ENOENT
			       ? err_set(err, ERR_NOT_FOUND, "no blob sha256:%s in the store", hex)
			       : err_sys(err, "blob sha256:%s", hex);
	if (fstat(fd, st) < 0)
		return err_sys(err, "blob sha256:%s", hex);
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_CORRUPT, "blob sha256:%s is not a file", hex);
	return TAKE_FD(fd);
}

/* Remove the name if it still means the file that st describes. */
static void remove_same(struct store *s, const struct digest *d, const struct stat *st)
{
	struct stat now;
	char hex[DIGEST_HEX];

	sha256_hex(d, hex);
	if (fs_lstatat(store_blobs_fd(s), hex, &now) == 0 && now.st_ino == st->st_ino &&
		now.st_dev == st->st_dev)
		fs_unlinkat(store_blobs_fd(s), hex, 0);
}

int blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err **err)
{
	struct stat st;
	struct digest got;
	char hex[DIGEST_HEX];
	auto_fd int fd = open_raw(s, d, &st, err);

	if (fd < 0)
		return -1;
	if (!store_trusted(s, fd, d)) {
		if (blob_hash_fd(fd, &got) < 0)
			return err_sys(err, "blob sha256:%s", sha256_hex(d, hex));
		if (!sha256_equal(&got, d)) {
			remove_same(s, d, &st);
			return err_set(err, ERR_NOT_FOUND,
				"blob sha256:%s was damaged by a crash and is removed",
				sha256_hex(d, hex));
		}
		/* Read back in a later boot than it was written in: it is on the disk. */
		store_trust_synced(s, fd, d);
	}
	if (size)
		*size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

char *blob_read(struct store *s, const struct digest *d, size_t max, size_t *len, struct err **err)
{
	struct digest got;
	char hex[DIGEST_HEX], what[DIGEST_HEX + 16];
	auto_buf struct buf b = {0};
	auto_fd int fd = blob_open(s, d, NULL, err);

	if (fd < 0)
		return NULL;
	snprintf(what, sizeof what, "blob sha256:%s", sha256_hex(d, hex));
	if (fs_read_fd(fd, max, what, &b, err) < 0)
		return NULL;
	sha256_of(b.data, b.len, &got);
	if (!sha256_equal(&got, d)) {
		err_set(err, ERR_CORRUPT, "%s: its content does not match its digest", what);
		err_hint(err, "`bld verify --repair` removes damaged objects");
		return NULL;
	}
	if (len)
		*len = b.len;
	return buf_take(&b);
}

int blob_exists(struct store *s, const struct digest *d, uint64_t *size, struct err **err)
{
	auto_err struct err *why = NULL;
	auto_fd int fd = blob_open(s, d, size, &why);

	if (fd >= 0)
		return 1;
	return err_is_verdict(why) ? 0 : err_pass(err, &why);
}

int blob_remove(struct store *s, const struct digest *d)
{
	char hex[DIGEST_HEX];

	return fs_unlinkat(store_blobs_fd(s), sha256_hex(d, hex), 0) < 0 && errno != ENOENT ? -1
											    : 0;
}

int blob_verify(struct store *s, const struct digest *d, struct err **err)
{
	struct stat st;
	struct digest got;
	char hex[DIGEST_HEX];
	auto_fd int fd = open_raw(s, d, &st, err);

	if (fd < 0)
		return -1;
	if (blob_hash_fd(fd, &got) < 0)
		return err_sys(err, "blob sha256:%s", sha256_hex(d, hex));
	return sha256_equal(&got, d);
}

void blob_mark_synced(struct store *s, const struct digest *d)
{
	struct stat st;
	auto_fd int fd = open_raw(s, d, &st, NULL);

	if (fd >= 0)
		store_trust_synced(s, fd, d);
}

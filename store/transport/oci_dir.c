// SPDX-License-Identifier: Apache-2.0
/*
 * oci:DIR[:NAME]. Written so that a reader never sees a name without its blobs: blobs first, each
 * by rename, index.json last; writers of one layout wait for each other.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/transport/oci_layout.h"
#include "store/transport/outgoing.h"
#include "store/transport/progress.h"

/* --- reading ------------------------------------------------------------------------------ */

struct dir_files {
	int fd;
	char *shown;
};

static int oci_dir_open(void *ctx, const char *name, struct oci_layout_file *out, struct err **err)
{
	struct dir_files *d = ctx;
	auto_fd int fd = fs_open_beneath(d->fd, name, O_RDONLY | O_NONBLOCK, 0, FS_BENEATH);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "%s: no %s in it", d->shown, name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s/%s", d->shown, name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONTEXT, "%s/%s: not a regular file", d->shown, name);
	*out = (struct oci_layout_file){
		.fd = TAKE_FD(fd), .close = true, .size = (uint64_t)st.st_size};
	return 0;
}

static void dir_free(void *ctx)
{
	struct dir_files *d = ctx;

	fd_close(d->fd);
	free(d->shown);
	free(d);
}

static const struct oci_layout_ops ops = {oci_dir_open, dir_free};

static struct dir_files *oci_dir_open_dir(const char *path, const char *shown, struct err **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_files *d;

	if (fd < 0) {
		err_sys_kind(err, ERR_CONTEXT, "%s", shown);
		return NULL;
	}
	d = mem_alloc(sizeof *d);
	d->fd = fd;
	d->shown = mem_strdup(shown);
	return d;
}

struct transport *transport_open_oci_dir(const char *path, const char *name, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct dir_files *d = oci_dir_open_dir(path, shown, err);

	return d ? oci_layout_open(&ops, d, mem_printf("oci:%s", shown), name, err) : NULL;
}

struct transport *transport_oci_dir_all(const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	struct dir_files *d = oci_dir_open_dir(path, shown, err);

	return d ? oci_layout_open_all(&ops, d, mem_printf("oci:%s", shown), err) : NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

/* `name` below dir_fd with this content, complete or not at all. */
static int write_blob(int dir_fd, const char *name, int from, uint64_t size)
{
	char temp[64];
	struct stat st;
	auto_fd int fd = -1;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		(uint64_t)st.st_size == size)
		return 0;
	fs_temp_name(temp, sizeof temp, ".bld-tmp");
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	if (fs_copy_range(from, 0, size, fd) < 0 || renameat(dir_fd, temp, dir_fd, name) < 0) {
		int saved = errno;
		unlinkat(dir_fd, temp, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

static int oci_dir_write_blobs(
	const struct outgoing_set *o, int blobs_fd, const char *shown, struct err **err)
{
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < o->n; i++) {
		const struct oci_descriptor *d = o->v[i];
		uint64_t size;
		auto_fd int from = blob_open(o->s, &d->digest, &size, err);

		if (from < 0 || progress_check(o->p, err) < 0)
			return -1;
		progress_emit(o->p, TRANSFER_BLOB_START, &d->digest, 0, size, NULL);
		if (write_blob(blobs_fd, sha256_hex(&d->digest, hex), from, size) < 0)
			return err_sys_kind(err, ERR_CONTEXT, "%s/blobs/sha256/%s", shown, hex);
		progress_emit(o->p, TRANSFER_BLOB_DONE, &d->digest, size, size, NULL);
	}
	return 0;
}

static int oci_dir_write_index(
	const struct outgoing_set *o, int dir_fd, const char *shown, struct err **err)
{
	auto_buf struct buf old;
	auto_free char *text = NULL;
	size_t len;
	bool have = faccessat(dir_fd, "index.json", F_OK, 0) == 0;

	buf_init(&old, OCI_LAYOUT_INDEX_MAX);
	if (have && fs_read_file(dir_fd, "index.json", OCI_LAYOUT_INDEX_MAX, &old, err) < 0)
		return err_prefix(err, "%s", shown);
	text = oci_layout_index(have ? old.data : NULL, old.len, o->tops, o->ntops, &len, err);
	if (!text)
		return err_prefix(err, "%s", shown);
	if (fs_replace_file(dir_fd, "oci-layout", OCI_LAYOUT_FILE, strlen(OCI_LAYOUT_FILE), 0644,
		    false, err) < 0)
		return err_prefix(err, "%s", shown);
	return fs_replace_file(dir_fd, "index.json", text, len, 0644, true, err) < 0
		       ? err_prefix(err, "%s", shown)
		       : 0;
}

int transport_to_oci_dir(const struct outgoing_set *o, const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);
	auto_fd int dir = -1, blobs = -1;

	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fs_mkdirs(dir, "blobs/sha256", 0777) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	blobs = openat(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (blobs < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (flock(dir, LOCK_EX) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", shown);
	if (oci_dir_write_blobs(o, blobs, shown, err) < 0)
		return -1;
	return oci_dir_write_index(o, dir, shown, err);
}

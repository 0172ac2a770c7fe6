// SPDX-License-Identifier: Apache-2.0
/*
 * The form file of an unpacked layer directory: which boot wrote it, which kind of overlay
 * attributes it has, which layers it shows. It is not synced, so a directory of an earlier boot is
 * not used; the name must be the digest of the layers that the file lists. Anything unreadable
 * counts as no directory, never as an error.
 */
#include "store/dirform.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/recordline.h"

#define FORM_MAX ((size_t)128 << 10) /* OCI_LAYERS_MAX lines of 150 bytes, and the rest */

bool dirform_userxattr(void)
{
	return geteuid() != 0;
}

void dirform_clear(struct dirform *f)
{
	free(f->diff_ids);
	free(f->times);
	*f = (struct dirform){0};
}

static bool dirform_parse(char *p, const char *boot, struct dirform *f)
{
	char *v;

	if (!recordline_is(&p, "bld-dir 1"))
		return false;
	const char *written = recordline_value(&p, "boot ");
	const char *kind = written ? recordline_value(&p, "xattr ") : NULL;
	if (!kind)
		return false;
	f->userxattr = strcmp(kind, "user") == 0;
	f->usable = strcmp(written, boot) == 0 && f->userxattr == dirform_userxattr();
	while ((v = recordline_value(&p, "layer "))) {
		struct digest d, times;
		if (f->n == OCI_LAYERS_MAX || !layerstack_parse(v, &d, &times))
			return false;
		f->diff_ids = mem_grow(f->diff_ids, f->n + 1, sizeof *f->diff_ids);
		f->times = mem_grow(f->times, f->n + 1, sizeof *f->times);
		f->diff_ids[f->n] = d;
		f->times[f->n++] = times;
	}
	return f->n && recordline_is(&p, "end") && !*p;
}

int dirform_read(struct store *s, const struct digest *chain, struct dirform *out, struct err **err)
{
	char path[DIGEST_HEX + 8], hex[DIGEST_HEX];
	struct digest own;
	auto_buf struct buf b = {0};
	auto_dirform struct dirform f = {0};

	snprintf(path, sizeof path, "%s/form", sha256_hex(chain, hex));
	auto_fd int fd = fs_open_beneath(
		store_dir(s, STORE_DIRS), path, O_RDONLY | O_CLOEXEC, 0, FS_NOLINKS);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			       ? 0
			       : err_sys(err, "layer directory %s", hex);
	auto_err struct err *why = NULL;
	if (fs_read_fd(fd, FORM_MAX, "layer directory", &b, &why) < 0)
		return err_is_verdict(why) ? 0 : err_pass(err, &why);
	if (!dirform_parse(b.data, store_boot_id(s), &f))
		return 0;
	struct layer_stack k = dirform_stack(&f);
	layerstack_id(&k, &own);
	if (!sha256_equal(&own, chain))
		return 0;
	*out = f;
	f = (struct dirform){0};
	return 1;
}

struct layer_stack dirform_stack(const struct dirform *f)
{
	return (struct layer_stack){.diff_ids = f->diff_ids, .times = f->times, .n = f->n};
}

int dirform_write(struct store *s, int dir_fd, const struct layer_stack *k, struct err **err)
{
	auto_buf struct buf b = {0};
	char text[LAYERSTACK_TEXT];

	buf_init(&b, FORM_MAX);
	buf_addf(&b, "bld-dir 1\nboot %s\nxattr %s\n", store_boot_id(s),
		dirform_userxattr() ? "user" : "trusted");
	for (size_t i = 0; i < k->n; i++)
		buf_addf(&b, "layer %s\n", layerstack_text(k, i, text));
	buf_adds(&b, "end\n");
	auto_fd int fd = openat(dir_fd, "form", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fs_write_all(fd, b.data, b.len) < 0)
		return err_sys(err, "layer directory: form");
	return 0;
}

int dirform_open(struct store *s, const struct digest *chain, struct err **err)
{
	char path[DIGEST_HEX + 8], hex[DIGEST_HEX];
	auto_dirform struct dirform f = {0};
	int r = dirform_read(s, chain, &f, err);

	if (r <= 0 || !f.usable)
		return -1;
	snprintf(path, sizeof path, "%s/upper", sha256_hex(chain, hex));
	int fd = fs_open_beneath(
		store_dir(s, STORE_DIRS), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, FS_NOLINKS);
	if (fd < 0 && errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
		err_sys(err, "layer directory %s", hex);
	return fd;
}

void dirform_drop(struct store *s, const struct digest *chain, bool in_use)
{
	char hex[DIGEST_HEX], trash[FS_TEMP_NAME];
	int saved = errno;

	fs_temp_name(trash, sizeof trash, in_use ? "dir" : "stale");
	renameat(
		store_dir(s, STORE_DIRS), sha256_hex(chain, hex), store_dir(s, STORE_TRASH), trash);
	errno = saved;
}

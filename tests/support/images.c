// SPDX-License-Identifier: Apache-2.0
/*
 * Images made by the store's own code, with fixed times and the caller as owner, so that equal
 * calls give equal digests. What goes wrong here ends the program: it is not what is tested.
 */
#include "tests/support/images.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/tags.h"
#include "store/tar/entry.h"
#include "store/tar/list.h"

static void need(bool ok, struct err *e, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", what, e ? err_text(e) : "failed");
	abort();
}

static void add(struct layer_list *l, const struct images_file *f)
{
	size_t n = strlen(f->path);
	auto_free char *path = mem_strdup(f->path + (*f->path == '-'));
	struct layer_entry e = {
		.path = path,
		.type = LAYER_FILE,
		.mode = 0644,
		.uid = geteuid(),
		.gid = getegid(),
		.mtime = 1000,
	};

	if (*f->path == '-') {
		e.type = LAYER_WHITEOUT;
	} else if (f->path[n - 1] == '/') {
		path[n - 1] = '\0';
		e.type = LAYER_DIR;
		e.mode = 0755;
	} else {
		e.size = strlen(f->text);
		e.source = LAYER_DATA_MEM;
		e.mem = f->text;
	}
	layer_list_add(l, &e);
}

void images_layer(struct store *s, const struct images_file *files, struct digest *diff_id)
{
	struct err *e = NULL;
	struct layer_list *l = layer_list_new();
	struct blob_writer *w = blob_create(s, &e);

	need(w, e, "blob");
	for (; files->path; files++)
		add(l, files);
	need(layer_list_write(l, blob_stream(w), &e) == 0, e, "layer");
	need(blob_commit(w, NULL, diff_id, NULL, &e) == 0, e, "layer");
	blob_free(w);
	layer_list_free(l);
}

void images_make(struct store *s, const char *name, const struct digest *diff_ids, size_t n,
	struct oci_descriptor *out)
{
	struct err *e = NULL;
	struct oci_config c;

	oci_config_init(&c);
	oci_platform_host(&c.platform);
	strlist_add(&c.env, "PATH=/bin");
	if (name)
		strlist_addf(&c.labels, "name=%s", name);
	for (size_t i = 0; i < n; i++)
		oci_config_add_diff_id(&c, &diff_ids[i]);
	oci_config_repair_history(&c);
	need(image_write(s, &c, NULL, NULL, out, NULL, &e) == 0, e, "image");
	need(!name || tags_set(s, &name, 1, out, &e) == 0, e, "tag");
	oci_config_clear(&c);
}

void images_simple(struct store *s, const char *name, struct digest diff_ids[2])
{
	struct oci_descriptor d = {0};

	images_layer(s,
		(const struct images_file[]){
			{"one", "1"}, {"d/", NULL}, {"d/x", "x"}, {NULL, NULL}},
		&diff_ids[0]);
	images_layer(s,
		(const struct images_file[]){
			{"two", name}, {"d/", NULL}, {"-d/x", NULL}, {NULL, NULL}},
		&diff_ids[1]);
	images_make(s, name, diff_ids, 2, &d);
	oci_descriptor_clear(&d);
}

char *images_text(int dir_fd, const char *path)
{
	struct buf b = {0};
	int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	need(fs_read_fd(fd, (size_t)1 << 20, path, &b, NULL) == 0, NULL, path);
	close(fd);
	return buf_take(&b);
}

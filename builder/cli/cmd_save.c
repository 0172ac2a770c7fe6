// SPDX-License-Identifier: Apache-2.0
// bld save: an image as one archive file.
#include "builder/cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cli/remote.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

struct opts {
	const char *output;
	const char *format;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"output", 'o', CLI_STRING, offsetof(struct opts, output), "FILE", NULL,
		"the archive (default: standard output)"},
	{"format", 0, CLI_CHOICE, offsetof(struct opts, format), "docker-archive|oci-archive", NULL,
		"kind of archive (default: docker-archive)"},
	REMOTE_COMPRESSION_OPTIONS(struct opts, remote),
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

/* Where the archive is written: the file itself, or a temporary one in the store for standard
 * output. */
struct target {
	char *path; /* owned */
	int temp_dir;
	char temp_name[64];
};

static int check_output(const char *output, struct err **err)
{
	if (output && strchr(output, ':')) {
		err_set(err, ERR_USAGE,
			"\"%s\": a colon in the name of an archive separates the image's name",
			output);
		return err_hint(err, "save to standard output: bld save NAME > FILE");
	}
	if (!output && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE, "an archive is nothing for a terminal");
		return err_hint(err, "use -o FILE");
	}
	return 0;
}

static int open_target(struct target *t, struct store *s, const char *output, struct err **err)
{
	if (output) {
		t->path = mem_strdup(output);
		return 0;
	}
	t->temp_dir = store_temp_dir(s, t->temp_name, err);
	if (t->temp_dir < 0)
		return -1;
	t->path = mem_printf("/proc/self/fd/%d/archive", t->temp_dir);
	return 0;
}

static int copy_to_stdout(const struct target *t, struct err **err)
{
	auto_fd int fd = openat(t->temp_dir, "archive", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
		fs_copy_range(fd, 0, (uint64_t)st.st_size, STDOUT_FILENO) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "standard output");
	return 0;
}

static int save(const struct cli *c, struct opts *o, struct store *s, const struct image *i,
	const char *name, const struct target *t, struct err **err)
{
	auto_ui struct ui *ui = NULL;
	auto_free char *dest = mem_printf("%s:%s%s%s", o->format ? o->format : "docker-archive",
		t->path, name ? ":" : "", name ? name : "");
	struct transfer_opts transfer;
	struct digest d;

	ui = remote_ui(&o->remote);
	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &transfer);
	remote_status(ui, "saving %s", name ? name : "image");
	if (transfer_push(s, i, dest, &transfer, &d, err) < 0)
		return -1;
	return t->temp_dir >= 0 ? copy_to_stdout(t, err) : 0;
}

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	auto_store struct store *s = NULL;
	auto_image struct image i = {0};
	struct target t = {.temp_dir = -1};
	int status;

	if (o->output && strcmp(o->output, "-") == 0)
		o->output = NULL;
	if (check_output(o->output, err) < 0 || remote_compression(&o->remote, err) < 0)
		return -1;
	if (o->remote.compression && o->remote.packing.c != LAYER_PLAIN &&
		!(o->format && strcmp(o->format, "oci-archive") == 0))
		return err_set(
			err, ERR_USAGE, "--compression: layers in a docker-archive are plain");
	s = store_open(c->root, err);
	if (!s || image_open(s, operands->v[0], NULL, &i, err) < 0)
		return -1;
	status = open_target(&t, s, o->output, err);
	if (status == 0)
		status = save(c, o, s, &i, i.name, &t, err);
	if (t.temp_dir >= 0) {
		close(t.temp_dir);
		store_discard(s, t.temp_name);
	}
	free(t.path);
	return status;
}

const struct cli_command cli_save = {
	.name = "save",
	.operands = "NAME",
	.summary = "Write an image to an archive",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};

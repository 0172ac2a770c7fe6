// SPDX-License-Identifier: Apache-2.0
/*
 * bld load: an archive of `bld save`, `docker save`, `skopeo copy ... oci-archive:` into the store,
 * with everything that is in it. Standard input is copied first, as archives are read more than
 * once.
 */
#include "builder/cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "builder/plan/platformword.h"
#include "builder/ui/ui.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/store.h"
#include "store/transport/transfer.h"

struct opts {
	const char *input;
	const char *platform;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"input", 'i', CLI_STRING, offsetof(struct opts, input), "FILE", NULL,
		"the archive, or the directory of an OCI layout (default: standard input)"},
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: all that are in the archive)"},
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

/* A copy of standard input in the store's temporary area: archives are read more than once. */
static int spool(int dir_fd, struct err **err)
{
	struct io_fd in = {.fd = STDIN_FILENO, .what = "standard input"},
		     out = {.what = "copy of it"};
	struct io_reader r = io_fd_reader(&in);
	struct io_writer w = io_fd_writer(&out);
	auto_fd int fd = openat(dir_fd, "archive", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "copy of standard input");
	out.fd = fd;
	if (io_copy(&r, &w, err) < 0)
		return -1;
	return TAKE_FD(fd);
}

static int cmd_load_archive(
	const struct cli *c, struct opts *o, struct store *s, const char *path, struct err **err)
{
	auto_ui struct ui *ui = remote_ui(&o->remote);
	auto_oci_platform struct oci_platform platform = {0};
	auto_strlist struct strlist loaded = {0};
	struct transfer_opts t;

	if (o->platform && platformword_parse(o->platform, true, &platform, err) < 0)
		return err_rekind(err, ERR_USAGE);
	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &t);
	t.platform = o->platform ? &platform : NULL;
	remote_status(ui, "loading %s", o->input ? o->input : "standard input");
	int rc = transfer_load(s, path, &t, &loaded, err);
	ui_finish(ui);
	/* Also when a later one failed: these are in the store. */
	for (size_t i = 0; i < loaded.n; i++)
		show_line("loaded %s\n", loaded.v[i]);
	return rc;
}

static int load_stdin(const struct cli *c, struct opts *o, struct store *s, struct err **err)
{
	char name[64];
	auto_fd int dir = store_temp_dir(s, name, err), fd = -1;
	auto_free char *path = NULL;
	int status;

	if (dir < 0)
		return -1;
	path = mem_printf("/proc/self/fd/%d/archive", dir);
	fd = spool(dir, err);
	status = fd < 0 ? -1 : cmd_load_archive(c, o, s, path, err);
	store_discard(s, name);
	return status;
}

static int cmd_load_run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	auto_store struct store *s = NULL;

	(void)operands;
	if (o->input && strcmp(o->input, "-") == 0)
		o->input = NULL;
	if (!o->input && isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, "no archive given");
		return err_hint(err, "use -i FILE");
	}
	s = store_open(c->root, err);
	if (!s)
		return -1;
	return o->input ? cmd_load_archive(c, o, s, o->input, err) : load_stdin(c, o, s, err);
}

const struct cli_command cli_load = {
	.name = "load",
	.operands = "",
	.summary = "Read images from an archive",
	.details =
		"The kind of archive (docker-archive, oci-archive) is found out. All images in\n"
		"it are loaded, under all of their names; of an image without a name the digest\n"
		"is printed.\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = cmd_load_run,
};

// SPDX-License-Identifier: Apache-2.0
// bld load: an archive of `bld save`, `docker save`, `skopeo copy ... oci-archive:` into the store.
#include "builder/cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "builder/cli/remote.h"
#include "builder/cli/show.h"
#include "builder/platformword.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/tags.h"

#define LOAD_BLOCK       512
#define LOAD_MEMBERS_MAX 100000 /* headers looked at to find out what an archive is */

struct opts {
	const char *input;
	const char *platform;
	struct remote_opts remote;
};

static const struct cli_option options[] = {
	{"input", 'i', CLI_STRING, offsetof(struct opts, input), "FILE", NULL,
		"the archive (default: standard input)"},
	{"platform", 0, CLI_STRING, offsetof(struct opts, platform), "OS/ARCH", NULL,
		"which image of an index (default: all that are in the archive)"},
	REMOTE_PROGRESS_OPTIONS(struct opts, remote),
	{0},
};

/* The size field of a tar header: octal digits, or base 256 when the top bit is set. */
static uint64_t member_size(const unsigned char *field)
{
	uint64_t n = 0;

	if (field[0] & 0x80) {
		for (int i = 4; i < 12; i++)
			n = n << 8 | field[i];
		return n;
	}
	for (int i = 0; i < 12 && field[i] >= '0' && field[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(field[i] - '0');
	return n;
}

/*
 * Which transport reads the archive: docker's has a manifest.json, the other one an oci-layout;
 * with both, docker's goes first, as it has full names. NULL: neither was seen, it is compressed,
 * say. Only a guess: the transport trusts nothing of it.
 */
static const char *guess_format(int fd)
{
	const char *format = NULL;
	uint64_t at = 0;

	for (int i = 0; i < LOAD_MEMBERS_MAX; i++) {
		unsigned char h[LOAD_BLOCK];
		const char *name = (const char *)h;

		if (fs_pread_all(fd, h, sizeof h, at) < 0 || memcmp(h + 257, "ustar", 5) != 0)
			break;
		if (strncmp(name, "./", 2) == 0)
			name += 2;
		if (strncmp(name, "manifest.json", 14) == 0)
			return "docker-archive";
		if (strncmp(name, "oci-layout", 11) == 0)
			format = "oci-archive";
		if (member_size(h + 124) > INT64_MAX - at - 2 * LOAD_BLOCK)
			break;
		at += LOAD_BLOCK +
		      (member_size(h + 124) + LOAD_BLOCK - 1) / LOAD_BLOCK * LOAD_BLOCK;
	}
	return format;
}

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

static int show_names(struct store *s, const struct digest *manifest, struct err **err)
{
	auto_tags struct tags all = {0};
	char text[DIGEST_STRING];
	bool found = false;

	if (tags_list(s, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (sha256_equal(&all.v[i].manifest.digest, manifest)) {
			show_line("loaded %s\n", all.v[i].name);
			found = true;
		}
	}
	if (!found)
		printf("loaded %s\n", sha256_string(manifest, text));
	return 0;
}

static int pull(struct store *s, const char *format, const char *path,
	const struct transfer_opts *t, struct digest *d, struct err **err)
{
	auto_free char *source = mem_printf("%s:%s", format, path);

	return (t->platform ? transfer_pull : transfer_pull_all)(s, source, NULL, t, d, err);
}

/* Without a guess both are tried; of two errors the first one is told. */
static int pull_any(struct store *s, const char *format, const char *path,
	const struct transfer_opts *t, struct digest *d, struct err **err)
{
	struct err *first = NULL;

	if (format)
		return pull(s, format, path, t, d, err);
	if (pull(s, "docker-archive", path, t, d, &first) == 0)
		return 0;
	if (err_get_kind(first) != ERR_CANCELLED && pull(s, "oci-archive", path, t, d, NULL) == 0) {
		err_free(first);
		return 0;
	}
	*err = first;
	return -1;
}

static int load(const struct cli *c, struct opts *o, struct store *s, int fd, const char *path,
	struct err **err)
{
	auto_ui struct ui *ui = remote_ui(&o->remote);
	auto_oci_platform struct oci_platform platform = {0};
	struct transfer_opts t;
	struct digest d;

	if (o->platform && platformword_parse(o->platform, true, &platform, err) < 0)
		return err_rekind(err, ERR_USAGE);
	o->remote.tls_verify = -1;
	remote_transfer_opts(c, &o->remote, ui, &t);
	t.platform = o->platform ? &platform : NULL;
	remote_status(ui, "loading %s", o->input ? o->input : "standard input");
	if (pull_any(s, guess_format(fd), path, &t, &d, err) < 0)
		return -1;
	ui_finish(ui);
	return show_names(s, &d, err);
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
	status = fd < 0 ? -1 : load(c, o, s, fd, path, err);
	store_discard(s, name);
	return status;
}

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	struct opts *o = opts;
	auto_store struct store *s = NULL;
	auto_fd int fd = -1;

	(void)operands;
	if (o->input && strcmp(o->input, "-") == 0)
		o->input = NULL;
	if (o->input && strchr(o->input, ':')) {
		err_set(err, ERR_USAGE,
			"\"%s\": a colon in the name of an archive separates the image's "
			"name",
			o->input);
		return err_hint(err, "read it from standard input: bld load < FILE");
	}
	if (!o->input && isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, "no archive given");
		return err_hint(err, "use -i FILE");
	}
	if (o->input) {
		fd = open(o->input, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys_kind(err, ERR_CONTEXT, "%s", o->input);
	}
	s = store_open(c->root, err);
	if (!s)
		return -1;
	return o->input ? load(c, o, s, fd, o->input, err) : load_stdin(c, o, s, err);
}

const struct cli_command cli_load = {
	.name = "load",
	.operands = "",
	.summary = "Read an image from an archive",
	.details = "The kind of archive (docker-archive, oci-archive) is found out.\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};

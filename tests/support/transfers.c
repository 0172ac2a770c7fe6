// SPDX-License-Identifier: Apache-2.0
/*
 * The layers are made by tar and the images by mkimage.py, not by the code under test: what a
 * transfer stores or sends is compared with the work of others.
 */
#include "tests/support/transfers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"

void transfers_run(const struct transfers *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *command = mem_vprintf(fmt, ap);
	va_end(ap);
	if (fake_run("R=$PWD; cd '%s' && { %s; }", t->dir, command) != 0)
		fail_msg("failed: %s", command);
}

struct store *transfers_store(const struct transfers *t, const char *name)
{
	auto_free char *root = mem_printf("%s/%s", t->dir, name);
	struct err *err = NULL;
	struct store *s = store_open(root, &err);

	expect_good(s ? 0 : -1, &err);
	return s;
}

void transfers_init(struct transfers *t)
{
	*t = (struct transfers){.dir = fake_home("transfers")};
	t->s = transfers_store(t, "store");
	transfers_run(t,
		"mkdir -p a b/d c/d; echo one >a/one; echo two >b/two; ln -s ../a b/d/l; "
		"ln -s ../a c/d/l; head -c 400000 /dev/urandom >c/big; for i in a b c; do "
		"tar --sort=name --owner=0 --group=0 --mtime=@1000 -C $i -cf $i.tar .; done");
}

void transfers_clear(struct transfers *t)
{
	store_close(t->s);
	fake_remove(t->dir);
	free(t->dir);
	free(t->told);
	*t = (struct transfers){0};
}

void transfers_mkimage(const struct transfers *t, const char *options)
{
	transfers_run(t, "python3 $R/tests/tools/mkimage.py %s >digest", options);
}

struct digest transfers_made(const struct transfers *t)
{
	auto_free char *text = fake_read(t->dir, "digest");
	struct digest d;

	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(sha256_parse_string(text, &d), 0);
	return d;
}

static void on_event(void *ctx, const struct transfer_event *e)
{
	struct transfers *t = ctx;

	t->count[e->kind]++;
	if (e->text) {
		char *all = mem_printf("%s%s\n", t->told ? t->told : "", e->text);
		free(t->told);
		t->told = all;
	}
	if (t->may_cancel && e->kind == t->cancel_at)
		t->cancelled = 1;
}

struct transfer_opts transfers_opts(struct transfers *t)
{
	free(t->told);
	*t = (struct transfers){.dir = t->dir, .s = t->s};
	return (struct transfer_opts){.tls_verify = -1,
		.retries = 3,
		.packing.c = LAYER_GZIP,
		.event = on_event,
		.ctx = t,
		.cancelled = &t->cancelled};
}

struct digest transfers_pull(
	struct store *s, const char *source, const char *name, const struct transfer_opts *o)
{
	struct err *err = NULL;
	struct digest d = {{0}};

	expect_good(transfer_pull(s, source, name, o, &d, &err), &err);
	return d;
}

struct digest transfers_push(
	struct store *s, const char *image, const char *dest, const struct transfer_opts *o)
{
	struct image i = {0};
	struct err *err = NULL;
	struct digest d = {{0}};

	expect_good(image_open(s, image, NULL, &i, &err), &err);
	expect_good(transfer_push(s, &i, dest, o, &d, &err), &err);
	image_clear(&i);
	return d;
}

void transfers_pull_fails(
	struct transfers *t, const char *source, enum err_kind kind, const char *words)
{
	struct transfer_opts o = transfers_opts(t);
	struct err *err = NULL;
	struct digest d;

	assert_int_equal(transfer_pull(t->s, source, NULL, &o, &d, &err), -1);
	expect_error(&err, kind, words);
}

static DIR *listing(int dir_fd)
{
	DIR *d = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	assert_non_null(d);
	return d;
}

int transfers_blobs(struct store *s)
{
	DIR *d = listing(store_blobs_fd(s));
	int n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

void transfers_check_store(struct store *s)
{
	DIR *d = listing(store_tmp_fd(s));
	struct digest digest;

	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && strstr(e->d_name, "lock") == NULL)
			fail_msg("left over: %s", e->d_name);
	closedir(d);
	d = listing(store_blobs_fd(s));
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.') {
			assert_int_equal(
				sha256_parse_hex(e->d_name, strlen(e->d_name), &digest), 0);
			assert_int_equal(blob_verify(s, &digest, NULL), 1);
		}
	closedir(d);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What a prune leaves and takes. After every prune, and after one that was killed anywhere, what is
 * left must be whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/gc.h"
#include "store/lower.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/verify.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

static const struct gc_opts keep = {.keep_seconds = -1};

static size_t count(struct store *s, const char *name)
{
	return tempdir_count(store_bld_fd(s), name);
}

static size_t blobs(struct store *s)
{
	return tempdir_count(store_blobs_fd(s), ".");
}

static void run(struct store *s, const struct gc_opts *o, struct gc_report *r)
{
	struct err *e = NULL;

	if (gc_run(s, o, r, &e) < 0)
		fail_msg("%s", err_text(e));
}

/* Two images with forms of all kinds; the layers of both are in use by cache records too. */
static void fill(struct store *s, struct digest a[2], struct digest b[2])
{
	struct digest *const both[] = {a, b};
	struct oci_descriptor d = {0};
	struct digest retimed;

	images_simple(s, "localhost/a:1", a);
	images_simple(s, "localhost/b:1", b);
	for (int i = 0; i < 2; i++) {
		struct digest key = {{(uint8_t)(i + 1)}};
		char text[DIGEST_STRING];
		struct snapshot_forms dirs = {0};
		struct lowers l = {0};
		assert_int_equal(0, snapshot_lowers(s, STACK(both[i], 2), &dirs, &l, NULL));
		lower_clear_all(&l);
		assert_int_equal(
			0, packed_layer(s, &both[i][1],
				   &(struct packed_how){.packing.c = LAYER_GZIP}, &d, NULL));
		oci_descriptor_clear(&d);
		assert_int_equal(0, packed_retimed(s, &both[i][1], 5, true, &retimed, NULL));
		char *value =
			mem_printf("version 1\nlayer %s\nmore\n", sha256_string(&both[i][1], text));
		assert_int_equal(0, cache_put(s, &key, value, strlen(value), NULL));
		free(value);
	}
	/* layer "one" is the same in both: 3 layers, 2 gzip, 2 retimed, 2 configs, 2 manifests */
	assert_int_equal(11, blobs(s));
	assert_int_equal(3, count(s, "dirs"));
	assert_int_equal(4, count(s, "forms"));
}

static void test_keep_all(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];
	struct gc_report r = {0};

	fill(d->s, a, b);
	run(d->s, &keep, &r);
	/* the retimed layers are in no image */
	assert_int_equal(9, blobs(d->s));
	assert_int_equal(2, count(d->s, "forms"));
	assert_int_equal(3, count(d->s, "dirs"));
	assert_int_equal(2, count(d->s, "cache"));
	assert_int_equal(4, r.objects);
	assert_true(r.bytes > 0);
	run(d->s, &keep, &r);
	assert_int_equal(0, r.objects);
	assert_int_equal(0, r.bytes);
}

/* Without its name an image goes, but what cache records need stays. */
static void test_cache_keeps(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];
	struct gc_report r = {0};

	fill(d->s, a, b);
	assert_int_equal(1, tags_remove(d->s, "localhost/b:1", NULL));
	run(d->s, &keep, &r);
	assert_int_equal(1, blob_exists(d->s, &b[1], NULL, NULL));
	assert_int_equal(7, blobs(d->s)); /* its manifest and config are gone */
	assert_int_equal(2, count(d->s, "forms"));
	assert_int_equal(3, count(d->s, "dirs"));
	run(d->s, &(struct gc_opts){.all = true, .keep_seconds = -1}, &r);
	assert_int_equal(0, blob_exists(d->s, &b[1], NULL, NULL));
	assert_int_equal(5, blobs(d->s)); /* a: two layers, one gzip, manifest, config */
	assert_int_equal(1, count(d->s, "forms"));
	assert_int_equal(2, count(d->s, "dirs"));
	assert_int_equal(0, count(d->s, "cache"));
}

static void test_age(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2], key = {{1}};
	struct timespec old[2] = {
		{.tv_sec = now_seconds() - 1000}, {.tv_sec = now_seconds() - 1000}};
	char hex[DIGEST_HEX];

	fill(d->s, a, b);
	assert_int_equal(0, utimensat(store_dir(d->s, STORE_CACHE), sha256_hex(&key, hex), old, 0));
	run(d->s, &(struct gc_opts){.keep_seconds = 2000}, NULL);
	assert_int_equal(2, count(d->s, "cache"));
	run(d->s, &(struct gc_opts){.keep_seconds = 500}, NULL);
	assert_int_equal(1, count(d->s, "cache"));
	assert_false(tempdir_has(store_dir(d->s, STORE_CACHE), hex));
}

static void test_dry_run(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];
	struct gc_report r = {0}, real = {0};
	struct gc_opts o = {.all = true, .keep_seconds = -1, .dry_run = true};

	fill(d->s, a, b);
	assert_int_equal(1, tags_remove(d->s, "localhost/b:1", NULL));
	run(d->s, &o, &r);
	assert_int_equal(11, blobs(d->s));
	assert_int_equal(3, count(d->s, "dirs"));
	o.dry_run = false;
	run(d->s, &o, &real);
	assert_int_equal(r.objects, real.objects);
	assert_int_equal(r.bytes, real.bytes);
}

static void test_trash(void **state)
{
	struct storedir *d = *state;
	char name[64];
	struct gc_report r = {0};

	for (int i = 0; i < 3; i++) {
		int fd = store_temp_dir(d->s, name, NULL);
		assert_int_equal(0, fs_mkdirs(fd, "upper/a/b", 0700));
		tempdir_write(fd, "upper/a/f", "x");
		close(fd);
		store_discard(d->s, name);
	}
	assert_int_equal(0, fs_mkdirs(store_dir(d->s, STORE_MOUNTS), "m/x", 0700));
	tempdir_write(store_blobs_fd(d->s), "README", "not ours");
	assert_int_equal(3, count(d->s, "trash"));
	run(d->s, &keep, &r);
	assert_int_equal(3, r.objects);
	assert_int_equal(0, count(d->s, "trash"));
	assert_int_equal(1, count(d->s, "mounts"));
	run(d->s, &(struct gc_opts){.all = true, .keep_seconds = -1}, &r);
	assert_int_equal(0, count(d->s, "mounts"));
	assert_true(tempdir_has(store_blobs_fd(d->s), "README"));
}

/* In a child that may read only what modes allow: is the size said to be one of some? */
static bool says_at_least(struct store *s, const struct gc_opts *o)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	struct gc_report r = {0};

	return syscall(SYS_capset, &head, none) == 0 && gc_run(s, o, &r, NULL) == 0 &&
	       r.objects == 1 && r.at_least;
}

/* What cannot be read is removed; its size is not made up. */
static void test_unreadable(void **state)
{
	struct storedir *d = *state;
	struct gc_report r = {0};
	char name[64];
	int status;

	int fd = store_temp_dir(d->s, name, NULL);
	assert_int_equal(0, fs_mkdirs(fd, "upper/a", 0700));
	assert_int_equal(0, fchmodat(fd, "upper", 0, 0));
	close(fd);
	store_discard(d->s, name);
	for (int dry = 1; dry >= 0; dry--) {
		struct gc_opts o = {.keep_seconds = -1, .dry_run = dry};
		pid_t pid = fork();
		if (pid == 0)
			_exit(says_at_least(d->s, &o) ? 0 : 1);
		assert_int_equal(pid, waitpid(pid, &status, 0));
		assert_int_equal(0, status);
		assert_int_equal(dry, count(d->s, "trash"));
	}
	run(d->s, &keep, &r);
	assert_false(r.at_least);
}

static void test_busy(void **state)
{
	struct storedir *d = *state;
	struct store *other = storedir_again(d);
	auto_err struct err *e = NULL;

	assert_int_equal(-1, gc_run(d->s, &keep, NULL, &e));
	assert_int_equal(ERR_SYS, err_get_kind(e));
	assert_int_equal(0,
		gc_run(d->s, &(struct gc_opts){.keep_seconds = -1, .dry_run = true}, NULL, NULL));
	store_close(other);
	assert_int_equal(0, gc_run(d->s, &keep, NULL, NULL));
}

/* An index.json that cannot be read must not look like "no images", nor one that is lost with the
 * one before it. */
static void test_damaged_index(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];

	fill(d->s, a, b);
	tempdir_write(store_root_fd(d->s), "index.json", "{");
	assert_int_equal(-1, gc_run(d->s, &keep, NULL, NULL));
	assert_int_equal(11, blobs(d->s));
	tempdir_write(store_root_fd(d->s), "index.json", "");
	tempdir_write(store_bld_fd(d->s), "index.last", "");
	assert_int_equal(-1, gc_run(d->s, &keep, NULL, NULL));
	assert_int_equal(11, blobs(d->s));
}

/* A file in bld/tmp itself has no owner; the directory of a process has one. */
static void test_tmp(void **state)
{
	struct storedir *d = *state;
	struct gc_report r = {0};

	tempdir_write(store_tmp_fd(d->s), "mine", "x");
	tempdir_write(store_dir(d->s, STORE_TMP), "f.1.2", "x");
	assert_int_equal(0, fs_mkdirs(store_dir(d->s, STORE_TMP), "d.1.2/upper", 0700));
	run(d->s, &keep, &r);
	assert_int_equal(2, r.objects);
	assert_true(tempdir_has(store_tmp_fd(d->s), "mine"));
	assert_int_equal(2, tempdir_count(store_dir(d->s, STORE_TMP), "."));
}

/* An index of 4096 times the same index, six deep, with an image at the end. */
static void test_nested_index(void **state)
{
	struct storedir *d = *state;
	struct oci_descriptor of = {0};
	struct verify_report r = {0};
	const struct verify_opts o = {0};
	struct digest one[2];

	images_simple(d->s, "localhost/a:1", one);
	assert_int_equal(1, tags_find(d->s, "localhost/a:1", &of, NULL));
	for (int depth = 0; depth < 6; depth++) {
		struct oci_index x = {.nmanifests = OCI_INDEX_MAX};
		size_t n;
		x.manifests = mem_array(x.nmanifests, sizeof *x.manifests);
		for (size_t i = 0; i < x.nmanifests; i++)
			oci_descriptor_copy(&x.manifests[i], &of);
		char *text = oci_index_dump(&x, &n);
		free(of.media_type);
		of.media_type = mem_strdup(OCI_MEDIA_INDEX);
		of.size = n;
		assert_int_equal(0, blob_put(d->s, text, n, &of.digest, NULL));
		free(text);
		oci_index_clear(&x);
	}
	const char *name = "localhost/nested:1";
	assert_int_equal(0, tags_set(d->s, &name, 1, &of, NULL));
	assert_int_equal(1, tags_remove(d->s, "localhost/a:1", NULL));
	run(d->s, &keep, NULL);
	assert_int_equal(6 + 4, blobs(d->s));
	assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
	assert_int_equal(0, r.problems);
	oci_descriptor_clear(&of);
}

/* What is left after any prune is whole. */
static void test_verify_after(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];
	struct verify_report r = {0};
	const struct verify_opts o = {0};

	fill(d->s, a, b);
	assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
	assert_int_equal(0, r.problems);
	assert_int_equal(1, tags_remove(d->s, "localhost/b:1", NULL));
	run(d->s, &keep, NULL);
	assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
	assert_int_equal(0, r.problems);
	run(d->s, &(struct gc_opts){.all = true, .keep_seconds = -1}, NULL);
	assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
	assert_int_equal(0, r.problems);
	assert_int_equal(5, r.blobs);
	assert_int_equal(2, r.dirs);
}

/* Killed anywhere in a prune: what is left is whole, and the next prune ends the work. */
static void test_kill(void **state)
{
	struct storedir *d = *state;
	struct digest a[2], b[2];
	struct verify_report r = {0};
	const struct verify_opts o = {0};
	const struct gc_opts all = {.all = true, .keep_seconds = -1};

	for (unsigned round = 0; round < 15; round++) {
		fill(d->s, a, b);
		assert_int_equal(1, tags_remove(d->s, "localhost/b:1", NULL));
		store_close(d->s);
		pid_t pid = fork();
		if (pid == 0) {
			struct store *s = storedir_again(d);
			gc_run(s, &all, NULL, NULL);
			store_close(s);
			_exit(0);
		}
		usleep(300 + round * 250);
		kill(pid, SIGKILL);
		assert_int_equal(pid, waitpid(pid, NULL, 0));
		d->s = storedir_again(d);
		assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
		assert_int_equal(0, r.problems);
		run(d->s, &all, NULL);
		assert_int_equal(5, blobs(d->s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep_all, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_cache_keeps, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_age, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_dry_run, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_trash, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_tmp, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_nested_index, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_busy, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_damaged_index, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_kill, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			test_verify_after, storedir_setup, storedir_teardown),
	};
	if (geteuid() != 0) {
		puts("ok 1 - gc # skip unpacking a layer sets owners, which only root may");
		return 0;
	}
	return cmocka_run_group_tests_name("gc", tests, NULL, NULL);
}

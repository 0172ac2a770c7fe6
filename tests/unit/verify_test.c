// SPDX-License-Identifier: Apache-2.0
/*
 * "bld verify": one damage at a time, what is said of it, and what --repair leaves. What vanishes
 * during the check is no fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/verify.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"
#include "tests/support/tempdir.h"

#define NAME "localhost/app:1"

struct findings {
	char text[4096];
};

static void note(void *ctx, const char *text)
{
	struct findings *f = ctx;
	size_t n = strlen(f->text);

	snprintf(f->text + n, sizeof f->text - n, "%s\n", text);
}

static uint64_t run(struct store *s, bool repair, struct findings *f)
{
	struct verify_report r = {0};
	struct verify_opts o = {.repair = repair, .finding = note, .ctx = f};
	struct err *e = NULL;

	memset(f, 0, sizeof *f);
	if (verify_run(s, &o, &r, &e) < 0)
		fail_msg("%s", err_text(e));
	return r.problems;
}

static void fill(struct store *s, struct digest id[2])
{
	struct snapshot_forms dirs = {0};
	auto_lowers struct lowers l = {0};
	char text[DIGEST_STRING];
	struct digest key = {{1}};
	struct oci_descriptor d = {0};

	images_simple(s, NAME, id);
	assert_int_equal(0, snapshot_lowers(s, STACK(id, 2), &dirs, &l, NULL));
	assert_int_equal(0,
		packed_layer(s, &id[0], &(struct packed_how){.packing.c = LAYER_GZIP}, &d, NULL));
	oci_descriptor_clear(&d);
	char *value = mem_printf("layer %s\n", sha256_string(&id[0], text));
	assert_int_equal(0, cache_put(s, &key, value, strlen(value), NULL));
	free(value);
}

static void test_clean(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2];

	assert_int_equal(0, run(d->s, false, &f));
	fill(d->s, id);
	assert_int_equal(0, run(d->s, false, &f));
	assert_string_equal("", f.text);
	assert_int_equal(0, run(d->s, true, &f));
	assert_int_equal(0, run(d->s, false, &f));
}

static void test_blob(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2];
	char want[200], text[DIGEST_STRING];

	fill(d->s, id);
	storedir_damage(d->s, &id[1]);
	assert_true(run(d->s, false, &f) > 0);
	snprintf(want, sizeof want, "blob %s: its content does not match its digest\n",
		sha256_string(&id[1], text));
	assert_non_null(strstr(f.text, want));
	assert_true(run(d->s, true, &f) > 0);
	assert_int_equal(0, blob_exists(d->s, &id[1], NULL, NULL));
	snprintf(want, sizeof want, "image " NAME ": layer %s is missing\n", text);
	assert_non_null(strstr(f.text, want));
	/* the directory of a layer that is gone cannot be checked: dropped */
	assert_int_equal(1, tempdir_count(store_bld_fd(d->s), "dirs"));
	/* only what cannot be made again is left */
	assert_int_equal(1, run(d->s, true, &f));
	assert_string_equal(want, f.text);
}

/* The plain tar is damaged but its compressed form is here: it is made again. */
static void test_made_again(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2];

	fill(d->s, id);
	storedir_damage(d->s, &id[0]);
	assert_true(run(d->s, true, &f) > 0);
	int fd = snapshot_tar(d->s, &id[0], NULL, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(0, run(d->s, false, &f));
}

static void test_dir(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2];
	char hex[DIGEST_HEX], path[200];

	fill(d->s, id);
	snprintf(path, sizeof path, "%s/upper/one", sha256_hex(&id[0], hex));
	tempdir_write(store_dir(d->s, STORE_DIRS), path, "2");
	assert_int_equal(1, run(d->s, false, &f));
	assert_non_null(strstr(f.text, "layer directory "));
	assert_int_equal(1, run(d->s, true, &f));
	assert_int_equal(0, run(d->s, false, &f));
	assert_int_equal(1, tempdir_count(store_bld_fd(d->s), "dirs"));
}

struct taker {
	struct store *s;
	unsigned findings;
};

/* Somebody takes the rest away while the first one is looked at. */
static void take_away(void *ctx, const char *text)
{
	static const enum store_dir dirs[] = {STORE_DIRS, STORE_EROFS};
	struct taker *t = ctx;
	char hex[DIGEST_HEX];

	t->findings++;
	for (uint8_t i = 0; i < 3; i++)
		fs_remove_tree(store_dir(t->s, dirs[strncmp(text, "EROFS", 5) == 0]),
			sha256_hex(&(struct digest){{i}}, hex));
}

static void test_vanish(void **state)
{
	struct storedir *d = *state;
	struct taker t = {.s = d->s};
	const struct verify_opts o = {.finding = take_away, .ctx = &t};
	struct verify_report r = {0};
	char hex[DIGEST_HEX];

	for (uint8_t i = 0; i < 3; i++) {
		const char *name = sha256_hex(&(struct digest){{i}}, hex);
		assert_int_equal(0, mkdirat(store_dir(d->s, STORE_DIRS), name, 0700));
		assert_int_equal(0, mkdirat(store_dir(d->s, STORE_EROFS), name, 0700));
	}
	assert_int_equal(0, verify_run(d->s, &o, &r, NULL));
	assert_int_equal(2, r.problems);
	assert_int_equal(2, t.findings);
}

static void test_records(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2], key = {{1}}, other = {{2}};
	char hex[DIGEST_HEX], name[200];

	fill(d->s, id);
	tempdir_write(store_dir(d->s, STORE_CACHE), sha256_hex(&key, hex), "junk");
	char *value = mem_printf("layer sha256:%s\n", sha256_hex(&other, hex));
	assert_int_equal(0, cache_put(d->s, &other, value, strlen(value), NULL));
	free(value);
	snprintf(name, sizeof name, "%s.gzip", hex);
	tempdir_write(store_dir(d->s, STORE_FORMS), name, "junk");
	assert_int_equal(0, fs_mkdirs(store_dir(d->s, STORE_DIRS), "x\n", 0700));
	/* the record of a layer that is gone is stale, not wrong */
	assert_int_equal(3, run(d->s, false, &f));
	assert_non_null(strstr(f.text, ": damaged\n"));
	assert_non_null(strstr(f.text, "bld/dirs/x\\x0a"));
	assert_int_equal(3, run(d->s, true, &f));
	assert_int_equal(1, run(d->s, true, &f)); /* a foreign name is not ours to remove */
	assert_int_equal(1, tempdir_count(store_bld_fd(d->s), "cache"));
}

static void test_config(void **state)
{
	struct storedir *d = *state;
	struct findings f;
	struct digest id[2];
	struct image i = {0};

	fill(d->s, id);
	assert_int_equal(0, image_open(d->s, NAME, NULL, &i, NULL));
	assert_int_equal(0, blob_remove(d->s, &i.manifest.config.digest));
	assert_int_equal(1, run(d->s, false, &f));
	assert_non_null(strstr(f.text, "image " NAME ": no blob sha256:"));
	assert_int_equal(0, blob_remove(d->s, &i.manifest_digest));
	assert_int_equal(1, run(d->s, false, &f));
	image_clear(&i);
	tempdir_write(store_root_fd(d->s), "index.json", "{");
	assert_int_equal(1, run(d->s, false, &f));
	assert_non_null(strstr(f.text, "index.json"));
	tempdir_write(store_blobs_fd(d->s), "zz\x1b", "");
	assert_int_equal(2, run(d->s, false, &f));
	assert_non_null(strstr(f.text, "blobs/sha256/zz\\x1b: not the name of an object"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clean, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_blob, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_made_again, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_dir, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_vanish, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_records, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_config, storedir_setup, storedir_teardown),
	};
	if (geteuid() != 0) {
		puts("ok 1 - verify # skip unpacking a layer sets owners, which only root may");
		return 0;
	}
	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Indexes of images: resolved, read, written up to the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/imageindex.h"
#include "store/tags.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"

#define NAME "docker.io/library/app:latest"

/* An index of one image, tagged as `name`. */
static void make(struct store *s, const char *name, const struct digest *manifest,
	struct oci_descriptor *out)
{
	auto_oci_index struct oci_index x = {0};
	const char *names[] = {name};
	struct err *e = NULL;

	x.manifests = mem_array(1, sizeof *x.manifests);
	x.nmanifests = 1;
	assert_int_equal(0, imageindex_entry(s, manifest, &x.manifests[0], &e));
	strlist_add(&x.annotations, "k=v");
	assert_int_equal(0, imageindex_write(s, &x, out, &e));
	assert_int_equal(0, tags_set(s, names, 1, out, &e));
}

static void resolves(struct store *s, const char *text, int kind, const struct digest *want,
	const char *want_name)
{
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_free char *name = NULL;
	struct err *e = NULL;
	int r = imageindex_resolve(s, text, &d, &name, &e);

	if (r != kind)
		fail_msg("%s: %d: %s", text, r, e ? err_text(e) : "");
	assert_true(sha256_equal(want, &d.digest));
	if (want_name)
		assert_string_equal(want_name, name);
	else
		assert_null(name);
}

static void test_resolve(void **state)
{
	struct storedir *dir = *state;
	struct digest ids[2];
	auto_oci_descriptor struct oci_descriptor image = {0}, index = {0};
	auto_err struct err *e = NULL;
	auto_free char *by_digest = NULL;
	auto_free char *full = NULL;
	char text[DIGEST_STRING];

	images_simple(dir->s, NAME, ids);
	assert_int_equal(1, tags_find(dir->s, NAME, &image, &e));
	make(dir->s, "docker.io/library/both:latest", &image.digest, &index);
	resolves(dir->s, "app", 0, &image.digest, NAME);
	resolves(dir->s, sha256_string(&image.digest, text), 0, &image.digest, NULL);
	resolves(dir->s, "both", 1, &index.digest, "docker.io/library/both:latest");
	resolves(dir->s, sha256_string(&index.digest, text), 1, &index.digest, NULL);
	by_digest = mem_printf("both@%s", text);
	full = mem_printf("docker.io/library/both@%s", text);
	resolves(dir->s, by_digest, 1, &index.digest, full);
}

static void test_not_there(void **state)
{
	struct storedir *dir = *state;
	static const char *const texts[] = {"nothing", "sha256:12", "0123456789ab", "a b", ""};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_oci_descriptor struct oci_descriptor d = {0};
		auto_err struct err *e = NULL;

		assert_int_equal(-1, imageindex_resolve(dir->s, texts[i], &d, NULL, &e));
		assert_true(err_get_kind(e) == ERR_NOT_FOUND || err_get_kind(e) == ERR_USAGE);
	}
}

static void test_read(void **state)
{
	struct storedir *dir = *state;
	struct digest ids[2], d;
	auto_oci_descriptor struct oci_descriptor image = {0}, index = {0};
	auto_oci_index struct oci_index x = {0}, none = {0};
	auto_err struct err *e = NULL;

	images_simple(dir->s, NAME, ids);
	assert_int_equal(1, tags_find(dir->s, NAME, &image, &e));
	make(dir->s, NAME, &image.digest, &index);
	assert_string_equal(OCI_MEDIA_INDEX, index.media_type);
	assert_int_equal(0, imageindex_read(dir->s, &index.digest, &x, &e));
	assert_int_equal(1, x.nmanifests);
	assert_int_equal(image.size, x.manifests[0].size);
	assert_true(sha256_equal(&image.digest, &x.manifests[0].digest));
	assert_string_equal("k=v", x.annotations.v[0]);
	assert_int_equal(0, blob_put(dir->s, "{\"manifests\":3}", 15, &d, &e));
	assert_int_equal(-1, imageindex_read(dir->s, &d, &none, &e));
	assert_int_equal(ERR_CORRUPT, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "index sha256:"));
}

static void test_too_many(void **state)
{
	struct storedir *dir = *state;
	auto_oci_index struct oci_index x = {0};
	auto_oci_descriptor struct oci_descriptor d = {0};
	auto_err struct err *e = NULL;

	x.nmanifests = OCI_INDEX_MAX + 1;
	x.manifests = mem_alloc(x.nmanifests * sizeof *x.manifests);
	for (size_t i = 0; i < x.nmanifests; i++)
		x.manifests[i].media_type = mem_strdup(OCI_MEDIA_MANIFEST);
	assert_int_equal(-1, imageindex_write(dir->s, &x, &d, &e));
	assert_int_equal(ERR_LIMIT, err_get_kind(e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_resolve, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_not_there, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_read, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_too_many, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("imageindex", tests, NULL, NULL);
}

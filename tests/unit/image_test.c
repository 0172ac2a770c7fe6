// SPDX-License-Identifier: Apache-2.0
/*
 * From a text to an image: names, digests, IDs and their beginnings, indexes; and that writing the
 * same image twice gives the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "store/tags.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"

#define NAME "docker.io/library/app:latest"

static void opens(struct store *s, const char *text, const char *name)
{
	struct image i = {0};
	struct err *e = NULL;

	if (image_open(s, text, NULL, &i, &e) < 0)
		fail_msg("%s: %s", text, err_text(e));
	assert_int_equal(2, i.config.ndiff_ids);
	assert_int_equal(2, i.manifest.nlayers);
	assert_string_equal(OCI_MEDIA_LAYER, i.manifest.layers[1].media_type);
	assert_true(sha256_equal(&i.manifest.layers[1].digest, &i.config.diff_ids[1]));
	if (name)
		assert_string_equal(name, i.name);
	else
		assert_null(i.name);
	image_clear(&i);
}

static void fails(struct store *s, const char *text, enum err_kind kind, const char *words)
{
	struct image i = {0};
	auto_err struct err *e = NULL;

	assert_int_equal(-1, image_open(s, text, NULL, &i, &e));
	if (kind != err_get_kind(e) || !strstr(err_text(e), words))
		fail_msg("%s: %s", text, err_text(e));
}

static void test_open(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct image i = {0};
	char text[DIGEST_STRING], *long_name;

	images_simple(d->s, NAME, id);
	opens(d->s, "app", NAME);
	opens(d->s, "app:latest", NAME);
	opens(d->s, NAME, NAME);
	assert_int_equal(0, image_open(d->s, "app", NULL, &i, NULL));
	sha256_string(&i.manifest_digest, text);
	opens(d->s, text, NULL);
	long_name = mem_printf("app@%s", text);
	char *full = mem_printf("docker.io/library/app@%s", text);
	opens(d->s, long_name, full);
	free(long_name);
	free(full);
	sha256_string(&i.manifest.config.digest, text);
	opens(d->s, text, NULL);
	opens(d->s, text + 7, NULL);
	text[7 + 12] = '\0';
	opens(d->s, text + 7, NULL);
	text[7 + 5] = '\0';
	fails(d->s, text + 7, ERR_NOT_FOUND, "no image");
	/* without its name it is still there by ID */
	assert_int_equal(1, tags_remove(d->s, NAME, NULL));
	fails(d->s, "app", ERR_NOT_FOUND, "no image app in the store");
	sha256_string(&i.manifest.config.digest, text);
	opens(d->s, text, NULL);
	text[7 + 12] = '\0';
	opens(d->s, text + 7, NULL);
	image_clear(&i);
}

static void test_fails(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], junk;
	char text[DIGEST_STRING];

	images_simple(d->s, NAME, id);
	fails(d->s, "other", ERR_NOT_FOUND, "no image other");
	fails(d->s, "Bad", ERR_USAGE, "lower-case");
	fails(d->s, "sha256:12", ERR_USAGE, "64");
	fails(d->s, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		ERR_NOT_FOUND, "no image sha256:e3b0");
	fails(d->s, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		ERR_NOT_FOUND, "no image e3b0");
	assert_int_equal(0, blob_put(d->s, "{\"x\":1}", 7, &junk, NULL));
	fails(d->s, sha256_string(&junk, text), ERR_CORRUPT, "neither");
}

static void test_ambiguous(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct image i = {0};
	char name[64], prefix[DIGEST_HEX];
	struct oci_descriptor out = {0};

	/* IDs that share six digits are too rare to make: the same ID twice is not ambiguous */
	images_simple(d->s, NAME, id);
	images_make(d->s, "docker.io/library/b:1", id, 2, &out);
	oci_descriptor_clear(&out);
	for (int k = 0; k < 2; k++) {
		snprintf(name, sizeof name, "docker.io/library/%s", k ? "b:1" : "app:latest");
		assert_int_equal(0, image_open(d->s, name, NULL, &i, NULL));
		sha256_hex(&i.manifest.config.digest, prefix);
		prefix[8] = '\0';
		image_clear(&i);
		opens(d->s, prefix, NULL);
	}
}

static void test_index(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct oci_index x = {.media_type = mem_strdup(OCI_MEDIA_INDEX)};
	struct oci_descriptor out = {0}, top = {0};
	struct oci_platform other = {0};
	struct image i = {0};
	const char *name = "docker.io/library/multi:latest";
	auto_err struct err *e = NULL;
	size_t n;

	images_simple(d->s, NAME, id);
	images_make(d->s, NULL, id, 2, &out);
	x.manifests = mem_array(1, sizeof *x.manifests);
	oci_descriptor_copy(&x.manifests[x.nmanifests++], &out);
	char *text = oci_index_dump(&x, &n);
	top.media_type = mem_strdup(OCI_MEDIA_INDEX);
	top.size = n;
	assert_int_equal(0, blob_put(d->s, text, n, &top.digest, NULL));
	assert_int_equal(0, tags_set(d->s, &name, 1, &top, NULL));
	opens(d->s, "multi", name);
	assert_int_equal(0, oci_platform_parse("linux/s390x", &other, NULL));
	assert_int_equal(-1, image_open(d->s, "multi", &other, &i, &e));
	assert_int_equal(ERR_NOT_FOUND, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "no image for platform linux/s390x"));
	free(text);
	oci_index_clear(&x);
	oci_platform_clear(&other);
	oci_descriptor_clear(&out);
	oci_descriptor_clear(&top);
}

/* Writing the same image twice gives the same bytes, and layers of a base keep their descriptors.
 */
static void test_write(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], config;
	struct oci_descriptor a = {0}, b = {0}, layers[2] = {{0}, {0}};
	struct image i = {0};

	images_simple(d->s, NAME, id);
	images_make(d->s, NULL, id, 2, &a);
	images_make(d->s, NULL, id, 2, &b);
	assert_true(sha256_equal(&a.digest, &b.digest));
	assert_true(a.has_platform);
	oci_descriptor_clear(&b);
	assert_int_equal(0, image_open_manifest(d->s, &a.digest, &i, NULL));
	assert_int_equal(a.size, i.manifest_size);
	oci_descriptor_copy(&layers[0], &i.manifest.layers[0]);
	oci_descriptor_copy(&layers[1], &i.manifest.layers[1]);
	free(layers[0].media_type);
	layers[0].media_type = mem_strdup(OCI_MEDIA_DOCKER_LAYER_GZIP);
	struct strlist notes = {0};
	strlist_add(&notes, "k=v");
	assert_int_equal(
		0, image_write(d->s, &i.config, layers, &(struct image_form){.annotations = &notes},
			   &b, &config, NULL));
	assert_true(sha256_equal(&config, &i.manifest.config.digest));
	image_clear(&i);
	assert_int_equal(0, image_open_manifest(d->s, &b.digest, &i, NULL));
	assert_string_equal(OCI_MEDIA_LAYER_GZIP, i.manifest.layers[0].media_type);
	assert_string_equal("v", strlist_get_kv(&i.manifest.annotations, "k"));
	image_clear(&i);
	strlist_clear(&notes);
	oci_descriptor_clear(&layers[0]);
	oci_descriptor_clear(&layers[1]);
	oci_descriptor_clear(&a);
	oci_descriptor_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_fails, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_ambiguous, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_index, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_write, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Compressed layers: made once, found again, and forgotten when what is found is another layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "store/blob.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/store.h"
#include "tests/support/images.h"
#include "tests/support/storedir.h"
#include "store/tree/tree.h"
#include "tests/support/tempdir.h"

static void stack(struct store *s, struct digest diff_ids[2])
{
	images_simple(s, "localhost/app:latest", diff_ids);
}

static size_t count(struct store *s, const char *name)
{
	return tempdir_count(store_bld_fd(s), name);
}

static void test_compressed(void **state)
{
	static const struct {
		enum layer_compression c;
		const char *type;
	} t[] = {{LAYER_GZIP, OCI_MEDIA_LAYER_GZIP},
		{LAYER_ZSTD, "application/vnd.oci.image.layer.v1.tar+zstd"}};
	struct storedir *d = *state;
	struct digest id[2];
	struct oci_descriptor a = {0}, b = {0};
	struct err *e = NULL;

	stack(d->s, id);
	assert_int_equal(0,
		packed_layer(d->s, &id[0], &(struct packed_how){.packing.c = LAYER_PLAIN}, &a, &e));
	assert_string_equal(OCI_MEDIA_LAYER, a.media_type);
	assert_true(sha256_equal(&id[0], &a.digest));
	oci_descriptor_clear(&a);
	for (int i = 0; i < 2; i++) {
		uint64_t size;
		if (packed_layer(d->s, &id[0], &(struct packed_how){.packing.c = t[i].c}, &a, &e) <
			0)
			fail_msg("%s", err_text(e));
		assert_string_equal(t[i].type, a.media_type);
		assert_int_equal(1, blob_exists(d->s, &a.digest, &size, NULL));
		assert_int_equal(size, a.size);
		assert_int_equal(i + 1, count(d->s, "forms"));
		assert_int_equal(0, packed_layer(d->s, &id[0],
					    &(struct packed_how){.packing.c = t[i].c}, &b, &e));
		assert_true(sha256_equal(&a.digest, &b.digest));
		/* lost and made again: the same bytes */
		assert_int_equal(0, blob_remove(d->s, &a.digest));
		oci_descriptor_clear(&b);
		assert_int_equal(0, packed_layer(d->s, &id[0],
					    &(struct packed_how){.packing.c = t[i].c}, &b, &e));
		assert_true(sha256_equal(&a.digest, &b.digest));
		oci_descriptor_clear(&b);
		/* the plain tar comes back from the compressed form */
		assert_int_equal(0, blob_remove(d->s, &id[0]));
		assert_int_equal(1, packed_exists(d->s, &id[0], NULL));
		int fd = packed_tar(d->s, &id[0], &size, &e);
		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(1, blob_verify(d->s, &id[0], NULL));
		oci_descriptor_clear(&a);
	}
}

/* A blob that is remembered but is not this layer: refused, and forgotten. */
static void test_poisoned(void **state)
{
	struct storedir *d = *state;
	struct digest id[2];
	struct oci_descriptor a = {0};
	auto_err struct err *e = NULL;

	stack(d->s, id);
	assert_int_equal(0, packed_layer(d->s, &id[1],
				    &(struct packed_how){.packing.c = LAYER_GZIP}, &a, NULL));
	assert_int_equal(0, packed_remember(d->s, &id[0], LAYER_GZIP, &a.digest, NULL));
	oci_descriptor_clear(&a);
	assert_int_equal(0, blob_remove(d->s, &id[0]));
	assert_int_equal(-1, packed_tar(d->s, &id[0], NULL, &e));
	assert_int_equal(ERR_CORRUPT, err_get_kind(e));
	assert_non_null(strstr(err_text(e), "digest is"));
	assert_int_equal(0, packed_exists(d->s, &id[0], NULL));
	assert_int_equal(0, tempdir_count(store_tmp_fd(d->s), "."));
}

static void test_retimed(void **state)
{
	struct storedir *d = *state;
	struct digest id[2], set, clamp, again;
	struct layer_tree *t;
	struct layer_entry entry;

	stack(d->s, id);
	assert_int_equal(0, packed_retimed(d->s, &id[0], 5, true, &set, NULL));
	assert_int_equal(0, packed_retimed(d->s, &id[0], 2000, false, &clamp, NULL));
	assert_true(sha256_equal(&clamp, &id[0])); /* nothing is later than that */
	assert_false(sha256_equal(&set, &id[0]));
	assert_int_equal(0, packed_retimed(d->s, &id[0], 5, true, &again, NULL));
	assert_true(sha256_equal(&set, &again));
	assert_int_equal(2, count(d->s, "forms"));
	assert_int_equal(0, blob_remove(d->s, &set));
	assert_int_equal(0, packed_retimed(d->s, &id[0], 5, true, &again, NULL));
	assert_int_equal(1, blob_exists(d->s, &set, NULL, NULL));
	t = layer_tree_new();
	assert_int_equal(0, layer_tree_apply(t, packed_tar(d->s, &set, NULL, NULL), NULL));
	layer_node_entry(layer_tree_lookup(t, "one", true, NULL, NULL), &entry);
	assert_int_equal(5, entry.mtime);
	layer_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compressed, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_poisoned, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_retimed, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Media types of a push: what a registry refuses, and what Docker's types make of an image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/image.h"
#include "store/imageindex.h"
#include "store/oci/oci.h"
#include "store/packed.h"
#include "store/store.h"
#include "store/transport/transfer.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"
#include "tests/support/images.h"
#include "tests/support/transfers.h"

static struct fake F;
static struct transfers T;

static struct transfer_opts opts(enum transfer_types types)
{
	struct transfer_opts o = transfers_opts(&T);

	o.tls_verify = 0;
	o.retries = TRANSFER_NO_RETRIES;
	o.types = types;
	return o;
}

static int setup(void **state)
{
	(void)state;
	transfers_init(&T);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	transfers_clear(&T);
	return 0;
}

/* All blobs are there; the first manifest (%s) gets an answer of its own. */
static void serve(const char *first)
{
	fake_startf(&F, "HEAD .*/blobs/.*\n%s%sPUT .*/manifests/.* 201", first, *first ? "\n" : "");
}

static char *dest(void)
{
	return mem_printf("%s/team/app:v1", F.host);
}

/* How many manifests of this type were sent? */
static int sent(const char *type)
{
	char *header = mem_printf("\"Content-Type\": \"%s\"", type);
	int n = fake_count(&F, "\"PUT\"", header);

	free(header);
	return n;
}

static bool noted(const char *words)
{
	return T.told && strstr(T.told, words);
}

struct made {
	bool annotated, zstd;
	const char *layer_type; /* instead of its own */
};

/* An image of two layers. */
static void make(struct made how, struct oci_descriptor *d)
{
	struct digest diff_ids[2];
	struct oci_config c;
	struct oci_descriptor layers[2] = {0};
	struct strlist annotations = {0};
	struct image_form form = {.annotations = &annotations};
	struct err *err = NULL;

	images_simple(T.s, "base", diff_ids);
	oci_config_init(&c);
	oci_platform_host(&c.platform);
	for (int i = 0; i < 2; i++) {
		struct packed_how as = {.packing.c = how.zstd ? LAYER_ZSTD : LAYER_GZIP};

		oci_config_add_diff_id(&c, &diff_ids[i]);
		expect_good(packed_layer(T.s, &diff_ids[i], &as, &layers[i], &err), &err);
	}
	if (how.layer_type) {
		free(layers[1].media_type);
		layers[1].media_type = mem_strdup(how.layer_type);
	}
	if (how.annotated) {
		strlist_add(&annotations, "a=b");
		strlist_add(&layers[0].annotations, "c=d");
	}
	expect_good(image_write(T.s, &c, layers, &form, d, NULL, &err), &err);
	for (int i = 0; i < 2; i++)
		oci_descriptor_clear(&layers[i]);
	strlist_clear(&annotations);
	oci_config_clear(&c);
}

static int push(const struct oci_descriptor *d, const struct transfer_opts *o, struct digest *out,
	struct err **err)
{
	struct image i = {0};
	char *to = dest();

	expect_good(image_open_manifest(T.s, &d->digest, &i, err), err);
	int rc = transfer_push(T.s, &i, to, o, out, err);
	image_clear(&i);
	free(to);
	return rc;
}

/* What the push says it sent is a manifest of Docker's types throughout. */
static void is_docker(const struct digest *d)
{
	struct image i = {0};
	struct err *err = NULL;

	expect_good(image_open_manifest(T.s, d, &i, &err), &err);
	assert_string_equal(i.manifest.media_type, OCI_MEDIA_DOCKER_MANIFEST);
	assert_string_equal(i.manifest.config.media_type, OCI_MEDIA_DOCKER_CONFIG);
	for (size_t k = 0; k < i.manifest.nlayers; k++) {
		assert_string_equal(i.manifest.layers[k].media_type, OCI_MEDIA_DOCKER_LAYER_GZIP);
		assert_int_equal(i.manifest.layers[k].annotations.n, 0);
	}
	assert_int_equal(i.manifest.annotations.n, 0);
	image_clear(&i);
}

#define ERRORS(code) "'body={\"errors\":[{\"code\":\"" code "\"}]}'"
#define ANSWER(rest) "PUT .*/manifests/.* n=1 " rest

static void test_answers(void **state)
{
	static const struct {
		const char *rule;
		bool again;
	} t[] = {
		{ANSWER("415"), true},
		{ANSWER("400"), true},
		{ANSWER("400 " ERRORS("MANIFEST_INVALID")), true},
		{ANSWER("404 " ERRORS("MANIFEST_INVALID")), true},
		{ANSWER("400 " ERRORS("TAG_INVALID")), true},
		{ANSWER("405 " ERRORS("UNSUPPORTED")), true},
		{ANSWER("400 " ERRORS("MANIFEST_BLOB_UNKNOWN")), false},
		{ANSWER("400 " ERRORS("DIGEST_INVALID")), false},
		{ANSWER("403 " ERRORS("UNSUPPORTED")), false},
		{ANSWER("404"), false},
		{ANSWER("405"), false},
		{ANSWER("500"), false},
	};
	struct oci_descriptor d = {0};

	(void)state;
	make((struct made){0}, &d);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct transfer_opts o = opts(TRANSFER_TYPES_AUTO);
		struct err *err = NULL;
		struct digest out = {0};

		serve(t[i].rule);
		int rc = push(&d, &o, &out, &err);
		if ((rc == 0) != t[i].again || sent(OCI_MEDIA_MANIFEST) != 1 ||
			sent(OCI_MEDIA_DOCKER_MANIFEST) != t[i].again)
			fail_msg("%s: %d %s", t[i].rule, rc, err ? err_text(err) : "");
		if (rc == 0)
			is_docker(&out);
		assert_int_equal(noted("registry refuses those of OCI"), t[i].again);
		err_free(err);
		fake_stop(&F);
	}
	oci_descriptor_clear(&d);
}

/* Only "auto" tries again; what is asked for is sent at once. */
static void test_asked_for(void **state)
{
	struct oci_descriptor d = {0}, docker = {0};
	struct transfer_opts o = opts(TRANSFER_TYPES_KEEP);
	struct err *err = NULL;
	struct digest out, back;

	(void)state;
	make((struct made){0}, &d);
	serve(ANSWER("415"));
	assert_int_equal(push(&d, &o, &out, &err), -1);
	assert_non_null(strstr(err_hint_text(err), "--format auto"));
	err_free(err);
	err = NULL;
	o = opts(TRANSFER_TYPES_DOCKER);
	expect_good(push(&d, &o, &out, &err), &err);
	is_docker(&out);
	assert_null(T.told);
	/* And back: the same bytes as before. */
	docker.digest = out;
	o = opts(TRANSFER_TYPES_OCI);
	expect_good(push(&docker, &o, &back, &err), &err);
	assert_memory_equal(&back, &d.digest, sizeof back);
	/* A registry that takes OCI gets the image as it is. */
	o = opts(TRANSFER_TYPES_AUTO);
	expect_good(push(&d, &o, &out, &err), &err);
	assert_memory_equal(&out, &d.digest, sizeof out);
	fake_stop(&F);
	oci_descriptor_clear(&d);
}

static void test_both_refused(void **state)
{
	struct oci_descriptor d = {0};
	struct transfer_opts o = opts(TRANSFER_TYPES_AUTO);
	struct err *err = NULL;
	struct digest out;

	(void)state;
	make((struct made){0}, &d);
	serve("PUT .*/manifests/.* 415");
	assert_int_equal(push(&d, &o, &out, &err), -1);
	assert_non_null(strstr(err_text(err), "with Docker's media types: "));
	assert_int_equal(err_get_kind(err), ERR_NET);
	assert_int_equal(sent(OCI_MEDIA_DOCKER_MANIFEST), 1);
	err_free(err);
	fake_stop(&F);
	oci_descriptor_clear(&d);
}

/* Annotations and zstd have no place there; each is told. What Docker has no word for is refused.
 */
static void test_lost(void **state)
{
	struct oci_descriptor d = {0};
	struct transfer_opts o = opts(TRANSFER_TYPES_AUTO);
	struct err *err = NULL;
	struct digest out;

	(void)state;
	make((struct made){.annotated = true, .zstd = true}, &d);
	serve(ANSWER("415"));
	o.packing.c = LAYER_ZSTD;
	expect_good(push(&d, &o, &out, &err), &err);
	is_docker(&out);
	assert_true(noted("annotations are left out"));
	assert_true(noted("layers go as gzip"));
	fake_stop(&F);
	oci_descriptor_clear(&d);

	make((struct made){.layer_type = "application/vnd.in-toto+json"}, &d);
	serve("");
	o = opts(TRANSFER_TYPES_DOCKER);
	assert_int_equal(push(&d, &o, &out, &err), -1);
	assert_int_equal(err_get_kind(err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err_text(err), "layer 2: application/vnd.in-toto+json"));
	err_free(err);
	fake_stop(&F);
	oci_descriptor_clear(&d);
}

static void make_index(struct oci_descriptor *out)
{
	struct oci_index x = {.media_type = mem_strdup(OCI_MEDIA_INDEX), .nmanifests = 2};
	struct err *err = NULL;

	x.manifests = mem_array(2, sizeof *x.manifests);
	memset(x.manifests, 0, 2 * sizeof *x.manifests);
	make((struct made){0}, &x.manifests[0]);
	make((struct made){.annotated = true}, &x.manifests[1]);
	strlist_add(&x.annotations, "e=f");
	expect_good(imageindex_write(T.s, &x, out, &err), &err);
	oci_index_clear(&x);
}

/* Whichever document is refused first, all of them are sent again. */
static void test_index(void **state)
{
	static const char *const refused[] = {ANSWER("415"), "PUT .*/manifests/v1 400 n=1"};
	struct oci_descriptor d = {0};

	(void)state;
	make_index(&d);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct transfer_opts o = opts(TRANSFER_TYPES_AUTO);
		struct err *err = NULL;
		struct digest out;
		char hex[DIGEST_STRING];

		serve(refused[i]);
		char *to = dest();
		expect_good(transfer_push_index(T.s, &d.digest, to, &o, &out, &err), &err);
		assert_int_equal(sent(OCI_MEDIA_DOCKER_MANIFEST), 2);
		assert_int_equal(sent(OCI_MEDIA_DOCKER_LIST), 1);
		assert_int_equal(sent(OCI_MEDIA_INDEX), i);
		assert_true(noted("annotations are left out"));
		sha256_string(&d.digest, hex);
		assert_memory_not_equal(&out, &d.digest, sizeof out);
		free(to);
		fake_stop(&F);
	}
	oci_descriptor_clear(&d);
}

/* What is written is of one family, foreign layers too. */
static void test_family(void **state)
{
	struct oci_manifest m = {.media_type = mem_strdup(OCI_MEDIA_MANIFEST), .nlayers = 5};
#define OCI    "application/vnd.oci.image.layer."
#define DOCKER "application/vnd.docker.image.rootfs."
	static const char *const oci[] = {OCI "v1.tar", OCI "v1.tar+gzip",
		OCI "nondistributable.v1.tar", OCI "nondistributable.v1.tar+gzip",
		OCI "v1.tar+zstd"};
	static const char *const docker[] = {DOCKER "diff.tar", DOCKER "diff.tar.gzip",
		DOCKER "foreign.diff.tar", DOCKER "foreign.diff.tar.gzip", OCI "v1.tar+zstd"};

	(void)state;
	m.layers = mem_array(5, sizeof *m.layers);
	memset(m.layers, 0, 5 * sizeof *m.layers);
	m.config.media_type = mem_strdup(OCI_MEDIA_CONFIG);
	for (int i = 0; i < 5; i++)
		m.layers[i].media_type = mem_strdup(oci[i]);
	oci_manifest_set_types(&m, true);
	assert_string_equal(m.media_type, OCI_MEDIA_DOCKER_MANIFEST);
	assert_string_equal(m.config.media_type, OCI_MEDIA_DOCKER_CONFIG);
	for (int i = 0; i < 5; i++)
		assert_string_equal(m.layers[i].media_type, docker[i]);
	oci_manifest_set_types(&m, false);
	for (int i = 0; i < 5; i++)
		assert_string_equal(m.layers[i].media_type, oci[i]);
	oci_manifest_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index, setup, teardown),
		cmocka_unit_test(test_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

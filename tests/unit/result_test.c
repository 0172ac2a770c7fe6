// SPDX-License-Identifier: Apache-2.0
/* From state to image: labels, names, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/image.h"
#include "store/snapshot.h"
#include "tests/support/onebuild.h"

static unsigned occurrences(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
		n++;
	return n;
}

static void labels_and_names(void **state)
{
	struct onebuild b;
	auto_image struct image img = {0};

	onebuild_init(&b, *state);
	strlist_add(&b.o.labels, "a=cli=1");
	strlist_add(&b.o.labels, "new");
	strlist_add(&b.target.tags, "app");
	strlist_add(&b.target.tags, "127.0.0.1:5000/x/y:t");
	onebuild_run(&b, "FROM scratch\nLABEL a=file b=1\n");
	assert_int_equal(0, b.status);
	assert_non_null(strstr(b.config, "\"Labels\":{\"a\":\"cli=1\",\"b\":\"1\",\"new\":\"\"}"));
	assert_int_equal(2, b.result.names.n);
	assert_string_equal("docker.io/library/app:latest", b.result.names.v[0]);
	assert_string_equal("127.0.0.1:5000/x/y:t", b.result.names.v[1]);
	assert_int_equal(0, image_open(b.d->s, "127.0.0.1:5000/x/y:t", NULL, &img, NULL));
	assert_true(sha256_equal(&img.manifest_digest, &b.result.manifest));
	assert_true(sha256_equal(&img.manifest.config.digest, &b.result.config));
	onebuild_clear(&b);
}

static void name_with_a_digest(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	strlist_add(&b.target.tags,
		"app@sha256:0000000000000000000000000000000000000000000000000000000000000001");
	onebuild_run(&b, "FROM scratch\nLABEL a=1\n");
	assert_int_equal(-1, b.status);
	assert_int_equal(ERR_USAGE, err_get_kind(b.err));
	onebuild_clear(&b);
}

#define LINES "FROM scratch\nLABEL a=1\nCOPY f /d/\nCMD x\nWORKDIR /w\nUSER u\n"

static void timestamp(void **state)
{
	struct onebuild b;
	struct digest first;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "1", 0644);
	onebuild_run(&b, LINES);
	assert_int_equal(2, b.done);
	assert_int_equal(0, occurrences(b.config, "1970-"));
	first = b.result.manifest;
	/* Built again from the cache it is the same image, at any time. */
	onebuild_run(&b, LINES);
	assert_int_equal(2, b.cached);
	assert_true(sha256_equal(&first, &b.result.manifest));
	b.o.has_timestamp = true;
	b.o.timestamp = 3;
	onebuild_run(&b, LINES);
	assert_int_equal(2, b.cached);
	assert_int_equal(6, occurrences(b.config, "\"1970-01-01T00:00:03Z\""));
	assert_int_equal(6, occurrences(b.config, "\"created\":"));
	first = b.result.manifest;
	/* What was cached and what is new become the same. */
	b.o.no_cache = true;
	onebuild_run(&b, LINES);
	assert_int_equal(2, b.done);
	assert_true(sha256_equal(&first, &b.result.manifest));
	onebuild_clear(&b);
}

static void epoch_lowers_only(void **state)
{
	struct onebuild b;
	struct digest plain;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "1", 0644);
	onebuild_run(&b, LINES);
	plain = b.result.manifest;
	b.o.has_epoch = true;
	b.o.timestamp = now_seconds() + 1000000;
	onebuild_run(&b, LINES);
	assert_true(sha256_equal(&plain, &b.result.manifest));
	b.o.timestamp = 3;
	onebuild_run(&b, LINES);
	assert_int_equal(6, occurrences(b.config, "\"1970-01-01T00:00:03Z\""));
	assert_false(sha256_equal(&plain, &b.result.manifest));
	onebuild_clear(&b);
}

static struct digest layer_of(struct onebuild *b, size_t i)
{
	auto_image struct image img = {0};

	assert_int_equal(0, image_open_manifest(b->d->s, &b->result.manifest, &img, NULL));
	assert_true(i < img.config.ndiff_ids);
	assert_int_equal(img.config.ndiff_ids, img.manifest.nlayers);
	assert_string_equal(OCI_MEDIA_LAYER, img.manifest.layers[i].media_type);
	assert_true(sha256_equal(&img.config.diff_ids[i], &img.manifest.layers[i].digest));
	return img.config.diff_ids[i];
}

/* The base of another build is not of this one. */
static void base_keeps_its_times(void **state)
{
	struct onebuild b;
	struct digest base;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "1", 0644);
	strlist_add(&b.target.tags, "base");
	onebuild_run(&b, "FROM scratch\nCOPY f /d/\nCMD x\n");
	assert_int_equal(0, b.status);
	base = layer_of(&b, 0);
	strlist_clear(&b.target.tags);
	b.o.has_timestamp = true;
	b.o.timestamp = 3;
	onebuild_run(&b, "FROM base\nLABEL a=1\nCOPY f /e/\n");
	assert_int_equal(0, b.status);
	struct digest kept = layer_of(&b, 0), set = layer_of(&b, 1);
	assert_true(sha256_equal(&base, &kept));
	/* config, LABEL, COPY */
	assert_int_equal(3, occurrences(b.config, "\"1970-01-01T00:00:03Z\""));
	assert_int_equal(5, occurrences(b.config, "\"created\":"));
	b.o.has_timestamp = false;
	onebuild_run(&b, "FROM base\nLABEL a=1\nCOPY f /e/\n");
	struct digest own = layer_of(&b, 1);
	assert_false(sha256_equal(&set, &own));
	/* Nothing new but FROM: as old as its base, whenever it is built. */
	onebuild_run(&b, "FROM base\n");
	struct digest again = b.result.manifest;
	onebuild_run(&b, "FROM base\n");
	assert_true(sha256_equal(&again, &b.result.manifest));
	onebuild_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			labels_and_names, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			name_with_a_digest, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(timestamp, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			epoch_lowers_only, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			base_keeps_its_times, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}

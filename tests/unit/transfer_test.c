// SPDX-License-Identifier: Apache-2.0
/*
 * Pull and push of whole images, between stores and registries, a real one and scripted ones. After
 * each, every object of the store must be what its name says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/transport/growing.h"
#include "store/transport/parallel.h"
#include "store/transport/transfer.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"
#include "tests/support/transfers.h"

static struct fake F;
static struct transfers T;

static int setup(void **state)
{
	(void)state;
	transfers_init(&T);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_stop(&F);
	transfers_clear(&T);
	return 0;
}

/* All layers of an image are there as plain tars and in the form that the manifest has. */
static void check_image(struct store *s, const char *name, size_t layers)
{
	struct image i = {0};
	struct err *err = NULL;

	expect_good(image_open(s, name, NULL, &i, &err), &err);
	assert_int_equal(i.manifest.nlayers, layers);
	for (size_t k = 0; k < layers; k++) {
		assert_int_equal(1, blob_exists(s, &i.config.diff_ids[k], NULL, NULL));
		assert_int_equal(1, blob_exists(s, &i.manifest.layers[k].digest, NULL, NULL));
		assert_int_equal(1, snapshot_exists(s, &i.config.diff_ids[k], NULL));
	}
	image_clear(&i);
	transfers_check_store(s);
}

static char *source(const char *rest)
{
	return mem_printf("%s/%s", F.host, rest);
}

static void seed(const char *image, const char *name, const char *how)
{
	assert_int_equal(fake_run("skopeo copy -q --all %s --dest-tls-verify=false oci:%s/l:%s "
				  "docker://127.0.0.1:%d/%s",
				 how, T.dir, image, F.port, name),
		0);
}

static void test_pull(void **state)
{
	static const char *const kinds[] = {"--gzip", "--zstd", "", "--gzip"};
	struct transfer_opts o;
	struct digest want, got;

	(void)state;
	fake_start_docker(&F, NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char *cmd = mem_printf("%s l x%zu a.tar b.tar c.tar b.tar", kinds[i], i);
		char *tag = mem_printf("x%zu", i), *name = mem_printf("team/img:x%zu", i),
		     *from = source(name);

		transfers_mkimage(&T, cmd);
		want = transfers_made(&T);
		seed(tag, name, i == 3 ? "--format v2s2" : "--preserve-digests");
		o = transfers_opts(&T);
		if (i == 3) { /* became Docker's types on the way */
			assert_int_equal(transfer_resolve(from, &o, &got, NULL), 0);
			assert_memory_not_equal(&got, &want, sizeof got);
			want = got;
		}
		got = transfers_pull(T.s, from, NULL, &o);
		assert_memory_equal(&got, &want, sizeof got);
		check_image(T.s, from, 4);
		if (i < 2)
			assert_int_equal(T.count[TRANSFER_BLOB_DONE], 3);
		assert_int_equal(T.count[TRANSFER_MANIFEST], 1);
		/* Again: only the manifest is asked for. */
		o = transfers_opts(&T);
		got = transfers_pull(T.s, from, "other/name", &o);
		assert_memory_equal(&got, &want, sizeof got);
		assert_int_equal(T.count[TRANSFER_BLOB_START], 0);
		assert_int_equal(T.count[TRANSFER_BLOB_EXISTS], 3);
		check_image(T.s, "docker.io/other/name:latest", 4);
		o = transfers_opts(&T);
		assert_int_equal(transfer_resolve(from, &o, &got, NULL), 0);
		assert_memory_equal(&got, &want, sizeof got);
		free(cmd);
		free(tag);
		free(name);
		free(from);
	}
}

static void test_pull_index(void **state)
{
	struct oci_platform arm = {0}, mips = {0};
	struct transfer_opts o;
	struct digest index;
	struct image i = {0};
	struct err *err = NULL;
	char *from, *by_digest, hex[DIGEST_STRING];

	(void)state;
	fake_start_docker(&F, NULL, false);
	transfers_mkimage(&T, "--gzip --also arm64 l multi a.tar b.tar");
	index = transfers_made(&T);
	seed("multi", "multi:1", "--preserve-digests");
	from = source("multi:1");
	o = transfers_opts(&T);
	transfers_pull(T.s, from, NULL, &o);
	expect_good(image_open(T.s, from, NULL, &i, &err), &err);
	assert_string_equal(i.config.platform.architecture, "amd64");
	image_clear(&i);
	assert_int_equal(oci_platform_parse("linux/arm64", &arm, NULL), 0);
	assert_int_equal(oci_platform_parse("linux/mips64le", &mips, NULL), 0);
	o = transfers_opts(&T);
	o.platform = &arm;
	transfers_pull(T.s, from, "arm", &o);
	expect_good(image_open(T.s, "arm", &arm, &i, &err), &err);
	assert_string_equal(i.config.platform.architecture, "arm64");
	image_clear(&i);
	o.platform = &mips;
	assert_int_equal(transfer_pull(T.s, from, NULL, &o, &index, &err), -1);
	expect_error(&err, ERR_NET,
		"no image for platform linux/mips64le; there is one for linux/arm64, linux/amd64");
	index = transfers_made(&T);
	by_digest = mem_printf("127.0.0.1:%d/multi@%s", F.port, sha256_string(&index, hex));
	o = transfers_opts(&T);
	transfers_pull(T.s, by_digest, NULL, &o);
	check_image(T.s, by_digest, 2);
	free(by_digest);
	/* An image without layers. */
	transfers_mkimage(&T, "l none");
	seed("none", "none:1", "--preserve-digests");
	free(from);
	from = source("none:1");
	o = transfers_opts(&T);
	transfers_pull(T.s, from, NULL, &o);
	check_image(T.s, from, 0);
	transfers_push(T.s, from, from, &o);
	/* A single image for another machine is taken, with a warning. */
	transfers_mkimage(&T, "--gzip --arch s390x l single a.tar");
	seed("single", "single:1", "--preserve-digests");
	free(from);
	from = source("single:1");
	o = transfers_opts(&T);
	transfers_pull(T.s, from, NULL, &o);
	assert_non_null(strstr(T.told, "linux/s390x"));
	transfers_pull_fails(&T, "127.0.0.1:1/x", ERR_NET, "127.0.0.1:1");
	oci_platform_clear(&arm);
	oci_platform_clear(&mips);
	free(from);
}

/* Name of the largest blob of the layout l, which is its layer c.tar. */
static char *largest(void)
{
	transfers_run(&T, "ls -S l/blobs/sha256 | head -1 | tr -d '\\n' >largest");
	return fake_read(T.dir, "largest");
}

static void test_bad_images(void **state)
{
	static const struct {
		const char *make;
		const char *rule; /* for the layer's blob */
		enum err_kind kind;
		const char *words;
	} t[] = {
		{"--gzip --bad diff-id", NULL, ERR_CORRUPT, "diff ID"},
		{"--bad diff-id", NULL, ERR_CORRUPT, "diff ID"},
		{"--zstd --bad diff-id", NULL, ERR_CORRUPT, "diff ID"},
		{"--gzip --bad size", NULL, ERR_CORRUPT, "the manifest says"},
		{"--gzip --bad config-json", NULL, ERR_CORRUPT, "configuration"},
		{"--gzip --bad missing-blob", NULL, ERR_NET, "HTTP 404"},
		{"--gzip", "flip=100000", ERR_CORRUPT, "does not have that digest"},
		{"--zstd", "flip=100000", ERR_CORRUPT, "does not have that digest"},
		{"", "flip=100000", ERR_CORRUPT, "does not have that digest"},
		{"--gzip", "cut=1000 short", ERR_CORRUPT, "the manifest says"},
		{"--gzip", "cut=200000", ERR_CORRUPT, "always ends after"},
		{"", "cut=200000", ERR_CORRUPT, "always ends after"},
		{"--gzip", "403", ERR_AUTH, "HTTP 403"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		auto_free char *cmd = mem_printf("%s l x c.tar", t[i].make);
		auto_free char *layout = mem_printf("%s/l", T.dir);
		auto_free char *rules = NULL;

		transfers_run(&T, "rm -rf l");
		transfers_mkimage(&T, cmd);
		if (t[i].rule) {
			auto_free char *big = largest();

			rules = mem_printf("/v2/img/blobs/sha256:%s file=%s/blobs/sha256/%s %s",
				big, layout, big, t[i].rule);
		}
		fake_start_with(&F, rules ? rules : "", layout, NULL);
		auto_free char *from = source("img:x");
		transfers_pull_fails(&T, from, t[i].kind, t[i].words);
		assert_int_equal(transfers_blobs(T.s), 0);
		assert_int_equal(tags_find(T.s, from, &(struct oci_descriptor){0}, NULL), 0);
		transfers_check_store(T.s);
		fake_stop(&F);
	}
}

static void test_bad_manifests(void **state)
{
	static const struct {
		const char *rule;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{"body=<html>no</html> 'Content-Type: " OCI_MEDIA_MANIFEST "'", ERR_CORRUPT, ""},
		{"body={} 'Content-Type: " OCI_MEDIA_MANIFEST "'", ERR_CORRUPT, ""},
		{"'body={\"manifests\":[],\"layers\":[],\"config\":{}}' "
		 "'Content-Type: " OCI_MEDIA_INDEX "'",
			ERR_CORRUPT, ""},
		{"'body={\"schemaVersion\":2,\"manifests\":[]}' 'Content-Type: " OCI_MEDIA_INDEX
		 "'",
			ERR_NET, "no image for platform"},
		{"body=aaaaaaaaaaaaaaaa repeat=300000", ERR_LIMIT, "more than 4194304"},
		{"404 'Content-Type: application/json' "
		 "'body={\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"repository name not "
		 "known\"}]}'",
			ERR_NET, "repository name not known"},
		{"401 'WWW-Authenticate: Basic realm=x'", ERR_AUTH, "HTTP 401"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *from;

		fake_startf(&F, "/v2/img/manifests/.* %s", t[i].rule);
		from = source("img:x");
		transfers_pull_fails(&T, from, t[i].kind, t[i].words);
		assert_int_equal(transfers_blobs(T.s), 0);
		fake_stop(&F);
		free(from);
	}
	transfers_pull_fails(&T, "bad//name", ERR_USAGE, "");
	transfers_pull_fails(&T, "oci:", ERR_USAGE, "no path");
}

/* Breaks, busy servers and redirects on the way, and all layers still arrive. */
static void test_bad_weather(void **state)
{
	auto_free char *layout = mem_printf("%s/l", T.dir);
	struct transfer_opts o;
	struct digest want, got;

	(void)state;
	transfers_mkimage(&T, "--gzip l x a.tar b.tar c.tar");
	want = transfers_made(&T);
	auto_free char *big = largest();
	auto_free char *file = mem_printf("%s/blobs/sha256/%s", layout, big);
	auto_free char *rules =
		mem_printf("/v2/ 503 n=1\n"
			   "/v2/img/manifests/x 429 n=1 'Retry-After: 1'\n"
			   "/v2/img/blobs/sha256:%s n=1 file=%s cut=100000\n"
			   "/v2/img/blobs/sha256:%s n=1 file=%s cut=200000 norange\n"
			   "/v2/img/blobs/sha256:%s 307 'Location: http://127.0.0.1:{other}/s3'\n"
			   "/s3 500 n=1\n"
			   "/s3 file=%s\n"
			   "/v2/img/blobs/.* 502 n=2",
			big, file, big, file, big, file);

	fake_start_with(&F, rules, layout, NULL);
	auto_free char *from = source("img:x");
	o = transfers_opts(&T);
	o.retries = 8;
	got = transfers_pull(T.s, from, NULL, &o);
	assert_memory_equal(&got, &want, sizeof got);
	check_image(T.s, from, 3);
	assert_true(T.count[TRANSFER_RETRY] >= 6);
	assert_true(fake_count(&F, "/s3", "\"Range\": \"bytes=200000-\"") >= 1);
}

static void test_cancel(void **state)
{
	static const enum transfer_event_kind at[] = {
		TRANSFER_MANIFEST, TRANSFER_BLOB_START, TRANSFER_BLOB_PROGRESS, TRANSFER_BLOB_DONE};
	char *layout = mem_printf("%s/l", T.dir), *from;

	(void)state;
	transfers_mkimage(&T, "--gzip l x c.tar");
	fake_start_with(&F, "", layout, NULL);
	from = source("img:x");
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct transfer_opts o = transfers_opts(&T);
		struct err *err = NULL;
		struct digest d;
		struct store *s = transfers_store(&T, "cancel");

		T.may_cancel = true;
		T.cancel_at = at[i];
		assert_int_equal(transfer_pull(s, from, NULL, &o, &d, &err), -1);
		expect_error(&err, ERR_CANCELLED, "cancelled");
		assert_int_equal(tags_find(s, from, &(struct oci_descriptor){0}, NULL), 0);
		transfers_check_store(s);
		store_close(s);
		transfers_run(&T, "rm -rf cancel");
	}
	free(from);
	free(layout);
}

static void same_diff_ids(const char *a, const char *b)
{
	/* both are skopeo names; b may be NULL: only that a can be read */
	assert_int_equal(fake_run("skopeo inspect --config --tls-verify=false %s | jq -cS .rootfs "
				  ">%s/1 && [ -s %s/1 ]",
				 a, T.dir, T.dir),
		0);
	if (b)
		assert_int_equal(fake_run("skopeo inspect --config --tls-verify=false %s | jq -cS "
					  ".rootfs >%s/2; cmp %s/1 %s/2",
					 b, T.dir, T.dir, T.dir),
			0);
}

static void test_push(void **state)
{
	struct transfer_opts o;
	struct digest d, again, want;
	char *first, *second, *url, *local;
	struct image i = {0};
	struct err *err = NULL;

	(void)state;
	fake_start_docker(&F, NULL, false);
	first = source("a/one:v1");
	second = source("b/two:v2");
	local = mem_printf("oci:%s/l:img", T.dir);
	/* Plain tars in the store, as a build leaves them: compressed on the way. */
	transfers_mkimage(&T, "l img a.tar b.tar c.tar a.tar");
	o = transfers_opts(&T);
	transfers_pull(T.s, local, "img", &o);
	o = transfers_opts(&T);
	d = transfers_push(T.s, "img", first, &o);
	assert_int_equal(T.count[TRANSFER_BLOB_DONE], 4);
	want = transfers_made(&T);
	assert_memory_not_equal(&d, &want, sizeof d);
	o = transfers_opts(&T);
	expect_good(transfer_resolve(first, &o, &again, &err), &err);
	assert_memory_equal(&d, &again, sizeof d);
	url = mem_printf("docker://%s", first);
	same_diff_ids(url, local);
	assert_int_equal(fake_run("skopeo inspect --raw --tls-verify=false %s | jq -e "
				  "'all(.layers[]; .mediaType == \"" OCI_MEDIA_LAYER_GZIP
				  "\") and .mediaType == \"" OCI_MEDIA_MANIFEST "\"' >/dev/null",
				 url),
		0);
	/* The same again: nothing is sent; another repository: everything is mounted. */
	o = transfers_opts(&T);
	again = transfers_push(T.s, "img", first, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(T.count[TRANSFER_BLOB_DONE] + T.count[TRANSFER_BLOB_MOUNTED], 0);
	assert_int_equal(T.count[TRANSFER_BLOB_EXISTS], 4); /* one layer is there twice */
	o = transfers_opts(&T);
	again = transfers_push(T.s, "img", second, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(T.count[TRANSFER_BLOB_DONE], 0);
	assert_int_equal(T.count[TRANSFER_BLOB_MOUNTED], 4);
	/* Pulled elsewhere it is the same image, and pushed from there the same manifest, byte for
	 * byte. */
	struct store *other = transfers_store(&T, "other");
	o = transfers_opts(&T);
	again = transfers_pull(other, second, NULL, &o);
	assert_memory_equal(&d, &again, sizeof d);
	check_image(other, second, 4);
	char *third = source("b/three:v3");
	o = transfers_opts(&T);
	again = transfers_push(other, second, third, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(T.count[TRANSFER_BLOB_MOUNTED], 4);
	store_close(other);
	/* zstd, and no compression at all. */
	o = transfers_opts(&T);
	o.packing.c = LAYER_ZSTD;
	transfers_push(T.s, "img", third, &o);
	free(url);
	url = mem_printf("docker://%s", third);
	same_diff_ids(url, local);
	o.packing.c = LAYER_PLAIN;
	again = transfers_push(T.s, "img", third, &o);
	assert_memory_equal(&want, &again, sizeof want);
	/* By digest only what has it. */
	char hex[DIGEST_STRING];
	char *pinned = mem_printf("127.0.0.1:%d/c/pinned@%s", F.port, sha256_string(&d, hex));
	o = transfers_opts(&T);
	again = transfers_push(T.s, "img", pinned, &o);
	assert_memory_equal(&d, &again, sizeof d);
	o.packing.c = LAYER_PLAIN;
	expect_good(image_open(T.s, "img", NULL, &i, &err), &err);
	assert_int_equal(transfer_push(T.s, &i, pinned, &o, &again, &err), -1);
	expect_error(&err, ERR_USAGE, "does not have that digest");
	assert_int_equal(transfer_push(T.s, &i, "127.0.0.1:1/x", &o, &again, &err), -1);
	expect_error(&err, ERR_NET, "127.0.0.1:1");
	image_clear(&i);
	free(pinned);
	free(third);
	free(url);
	free(local);
	free(first);
	free(second);
}

static void test_login(void **state)
{
	struct transfer_opts o;
	struct err *err = NULL;
	struct stat st;
	auto_free char *auth = mem_printf("%s/auth.json", T.dir);

	(void)state;
	fake_start_docker_login(&F, T.dir);
	o = transfers_opts(&T);
	o.authfile = auth;
	assert_int_equal(transfer_login(F.host, "alice", "wrong", &o, &err), -1);
	expect_error(&err, ERR_AUTH, "HTTP 401");
	assert_int_equal(stat(auth, &st), -1);
	expect_good(transfer_login(F.host, "alice", "s3cret:with colon", &o, &err), &err);
	assert_int_equal(stat(auth, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
		fake_run("skopeo login --get-login --authfile %s %s >/dev/null", auth, F.host), 0);
	transfers_mkimage(&T, "l img a.tar");
	char *local = mem_printf("oci:%s/l:img", T.dir), *dest = source("x/y:1");
	transfers_pull(T.s, local, "img", &o);
	transfers_push(T.s, "img", dest, &o);
	expect_good(transfer_logout(F.host, &o, &err), &err);
	assert_int_equal(transfer_logout(F.host, &o, &err), -1);
	expect_error(&err, ERR_NOT_FOUND, "not logged in");
	assert_int_equal(transfer_login("a b", "u", "p", &o, &err), -1);
	expect_error(&err, ERR_USAGE, "not the name of a registry");
	free(local);
	free(dest);
}

static void test_growing(void **state)
{
	struct growing g;
	struct digest d = {.b = {1}};
	uint64_t have;

	(void)state;
	growing_init(&g);
	assert_true(growing_moved(&g, STDIN_FILENO, 6));
	assert_false(growing_wait(&g, 6, &have));
	assert_int_equal(have, 6);
	growing_end(&g, &d, 8);
	assert_true(growing_wait(&g, 9, &have));
	assert_int_equal(have, 8);
	assert_true(g.good);
	growing_abandon(&g);
	assert_false(growing_moved(&g, STDIN_FILENO, 9));
	growing_clear(&g);
	growing_init(&g);
	growing_end(&g, NULL, 0);
	assert_true(growing_wait(&g, 1, &have));
	assert_int_equal(have, 0);
	assert_false(g.good);
	growing_clear(&g);
}

static void test_largest_first(void **state)
{
	static const uint64_t sizes[] = {5, 7, 0, UINT64_MAX, 7, 5};
	static const size_t want[] = {3, 1, 4, 0, 5, 2};
	size_t *got = parallel_largest_first(sizes, ARRAY_LEN(sizes));

	(void)state;
	assert_memory_equal(got, want, sizeof want);
	free(got);
	free(parallel_largest_first(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_largest_first),
		cmocka_unit_test_setup_teardown(test_pull, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pull_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_images, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_manifests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_weather, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_login, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static struct fake F;
static char *Dir;
static struct store *S;

struct seen {
	int count[TRANSFER_MANIFEST + 1];
	char *text; /* of the last event that had one */
	atomic_int cancel;
	enum transfer_event_kind cancel_at;
	bool may_cancel;
};
static struct seen Seen;

static void on_event(void *ctx, const struct transfer_event *e)
{
	struct seen *s = ctx;

	s->count[e->kind]++;
	if (e->text) {
		free(s->text);
		s->text = mem_strdup(e->text);
	}
	if (s->may_cancel && e->kind == s->cancel_at)
		s->cancel = 1;
}

static struct transfer_opts opts(void)
{
	free(Seen.text);
	Seen = (struct seen){0};
	return (struct transfer_opts){.tls_verify = -1,
		.retries = 3,
		.packing.c = LAYER_GZIP,
		.event = on_event,
		.ctx = &Seen,
		.cancelled = &Seen.cancel};
}

static struct store *open_store(const char *name)
{
	char *root = mem_printf("%s/%s", Dir, name);
	struct err *err = NULL;
	struct store *s = store_open(root, &err);

	if (!s)
		fail_msg("%s", err_text(err));
	free(root);
	return s;
}

static int setup(void **state)
{
	(void)state;
	Dir = fake_home("transfer");
	S = open_store("store");
	/* Three layers of different kinds; the third is large enough to be cut. */
	fake_run("cd %s && mkdir a b c && echo one >a/one && mkdir b/d && ln -s ../a b/d/l && echo "
		 "two >b/two && "
		 "head -c 400000 /dev/urandom >c/big && for i in a b c; do tar --sort=name "
		 "--owner=0 --group=0 "
		 "--mtime=@1000 -C $i -cf $i.tar .; done",
		Dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(S);
	fake_stop(&F);
	fake_run("rm -rf '%s'", Dir);
	free(Dir);
	free(Seen.text);
	Seen.text = NULL;
	return 0;
}

static void mkimage(const char *options)
{
	assert_int_equal(fake_run("cd %s && python3 $OLDPWD/tests/tools/mkimage.py %s >digest", Dir,
				 options),
		0);
}

/* The digest that mkimage printed last. */
static void made(struct digest *d)
{
	char *path = mem_printf("%s/digest", Dir);
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(fs_read_file(AT_FDCWD, path, 100, &b, NULL), 0);
	b.data[71] = '\0';
	assert_int_equal(sha256_parse_string(b.data, d), 0);
	buf_clear(&b);
	free(path);
}

static struct digest pull_into(
	struct store *s, const char *source, const char *name, const struct transfer_opts *o)
{
	struct err *err = NULL;
	struct digest d = {{0}};

	expect_good(transfer_pull(s, source, name, o, &d, &err), &err);
	return d;
}

static void pull_fails(const char *source, enum err_kind kind, const char *words)
{
	struct transfer_opts o = opts();
	struct err *err = NULL;
	struct digest d;

	assert_int_equal(transfer_pull(S, source, NULL, &o, &d, &err), -1);
	expect_error(&err, kind, words);
}

static struct digest push_to(
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

/* How many objects does the store have? */
static int blobs(struct store *s)
{
	DIR *d = fdopendir(openat(store_blobs_fd(s), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Nothing half done: no temp files, and every object is what its name says. */
static void check_store(struct store *s)
{
	DIR *d = fdopendir(openat(store_tmp_fd(s), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct digest digest;

	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && strstr(e->d_name, "lock") == NULL)
			fail_msg("left over: %s", e->d_name);
	closedir(d);
	d = fdopendir(openat(store_blobs_fd(s), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.') {
			assert_int_equal(
				sha256_parse_hex(e->d_name, strlen(e->d_name), &digest), 0);
			assert_int_equal(blob_verify(s, &digest, NULL), 1);
		}
	closedir(d);
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
	check_store(s);
}

static char *source(const char *rest)
{
	return mem_printf("%s/%s", F.host, rest);
}

static void seed(const char *image, const char *name, const char *how)
{
	assert_int_equal(fake_run("skopeo copy -q --all %s --dest-tls-verify=false oci:%s/l:%s "
				  "docker://127.0.0.1:%d/%s",
				 how, Dir, image, F.port, name),
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

		mkimage(cmd);
		made(&want);
		seed(tag, name, i == 3 ? "--format v2s2" : "--preserve-digests");
		o = opts();
		if (i == 3) { /* became Docker's types on the way */
			assert_int_equal(transfer_resolve(from, &o, &got, NULL), 0);
			assert_memory_not_equal(&got, &want, sizeof got);
			want = got;
		}
		got = pull_into(S, from, NULL, &o);
		assert_memory_equal(&got, &want, sizeof got);
		check_image(S, from, 4);
		if (i < 2)
			assert_int_equal(Seen.count[TRANSFER_BLOB_DONE], 3);
		assert_int_equal(Seen.count[TRANSFER_MANIFEST], 1);
		/* Again: only the manifest is asked for. */
		o = opts();
		got = pull_into(S, from, "other/name", &o);
		assert_memory_equal(&got, &want, sizeof got);
		assert_int_equal(Seen.count[TRANSFER_BLOB_START], 0);
		assert_int_equal(Seen.count[TRANSFER_BLOB_EXISTS], 3);
		check_image(S, "docker.io/other/name:latest", 4);
		o = opts();
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
	mkimage("--gzip --also arm64 l multi a.tar b.tar");
	made(&index);
	seed("multi", "multi:1", "--preserve-digests");
	from = source("multi:1");
	o = opts();
	pull_into(S, from, NULL, &o);
	expect_good(image_open(S, from, NULL, &i, &err), &err);
	assert_string_equal(i.config.platform.architecture, "amd64");
	image_clear(&i);
	assert_int_equal(oci_platform_parse("linux/arm64", &arm, NULL), 0);
	assert_int_equal(oci_platform_parse("linux/mips64le", &mips, NULL), 0);
	o = opts();
	o.platform = &arm;
	pull_into(S, from, "arm", &o);
	expect_good(image_open(S, "arm", &arm, &i, &err), &err);
	assert_string_equal(i.config.platform.architecture, "arm64");
	image_clear(&i);
	o.platform = &mips;
	assert_int_equal(transfer_pull(S, from, NULL, &o, &index, &err), -1);
	expect_error(&err, ERR_NET,
		"no image for platform linux/mips64le; there is one for linux/arm64, linux/amd64");
	made(&index);
	by_digest = mem_printf("127.0.0.1:%d/multi@%s", F.port, sha256_string(&index, hex));
	o = opts();
	pull_into(S, by_digest, NULL, &o);
	check_image(S, by_digest, 2);
	free(by_digest);
	/* An image without layers. */
	mkimage("l none");
	seed("none", "none:1", "--preserve-digests");
	free(from);
	from = source("none:1");
	o = opts();
	pull_into(S, from, NULL, &o);
	check_image(S, from, 0);
	push_to(S, from, from, &o);
	/* A single image for another machine is taken, with a warning. */
	mkimage("--gzip --arch s390x l single a.tar");
	seed("single", "single:1", "--preserve-digests");
	free(from);
	from = source("single:1");
	o = opts();
	pull_into(S, from, NULL, &o);
	assert_non_null(strstr(Seen.text, "linux/s390x"));
	pull_fails("127.0.0.1:1/x", ERR_NET, "127.0.0.1:1");
	oci_platform_clear(&arm);
	oci_platform_clear(&mips);
	free(from);
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
		char *cmd = mem_printf("%s l x c.tar", t[i].make),
		     *layout = mem_printf("%s/l", Dir), *from;
		char *rules = mem_strdup(""), *file = NULL;

		fake_run("rm -rf %s/l", Dir);
		mkimage(cmd);
		if (t[i].rule) {
			/* the largest blob is the layer */
			struct buf b;
			fake_run(
				"cd %s/l/blobs/sha256 && ls -S | head -1 | tr -d '\\n' >%s/largest",
				Dir, Dir);
			file = mem_printf("%s/largest", Dir);
			buf_init(&b, 100);
			assert_int_equal(fs_read_file(AT_FDCWD, file, 100, &b, NULL), 0);
			free(rules);
			rules = mem_printf("/v2/img/blobs/sha256:%s file=%s/blobs/sha256/%s %s",
				b.data, layout, b.data, t[i].rule);
			buf_clear(&b);
		}
		fake_start_with(&F, rules, layout, NULL);
		from = source("img:x");
		pull_fails(from, t[i].kind, t[i].words);
		assert_int_equal(blobs(S), 0);
		assert_int_equal(tags_find(S, from, &(struct oci_descriptor){0}, NULL), 0);
		check_store(S);
		fake_stop(&F);
		free(from);
		free(cmd);
		free(layout);
		free(rules);
		free(file);
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
		pull_fails(from, t[i].kind, t[i].words);
		assert_int_equal(blobs(S), 0);
		fake_stop(&F);
		free(from);
	}
	pull_fails("bad//name", ERR_USAGE, "");
	pull_fails("oci:", ERR_USAGE, "no path");
}

/* Breaks, busy servers and redirects on the way, and all layers still arrive. */
static void test_bad_weather(void **state)
{
	char *layout = mem_printf("%s/l", Dir), *rules, *from;
	struct transfer_opts o;
	struct digest want, got;

	(void)state;
	mkimage("--gzip l x a.tar b.tar c.tar");
	made(&want);
	fake_run("cd %s/l/blobs/sha256 && ls -S | head -1 | tr -d '\\n' >%s/largest", Dir, Dir);
	{
		struct buf b;
		char *file = mem_printf("%s/largest", Dir);

		buf_init(&b, 100);
		assert_int_equal(fs_read_file(AT_FDCWD, file, 100, &b, NULL), 0);
		rules = mem_printf(
			"/v2/ 503 n=1\n"
			"/v2/img/manifests/x 429 n=1 'Retry-After: 1'\n"
			"/v2/img/blobs/sha256:%s n=1 file=%s/blobs/sha256/%s cut=100000\n"
			"/v2/img/blobs/sha256:%s n=1 file=%s/blobs/sha256/%s cut=200000 norange\n"
			"/v2/img/blobs/sha256:%s 307 'Location: http://127.0.0.1:{other}/s3'\n"
			"/s3 500 n=1\n"
			"/s3 file=%s/blobs/sha256/%s\n"
			"/v2/img/blobs/.* 502 n=2",
			b.data, layout, b.data, b.data, layout, b.data, b.data, layout, b.data);
		buf_clear(&b);
		free(file);
	}
	fake_start_with(&F, rules, layout, NULL);
	from = source("img:x");
	o = opts();
	o.retries = 8;
	got = pull_into(S, from, NULL, &o);
	assert_memory_equal(&got, &want, sizeof got);
	check_image(S, from, 3);
	assert_true(Seen.count[TRANSFER_RETRY] >= 6);
	assert_true(fake_count(&F, "/s3", "\"Range\": \"bytes=200000-\"") >= 1);
	free(from);
	free(rules);
	free(layout);
}

static void test_cancel(void **state)
{
	static const enum transfer_event_kind at[] = {
		TRANSFER_MANIFEST, TRANSFER_BLOB_START, TRANSFER_BLOB_PROGRESS, TRANSFER_BLOB_DONE};
	char *layout = mem_printf("%s/l", Dir), *from;

	(void)state;
	mkimage("--gzip l x c.tar");
	fake_start_with(&F, "", layout, NULL);
	from = source("img:x");
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct transfer_opts o = opts();
		struct err *err = NULL;
		struct digest d;
		struct store *s = open_store("cancel");

		Seen.may_cancel = true;
		Seen.cancel_at = at[i];
		assert_int_equal(transfer_pull(s, from, NULL, &o, &d, &err), -1);
		expect_error(&err, ERR_CANCELLED, "cancelled");
		assert_int_equal(tags_find(s, from, &(struct oci_descriptor){0}, NULL), 0);
		check_store(s);
		store_close(s);
		fake_run("rm -rf %s/cancel", Dir);
	}
	free(from);
	free(layout);
}

static void same_diff_ids(const char *a, const char *b)
{
	/* both are skopeo names; b may be NULL: only that a can be read */
	assert_int_equal(fake_run("skopeo inspect --config --tls-verify=false %s | jq -cS .rootfs "
				  ">%s/1 && [ -s %s/1 ]",
				 a, Dir, Dir),
		0);
	if (b)
		assert_int_equal(fake_run("skopeo inspect --config --tls-verify=false %s | jq -cS "
					  ".rootfs >%s/2; cmp %s/1 %s/2",
					 b, Dir, Dir, Dir),
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
	local = mem_printf("oci:%s/l:img", Dir);
	/* Plain tars in the store, as a build leaves them: compressed on the way. */
	mkimage("l img a.tar b.tar c.tar a.tar");
	o = opts();
	pull_into(S, local, "img", &o);
	o = opts();
	d = push_to(S, "img", first, &o);
	assert_int_equal(Seen.count[TRANSFER_BLOB_DONE], 4);
	made(&want);
	assert_memory_not_equal(&d, &want, sizeof d);
	o = opts();
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
	o = opts();
	again = push_to(S, "img", first, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(Seen.count[TRANSFER_BLOB_DONE] + Seen.count[TRANSFER_BLOB_MOUNTED], 0);
	assert_int_equal(Seen.count[TRANSFER_BLOB_EXISTS], 4); /* one layer is there twice */
	o = opts();
	again = push_to(S, "img", second, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(Seen.count[TRANSFER_BLOB_DONE], 0);
	assert_int_equal(Seen.count[TRANSFER_BLOB_MOUNTED], 4);
	/* Pulled elsewhere it is the same image, and pushed from there the same manifest, byte for
	 * byte. */
	struct store *other = open_store("other");
	o = opts();
	again = pull_into(other, second, NULL, &o);
	assert_memory_equal(&d, &again, sizeof d);
	check_image(other, second, 4);
	char *third = source("b/three:v3");
	o = opts();
	again = push_to(other, second, third, &o);
	assert_memory_equal(&d, &again, sizeof d);
	assert_int_equal(Seen.count[TRANSFER_BLOB_MOUNTED], 4);
	store_close(other);
	/* zstd, and no compression at all. */
	o = opts();
	o.packing.c = LAYER_ZSTD;
	push_to(S, "img", third, &o);
	free(url);
	url = mem_printf("docker://%s", third);
	same_diff_ids(url, local);
	o.packing.c = LAYER_PLAIN;
	again = push_to(S, "img", third, &o);
	assert_memory_equal(&want, &again, sizeof want);
	/* By digest only what has it. */
	char hex[DIGEST_STRING];
	char *pinned = mem_printf("127.0.0.1:%d/c/pinned@%s", F.port, sha256_string(&d, hex));
	o = opts();
	again = push_to(S, "img", pinned, &o);
	assert_memory_equal(&d, &again, sizeof d);
	o.packing.c = LAYER_PLAIN;
	expect_good(image_open(S, "img", NULL, &i, &err), &err);
	assert_int_equal(transfer_push(S, &i, pinned, &o, &again, &err), -1);
	expect_error(&err, ERR_USAGE, "does not have that digest");
	assert_int_equal(transfer_push(S, &i, "127.0.0.1:1/x", &o, &again, &err), -1);
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
	char *conf, *host, *auth = mem_printf("%s/auth.json", Dir);

	(void)state;
	fake_run("htpasswd -Bbn alice 's3cret:with colon' >%s/htpasswd 2>/dev/null", Dir);
	conf = mem_printf("auth:\n  htpasswd: {realm: test, path: %s/htpasswd}\n", Dir);
	fake_start_docker(&F, conf, false);
	host = mem_printf("127.0.0.1:%d", F.port);
	o = opts();
	o.authfile = auth;
	assert_int_equal(transfer_login(host, "alice", "wrong", &o, &err), -1);
	expect_error(&err, ERR_AUTH, "HTTP 401");
	assert_int_equal(stat(auth, &st), -1);
	expect_good(transfer_login(host, "alice", "s3cret:with colon", &o, &err), &err);
	assert_int_equal(stat(auth, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
		fake_run("skopeo login --get-login --authfile %s %s >/dev/null", auth, host), 0);
	mkimage("l img a.tar");
	char *local = mem_printf("oci:%s/l:img", Dir), *dest = source("x/y:1");
	pull_into(S, local, "img", &o);
	push_to(S, "img", dest, &o);
	expect_good(transfer_logout(host, &o, &err), &err);
	assert_int_equal(transfer_logout(host, &o, &err), -1);
	expect_error(&err, ERR_NOT_FOUND, "not logged in");
	assert_int_equal(transfer_login("a b", "u", "p", &o, &err), -1);
	expect_error(&err, ERR_USAGE, "not the name of a registry");
	free(local);
	free(dest);
	free(auth);
	free(conf);
	free(host);
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

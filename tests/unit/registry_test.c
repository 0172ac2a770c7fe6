// SPDX-License-Identifier: Apache-2.0
/*
 * The registry client against docker-registry, with and without TLS and passwords, and against
 * scripted servers that do what registries do on bad days.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/http.h"
#include "store/transport/registry.h"
#include "store/transport/registry_push.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"

static struct fake F;
static char *Dir;

static int setup(void **state)
{
	(void)state;
	Dir = fake_home("regtest");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_stop(&F);
	fake_remove(Dir);
	free(Dir);
	return 0;
}

static struct registry *try_open(const char *path, bool push, struct err **err)
{
	const struct registry_opts o = {
		.host = F.host, .path = path, .tls_verify = -1, .push = push, .retries = 3};

	return registry_open(&o, err);
}

static struct registry *open_registry(const char *path, bool push)
{
	struct err *err = NULL;
	struct registry *r = try_open(path, push, &err);

	expect_good(r ? 0 : -1, &err);
	return r;
}

/* A memory file with n patterned bytes. */
static void make_blob(size_t n, struct registry_push *p)
{
	char *mem = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		mem[i] = (char)(i * 2654435761u >> 13);
	*p = (struct registry_push){.fd = memfd_create("blob", MFD_CLOEXEC), .size = n};
	assert_int_equal(fs_write_all(p->fd, mem, n), 0);
	sha256_of(mem, n, &p->digest);
	free(mem);
}

static int get_blob(struct registry *r, const struct digest *d, uint64_t size, struct buf *out,
	struct err **err)
{
	struct http_sink k;
	struct oci_descriptor desc = {.digest = *d, .size = size};
	int rc;

	buf_init(out, 64 << 20);
	http_sink_init(&k, expect_into(out), size, ERR_CORRUPT);
	rc = registry_blob(r, 1, &desc, &k, err);
	http_sink_clear(&k);
	return rc;
}

/* Push config and layer of a small image and its manifest under a tag; returns the manifest's
 * digest. */
static void push_image(
	struct registry *r, const char *tag, struct registry_push *layer, struct digest *manifest)
{
	static const char config[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":"
		"\"layers\",\"diff_ids\":[\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\"]}}";
	struct registry_push c = {
		.fd = memfd_create("config", MFD_CLOEXEC), .size = strlen(config)};
	struct err *err = NULL;
	char a[DIGEST_STRING], b[DIGEST_STRING];
	char *text;

	assert_int_equal(fs_write_all(c.fd, config, c.size), 0);
	sha256_of(config, c.size, &c.digest);
	expect_good(registry_push_blob(r, 0, &c, &err), &err);
	expect_good(registry_push_blob(r, 1, layer, &err), &err);
	text = mem_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST
		"\",\"config\":{\"mediaType\":\"" OCI_MEDIA_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"" OCI_MEDIA_LAYER
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		sha256_string(&c.digest, a), (size_t)c.size, sha256_string(&layer->digest, b),
		(size_t)layer->size);
	sha256_of(text, strlen(text), manifest);
	const struct registry_document doc = {tag, text, strlen(text), OCI_MEDIA_MANIFEST};

	expect_good(registry_push_manifest(r, &doc, NULL, &err), &err);
	free(text);
	close(c.fd);
}

static void round_trip(size_t size)
{
	struct registry *r = open_registry("team/app", true);
	struct registry_push layer;
	struct digest manifest, got;
	struct err *err = NULL;
	struct buf b;
	char *type = NULL;

	make_blob(size, &layer);
	expect_good(registry_push_has(r, 2, &layer.digest, &err), &err);
	assert_int_equal(registry_push_has(r, 2, &layer.digest, &err), 0);
	push_image(r, "v1", &layer, &manifest);
	assert_int_equal(registry_push_has(r, 2, &layer.digest, &err), 1);
	expect_good(registry_resolve(r, "v1", &got, &err), &err);
	assert_memory_equal(&got, &manifest, sizeof got);
	buf_init(&b, OCI_MANIFEST_MAX);
	expect_good(registry_manifest(r, "v1", NULL, &b, &type, &err), &err);
	sha256_of(b.data, b.len, &got);
	assert_memory_equal(&got, &manifest, sizeof got);
	assert_string_equal(type, OCI_MEDIA_MANIFEST);
	free(type);
	buf_clear(&b);
	expect_good(get_blob(r, &layer.digest, size, &b, &err), &err);
	sha256_of(b.data, b.len, &got);
	assert_memory_equal(&got, &layer.digest, sizeof got);
	buf_clear(&b);
	buf_init(&b, 100);
	assert_int_equal(registry_manifest(r, "nothere", NULL, &b, &type, &err), -1);
	expect_error(&err, ERR_NET, "manifest unknown");
	assert_int_equal(registry_resolve(r, "nothere", &got, &err), -1);
	expect_error(&err, ERR_NET, "manifest unknown");
	buf_clear(&b);
	registry_close(r);
	/* From another repository it is mounted, and then there. */
	r = open_registry("other/app", true);
	err = NULL;
	layer.from = "team/app";
	assert_int_equal(registry_push_blob(r, 0, &layer, &err), 1);
	assert_int_equal(registry_push_has(r, 0, &layer.digest, &err), 1);
	registry_close(r);
	close(layer.fd);
}

static void test_plain(void **state)
{
	struct registry *r;
	struct registry_push empty;
	struct err *err = NULL;

	(void)state;
	fake_start_docker(&F, NULL, false);
	round_trip(300000);
	assert_int_equal(fake_run("skopeo inspect --raw --tls-verify=false "
				  "docker://127.0.0.1:%d/team/app:v1 >/dev/null",
				 F.port),
		0);
	r = open_registry("team/app", true);
	make_blob(0, &empty);
	expect_good(registry_push_blob(r, 0, &empty, &err), &err);
	assert_int_equal(registry_push_has(r, 0, &empty.digest, &err), 1);
	/* A mount from where it is not falls back to sending. */
	close(empty.fd);
	make_blob(5000, &empty);
	empty.from = "no/such";
	assert_int_equal(registry_push_blob(r, 0, &empty, &err), 0);
	assert_int_equal(registry_push_has(r, 0, &empty.digest, &err), 1);
	/* What does not have its digest is refused. */
	empty.digest.b[0] ^= 1;
	empty.from = NULL;
	assert_int_equal(registry_push_blob(r, 0, &empty, &err), -1);
	expect_error(&err, ERR_NET, "HTTP 400");
	close(empty.fd);
	registry_close(r);
}

static void test_htpasswd(void **state)
{
	struct registry *r;
	struct err *err = NULL;
	struct digest d;

	(void)state;
	fake_start_docker_login(&F, Dir);
	r = open_registry("team/app", true);
	assert_int_equal(registry_resolve(r, "v1", &d, &err), -1);
	assert_non_null(strstr(err_hint_text(err), "bld login 127.0.0.1"));
	expect_error(&err, ERR_AUTH, "HTTP 401");
	registry_close(r);
	fake_credentials(Dir, &F, "auth", "YWxpY2U6d3Jvbmc=");
	r = open_registry("team/app", true);
	assert_int_equal(registry_check(r, &err), -1);
	expect_error(&err, ERR_AUTH, "HTTP 401");
	registry_close(r);
	fake_credentials(Dir, &F, "auth", "YWxpY2U6czNjcmV0OndpdGggY29sb24=");
	round_trip(100000);
}

static void test_tls(void **state)
{
	struct registry_opts o = {.path = "team/app", .tls_verify = 0};
	struct registry *r;
	struct err *err = NULL;

	(void)state;
	fake_start_docker(&F, NULL, true);
	assert_null(try_open("team/app", true, &err));
	expect_error(&err, ERR_NET, "certificate");
	o.host = F.host;
	r = registry_open(&o, &err);
	expect_good(r ? 0 : -1, &err);
	registry_close(r);
	fake_run("mkdir -p %s/.config/containers/certs.d/%s && cp %s/ca.crt "
		 "%s/.config/containers/certs.d/%s/",
		Dir, F.host, F.dir, Dir, F.host);
	round_trip(100000);
}

static void test_schemes(void **state)
{
	struct registry_opts o = {.path = "x", .tls_verify = 1, .retries = 1};
	struct err *err = NULL;

	(void)state;
	fake_start(&F, "");
	o.host = F.host;
	assert_null(registry_open(&o, &err));
	assert_non_null(strstr(err_hint_text(err), "--tls-verify=false"));
	expect_error(&err, ERR_NET, "127.0.0.1");
	o.host = "registry.invalid";
	o.tls_verify = -1;
	assert_null(registry_open(&o, &err));
	assert_non_null(strstr(err_hint_text(err), "network"));
	expect_error(&err, ERR_NET, "registry.invalid");
}

static void test_tokens(void **state)
{
	char *port_file = mem_printf("%s/port", Dir), *extra, *port, *log;
	struct registry *r;
	struct registry_push p;
	struct err *err = NULL;
	pid_t pid;

	(void)state;
	fake_certificate(Dir);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *key = mem_printf("--key=%s/ca.key", Dir),
		     *cert = mem_printf("--cert=%s/ca.crt", Dir);
		char *pf = mem_printf("--port-file=%s", port_file),
		     *lf = mem_printf("--log=%s/token.log", Dir);
		execlp("python3", "python3", "tests/tools/tokenserver.py", key, cert, pf, lf, NULL);
		_exit(127);
	}
	for (int i = 0; access(port_file, F_OK) < 0; i++) {
		assert_true(i < 500);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	port = fake_read(Dir, "port");
	extra = mem_printf("auth:\n  token: {realm: \"http://127.0.0.1:%s/token\", service: reg, "
			   "issuer: bld-test, rootcertbundle: "
			   "%s/ca.crt}\n",
		port, Dir);
	fake_start_docker(&F, extra, false);
	make_blob(1000, &p);
	r = open_registry("private/app", true);
	assert_int_equal(registry_push_blob(r, 0, &p, &err), -1);
	expect_error(&err, ERR_AUTH, "HTTP 401");
	registry_close(r);
	fake_credentials(Dir, &F, "auth", "YWxpY2U6czNjcmV0OndpdGggY29sb24=");
	round_trip(100000);
	log = fake_read(Dir, "token.log");
	assert_non_null(
		strstr(log, "\"repository:other/app:pull,push\", \"repository:team/app:pull\""));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(p.fd);
	free(log);
	free(port);
	free(extra);
	free(port_file);
}

#define BLOB                                                                                       \
	"sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" /* of 0123456789 \
										   */

static void test_faulty_blobs(void **state)
{
	static const struct {
		const char *rule;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{"body=012345678", ERR_CORRUPT, "has 9 bytes, the manifest says 10"},
		{"body=0123456789x", ERR_CORRUPT, "11 bytes, more than 10"},
		{"body=0123456789 cut=6", ERR_CORRUPT, "always ends after 6 bytes"},
		{"500", ERR_NET, "HTTP 500"},
		{"403", ERR_AUTH, "HTTP 403"},
		{"404", ERR_NET, "HTTP 404"},
		{"307 'Location: /v2/' n=0", ERR_NET, "HTTP 404"},
	};
	struct digest d;

	(void)state;
	assert_int_equal(sha256_parse_string(BLOB, &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct registry *r;
		struct err *err = NULL;
		struct buf b;

		fake_startf(&F, "/v2/x/blobs/.* %s", t[i].rule);
		r = open_registry("x", false);
		assert_int_equal(get_blob(r, &d, 10, &b, &err), -1);
		expect_error(&err, t[i].kind, t[i].words);
		buf_clear(&b);
		registry_close(r);
		fake_stop(&F);
	}
}

/* The connection breaks, the token ends, the server is busy, and the blob still arrives once and
 * whole. */
static void test_resumed_blob(void **state)
{
	struct registry *r;
	struct err *err = NULL;
	struct digest d;
	struct buf b;

	(void)state;
	assert_int_equal(sha256_parse_string(BLOB, &d), 0);
	fake_start(&F, "/v2/x/blobs/.* 'auth=Bearer T1' n=1 body=0123456789 cut=4\n"
		       "/v2/x/blobs/.* 503 'auth=Bearer T2' n=1\n"
		       "/v2/x/blobs/.* 307 'auth=Bearer T2' n=1 'Location: "
		       "http://127.0.0.1:{other}/store'\n"
		       "/store port=other body=0123456789\n"
		       "/token.* n=1 'body={\"token\":\"T1\"}'\n"
		       "/token.* n=1 'body={\"token\":\"T2\"}'\n"
		       "/v2/.* 401 'WWW-Authenticate: Bearer "
		       "realm=\"http://127.0.0.1:{port}/token\",service=\"s\"'");
	r = open_registry("x", false);
	expect_good(get_blob(r, &d, 10, &b, &err), &err);
	assert_string_equal(b.data, "0123456789");
	assert_int_equal(fake_count(&F, "\"/store\"", "bytes=4-"), 1);
	assert_int_equal(fake_count(&F, "\"/store\"", "Bearer"), 0);
	assert_int_equal(fake_count(&F, "/token", NULL), 2);
	buf_clear(&b);
	registry_close(r);
}

/* A foreign layer comes from its URL, and nothing of ours goes there. */
static void test_foreign_blob(void **state)
{
	struct oci_descriptor desc = {.size = 10};
	struct registry *r;
	struct err *err = NULL;
	struct http_sink k;
	struct buf b;

	(void)state;
	assert_int_equal(sha256_parse_string(BLOB, &desc.digest), 0);
	fake_start(&F, "/layer port=other body=0123456789\n"
		       "/v2/x/.* 404 'auth=Basic YTpi'\n"
		       "/v2/.* 401 'WWW-Authenticate: Basic realm=x'");
	fake_credentials(Dir, &F, "auth", "YTpi");
	strlist_add(&desc.urls, "file:///etc/passwd");
	strlist_addf(&desc.urls, "http://127.0.0.1:%d/layer", F.other);
	r = open_registry("x", false);
	buf_init(&b, 100);
	http_sink_init(&k, expect_into(&b), 10, ERR_CORRUPT);
	expect_good(registry_blob(r, 0, &desc, &k, &err), &err);
	assert_string_equal(b.data, "0123456789");
	assert_int_equal(fake_count(&F, "\"main\"", "Basic YTpi"), 1);
	assert_int_equal(fake_count(&F, "\"other\"", "Basic"), 0);
	http_sink_clear(&k);
	strlist_clear(&desc.urls);
	buf_clear(&b);
	registry_close(r);
}

static void test_bad_manifests(void **state)
{
	static const struct {
		const char *rule;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{"body={} 'Docker-Content-Digest: " BLOB "'", ERR_CORRUPT,
			"does not have the digest"},
		{"body=aaaaaaaaaaaaaaaa repeat=300000", ERR_LIMIT, "more than 4194304 bytes"},
		{"body={} claim=1099511627776", ERR_LIMIT, "more than 4194304 bytes"},
		{"404 'Content-Type: application/json' "
		 "'body={\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest "
		 "\\u001b[2Junknown\"}]}'",
			ERR_NET, "/x:v1: HTTP 404 Not Found: manifest \\x1b[2Junknown"},
		{"500 body=<html>", ERR_NET, "HTTP 500"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *type = NULL;
		struct registry *r;
		struct err *err = NULL;
		struct buf b;

		fake_startf(&F, "/v2/x/manifests/.* %s", t[i].rule);
		r = open_registry("x", false);
		buf_init(&b, OCI_MANIFEST_MAX);
		assert_int_equal(registry_manifest(r, "v1", NULL, &b, &type, &err), -1);
		expect_error(&err, t[i].kind, t[i].words);
		buf_clear(&b);
		registry_close(r);
		fake_stop(&F);
	}
}

#define UP "/v2/x/blobs/uploads/"

static void test_upload_ways(void **state)
{
	/* Each list of rules is a server of its own kind. */
	static const struct {
		const char *rules;
		const char *seen; /* request bodies of PATCH or PUT that must be in the log */
		int count;
		const char *error;
	} t[] = {
		/* one PUT, the query of the location kept, to another origin without credentials */
		{"POST 202 'Location: http://127.0.0.1:{other}/up?a=b'\n"
		 "PUT /up.a=b&digest=sha256:.* 201 port=other",
			"\"PUT\"", 1, NULL},
		/* a server that wants pieces */
		{"POST 202 'Location: " UP "1'\n"
		 "PUT " UP "1.* 413 n=1\n"
		 "PATCH " UP "1 202 'Location: " UP "2' 'Range: 0-9'\n"
		 "PUT " UP "2.digest=.* 201\n"
		 "DELETE 204",
			"\"Content-Range\": \"0-9\"", 1, NULL},
		/* ... that loses a part and says so */
		{"POST 202 'Location: " UP "1'\n"
		 "PUT " UP "1.* 501 n=1\n"
		 "PATCH " UP "1 416 n=1\n"
		 "GET " UP "1 204 'Location: " UP "1' 'Range: 0-3'\n"
		 "PATCH " UP "1 202 'Location: " UP "2' 'Range: 0-9'\n"
		 "PUT " UP "2.digest=.* 201\n"
		 "DELETE 204",
			"\"Content-Range\": \"4-9\"", 1, NULL},
		/* busy, then a session that is gone, then good */
		{"POST 202 'Location: " UP "{n}'\n"
		 "PUT 429 n=1 'Retry-After: 0'\n"
		 "PUT 404 n=1 'Retry-After: 0'\n"
		 "PUT 201\n"
		 "DELETE 204",
			"\"PUT\"", 3, NULL},
		{"POST 202", "POST", 1, "does not say where"},
		{"POST 202 'Location: file:///x'", "POST", 1, "not an http"},
		{"POST 405 'body={\"errors\":[{\"code\":\"UNSUPPORTED\"}]}'", "POST", 1,
			"UNSUPPORTED"},
		{"POST 202 'Location: " UP "1'\n"
		 "PUT 400 'body={\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}'\n"
		 "DELETE 204",
			"\"DELETE\"", 1, "DIGEST_INVALID"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct registry_push p;
		struct registry *r;
		struct err *err = NULL;
		int rc;

		fake_start(&F, t[i].rules);
		r = open_registry("x", true);
		make_blob(10, &p);
		rc = registry_push_blob(r, 0, &p, &err);
		if (t[i].error) {
			assert_int_equal(rc, -1);
			expect_error(&err, ERR_NET, t[i].error);
		} else {
			expect_good(rc, &err);
		}
		if (fake_count(&F, t[i].seen, NULL) != t[i].count) {
			char *log = fake_log(&F);
			fail_msg("case %zu: %s\n%s", i, t[i].seen, log);
		}
		close(p.fd);
		registry_close(r);
		fake_stop(&F);
	}
}

static void test_forbidden_mount(void **state)
{
	struct registry_push p;
	struct registry *r;
	struct err *err = NULL;

	(void)state;
	fake_start(&F, "POST .*mount=.* 403\n"
		       "POST 202 'Location: " UP "1'\n"
		       "PUT 201");
	r = open_registry("x", true);
	make_blob(10, &p);
	p.from = "a/b";
	expect_good(registry_push_blob(r, 0, &p, &err), &err);
	assert_int_equal(fake_count(&F, "&from=a/b", NULL), 1);
	assert_int_equal(fake_count(&F, "\"PUT\"", NULL), 1);
	close(p.fd);
	registry_close(r);
}

/* Any 2xx is success; of a refusal that may mean the format the help says so. */
static void test_manifest_answers(void **state)
{
	static const struct {
		const char *ref, *type;
		bool good, hint;
	} t[] = {
		{"204", OCI_MEDIA_MANIFEST, true, false},
		{"206", OCI_MEDIA_MANIFEST, true, false},
		{"415", OCI_MEDIA_MANIFEST, false, true},
		{"400", OCI_MEDIA_INDEX, false, true},
		{"415", OCI_MEDIA_DOCKER_MANIFEST, false, false},
		{"404", OCI_MEDIA_MANIFEST, false, false},
		{"302", OCI_MEDIA_MANIFEST, false, false},
	};
	struct registry *r;

	(void)state;
	fake_start(&F, "PUT .*/204 204\n"
		       "PUT .*/206 206\n"
		       "PUT .*/415 415\n"
		       "PUT .*/400 400\n"
		       "PUT .*/302 302");
	r = open_registry("team/app", true);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err *err = NULL;
		const struct registry_document doc = {t[i].ref, "{}", 2, t[i].type};
		bool refused = false;
		int rc = registry_push_manifest(r, &doc, &refused, &err);
		const char *hint = err ? err_hint_text(err) : "";

		if ((rc == 0) != t[i].good ||
			(strstr(hint, "--format docker") != NULL) != t[i].hint ||
			refused != t[i].hint)
			fail_msg("%s: %d %s (%s)", t[i].ref, rc, err ? err_text(err) : "", hint);
		err_free(err);
	}
	registry_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_schemes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_htpasswd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faulty_blobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resumed_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_manifests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upload_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_manifest_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forbidden_mount, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

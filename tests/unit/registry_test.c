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
#include "tests/support/fake.h"

static struct fake F;
static char *Dir;
static char *Host;

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
	free(Host);
	Host = NULL;
	return 0;
}

static void expect(struct err *err, enum err_kind kind, const char *words)
{
	assert_non_null(err);
	if (err_get_kind(err) != kind || !strstr(err_text(err), words))
		fail_msg("got kind %d: %s (%s)", err_get_kind(err), err_text(err),
			err_hint_text(err));
	err_free(err);
}

static void must(int rc, struct err *err)
{
	if (err)
		fail_msg("%s (%s)", err_text(err), err_hint_text(err));
	assert_true(rc >= 0);
}
/* The call sets err before it is looked at. */
#define good(call, err)                                                                            \
	do {                                                                                       \
		int good_rc = (call);                                                              \
		must(good_rc, err);                                                                \
	} while (0)

static struct registry *try_open(const char *path, bool push, struct err **err)
{
	struct registry_opts o = {.path = path, .tls_verify = -1, .push = push, .retries = 3};

	free(Host);
	Host = mem_printf("127.0.0.1:%d", F.port);
	o.host = Host;
	return registry_open(&o, err);
}

static struct registry *open_registry(const char *path, bool push)
{
	struct err *err = NULL;
	struct registry *r = try_open(path, push, &err);

	good(r ? 0 : -1, err);
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

static int to_buf(void *ctx, const void *p, size_t n, struct err **err)
{
	return buf_add(ctx, p, n) < 0 ? err_set(err, ERR_LIMIT, "full") : 0;
}

static int get_blob(struct registry *r, const struct digest *d, uint64_t size, struct buf *out,
	struct err **err)
{
	struct http_sink k;
	struct oci_descriptor desc = {.digest = *d, .size = size};
	int rc;

	buf_init(out, 64 << 20);
	http_sink_init(&k, (struct io_writer){to_buf, out}, size, ERR_CORRUPT);
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
	good(registry_push_blob(r, 0, &c, &err), err);
	good(registry_push_blob(r, 1, layer, &err), err);
	text = mem_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST
		"\",\"config\":{\"mediaType\":\"" OCI_MEDIA_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"" OCI_MEDIA_LAYER
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		sha256_string(&c.digest, a), (size_t)c.size, sha256_string(&layer->digest, b),
		(size_t)layer->size);
	sha256_of(text, strlen(text), manifest);
	const struct registry_document doc = {tag, text, strlen(text), OCI_MEDIA_MANIFEST};

	good(registry_push_manifest(r, &doc, NULL, &err), err);
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
	good(registry_push_has(r, 2, &layer.digest, &err), err);
	assert_int_equal(registry_push_has(r, 2, &layer.digest, &err), 0);
	push_image(r, "v1", &layer, &manifest);
	assert_int_equal(registry_push_has(r, 2, &layer.digest, &err), 1);
	good(registry_resolve(r, "v1", &got, &err), err);
	assert_memory_equal(&got, &manifest, sizeof got);
	buf_init(&b, OCI_MANIFEST_MAX);
	good(registry_manifest(r, "v1", NULL, &b, &type, &err), err);
	sha256_of(b.data, b.len, &got);
	assert_memory_equal(&got, &manifest, sizeof got);
	assert_string_equal(type, OCI_MEDIA_MANIFEST);
	free(type);
	buf_clear(&b);
	good(get_blob(r, &layer.digest, size, &b, &err), err);
	sha256_of(b.data, b.len, &got);
	assert_memory_equal(&got, &layer.digest, sizeof got);
	buf_clear(&b);
	buf_init(&b, 100);
	assert_int_equal(registry_manifest(r, "nothere", NULL, &b, &type, &err), -1);
	expect(err, ERR_NET, "manifest unknown");
	err = NULL;
	assert_int_equal(registry_resolve(r, "nothere", &got, &err), -1);
	expect(err, ERR_NET, "manifest unknown");
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
	good(registry_push_blob(r, 0, &empty, &err), err);
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
	expect(err, ERR_NET, "HTTP 400");
	close(empty.fd);
	registry_close(r);
}

static void test_htpasswd(void **state)
{
	struct registry *r;
	struct err *err = NULL;
	struct digest d;
	char *json;

	(void)state;
	fake_run("htpasswd -Bbn alice 's3cret:with colon' >%s/htpasswd 2>/dev/null", Dir);
	json = mem_printf("auth:\n  htpasswd: {realm: test, path: %s/htpasswd}\n", Dir);
	fake_start_docker(&F, json, false);
	free(json);
	r = open_registry("team/app", true);
	assert_int_equal(registry_resolve(r, "v1", &d, &err), -1);
	assert_non_null(strstr(err_hint_text(err), "bld login 127.0.0.1"));
	expect(err, ERR_AUTH, "HTTP 401");
	err = NULL;
	registry_close(r);
	fake_run("mkdir -p %s/containers", Dir);
	json = mem_printf("{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"YWxpY2U6d3Jvbmc=\"}}}", F.port);
	fake_write(Dir, "containers/auth.json", json);
	free(json);
	r = open_registry("team/app", true);
	assert_int_equal(registry_check(r, &err), -1);
	expect(err, ERR_AUTH, "HTTP 401");
	err = NULL;
	registry_close(r);
	json = mem_printf(
		"{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"YWxpY2U6czNjcmV0OndpdGggY29sb24=\"}}}",
		F.port);
	fake_write(Dir, "containers/auth.json", json);
	free(json);
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
	expect(err, ERR_NET, "certificate");
	err = NULL;
	o.host = Host;
	r = registry_open(&o, &err);
	good(r ? 0 : -1, err);
	registry_close(r);
	fake_run("mkdir -p %s/.config/containers/certs.d/%s && cp %s/ca.crt "
		 "%s/.config/containers/certs.d/%s/",
		Dir, Host, F.dir, Dir, Host);
	round_trip(100000);
}

static void test_schemes(void **state)
{
	struct registry_opts o = {.path = "x", .tls_verify = 1, .retries = 1};
	struct err *err = NULL;

	(void)state;
	fake_start(&F, "[]", NULL, NULL, NULL);
	Host = mem_printf("127.0.0.1:%d", F.port);
	o.host = Host;
	assert_null(registry_open(&o, &err));
	assert_non_null(strstr(err_hint_text(err), "--tls-verify=false"));
	expect(err, ERR_NET, "127.0.0.1");
	err = NULL;
	o.host = "registry.invalid";
	o.tls_verify = -1;
	assert_null(registry_open(&o, &err));
	assert_non_null(strstr(err_hint_text(err), "network"));
	expect(err, ERR_NET, "registry.invalid");
}

static void test_tokens(void **state)
{
	char *port_file = mem_printf("%s/port", Dir), *extra, *json, *log;
	struct registry *r;
	struct registry_push p;
	struct err *err = NULL;
	struct buf port;
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
	buf_init(&port, 100);
	assert_int_equal(fs_read_file(AT_FDCWD, port_file, 100, &port, NULL), 0);
	extra = mem_printf("auth:\n  token: {realm: \"http://127.0.0.1:%s/token\", service: reg, "
			   "issuer: bld-test, rootcertbundle: "
			   "%s/ca.crt}\n",
		port.data, Dir);
	fake_start_docker(&F, extra, false);
	make_blob(1000, &p);
	r = open_registry("private/app", true);
	assert_int_equal(registry_push_blob(r, 0, &p, &err), -1);
	expect(err, ERR_AUTH, "HTTP 401");
	err = NULL;
	registry_close(r);
	fake_run("mkdir -p %s/containers", Dir);
	json = mem_printf(
		"{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"YWxpY2U6czNjcmV0OndpdGggY29sb24=\"}}}",
		F.port);
	fake_write(Dir, "containers/auth.json", json);
	round_trip(100000);
	buf_clear(&port);
	buf_init(&port, 1 << 20);
	log = mem_printf("%s/token.log", Dir);
	assert_int_equal(fs_read_file(AT_FDCWD, log, 1 << 20, &port, NULL), 0);
	assert_non_null(strstr(
		port.data, "\"repository:other/app:pull,push\", \"repository:team/app:pull\""));
	buf_clear(&port);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(p.fd);
	free(log);
	free(json);
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
		{"\"body\":\"012345678\"", ERR_CORRUPT, "has 9 bytes, the manifest says 10"},
		{"\"body\":\"0123456789x\"", ERR_CORRUPT, "11 bytes, more than 10"},
		{"\"body\":\"0123456789\",\"cut\":6", ERR_CORRUPT, "always ends after 6 bytes"},
		{"\"status\":500", ERR_NET, "HTTP 500"},
		{"\"status\":403", ERR_AUTH, "HTTP 403"},
		{"\"status\":404", ERR_NET, "HTTP 404"},
		{"\"status\":307,\"headers\":[[\"Location\",\"/v2/\"]],\"n\":0", ERR_NET,
			"HTTP 404"},
	};
	struct digest d;

	(void)state;
	assert_int_equal(sha256_parse_string(BLOB, &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *rules = mem_printf("[{\"p\":\"/v2/x/blobs/.*\",%s}]", t[i].rule);
		struct registry *r;
		struct err *err = NULL;
		struct buf b;

		fake_start(&F, rules, NULL, NULL, NULL);
		r = open_registry("x", false);
		assert_int_equal(get_blob(r, &d, 10, &b, &err), -1);
		expect(err, t[i].kind, t[i].words);
		buf_clear(&b);
		registry_close(r);
		fake_stop(&F);
		free(rules);
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
	fake_start(&F,
		"[{\"p\":\"/v2/x/blobs/.*\",\"auth\":\"Bearer "
		"T1\",\"n\":1,\"body\":\"0123456789\",\"cut\":4},"
		"{\"p\":\"/v2/x/blobs/.*\",\"auth\":\"Bearer T2\",\"n\":1,\"status\":503},"
		"{\"p\":\"/v2/x/blobs/.*\",\"auth\":\"Bearer "
		"T2\",\"n\":1,\"status\":307,\"headers\":[[\"Location\",\"http://"
		"127.0.0.1:{other}/store\"]]},"
		"{\"p\":\"/store\",\"port\":\"other\",\"body\":\"0123456789\"},"
		"{\"p\":\"/token.*\",\"n\":1,\"body\":\"{\\\"token\\\":\\\"T1\\\"}\"},"
		"{\"p\":\"/token.*\",\"n\":1,\"body\":\"{\\\"token\\\":\\\"T2\\\"}\"},"
		"{\"p\":\"/v2/.*\",\"status\":401,\"headers\":[[\"WWW-Authenticate\",\"Bearer "
		"realm=\\\"http://127.0.0.1:{port}/"
		"token\\\",service=\\\"s\\\"\"]]}]",
		NULL, NULL, NULL);
	r = open_registry("x", false);
	good(get_blob(r, &d, 10, &b, &err), err);
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
	char *url;

	(void)state;
	assert_int_equal(sha256_parse_string(BLOB, &desc.digest), 0);
	fake_start(&F,
		"[{\"p\":\"/layer\",\"port\":\"other\",\"body\":\"0123456789\"},"
		"{\"p\":\"/v2/x/.*\",\"auth\":\"Basic YTpi\",\"status\":404},"
		"{\"p\":\"/v2/.*\",\"status\":401,\"headers\":[[\"WWW-Authenticate\",\"Basic "
		"realm=x\"]]}]",
		NULL, NULL, NULL);
	fake_run("mkdir -p %s/containers", Dir);
	url = mem_printf("{\"auths\":{\"127.0.0.1:%d\":{\"auth\":\"YTpi\"}}}", F.port);
	fake_write(Dir, "containers/auth.json", url);
	free(url);
	strlist_add(&desc.urls, "file:///etc/passwd");
	strlist_addf(&desc.urls, "http://127.0.0.1:%d/layer", F.other);
	r = open_registry("x", false);
	buf_init(&b, 100);
	http_sink_init(&k, (struct io_writer){to_buf, &b}, 10, ERR_CORRUPT);
	good(registry_blob(r, 0, &desc, &k, &err), err);
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
		{"\"body\":\"{}\",\"headers\":[[\"Docker-Content-Digest\",\"" BLOB "\"]]",
			ERR_CORRUPT, "does not have the digest"},
		{"\"body\":\"aaaaaaaaaaaaaaaa\",\"repeat\":300000", ERR_LIMIT,
			"more than 4194304 bytes"},
		{"\"body\":\"{}\",\"claim\":1099511627776", ERR_LIMIT, "more than 4194304 bytes"},
		{"\"status\":404,\"headers\":[[\"Content-Type\",\"application/"
		 "json\"]],\"body\":\"{\\\"errors\\\":[{\\\"code\\\":"
		 "\\\"MANIFEST_UNKNOWN\\\",\\\"message\\\":\\\"manifest "
		 "\\\\u001b[2Junknown\\\"}]}\"",
			ERR_NET, "/x:v1: HTTP 404 Not Found: manifest \\x1b[2Junknown"},
		{"\"status\":500,\"body\":\"<html>\"", ERR_NET, "HTTP 500"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *rules = mem_printf("[{\"p\":\"/v2/x/manifests/.*\",%s}]", t[i].rule),
		     *type = NULL;
		struct registry *r;
		struct err *err = NULL;
		struct buf b;

		fake_start(&F, rules, NULL, NULL, NULL);
		r = open_registry("x", false);
		buf_init(&b, OCI_MANIFEST_MAX);
		assert_int_equal(registry_manifest(r, "v1", NULL, &b, &type, &err), -1);
		expect(err, t[i].kind, t[i].words);
		buf_clear(&b);
		registry_close(r);
		fake_stop(&F);
		free(rules);
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
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"http://"
		 "127.0.0.1:{other}/up?a=b\"]]},"
		 "{\"m\":\"PUT\",\"p\":\"/"
		 "up.a=b&digest=sha256:.*\",\"port\":\"other\",\"status\":201}]",
			"\"PUT\"", 1, NULL},
		/* a server that wants pieces */
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"" UP "1\"]]},"
		 "{\"m\":\"PUT\",\"p\":\"" UP "1.*\",\"n\":1,\"status\":413},"
		 "{\"m\":\"PATCH\",\"p\":\"" UP
		 "1\",\"status\":202,\"headers\":[[\"Location\",\"" UP "2\"],[\"Range\",\"0-9\"]]},"
		 "{\"m\":\"PUT\",\"p\":\"" UP
		 "2.digest=.*\",\"status\":201},{\"m\":\"DELETE\",\"status\":204}]",
			"\"Content-Range\": \"0-9\"", 1, NULL},
		/* ... that loses a part and says so */
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"" UP "1\"]]},"
		 "{\"m\":\"PUT\",\"p\":\"" UP "1.*\",\"n\":1,\"status\":501},"
		 "{\"m\":\"PATCH\",\"p\":\"" UP "1\",\"n\":1,\"status\":416},"
		 "{\"m\":\"GET\",\"p\":\"" UP "1\",\"status\":204,\"headers\":[[\"Location\",\"" UP
		 "1\"],[\"Range\",\"0-3\"]]},"
		 "{\"m\":\"PATCH\",\"p\":\"" UP
		 "1\",\"status\":202,\"headers\":[[\"Location\",\"" UP "2\"],[\"Range\",\"0-9\"]]},"
		 "{\"m\":\"PUT\",\"p\":\"" UP
		 "2.digest=.*\",\"status\":201},{\"m\":\"DELETE\",\"status\":204}]",
			"\"Content-Range\": \"4-9\"", 1, NULL},
		/* busy, then a session that is gone, then good */
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"" UP "{n}\"]]},"
		 "{\"m\":\"PUT\",\"n\":1,\"status\":429,\"headers\":[[\"Retry-After\",\"0\"]]},"
		 "{\"m\":\"PUT\",\"n\":1,\"status\":404,\"headers\":[[\"Retry-After\",\"0\"]]},"
		 "{\"m\":\"PUT\",\"status\":201},{\"m\":\"DELETE\",\"status\":204}]",
			"\"PUT\"", 3, NULL},
		{"[{\"m\":\"POST\",\"status\":202}]", "POST", 1, "does not say where"},
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"file:///x\"]]}]",
			"POST", 1, "not an http"},
		{"[{\"m\":\"POST\",\"status\":405,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":"
		 "\\\"UNSUPPORTED\\\"}]}\"}]",
			"POST", 1, "UNSUPPORTED"},
		{"[{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"" UP
		 "1\"]]},{\"m\":\"PUT\",\"status\":400,\"body\":"
		 "\"{\\\"errors\\\":[{\\\"code\\\":\\\"DIGEST_INVALID\\\"}]}\"},{\"m\":\"DELETE\","
		 "\"status\":204}]",
			"\"DELETE\"", 1, "DIGEST_INVALID"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct registry_push p;
		struct registry *r;
		struct err *err = NULL;
		int rc;

		fake_start(&F, t[i].rules, NULL, NULL, NULL);
		r = open_registry("x", true);
		make_blob(10, &p);
		rc = registry_push_blob(r, 0, &p, &err);
		if (t[i].error) {
			assert_int_equal(rc, -1);
			expect(err, ERR_NET, t[i].error);
		} else {
			good(rc, err);
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
	fake_start(&F,
		"[{\"m\":\"POST\",\"p\":\".*mount=.*\",\"status\":403},"
		"{\"m\":\"POST\",\"status\":202,\"headers\":[[\"Location\",\"" UP
		"1\"]]},{\"m\":\"PUT\",\"status\":201}]",
		NULL, NULL, NULL);
	r = open_registry("x", true);
	make_blob(10, &p);
	p.from = "a/b";
	good(registry_push_blob(r, 0, &p, &err), err);
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
	fake_start(&F,
		"[{\"m\":\"PUT\",\"p\":\".*/204\",\"status\":204},{\"m\":\"PUT\",\"p\":\".*/206\","
		"\"status\":206},{\"m\":\"PUT\",\"p\":\".*/415\",\"status\":415},{\"m\":\"PUT\","
		"\"p\":\".*/400\",\"status\":400},{\"m\":\"PUT\",\"p\":\".*/302\",\"status\":302}]",
		NULL, NULL, NULL);
	Host = mem_printf("127.0.0.1:%d", F.port);
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

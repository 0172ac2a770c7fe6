// SPDX-License-Identifier: Apache-2.0
/*
 * Requests to scripted servers: breaks, retries, redirects, proxies, TLS. A guarded request must
 * not be led further inside than its server is, whatever way that is tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/transport/backoff.h"
#include "store/transport/download.h"
#include "store/transport/http.h"
#include "store/transport/peer.h"
#include "store/transport/reply.h"
#include "store/transport/route.h"
#include "store/transport/url.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"

static struct fake F;

static int teardown(void **state)
{
	(void)state;
	fake_stop(&F);
	return 0;
}

/* What a download of a path of F says, an error or NULL; *out is the caller's to clear. */
static struct err *get(const char *path, uint64_t max, struct buf *out, struct http_download *d)
{
	struct err *err = NULL;
	struct io_writer w = expect_into(out);
	auto_free char *url = fake_url(&F, "%s", path);
	struct http_download own = {0};

	if (!d)
		d = &own;
	buf_init(out, 1 << 24);
	d->max_bytes = max;
	int rc = http_download(url, &w, d, &err);
	assert_int_equal(rc, err ? -1 : 0);
	free(own.etag);
	free(own.date);
	return err;
}

static void get_is(const char *path, const char *text)
{
	struct buf b;
	struct err *err = get(path, 100, &b, NULL);

	expect_good(0, &err);
	assert_string_equal(b.data, text);
	buf_clear(&b);
}

static void get_fails(const char *path, uint64_t max, enum err_kind kind, const char *words)
{
	struct buf b;
	struct err *err = get(path, max, &b, NULL);

	expect_error(&err, kind, words);
	buf_clear(&b);
}

static void test_download(void **state)
{
	struct buf b;
	struct http_download d = {0};

	(void)state;
	fake_start(&F,
		"/x body=hello 'ETag: \"e\"' 'Last-Modified: Tue, 02 Jan 2024 03:04:05 GMT'\n"
		"/forbidden 403 'body=no \033[31mway' 'Content-Type: text/plain'\n"
		"/json 404 'body={\"errors\":[{\"code\":\"X\",\"message\":\"manifest "
		"unknown\"}]}'");
	struct err *err = get("/x", 100, &b, &d);
	expect_good(0, &err);
	assert_string_equal(b.data, "hello");
	assert_int_equal(d.last_modified, 1704164645);
	assert_string_equal(d.etag, "\"e\"");
	free(d.etag);
	free(d.date);
	buf_clear(&b);
	get_fails("/x", 4, ERR_LIMIT, "5 bytes, more than 4");
	get_fails("/forbidden", 4, ERR_AUTH, "HTTP 403 Forbidden: no \\x1b[31mway");
	get_fails("/json", 4, ERR_NET, "HTTP 404 Not Found: manifest unknown");
	get_fails("/none?token=s3cret", 4, ERR_NET, "/none: HTTP 404");
	assert_int_equal(fake_count(&F, "Authorization", NULL), 0);
	/* A user in the URL logs in. */
	struct io_writer w = expect_into(&b);
	char *url = mem_printf("http://u:p%%3A@127.0.0.1:%d/x", F.port);
	d = (struct http_download){.max_bytes = 100};
	buf_init(&b, 100);
	assert_int_equal(http_download(url, &w, &d, NULL), 0);
	assert_int_equal(fake_count(&F, "Basic dTpwOg==", NULL), 1);
	buf_clear(&b);
	free(d.etag);
	free(d.date);
	free(url);
}

static void test_retries(void **state)
{
	uint64_t t0;

	(void)state;
	fake_start(&F, "/busy 429 n=1 'Retry-After: 1'\n"
		       "/busy 503 n=1\n"
		       "/busy body=done\n"
		       "/long 429 'Retry-After: 4000'\n"
		       "/gone 410");
	t0 = (uint64_t)time(NULL);
	get_is("/busy", "done");
	assert_true((uint64_t)time(NULL) - t0 <= 5);
	assert_int_equal(fake_count(&F, "/busy", NULL), 3);
	get_fails("/long", 100, ERR_NET, "asks to wait for 4000 s");
	get_fails("/gone", 100, ERR_NET, "HTTP 410");
	assert_int_equal(fake_count(&F, "/gone", NULL), 1);
}

static void test_broken_downloads(void **state)
{
	(void)state;
	/* /range breaks once and goes on by If-Range; /again has no ETag and is sent again; /other
	 * changes meanwhile. */
	fake_start(&F, "/range n=1 body=0123456789 cut=4 claim=10 'ETag: \"1\"'\n"
		       "/range body=0123456789 'ETag: \"1\"'\n"
		       "/again n=1 body=0123456789 cut=4\n"
		       "/again body=0123456789 norange\n"
		       "/other n=1 body=0123456789 cut=4\n"
		       "/other body=01x3456789 norange\n"
		       "/short n=1 body=0123456789 cut=4\n"
		       "/short body=01 norange\n"
		       "/stuck body=0123456789 cut=4 norange");
	get_is("/range", "0123456789");
	assert_int_equal(fake_count(&F, "/range", "bytes=4-"), 1);
	assert_int_equal(fake_count(&F, "/range", "If-Range"), 1);
	get_is("/again", "0123456789");
	get_fails("/other", 100, ERR_NET, "changed while it was downloaded");
	get_fails("/short", 100, ERR_NET, "changed while it was downloaded");
	get_fails("/stuck", 100, ERR_CORRUPT, "always ends after 4 bytes");
}

static void test_redirects(void **state)
{
	(void)state;
	fake_start(&F, "/loop 302 'Location: /loop'\n"
		       "/rel/a 307 'Location: b?x=1'\n"
		       "/rel/b.x=1 body=relative\n"
		       "/out 307 'Location: http://127.0.0.1:{other}/in'\n"
		       "/in port=other body=elsewhere\n"
		       "/file 302 'Location: file:///etc/passwd'\n"
		       "/ftp 302 'Location: ftp://127.0.0.1/x'");
	get_fails("/loop", 100, ERR_NET, "more than 5 redirects");
	assert_int_equal(fake_count(&F, "/loop", NULL), 6);
	get_is("/rel/a", "relative");
	get_fails("/file", 100, ERR_NET, "not an http or https URL");
	get_fails("/ftp", 100, ERR_NET, "not an http or https URL");

	/* Credentials stay with their origin. */
	struct http_opts o = {0};
	struct http_session *s = http_session_new(&o);
	struct http_response r;
	struct err *err = NULL;
	char *url = fake_url(&F, "/out");
	struct http_request q = {
		.method = "GET", .url = url, .authorization = "Bearer s3cret", .max_body = 100};

	http_response_init(&r);
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_string_equal(r.body.data, "elsewhere");
	assert_int_equal(r.peer, HTTP_PEER_LOOPBACK);
	assert_int_equal(fake_count(&F, "\"/out\"", "Bearer s3cret"), 1);
	assert_int_equal(fake_count(&F, "\"/in\"", NULL), 1);
	assert_int_equal(fake_count(&F, "\"/in\"", "s3cret"), 0);
	/* Nothing that a public registry points to may be on this machine. */
	q.guarded = true;
	q.inside = HTTP_PEER_PUBLIC;
	assert_int_equal(http_perform(s, &q, &r, &err), -1);
	expect_error(&err, ERR_AUTH, "private to this machine");
	http_response_clear(&r);
	http_session_free(s);
	free(url);
}

/* --- routes and guards ------------------------------------------------------------------ */

static const char *const proxy_variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	"all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};

static int no_proxies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(proxy_variables); i++)
		unsetenv(proxy_variables[i]);
	return 0;
}

static int teardown_proxies(void **state)
{
	return teardown(state) + no_proxies(state);
}

/* As curl 7.88 and 8 do it; networks of IPv6 as since 8. */
static void test_no_proxy(void **state)
{
	static const struct {
		const char *host, *list;
		bool excluded;
	} t[] = {
		{"a.example.com", "*", true},
		{"a.example.com", "x,*", false},
		{"a.example.com", " *", false},
		{"example.com", "example.com", true},
		{"a.example.com", "example.com", true},
		{"a.example.com", ".example.com", true},
		{"example.com", ".example.com", true},
		{"example.com.", "EXAMPLE.com", true},
		{"example.com", "example.com.", true},
		{"nonexample.com", "example.com", false},
		{"example.com", "a.example.com", false},
		{"example.com", "*.example.com", false},
		{"example.com", "example.com:80", false},
		{"example.com", "x , ,example.com", true},
		{"example.com", "x example.com", true},
		{"example.com", "x\texample.com", true},
		{"example.com", "", false},
		{"example.com", ".", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "10.0.0.0/8", true},
		{"10.1.2.3", "10.1.2.0/31", false},
		{"10.1.2.3", "10.1.2.2/31", true},
		{"10.1.2.3", "10.1.2.3/33", false},
		{"10.1.2.3", "0.0.0.0/0", false},
		{"10.1.2.3", "2.3", false},
		{"10.1.2.3", "10.", false},
		{"10.1.2.3", "10.1.2.3:80", false},
		{"1.2.3.4.example", "4.example", true},
		{"192.168.77.5", "192.168.64.0/18", true},
		{"192.168.77.5", "192.168.78.0/23", false},
		{"[fd00::1]", "fd00::1", true},
		{"[fd00::1]", "fd00:0::1", true},
		{"[fd00::1]", "fd00::/8", true},
		{"[fd00::1]", "[fd00::1]", false},
		{"[2001:db8::5]", "2001:db8::/127", false},
		{"[2001:db8::5]", "10.0.0.0/8", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (route_excluded(t[i].host, t[i].list) != t[i].excluded)
			fail_msg("%s, no_proxy=%s", t[i].host, t[i].list);
}

static void test_proxy_variables(void **state)
{
	static const struct {
		const char *set, *value, *url, *proxy;
	} t[] = {
		{"http_proxy", "p:1", "http://h/", "p:1"},
		{"http_proxy", "p:1", "https://h/", NULL},
		{"http_proxy", "p:1", "http://localhost:5/", NULL},
		{"http_proxy", "p:1", "http://127.3.2.1/", NULL},
		{"http_proxy", "", "http://h/", NULL},
		{"HTTP_PROXY", "p:1", "http://h/", NULL},
		{"https_proxy", "p:1", "https://h/", "p:1"},
		{"HTTPS_PROXY", "p:1", "https://h/", "p:1"},
		{"HTTPS_PROXY", "p:1", "http://h/", NULL},
		{"all_proxy", "p:1", "http://h/", "p:1"},
		{"ALL_PROXY", "p:1", "https://h/", "p:1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct url u;
		const char *got;

		no_proxies(state);
		setenv(t[i].set, t[i].value, 1);
		assert_int_equal(url_parse(t[i].url, &u, NULL), 0);
		got = route_proxy(&u);
		if ((got != NULL) != (t[i].proxy != NULL) || (got && strcmp(got, t[i].proxy) != 0))
			fail_msg("%s=%s %s: %s", t[i].set, t[i].value, t[i].url, got);
		setenv("NO_PROXY", "h", 1);
		assert_null(route_proxy(&u));
		setenv("no_proxy", "other", 1);
		assert_int_equal(route_proxy(&u) != NULL, t[i].proxy != NULL);
		url_clear(&u);
		unsetenv(t[i].set);
	}
	no_proxies(state);
}

/* One GET that may go no further inside than `inside`; NULL for one that is not guarded. */
static struct err *guarded(const char *url, const enum http_peer *inside, struct http_response *r)
{
	struct http_opts o = {.retries = 1};
	struct http_session *s = http_session_new(&o);
	struct http_request q = {.method = "GET", .url = url, .max_body = 1000, .once = true};
	struct err *err = NULL;

	q.guarded = inside != NULL;
	q.inside = inside ? *inside : HTTP_PEER_PUBLIC;
	http_response_init(r);
	if (http_perform(s, &q, r, &err) == 0 && err)
		fail_msg("an error and success");
	http_session_free(s);
	return err;
}

static void guarded_fails(const char *url, const enum http_peer *inside)
{
	struct http_response r;
	struct err *err = guarded(url, inside, &r);

	expect_error(&err, ERR_AUTH, "private to this machine");
	http_response_clear(&r);
}

/* What no_proxy excepts goes straight to its host, and is looked at: *.localhost is this machine.
 */
static void test_guard_and_no_proxy(void **state)
{
	static const char *const excepting[] = {"*", ".localhost", "registry.localhost"};
	const enum http_peer public = HTTP_PEER_PUBLIC;
	struct http_response r;
	char *url, *proxy;

	(void)state;
	fake_start(&F, ".* body=inside");
	url = mem_printf("http://registry.localhost:%d/x", F.port);
	proxy = mem_printf("http://127.0.0.1:%d", F.other);
	setenv("http_proxy", proxy, 1);
	for (size_t i = 0; i < ARRAY_LEN(excepting); i++) {
		setenv("no_proxy", excepting[i], 1);
		guarded_fails(url, &public);
	}
	assert_int_equal(fake_count(&F, "\"main\"", NULL), 0);
	/* Any variable switched the guard off, also one that is for others. */
	no_proxies(NULL);
	setenv("https_proxy", proxy, 1);
	guarded_fails(url, &public);
	/* Through a proxy: an address in the URL is what it is, and the proxy is not the server. */
	setenv("http_proxy", proxy, 1);
	guarded_fails("http://169.254.169.254/x", &public);
	guarded_fails("http://[::ffff:10.0.0.1]/x", &public);
	assert_int_equal(fake_count(&F, "x", NULL), 0);
	struct err *err = guarded("http://registry.test/x", &public, &r);
	expect_good(0, &err);
	assert_int_equal(fake_count(&F, "\"other\"", "http://registry.test/x"), 1);
	assert_int_equal(r.peer, HTTP_PEER_PUBLIC);
	http_response_clear(&r);
	free(url);
	free(proxy);
}

/* Where any answer leads, asked for with a guard or without one. */
static void test_guarded_redirects(void **state)
{
	static const char *const paths[] = {"/meta", "/mapped", "/twice"};
	char *proxy;

	(void)state;
	fake_start(&F,
		"(http://public.test)?/meta 307 'Location: http://169.254.169.254/x'\n"
		"(http://public.test)?/mapped 302 'Location: http://[::ffff:169.254.169.254]/x'\n"
		"(http://public.test)?/twice 301 'Location: /meta'\n"
		"http://public.test/loop 307 'Location: http://127.0.0.1:{port}/inside'\n"
		"http://public.test/private 307 'Location: "
		"http://registry.localhost:{port}/inside'\n"
		"/inside body=secret");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		auto_free char *url = fake_url(&F, "%s", paths[i]);

		guarded_fails(url, NULL);
	}
	/* A public server, which here is behind a proxy, leads nobody to this machine. */
	proxy = mem_printf("http://127.0.0.1:%d", F.other);
	setenv("http_proxy", proxy, 1);
	setenv("no_proxy", ".localhost", 1);
	guarded_fails("http://public.test/loop", NULL);
	guarded_fails("http://public.test/private", NULL);
	guarded_fails("http://public.test/meta", NULL);
	assert_int_equal(fake_count(&F, "/inside", NULL), 0);
	free(proxy);
}

/* What a public server may lead to when the caller says so: this network, not this machine, nor
 * addresses that are link-local. */
static void test_allowed_redirects(void **state)
{
	static const struct {
		const char *list, *path, *help;
	} t[] = {
		{"public.test", "private", NULL},
		{"other.test, Public.test:80", "private", NULL},
		{NULL, "private", "--allow-private public.test,"},
		{"other.test,public.test:81,blic.test", "private", "--allow-private public.test,"},
		{"public.test", "machine", ""},
		{"public.test", "link", ""},
		{"public.test", "further", NULL},
		{"other.test", "further", "--allow-private public.test,"},
		{"other.test", "out", NULL},
		{NULL, "out", "--allow-private other.test,"},
	};
	char *proxy;

	(void)state;
	fake_start(&F, "http://public.test/private 307 'Location: http://10.0.0.1/x'\n"
		       "http://public.test/machine 307 'Location: http://127.0.0.1:{port}/x'\n"
		       "http://public.test/link 307 'Location: http://169.254.169.254/x'\n"
		       "http://public.test/further 307 'Location: http://192.168.1.1/further'\n"
		       "http://192.168.1.1/further 307 'Location: http://10.0.0.1/x'\n"
		       "http://public.test/out 307 'Location: http://other.test/private'\n"
		       "http://other.test/private 307 'Location: http://10.0.0.1/x'\n"
		       "http://10.0.0.1/x body=inside");
	proxy = mem_printf("http://127.0.0.1:%d", F.other);
	setenv("http_proxy", proxy, 1);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		auto_free char *path = mem_printf("http://public.test/%s", t[i].path);
		struct http_download d = {.max_bytes = 100, .allow_private = t[i].list};
		auto_buf struct buf got;
		auto_err struct err *err = NULL;

		buf_init(&got, 100);
		struct io_writer w = expect_into(&got);
		int rc = http_download(path, &w, &d, &err);
		free(d.etag);
		free(d.date);
		if (!t[i].help && (rc < 0 || strcmp(got.data, "inside") != 0))
			fail_msg("%zu: %s", i, err ? err_text(err) : got.data);
		if (!t[i].help)
			continue;
		if (rc == 0 || err_get_kind(err) != ERR_AUTH)
			fail_msg("%zu: not refused", i);
		if (*t[i].help ? !strstr(err_hint_text(err), t[i].help) : *err_hint_text(err))
			fail_msg("%zu: %s", i, err_hint_text(err));
	}
	assert_int_equal(fake_count(&F, "\"main\"", NULL), 0);
	free(proxy);
}

/* A connection that is used again is one of another request, with other rules. */
static void test_guard_of_reused(void **state)
{
	struct http_opts o = {0};
	struct http_session *s = http_session_new(&o);
	struct http_response r;
	struct err *err = NULL;
	char *url;
	struct http_request q = {.method = "GET", .max_body = 1000, .once = true};

	(void)state;
	fake_start(&F, "/x body=inside");
	url = fake_url(&F, "/x");
	q.url = url;
	http_response_init(&r);
	expect_good(http_perform(s, &q, &r, &err), &err);
	q.guarded = true;
	q.inside = HTTP_PEER_PUBLIC;
	assert_int_equal(http_perform(s, &q, &r, &err), -1);
	expect_error(&err, ERR_AUTH, "private to this machine");
	assert_int_equal(fake_count(&F, "\"/x\"", NULL), 1);
	http_response_clear(&r);
	http_session_free(s);
	free(url);
}

static void test_secret_body(void **state)
{
	static const int status[] = {307, 308};
	struct http_body body = {.mem = "password=s3cret", .size = 15};

	(void)state;
	fake_start(&F, "/307/away 307 'Location: http://127.0.0.1:{other}/taken?token=s3cret'\n"
		       "/308/away 308 'Location: http://127.0.0.1:{other}/taken?token=s3cret'\n"
		       "/307/near 307 'Location: /taken'\n"
		       "/308/near 308 'Location: /taken'");
	for (size_t i = 0; i < 2 * ARRAY_LEN(status); i++) {
		struct http_opts o = {0};
		struct http_session *s = http_session_new(&o);
		struct http_response r;
		struct err *err = NULL;
		char *url = fake_url(&F, "/%d/%s", status[i / 2], i % 2 ? "away" : "near");
		struct http_request q = {
			.method = "POST", .url = url, .body = &body, .secret_body = true};

		http_response_init(&r);
		assert_int_equal(http_perform(s, &q, &r, &err), -1);
		assert_null(strstr(err_text(err), "s3cret"));
		expect_error(&err, ERR_AUTH, "not sent on");
		http_response_clear(&r);
		http_session_free(s);
		free(url);
	}
	assert_int_equal(fake_count(&F, "/taken", NULL), 0);
}

static void test_bodies(void **state)
{
	struct http_opts o = {0};
	struct http_session *s = http_session_new(&o);
	struct http_response r;
	struct err *err = NULL;
	struct http_body body = {.mem = "0123456789", .size = 10};
	struct http_request q = {.method = "PUT", .body = &body};
	char *url;

	(void)state;
	fake_start(&F, "PUT 503 n=1\n"
		       "PUT 201\n"
		       "PATCH 202\n"
		       "POST 202\n"
		       "DELETE 204\n"
		       "GET /big body=0123456789 repeat=20000");
	url = fake_url(&F, "/u");
	q.url = url;
	http_response_init(&r);
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_int_equal(r.status, 201);
	assert_int_equal(fake_count(&F, "\"PUT\"", "\"length\": 10, \"body\": \"0123456789\""), 2);
	q.method = "PATCH";
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_int_equal(fake_count(&F, "\"PATCH\"", "\"body\": \"0123456789\""), 1);
	q.body = NULL;
	q.method = "POST";
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_int_equal(r.status, 202);
	assert_int_equal(fake_count(&F, "\"POST\"", "\"Content-Length\": \"0\""), 1);
	q.method = "DELETE";
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_int_equal(r.status, 204);
	free(url);
	url = fake_url(&F, "/big");
	q = (struct http_request){.method = "GET", .url = url, .max_body = 100000};
	assert_int_equal(http_perform(s, &q, &r, &err), -1);
	expect_error(&err, ERR_LIMIT, "more than 100000 bytes");
	http_response_clear(&r);
	http_session_free(s);
	free(url);
}

static void test_no_server(void **state)
{
	struct buf b;
	atomic_int stop = 1;
	struct http_download d = {.cancelled = &stop};
	struct err *err;

	(void)state;
	fake_start(&F, "");
	err = get("/x", 1, &b, &d);
	expect_error(&err, ERR_CANCELLED, "cancelled");
	buf_clear(&b);
	struct fake gone = {.port = F.port};
	memcpy(gone.host, F.host, sizeof gone.host);
	fake_stop(&F);
	F = gone;
	err = get("/x", 1, &b, NULL);
	buf_clear(&b);
	assert_non_null(strstr(err_hint_text(err), "network"));
	expect_error(&err, ERR_NET, "127.0.0.1:");
	F = (struct fake){0};
}

static void test_tls(void **state)
{
	char *dir = fake_dir("tls"), *url;
	struct http_opts o = {0};
	struct http_session *s = http_session_new(&o);
	struct http_response r;
	struct err *err = NULL;
	struct http_request q = {.method = "GET", .max_body = 100};

	(void)state;
	http_response_init(&r);
	fake_certificate(dir);
	fake_start_with(&F, "/down 302 'Location: http://127.0.0.1:{port}/'", NULL, dir);
	url = mem_printf("https://%s/v2/", F.host);
	q.url = url;
	assert_int_equal(http_perform(s, &q, &r, &err), -1);
	assert_int_equal(r.failure, HTTP_BAD_CERT);
	assert_non_null(strstr(err_hint_text(err), "certs.d"));
	expect_error(&err, ERR_NET, "certificate");
	http_session_free(s);
	o.cert_dir = dir;
	s = http_session_new(&o);
	expect_good(http_perform(s, &q, &r, &err), &err);
	assert_int_equal(r.status, 200);
	free(url);
	url = mem_printf("https://%s/down", F.host);
	q.url = url;
	assert_int_equal(http_perform(s, &q, &r, &err), -1);
	expect_error(&err, ERR_NET, "https to http");
	http_session_free(s);
	o = (struct http_opts){.insecure = true};
	s = http_session_new(&o);
	free(url);
	url = mem_printf("https://localhost:%d/v2/", F.port);
	q.url = url;
	expect_good(http_perform(s, &q, &r, &err), &err);
	http_session_free(s);
	http_response_clear(&r);
	fake_remove(dir);
	free(dir);
	free(url);
}

static void test_urls(void **state)
{
	static const struct {
		const char *text, *host, *target;
		unsigned port;
	} ok[] = {
		{"http://Host/x?y#z", "host", "/x?y", 80},
		{"https://a.b:5000", "a.b", "/", 5000},
		{"https://u:p@[::1]:1/..", "[::1]", "/..", 1},
		{"http://h?q", "h", "/?q", 80},
	};
	static const char *const bad[] = {"", "ftp://x/", "http://", "http:///x", "http://a b/",
		"http://a:0/", "http://a:70000/", "http://a:/x", "http://[::1/", "http://a\\b/",
		"http://a%00/", "http://[::1]x/", "http://a:1:2/", "javascript:x",
		"http://\xc3\xa4/"};
	static const struct {
		const char *ref, *want;
	} refs[] = {
		{"https://o/x", "https://o/x"},
		{"//o/x", "http://o/x"},
		{"/y?z", "http://h:81/y?z"},
		{"y", "http://h:81/a/y"},
		{"?n", "http://h:81/a/b?n"},
		{"y?u=http://x", "http://h:81/a/y?u=http://x"},
	};
	struct url u, v;
	char *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ok); i++) {
		assert_int_equal(url_parse(ok[i].text, &u, NULL), 0);
		assert_string_equal(u.host, ok[i].host);
		assert_string_equal(u.target, ok[i].target);
		assert_int_equal(u.port, ok[i].port);
		url_clear(&u);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (url_parse(bad[i], &u, NULL) == 0)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(url_parse("http://h:81/a/b?c", &u, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		assert_int_equal(url_resolve(&u, refs[i].ref, &v, NULL), 0);
		s = url_text(&v);
		assert_string_equal(s, refs[i].want);
		free(s);
		url_clear(&v);
	}
	url_clear(&u);
	s = url_printable("https://user:pw@h/p\x1b?token=1");
	assert_string_equal(s, "https://h/p\\x1b");
	free(s);
	s = url_user_info("https://us%40er:p%3aw%2@h/p?x@y");
	assert_string_equal(s, "us@er:p:w%2");
	free(s);
	assert_null(url_user_info("https://h/p@x"));
	assert_null(url_user_info("https://a%0d%0ab:x@h/"));
	assert_true(url_is_loopback("localhost:5000") && url_is_loopback("127.9.9.9") &&
		    url_is_loopback("[::1]:1"));
	assert_false(url_is_loopback("127.0.0.1.example.org") || url_is_loopback("128.0.0.1:80") ||
		     url_is_loopback("[::2]") || url_is_loopback("localhost.example.org"));
}

static void test_peers(void **state)
{
	static const struct {
		const char *ip;
		enum http_peer peer;
	} t[] = {
		{"8.8.8.8", HTTP_PEER_PUBLIC},
		{"127.1.2.3", HTTP_PEER_LOOPBACK},
		{"0.0.0.0", HTTP_PEER_LOOPBACK},
		{"10.1.1.1", HTTP_PEER_PRIVATE},
		{"172.16.0.1", HTTP_PEER_PRIVATE},
		{"172.32.0.1", HTTP_PEER_PUBLIC},
		{"192.168.1.1", HTTP_PEER_PRIVATE},
		{"169.254.169.254", HTTP_PEER_LINK_LOCAL},
		{"::1", HTTP_PEER_LOOPBACK},
		{"::", HTTP_PEER_LOOPBACK},
		{"::ffff:169.254.169.254", HTTP_PEER_LINK_LOCAL},
		{"64:ff9b::7f00:1", HTTP_PEER_LOOPBACK},
		{"fe80::1", HTTP_PEER_LINK_LOCAL},
		{"fd00::1", HTTP_PEER_PRIVATE},
		{"2001:db8::1", HTTP_PEER_PUBLIC},
		{"::ffff:8.8.8.8", HTTP_PEER_PUBLIC},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (peer_of_text(t[i].ip) != t[i].peer)
			fail_msg("%s", t[i].ip);
	assert_false(peer_allowed(HTTP_PEER_LINK_LOCAL, HTTP_PEER_LOOPBACK));
	assert_true(peer_allowed(HTTP_PEER_PRIVATE, HTTP_PEER_LOOPBACK));
	assert_false(peer_allowed(HTTP_PEER_LOOPBACK, HTTP_PEER_PRIVATE));
}

static void test_backoff(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uint64_t d = backoff_delay_ms(i);
		assert_in_range(d, 250, 30000);
		if (i >= 6)
			assert_in_range(d, 15000, 30000);
	}
	assert_int_equal(backoff_retry_after_ms(NULL, 0), -1);
	assert_int_equal(backoff_retry_after_ms(" 7 ", 0), 7000);
	assert_int_equal(backoff_retry_after_ms("7x", 0), -1);
	assert_int_equal(
		backoff_retry_after_ms("99999999999999999999", 0), (int64_t)INT32_MAX * 1000);
	assert_int_equal(backoff_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", 784111774), 3000);
	assert_int_equal(backoff_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", 784111999), 0);
	assert_int_equal(backoff_retry_after_ms("soon", 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test_teardown(test_download, teardown),
		cmocka_unit_test_teardown(test_retries, teardown),
		cmocka_unit_test_teardown(test_broken_downloads, teardown),
		cmocka_unit_test_teardown(test_redirects, teardown),
		cmocka_unit_test(test_no_proxy),
		cmocka_unit_test_setup_teardown(test_proxy_variables, no_proxies, no_proxies),
		cmocka_unit_test_setup_teardown(
			test_guard_and_no_proxy, no_proxies, teardown_proxies),
		cmocka_unit_test_setup_teardown(
			test_guarded_redirects, no_proxies, teardown_proxies),
		cmocka_unit_test_setup_teardown(
			test_allowed_redirects, no_proxies, teardown_proxies),
		cmocka_unit_test_setup_teardown(test_guard_of_reused, no_proxies, teardown_proxies),
		cmocka_unit_test_teardown(test_secret_body, teardown),
		cmocka_unit_test_teardown(test_bodies, teardown),
		cmocka_unit_test_teardown(test_no_server, teardown),
		cmocka_unit_test_teardown(test_tls, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

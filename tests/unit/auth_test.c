// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials and tokens: headers, files, helpers, and a scripted token server. Also what must not
 * happen: secrets in memory that dumps contain, or sent to a realm that has nothing to do with the
 * registry.
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
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/auth.h"
#include "store/transport/auth_file.h"
#include "store/transport/auth_header.h"
#include "store/transport/auth_helper.h"
#include "store/transport/http.h"
#include "store/transport/secret.h"
#include "store/transport/url.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"

static struct fake F;
static char *Dir;

static int setup(void **state)
{
	(void)state;
	Dir = fake_home("auth");
	unsetenv("BLD_TRUSTED_REALMS");
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

/* "scheme k=v k=v; scheme ..." */
static char *shown(const char *value, int *rc)
{
	struct auth_header h = {.n = 0};
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	*rc = auth_header_parse(value, &h);
	for (size_t i = 0; i < h.n; i++) {
		buf_addf(&b, "%s%s", i ? "; " : "", h.v[i].scheme);
		for (size_t k = 0; k < h.v[i].params.n; k++)
			buf_addf(&b, " %s", h.v[i].params.v[k]);
	}
	auth_header_clear(&h);
	return buf_take(&b);
}

static void test_header(void **state)
{
	static const struct {
		const char *in, *out;
		int rc;
	} t[] = {
		{"Basic", "basic", 0},
		{"Basic realm=\"a b\"", "basic realm=a b", 0},
		{"BEARER Realm=\"https://x/t\",Service=\"s\",scope=\"repository:a:pull,push\"",
			"bearer realm=https://x/t service=s scope=repository:a:pull,push", 0},
		{"Basic realm=x, Bearer realm=\"y\" , service = z",
			"basic realm=x; bearer realm=y service=z", 0},
		{"Negotiate, NTLM TlRM==, Bearer realm=\"q\\\"\\\\x\"",
			"negotiate; ntlm; bearer realm=q\"\\x", 0},
		{"Bearer realm=https://h:1/x?y=z,a=b", "bearer realm=https://h:1/x?y=z a=b", 0},
		{",, Basic realm=\"\" ,,", "basic realm=", 0},
		{"Bearer realm=\"a\", realm=\"b\"", "bearer realm=a", 0},
		{"Bearer realm=\"unterminated", "bearer", -1},
		{"Bearer realm=\"::not a url\",,,\"", "bearer realm=::not a url", -1},
		{"", "", 0},
		{"=x", "", -1},
		{"Bearer realm=", "bearer", 0},
		{"Bearer realm=\"a\" service=\"b\"", "bearer realm=a", -1},
	};
	int rc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *s = shown(t[i].in, &rc);
		if (strcmp(s, t[i].out) != 0 || rc != t[i].rc)
			fail_msg("%s\n gave %d %s", t[i].in, rc, s);
		free(s);
	}
}

/* Is the mapping that holds p marked as one that dumps leave out? */
static bool left_out_of_dumps(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false, out = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			out = strstr(line, " dd") != NULL;
	}
	fclose(f);
	return out;
}

static void test_secret_memory(void **state)
{
	struct secret *s[] = {secret_of("s3cret"), secret_of(""), NULL, NULL, NULL};

	(void)state;
	s[2] = secret_copy(s[0]);
	s[3] = secret_basic("u", s[0]);
	s[4] = secret_base64_decode("czNjcmV0");
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		if (!left_out_of_dumps(secret_text(s[i])))
			fail_msg("secret %zu is in a core dump", i);
	assert_string_equal(secret_text(s[4]), "s3cret");
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		secret_free(s[i]);
}

static void test_base64(void **state)
{
	static const char *const bad[] = {"a", "YQ=", "YWI", "Y*==", "YQ===", "====="};
	struct secret *s;

	(void)state;
	for (size_t n = 0; n < 40; n++) {
		char in[40];
		for (size_t i = 0; i < n; i++)
			in[i] = (char)(i * 37 + 1);
		struct secret *e = secret_base64_encode(in, n);
		s = secret_base64_decode(secret_text(e));
		assert_int_equal(secret_length(s), n);
		assert_memory_equal(secret_text(s), in, n);
		secret_free(e);
		secret_free(s);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s = secret_base64_decode(bad[i]);
		if (s && i != 2)
			fail_msg("%s", bad[i]);
		secret_free(s);
	}
	s = secret_base64_decode("YWxpY2U6eABcAAAA"); /* trailing NULs */
	assert_int_equal(secret_length(s), 9);
	secret_free(s);
}

static void test_realms(void **state)
{
	static const struct {
		const char *registry, *realm;
		bool ok;
	} t[] = {
		{"registry-1.docker.io", "auth.docker.io", true},
		{"quay.io", "quay.io", true},
		{"registry.gitlab.com", "gitlab.com", true},
		{"registry.example.org:5000", "auth.example.org", true},
		{"quay.io", "evil.io", false},
		{"example.org", "evil.org", false},
		{"registry.co.uk", "evil.co.uk", false},
		{"r.example.co.uk", "auth.example.co.uk", true},
		{"registry.example.org", "example.org.evil.net", false},
		{"registry.example.org", "evilexample.org", false},
		{"10.0.0.1:5000", "10.0.0.2", false},
		{"10.0.0.1:5000", "10.0.0.1", true},
		{"127.0.0.1:5000", "localhost", true},
		{"registry.example.org", "127.0.0.1", false},
		{"[::1]:5000", "[::1]", true},
		{"[fd00::1]:5000", "[fd00::2]", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (auth_realm_trusted(t[i].registry, t[i].realm) != t[i].ok)
			fail_msg("%s %s", t[i].registry, t[i].realm);
	setenv("BLD_TRUSTED_REALMS", "a.b,evil.io", 1);
	assert_true(auth_realm_trusted("quay.io", "evil.io"));
	assert_true(auth_realm_trusted("quay.io", "a.b"));
	assert_false(auth_realm_trusted("quay.io", "evil.iox"));
}

/* "user:password" or "identity ..." or "none" or the error's text. Owned. */
static char *look(const char *authfile, const char *host, const char *path)
{
	struct auth_credentials c = {0};
	struct err *err = NULL;
	int rc = auth_file_find(authfile, host, path, &c, &err);
	char *s;

	if (rc < 0)
		s = mem_strdup(err_text(err));
	else if (rc == 0)
		s = mem_strdup("none");
	else if (c.identity)
		s = mem_printf("identity %s", secret_text(c.identity));
	else
		s = mem_printf("%s:%s", c.user, secret_text(c.password));
	err_free(err);
	auth_file_clear(&c);
	return s;
}

static void check(const char *authfile, const char *host, const char *path, const char *want)
{
	char *s = look(authfile, host, path);
	if (!strstr(s, want))
		fail_msg("%s/%s: %s, not %s", host, path ? path : "", s, want);
	free(s);
}

static void test_files(void **state)
{
	char *f = mem_printf("%s/a.json", Dir);

	(void)state;
	fake_write(Dir, "a.json",
		"{\"auths\":{\"h:5000/ns/img\":{\"auth\":\"aW1nOjE=\"},\"h:5000/"
		"ns\":{\"auth\":\"bnM6MjoyAAA=\"},"
		"\"https://h:5000/v1/\":{\"auth\":\"dXJsOjM=\"},\"marker\":{},"
		"\"https://index.docker.io/v1/\":{\"username\":\"hub\",\"password\":\"p\"},"
		"\"tok\":{\"auth\":\"\",\"identitytoken\":\"refresh\"},\"bad\":{\"auth\":\"!!\"},"
		"\"nocolon\":{\"auth\":\"YWJj\"}}}");
	check(f, "h:5000", "ns/img", "img:1");
	check(f, "h:5000", "ns/other", "ns:2:2");
	check(f, "h:5000", "elsewhere", "url:3");
	check(f, "docker.io", "library/x", "hub:p");
	check(f, "tok", NULL, "identity refresh");
	check(f, "marker", NULL, "none");
	check(f, "unknown", NULL, "none");
	check(f, "bad", NULL, "malformed \"auth\"");
	check(f, "nocolon", NULL, "malformed \"auth\"");
	check("/nonexistent/x.json", "h", NULL, "no such file");
	setenv("REGISTRY_AUTH_FILE", f, 1);
	check(NULL, "tok", NULL, "identity refresh");
	unsetenv("REGISTRY_AUTH_FILE");
	fake_write(Dir, "a.json", "{\"auths\": s3cret");
	check(f, "h", NULL, "a.json is not a JSON object");

	/* The order of the usual places. */
	check(NULL, "h", NULL, "none");
	fake_write(Dir, ".dockercfg", "{\"https://h/v1/\":{\"auth\":\"bGVnYWN5OjE=\"}}");
	check(NULL, "h", NULL, "legacy:1");
	fake_run("mkdir -p %s/.docker %s/.config/containers %s/containers", Dir, Dir, Dir);
	fake_write(Dir, ".docker/config.json", "{\"auths\":{\"h\":{\"auth\":\"ZG9ja2VyOjE=\"}}}");
	check(NULL, "h", NULL, "docker:1");
	fake_write(Dir, ".config/containers/auth.json",
		"{\"auths\":{\"h\":{\"auth\":\"Y29uZmlnOjE=\"}}}");
	check(NULL, "h", NULL, "config:1");
	fake_write(Dir, "containers/auth.json", "{\"auths\":{\"h\":{\"auth\":\"cnVuOjE=\"}}}");
	check(NULL, "h", NULL, "run:1");
	free(f);
}

static void test_store_erase(void **state)
{
	char *f = mem_printf("%s/new/auth.json", Dir);
	struct secret *pw = secret_of("pa:ss");
	struct err *err = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(auth_file_store(f, "h:5000", "alice", pw, &err), 0);
	assert_int_equal(stat(f, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	check(f, "h:5000", "any", "alice:pa:ss");
	fake_write(Dir, "new/auth.json",
		"{\"auths\":{\"o\":{\"auth\":\"bzox\"}},\"keep\":[1,{\"x\":null}]}");
	assert_int_equal(auth_file_store(f, "h:5000", "bob", pw, &err), 0);
	check(f, "o", NULL, "o:1");
	check(f, "h:5000", NULL, "bob:pa:ss");
	assert_int_equal(auth_file_erase(f, "h:5000", &err), 0);
	check(f, "h:5000", NULL, "none");
	auto_free char *kept = fake_read(Dir, "new/auth.json");
	assert_non_null(strstr(kept, "\"keep\""));
	assert_int_equal(auth_file_erase(f, "h:5000", &err), -1);
	expect_error(&err, ERR_NOT_FOUND, "not logged in to h:5000");
	secret_free(pw);
	free(f);
}

static void test_helpers(void **state)
{
	static const char script[] =
		"#!/bin/sh\nread -r server\ncase $1 in\n"
		"get) case $server in h) echo "
		"'{\"ServerURL\":\"h\",\"Username\":\"u\",\"Secret\":\"helped\"}';;\n"
		" t) echo '{\"Username\":\"<token>\",\"Secret\":\"idt\"}';;\n"
		" https://index.docker.io/v1/) echo '{\"Username\":\"hub\",\"Secret\":\"x\"}';;\n"
		" slow) exec sleep 60;; junk) echo hello;;\n"
		" *) echo 'credentials not found in native keychain'; exit 1;; esac;;\n"
		"store) printf '%s\\n' \"$server\" >$HOME/stored;;\nerase) echo \"$server\" "
		">$HOME/erased;;\nesac\n";
	char *f = mem_printf("%s/c.json", Dir), *path = mem_printf("%s:%s", Dir, getenv("PATH"));
	char *old = mem_strdup(getenv("PATH"));
	struct auth_credentials c = {0};
	struct secret *pw = secret_of("p\"w");
	struct err *err = NULL;

	(void)state;
	fake_write(Dir, "docker-credential-test", script);
	fake_run("chmod 755 %s/docker-credential-test", Dir);
	setenv("PATH", path, 1);
	fake_write(Dir, "c.json",
		"{\"credHelpers\":{\"h\":\"test\",\"t\":\"test\",\"n\":\"test\",\"junk\":\"test\","
		"\"evil\":\"../../tmp/x\",\"semi\":\"a;b\","
		"\"missing\":\"not-there\"},\"credsStore\":\"test\",\"auths\":{\"n\":{},\"docker."
		"io\":{}}}");
	check(f, "h", NULL, "u:helped");
	check(f, "t", NULL, "identity idt");
	check(f, "n", NULL, "none");
	check(f, "docker.io", NULL, "hub:x");
	check(f, "junk", NULL, "not what helpers say");
	check(f, "evil", NULL, "not a valid name");
	check(f, "semi", NULL, "not a valid name");
	check(f, "missing", NULL, "docker-credential-not-there");
	assert_int_equal(auth_helper_get("", "h", &c, &err), -1);
	expect_error(&err, ERR_AUTH, "not a valid name");
	assert_int_equal(auth_file_store(f, "h", "al", pw, &err), 0);
	auto_free char *stored = fake_read(Dir, "stored");
	assert_string_equal(
		stored, "{\"ServerURL\":\"h\",\"Username\":\"al\",\"Secret\":\"p\\\"w\"}\n");
	assert_int_equal(auth_file_erase(f, "h", &err), 0);
	setenv("PATH", old, 1);
	secret_free(pw);
	free(old);
	free(path);
	free(f);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Signals in the middle of the wait: the answer is waited for all the same, to its end. */
static void test_helper_and_signals(void **state)
{
	const struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART */
	const struct itimerval often = {{.tv_usec = 5000}, {.tv_usec = 5000}}, never = {0};
	auto_free char *path = mem_printf("%s:%s", Dir, getenv("PATH"));
	auto_free char *old_path = mem_strdup(getenv("PATH"));
	struct auth_credentials c = {0};
	struct err *err = NULL;
	struct sigaction old;

	(void)state;
	fake_write(Dir, "docker-credential-slow",
		"#!/bin/sh\nprintf '{\"Username\":\"u\",'\nsleep 0.1\necho "
		"'\"Secret\":\"s\"}'\n");
	fake_write(Dir, "docker-credential-big", "#!/bin/sh\nexec yes\n");
	fake_run("chmod 755 %s/docker-credential-slow %s/docker-credential-big", Dir, Dir);
	setenv("PATH", path, 1);
	sigaction(SIGALRM, &act, &old);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(auth_helper_get("slow", "h", &c, &err), 1);
	assert_string_equal(c.user, "u");
	auth_file_clear(&c);
	assert_int_equal(auth_helper_get("big", "h", &c, &err), -1);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	setenv("PATH", old_path, 1);
	expect_error(&err, ERR_AUTH, "an answer of more than 65536 bytes");
}

/* --- tokens --- */

static struct http_session *S;
static struct http_response R;

/* GET a path of F until it is not 401 any more; returns the status, or -1 with *err. */
static int fetch(struct auth *a, const char *scope, const char *path, struct err **err)
{
	auto_free char *url = fake_url(&F, "%s", path);
	int status = 0;

	for (int i = 0; i < 4; i++) {
		struct secret *v = NULL;
		struct http_request q = {.method = "GET", .url = url, .max_body = 1000};
		int again;

		if (auth_value(a, S, scope, &v, err) < 0) {
			status = -1;
			break;
		}
		q.authorization = v ? secret_text(v) : NULL;
		status = http_perform(S, &q, &R, err) < 0 ? -1 : R.status;
		again = status == 401 ? auth_refused(a, &R, scope, v, err) : 0;
		secret_free(v);
		if (again < 0)
			status = -1;
		if (again <= 0)
			break;
	}
	return status;
}

static struct auth *client(const char *user, const char *password)
{
	const struct http_opts ho = {0};
	const struct auth_opts o = {
		.host = F.host, .api_host = F.host, .user = user, .password = password};
	struct auth *a = auth_new(&o);

	S = http_session_new(&ho);
	http_response_init(&R);
	return a;
}

static void done(struct auth *a)
{
	auth_free(a);
	http_session_free(S);
	http_response_clear(&R);
}

#define CHALLENGE                                                                                  \
	"401 'WWW-Authenticate: Bearer "                                                           \
	"realm=\"http://127.0.0.1:{other}/token?k=1\",service=\"s v\"'"

static void test_token(void **state)
{
	struct err *err = NULL;
	struct auth *a;

	(void)state;
	fake_start(&F, "/v2/x 'auth=Bearer T1' n=2\n"
		       "/v2/x 'auth=Bearer T2'\n"
		       "/v2/x " CHALLENGE "\n"
		       "/token.* n=1 'body={\"token\":\"T1\",\"expires_in\":300}'\n"
		       "/token.* n=1 'body={\"token\":\"no\",\"access_token\":\"T2\"}'");
	a = client("alice", "s3:cret");
	assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), 200);
	assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), 200);
	assert_int_equal(
		fake_count(
			&F, "/token?k=1&service=s%20v&scope=repository:x:pull&account=alice", NULL),
		1);
	/* Basic went to the token server alone, with the password. */
	assert_int_equal(fake_count(&F, "\"other\"", "Basic YWxpY2U6czM6Y3JldA=="), 1);
	assert_int_equal(fake_count(&F, "\"main\"", "Basic"), 0);
	/* A token that ends early is replaced. */
	assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), 200);
	assert_int_equal(fake_count(&F, "/token", NULL), 2);
	done(a);
}

static void test_token_scopes(void **state)
{
	struct err *err = NULL;
	struct auth *a;

	(void)state;
	/* insufficient_scope names another scope: asked for once more with it. */
	fake_start(&F, "/v2/x 'auth=Bearer good'\n"
		       "/v2/x 401 'WWW-Authenticate: Bearer "
		       "realm=\"http://127.0.0.1:{port}/"
		       "token\",scope=\"special:y:pull,delete\",error=\"insufficient_scope\"'\n"
		       "/token.scope=repository:x:pull&scope=repository:y:pull&scope=special:y:"
		       "pull%2Cdelete 'body={\"token\":\"good\"}'\n"
		       "/token.* 'body={\"token\":\"poor\"}'");
	a = client(NULL, NULL);
	assert_int_equal(fetch(a, "repository:x:pull repository:y:pull", "/v2/x", &err), 200);
	assert_int_equal(fake_count(&F, "Basic", NULL), 0);
	done(a);
}

static void test_identity_token(void **state)
{
	struct err *err = NULL;
	struct auth *a;

	(void)state;
	fake_start(&F, "/v2/x 'auth=Bearer good'\n"
		       "/v2/x " CHALLENGE "\n"
		       "POST /token.* 'body={\"access_token\":\"good\"}'");
	fake_credentials(Dir, &F, "identitytoken", "a+b/c");
	a = client(NULL, NULL);
	assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), 200);
	assert_int_equal(fake_count(&F, "\"POST\"",
				 "grant_type=refresh_token&service=s%20v&client_id=bld&scope="
				 "repository:x:pull&"
				 "refresh_token=a%2Bb/c"),
		1);
	done(a);
}

/* The password and the refresh token are in the body: neither is sent where an answer leads. */
static void test_token_redirect(void **state)
{
	static const struct {
		const char *user, *password;
		int status;
		const char *to;
	} t[] = {
		{NULL, NULL, 307, "http://127.0.0.1:{port}/taken"},
		{NULL, NULL, 308, "/taken"},
		{"alice", "s3cret", 307, "http://127.0.0.1:{port}/taken"},
		{"alice", "s3cret", 308, "http://127.0.0.1:{port}/taken"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err *err = NULL;
		struct auth *a;

		fake_startf(&F,
			"/v2/x " CHALLENGE "\n"
			"GET /token.* 405\n"
			"POST /token.* %d 'Location: %s'\n"
			"/taken 'body={\"access_token\":\"good\"}'",
			t[i].status, t[i].to);
		fake_credentials(Dir, &F, "identitytoken", "s3cret");
		a = client(t[i].user, t[i].password);
		assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), -1);
		assert_null(strstr(err_text(err), "s3cret"));
		expect_error(&err, ERR_AUTH, "not sent on");
		assert_int_equal(fake_count(&F, "/taken", NULL), 0);
		assert_int_equal(fake_count(&F, "\"POST\"", "s3cret"), 1);
		done(a);
		fake_stop(&F);
	}
}

static void test_token_refusals(void **state)
{
	static const struct {
		const char *rules;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{"/v2/x 401 'WWW-Authenticate: Bearer service=x'", ERR_AUTH, "does not say where"},
		{"/v2/x 401 'WWW-Authenticate: Bearer realm=\"http://u:p@127.0.0.1/\"'", ERR_AUTH,
			"has a user name"},
		{"/v2/x 401 'WWW-Authenticate: Bearer realm=\"file:///etc/passwd\"'", ERR_NET,
			"not an http or https URL"},
		{"/v2/x 401 'WWW-Authenticate: Bearer realm=\"http://169.254.169.254/\"'", ERR_AUTH,
			"private to this machine"},
		{"/v2/x 401 'WWW-Authenticate: Bearer realm=\"http://[::ffff:169.254.169.254]/\"'",
			ERR_AUTH, "private to this machine"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* 401 'body={\"errors\":[{\"message\":\"wrong password\"}]}'",
			ERR_AUTH, "HTTP 401 Unauthorized: wrong password"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* 'body={\"token\":\"a\\r\\nX-Evil: 1\"}'",
			ERR_AUTH, "no usable token"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* 'body=not json'",
			ERR_AUTH, "no token"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* body={}",
			ERR_AUTH, "no token"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* 'body={\"token\":[1]}'",
			ERR_AUTH, "no token"},
		{"/v2/x " CHALLENGE "\n"
		 "/token.* 302 'Location: http://169.254.1.1/'",
			ERR_AUTH, "private to this machine"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err *err = NULL;
		struct auth *a;

		fake_start(&F, t[i].rules);
		a = client("alice", "s3cret");
		assert_int_equal(fetch(a, "repository:x:pull", "/v2/x", &err), -1);
		if (strstr(err_text(err), "s3cret") || strstr(err_hint_text(err), "s3cret"))
			fail_msg("the password is in: %s", err_text(err));
		expect_error(&err, t[i].kind, t[i].words);
		done(a);
		fake_stop(&F);
	}
}

/* A registry that is asked over https sends nobody to a token server without it. */
static void test_realm_downgrade(void **state)
{
	static const char *const realms[] = {
		"http://127.0.0.1:{other}/token", "HTTP://127.0.0.1:{other}/token"};
	char *dir = fake_dir("downgrade");

	(void)state;
	fake_certificate(dir);
	for (size_t i = 0; i < ARRAY_LEN(realms); i++) {
		auto_free char *rules =
			mem_printf("/v2/x 401 'WWW-Authenticate: Bearer realm=\"%s\"'\n"
				   "/token.* 'body={\"token\":\"T\"}'",
				realms[i]);
		const struct http_opts ho = {.cert_dir = dir};
		struct secret *v = NULL;
		struct err *err = NULL;

		fake_start_with(&F, rules, NULL, dir);
		auto_free char *url = mem_printf("https://%s/v2/x", F.host);
		const struct auth_opts o = {.host = F.host,
			.api_host = F.host,
			.https = true,
			.user = "alice",
			.password = "s3cret"};
		const struct http_request q = {.method = "GET", .url = url, .max_body = 1000};
		struct auth *a = auth_new(&o);

		S = http_session_new(&ho);
		http_response_init(&R);
		assert_int_equal(http_perform(S, &q, &R, &err), 0);
		assert_int_equal(R.status, 401);
		assert_int_equal(auth_refused(a, &R, "repository:x:pull", NULL, &err), 1);
		assert_int_equal(auth_value(a, S, "repository:x:pull", &v, &err), -1);
		assert_null(v);
		expect_error(&err, ERR_AUTH, "without https");
		assert_int_equal(fake_count(&F, "/token", NULL), 0);
		done(a);
		fake_stop(&F);
	}
	fake_remove(dir);
	free(dir);
}

static void test_hopeless(void **state)
{
	struct err *err = NULL;
	struct auth *a;

	(void)state;
	/* A wrong password is tried once; without credentials Basic is not tried at all. */
	fake_start(&F, "/v2/x 401 'WWW-Authenticate: Basic realm=x'\n"
		       "/v2/y 401");
	a = client("alice", "wrong");
	assert_int_equal(fetch(a, "", "/v2/x", &err), 401);
	assert_int_equal(fake_count(&F, "/v2/x", NULL), 2);
	assert_int_equal(fetch(a, "", "/v2/y", &err), 401);
	assert_int_equal(fake_count(&F, "/v2/y", NULL), 1);
	done(a);
	a = client(NULL, NULL);
	assert_int_equal(fetch(a, "", "/v2/x", &err), 401);
	assert_int_equal(fake_count(&F, "/v2/x", NULL), 3);
	assert_null(err);
	done(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_secret_memory),
		cmocka_unit_test_setup_teardown(test_realms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_erase, setup, teardown),
		cmocka_unit_test_setup_teardown(test_helpers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_helper_and_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_scopes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_redirect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_realm_downgrade, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hopeless, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* EXPOSE arguments, proxy names, path joining and --secret: the small pure parts of the builder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "builder/plan/ports.h"
#include "builder/plan/scope.h"
#include "builder/secrets/secrets.h"
#include "store/base/path.h"

static void ports(void **state)
{
	static const struct {
		const char *text;
		const char *first; /* NULL: refused */
		size_t n;
	} rows[] = {
		{"80", "80/tcp", 1},
		{"80/udp", "80/udp", 1},
		{"80/SCTP", "80/sctp", 1},
		{"8000-8002", "8000/tcp", 3},
		{"8080:80", "80/tcp", 1},
		{"127.0.0.1:8080:80/tcp", "80/tcp", 1},
		{"9000-9001:80-81", "80/tcp", 2},
		{"9000-9005:80", "80/tcp", 1},
		{"0", "0/tcp", 1},
		{"65535", "65535/tcp", 1},
		{"65536", NULL, 0},
		{"80/xyz", NULL, 0},
		{"81-80", NULL, 0},
		{"a", NULL, 0},
		{"", NULL, 0},
		{"-", NULL, 0},
		{"80-", NULL, 0},
		{"1-2:1-3", NULL, 0},
		{"80/", "80/tcp", 1},
		{"[::1]:8080:80", "80/tcp", 1},
		{"::1:8080:80/udp", "80/udp", 1},
		{"127.0.0.1::80", "80/tcp", 1},
		{"10.0.0.1:8000-8001:80-81/sctp", "80/sctp", 2},
		{"1.2.3:1:80", NULL, 0},
		{"host:1:80", NULL, 0},
		{"127.0.0.1:80:", NULL, 0},
		{"999999999999", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_range out;
		char name[PORT_NAME];
		auto_err struct err *err = NULL;
		int r = ports_parse(rows[i].text, &out, &err);
		assert_int_equal(r, rows[i].first ? 0 : -1);
		if (!rows[i].first) {
			assert_int_equal(err_get_kind(err), ERR_SYNTAX);
			continue;
		}
		assert_int_equal(out.to - out.from + 1, rows[i].n);
		ports_name(out.from, out.protocol, name);
		assert_string_equal(name, rows[i].first);
	}
}

/* Every range against a plain array. */
static void port_sets(void **state)
{
	static const unsigned edges[] = {0, 1, 62, 63, 64, 65, 127, 128, 1000, 65472, 65534, 65535};
	static bool there[PORTS_MAX];
	static struct port_set set;
	auto_strlist struct strlist base = {0};

	(void)state;
	strlist_add(&base, "80/tcp");
	strlist_add(&base, "080/tcp");
	strlist_add(&base, "81/udp");
	strlist_add(&base, "82");
	ports_from_names(&set, &base);
	there[80] = true;
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		for (size_t k = i; k < ARRAY_LEN(edges) && (k < 10 || i > 5); k++) {
			auto_strlist struct strlist fresh = {0};
			size_t n = 0;
			char name[PORT_NAME];

			ports_add(&set, &(struct port_range){edges[i], edges[k], PORT_TCP}, &fresh);
			for (unsigned p = edges[i]; p <= edges[k]; p++) {
				if (there[p])
					continue;
				there[p] = true;
				ports_name(p, PORT_TCP, name);
				assert_true(n < fresh.n);
				assert_string_equal(name, fresh.v[n++]);
			}
			assert_int_equal(n, fresh.n);
		}
}

static void proxies(void **state)
{
	(void)state;
	assert_true(scope_is_proxy("http_proxy"));
	assert_true(scope_is_proxy("HTTPS_PROXY"));
	assert_true(scope_is_proxy("ALL_PROXY"));
	assert_false(scope_is_proxy("Http_Proxy"));
	assert_false(scope_is_proxy("PROXY"));
}

static void joins(void **state)
{
	static const char *const rows[][3] = {
		{"/", "a", "/a"},
		{"/a", "b/", "/a/b"},
		{"/a", "../b", "/b"},
		{"/a", "../../..", "/"},
		{"/a", "/x/./y//z/", "/x/y/z"},
		{"/a/b", ".", "/a/b"},
		{"/", "", "/"},
		{"/a", "..x", "/a/..x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *got = path_absolute(rows[i][0], rows[i][1]);
		assert_string_equal(got, rows[i][2]);
	}
}

static int load(const char *spec, struct secrets *s, struct err **err)
{
	auto_strlist struct strlist l = {0};

	strlist_add(&l, spec);
	return secrets_load(&l, s, err);
}

static void secrets(void **state)
{
	static const char *const bad[] = {
		"src=/etc/passwd", "id=x,what=y", "id", "id=,src=/x", "id=x,src=/a,env=B"};
	struct secrets s = {0};
	auto_err struct err *err = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_err struct err *e = NULL;
		assert_int_equal(load(bad[i], &s, &e), -1);
		assert_int_equal(err_get_kind(e), ERR_USAGE);
	}
	setenv("BLD_TEST_SECRET", "hunter2", 1);
	assert_int_equal(load("id=tok,env=BLD_TEST_SECRET", &s, &err), 0);
	assert_non_null(secrets_find(&s, "tok"));
	assert_int_equal(secrets_find(&s, "tok")->len, 7);
	assert_memory_equal(secrets_find(&s, "tok")->data, "hunter2", 7);
	assert_null(secrets_find(&s, "other"));
	secrets_clear(&s);
	assert_int_equal(load("id=tok,src=/does/not/exist", &s, &err), -1);
	assert_int_equal(err_get_kind(err), ERR_CONTEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),
		cmocka_unit_test(port_sets),
		cmocka_unit_test(proxies),
		cmocka_unit_test(joins),
		cmocka_unit_test(secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

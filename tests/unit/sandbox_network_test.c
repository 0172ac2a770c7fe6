// SPDX-License-Identifier: Apache-2.0
/* The text of the generated files. Needs no privilege. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "builder/sandbox/network.h"

static void check_resolv(
	const char *host, const char *stub, enum sandbox_network net, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	network_resolv_conf(host, stub, net, &b);
	assert_string_equal(b.data, want);
	buf_clear(&b);
}

static void test_resolv_conf(void **state)
{
	const char *plain = "search x.example\nnameserver 10.0.0.1\noptions ndots:2\n";
	const char *local = "nameserver 127.0.0.53\noptions edns0\n";

	(void)state;
	check_resolv(NULL, NULL, SANDBOX_NET_HOST, "");
	check_resolv(NULL, plain, SANDBOX_NET_HOST, "");
	check_resolv("", plain, SANDBOX_NET_HOST, "");
	check_resolv(plain, NULL, SANDBOX_NET_HOST, plain);
	check_resolv(plain, NULL, SANDBOX_NET_NONE, plain);
	check_resolv(local, plain, SANDBOX_NET_HOST, plain);
	check_resolv(local, NULL, SANDBOX_NET_HOST, local);
	check_resolv(local, NULL, SANDBOX_NET_NONE, "options edns0\n");
	check_resolv("nameserver 127.0.0.53\nnameserver 9.9.9.9\n", plain, SANDBOX_NET_HOST,
		"nameserver 127.0.0.53\nnameserver 9.9.9.9\n");
	check_resolv("nameserver\t127.1.2.3 # here\nnameserver ::1\nnameserver 10.0.0.2", NULL,
		SANDBOX_NET_NONE, "nameserver 10.0.0.2\n");
	check_resolv("nameserver\nnameserverx 1\n#nameserver 127.0.0.1\n", NULL, SANDBOX_NET_NONE,
		"nameserver\nnameserverx 1\n#nameserver 127.0.0.1\n");
}

static void check_bad_host(const char *entry, const char *word)
{
	auto_strlist struct strlist l = {0};
	struct err *err = NULL;
	struct buf b;

	buf_init(&b, 4096);
	strlist_add(&l, entry);
	assert_int_equal(network_hosts("h", &l, &b, &err), -1);
	assert_int_equal(err_get_kind(err), ERR_USAGE);
	assert_non_null(strstr(err_text(err), word));
	err_free(err);
	buf_clear(&b);
}

static void test_hosts(void **state)
{
	auto_strlist struct strlist l = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	strlist_add(&l, "a:1.2.3.4");
	strlist_add(&l, "b.example:2001:db8::1");
	assert_int_equal(network_hosts("h", &l, &b, NULL), 0);
	assert_string_equal(b.data,
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\th\n"
		"1.2.3.4\ta\n2001:db8::1\tb.example\n");
	buf_clear(&b);
	check_bad_host("noaddress", "name:address");
	check_bad_host(":1.2.3.4", "name:address");
	check_bad_host("a b:1.2.3.4", "name:address");
	check_bad_host("a\nb:1.2.3.4", "name:address");
	check_bad_host("a:", "IP address");
	check_bad_host("a:1.2.3", "IP address");
	check_bad_host("a:1.2.3.4 5", "IP address");
	check_bad_host("a:[::1", "IP address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolv_conf),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

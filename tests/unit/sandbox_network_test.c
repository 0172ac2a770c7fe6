// SPDX-License-Identifier: Apache-2.0
/* /etc/resolv.conf of a sandbox: which servers of the machine are in it. Needs no privilege. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolv_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

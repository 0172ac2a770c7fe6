// SPDX-License-Identifier: Apache-2.0
/*
 * Proxies of the environment and the exceptions of no_proxy. Nothing is kept between requests: the
 * environment of the process is the only input beside the URL.
 */
#include "store/transport/route.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"
#include "store/transport/peer.h"

#define PATTERN_MAX 128 /* bytes of a pattern that is an address */

/* An address in network order; len 4 or 16, 0: it is none. */
struct address {
	uint8_t b[16];
	size_t len;
};

static struct address address_of(const char *text)
{
	struct address a = {.len = 0};
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET, text, &four) == 1) {
		memcpy(a.b, &four, a.len = 4);
	} else if (inet_pton(AF_INET6, text, &six) == 1) {
		memcpy(a.b, &six, a.len = 16);
	}
	return a;
}

/* "[::1]" without its brackets; what has none as it is. */
static struct address address_of_host(const char *host)
{
	size_t n = strlen(host);
	char inner[INET6_ADDRSTRLEN];

	if (*host != '[')
		return address_of(host);
	if (n < 3 || n - 2 >= sizeof inner)
		return (struct address){.len = 0};
	memcpy(inner, host + 1, n - 2);
	inner[n - 2] = '\0';
	return address_of(inner);
}

static bool same_network(const struct address *a, const struct address *net, unsigned bits)
{
	size_t whole = bits / 8;
	unsigned rest = bits % 8;

	if (memcmp(a->b, net->b, whole) != 0)
		return false;
	return rest == 0 || (a->b[whole] ^ net->b[whole]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8", "10.1.2.3", "fd00::/8". Without a length, and with 0, it is one address. */
static bool matches_address(const struct address *host, const char *p, size_t n)
{
	char text[PATTERN_MAX];
	struct address net;
	unsigned long bits = 0;
	char *slash;

	if (n >= sizeof text)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		bits = strtoul(slash + 1, NULL, 10);
	}
	net = address_of(text);
	if (net.len != host->len || bits > host->len * 8)
		return false;
	return same_network(host, &net, bits ? (unsigned)bits : (unsigned)host->len * 8);
}

/* The domain itself or what is below it; a dot in front and one behind say nothing. */
static bool matches_domain(const char *host, const char *p, size_t n)
{
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	if (n && p[n - 1] == '.')
		n--;
	if (n && *p == '.') {
		p++;
		n--;
	}
	if (n == 0 || n > len || strncasecmp(host + len - n, p, n) != 0)
		return false;
	return n == len || host[len - n - 1] == '.';
}

bool route_excluded(const char *host, const char *no_proxy)
{
	const struct address a = address_of_host(host);

	if (strcmp(no_proxy, "*") == 0)
		return true;
	for (const char *p = no_proxy; *p;) {
		size_t n;

		p += strspn(p, ", \t");
		n = strcspn(p, ", \t");
		if (n && (a.len ? matches_address(&a, p, n) : matches_domain(host, p, n)))
			return true;
		p += n;
	}
	return false;
}

/* The first of two variables that is set and not empty. */
static const char *route_variable(const char *name, const char *other)
{
	const char *v = getenv(name);

	if (v && *v)
		return v;
	v = other ? getenv(other) : NULL;
	return v && *v ? v : NULL;
}

const char *route_proxy(const struct url *u)
{
	const char *proxy, *except;

	if (url_is_loopback(u->host))
		return NULL;
	proxy = u->https ? route_variable("https_proxy", "HTTPS_PROXY")
			 : route_variable("http_proxy", NULL);
	if (!proxy)
		proxy = route_variable("all_proxy", "ALL_PROXY");
	except = route_variable("no_proxy", "NO_PROXY");
	return proxy && except && route_excluded(u->host, except) ? NULL : proxy;
}

enum http_peer route_peer_behind(const char *host)
{
	size_t n = strlen(host);
	auto_free char *plain =
		*host == '[' && n > 2 ? mem_strndup(host + 1, n - 2) : mem_strdup(host);

	if (url_is_loopback(host))
		return HTTP_PEER_LOOPBACK;
	return peer_of_text(plain);
}

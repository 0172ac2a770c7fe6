// SPDX-License-Identifier: Apache-2.0
#include "builder/plan/ports.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "store/base/mem.h"

struct range {
	unsigned from;
	unsigned to;
};

static int parse_port(const char *p, size_t len, unsigned *out)
{
	unsigned v = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)p[i]))
			return -1;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	*out = v;
	return v <= 65535 ? 0 : -1;
}

static int parse_range(const char *p, size_t len, struct range *out)
{
	const char *dash = memchr(p, '-', len);
	size_t first = dash ? (size_t)(dash - p) : len;

	if (parse_port(p, first, &out->from) < 0)
		return -1;
	out->to = out->from;
	if (dash && parse_port(dash + 1, len - first - 1, &out->to) < 0)
		return -1;
	return out->to >= out->from ? 0 : -1;
}

static const char *protocol(const char *text, size_t *body_len)
{
	const char *slash = strrchr(text, '/');

	*body_len = slash ? (size_t)(slash - text) : strlen(text);
	if (!slash || !slash[1])
		return "tcp";
	static const char *const known[] = {"tcp", "udp", "sctp"};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcasecmp(slash + 1, known[i]) == 0)
			return known[i];
	return NULL;
}

/* "", an IPv4 address, or an IPv6 one, with or without brackets. */
static bool is_address(const char *p, size_t len)
{
	unsigned char out[sizeof(struct in6_addr)];
	bool brackets = len > 1 && p[0] == '[' && p[len - 1] == ']';
	auto_free char *text = mem_strndup(p + brackets, len - 2U * brackets);

	return len == 0 || (!brackets && inet_pton(AF_INET, text, out) == 1) ||
	       inet_pton(AF_INET6, text, out) == 1;
}

int ports_parse(const char *text, struct strlist *out, struct err **err)
{
	size_t len;
	const char *proto = protocol(text, &len);
	struct range container, host;

	if (!proto)
		return err_set(
			err, ERR_SYNTAX, "EXPOSE %s: the protocol is tcp, udp or sctp", text);
	/* The container's part is behind the last colon, the host's between the two last ones. */
	const char *last = memrchr(text, ':', len);
	const char *body = last ? last + 1 : text;
	if (parse_range(body, len - (size_t)(body - text), &container) < 0)
		return err_set(err, ERR_SYNTAX,
			"EXPOSE %s: a port is a number from 0 to 65535, or a range FROM-TO", text);
	if (last) {
		const char *before = memrchr(text, ':', (size_t)(last - text));
		const char *h = before ? before + 1 : text;
		size_t hlen = (size_t)(last - h);
		if (hlen && (parse_range(h, hlen, &host) < 0 ||
				    (host.to - host.from != container.to - container.from &&
					    container.to != container.from)))
			return err_set(err, ERR_SYNTAX,
				"EXPOSE %s: host and container ranges do not fit", text);
		if (before && !is_address(text, (size_t)(before - text)))
			return err_set(err, ERR_SYNTAX, "EXPOSE %s: \"%.*s\" is no IP address",
				text, (int)(before - text), text);
	}
	for (unsigned p = container.from; p <= container.to; p++)
		strlist_addf(out, "%u/%s", p, proto);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * EXPOSE: host parts are checked and dropped. Ports are bits in a set, so a range of all of them
 * costs a thousand words and not a search for each; only those that are new become names.
 */
#include "builder/plan/ports.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

static const char *const protocols[PORT_PROTOCOLS] = {
	[PORT_TCP] = "tcp", [PORT_UDP] = "udp", [PORT_SCTP] = "sctp"};

static int ports_parse_port(const char *p, size_t len, unsigned *out)
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

static int parse_range(const char *p, size_t len, struct port_range *out)
{
	const char *dash = memchr(p, '-', len);
	size_t first = dash ? (size_t)(dash - p) : len;

	if (ports_parse_port(p, first, &out->from) < 0)
		return -1;
	out->to = out->from;
	if (dash && ports_parse_port(dash + 1, len - first - 1, &out->to) < 0)
		return -1;
	return out->to >= out->from ? 0 : -1;
}

static int parse_protocol(const char *text, size_t *body_len, enum port_protocol *out)
{
	const char *slash = strrchr(text, '/');

	*body_len = slash ? (size_t)(slash - text) : strlen(text);
	*out = PORT_TCP;
	if (!slash || !slash[1])
		return 0;
	for (int i = 0; i < PORT_PROTOCOLS; i++)
		if (strcasecmp(slash + 1, protocols[i]) == 0) {
			*out = (enum port_protocol)i;
			return 0;
		}
	return -1;
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

int ports_parse(const char *text, struct port_range *out, struct err **err)
{
	size_t len;
	struct port_range host;

	if (parse_protocol(text, &len, &out->protocol) < 0)
		return err_set(
			err, ERR_SYNTAX, "EXPOSE %s: the protocol is tcp, udp or sctp", text);
	/* The container's part is behind the last colon, the host's between the two last ones. */
	const char *last = memrchr(text, ':', len);
	const char *body = last ? last + 1 : text;
	if (parse_range(body, len - (size_t)(body - text), out) < 0)
		return err_set(err, ERR_SYNTAX,
			"EXPOSE %s: a port is a number from 0 to 65535, or a range FROM-TO", text);
	if (last) {
		const char *before = memrchr(text, ':', (size_t)(last - text));
		const char *h = before ? before + 1 : text;
		size_t hlen = (size_t)(last - h);
		if (hlen && (parse_range(h, hlen, &host) < 0 ||
				    (host.to - host.from != out->to - out->from &&
					    out->to != out->from)))
			return err_set(err, ERR_SYNTAX,
				"EXPOSE %s: host and container ranges do not fit", text);
		if (before && !is_address(text, (size_t)(before - text)))
			return err_set(err, ERR_SYNTAX, "EXPOSE %s: \"%.*s\" is no IP address",
				text, (int)(before - text), text);
	}
	return 0;
}

void ports_name(unsigned port, enum port_protocol protocol, char out[PORT_NAME])
{
	snprintf(out, PORT_NAME, "%u/%s", port, protocols[protocol]);
}

void ports_from_names(struct port_set *set, const struct strlist *names)
{
	for (size_t i = 0; i < names->n; i++) {
		char name[PORT_NAME];
		size_t len;
		enum port_protocol protocol;
		unsigned port;

		if (parse_protocol(names->v[i], &len, &protocol) < 0 ||
			ports_parse_port(names->v[i], len, &port) < 0)
			continue;
		ports_name(port, protocol, name);
		/* "080/tcp" of a base is a name of its own. */
		if (strcmp(name, names->v[i]) == 0)
			set->bits[protocol][port / 64] |= UINT64_C(1) << port % 64;
	}
}

void ports_add(struct port_set *set, const struct port_range *r, struct strlist *fresh)
{
	char name[PORT_NAME];

	for (unsigned at = r->from / 64; at <= r->to / 64; at++) {
		uint64_t want = ~UINT64_C(0), *bits = &set->bits[r->protocol][at];

		if (at == r->from / 64)
			want &= ~UINT64_C(0) << r->from % 64;
		if (at == r->to / 64)
			want &= ~UINT64_C(0) >> (63 - r->to % 64);
		want &= ~*bits;
		*bits |= want;
		for (; want; want &= want - 1) {
			ports_name(at * 64 + (unsigned)__builtin_ctzll(want), r->protocol, name);
			strlist_add(fresh, name);
		}
	}
}

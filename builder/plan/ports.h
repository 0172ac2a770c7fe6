/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EXPOSE arguments: [ip:][host:]port[-port][/proto] -> a range of ports of one protocol (S15), and
 * sets of ports. A line of a few KiB can name all ports a thousand times: a range that brings
 * nothing new to a set takes a microsecond.
 */
#ifndef BLD_BUILDER_PLAN_PORTS_H
#define BLD_BUILDER_PLAN_PORTS_H

#include <stdint.h>

#include "store/base/err.h"
#include "store/base/strlist.h"

#define PORTS_MAX 65536

enum port_protocol { PORT_TCP, PORT_UDP, PORT_SCTP, PORT_PROTOCOLS };

struct port_range {
	unsigned from, to;
	enum port_protocol protocol;
};

struct port_set {
	uint64_t bits[PORT_PROTOCOLS][PORTS_MAX / 64];
};

int ports_parse(const char *text, struct port_range *out, struct err **err);

/* "80/tcp" for the port of a range. */
#define PORT_NAME 16
void ports_name(unsigned port, enum port_protocol protocol, char out[PORT_NAME]);

/* The names among these that a port has: those that ports_name() makes. */
void ports_from_names(struct port_set *set, const struct strlist *names);

/* Add a range; the names of the ports that were not in the set are appended to fresh. */
void ports_add(struct port_set *set, const struct port_range *r, struct strlist *fresh);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image comes from or goes to, as the caller names it: PREFIX:PATH[:NAME], or a reference
 * in a registry. Each kind of place is one row of the table in endpoint.c: its prefix, and what
 * reads and writes it. A new transport is a row and the functions it names.
 */
#ifndef BLD_STORE_TRANSPORT_ENDPOINT_H
#define BLD_STORE_TRANSPORT_ENDPOINT_H

#include <stdbool.h>

#include "store/base/cleanup.h"
#include "store/transport/outgoing.h"
#include "store/transport/transferopts.h"
#include "store/transport/transport.h"

struct endpoint {
	const struct endpoint_kind *kind;
	char *path; /* the reference of a registry, else the file or directory; owned */
	char *name; /* inside; NULL = not given; owned */
};

struct endpoint_kind {
	const char *prefix;
	bool registry;                 /* the path is a reference; an index can be sent there */
	bool no_manifest;              /* what lies there has none: one is made when it is opened */
	enum transfer_archive archive; /* of those that are no registry */
	/* To read an image. */
	struct transport *(*open)(
		struct store *s, const struct endpoint *from, struct progress *p, struct err **err);
	/* Send one image. */
	int (*send)(struct outgoing *o, const struct endpoint *to, struct err **err);
	/* Write several into what is no registry. */
	int (*write)(struct store *s, const struct transfer_item *v, size_t n, const char *path,
		struct progress *p, struct err **err);
};

/* By the prefix of a text; NULL: it has none. */
const struct endpoint_kind *endpoint_kind_of(const char *text);
const struct endpoint_kind *endpoint_kind_of_archive(enum transfer_archive archive);
/* Without a prefix it is a registry. *out is to be cleared in any case. ERR_USAGE. */
int endpoint_parse(const char *text, struct endpoint *out, struct err **err);
void endpoint_clear(struct endpoint *p);
#define auto_endpoint CLEANUP(endpoint_clear)

#endif

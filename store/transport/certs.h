/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certs.d: CERTS_D/HOST[:PORT]/ with *.crt (certificate authorities, added to the system's) and one
 * pair of *.cert and
 * *.key of the same stem (what we show to the server).
 */
#ifndef BLD_STORE_TRANSPORT_CERTS_H
#define BLD_STORE_TRANSPORT_CERTS_H

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/err.h"

#define CERTS_MAX ((size_t)1 << 20) /* bytes of all authorities of one host */

struct certs {
	struct buf authorities; /* PEM; empty = only the system's */
	char *cert;             /* paths; NULL = none; owned */
	char *key;
};

/*
 * dir: looked at itself and its sub-directory `host_port`; NULL: ~/.config/containers/certs.d,
 * /etc/containers/certs.d, /etc/docker/certs.d, the first that has the host. ERR_CONTEXT:
 * unreadable, no key to a cert.
 */
int certs_load(const char *dir, const char *host_port, struct certs *out, struct err **err);
void certs_clear(struct certs *c);

#endif

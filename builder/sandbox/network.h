/* SPDX-License-Identifier: Apache-2.0 */
/* Names and network of a sandbox: the generated files of /etc, and loopback where it is alone. */
#ifndef BLD_BUILDER_SANDBOX_NETWORK_H
#define BLD_BUILDER_SANDBOX_NETWORK_H

#include "builder/sandbox/ops.h"
#include "builder/sandbox/spec.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#define NETWORK_RESOLV_MAX 65536
#define NETWORK_HOST_NAME  "bld" /* of the sandbox */

/*
 * /etc/resolv.conf for the sandbox. host: the host's file, stub: the one of the local resolver of
 * systemd, used when the host's only name server is 127.0.0.53; either may be NULL (no such file).
 * Without a network name servers on the loopback are left out.
 */
void network_resolv_conf(
	const char *host, const char *stub, enum sandbox_network net, struct buf *out);

/* Make /etc/resolv.conf, /etc/hosts and /etc/hostname (before the root changes); 0 / -1. */
struct network_files {
	int resolv, hosts, hostname; /* slots */
};
int network_plan_files(
	struct op_list *l, enum sandbox_network net, struct network_files *out, struct err **err);
/* ... and mount them, in the new root. */
void network_plan_targets(struct op_list *l, const struct network_files *f);
/* Loopback up, and ping for everybody, in a network namespace of our own only. */
void network_plan_loopback(struct op_list *l, enum sandbox_network net);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket of one ssh mount: a thread of bld listens on it and passes requests on to an agent,
 * but only those that list keys and sign (requests 11 and 13 of the agent protocol,
 * draft-miller-ssh-agent). All others are answered with a failure: a RUN can use keys, not add,
 * remove or lock them. The socket goes, and with it every connection, when the RUN ends.
 */
#ifndef BLD_BUILDER_SECRETS_SSHPROXY_H
#define BLD_BUILDER_SECRETS_SSHPROXY_H

#include <stdint.h>

#include "builder/secrets/sshagent.h"

#define SSHPROXY_CONNECTIONS 64
#define SSHPROXY_MESSAGE_MAX ((size_t)256 << 10) /* as OpenSSH */

struct sshproxy;

/* The agent is borrowed. */
struct sshproxy *sshproxy_start(struct store *s, const struct sshagent *a, uint32_t uid,
	uint32_t gid, uint32_t mode, struct err **err);
int sshproxy_fd(const struct sshproxy *p); /* O_PATH, the socket, to be mounted; borrowed */
void sshproxy_stop(struct sshproxy *p);    /* NULL is accepted */

#endif

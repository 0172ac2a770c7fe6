/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents of --ssh: ID, ID=SOCKET, or ID=KEYFILE[,KEYFILE]. bld signs nothing itself: for key files
 * it runs ssh-agent(1) for the time of the build, as a child that dies with it, and gives it the
 * keys through ssh-add(1) and a pipe. Its socket is in the store's tmp.
 */
#ifndef BLD_BUILDER_SECRETS_SSHAGENT_H
#define BLD_BUILDER_SECRETS_SSHAGENT_H

#include <stddef.h>

#include "store/base/child.h"
#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/store.h"

#define SSHAGENT_KEY_MAX ((size_t)64 << 10) /* bytes of a key file */
#define SSHAGENT_MAX     32                 /* of one build */

struct sshagent {
	char *id;           /* owned */
	char *socket;       /* where it listens: owned, or NULL: "agent" in `dir` */
	struct child child; /* that listens in `dir`, if it is ours */
	int dir;            /* owned; -1 = none */
	char temp[64];      /* the name of `dir` in the store's tmp */
};

struct sshagents {
	struct sshagent *v; /* owned */
	size_t n;
	struct store *s;
};

/* ERR_USAGE: malformed; ERR_CONTEXT: no such socket or key. The calling thread must live as long as
 * the agents. */
int sshagent_load(
	const struct strlist *specs, struct store *s, struct sshagents *out, struct err **err);
const struct sshagent *sshagent_find(const struct sshagents *a, const char *id);
/* A connection; owned by the caller. -1 errno. */
int sshagent_connect(const struct sshagent *a);
/* The path by which a child of this process reaches it while the agents live. Owned. */
char *sshagent_path(const struct sshagent *a);
void sshagent_clear(struct sshagents *a);

#endif

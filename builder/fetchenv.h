/* SPDX-License-Identifier: Apache-2.0 */
/* What everything that is fetched for a build needs to know of it. */
#ifndef BLD_BUILDER_FETCHENV_H
#define BLD_BUILDER_FETCHENV_H

#include "store/base/strlist.h"
#include "store/store.h"

struct job;
struct secrets;

struct fetchenv {
	struct store *s;
	const struct strlist *proxies;               /* "https_proxy=..."; or NULL */
	const struct secrets *secrets;               /* for git servers (gitauth.h); or NULL */
	const volatile int *cancelled;               /* or NULL */
	void (*status)(void *ctx, const char *text); /* something that takes time; or NULL */
	void *ctx;
};

/* Of a build: status goes to its events. Borrows from the job. */
struct fetchenv fetchenv_of(struct job *j);
void fetchenv_status(const struct fetchenv *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif

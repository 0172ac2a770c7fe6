/* SPDX-License-Identifier: Apache-2.0 */
/* Text for progress, logs and histories: URLs in it lose what is secret (parser/urlsecret.h). */
#ifndef BLD_BUILDER_SECRETS_URLSHOWN_H
#define BLD_BUILDER_SECRETS_URLSHOWN_H

#include "parser/slice.h"

/* Without "user:password@" of http(s); a password of other schemes and values of telling parameters
 * of a query are "***". Owned by the caller. */
char *urlshown(struct slice text);

#endif

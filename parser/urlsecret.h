/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where URLs in a text hold secrets: what is in front of '@' in the authority, but for a mere name
 * (ssh://git@host), and the values of parameters of the query whose names say what they are
 * (?token=, &X-Amz-Signature=, ...). For histories, logs and excerpts; what is fetched is never
 * looked at. Secrets in a path, or under names that say nothing, are not found.
 */
#ifndef BLD_PARSER_URLSECRET_H
#define BLD_PARSER_URLSECRET_H

#include "parser/slice.h"

/* Each secret of each URL in order, in one pass; none is empty. */
typedef void (*urlsecret_fn)(void *ctx, struct slice secret);
void urlsecret_each(struct slice text, urlsecret_fn fn, void *ctx);
/* Write '*' over each byte of each of them. */
void urlsecret_blank(char *text, size_t len);

#endif

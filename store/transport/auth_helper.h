/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential helpers: docker-credential-NAME get|store|erase, found on PATH, no shell, at most 10
 * s. The name comes from a file and must be one plain word.
 */
#ifndef BLD_STORE_TRANSPORT_AUTH_HELPER_H
#define BLD_STORE_TRANSPORT_AUTH_HELPER_H

#include <stddef.h>

#include "store/base/err.h"
#include "store/transport/auth_file.h"

#define AUTH_HELPER_TIMEOUT_MS 10000
#define AUTH_HELPER_OUTPUT_MAX ((size_t)64 << 10)

/* 1 found, 0 the helper knows none, -1 (ERR_AUTH). */
int auth_helper_get(
	const char *helper, const char *server, struct auth_credentials *out, struct err **err);
int auth_helper_store(const char *helper, const char *server, const char *user,
	const struct secret *password, struct err **err);
int auth_helper_erase(const char *helper, const char *server, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials at rest (S25). Looked for in --authfile or REGISTRY_AUTH_FILE and then nowhere else;
 * otherwise in $XDG_RUNTIME_DIR/containers/auth.json (or /run/containers/UID/auth.json),
 * ~/.config/containers/auth.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json,
 * ~/.dockercfg. In one file: credHelpers of the registry, `auths` from the most specific path to
 * the host, keys that are URLs, credsStore. A file that cannot be read is an error, not one that is
 * not there; one that others can change, or put there, is refused (owned_file).
 */
#ifndef BLD_STORE_TRANSPORT_AUTH_FILE_H
#define BLD_STORE_TRANSPORT_AUTH_FILE_H

#include "store/base/err.h"
#include "store/transport/secret.h"

#define AUTH_FILE_MAX ((size_t)1 << 20)

struct auth_credentials {
	char *user;              /* owned; NULL with an identity token */
	struct secret *password; /* owned */
	struct secret *identity; /* owned: a refresh token instead of user and password */
};
void auth_file_clear(struct auth_credentials *c);

/* path: repository without host, may be NULL. 1 found, 0 none, -1: ERR_AUTH (a broken file or
 * helper), ERR_CONTEXT. */
int auth_file_find(const char *authfile, const char *host, const char *path,
	struct auth_credentials *out, struct err **err);
/* Into the first of the places above; 0600 in a 0700 directory, atomic, unknown keys stay. */
int auth_file_store(const char *authfile, const char *host, const char *user,
	const struct secret *password, struct err **err);
/* ERR_NOT_FOUND when that file has none for the host. */
int auth_file_erase(const char *authfile, const char *host, struct err **err);

#endif

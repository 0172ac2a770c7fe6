/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups of an image: a bounded parser of its /etc/passwd and /etc/group, read through
 * the merged tree (regular files only, symlinks confined, at most USERDB_FILE_MAX bytes). No NSS,
 * ever. Rules: docs/semantics.md S12 (--chown), S14 (USER).
 */
#ifndef BLD_BUILDER_IMAGE_USERDB_H
#define BLD_BUILDER_IMAGE_USERDB_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/tree/tree.h"

#define USERDB_FILE_MAX   ((size_t)1 << 20)
#define USERDB_GROUPS_MAX 1024

struct userdb_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t *groups; /* supplementary, primary included; owned */
	size_t ngroups;
	char *home; /* from passwd, "/" when there is no entry; owned */
};

/* USER text ("", "u", "u:g", ids or names). Strict numbers: whole text, 0..2^32-2. ERR_BUILD:
 * unknown name. "" is root with the groups that the image gives it; nothing in the image makes
 * that fail. */
int userdb_user(
	const struct layer_tree *t, const char *text, struct userdb_user *out, struct err **err);
/* --chown text: numeric user alone -> gid = uid; name alone -> its primary group; "u:" -> gid 0.
 * Unknown names are errors. */
int userdb_owner(const struct layer_tree *t, const char *text, uint32_t *uid, uint32_t *gid,
	struct err **err);
/*
 * Who owns a directory that WORKDIR makes after USER text, as docker and buildah have it: a number
 * alone is the group as well, whatever passwd says; a name that passwd lacks is root, a group that
 * is unknown leaves the user's. Numbers out of range, text of another shape and files that cannot
 * be read are errors.
 */
int userdb_maker(const struct layer_tree *t, const char *text, uint32_t *uid, uint32_t *gid,
	struct err **err);
/* Is the text a user by number, without a group? */
bool userdb_is_number(const char *text);
void userdb_user_clear(struct userdb_user *u);
#define auto_userdb_user CLEANUP(userdb_user_clear)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of RUN --mount and their options: which type has which, and what kind of value. Those
 * that users of other builders write and that have nothing to do here (SELinux labels, propagation
 * of a mount that nobody else sees ...) are taken, checked and forgotten.
 */
#ifndef BLD_PARSER_MOUNTOPT_H
#define BLD_PARSER_MOUNTOPT_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/ast.h"
#include "parser/slice.h"

#define MOUNTOPT_NOWHERE ((size_t)-1) /* the slot of an option without an effect */

enum mountopt_kind {
	MOUNTOPT_TEXT,    /* any text but the empty one */
	MOUNTOPT_MAYBE,   /* any text, none as well */
	MOUNTOPT_BOOL,    /* words_bool(), without a value true */
	MOUNTOPT_ID,      /* a user or group ID */
	MOUNTOPT_MODE,    /* octal */
	MOUNTOPT_SIZE,    /* words_size() */
	MOUNTOPT_CHOICE,  /* one of `choices`, in any case */
	MOUNTOPT_BARE,    /* takes no value */
	MOUNTOPT_REFUSED, /* known, and not supported: `why` */
};

struct mountopt {
	const char *name;
	size_t slot;    /* offset of its struct word in struct ast_mount, or MOUNTOPT_NOWHERE */
	unsigned types; /* bit per enum ast_mount_type */
	enum mountopt_kind kind;
	const char *const *choices; /* ends with NULL */
	const char *why;            /* of REFUSED: a whole sentence without a full stop */
};

/* What is said of a type as a whole. */
struct mountopt_type {
	const char *name;
	bool needs_id;      /* one of id=, source= and target= has to name what it is */
	bool reads_context; /* without from= its source is a path of the build context */
};

/* The table; *n = rows. A name may have several rows, for different types. */
const struct mountopt *mountopt_all(size_t *n);
/* The row for a key (no case) of any type in the mask `types`, or NULL. */
const struct mountopt *mountopt_find(struct slice key, unsigned types);
/* What a value has to be and is not, or NULL when it is well formed. Text with $ is judged after
 * expansion. */
const char *mountopt_flaw(const struct mountopt *o, struct slice value);
/* The name of an option that `m` was given and that its type does not have, or NULL: for a type
 * that was not known while parsing. */
const char *mountopt_misfit(const struct ast_mount *m, enum ast_mount_type type);
/* The type of that name (no case): true and *out. */
bool mountopt_find_type(struct slice name, enum ast_mount_type *out);
const struct mountopt_type *mountopt_type(enum ast_mount_type type);
const char *mountopt_type_name(enum ast_mount_type type);
/* All of them, for a message: "the types are bind, ... and ssh". */
#define MOUNTOPT_TYPES_TEXT 128
const char *mountopt_types_text(char buf[MOUNTOPT_TYPES_TEXT]);
/* What the option is called whose value is the mode of what is mounted. */
const char *mountopt_mode_name(enum ast_mount_type type);

#endif

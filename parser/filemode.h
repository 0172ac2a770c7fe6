/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File modes as chmod takes them: octal, or symbolic as of POSIX and BSD with a umask of 0.
 *
 *	MODE   = OCTAL | CLAUSE { "," CLAUSE }
 *	CLAUSE = { u | g | o | a } ACTION { ACTION }
 *	ACTION = ( + | - | = ) { r | w | x | X | s | t | u | g | o }
 *
 * Without u, g, o and a, all are meant. X is execute for directories and for files that could be
 * executed by anybody before the mode was applied. u, g, o after the sign copy the read, write and
 * execute bits that class has at that point. s is set-user-ID for u and set-group-ID for g; t
 * counts unless o alone is meant. "=" takes away what the class has, set-ID bits included, the
 * sticky bit not.
 */
#ifndef BLD_PARSER_FILEMODE_H
#define BLD_PARSER_FILEMODE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/slice.h"

#define FILEMODE_ACTIONS_MAX 64
#define FILEMODE_MAX         07777u

struct filemode_action {
	unsigned char op;   /* '+', '-' or '=' */
	unsigned char who;  /* bits: 4 user, 2 group, 1 others */
	bool conditional;   /* X */
	unsigned char copy; /* classes whose bits are copied */
	unsigned bits;      /* rwx as 0-7 for each class of who, 06000 for s, 01000 for t */
};

struct filemode {
	bool octal;
	unsigned value; /* octal */
	size_t count;
	struct filemode_action actions[FILEMODE_ACTIONS_MAX];
};

/* False for a text that is no mode, with *why = what is wrong (static storage). Octal values are at
 * most 07777. */
bool filemode_parse(struct slice text, struct filemode *out, const char **why);

/* The permission bits (at most 07777) of a file that had old. */
unsigned filemode_apply(const struct filemode *mode, unsigned old, bool is_dir);

#endif

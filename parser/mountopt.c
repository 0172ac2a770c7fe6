// SPDX-License-Identifier: Apache-2.0
/*
 * One table says which types there are, another what an option of a mount is. Rows of one name lie
 * side by side; the names of a row's values are compared without case, as the keys are.
 */
#include "parser/mountopt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "parser/words.h"

#define ON(type) (1u << (type))
#define BIND     ON(AST_MOUNT_BIND)
#define CACHE    ON(AST_MOUNT_CACHE)
#define TMPFS    ON(AST_MOUNT_TMPFS)
#define SECRET   ON(AST_MOUNT_SECRET)
#define SSH      ON(AST_MOUNT_SSH)
#define ALL      (BIND | CACHE | TMPFS | SECRET | SSH)

static const char *const sharing[] = {"shared", "private", "locked", NULL};
static const char *const labels[] = {"shared", "private", NULL};
static const char *const propagation[] = {
	"shared", "rshared", "private", "rprivate", "slave", "rslave", NULL};

static const struct mountopt_type type_table[AST_MOUNT_TYPES] = {
	[AST_MOUNT_BIND] = {.name = "bind", .reads_context = true},
	[AST_MOUNT_CACHE] = {.name = "cache"},
	[AST_MOUNT_TMPFS] = {.name = "tmpfs"},
	[AST_MOUNT_SECRET] = {.name = "secret", .needs_id = true},
	[AST_MOUNT_SSH] = {.name = "ssh"},
};

#define SLOT(member) offsetof(struct ast_mount, member)
#define NOTHING(name)                                                                              \
	{                                                                                          \
		name, MOUNTOPT_NOWHERE, BIND | CACHE, MOUNTOPT_BARE, NULL, NULL                    \
	}

static const struct mountopt options[] = {
	{"target", SLOT(target), ALL, MOUNTOPT_TEXT, NULL, NULL},
	{"dst", SLOT(target), ALL, MOUNTOPT_TEXT, NULL, NULL},
	{"destination", SLOT(target), ALL, MOUNTOPT_TEXT, NULL, NULL},
	{"source", SLOT(source), BIND | CACHE | SECRET, MOUNTOPT_MAYBE, NULL, NULL},
	{"src", SLOT(source), BIND | CACHE | SECRET, MOUNTOPT_MAYBE, NULL, NULL},
	{"from", SLOT(from), BIND | CACHE, MOUNTOPT_MAYBE, NULL, NULL},
	{"id", SLOT(id), CACHE | SECRET | SSH, MOUNTOPT_TEXT, NULL, NULL},
	{"sharing", SLOT(sharing), CACHE, MOUNTOPT_CHOICE, sharing, NULL},
	{"uid", SLOT(uid), CACHE | SECRET | SSH, MOUNTOPT_ID, NULL, NULL},
	{"gid", SLOT(gid), CACHE | SECRET | SSH, MOUNTOPT_ID, NULL, NULL},
	{"mode", SLOT(mode), CACHE | SECRET | SSH, MOUNTOPT_MODE, NULL, NULL},
	{"size", SLOT(size), TMPFS, MOUNTOPT_SIZE, NULL, NULL},
	{"env", SLOT(env), SECRET, MOUNTOPT_TEXT, NULL, NULL},
	{"readonly", SLOT(readonly), ALL, MOUNTOPT_BOOL, NULL, NULL},
	{"ro", SLOT(readonly), ALL, MOUNTOPT_BOOL, NULL, NULL},
	{"readwrite", SLOT(readwrite), ALL, MOUNTOPT_BOOL, NULL, NULL},
	{"rw", SLOT(readwrite), ALL, MOUNTOPT_BOOL, NULL, NULL},
	{"required", SLOT(required), SECRET | SSH, MOUNTOPT_BOOL, NULL, NULL},
	/* buildah's */
	{"tmpfs-size", SLOT(size), TMPFS, MOUNTOPT_SIZE, NULL, NULL},
	{"tmpfs-mode", SLOT(mode), TMPFS, MOUNTOPT_MODE, NULL, NULL},
	{"tmpcopyup", MOUNTOPT_NOWHERE, TMPFS, MOUNTOPT_REFUSED, NULL,
		"a tmpfs begins empty, nothing of the image is copied to it"},
	{"U", SLOT(chown), CACHE | TMPFS, MOUNTOPT_BARE, NULL, NULL},
	{"U", MOUNTOPT_NOWHERE, BIND, MOUNTOPT_REFUSED, NULL,
		"the files of a bind mount are shared with other steps and keep their owners"},
	{"noexec", SLOT(noexec), BIND | CACHE | TMPFS, MOUNTOPT_BARE, NULL, NULL},
	/* true of every mount here */
	{"nosuid", MOUNTOPT_NOWHERE, BIND | CACHE | TMPFS, MOUNTOPT_BARE, NULL, NULL},
	{"nodev", MOUNTOPT_NOWHERE, BIND | CACHE | TMPFS, MOUNTOPT_BARE, NULL, NULL},
	/* labels and propagation: nobody but the command sees the mount */
	NOTHING("z"),
	NOTHING("shared"),
	NOTHING("rshared"),
	NOTHING("private"),
	NOTHING("rprivate"),
	NOTHING("slave"),
	NOTHING("rslave"),
	{"bind-nonrecursive", MOUNTOPT_NOWHERE, BIND, MOUNTOPT_BARE, NULL, NULL},
	{"relabel", MOUNTOPT_NOWHERE, BIND | CACHE, MOUNTOPT_CHOICE, labels, NULL},
	{"bind-propagation", MOUNTOPT_NOWHERE, BIND | CACHE, MOUNTOPT_CHOICE, propagation, NULL},
	{"consistency", MOUNTOPT_NOWHERE, BIND | CACHE, MOUNTOPT_MAYBE, NULL, NULL},
};
#define NOPTIONS (sizeof(options) / sizeof(options[0]))

const struct mountopt *mountopt_all(size_t *n)
{
	*n = NOPTIONS;
	return options;
}

const struct mountopt *mountopt_find(struct slice key, unsigned types)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if ((options[i].types & types) && slice_eq_nocase(key, options[i].name))
			return &options[i];
	return NULL;
}

static const char *choice_flaw(const struct mountopt *o, struct slice value)
{
	for (const char *const *c = o->choices; *c; c++)
		if (slice_eq_nocase(value, *c))
			return NULL;
	if (o->choices == sharing)
		return "shared, private or locked";
	if (o->choices == labels)
		return "shared or private";
	return "shared, rshared, private, rprivate, slave or rslave";
}

const char *mountopt_flaw(const struct mountopt *o, struct slice value)
{
	uint64_t n;
	bool flag;

	if (slice_has(value, '$'))
		return NULL; /* judged after expansion */
	switch (o->kind) {
	case MOUNTOPT_TEXT:
		return value.len ? NULL : "a value";
	case MOUNTOPT_BOOL:
		return words_bool(value, &flag) ? NULL : "true or false";
	case MOUNTOPT_ID:
		return words_number(value, 10, UINT32_MAX - 1, &n) ? NULL : "a number";
	case MOUNTOPT_MODE:
		return words_number(value, 8, 07777, &n) ? NULL : "an octal mode";
	case MOUNTOPT_SIZE:
		return words_size(value, &n) ? NULL : "a size such as 64m";
	case MOUNTOPT_CHOICE:
		return choice_flaw(o, value);
	case MOUNTOPT_MAYBE:
	case MOUNTOPT_BARE:
	case MOUNTOPT_REFUSED:
		return NULL;
	}
	return NULL;
}

const char *mountopt_misfit(const struct ast_mount *m, enum ast_mount_type type)
{
	for (size_t i = 0; i < NOPTIONS; i++) {
		const struct mountopt *o = &options[i];
		const struct word *w;
		bool has = false;

		if (o->slot == MOUNTOPT_NOWHERE)
			continue;
		w = (const struct word *)((const char *)m + o->slot);
		if (!w->text.ptr)
			continue;
		/* tmpfs-mode and mode are one value: any name of it will do. */
		for (size_t k = 0; k < NOPTIONS && !has; k++)
			has = options[k].slot == o->slot && (options[k].types & ON(type));
		if (!has)
			return o->name;
	}
	return NULL;
}

bool mountopt_find_type(struct slice name, enum ast_mount_type *out)
{
	for (unsigned t = 0; t < AST_MOUNT_TYPES; t++)
		if (slice_eq_nocase(name, type_table[t].name)) {
			*out = (enum ast_mount_type)t;
			return true;
		}
	return false;
}

const struct mountopt_type *mountopt_type(enum ast_mount_type type)
{
	return &type_table[type];
}

const char *mountopt_type_name(enum ast_mount_type type)
{
	return type_table[type].name;
}

const char *mountopt_types_text(char buf[MOUNTOPT_TYPES_TEXT])
{
	size_t at = (size_t)snprintf(buf, MOUNTOPT_TYPES_TEXT, "the types are ");

	for (unsigned t = 0; t < AST_MOUNT_TYPES && at < MOUNTOPT_TYPES_TEXT; t++) {
		const char *between = t == 0 ? "" : t + 1 < AST_MOUNT_TYPES ? ", " : " and ";
		at += (size_t)snprintf(
			buf + at, MOUNTOPT_TYPES_TEXT - at, "%s%s", between, type_table[t].name);
	}
	return buf;
}

const char *mountopt_mode_name(enum ast_mount_type type)
{
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].slot == SLOT(mode) && (options[i].types & ON(type)))
			return options[i].name;
	return "mode";
}

// SPDX-License-Identifier: Apache-2.0
/*
 * --chmod, octal or as chmod(1) takes it. Parsing gives a list of actions without touching a file;
 * they are applied in order to the mode of each file, since X, copied bits (g=u) and a plain +
 * depend on it. No umask is looked at: a clause without u, g, o or a means all.
 */
#include "parser/filemode.h"

#include <stdint.h>

#include "parser/words.h"

/* Classes; the bits of class i are shifted by 3 * i. */
#define OTHERS 1u
#define GROUP  2u
#define USER   4u
#define ALL    7u

#define SET_UID 04000u
#define SET_GID 02000u
#define STICKY  01000u

static unsigned filemode_class_of(char c)
{
	switch (c) {
	case 'u':
		return USER;
	case 'g':
		return GROUP;
	case 'o':
		return OTHERS;
	}
	return 0;
}

static bool add_permission(char c, struct filemode_action *a)
{
	switch (c) {
	case 'r':
		a->bits |= 4;
		return true;
	case 'w':
		a->bits |= 2;
		return true;
	case 'x':
		a->bits |= 1;
		return true;
	case 'X':
		a->conditional = true;
		return true;
	case 's':
		a->bits |= SET_UID | SET_GID;
		return true;
	case 't':
		a->bits |= STICKY;
		return true;
	}
	a->copy |= (unsigned char)filemode_class_of(c);
	return filemode_class_of(c) != 0;
}

static bool is_op(char c)
{
	return c == '+' || c == '-' || c == '=';
}

static bool clause(struct slice text, struct filemode *out, const char **why)
{
	unsigned who = 0;
	size_t i = 0;

	for (; i < text.len && (text.ptr[i] == 'a' || filemode_class_of(text.ptr[i])); i++)
		who |= text.ptr[i] == 'a' ? ALL : filemode_class_of(text.ptr[i]);
	if (i == text.len || !is_op(text.ptr[i])) {
		*why = text.len == 0   ? "a part is empty"
		       : i == text.len ? "+, - or = is missing"
				       : "a part begins with u, g, o or a, then +, - or =";
		return false;
	}
	while (i < text.len) {
		struct filemode_action *a = &out->actions[out->count];

		if (out->count == FILEMODE_ACTIONS_MAX) {
			*why = "it has too many parts";
			return false;
		}
		out->count++;
		*a = (struct filemode_action){.op = (unsigned char)text.ptr[i++],
			.who = (unsigned char)(who ? who : ALL)};
		for (; i < text.len && !is_op(text.ptr[i]); i++) {
			if (!add_permission(text.ptr[i], a)) {
				*why = "permissions are r, w, x, X, s, t, or one of u, g, o";
				return false;
			}
		}
	}
	return true;
}

bool filemode_parse(struct slice text, struct filemode *out, const char **why)
{
	uint64_t value;

	*out = (struct filemode){0};
	if (text.len == 0) {
		*why = "it is empty";
		return false;
	}
	if (text.ptr[0] >= '0' && text.ptr[0] <= '9') {
		*why = words_number(text, 8, UINT32_MAX, &value) ? "it is larger than 7777"
								 : "a digit is not octal";
		if (!words_number(text, 8, FILEMODE_MAX, &value))
			return false;
		out->octal = true;
		out->value = (unsigned)value;
		return true;
	}
	for (size_t at = 0, end; at <= text.len; at = end + 1) {
		end = slice_find(text, ',', at);
		if (!clause(slice_sub(text, at, end - at), out, why))
			return false;
	}
	return true;
}

/* 0-7 in the place of each class. */
static unsigned spread(unsigned rwx, unsigned who)
{
	return (who & USER ? rwx << 6 : 0) | (who & GROUP ? rwx << 3 : 0) |
	       (who & OTHERS ? rwx : 0);
}

static unsigned filemode_apply_action(const struct filemode_action *a, unsigned mode, bool execute)
{
	unsigned rwx = a->bits & 7, bits;

	if (a->conditional && execute)
		rwx |= 1;
	for (unsigned i = 0; i < 3; i++)
		if (a->copy & (1u << i))
			rwx |= mode >> (3 * i) & 7;
	bits = spread(rwx, a->who);
	if (a->who & USER)
		bits |= a->bits & SET_UID;
	if (a->who & GROUP)
		bits |= a->bits & SET_GID;
	if (a->who != OTHERS)
		bits |= a->bits & STICKY;
	if (a->op == '-')
		return mode & ~bits;
	if (a->op == '=')
		mode &= ~(spread(7, a->who) | (a->who & USER ? SET_UID : 0) |
			  (a->who & GROUP ? SET_GID : 0));
	return mode | bits;
}

unsigned filemode_apply(const struct filemode *mode, unsigned old, bool is_dir)
{
	bool execute = is_dir || (old & 0111);
	unsigned now = old & FILEMODE_MAX;

	if (mode->octal)
		return mode->value;
	for (size_t i = 0; i < mode->count; i++)
		now = filemode_apply_action(&mode->actions[i], now, execute);
	return now;
}

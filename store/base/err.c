// SPDX-License-Identifier: Apache-2.0
/*
 * The error object: a kind, a text, at most one hint and one note, perhaps a place. The first hint
 * stays, since who is nearest to the fault knows best. What sets something leaves errno as it was,
 * returns -1, so that callers can write "return err_set(...)", and bears a NULL for the place to
 * put the error.
 */
#include "store/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

/* Here are the functions behind the macros. */
#undef err_set
#undef err_sys
#undef err_sys_kind
#undef err_prefix
#undef err_hint
#undef err_note
#undef err_pass
#undef err_rekind
#undef err_exit_with

struct err {
	enum err_kind kind;
	int sys;    /* errno at the time, 0 = not from a system call */
	char *text; /* owned */
	char *hint; /* owned, NULL = none */
	char *note; /* likewise */
	int status; /* exit status that goes before the kind's, 0 = none */
	bool placed;
	size_t off, len;
};

static int err_make(struct err **err, enum err_kind kind, int sys, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static int err_make(struct err **err, enum err_kind kind, int sys, const char *fmt, va_list ap)
{
	if (!err)
		return -1;
	assert(!*err);
	struct err *e = mem_alloc(sizeof *e);
	e->kind = kind;
	e->sys = sys;
	e->text = mem_vprintf(fmt, ap);
	if (sys) {
		char *whole = mem_printf("%s: %s", e->text,
			strerrordesc_np(sys) ? strerrordesc_np(sys) : "unknown error");
		free(e->text);
		e->text = whole;
	}
	*err = e;
	return -1;
}

int err_set(struct err **err, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	err_make(err, kind, 0, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int err_sys(struct err **err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	err_make(err, ERR_SYS, saved, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int err_sys_kind(struct err **err, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	err_make(err, kind, saved, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int err_prefix(struct err **err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!err || !*err)
		return -1;
	va_start(ap, fmt);
	auto_free char *front = mem_vprintf(fmt, ap);
	va_end(ap);
	char *whole = mem_printf("%s: %s", front, (*err)->text);
	free((*err)->text);
	(*err)->text = whole;
	errno = saved;
	return -1;
}

int err_hint(struct err **err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!err || !*err || (*err)->hint)
		return -1;
	va_start(ap, fmt);
	(*err)->hint = mem_vprintf(fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int err_note(struct err **err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!err || !*err || (*err)->note)
		return -1;
	va_start(ap, fmt);
	(*err)->note = mem_vprintf(fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

const char *err_note_text(const struct err *e)
{
	return e->note ? e->note : "";
}

int err_place_set(struct err **err, size_t off, size_t len)
{
	if (err && *err) {
		(*err)->placed = true;
		(*err)->off = off;
		(*err)->len = len;
	}
	return -1;
}

bool err_place(const struct err *e, size_t *off, size_t *len)
{
	*off = e->off;
	*len = e->len;
	return e->placed;
}

int err_pass(struct err **err, struct err **from)
{
	assert(*from);
	if (err) {
		assert(!*err);
		*err = *from;
	} else {
		err_free(*from);
	}
	*from = NULL;
	return -1;
}

int err_rekind(struct err **err, enum err_kind kind)
{
	if (err && *err)
		(*err)->kind = kind;
	return -1;
}

enum err_kind err_get_kind(const struct err *e)
{
	return e->kind;
}

bool err_is_verdict(const struct err *e)
{
	switch (e->kind) {
	case ERR_NOT_FOUND:
	case ERR_CORRUPT:
	case ERR_LIMIT:
	case ERR_UNSUPPORTED:
	case ERR_USAGE: /* not a name at all */
		return true;
	default:
		return false;
	}
}

const char *err_text(const struct err *e)
{
	return e->text;
}

const char *err_hint_text(const struct err *e)
{
	return e->hint ? e->hint : "";
}

int err_errno(const struct err *e)
{
	return e->sys;
}

int err_exit_with(struct err **err, int status)
{
	if (err && *err)
		(*err)->status = status;
	return -1;
}

int err_exit_status(const struct err *e)
{
	if (e->status)
		return e->status;
	switch (e->kind) {
	case ERR_BUILD:
	case ERR_UNSUPPORTED:
		return 1;
	case ERR_USAGE:
		return 2;
	case ERR_SYNTAX:
		return 3;
	case ERR_CONTEXT:
	case ERR_NOT_FOUND:
		return 4;
	case ERR_NET:
		return 5;
	case ERR_AUTH:
		return 6;
	case ERR_PUSH:
		return 7;
	case ERR_SYS:
		return 8;
	case ERR_SANDBOX:
		return 9;
	case ERR_CORRUPT:
	case ERR_LIMIT:
		return 10;
	case ERR_CANCELLED:
		return 130; /* main.c knows the signal and says 143 for SIGTERM */
	}
	return 1;
}

void err_free(struct err *e)
{
	if (!e)
		return;
	free(e->text);
	free(e->hint);
	free(e->note);
	free(e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error object: a kind, which decides the exit status, and one line of text.
 *
 * A function that can fail takes `struct err **err` last and returns 0 / -1 or
 * pointer / NULL (or a count / yes-no >= 0, and -1). *err is NULL on entry, left
 * alone on success, set on failure; the caller owns it then. Passing err == NULL
 * is allowed where the text is of no interest. Results are written only on success.
 */
#ifndef BLD_STORE_BASE_ERR_H
#define BLD_STORE_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/cleanup.h"

enum err_kind {
	ERR_BUILD = 1,   /* a build step failed */
	ERR_USAGE,       /* the command line is wrong */
	ERR_SYNTAX,      /* the Dockerfile is wrong */
	ERR_CONTEXT,     /* a file that the user handed in: context, -f, --secret, archives */
	ERR_NET,         /* network or registry */
	ERR_AUTH,        /* 401, 403, credentials */
	ERR_PUSH,        /* the image is good, its push failed */
	ERR_SYS,         /* store, disk, any other system call */
	ERR_SANDBOX,     /* the RUN sandbox could not be made */
	ERR_CORRUPT,     /* digest, size, malformed content */
	ERR_NOT_FOUND,   /* no such image, blob, name in the store: exit 4 */
	ERR_LIMIT,       /* larger than a named limit: exit 10 */
	ERR_UNSUPPORTED, /* valid, but not available here: exit 1 */
	ERR_CANCELLED,   /* a signal ended the work: exit 130 or 143 */
};

struct err;

/* Set *err; always return -1. The _sys form appends ": " + strerror(errno) and keeps errno. */
int err_set(struct err **err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int err_sys(struct err **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_sys_kind(struct err **err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Put "text: " in front of an error that is set; return -1. */
int err_prefix(struct err **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Add a hint, printed on a line of its own ("help: ..."); the first one stays; return -1. */
int err_hint(struct err **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Remember which bytes of a text the error is about, for a layer above that can say more about
 * them; err_place: false when none are known. */
int err_place_set(struct err **err, size_t off, size_t len);
bool err_place(const struct err *e, size_t *off, size_t *len);
/* Add a note about where more is to be found, printed last ("note: ..."); the first one stays. */
int err_note(struct err **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *err_note_text(const struct err *e); /* "" when there is none */
/* Hand *from on to the caller as it is, with everything it holds; *from is NULL afterwards. Return
 * -1.
 */
int err_pass(struct err **err, struct err **from);
/* Change the kind where a layer above knows better ("push failed after a good build"). */
int err_rekind(struct err **err, enum err_kind kind);

/* Exit with this status whatever the kind is (a command of `bld run` that cannot be started). */
int err_exit_with(struct err **err, int status);

/* Compilers and analyzers of other files see here, too, that these return -1. */
static inline int err_failed(int returned)
{
	(void)returned;
	return -1;
}
#define err_set(...)       err_failed((err_set)(__VA_ARGS__))
#define err_sys(...)       err_failed((err_sys)(__VA_ARGS__))
#define err_sys_kind(...)  err_failed((err_sys_kind)(__VA_ARGS__))
#define err_prefix(...)    err_failed((err_prefix)(__VA_ARGS__))
#define err_hint(...)      err_failed((err_hint)(__VA_ARGS__))
#define err_note(...)      err_failed((err_note)(__VA_ARGS__))
#define err_pass(...)      err_failed((err_pass)(__VA_ARGS__))
#define err_rekind(...)    err_failed((err_rekind)(__VA_ARGS__))
#define err_exit_with(...) err_failed((err_exit_with)(__VA_ARGS__))

enum err_kind err_get_kind(const struct err *e);
/*
 * Does it say that what was looked for is not there, or that its content is wrong? Anything else (a
 * read that failed, no descriptor or memory left, a signal) says nothing about the object: whoever
 * would go on as if it were missing, or delete or replace it, stops instead.
 */
bool err_is_verdict(const struct err *e);
const char *err_text(const struct err *e);      /* borrowed, valid until e is freed */
const char *err_hint_text(const struct err *e); /* "" when there is none */
int err_errno(const struct err *e);             /* 0 when the error is not from a system call */
int err_exit_status(const struct err *e);       /* the process exit status for this kind */
void err_free(struct err *e);

DEFINE_CLEANUP(struct err *, err_free);
#define auto_err CLEANUP(err_freep)

#endif

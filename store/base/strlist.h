/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An owned list of strings in insertion order, and on top of it the "KEY=value"
 * lists that environments and labels are. Lists that grow by strlist_set_kv(), and sets
 * that grow by strlist_add_once(), have an index once they are long, so that this and look-ups of
 * the same kind take the same time at any length; other look-ups are linear. v[] is not to be
 * written from outside.
 */
#ifndef BLD_STORE_BASE_STRLIST_H
#define BLD_STORE_BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/cleanup.h"

struct strlist {
	char **v; /* owned strings; v[n] == NULL whenever v != NULL, so it serves as argv/envp */
	size_t n;
	size_t cap;
	struct strlist_index *index; /* of long lists, made by those who ask before they add */
};

void strlist_clear(struct strlist *l);
void strlist_add(struct strlist *l, const char *s);
void strlist_add_take(struct strlist *l, char *take_s);
void strlist_addf(struct strlist *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The words between commas; empty ones are none. */
void strlist_add_words(struct strlist *l, const char *text);
void strlist_add_once(struct strlist *l, const char *s);           /* unless it is there */
void strlist_copy(struct strlist *dst, const struct strlist *src); /* dst is replaced */
bool strlist_has(const struct strlist *l, const char *s);
void strlist_remove(struct strlist *l, size_t i);
void strlist_sort(struct strlist *l); /* bytewise */
void strlist_copy_sorted(struct strlist *dst, const struct strlist *src);

/* "KEY=value" lists. Set replaces in place or appends. Get returns NULL when unset. */
const char *strlist_get_kv(const struct strlist *l, const char *key);
/* The value of the key of n bytes, NULL when unset. */
const char *strlist_find_kv(const struct strlist *l, const char *key, size_t n);
void strlist_set_kv(struct strlist *l, const char *key, const char *value);
void strlist_unset_kv(struct strlist *l, const char *key);
/* The sides of "KEY=value": the key, owned by the caller; *value points into the pair, and is NULL
 * where it has no '='. */
char *strlist_split_kv(const char *pair, const char **value);

static inline void cleanup_strlist(struct strlist *l)
{
	strlist_clear(l);
}
#define auto_strlist CLEANUP(cleanup_strlist)

#endif

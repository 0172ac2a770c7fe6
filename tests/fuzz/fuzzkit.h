/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share: claims, texts cut at lines, errors that have a reason, and a
 * store of their own. */
#ifndef BLD_TESTS_FUZZ_FUZZKIT_H
#define BLD_TESTS_FUZZ_FUZZKIT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/err.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_must(bool ok)
{
	if (!ok)
		abort();
}

/* Did the call fail? Then with a reason (main.c makes it fit for a terminal); else without one. */
static inline bool fuzz_failed(int rc, struct err **err)
{
	fuzz_must((rc < 0) == (*err != NULL));
	if (rc >= 0)
		return false;
	fuzz_must(*err_text(*err));
	err_free(*err);
	*err = NULL;
	return true;
}

/* The text up to a line "--", NUL-terminated in place; *p moves behind that line, or to the end.
 * Never NULL. */
static inline char *fuzz_part(char **p)
{
	char *part = *p, *end = strstr(part, "\n--\n");
	if (strncmp(part, "--\n", 3) == 0) {
		*p = part + 3;
		return part + strlen(part);
	}
	*p = end ? end + 4 : part + strlen(part);
	if (end)
		*end = '\0';
	return part;
}

/* A store in a directory of its own, opened once for all inputs and removed at the end: nothing
 * that a target leaves in it may change what the next input does. */
struct fuzz_store {
	struct store *s;
	char dir[64];
};

static inline struct fuzz_store *fuzz_store_kept(void)
{
	static struct fuzz_store kept;
	return &kept;
}

static inline void fuzz_store_remove(void)
{
	struct fuzz_store *f = fuzz_store_kept();
	char *name = strrchr(f->dir, '/');

	store_close(f->s);
	*name = '\0';
	int at = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fuzz_must(fs_remove_tree(at, name + 1) == 0);
	close(at);
}

static inline struct store *fuzz_store(void)
{
	struct fuzz_store *f = fuzz_store_kept();
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	if (f->s)
		return f->s;
	snprintf(f->dir, sizeof f->dir, "%s/bld-fuzz-XXXXXX", tmp);
	fuzz_must(mkdtemp(f->dir) != NULL);
	f->s = store_open(f->dir, NULL);
	fuzz_must(f->s != NULL && atexit(fuzz_store_remove) == 0);
	return f->s;
}

/* "NAME::ADDRESS": git would run a helper of that name. */
static inline bool fuzz_names_helper(const char *url)
{
	size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return url[n] == ':' && url[n + 1] == ':';
}

#endif

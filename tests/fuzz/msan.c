// SPDX-License-Identifier: Apache-2.0
/*
 * Under MemorySanitizer the libraries that bld uses are not instrumented, so what they write looks
 * as if nobody had written it. Linked into those programs only: what comes from jansson and from
 * the kernel by calls that the sanitizer does not know is marked as written. The linker passes
 * calls of NAME to __wrap_NAME (Makefile, fuzz-build).
 */
#include <jansson.h>
#include <sanitizer/msan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

json_t *__real_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e);
json_t *__wrap_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e);
char *__real_json_dumps(const json_t *j, size_t flags);
char *__wrap_json_dumps(const json_t *j, size_t flags);

/* Everything that jansson allocates it also fills. */
static void *given(size_t n)
{
	void *p = malloc(n);
	if (p)
		__msan_unpoison(p, n);
	return p;
}

__attribute__((constructor)) static void start(void)
{
	json_set_alloc_funcs(given, free);
}

json_t *__wrap_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e)
{
	/* What it is given must have been written, all of it. */
	__msan_check_mem_is_initialized(p, n);
	/* What it copies from its own stack, and then hands to libc, is marked as that stack was.
	 */
	__msan_scoped_disable_interceptor_checks();
	json_t *j = __real_json_loadb(p, n, flags, e);
	__msan_scoped_enable_interceptor_checks();
	__msan_unpoison(e, sizeof *e);
	return j;
}

char *__wrap_json_dumps(const json_t *j, size_t flags)
{
	__msan_scoped_disable_interceptor_checks();
	char *s = __real_json_dumps(j, flags);
	__msan_scoped_enable_interceptor_checks();
	if (s)
		__msan_unpoison(s, strlen(s) + 1);
	return s;
}

/* --- calls of libc that the sanitizer of clang 14 does not know ------------------------------- */

#define FILLS(call, type, params, args)                                                            \
	int __real_##call params;                                                                  \
	int __wrap_##call params;                                                                  \
	int __wrap_##call params                                                                   \
	{                                                                                          \
		int rc = __real_##call args;                                                       \
		if (rc == 0)                                                                       \
			__msan_unpoison(out, sizeof(type));                                        \
		return rc;                                                                         \
	}

FILLS(fstat64, struct stat64, (int fd, struct stat64 *out), (fd, out))
FILLS(stat64, struct stat64, (const char *p, struct stat64 *out), (p, out))
FILLS(lstat64, struct stat64, (const char *p, struct stat64 *out), (p, out))
FILLS(fstatat64, struct stat64, (int fd, const char *p, struct stat64 *out, int flags),
	(fd, p, out, flags))
FILLS(fstatfs64, struct statfs64, (int fd, struct statfs64 *out), (fd, out))
FILLS(statx, struct statx, (int fd, const char *p, int flags, unsigned mask, struct statx *out),
	(fd, p, flags, mask, out))

ssize_t __real_fgetxattr(int fd, const char *name, void *out, size_t n);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *out, size_t n);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *out, size_t n)
{
	ssize_t got = __real_fgetxattr(fd, name, out, n);
	if (got > 0 && n > 0)
		__msan_unpoison(out, (size_t)got);
	return got;
}

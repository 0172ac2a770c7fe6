// SPDX-License-Identifier: Apache-2.0
/*
 * A planted regression: one more stat for each file of a context. Linked into a bld of its own with
 * --wrap, so that the product has no hook for it. Files are told by the names that the contexts of
 * the budgets have (f00000 to f00999), when they are first opened or looked at.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int __real_fstatat64(int dir, const char *name, struct stat *st, int flags);
int __real_statx(int dir, const char *name, int flags, unsigned mask, struct statx *st);
int __real_openat64(int dir, const char *name, int flags, ...);
int __real___openat64_2(int dir, const char *name, int flags); /* openat of _FORTIFY_SOURCE */
long __real_syscall(long number, ...);
int __wrap_fstatat64(int dir, const char *name, struct stat *st, int flags);
int __wrap_statx(int dir, const char *name, int flags, unsigned mask, struct statx *st);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap___openat64_2(int dir, const char *name, int flags);
long __wrap_syscall(long number, ...);

static atomic_char seen[1000];

static void once_more(int dir, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat st;
	char *end;

	if (name[0] != 'f' || strlen(name) != 6)
		return;
	unsigned long n = strtoul(name + 1, &end, 10);
	if (!*end && n < sizeof seen && !atomic_exchange(&seen[n], 1))
		(void)!__real_fstatat64(dir, path, &st, AT_SYMLINK_NOFOLLOW);
}

int __wrap_fstatat64(int dir, const char *name, struct stat *st, int flags)
{
	once_more(dir, name);
	return __real_fstatat64(dir, name, st, flags);
}

int __wrap_statx(int dir, const char *name, int flags, unsigned mask, struct statx *st)
{
	once_more(dir, name);
	return __real_statx(dir, name, flags, mask, st);
}

int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	once_more(dir, name);
	return __real_openat64(dir, name, flags, mode);
}

int __wrap___openat64_2(int dir, const char *name, int flags)
{
	once_more(dir, name);
	return __real___openat64_2(dir, name, flags);
}

long __wrap_syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2)
		once_more((int)a[0], (const char *)a[1]);
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// SPDX-License-Identifier: Apache-2.0
/* Looks at owner and mode of the directories that a store, or a file with passwords, hangs on. */
#include "store/owned.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static int owned_refuse(struct err **err)
{
	return err_hint(err, "a store that others have prepared or can change is not used: "
			     "remove it, or give another one with --root");
}

int owned_dir(int fd, const char *what, struct err **err)
{
	struct stat st;
	auto_free char *shown = fs_printable(what);

	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", shown);
	if (st.st_uid != geteuid()) {
		err_set(err, ERR_SYS, "%s belongs to user %u, not to %u", shown,
			(unsigned)st.st_uid, (unsigned)geteuid());
		return owned_refuse(err);
	}
	if (!(st.st_mode & 022))
		return 0;
	err_set(err, ERR_SYS, "%s can be written to by others (mode %04o)", shown,
		(unsigned)st.st_mode & 07777);
	return owned_refuse(err);
}

int owned_link(const char *path, struct err **err)
{
	struct stat st;
	auto_free char *shown = fs_printable(path);

	if (lstat(path, &st) < 0)
		return err_sys(err, "store %s", shown);
	if (!S_ISLNK(st.st_mode) || st.st_uid == 0 || st.st_uid == geteuid())
		return 0;
	err_set(err, ERR_SYS, "%s is a link of user %u", shown, (unsigned)st.st_uid);
	return owned_refuse(err);
}

/* Our own group, and root's, is no other. */
static bool others_write(const struct stat *st)
{
	bool group = st->st_mode & 020 && st->st_gid != getegid() && st->st_gid != 0;

	return group || st->st_mode & 002;
}

static int owned_check_parent(const char *dir, struct err **err)
{
	struct stat st;
	auto_free char *shown = fs_printable(dir);

	if (lstat(dir, &st) < 0)
		return err_sys(err, "%s", shown);
	if (st.st_mode & S_ISVTX || !others_write(&st))
		return 0;
	err_set(err, ERR_SYS, "%s, where the store is, can be written to by others (mode %04o)",
		shown, (unsigned)st.st_mode & 07777);
	return owned_refuse(err);
}

int owned_way(const char *path, struct err **err)
{
	auto_free char *dir = mem_strdup(path);

	for (char *slash; (slash = strrchr(dir, '/'));) {
		if (slash == dir)
			return owned_check_parent("/", err);
		*slash = '\0';
		if (owned_check_parent(dir, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static int refuse_file(const char *path, const struct stat *st, struct err **err)
{
	auto_free char *shown = fs_printable(path);

	if (!st)
		err_set(err, ERR_AUTH, "credentials: %s is another user's", shown);
	else
		err_set(err, ERR_AUTH, "credentials: %s can be written to by others (mode %04o)",
			shown, (unsigned)st->st_mode & 07777);
	return err_hint(err,
		"credentials that others can change are not used: `chmod go-w` it, or "
		"name another place with --authfile, REGISTRY_AUTH_FILE or --cert-dir");
}

/* The directories above `at`, an absolute path, which is cut; `st` is what it names. */
static int check_above(char *at, struct stat *st, bool strict, const char *what, struct err **err)
{
	for (char *slash; (slash = strrchr(at, '/')) && slash[1]; strict = false) {
		struct stat above;

		*slash = '\0';
		if (lstat(*at ? at : "/", &above) < 0)
			return err_sys_kind(err, ERR_AUTH, "credentials: %s", what);
		bool open = others_write(&above);
		if (open && strict && !(above.st_mode & S_ISVTX))
			return refuse_file(*at ? at : "/", &above, err);
		if (open && !is_trusted(st)) {
			*slash = '/';
			return refuse_file(at, NULL, err);
		}
		*st = above;
	}
	return 0;
}

/* Where an open file lies; owned, NULL errno. */
static char *owned_place_of(int fd)
{
	auto_free char *proc = mem_printf("/proc/self/fd/%d", fd);

	return realpath(proc, NULL);
}

static int owned_check_file(int fd, bool dir, const char *what, struct err **err)
{
	struct stat st;
	auto_free char *at = owned_place_of(fd);

	if (!at || fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_AUTH, "credentials: %s", what);
	if (others_write(&st) && !(dir && st.st_mode & S_ISVTX))
		return refuse_file(at, &st, err);
	return check_above(at, &st, !dir, what, err);
}

int owned_file(int fd, const char *what, struct err **err)
{
	auto_free char *shown = fs_printable(what);

	return owned_check_file(fd, false, shown, err);
}

int owned_file_dir(int fd, const char *what, struct err **err)
{
	auto_free char *shown = fs_printable(what);

	return owned_check_file(fd, true, shown, err);
}

// SPDX-License-Identifier: Apache-2.0
/* Looks at owner and mode of the directories that a store hangs on. */
#include "store/owned.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static int refuse(struct err **err)
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
		return refuse(err);
	}
	if (!(st.st_mode & 022))
		return 0;
	err_set(err, ERR_SYS, "%s can be written to by others (mode %04o)", shown,
		(unsigned)st.st_mode & 07777);
	return refuse(err);
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
	return refuse(err);
}

static int check_parent(const char *dir, struct err **err)
{
	struct stat st;
	auto_free char *shown = fs_printable(dir);

	if (lstat(dir, &st) < 0)
		return err_sys(err, "%s", shown);
	bool group = st.st_mode & 020 && st.st_gid != getegid() && st.st_gid != 0;
	if (st.st_mode & S_ISVTX || !(group || st.st_mode & 002))
		return 0;
	err_set(err, ERR_SYS, "%s, where the store is, can be written to by others (mode %04o)",
		shown, (unsigned)st.st_mode & 07777);
	return refuse(err);
}

int owned_way(const char *path, struct err **err)
{
	auto_free char *dir = mem_strdup(path);

	for (char *slash; (slash = strrchr(dir, '/'));) {
		if (slash == dir)
			return check_parent("/", err);
		*slash = '\0';
		if (check_parent(dir, err) < 0)
			return -1;
	}
	return 0;
}

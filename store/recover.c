// SPDX-License-Identifier: Apache-2.0
/*
 * What processes that died left in tmp. Each directory there has a lock file which its owner holds;
 * whoever can take it has found an orphan. The lock file goes last, and only when its directory is
 * away: otherwise nobody would find that again. Full directories are moved to the trash, which is
 * emptied elsewhere.
 */
#include "store/recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/lock.h"

#define SUFFIX ".lock"

static void recover_one(int tmp_fd, int trash_fd, const char *lock_name)
{
	char name[NAME_MAX + 1], trash[FS_TEMP_NAME];
	size_t n = strlen(lock_name) - strlen(SUFFIX);
	auto_fd int fd = lock_take(tmp_fd, lock_name, LOCK_EXCLUSIVE, false, NULL);

	if (fd < 0)
		return;
	memcpy(name, lock_name, n);
	name[n] = '\0';
	fs_temp_name(trash, sizeof trash, "dead");
	if (unlinkat(tmp_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
		renameat(tmp_fd, name, trash_fd, trash) == 0)
		unlinkat(tmp_fd, lock_name, 0);
}

void recover_dead(int tmp_fd, int trash_fd)
{
	DIR *d = fs_opendir(tmp_fd, ".");
	const struct dirent *e;

	if (!d)
		return;
	while (fs_readdir(d, &e) == 1) {
		size_t n = strlen(e->d_name);
		if (n > strlen(SUFFIX) && strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX) == 0)
			recover_one(tmp_fd, trash_fd, e->d_name);
	}
	closedir(d);
}

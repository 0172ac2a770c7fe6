// SPDX-License-Identifier: Apache-2.0
/*
 * A directory for each test, below TMPDIR or /var/tmp: /tmp is often a tmpfs, on which a store can
 * do less. Failures here end the program, as they are not what is tested.
 */
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void tempdir_make(struct tempdir *t)
{
	const char *base = getenv("TMPDIR");

	snprintf(t->path, sizeof t->path, "%s/bld-unit-XXXXXX", base && *base ? base : "/var/tmp");
	need(mkdtemp(t->path), t->path);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(t->fd >= 0, t->path);
}

void tempdir_remove(struct tempdir *t)
{
	close(t->fd);
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(top >= 0 && fs_remove_tree(top, t->path + 1) == 0, t->path);
	close(top);
}

int tempdir_setup(void **state)
{
	struct tempdir *t = mem_alloc(sizeof *t);

	tempdir_make(t);
	*state = t;
	return 0;
}

int tempdir_teardown(void **state)
{
	tempdir_remove(*state);
	free(*state);
	return 0;
}

void tempdir_write(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0 && fs_write_all(fd, text, strlen(text)) == 0, name);
	close(fd);
}

char *tempdir_read(int dir_fd, const char *name)
{
	struct buf b = {0};
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && fs_read_fd(fd, (size_t)16 << 20, name, &b, NULL) == 0, name);
	close(fd);
	return buf_take(&b);
}

bool tempdir_has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

size_t tempdir_count(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	need(d, name);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

bool tempdir_refuse_tmpfile(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof f / sizeof *f, .filter = f};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

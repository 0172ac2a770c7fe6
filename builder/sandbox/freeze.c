// SPDX-License-Identifier: Apache-2.0
/*
 * Read-only by its superblock, for all mounts and descriptors at once. The kernel refuses that
 * (EBUSY) while a file is open for writing, mapped shared and writable, or removed and still open;
 * descriptors that were opened for nothing but their place get EROFS from then on.
 */
#include "builder/sandbox/freeze.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define FDINFO_MAX   4096
#define COMM_MAX     64
#define PROCESS_MAX  32768 /* looked at, for a message */
#define FILES_MAX    4096  /* of each */
#define FIRST_NAP_NS 500000

/* --- who holds it ---------------------------------------------------------------------------- */

struct holder {
	uint64_t mount;
	bool found;
	char path[PATH_MAX];
	char comm[COMM_MAX];
	char pid[NAME_MAX + 1];
};

/* "flags:" and "mnt_id:" of a file: is it open for writing, or removed, in the mount? */
static bool freeze_holds(const struct holder *h, int proc, const char *pid, const char *fd)
{
	auto_free char *name = mem_printf("%s/fdinfo/%s", pid, fd);
	auto_free char *link = mem_printf("%s/fd/%s", pid, fd);
	auto_err struct err *ignored = NULL;
	auto_buf struct buf b;
	const char *flags, *mount;
	struct stat sb;

	buf_init(&b, FDINFO_MAX);
	if (fs_read_file(proc, name, FDINFO_MAX, &b, &ignored) < 0)
		return false;
	flags = strstr(b.data, "flags:\t");
	mount = strstr(b.data, "mnt_id:\t");
	if (!flags || !mount || strtoull(mount + 8, NULL, 10) != h->mount)
		return false;
	unsigned long mode = strtoul(flags + 7, NULL, 8);
	if (mode & O_PATH)
		return false;
	return (mode & O_ACCMODE) != O_RDONLY ||
	       (fstatat(proc, link, &sb, 0) == 0 && sb.st_nlink == 0);
}

static void freeze_remember(struct holder *h, int proc, const char *pid, const char *fd)
{
	auto_free char *link = mem_printf("%s/fd/%s", pid, fd);
	auto_free char *name = mem_printf("%s/comm", pid);
	auto_err struct err *ignored = NULL;
	auto_buf struct buf b;
	ssize_t n = readlinkat(proc, link, h->path, sizeof h->path - 1);

	if (n <= 0)
		return;
	h->path[n] = '\0';
	buf_init(&b, COMM_MAX);
	if (fs_read_file(proc, name, COMM_MAX, &b, &ignored) == 0)
		snprintf(h->comm, sizeof h->comm, "%.*s", (int)strcspn(b.data, "\n"), b.data);
	snprintf(h->pid, sizeof h->pid, "%s", pid);
	h->found = true;
}

static void look_at_process(struct holder *h, int proc, const char *pid)
{
	auto_free char *name = mem_printf("%s/fdinfo", pid);
	DIR *d = fs_opendir(proc, name);
	const struct dirent *e;

	for (size_t i = 0; d && !h->found && i < FILES_MAX && fs_readdir(d, &e) == 1; i++)
		if (isdigit((unsigned char)e->d_name[0]) && freeze_holds(h, proc, pid, e->d_name))
			freeze_remember(h, proc, pid, e->d_name);
	if (d)
		closedir(d);
}

static void find_holder(struct holder *h, int root)
{
	struct statx sx;
	DIR *d;
	const struct dirent *e;

	if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0 || !(sx.stx_mask & STATX_MNT_ID))
		return;
	h->mount = sx.stx_mnt_id;
	d = fs_opendir(AT_FDCWD, "/proc");
	for (size_t i = 0; d && !h->found && i < PROCESS_MAX && fs_readdir(d, &e) == 1; i++)
		if (isdigit((unsigned char)e->d_name[0]))
			look_at_process(h, dirfd(d), e->d_name);
	if (d)
		closedir(d);
}

static int still_held(int root, struct err **err)
{
	auto_free struct holder *h = mem_alloc(sizeof *h);
	auto_buf struct buf b;

	find_holder(h, root);
	buf_init(&b, BUF_TEXT_MAX);
	if (h->found) {
		buf_add_escaped(&b, h->path, strlen(h->path), false);
		buf_adds(&b, " is open in process ");
		buf_adds(&b, h->pid);
		buf_adds(&b, " (");
		buf_add_escaped(&b, h->comm, strlen(h->comm), false);
		buf_adds(&b, ")");
	} else {
		buf_adds(&b, "a file is open for writing, mapped, or removed and still open");
	}
	err_set(err, ERR_BUILD, "what RUN leaves behind can still be changed after its end: %s",
		b.data);
	return err_hint(err, "a descriptor was passed to another step or to a process of this "
			     "machine, over a socket: close it there before RUN ends");
}

/* --- freezing -------------------------------------------------------------------------------- */

/* 0, or an errno. A context that has failed is of no more use. */
static int make_read_only(int root)
{
	auto_fd int fs = fspick(root, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (fs < 0)
		return errno == ENOSYS || errno == EPERM ? 0 : errno;
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return errno;
	return 0;
}

int freeze_root(int root, struct err **err)
{
	long nap = FIRST_NAP_NS;
	int error;

	/* Descriptors in the queue of a socket that died with the step are closed by a worker of
	 * the kernel, which nothing tells us of. */
	for (long slept = 0; (error = make_read_only(root)) == EBUSY; slept += nap, nap *= 2) {
		const struct timespec t = {.tv_nsec = nap};

		if (slept > FREEZE_PATIENCE_MS * 1000000L)
			return still_held(root, err);
		nanosleep(&t, NULL);
	}
	if (error) {
		errno = error;
		return err_sys_kind(err, ERR_SANDBOX, "make the root of the step read-only");
	}
	return 0;
}

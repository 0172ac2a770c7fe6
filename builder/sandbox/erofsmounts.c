// SPDX-License-Identifier: Apache-2.0
/* Mounts of EROFS images, and whether this kernel takes them: see erofsmounts.h. */
#include "builder/sandbox/erofsmounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "store/base/mem.h"

#define INITIAL_USER_NS 0xEFFFFFFDU /* inode number of the first user namespace */
#define INDEX_ATTR      (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)
#define DETAIL_MAX      160

struct erofsmounts_mount {
	dev_t dev; /* of the EROFS image file; the mount keeps the file, so the number stays taken
		    */
	ino_t ino;
	int fd; /* -1: mounted once to see that it works, see EROFSMOUNTS_ATTACHED */
	uint64_t used;
};

/* --- does it work here? ---------------------------------------------------------------------- */

/* "6.12.2-5-amd64": digits before a dot. -1: none. */
static long release_part(const char **p)
{
	char *end;
	long n;

	if (**p < '0' || **p > '9')
		return -1;
	n = strtol(*p, &end, 10);
	*p = *end == '.' ? end + 1 : "";
	return n;
}

bool erofsmounts_release_is_safe(const char *release)
{
	long major = release_part(&release), minor = release_part(&release);
	long patch = release_part(&release);

	if (major != 6)
		return major > 6;
	/* 6.12 without a third number is 6.12.0. */
	return minor > 12 || (minor == 12 && patch >= 2);
}

static int obstacle(const char **out, const char *why)
{
	*out = why;
	return 1;
}

int erofsmounts_obstacle(const char **why)
{
	struct utsname u;
	struct stat sb;
	int fs;

	if (uname(&u) < 0 || !erofsmounts_release_is_safe(u.release))
		return obstacle(
			why, "Linux 6.12.2 or later is needed, 6.12.0 and 6.12.1 would panic");
	if (geteuid() != 0)
		return obstacle(why, "needs root");
	if (stat("/proc/self/ns/user", &sb) < 0) {
		if (errno != ENOENT && errno != EACCES && errno != EPERM)
			return -1;
		return obstacle(why, "needs /proc");
	}
	if (sb.st_ino != INITIAL_USER_NS)
		return obstacle(why, "needs the first user namespace");
	fs = fsopen("erofs", FSOPEN_CLOEXEC);
	if (fs >= 0) {
		close(fs);
		return 0;
	}
	if (!kernel_lacks(errno))
		return -1;
	return obstacle(why, errno == ENODEV ? "the kernel has no EROFS" : "fsopen is refused");
}

/* An answer of the kernel or of a filter around us that will not change; ENOENT: no /proc. */
static bool is_refusal(int error)
{
	static const int refusals[] = {
		ENOTBLK, EINVAL, EPERM, EACCES, ENODEV, ENOSYS, EOPNOTSUPP, ENOENT, ENXIO};

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (error == refusals[i])
			return true;
	return false;
}

static int empty_tmpfs(void)
{
	auto_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

/* An overlay of two file systems that are nowhere attached, and itself neither: 1 is made, 0 is
 * not, -1 errno. */
static int takes_detached(void)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	auto_fd int one = empty_tmpfs(), two = empty_tmpfs(); /* they end with their descriptors */
	const int lower[] = {one, two};

	if (fs < 0 || one < 0 || two < 0)
		return is_refusal(errno) ? 0 : -1;
	for (size_t i = 0; i < ARRAY_LEN(lower); i++) {
		char path[64];

		snprintf(path, sizeof path, "/proc/self/fd/%d", lower[i]);
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0) < 0)
			return is_refusal(errno) ? 0 : -1;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		return 1;
	return is_refusal(errno) ? 0 : -1;
}

/* --- mounts ---------------------------------------------------------------------------------- */

static int erofsmounts_configure(int fs, const struct lower *l)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", l->index_fd);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", path, 0) < 0)
		return -1;
	/* The order alone says which tar is which device. */
	for (size_t i = 0; i < l->ntars; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", l->tar_fds[i]);
		if (fsconfig(fs, FSCONFIG_SET_STRING, "device", path, 0) < 0)
			return -1;
	}
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* A new detached mount, or -1 with errno and what the kernel says. */
static int erofsmounts_attach(const struct lower *l, char detail[DETAIL_MAX])
{
	auto_fd int fs = fsopen("erofs", FSOPEN_CLOEXEC);
	int fd = -1, saved;
	ssize_t n;

	detail[0] = '\0';
	if (fs < 0)
		return -1;
	if (erofsmounts_configure(fs, l) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC, INDEX_ATTR);
	if (fd >= 0)
		return fd;
	saved = errno;
	n = read(fs, detail, DETAIL_MAX - 1);
	detail[n > 0 ? n : 0] = '\0';
	detail[strcspn(detail, "\n")] = '\0';
	errno = saved;
	return -1;
}

static struct erofsmounts_mount *erofsmounts_find(struct erofsmounts *x, const struct stat *sb)
{
	for (size_t i = 0; i < x->n; i++) {
		if (x->v[i].dev == sb->st_dev && x->v[i].ino == sb->st_ino) {
			x->v[i].used = ++x->clock;
			return &x->v[i];
		}
	}
	return NULL;
}

static void erofsmounts_keep(struct erofsmounts *x, const struct stat *sb, int take_fd)
{
	struct erofsmounts_mount *m = x->v;

	if (x->n < EROFSMOUNTS_MAX) {
		m = &MEM_PUSH(x->v, x->n, x->cap);
	} else {
		for (size_t i = 1; i < x->n; i++)
			if (x->v[i].used < m->used)
				m = &x->v[i];
		fd_close(m->fd);
	}
	*m = (struct erofsmounts_mount){sb->st_dev, sb->st_ino, take_fd, ++x->clock};
}

/* 1, 0, -1 errno: ask again. */
static int taken_locked(struct erofsmounts *x)
{
	const char *why;

	if (x->state == EROFSMOUNTS_UNKNOWN) {
		int r = erofsmounts_obstacle(&why);
		if (r < 0)
			return -1;
		x->state = r ? EROFSMOUNTS_REFUSED : EROFSMOUNTS_TAKEN;
	}
	return x->state == EROFSMOUNTS_TAKEN;
}

static int erofsmounts_word(struct err **err, const char *detail)
{
	if (!*detail)
		return err_sys_kind(err, ERR_SANDBOX, "mount an EROFS image");
	return err_set(err, ERR_SANDBOX, "mount an EROFS image: %s (%s)", strerror(errno), detail);
}

static int probe_lowers(struct erofsmounts *x)
{
	int r = takes_detached();

	if (r >= 0)
		x->lowers = r ? EROFSMOUNTS_DETACHED : EROFSMOUNTS_ATTACHED;
	return r;
}

/* *fd: the mount, or -1 where it is of no use to a second sandbox; the list's. 1, 0 refused, -1 */
static int mount_once(struct erofsmounts *x, const struct lower *l, int *fd, struct err **err)
{
	char detail[DETAIL_MAX];
	struct erofsmounts_mount *m;
	struct stat sb;

	if (fstat(l->index_fd, &sb) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "look at an EROFS image");
	m = erofsmounts_find(x, &sb);
	if (m) {
		*fd = m->fd;
		return 1;
	}
	*fd = erofsmounts_attach(l, detail);
	if (*fd < 0 && is_refusal(errno)) {
		x->state = EROFSMOUNTS_REFUSED;
		erofsmounts_word(err, detail);
		return 0;
	}
	if (*fd < 0)
		return erofsmounts_word(err, detail);
	if (x->lowers == EROFSMOUNTS_UNPROBED && probe_lowers(x) < 0) {
		err_sys_kind(err, ERR_SANDBOX, "look at how an overlay takes an EROFS image");
		close(*fd);
		*fd = -1;
		return -1;
	}
	if (x->lowers == EROFSMOUNTS_ATTACHED) {
		close(*fd);
		*fd = -1;
	}
	erofsmounts_keep(x, &sb, *fd);
	return 1;
}

static int untold(struct err **err)
{
	return err_sys_kind(err, ERR_SANDBOX, "look whether EROFS images can be mounted");
}

int erofsmounts_try(struct erofsmounts *x, const struct lower *v, size_t n, struct err **err)
{
	auto_err struct err *refusal = NULL;
	int fd, r;

	pthread_mutex_lock(&x->lock);
	r = taken_locked(x);
	if (r < 0)
		untold(&refusal);
	for (size_t i = 0; r == 1 && i < n; i++)
		if (v[i].index_fd >= 0)
			r = mount_once(x, &v[i], &fd, &refusal);
	pthread_mutex_unlock(&x->lock);
	if (r < 0 && err) {
		*err = refusal;
		refusal = NULL;
	}
	return r;
}

static int get_locked(struct erofsmounts *x, const struct lower *l, bool *attach, struct err **err)
{
	char detail[DETAIL_MAX];
	int fd = -1, r = taken_locked(x);

	if (r < 0)
		return untold(err);
	if (r == 0)
		return err_set(err, ERR_SANDBOX, "EROFS images cannot be mounted here");
	if (mount_once(x, l, &fd, err) <= 0)
		return -1;
	*attach = fd < 0;
	fd = fd < 0 ? erofsmounts_attach(l, detail) : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return erofsmounts_word(err, *attach ? detail : "");
	return fd;
}

int erofsmounts_get(struct erofsmounts *x, const struct lower *l, bool *attach, struct err **err)
{
	int fd;

	pthread_mutex_lock(&x->lock);
	fd = get_locked(x, l, attach, err);
	pthread_mutex_unlock(&x->lock);
	return fd;
}

bool erofsmounts_taken(struct erofsmounts *x)
{
	bool taken;

	pthread_mutex_lock(&x->lock);
	taken = taken_locked(x) != 0;
	pthread_mutex_unlock(&x->lock);
	return taken;
}

void erofsmounts_force_attached(struct erofsmounts *x)
{
	x->lowers = EROFSMOUNTS_ATTACHED;
}

void erofsmounts_init(struct erofsmounts *x)
{
	*x = (struct erofsmounts){0};
	pthread_mutex_init(&x->lock, NULL);
}

void erofsmounts_clear(struct erofsmounts *x)
{
	for (size_t i = 0; i < x->n; i++)
		fd_close(x->v[i].fd);
	free(x->v);
	pthread_mutex_destroy(&x->lock);
}

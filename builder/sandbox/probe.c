// SPDX-License-Identifier: Apache-2.0
/*
 * Probes: each calls the kernel with arguments that change nothing, and looks at the error. ENOSYS
 * is an old kernel, EPERM usually the system call filter of a container around us. An error that
 * says nothing about what the kernel has (no memory, no descriptors) ends the build.
 */
#include "builder/sandbox/probe.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "builder/sandbox/caps.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/landlock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define CPUS    "/sys/devices/system/cpu"
#define CGROUPS "/sys/fs/cgroup"

struct feature {
	const char *name;
	int (*try_it)(void); /* an errno, 0 = works */
	const char *since;
	const char *otherwise; /* what serves where it is missing; NULL: nothing does */
};

static int keep_if_failed(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_openat2(void)
{
	return keep_if_failed(kernel_open(AT_FDCWD, "/", O_PATH, RESOLVE_IN_ROOT));
}

static int try_fsopen(void)
{
	return keep_if_failed(fsopen("tmpfs", FSOPEN_CLOEXEC));
}

/* Calls with a descriptor that is none: EBADF or EINVAL when the call exists. */
static int probe_missing(long r)
{
	return r < 0 && (errno == ENOSYS || errno == EPERM) ? errno : 0;
}

static int try_fspick(void)
{
	return probe_missing(fspick(-1, "", FSPICK_EMPTY_PATH));
}

/* Where fsopen itself is refused it shows when the first one is mounted. */
static int try_overlay(void)
{
	int error = keep_if_failed(fsopen("overlay", FSOPEN_CLOEXEC));

	return error == ENOSYS || error == EPERM ? 0 : error;
}

static int try_open_tree(void)
{
	return keep_if_failed(open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int try_mount_setattr(void)
{
	struct mount_attr attr = {0};

	return probe_missing(mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

static int try_close_range(void)
{
	return probe_missing(close_range(~0U, ~0U, 0));
}

static int try_pidfd(void)
{
	return keep_if_failed(pidfd_open(getpid(), 0));
}

static const struct feature features[] = {
	{"openat2", try_openat2, "5.6"},
	{"fsopen", try_fsopen, "5.2", "mount(2) is used"},
	{"fspick", try_fspick, "5.2", "what a RUN passed on can change its layer afterwards"},
	{"open_tree", try_open_tree, "5.2"},
	{"mount_setattr", try_mount_setattr, "5.12"},
	{"close_range", try_close_range, "5.9"},
	{"pidfd", try_pidfd, "5.3"},
	{"overlay", try_overlay, "3.18"},
};

/*
 * Before Linux 6.5 overlay took any option as text and looked at it only when it was mounted; then
 * came a parser without, and in 6.8 with "lowerdir+". 0, or an errno that tells nothing about that.
 */
static int probe_overlay(enum overlay_api *out)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	*out = OVERLAY_CLASSIC;
	if (fs < 0)
		return kernel_lacks(errno) ? 0 : errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "bld_unknown", "x", 0) == 0)
		return 0;
	if (!kernel_lacks(errno))
		return errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "/", 0) < 0)
		return kernel_lacks(errno) ? 0 : errno;
	*out = OVERLAY_LOWERDIR_PLUS;
	return 0;
}

static bool probe_is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

static int add_throttle(int cpus, const char *name, struct strlist *out)
{
	auto_free char *path = mem_printf("%s/thermal_throttle", name);

	if (strncmp(name, "cpu", 3) != 0)
		return 0;
	if (faccessat(cpus, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return probe_is_absent(errno) ? 0 : -1;
	strlist_addf(out, "devices/system/cpu/%s", path);
	return 0;
}

/* /sys/devices/system/cpu/cpuN/thermal_throttle: seldom there in virtual machines. One that is not
 * found is not hidden: any error but "not there" counts. */
static int find_throttle(struct strlist *out)
{
	DIR *d = fs_opendir(AT_FDCWD, CPUS);
	const struct dirent *e;
	int more = 0, r = 0;

	if (!d)
		return probe_is_absent(errno) ? 0 : -1;
	while (r == 0 && (more = fs_readdir(d, &e)) == 1)
		r = add_throttle(dirfd(d), e->d_name, out);
	int saved = errno;
	closedir(d);
	errno = saved;
	return more < 0 ? -1 : r;
}

static int check_privilege(struct probe *p, struct err **err)
{
	if (caps_own(&p->caps, &p->last_cap) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "read own capabilities");
	if (geteuid() == 0 && p->caps & (uint64_t)1 << CAP_SYS_ADMIN)
		return 0;
	err_set(err, ERR_SANDBOX,
		geteuid() == 0 ? "RUN needs CAP_SYS_ADMIN, which is missing here"
			       : "RUN needs root");
	return err_hint(err, geteuid() == 0 ? "in a container: start it privileged (--privileged)"
					    : "start bld as root");
}

/* 0 it is here, or something else serves; -1 */
static int check_feature(const struct feature *f, struct err **err)
{
	int error = f->try_it();

	if (error == 0 || (f->otherwise && kernel_lacks(error)))
		return 0;
	err_set(err, ERR_SANDBOX, "RUN needs %s: %s", f->name, strerror(error));
	if (!kernel_lacks(error))
		return -1;
	if (error == EPERM)
		return err_hint(err, "a container around bld refuses it: start it privileged "
				     "(--privileged)");
	return err_hint(err, "Linux %s or later has it%s", f->since,
		f->try_it == try_overlay ? ", as a module: modprobe overlay" : "");
}

/* What RUN can do without, if it is known to be without it. */
static int find_rest(struct probe *p, struct err **err)
{
	struct statfs sfs;
	int error = probe_overlay(&p->overlay);

	if (error) {
		errno = error;
		return err_sys_kind(err, ERR_SANDBOX, "look at what overlay can do");
	}
	p->landlock = landlock_abi();
	if (p->landlock < 0 && !kernel_lacks(errno))
		return err_sys_kind(err, ERR_SANDBOX, "look at what Landlock can do");
	if (statfs(CGROUPS, &sfs) == 0)
		p->cgroup2 = sfs.f_type == CGROUP2_SUPER_MAGIC;
	else if (!probe_is_absent(errno) && !kernel_lacks(errno))
		return err_sys_kind(err, ERR_SANDBOX, CGROUPS);
	return find_throttle(&p->throttle) < 0 ? err_sys_kind(err, ERR_SANDBOX, CPUS) : 0;
}

int probe_run(struct probe *p, struct err **err)
{
	*p = (struct probe){0};
	if (check_privilege(p, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		if (check_feature(&features[i], err) < 0)
			return -1;
	return find_rest(p, err);
}

void probe_clear(struct probe *p)
{
	strlist_clear(&p->throttle);
}

/* How far a RUN on the network of the machine is kept from the machine's abstract sockets. */
static void describe_landlock(struct strlist *out)
{
	int abi = landlock_abi();

	if (abi >= LANDLOCK_ABI_SCOPE)
		strlist_add(out, "landlock scope: yes");
	else if (abi < 0)
		strlist_addf(out,
			"landlock scope: no (%s): RUN reaches abstract unix sockets of this "
			"machine; "
			"--network=none closes that",
			strerror(errno));
	else
		strlist_addf(out,
			"landlock scope: no (ABI %d, Linux 6.12 has %d): RUN reaches abstract unix "
			"sockets of this machine; --network=none closes that",
			abi, LANDLOCK_ABI_SCOPE);
	strlist_add(out, "abstract unix sockets of RUN: open to local users (--network=none closes "
			 "that)");
}

void probe_describe(struct strlist *out)
{
	struct probe p = {0};

	if (caps_own(&p.caps, &p.last_cap) < 0 || geteuid() != 0)
		strlist_add(out, "root: no (RUN needs it)");
	else if (!(p.caps & (uint64_t)1 << CAP_SYS_ADMIN))
		strlist_add(out, "root: no (CAP_SYS_ADMIN is missing)");
	else
		strlist_add(out, "root: yes");
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		int error = features[i].try_it();

		if (kernel_lacks(error) && features[i].otherwise)
			strlist_addf(out, "%s: no (%s)", features[i].name, features[i].otherwise);
		else if (error)
			strlist_addf(out, "%s: no (%s)", features[i].name, strerror(error));
		else
			strlist_addf(out, "%s: yes", features[i].name);
	}
	enum overlay_api api;

	(void)probe_overlay(&api);
	strlist_add(out, api == OVERLAY_LOWERDIR_PLUS ? "overlay lowerdir+: yes"
						      : "overlay lowerdir+: no (mount(2) is used)");
	describe_landlock(out);
}

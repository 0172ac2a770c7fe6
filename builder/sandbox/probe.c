// SPDX-License-Identifier: Apache-2.0
/*
 * Probes: each calls the kernel with arguments that change nothing, and looks at the error. ENOSYS
 * is an old kernel, EPERM usually the system call filter of a container around us.
 */
#include "builder/sandbox/probe.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/vfs.h>

#include "builder/sandbox/caps.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/landlock.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

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
static int missing(long r)
{
	return r < 0 && (errno == ENOSYS || errno == EPERM) ? errno : 0;
}

static int try_fspick(void)
{
	return missing(fspick(-1, "", FSPICK_EMPTY_PATH));
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

	return missing(mount_setattr(-1, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
}

static int try_close_range(void)
{
	return missing(close_range(~0U, ~0U, 0));
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

/* Before Linux 6.5 overlay took any option as text and looked at it only when it was mounted; then
 * came a parser without, and in 6.8 with "lowerdir+". */
static enum overlay_api probe_overlay(void)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "bld_unknown", "x", 0) == 0)
		return OVERLAY_CLASSIC;
	return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "/", 0) == 0 ? OVERLAY_LOWERDIR_PLUS
									   : OVERLAY_CLASSIC;
}

/* /sys/devices/system/cpu/cpuN/thermal_throttle: seldom there in virtual machines. */
static void find_throttle(struct strlist *out)
{
	DIR *d = opendir("/sys/devices/system/cpu");
	const struct dirent *e;

	while (d && fs_readdir(d, &e) == 1) {
		auto_free char *path = mem_printf("%s/thermal_throttle", e->d_name);

		if (strncmp(e->d_name, "cpu", 3) == 0 &&
			faccessat(dirfd(d), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			strlist_addf(out, "devices/system/cpu/%s", path);
	}
	if (d)
		closedir(d);
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

int probe_run(struct probe *p, struct err **err)
{
	struct statfs sfs;

	*p = (struct probe){0};
	if (check_privilege(p, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];
		int error = f->try_it();

		if (error == 0 || f->otherwise)
			continue;
		err_set(err, ERR_SANDBOX, "RUN needs %s: %s", f->name, strerror(error));
		if (error == EPERM)
			return err_hint(err, "a container around bld refuses it: start it "
					     "privileged (--privileged)");
		return err_hint(err, "Linux %s or later has it%s", f->since,
			f->try_it == try_overlay ? ", as a module: modprobe overlay" : "");
	}
	p->overlay = probe_overlay();
	p->landlock = landlock_abi();
	p->cgroup2 = statfs("/sys/fs/cgroup", &sfs) == 0 && sfs.f_type == CGROUP2_SUPER_MAGIC;
	find_throttle(&p->throttle);
	return 0;
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

		if (error && features[i].otherwise)
			strlist_addf(out, "%s: no (%s)", features[i].name, features[i].otherwise);
		else if (error)
			strlist_addf(out, "%s: no (%s)", features[i].name, strerror(error));
		else
			strlist_addf(out, "%s: yes", features[i].name);
	}
	strlist_add(out, probe_overlay() == OVERLAY_LOWERDIR_PLUS
				 ? "overlay lowerdir+: yes"
				 : "overlay lowerdir+: no (mount(2) is used)");
	describe_landlock(out);
}

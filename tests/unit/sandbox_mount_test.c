// SPDX-License-Identifier: Apache-2.0
/* What a command sees of the file system, what it cannot change, and what a layer keeps. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

#include "builder/sandbox/runner.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/lower.h"
#include "tests/support/sandbox_box.h"

#define OLD_TIME 1000000000 /* 2001 */

static void expect(struct box *b, const char *script, const char *text)
{
	char *got = sandbox_box_sh(b, 0, script);

	assert_string_equal(got, text);
	free(got);
}

static void run_with(struct box *b, struct box_run *r, const struct sandbox_mount *m, size_t n,
	const char *script)
{
	sandbox_box_prepare(b, r, script);
	r->spec.mounts = m;
	r->spec.nmounts = n;
	sandbox_box_run(b, r);
}

static void expect_with(struct box *b, const struct sandbox_mount *m, size_t n, const char *script,
	const char *text)
{
	struct box_run r;

	run_with(b, &r, m, n, script);
	assert_string_equal(r.text, text);
	assert_int_equal(r.res.exit_code, 0);
	sandbox_box_done(&r);
}

/* Start fails with this in its message. */
static void refuse(struct box *b, struct box_run *r, const char *word)
{
	struct err *err = NULL;
	int out = -1;

	assert_null(sandbox_box_start(b, r, &out, &err));
	if (!strstr(err_text(err), word))
		fail_msg("'%s' is not in: %s", word, err_text(err));
	err_free(err);
}

static void expect_upper(struct box *b, const char *text)
{
	char *got = sandbox_box_upper(b);

	assert_string_equal(got, text);
	free(got);
}

static long long mtime(int dir, const char *path)
{
	struct stat sb;

	assert_int_equal(fstatat(dir, path, &sb, AT_SYMLINK_NOFOLLOW), 0);
	return (long long)sb.st_mtim.tv_sec * 1000000000 + sb.st_mtim.tv_nsec;
}

static void age(int dir, const char *path)
{
	const struct timespec t[2] = {{OLD_TIME, 0}, {OLD_TIME, 0}};

	assert_int_equal(utimensat(dir, path, t, AT_SYMLINK_NOFOLLOW), 0);
}

/* --- the root --------------------------------------------------------------------------------- */

static void test_writes_land_in_upper(void **state)
{
	struct box *b = *state;
	char *got = sandbox_box_sh(b, 0, "echo x > /new; rm /etc/passwd; mkdir -m 700 /d");
	struct stat sb;

	free(got);
	expect_upper(b, "./d\n./etc\n./etc/passwd\n./new\n");
	assert_int_equal(fstatat(b->scratch, "upper/etc/passwd", &sb, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISCHR(sb.st_mode) && sb.st_rdev == 0);
	assert_int_equal(fstatat(b->scratch, "upper/d", &sb, 0), 0);
	assert_int_equal(sb.st_mode, S_IFDIR | 0700);
	assert_int_equal(faccessat(b->root, "etc/passwd", F_OK, 0), 0);
	assert_int_equal(faccessat(b->root, "new", F_OK, 0), -1);
}

static void test_root_attributes(void **state)
{
	struct box *b = *state;
	struct stat sb;

	assert_int_equal(fchmod(b->root, 01751), 0);
	assert_int_equal(fchown(b->root, 5, 6), 0);
	age(b->dir, "root");
	expect(b, "stat -c '%a %u %g %Y' /", "1751 5 6 1000000000\n");
	assert_int_equal(fstatat(b->scratch, "upper", &sb, 0), 0);
	assert_int_equal(sb.st_mtim.tv_sec, OLD_TIME);
	assert_int_equal(fchmod(b->root, 0755), 0);
	assert_int_equal(fchown(b->root, 0, 0), 0);
}

/* A base with nothing in it: /proc, /sys, /dev and /etc are made, and gone in the layer. */
static void test_empty_root_keeps_nothing(void **state)
{
	struct box *b = *state;
	struct box_run r;
	int bin = openat(b->root, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sandbox_mount m = {
		.kind = SANDBOX_MOUNT_BIND, .target = "/bin", .source_fd = bin, .readonly = true};

	sandbox_box_prepare(b, &r, "ls -1 /; cat /etc/hostname; echo kept > /out");
	r.spec.lowers.n = 0;
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "bin\ndev\netc\nproc\nsys\nbld\n");
	sandbox_box_done(&r);
	expect_upper(b, "./out\n");

	sandbox_box_prepare(b, &r, "exit 3");
	r.spec.lowers.n = 0;
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	sandbox_box_run(b, &r);
	assert_int_equal(r.res.exit_code, 3);
	sandbox_box_done(&r);
	expect_upper(b, "");
	close(bin);
}

static void test_stubs_and_times(void **state)
{
	struct box *b = *state;
	struct sandbox_mount m[] = {
		{.kind = SANDBOX_MOUNT_FILE,
			.target = "/run/secrets/a/key",
			.data = "s",
			.len = 1,
			.source_fd = -1,
			.mode = 0400},
		{.kind = SANDBOX_MOUNT_TMPFS,
			.target = "/var/cache/x",
			.source_fd = -1,
			.mode = 01777},
	};
	long long etc, run;
	struct box_run r;

	age(b->root, "etc");
	age(b->root, "run");
	age(b->dir, "root");
	etc = mtime(b->root, "etc");
	run = mtime(b->root, "run");
	run_with(b, &r, m, ARRAY_LEN(m), "cat /run/secrets/a/key; ls -d /var/cache/x");
	assert_string_equal(r.text, "s/var/cache/x\n");
	sandbox_box_done(&r);
	expect_upper(b, "./etc\n./run\n");
	assert_true(mtime(b->scratch, "upper/etc") == etc);
	assert_true(mtime(b->scratch, "upper/run") == run);
	assert_true(mtime(b->scratch, "upper") == mtime(b->dir, "root"));

	/* What the command does to these directories stays, with the time at which it did it. */
	run_with(b, &r, m, ARRAY_LEN(m),
		"touch -d @1234567890 /x; echo k > /run/secrets/kept; touch -d @1234567890 /run; "
		"touch -d @1234567890 /run/secrets");
	sandbox_box_done(&r);
	expect_upper(b, "./etc\n./run\n./run/secrets\n./run/secrets/kept\n./x\n");
	assert_true(mtime(b->scratch, "upper/run") == 1234567890LL * 1000000000);
	assert_true(mtime(b->scratch, "upper/run/secrets") == 1234567890LL * 1000000000);
}

/* Row 11: what the command put in place of a stub is not ours to remove. */
static void test_exchanged_stub_stays(void **state)
{
	struct box *b = *state;
	struct sandbox_mount m = {.kind = SANDBOX_MOUNT_FILE,
		.target = "/run/s/key",
		.data = "s",
		.len = 1,
		.source_fd = -1};
	struct box_run r;

	run_with(b, &r, &m, 1, "mv /run/s /run/t && mkdir /run/s && echo > /run/s/key");
	assert_int_equal(r.res.exit_code, 0);
	sandbox_box_done(&r);
	expect_upper(b, "./etc\n./run\n./run/s\n./run/s/key\n./run/t\n");
	run_with(b, &r, &m, 1, "rm -f /run/s/key; rmdir /run/s; mv /run/s/key /k");
	assert_int_not_equal(r.res.exit_code, 0);
	sandbox_box_done(&r);
}

static void test_many_lowers(void **state)
{
	struct box *b = *state;
	struct box_run r;
	char name[32];
	int base = sandbox_box_mkdir(b->dir, "many", 0755);

	sandbox_box_prepare(b, &r, "ls /l | wc -l; cat /l/f1 /l/f499 /top");
	for (int i = 1; i < SANDBOX_LOWERS_MAX; i++) {
		snprintf(name, sizeof name, "%d", i);
		r.lower[i] = lower_of_dir(sandbox_box_mkdir(base, name, 0755));
		snprintf(name, sizeof name, "l/f%d", i);
		sandbox_box_write(r.lower[i].dir_fd, name, name, 0644);
		snprintf(name, sizeof name, "%d\n", i);
		sandbox_box_write(r.lower[i].dir_fd, "top", name, 0644);
	}
	r.spec.lowers.n = SANDBOX_LOWERS_MAX;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "499\nl/f1l/f499499\n");
	sandbox_box_done(&r);
	for (int i = 1; i < SANDBOX_LOWERS_MAX; i++)
		close(r.lower[i].dir_fd);
	close(base);
}

/* --- /proc, /sys, /dev ------------------------------------------------------------------------ */

static void test_mount_table(void **state)
{
	char *got = sandbox_box_sh(*state, 0, "cut -d' ' -f5 /proc/self/mountinfo | sort -u");
	static const char *const there[] = {"\n/\n", "/proc\n", "/sys\n", "/dev\n", "/dev/pts\n",
		"/dev/shm\n", "/dev/mqueue\n", "/etc/hosts\n", "/etc/resolv.conf\n",
		"/etc/hostname\n"};
	char *lines = mem_printf("\n%s", got);

	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		if (!strstr(lines, there[i]))
			fail_msg("%s is not in\n%s", there[i], got);
	free(lines);
	free(got);
	/* Nothing of the host: no path of the store, no old root. */
	expect(*state, "grep -E 'bld-sandbox|/tmp|ext4' /proc/self/mountinfo || true", "");
	expect(*state, "cd /../..; pwd; ls -d /../proc /../bin; stat -c %i / /.. | sort -u | wc -l",
		"/\n/../bin\n/../proc\n1\n");
	expect(*state, "sed -n 's/.* \\/proc \\([^ ]*\\) .*/\\1/p' /proc/self/mountinfo",
		"rw,nosuid,nodev,noexec,relatime\n");
}

static void test_masked(void **state)
{
	expect(*state,
		"for f in kcore keys interrupts timer_list timer_stats sched_debug latency_stats; "
		"do"
		" if [ -e /proc/$f ]; then wc -c < /proc/$f; fi; done | sort -u;"
		"for d in acpi scsi; do [ ! -e /proc/$d ] || ls -A /proc/$d; done;"
		"ls -A /sys/firmware 2>/dev/null | wc -l",
		"0\n0\n");
	/* The cover of a file is our own null, one device covers all directories. */
	expect(*state, "stat -c '%t:%T' /proc/keys /proc/interrupts /dev/null", "1:3\n1:3\n1:3\n");
}

static void test_readonly_paths(void **state)
{
	expect(*state,
		"for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/x "
		"/proc/sys/kernel/hostname /proc/fs/x /proc/bus/x /sys/x /sys/kernel/mm/x "
		"/sys/fs/cgroup/x /sys/fs/cgroup/cgroup.procs /sys/kernel/uevent_helper; do "
		"(echo 1 > $f) 2>/dev/null && echo \"$f written\"; done; "
		"mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; true",
		"");
	expect(*state, "(echo x > /etc/hosts) 2>&1; rm /etc/resolv.conf 2>&1; true",
		"sh: can't create /etc/hosts: Read-only file system\n"
		"rm: can't remove '/etc/resolv.conf': Device or resource busy\n");
}

static void test_devices(void **state)
{
	/* As other runtimes: a link to what the kernel does not have is not made. */
	expect(*state, "[ -e /proc/kcore ]; a=$?; [ -L /dev/core ]; echo $((a - $?))", "0\n");
	expect(*state, "ls /dev | grep -vx core",
		"fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
		"urandom\nzero\n");
	expect(*state,
		"head -c4 /dev/zero | od -An -tx1 | tr -d ' '; head -c16 /dev/urandom | wc -c;"
		"head -c16 /dev/random | wc -c; echo x > /dev/null; wc -c < /dev/null;"
		"(echo x > /dev/full) 2>/dev/null || echo full; echo out > /dev/stdout;"
		"echo shm > /dev/shm/f && cat /dev/shm/f; stat -c %a /dev/shm /dev/null /dev/ptmx",
		"00000000\n16\n16\n0\nfull\nout\nshm\n1777\n666\n777\n");
}

static bool guarded(const struct box *b)
{
	return cgroups_guard_devices(&runner_facts(b->runner)->groups);
}

/* Any can be made; those that are no harm open where the control group keeps the others away, no
 * other does anywhere. */
static void test_made_devices(void **state)
{
	expect(*state, "mknod /x c 1 3 && (echo x >/x) 2>&1 | sed s:.*/:/:; ls /dev/pts; rm /x",
		guarded(*state) ? "ptmx\n" : "/x: Permission denied\nptmx\n");
	expect(*state,
		"for d in / /dev/ /tmp/ /dev/shm/; do for n in 'b 8 0' 'b 254 0' 'b 7 0' 'c 1 1' "
		"'c 1 11' "
		"'c 10 229'; do mknod ${d}n $n || echo $d $n; (exec 3<${d}n) 2>/dev/null && echo "
		"$d $n opens; "
		"(exec 3>>${d}n) 2>/dev/null && echo $d $n opens; rm ${d}n; done; done",
		"");
}

static void test_device_of_a_layer(void **state)
{
	struct box *b = *state;

	assert_int_equal(mknodat(b->root, "tmp/zero", S_IFCHR | 0666, (dev_t)0x105), 0);
	expect(b, "head -c1 /tmp/zero 2>&1 | tr '\\000' 0; true",
		guarded(b) ? "0" : "head: /tmp/zero: Permission denied\n");
	assert_int_equal(unlinkat(b->root, "tmp/zero", 0), 0);
}

/* --- hostile roots ---------------------------------------------------------------------------- */

struct hostile {
	const char *name, *to; /* a link in the image, "" = an empty file */
	const char *word;      /* in the error; NULL: it works */
};

static void try_hostile(struct box *b, const struct hostile *h, size_t i)
{
	char name[32], canary[256];
	struct box_run r;
	int top;

	snprintf(name, sizeof name, "hostile%zu", i);
	top = sandbox_box_mkdir(b->dir, name, 0755);
	/* The layer on top replaces the directory of the layer below. */
	if (strchr(h->name, '/'))
		assert_int_equal(mkdirat(top, "etc", 0755), 0);
	if (*h->to)
		assert_int_equal(symlinkat(h->to, top, h->name), 0);
	else
		sandbox_box_write(top, h->name, "", 0644);
	snprintf(canary, sizeof canary, "%s/canary", b->path);
	sandbox_box_prepare(b, &r, "true");
	r.lower[1] = lower_of_dir(top);
	r.spec.lowers.n = 2;
	if (h->word) {
		refuse(b, &r, h->word);
	} else {
		sandbox_box_run(b, &r);
		assert_int_equal(r.res.exit_code, 0);
		sandbox_box_done(&r);
	}
	close(top);
}

static void test_hostile_roots(void **state)
{
	struct box *b = *state;
	char *canary = mem_printf("%s/canary", b->path);
	struct hostile t[] = {
		{"proc", canary, "/proc"},
		{"sys", canary, "/sys"},
		{"dev", canary, "/dev"},
		{"proc", "/tmp", "/proc"},
		{"proc", "", "/proc"},
		{"sys", "../../..", "/sys"},
		{"dev", "", "/dev"},
		{"etc", canary, NULL}, /* made inside the root */
		{"etc", "/tmp", NULL},
		{"etc", "/proc/self/cwd", "/etc/resolv.conf"},
		{"etc", "", "/etc/resolv.conf"},
		{"etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf", NULL},
		{"etc/resolv.conf", canary, NULL},
		{"etc/resolv.conf", "../../../../../../../../../tmp/r", NULL},
		{"etc/hosts", "hosts", "/etc/hosts"},
		{"etc/hosts", "/proc/self/fd/3", "/etc/hosts"},
		{"etc/hosts", "/proc/1/root/x", "/etc/hosts"},
		{"etc/hostname", "/tmp", "/etc/hostname"},
	};
	int dir = sandbox_box_mkdir(b->dir, "canary", 0700);
	struct stat before, after;

	assert_int_equal(fstat(dir, &before), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		try_hostile(b, &t[i], i);
	assert_int_equal(fstat(dir, &after), 0);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof before.st_ctim);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
	assert_int_equal(before.st_nlink, after.st_nlink);
	close(dir);
	free(canary);
}

/* Rows 3 and 4: what the image has in its /dev plays no part. */
static void test_hostile_dev_nodes(void **state)
{
	struct box *b = *state;

	assert_int_equal(symlinkat("/proc/sys/kernel/core_pattern", b->root, "dev/null"), 0);
	assert_int_equal(symlinkat("/etc", b->root, "dev/shm"), 0);
	assert_int_equal(symlinkat("/proc/1", b->root, "dev/pts"), 0);
	assert_int_equal(symlinkat("/proc/sys/kernel/core_pattern", b->root, "dev/console"), 0);
	assert_int_equal(symlinkat("/proc/sysrq-trigger", b->root, "dev/ptmx"), 0);
	expect(b,
		"stat -c %t:%T /dev/null; stat -c %t:%T /proc/keys; ls /dev/shm | wc -l; "
		"ls /dev/console 2>/dev/null; readlink /dev/ptmx; ls /dev/pts",
		"1:3\n1:3\n0\npts/ptmx\nptmx\n");
	assert_int_equal(unlinkat(b->root, "dev/null", 0), 0);
	assert_int_equal(unlinkat(b->root, "dev/shm", 0), 0);
	assert_int_equal(unlinkat(b->root, "dev/pts", 0), 0);
	assert_int_equal(unlinkat(b->root, "dev/console", 0), 0);
	assert_int_equal(unlinkat(b->root, "dev/ptmx", 0), 0);
}

/* --- network ---------------------------------------------------------------------------------- */

static void test_network_none(void **state)
{
	struct box_run r;

	sandbox_box_prepare(*state, &r,
		"ls /sys/class/net; ip -o link | wc -l; ip link show lo | grep -c LOOPBACK,UP;"
		"cat /proc/sys/net/ipv4/ping_group_range | tr '\\t' ' '");
	r.spec.network = SANDBOX_NET_NONE;
	sandbox_box_run(*state, &r);
	assert_string_equal(r.text, "lo\n1\n1\n0 2147483647\n");
	sandbox_box_done(&r);
}

static void test_hosts_file(void **state)
{
	struct box_run r;

	sandbox_box_prepare(*state, &r, "cat /etc/hosts; stat -c '%a %u %g' /etc/hosts");
	sandbox_box_run(*state, &r);
	assert_string_equal(r.text,
		"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tbld\n"
		"644 0 0\n");
	sandbox_box_done(&r);
}

/* --- mounts of the specification ------------------------------------------------------------ */

static void test_bind(void **state)
{
	struct box *b = *state;
	int dir = sandbox_box_mkdir(b->dir, "src", 0755);
	int file;
	struct sandbox_mount m[] = {
		{.kind = SANDBOX_MOUNT_BIND, .target = "/ro", .source_fd = dir, .readonly = true},
		{.kind = SANDBOX_MOUNT_BIND, .target = "/a/b/rw", .source_fd = dir},
		{.kind = SANDBOX_MOUNT_BIND, .target = "/f", .readonly = true},
		{.kind = SANDBOX_MOUNT_TMPFS,
			.target = "/a/b/rw/sub",
			.source_fd = -1,
			.mode = 0750,
			.uid = 3,
			.gid = 4},
	};

	sandbox_box_write(dir, "x", "content\n", 0644);
	file = openat(dir, "x", O_PATH | O_CLOEXEC);
	m[2].source_fd = file;
	expect_with(b, m, ARRAY_LEN(m),
		"cat /ro/x /a/b/rw/x /f; (echo > /ro/y) 2>&1; (echo > /f) 2>&1; echo y > /a/b/rw/y;"
		"cat /ro/y; stat -c '%a %u %g' /a/b/rw/sub; echo t > /a/b/rw/sub/t",
		"content\ncontent\ncontent\nsh: can't create /ro/y: Read-only file system\n"
		"sh: can't create /f: Read-only file system\ny\n750 3 4\n");
	expect_upper(b, "./etc\n");
	assert_int_equal(faccessat(dir, "y", F_OK, 0), 0);
	/* The target that was made inside the cache is gone as well. */
	assert_int_equal(faccessat(dir, "sub", F_OK, 0), -1);
	assert_int_equal(errno, ENOENT);
	close(file);
	close(dir);
}

/* CVE-2024-1753: the source is a path of another root; links end in that root. */
static void test_bind_from_layers(void **state)
{
	struct box *b = *state;
	int one = sandbox_box_mkdir(b->dir, "one", 0755),
	    two = sandbox_box_mkdir(b->dir, "two", 0755);
	struct lower both[] = {lower_of_dir(one), lower_of_dir(two)};
	struct sandbox_mount m[] = {
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/t",
			.source_fd = -1,
			.lowers = {both, 2},
			.source = "/rootlink",
			.readonly = true},
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/f",
			.source_fd = -1,
			.lowers = {both, 1},
			.source = "d/../d/one",
			.readonly = true},
		{.kind = SANDBOX_MOUNT_SCRATCH,
			.target = "/s",
			.source_fd = -1,
			.lowers = {both, 2},
			.source = "/d"},
	};
	struct box_run r;

	sandbox_box_write(one, "d/one", "1\n", 0644);
	sandbox_box_write(two, "d/two", "2\n", 0644);
	sandbox_box_write(two, "over", "two\n", 0644);
	sandbox_box_write(one, "over", "one\n", 0644);
	assert_int_equal(symlinkat("/", one, "rootlink"), 0);
	expect_with(b, m, ARRAY_LEN(m),
		"ls /t; cat /t/over; cat /f; ls /s; echo new > /s/new; rm /s/one; ls /s; ls /t/d;"
		"(echo > /t/x) 2>&1; (echo > /f) 2>&1; true",
		"d\nover\nrootlink\ntwo\n1\none\ntwo\nnew\ntwo\none\ntwo\n"
		"sh: can't create /t/x: Read-only file system\n"
		"sh: can't create /f: Read-only file system\n");
	assert_int_equal(faccessat(one, "d/new", F_OK, 0), -1);
	expect_upper(b, "./etc\n");

	m[0].source = "/missing";
	sandbox_box_prepare(b, &r, "true");
	r.spec.mounts = m;
	r.spec.nmounts = 1;
	refuse(b, &r, "/missing");
	assert_int_equal(symlinkat("/proc/self/root", one, "magic"), 0);
	m[0].source = "/magic/etc";
	sandbox_box_prepare(b, &r, "true");
	r.spec.mounts = m;
	r.spec.nmounts = 1;
	refuse(b, &r, "/magic/etc");
	close(one);
	close(two);
}

static void test_tmpfs_size(void **state)
{
	struct sandbox_mount m = {.kind = SANDBOX_MOUNT_TMPFS,
		.target = "/t",
		.source_fd = -1,
		.mode = 01777,
		.size_bytes = 1 << 20};

	expect_with(*state, &m, 1,
		"stat -c %a /t; dd if=/dev/zero of=/t/x bs=64k count=32 2>&1 | grep -c 'No space'; "
		"stat -c %s /t/x; mount | grep -c ' /t .*nosuid'",
		"1777\n1\n1048576\n1\n");
}

static void test_secret(void **state)
{
	struct sandbox_mount m = {.kind = SANDBOX_MOUNT_FILE,
		.target = "/run/secrets/id",
		.source_fd = -1,
		.mode = 0440,
		.uid = 12,
		.gid = 34,
		.data = "hush",
		.len = 4};
	struct box_run r;

	expect_with(*state, &m, 1,
		"cat /run/secrets/id; echo; stat -c '%a %u %g %s' /run/secrets/id; "
		"(echo x > /run/secrets/id) 2>&1; grep ' /run/secrets/id ' /proc/self/mountinfo | "
		"cut -d' ' -f6",
		"hush\n440 12 34 4\nsh: can't create /run/secrets/id: Read-only file system\n"
		"ro,nosuid,nodev,noexec,relatime\n");
	expect_upper(*state, "./etc\n./run\n");

	/* The default mode keeps it from other users. */
	m.mode = 0400;
	m.uid = m.gid = 0;
	sandbox_box_prepare(*state, &r, "cat /run/secrets/id");
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	r.spec.uid = 1000;
	sandbox_box_run(*state, &r);
	assert_int_equal(r.res.exit_code, 1);
	sandbox_box_done(&r);

	/* A script of a heredoc. */
	m.mode = 0755;
	m.data = "#!/bin/sh\necho script $1\n";
	m.len = strlen(m.data);
	expect_with(*state, &m, 1, "/run/secrets/id arg", "script arg\n");
}

static void test_mount_over_existing(void **state)
{
	struct sandbox_mount m[] = {
		{.kind = SANDBOX_MOUNT_TMPFS, .target = "/etc", .source_fd = -1, .mode = 01777},
		{.kind = SANDBOX_MOUNT_FILE,
			.target = "/bin/id",
			.source_fd = -1,
			.data = "",
			.len = 0},
	};
	struct box *b = *state;

	/* /bin/id is a link to busybox: the file it names is covered. */
	m[1].target = "/etc/passwd";
	expect_with(b, &m[1], 1, "wc -c < /etc/passwd", "0\n");
	expect_with(b, m, 1, "ls /etc", "");
	expect(b, "grep -c root /etc/passwd", "1\n");
}

static void test_bad_targets(void **state)
{
	static const char *const bad[] = {"/", "//", "/.", "/..", "relative", "/../.."};
	struct sandbox_mount m = {.kind = SANDBOX_MOUNT_TMPFS, .source_fd = -1};
	struct box *b = *state;
	struct box_run r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m.target = bad[i];
		sandbox_box_prepare(b, &r, "true");
		r.spec.mounts = &m;
		r.spec.nmounts = 1;
		refuse(b, &r, bad[i]);
	}
	m.target = "/etc/passwd"; /* a directory onto a file */
	sandbox_box_prepare(b, &r, "true");
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	refuse(b, &r, "/etc/passwd");
	m.target = "/proc/self/fd";
	sandbox_box_prepare(b, &r, "true");
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	refuse(b, &r, "/proc/self/fd");
}

/* The way of kernels without lowerdir+ shows the same. */
static void test_classic_overlay(void **state)
{
	struct box *b = *state;
	enum overlay_api was = runner_facts(b->runner)->probe.overlay;

	runner_set_overlay(b->runner, OVERLAY_CLASSIC);
	test_writes_land_in_upper(state);
	test_empty_root_keeps_nothing(state);
	test_many_lowers(state);
	test_mount_table(state);
	runner_set_overlay(b->runner, was);
}

static void test_classic_bind_from_layers(void **state)
{
	struct box *b = *state;
	enum overlay_api was = runner_facts(b->runner)->probe.overlay;

	runner_set_overlay(b->runner, OVERLAY_CLASSIC);
	unlinkat(b->dir, "one/rootlink", 0);
	unlinkat(b->dir, "one/magic", 0);
	test_bind_from_layers(state);
	runner_set_overlay(b->runner, was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_land_in_upper),
		cmocka_unit_test(test_root_attributes),
		cmocka_unit_test(test_empty_root_keeps_nothing),
		cmocka_unit_test(test_stubs_and_times),
		cmocka_unit_test(test_exchanged_stub_stays),
		cmocka_unit_test(test_many_lowers),
		cmocka_unit_test(test_mount_table),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_readonly_paths),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_made_devices),
		cmocka_unit_test(test_device_of_a_layer),
		cmocka_unit_test(test_hostile_roots),
		cmocka_unit_test(test_hostile_dev_nodes),
		cmocka_unit_test(test_network_none),
		cmocka_unit_test(test_hosts_file),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_bind_from_layers),
		cmocka_unit_test(test_tmpfs_size),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_mount_over_existing),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_classic_overlay),
		cmocka_unit_test(test_classic_bind_from_layers),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}

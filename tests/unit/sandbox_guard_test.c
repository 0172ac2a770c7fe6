// SPDX-License-Identifier: Apache-2.0
/*
 * What a hostile command tries. The test program runs itself inside the sandbox, over a read-only
 * bind of /usr, and prints what the kernel answers; the parent compares.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/sandbox/pid1.h"
#include "builder/sandbox/sandbox.h"
#include "store/base/mem.h"
#include "store/lower.h"
#include "tests/support/machine.h"
#include "tests/support/sandbox_box.h"

#define PROBE_WORD "--probe"

/* --- inside ----------------------------------------------------------------------------------- */

static void say(const char *what, long r)
{
	printf("%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

static void probe_sockets(void)
{
	say("AF_UNIX", socket(AF_UNIX, SOCK_STREAM, 0));
	say("AF_INET", socket(AF_INET, SOCK_STREAM, 0));
	say("AF_NETLINK", socket(AF_NETLINK, SOCK_RAW, 0));
	say("AF_ALG", socket(38, SOCK_SEQPACKET, 0));
	say("AF_ALG high", syscall(SYS_socket, 0x100000026UL, SOCK_SEQPACKET, 0));
	say("AF_VSOCK", socket(40, SOCK_STREAM, 0));
	say("AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0)); /* CAP_NET_RAW */
}

static void probe_calls(void)
{
	struct {
		const char *name;
		long nr, a, b, c;
	} t[] = {
		{"io_uring_setup", 425, 1, 0, 0},
		{"io_uring_enter", 426, -1, 0, 0},
		{"keyctl", SYS_keyctl, 0, -3, 0},
		{"add_key", SYS_add_key, 0, 0, 0},
		{"request_key", SYS_request_key, 0, 0, 0},
		{"bpf", SYS_bpf, 0, 0, 0},
		{"perf_event_open", SYS_perf_event_open, 0, 0, 0},
		{"userfaultfd", SYS_userfaultfd, 0, 0, 0},
		{"unshare user", SYS_unshare, CLONE_NEWUSER, 0, 0},
		{"unshare mount", SYS_unshare, CLONE_NEWNS, 0, 0},
		{"setns", SYS_setns, 0, 0, 0},
		{"pivot_root", SYS_pivot_root, 0, 0, 0},
		{"umount2", SYS_umount2, (long)"/etc/hosts", MNT_DETACH, 0},
		{"open_tree", SYS_open_tree, AT_FDCWD, (long)"/", 1},
		{"move_mount", SYS_move_mount, 0, 0, 0},
		{"fsopen", SYS_fsopen, (long)"proc", 0, 0},
		{"mount_setattr", SYS_mount_setattr, AT_FDCWD, (long)"/etc/hosts", 0},
		{"open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, 0, 0},
		{"kexec_load", SYS_kexec_load, 0, 0, 0},
		{"init_module", SYS_init_module, 0, 0, 0},
		{"reboot", SYS_reboot, 0, 0, 0},
		{"sethostname", SYS_sethostname, (long)"x", 1, 0},
		{"clone user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0},
		{"clone net", SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0},
		{"clone3", 435, 0, 0, 0},
		{"unknown call", 4000, 0, 0, 0},
		{"x32 getpid", 0x40000000 | SYS_getpid, 0, 0, 0},
		{"personality", SYS_personality, ADDR_NO_RANDOMIZE, 0, 0},
		{"personality get", SYS_personality, 0xffffffff, 0, 0},
		{"fchmodat2", 452, AT_FDCWD, (long)"/nothing", 0},
		{"getrandom", SYS_getrandom, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		say(t[i].name, syscall(t[i].nr, t[i].a, t[i].b, t[i].c, 0, 0));
	say("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
	say("mknod", mknod("/tmp/n", S_IFCHR | 0600, (dev_t)0x103));
}

#ifdef __x86_64__
static void say32(const char *what, int nr, int a)
{
	int r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(0), "d"(0) : "memory");
	errno = -r;
	say(what, r);
}

static void probe_32bit(void)
{
	say32("i386 getpid", 20, 0);
	say32("i386 unshare", 310, CLONE_NEWUSER);
	say32("i386 io_uring_setup", 425, 1);
	say32("i386 keyctl", 288, 0);
	say32("i386 socket AF_ALG", 359, 38);
	say32("i386 unknown", 4000, 0);
}
#endif

static void probe_terminal(void)
{
	static const char c[] = "x";

	say("TIOCSTI", ioctl(0, TIOCSTI, c));
	say("TIOCSTI high", syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, c));
	say("TIOCLINUX", ioctl(0, TIOCLINUX, c));
	say("TIOCGWINSZ", ioctl(0, TIOCGWINSZ, &(struct winsize){0}));
	say("/dev/tty", open("/dev/tty", O_RDWR));
	say("/dev/ptmx", open("/dev/ptmx", O_RDWR | O_NOCTTY));
	say("/dev/pts/0", access("/dev/pts/0", R_OK | W_OK));
}

/* Bytes of a file that are not zero. */
static void say_content(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text);
	size_t rest = 0;

	for (ssize_t i = 0; i < n; i++)
		rest += text[i] != '\0';
	printf("%s: %zu bytes\n", path, rest);
	close(fd);
}

static void say_names(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;

	printf("%s:", path);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			printf(" %s", e->d_name);
	printf("\n");
	if (d)
		closedir(d);
}

/* All that can be looked at is there to be looked at. */
static void probe_init(void)
{
	static const char *const paths[] = {"/proc/1/maps", "/proc/1/root/etc", "/proc/1/cwd/etc",
		"/proc/1/ns/mnt", "/proc/1/auxv", "/proc/1/fdinfo/3", "/proc/1/task/1/fdinfo/3"};
	int exe = open("/proc/1/exe", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		say(paths[i], open(paths[i], O_RDONLY | O_CLOEXEC));
	say_names("/proc/1/fd");
	say_content("/proc/1/environ");
	say("exe", exe);
	printf("exe is sealed: %d\n",
		fcntl(exe, F_GET_SEALS) ==
			(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
	say("exe write", open("/proc/1/exe", O_WRONLY | O_CLOEXEC));
	say("a descriptor", open("/proc/1/fd/3", O_RDWR | O_CLOEXEC));
}

/* The same user, and the same capabilities: nothing but the filter and the covers are between. */
static void probe_init_write(void)
{
	static const char *const mem[] = {"/proc/1/mem", "/proc/1/task/1/mem",
		"/proc/1/task/1/../../mem", "/proc/self/root/proc/1/mem"};
	char c = 'x';
	struct iovec here = {&c, 1}, there = {(void *)0x400000, 1};
	struct stat sb;

	for (size_t i = 0; i < ARRAY_LEN(mem); i++)
		printf("%s is /dev/null: %d\n", mem[i],
			stat(mem[i], &sb) == 0 && S_ISCHR(sb.st_mode) &&
				sb.st_rdev == makedev(1, 3));
	say("attach", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	say("seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	say("attach, high bits", syscall(SYS_ptrace, PTRACE_ATTACH, 0x100000001UL, 0, 0));
	say("read", process_vm_readv(1, &here, 1, &there, 1, 0));
	say("write", process_vm_writev(1, &here, 1, &there, 1, 0));
	say("write, high bits",
		syscall(SYS_process_vm_writev, 0x100000001UL, &here, 1UL, &there, 1UL, 0UL));
	say("a descriptor", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 3, 0));
	say("kill", kill(1, SIGKILL)); /* allowed, and without effect */
	say("stop", kill(1, SIGSTOP));
	say("term", kill(1, SIGTERM));
}

static int probe(const char *name)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(name, "sockets") == 0)
		probe_sockets();
	else if (strcmp(name, "calls") == 0)
		probe_calls();
	else if (strcmp(name, "terminal") == 0)
		probe_terminal();
	else if (strcmp(name, "init") == 0)
		probe_init();
	else if (strcmp(name, "init-write") == 0)
		probe_init_write();
#ifdef __x86_64__
	else if (strcmp(name, "32bit") == 0)
		probe_32bit();
#endif
	return 0;
}

/* --- outside ---------------------------------------------------------------------------------- */

struct guard {
	struct box box;
	int libs; /* a layer with the links of a merged /usr */
	int usr, self;
};

static int setup(void **state)
{
	struct guard *g = mem_alloc(sizeof *g);

	sandbox_box_init(&g->box);
	g->libs = sandbox_box_mkdir(g->box.dir, "libs", 0755);
	assert_int_equal(symlinkat("usr/lib", g->libs, "lib"), 0);
	assert_int_equal(symlinkat("usr/lib64", g->libs, "lib64"), 0);
	g->usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	g->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	assert_true(g->usr >= 0 && g->self >= 0);
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct guard *g = *state;

	close(g->libs);
	close(g->usr);
	close(g->self);
	sandbox_box_clear(&g->box);
	free(g);
	return 0;
}

static char *run_probe(struct guard *g, const char *name, int stdin_fd)
{
	static const char *const env[] = {"PATH=/bin", "ASAN_OPTIONS=detect_leaks=0", NULL};
	const struct sandbox_mount m[] = {
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/usr",
			.source_fd = g->usr,
			.readonly = true},
		{.kind = SANDBOX_MOUNT_BIND,
			.target = "/probe",
			.source_fd = g->self,
			.readonly = true},
	};
	struct box_run r;

	sandbox_box_prepare(&g->box, &r, "");
	r.argv[0] = "/probe";
	r.argv[1] = PROBE_WORD;
	r.argv[2] = name;
	r.lower[1] = lower_of_dir(g->libs);
	r.spec.lowers.n = 2;
	r.spec.envp = env;
	r.spec.mounts = m;
	r.spec.nmounts = ARRAY_LEN(m);
	r.spec.stdin_fd = stdin_fd;
	sandbox_box_run(&g->box, &r);
	assert_int_equal(r.res.exec_errno, 0);
	assert_int_equal(r.res.exit_code, 0);
	return r.text;
}

static void expect_probe(void **state, const char *name, const char *text)
{
	char *got = run_probe(*state, name, -1);

	assert_string_equal(got, text);
	free(got);
}

static void test_sockets(void **state)
{
	expect_probe(state, "sockets",
		"AF_UNIX: ok\nAF_INET: ok\nAF_NETLINK: ok\nAF_ALG: EPERM\nAF_ALG high: EPERM\n"
		"AF_VSOCK: EPERM\nAF_PACKET: ok\n");
}

static void test_calls(void **state)
{
	expect_probe(state, "calls",
		"io_uring_setup: EPERM\nio_uring_enter: EPERM\nkeyctl: EPERM\nadd_key: EPERM\n"
		"request_key: EPERM\nbpf: EPERM\nperf_event_open: EPERM\nuserfaultfd: EPERM\n"
		"unshare user: EPERM\nunshare mount: EPERM\nsetns: EPERM\npivot_root: EPERM\n"
		"umount2: EPERM\nopen_tree: EPERM\nmove_mount: EPERM\nfsopen: EPERM\n"
		"mount_setattr: EPERM\nopen_by_handle_at: EPERM\nkexec_load: EPERM\n"
		"init_module: EPERM\nreboot: EPERM\nsethostname: EPERM\nclone user: EPERM\n"
		"clone net: EPERM\nclone3: ENOSYS\nunknown call: ENOSYS\n"
		"x32 getpid: ENOSYS\npersonality: EPERM\npersonality get: ok\nfchmodat2: ENOENT\n"
		"getrandom: ok\nmount: EPERM\nmknod: ok\n");
}

static void test_32bit(void **state)
{
#ifdef __x86_64__
	if (!machine_has_ia32())
		SKIP_KERNEL("no 32-bit programs (IA32 emulation)");
	expect_probe(state, "32bit",
		"i386 getpid: ok\ni386 unshare: EPERM\ni386 io_uring_setup: EPERM\n"
		"i386 keyctl: EPERM\ni386 socket AF_ALG: EPERM\ni386 unknown: ENOSYS\n");
#else
	(void)state;
#endif
}

/* Row 20: nothing is typed into a terminal that the command got. */
static void test_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, waiting = -1;
	char *got;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	got = run_probe(*state, "terminal", slave);
	assert_string_equal(got,
		"TIOCSTI: EPERM\nTIOCSTI high: EPERM\nTIOCLINUX: EPERM\n"
		"TIOCGWINSZ: ok\n/dev/tty: ENXIO\n/dev/ptmx: ok\n/dev/pts/0: ok\n");
	free(got);
	assert_int_equal(ioctl(slave, FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 0);
	close(slave);
	close(master);
}

#define INIT_SHOWS                                                                                 \
	"/proc/1/maps: ok\n/proc/1/root/etc: ok\n/proc/1/cwd/etc: ok\n/proc/1/ns/mnt: ok\n"        \
	"/proc/1/auxv: ok\n/proc/1/fdinfo/3: ok\n/proc/1/task/1/fdinfo/3: ok\n/proc/1/fd: 3\n"     \
	"/proc/1/environ: 0 bytes\nexe: ok\nexe is sealed: 1\nexe write: ETXTBSY\n"                \
	"a descriptor: ENXIO\n"

/* Row 1: PID 1 can be looked at like any process, and nothing of bld is there, nor of the words and
 * the environment of the command. */
static void test_init_shows_nothing(void **state)
{
	expect_probe(state, "init", INIT_SHOWS);
}

static void test_init_cannot_be_changed(void **state)
{
	expect_probe(state, "init-write",
		"/proc/1/mem is /dev/null: 1\n/proc/1/task/1/mem is /dev/null: 1\n"
		"/proc/1/task/1/../../mem is /dev/null: 1\n"
		"/proc/self/root/proc/1/mem is /dev/null: 1\n"
		"attach: EPERM\nseize: EPERM\nattach, high bits: EPERM\nread: EPERM\n"
		"write: EPERM\nwrite, high bits: EPERM\na descriptor: EPERM\n"
		"kill: ok\nstop: ok\nterm: ok\n");
}

/* Row 1: an interpreter line that names the program which executes it. */
static void test_interpreter_is_self(void **state)
{
	struct guard *g = *state;
	struct stat before, after;
	struct box_run r;

	sandbox_box_write(g->box.root, "tmp/evil", "#!/proc/self/exe\n", 0755);
	assert_int_equal(stat("/proc/self/exe", &before), 0);
	sandbox_box_prepare(&g->box, &r, "");
	r.argv[0] = "/tmp/evil";
	r.argv[1] = NULL;
	sandbox_box_run(&g->box, &r);
	assert_int_equal(r.res.exit_code, 126);
	assert_string_equal(r.text, ""); /* this program, executed, would say something */
	sandbox_box_done(&r);
	assert_int_equal(stat("/proc/self/exe", &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
}

static void test_launcher_is_sealed(void **state)
{
	struct err *err = NULL;
	int fd = pid1_program(&err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(
		fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
}

/* The way out of a chroot: CAP_SYS_CHROOT, a directory held open, "..". It ends at our own root. */
static void test_chroot_escape(void **state)
{
	struct guard *g = *state;
	char *got = sandbox_box_sh(&g->box, 0,
		"mkdir -p /j/bin /j/proc && cp /bin/busybox /j/bin/ && ln -s busybox /j/bin/sh && "
		"chroot /j /bin/sh -c 'cd ../../../..; /bin/busybox ls' && stat -c %i /. /.. | "
		"sort -u | wc -l");

	assert_string_equal(got, "bin\nproc\n1\n");
	free(got);
}

/* "bld run IMAGE WORD...": the command's words are those of the program, and PID 1 hides these. */
static void test_words_of_the_command_line(void **state)
{
	struct guard *g = *state;
	int out[2], status;
	char text[64] = "";
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		execl("/proc/self/exe", "sandbox", "--run", g->box.path, "secret words", NULL);
		_exit(99);
	}
	close(out[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(out[0], text, sizeof text - 1) >= 0);
	close(out[0]);
	assert_string_equal(text, "secret words\n0\n");
}

/* The other side of it. */
static int run_words(const char *box, const char *words)
{
	static const char *const env[] = {"PATH=/bin", NULL};
	const char *argv[] = {
		"sh", "-c", "echo \"$0\"; grep -c secret /proc/1/cmdline; true", words, NULL};
	int dir = open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int root = openat(dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int scratch = sandbox_box_mkdir(dir, "words", 0700);
	struct lower lower = lower_of_dir(root);
	struct sandbox_spec s = {.lowers = {&lower, 1},
		.scratch_fd = scratch,
		.argv = argv,
		.envp = env,
		.cwd = "/",
		.stdin_fd = -1,
		.stdout_fd = 1,
		.stderr_fd = 2};
	struct sandbox_runner *r = sandbox_runner_new(NULL);
	struct sandbox_job *job = r ? sandbox_start(r, &s, NULL) : NULL;
	struct sandbox_result res = {.exit_code = 98};

	if (job && sandbox_wait(job, &res, NULL) < 0)
		res.exit_code = 97;
	sandbox_runner_free(r);
	close(scratch);
	close(root);
	close(dir);
	return res.exit_code;
}

/* bld itself in a plain chroot, with no /proc there. */
static void test_inside_a_chroot(void **state)
{
	struct guard *g = *state;
	struct box *b = &g->box;
	struct box_run r;
	int out = -1, status;
	pid_t pid;
	char text[256] = "";
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	sandbox_box_prepare(b, &r,
		"pwd; cd /../../..; ls -d bin; grep -c . /proc/self/mountinfo > /dev/null && "
		"ls -d /../etc/passwd");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct err *err = NULL;
		struct sandbox_job *job;

		close(p[0]);
		if (chroot(b->path) < 0 || chdir("/") < 0)
			_exit(90);
		b->runner = sandbox_runner_new(&err);
		if (!b->runner)
			_exit(91);
		r.spec.stdout_fd = r.spec.stderr_fd = p[1];
		job = sandbox_start(b->runner, &r.spec, &err);
		if (!job || sandbox_wait(job, &r.res, &err) < 0) {
			dprintf(p[1], "%s\n", err_text(err));
			_exit(92);
		}
		_exit(r.res.exit_code);
	}
	close(p[1]);
	while (out != 0 && strlen(text) < sizeof text - 1) {
		out = (int)read(p[0], text + strlen(text), sizeof text - 1 - strlen(text));
		assert_true(out >= 0);
	}
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(text, "/\nbin\n/../etc/passwd\n");
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_32bit),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_init_shows_nothing),
		cmocka_unit_test(test_init_cannot_be_changed),
		cmocka_unit_test(test_interpreter_is_self),
		cmocka_unit_test(test_launcher_is_sealed),
		cmocka_unit_test(test_chroot_escape),
		cmocka_unit_test(test_inside_a_chroot),
		cmocka_unit_test(test_words_of_the_command_line),
	};
	const char *why = sandbox_box_missing();

	if (argc == 4 && strcmp(argv[1], "--run") == 0)
		return run_words(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], PROBE_WORD) == 0)
		return probe(argv[2]);
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors over abstract unix sockets, on the network of the machine: what Landlock stops, what
 * it cannot stop, and that a command's own work goes on as without it. The test program runs itself
 * inside the sandbox and prints what the kernel answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/sandbox/landlock.h"
#include "builder/sandbox/sandbox.h"
#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

#define OUTSIDE "bld-test-outside" /* abstract names; the process number goes behind */
#define INSIDE  "bld-test-inside"

static void say(const char *what, long r)
{
	printf("%s: %s\n", what, r < 0 ? strerrorname_np(errno) : "ok");
}

/* --- sockets ---------------------------------------------------------------------------------- */

static socklen_t abstract(struct sockaddr_un *a, const char *name, const char *number)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(
				   a->sun_path + 1, sizeof a->sun_path - 1, "%s-%s", name, number));
}

static int listen_at(const char *name, const char *number)
{
	struct sockaddr_un a;
	socklen_t n = abstract(&a, name, number);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 1) < 0 ? -1 : fd;
}

static int connect_to(const char *name, const char *number, int type)
{
	struct sockaddr_un a;
	socklen_t n = abstract(&a, name, number);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&a, n) < 0 ? -1 : fd;
}

static void send_fd(int to, int fd)
{
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	assert_int_equal(sendmsg(to, &m, 0), 1);
}

static int take_fd(int from)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* --- inside ----------------------------------------------------------------------------------- */

static void probe_out(const char *number)
{
	say("connect", connect_to(OUTSIDE, number, SOCK_STREAM));
	say("connect datagrams", connect_to(OUTSIDE "-d", number, SOCK_DGRAM));
}

/* Somebody outside connects, and gives a directory of the host. */
static void probe_in(const char *number)
{
	int listener = listen_at(INSIDE, number), peer, dir;

	printf("ready\n");
	peer = accept(listener, NULL, NULL);
	say("accept", peer);
	dir = take_fd(peer);
	say("directory", dir);
	say("open", openat(dir, "secret", O_RDONLY | O_CLOEXEC));
	say("list", openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	say("make", openat(dir, "made", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	say("mkdir", mkdirat(dir, "dir", 0755));
	say("symlink", symlinkat("x", dir, "link"));
	say("mknod", mknodat(dir, "fifo", S_IFIFO | 0644, 0));
	say("rename", renameat(dir, "secret", dir, "other"));
	say("link into", linkat(AT_FDCWD, "/tmp", dir, "hard", 0));
	say("remove", unlinkat(dir, "secret", 0));
	say("truncate", fchdir(dir) < 0 ? -1 : truncate("secret", 0));
	say("execute", execve("secret", (char *[]){NULL}, (char *[]){NULL}));
	say("chmod", fchmodat(dir, "secret", 04755, 0)); /* Landlock knows no right for it */
	say("chown", fchownat(dir, "secret", 0, 12345, 0));
}

static void probe_names(void)
{
	say("mkdir", mkdir("/tmp/a", 0755));
	say("mkdir", mkdir("/tmp/b", 0755));
	say("write", close(open("/tmp/a/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
	say("link across", link("/tmp/a/f", "/tmp/b/hard"));
	say("rename across", rename("/tmp/a/f", "/tmp/b/f"));
	say("rename a directory across",
		mkdir("/tmp/a/d", 0755) < 0 ? -1 : rename("/tmp/a/d", "/tmp/b/d"));
	say("exchange", syscall(SYS_renameat2, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b/d", 2));
	say("truncate", truncate("/tmp/b/f", 10));
	say("open to truncate", open("/tmp/b/f", O_WRONLY | O_TRUNC | O_CLOEXEC));
	say("symlink", symlink("f", "/tmp/b/s"));
	say("fifo", mkfifo("/tmp/b/p", 0600));
	say("remove", unlink("/tmp/b/f"));
	say("a mount", open("/usr/bin/env", O_RDONLY | O_CLOEXEC));
	say("/dev/shm", open("/dev/shm/x", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}

static void probe_nameless(void)
{
	char path[64];
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	say("link a nameless file", linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/t", AT_SYMLINK_FOLLOW));
	fd = memfd_create("m", 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	say("open a memfd", open(path, O_RDWR | O_CLOEXEC));
	say("/dev/stdout", open("/dev/stdout", O_WRONLY | O_CLOEXEC));
	fd = open("/tmp/t", O_RDWR | O_CLOEXEC);
	say("unlink", unlink("/tmp/t"));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	say("open what is unlinked", open(path, O_RDWR | O_CLOEXEC));
	say("shared memory", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	say("ioctl of a device", ioctl(fd, TIOCSPTLCK, &(int){0}));
}

static void probe_processes(const char *number)
{
	int status, own = listen_at("bld-test-own", number);
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	say("own abstract socket", own);
	say("connect to it", connect_to("bld-test-own", number, SOCK_STREAM));
	say("attach", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	waitpid(pid, &status, 0);
	say("kill", kill(pid, SIGKILL));
	waitpid(pid, &status, 0);
	pid = fork();
	if (pid == 0) {
		/* A directory held open, a root below: what it opens is still ours. */
		_exit(mkdir("/j", 0755) < 0 || mkdir("/j/etc", 0755) < 0 || chroot("/j") < 0 ||
					chdir("/") < 0 ||
					open("/etc/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0644) < 0
				? errno
				: 0);
	}
	waitpid(pid, &status, 0);
	printf("chroot: %d\n", WEXITSTATUS(status));
}

static int probe(const char *name)
{
	const char *number = strchr(name, '-');

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strncmp(name, "out-", 4) == 0)
		probe_out(number + 1);
	else if (strncmp(name, "in-", 3) == 0)
		probe_in(number + 1);
	else if (strcmp(name, "names") == 0)
		probe_names();
	else if (strcmp(name, "nameless") == 0)
		probe_nameless();
	else if (strncmp(name, "processes-", 10) == 0)
		probe_processes(number + 1);
	else if (strcmp(name, "ids") == 0)
		printf("%d %d %d\n", getuid(), geteuid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

/* --- outside ---------------------------------------------------------------------------------- */

static void numbered(char *name, size_t n, const char *what)
{
	snprintf(name, n, "%s-%d", what, (int)getpid());
}

static char *run(struct box *b, const char *name, enum sandbox_network network, bool insecure)
{
	struct box_self s;
	struct box_run r;

	sandbox_box_prepare_self(b, &s, &r, name);
	r.spec.network = network;
	r.spec.insecure = insecure;
	sandbox_box_run(b, &r);
	assert_int_equal(r.res.exec_errno, 0);
	assert_int_equal(r.res.exit_code, 0);
	sandbox_box_done_self(&s);
	return r.text;
}

static void expect(struct box *b, const char *name, const char *text)
{
	char *got = run(b, name, SANDBOX_NET_HOST, false);

	assert_string_equal(got, text);
	free(got);
}

static void need_scope(void)
{
	if (landlock_abi() >= LANDLOCK_ABI_SCOPE)
		return;
	print_message("# the kernel has no Landlock scopes (ABI %d of %d)\n", landlock_abi(),
		LANDLOCK_ABI_SCOPE);
	skip();
}

/* Row 65, one direction: the command reaches no abstract socket of the machine. */
static void test_connecting_out(void **state)
{
	char name[32], number[16], *got;
	struct sockaddr_un a;
	int listener, datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need_scope();
	snprintf(number, sizeof number, "%d", (int)getpid());
	numbered(name, sizeof name, "out");
	listener = listen_at(OUTSIDE, number);
	assert_true(listener >= 0);
	assert_int_equal(
		bind(datagrams, (struct sockaddr *)&a, abstract(&a, OUTSIDE "-d", number)), 0);
	expect(*state, name, "connect: EPERM\nconnect datagrams: EPERM\n");
	/* A network of its own has no such socket, and insecure is left alone. */
	got = run(*state, name, SANDBOX_NET_NONE, false);
	assert_string_equal(got, "connect: ECONNREFUSED\nconnect datagrams: ECONNREFUSED\n");
	free(got);
	got = run(*state, name, SANDBOX_NET_HOST, true);
	assert_string_equal(got, "connect: ok\nconnect datagrams: ok\n");
	free(got);
	close(listener);
	close(datagrams);
}

static void read_line(int fd, const char *line)
{
	char got[64];
	size_t n = strlen(line);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(read(fd, got + i, 1), 1);
	assert_memory_equal(got, line, n);
}

/*
 * Row 65, the other direction: a user of the machine connects to a socket of the command. That
 * stays open on the network of the machine, and so do chmod and chown through what was passed;
 * docs/security.md says so. Everything that opens, makes or removes is refused.
 */
static void test_connecting_in(void **state)
{
	struct box *b = *state;
	char name[32], number[16], text[1024] = "";
	struct box_self s;
	struct box_run r;
	struct err *err = NULL;
	int out, peer, dir = sandbox_box_mkdir(b->dir, "host", 0755);
	struct sandbox_job *job;
	size_t n = 0;
	ssize_t got;

	need_scope();
	sandbox_box_write(dir, "secret", "#!/bin/true\n", 0755);
	snprintf(number, sizeof number, "%d", (int)getpid());
	numbered(name, sizeof name, "in");
	sandbox_box_prepare_self(b, &s, &r, name);
	job = sandbox_box_start(b, &r, &out, &err);
	assert_non_null(job);
	read_line(out, "ready\n");
	peer = connect_to(INSIDE, number, SOCK_STREAM);
	assert_true(peer >= 0); /* open, and documented */
	send_fd(peer, dir);
	while ((got = read(out, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)got;
	assert_string_equal(text,
		"accept: ok\ndirectory: ok\nopen: EACCES\nlist: EACCES\nmake: EACCES\nmkdir: "
		"EACCES\n"
		"symlink: EACCES\nmknod: EACCES\nrename: EACCES\nlink into: EXDEV\nremove: EACCES\n"
		"truncate: EACCES\nexecute: EACCES\nchmod: ok\nchown: ok\n");
	assert_int_equal(sandbox_wait(job, &r.res, &err), 0);
	sandbox_box_done_self(&s);
	close(peer);
	close(out);
	close(dir);
}

static void test_own_files(void **state)
{
	expect(*state, "names",
		"mkdir: ok\nmkdir: ok\nwrite: ok\nlink across: ok\nrename across: ok\n"
		"rename a directory across: ok\nexchange: ok\ntruncate: ok\nopen to truncate: ok\n"
		"symlink: ok\nfifo: ok\nremove: ok\na mount: ok\n/dev/shm: ok\n");
	expect(*state, "nameless",
		"link a nameless file: ok\nopen a memfd: ok\n/dev/stdout: ok\nunlink: ok\n"
		"open what is unlinked: ok\nshared memory: ok\nioctl of a device: ok\n");
}

static void test_own_processes(void **state)
{
	char name[32];

	numbered(name, sizeof name, "processes");
	expect(*state, name,
		"own abstract socket: ok\nconnect to it: ok\nattach: ok\nkill: ok\nchroot: 0\n");
}

/* No privilege is taken away: a program that is setuid still becomes root. */
static void test_setuid(void **state)
{
	struct box *b = *state;
	struct box_self s;
	struct box_run r;
	int to = openat(b->root, "tmp/suid", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	struct stat sb;

	sandbox_box_prepare_self(b, &s, &r, "ids");
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(from >= 0 && to >= 0 && fstat(from, &sb) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)sb.st_size), sb.st_size);
	assert_int_equal(fchmod(to, 04755), 0);
	close(from);
	close(to);
	r.argv[0] = "/tmp/suid";
	r.spec.uid = r.spec.gid = 1000;
	sandbox_box_run(b, &r);
	assert_string_equal(r.text, "1000 0 0\n");
	sandbox_box_done(&r);
	sandbox_box_done_self(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connecting_out),
		cmocka_unit_test(test_connecting_in),
		cmocka_unit_test(test_own_files),
		cmocka_unit_test(test_own_processes),
		cmocka_unit_test(test_setuid),
	};
	const char *why = sandbox_box_missing();

	if (argc == 3 && strcmp(argv[1], "--probe") == 0)
		return probe(argv[2]);
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}

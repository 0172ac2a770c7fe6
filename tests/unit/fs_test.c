// SPDX-License-Identifier: Apache-2.0
/*
 * Files below a root: the same answers with openat2 and without it, as in old kernels and behind
 * seccomp filters that do not know the call. Then trees deeper than there are descriptors, copies,
 * replaced files, files without a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/fswalk.h"
#include "store/base/mem.h"
#include "tests/support/tempdir.h"

static void link_to(int fd, const char *text, const char *name)
{
	assert_int_equal(0, symlinkat(text, fd, name));
}

/* out/secret is outside, in/ is the root. */
static int make_root(int fd)
{
	assert_int_equal(0, fs_mkdirs(fd, "out", 0755));
	tempdir_write(fd, "out/secret", "secret");
	assert_int_equal(0, fs_mkdirs(fd, "in/a/b/c", 0755));
	assert_int_equal(0, fs_mkdirs(fd, "in/out", 0755));
	int root = openat(fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	tempdir_write(root, "file", "1");
	tempdir_write(root, "a/file", "2");
	tempdir_write(root, "a/b/file", "3");
	tempdir_write(root, "out/secret", "inner");
	link_to(root, "a/b", "rel");
	link_to(root, "/a/b", "abs");
	link_to(root, "../out/secret", "escape");
	link_to(root, "/../../out/secret", "escape2");
	link_to(root, "../../../../../..", "up");
	link_to(root, "../file", "a/upfile");
	link_to(root, "../../file", "a/b/upup");
	link_to(root, "loop2", "loop1");
	link_to(root, "loop1", "loop2");
	link_to(root, "self/x", "self");
	link_to(root, "nowhere/x", "dangling");
	link_to(root, "file", "tofile");
	link_to(root, "tofile", "totofile");
	link_to(root, "a/b/", "slash");
	link_to(root, ".", "dot");
	link_to(root, "/", "top");
	link_to(root, "file/", "fileslash");
	return root;
}

static void compare(int root, const char *path, int flags, enum fs_resolve how)
{
	struct stat a = {0}, b = {0};
	int x = fs_open_beneath(root, path, flags, 0, how);
	int ex = x < 0 ? errno : 0;
	int y = fswalk_open(root, path, flags, 0, how);
	int ey = y < 0 ? errno : 0;

	if (x >= 0)
		fstat(x, &a);
	if (y >= 0)
		fstat(y, &b);
	if (ex != ey || a.st_ino != b.st_ino || a.st_mode != b.st_mode)
		fail_msg("\"%s\" flags %o how %d: kernel %d %s, walk %d %s, inodes %lu %lu", path,
			(unsigned)flags, (int)how, x, strerror(ex), y, strerror(ey),
			(unsigned long)a.st_ino, (unsigned long)b.st_ino);
	if (y >= 0)
		assert_int_equal(FD_CLOEXEC, fcntl(y, F_GETFD));
	if (x >= 0)
		close(x);
	if (y >= 0)
		close(y);
}

static void test_open_same(void **state)
{
	static const char *const names[] = {".", "..", "/", "", "//", "file", "a", "a/", "a/b/file",
		"/a/b/file", "//a//b//file", "./a/./b/../file", "a/../../file", "../file",
		"../../../file", "a/b/c/../../../..", "rel", "rel/file", "abs", "abs/file",
		"escape", "escape2", "up", "up/file", "up/out/secret", "a/upfile", "a/b/upup",
		"loop1", "loop1/x", "self", "dangling", "dangling/x", "tofile", "totofile", "slash",
		"slash/file", "slash/", "dot", "dot/dot/file", "top", "top/file", "top/..",
		"fileslash", "file/", "file/x", "file/..", "missing", "missing/x", "rel/",
		"tofile/", "a/.", "a/..", "a/b/..", "abs/..", "rel/..", "rel/../file", "out/secret",
		"/..", "/../out/secret", "a/b/c/upup", "a/b/upup/", "loop1/", "dangling/"};
	static const int flags[] = {O_RDONLY, O_PATH, O_RDONLY | O_NOFOLLOW, O_PATH | O_NOFOLLOW,
		O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW, O_WRONLY};
	struct tempdir *t = *state;
	int root = make_root(t->fd);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
			for (int how = FS_IN_ROOT; how <= FS_NOLINKS; how++)
				compare(root, names[i], flags[k], (enum fs_resolve)how);
	close(root);
}

static void test_long_names(void **state)
{
	struct tempdir *t = *state;
	int root = make_root(t->fd);
	char name[5000];

	memset(name, 'x', sizeof name);
	name[256] = '\0';
	compare(root, name, O_RDONLY, FS_IN_ROOT);
	name[255] = '\0';
	compare(root, name, O_RDONLY, FS_IN_ROOT);
	memset(name, '/', sizeof name);
	name[4096] = '\0';
	compare(root, name, O_RDONLY, FS_IN_ROOT);
	name[4095] = '\0';
	compare(root, name, O_RDONLY, FS_IN_ROOT);
	/* 40 links are followed, 41 are not */
	for (int i = 1; i <= 41; i++) {
		char to[16], from[16];
		snprintf(from, sizeof from, "n%d", i);
		snprintf(to, sizeof to, i == 1 ? "file" : "n%d", i - 1);
		link_to(root, to, from);
	}
	compare(root, "n40", O_RDONLY, FS_IN_ROOT);
	compare(root, "n41", O_RDONLY, FS_IN_ROOT);
	close(root);
}

/* A seccomp filter that answers openat2 with an errno, as old kernels and container runtimes do. */
static bool block_openat2(uint32_t code)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof f / sizeof *f, .filter = f};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

/* In a child whose kernel has no openat2: 0 when everything works as before. */
static int without_openat2(struct tempdir *t, int root, uint32_t code)
{
	int fd;

	if (!block_openat2(code) || syscall(SYS_openat2, root, ".", NULL, 0) != -1 ||
		errno != (int)code)
		return 1;
	fd = fs_open_beneath(root, "/abs/../upfile", O_RDONLY, 0, FS_IN_ROOT);
	if (fd < 0 || close(fd) < 0)
		return 2;
	if (fs_open_beneath(root, "abs/file", O_RDONLY, 0, FS_BENEATH) >= 0 || errno != EXDEV)
		return 3;
	if (fs_open_beneath(root, "rel/file", O_RDONLY, 0, FS_NOLINKS) >= 0 || errno != ELOOP)
		return 4;
	fd = fs_open_beneath(root, "escape2", O_RDONLY, 0, FS_IN_ROOT);
	char text[8] = "";
	if (fd < 0 || read(fd, text, 7) != 5 || strcmp(text, "inner") != 0)
		return 5;
	close(fd);
	if (fs_remove_tree(t->fd, "in") < 0 || tempdir_has(t->fd, "in"))
		return 6;
	return tempdir_has(t->fd, "out/secret") ? 0 : 7;
}

static void test_no_openat2(void **state)
{
	static const int codes[] = {ENOSYS, EPERM};
	struct tempdir *t = *state;
	int status;

	for (int i = 0; i < 2; i++) {
		int root = make_root(t->fd);
		pid_t pid = fork();
		if (pid == 0)
			_exit(without_openat2(t, root, (uint32_t)codes[i]));
		assert_int_equal(pid, waitpid(pid, &status, 0));
		assert_int_equal(0, status);
		close(root);
		assert_int_equal(0, fs_remove_tree(t->fd, "out"));
	}
}

typedef int open_fn(int, const char *, int, mode_t, enum fs_resolve);

static void create(int root, open_fn *fn, const char *path, int flags, int want, const char *there)
{
	int fd = fn(root, path, flags | O_CREAT | O_WRONLY, 0640, FS_IN_ROOT);
	int got = fd < 0 ? errno : 0;
	struct stat st;

	if (got != want)
		fail_msg("create \"%s\": %s, expected %s", path, strerror(got), strerror(want));
	if (fd < 0)
		return;
	assert_int_equal(0, fstat(fd, &st));
	assert_int_equal(0640, st.st_mode & 07777);
	close(fd);
	assert_true(tempdir_has(root, there));
	assert_int_equal(0, unlinkat(root, there, 0));
}

static void test_create(void **state)
{
	open_fn *const both[] = {fs_open_beneath, fswalk_open};
	struct tempdir *t = *state;
	int root = make_root(t->fd);

	link_to(root, "a/made", "tomade");
	link_to(root, "/../../made", "toroot");
	for (int i = 0; i < 2; i++) {
		create(root, both[i], "new", 0, 0, "new");
		create(root, both[i], "abs/new", O_EXCL, 0, "a/b/new");
		create(root, both[i], "../../new", 0, 0, "new");
		create(root, both[i], "tomade", 0, 0, "a/made");
		create(root, both[i], "toroot", 0, 0, "made");
		create(root, both[i], "tomade", O_EXCL, EEXIST, NULL);
		create(root, both[i], "file", O_EXCL, EEXIST, NULL);
		create(root, both[i], "tomade", O_NOFOLLOW, ELOOP, NULL);
		create(root, both[i], "dangling", 0, ENOENT, NULL);
		create(root, both[i], "no/new", 0, ENOENT, NULL);
		create(root, both[i], "new/", 0, EISDIR, NULL);
		create(root, both[i], "a", 0, EISDIR, NULL);
	}
	assert_false(tempdir_has(t->fd, "made"));
	close(root);
}

static void test_mkdirs(void **state)
{
	struct tempdir *t = *state;

	assert_int_equal(0, fs_mkdirs(t->fd, "x/y/z", 0700));
	assert_int_equal(0, fs_mkdirs(t->fd, "x/y/z", 0700));
	assert_true(tempdir_has(t->fd, "x/y/z"));
	tempdir_write(t->fd, "f", "");
	assert_int_equal(-1, fs_mkdirs(t->fd, "f/y", 0700));
	assert_int_equal(ENOTDIR, errno);
	link_to(t->fd, "x", "l");
	assert_int_equal(-1, fs_mkdirs(t->fd, "l/new", 0700));
	assert_false(tempdir_has(t->fd, "x/new"));
}

static void test_remove_tree(void **state)
{
	struct tempdir *t = *state;

	assert_int_equal(0, fs_remove_tree(t->fd, "gone"));
	assert_int_equal(0, fs_mkdirs(t->fd, "keep/d", 0755));
	tempdir_write(t->fd, "keep/d/f", "x");
	assert_int_equal(0, fs_mkdirs(t->fd, "r/s/t", 0755));
	tempdir_write(t->fd, "r/s/f", "x");
	assert_int_equal(0, mkfifoat(t->fd, "r/pipe", 0600));
	link_to(t->fd, "../keep", "r/link");
	link_to(t->fd, "../../keep", "r/s/link");
	assert_int_equal(0, fchmodat(t->fd, "r/s", 0, 0));
	assert_int_equal(0, fs_remove_tree(t->fd, "r"));
	assert_false(tempdir_has(t->fd, "r"));
	assert_true(tempdir_has(t->fd, "keep/d/f"));
	link_to(t->fd, "keep", "l");
	assert_int_equal(0, fs_remove_tree(t->fd, "l"));
	assert_false(tempdir_has(t->fd, "l"));
	assert_true(tempdir_has(t->fd, "keep/d/f"));
	assert_int_equal(0, fs_remove_tree(t->fd, "keep/d/f"));
	assert_false(tempdir_has(t->fd, "keep/d/f"));
}

/* Deeper than the descriptors that a process has. */
static void test_remove_deep(void **state)
{
	struct tempdir *t = *state;
	struct rlimit old, few;

	assert_int_equal(0, mkdirat(t->fd, "deep", 0755));
	int at = openat(t->fd, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1500; i++) {
		assert_int_equal(0, mkdirat(at, "d", 0755));
		int next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	getrlimit(RLIMIT_NOFILE, &old);
	few = (struct rlimit){.rlim_cur = 100, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_NOFILE, &few);
	int r = fs_remove_tree(t->fd, "deep");
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(0, r);
	assert_false(tempdir_has(t->fd, "deep"));
}

static void test_read(void **state)
{
	struct tempdir *t = *state;
	struct buf b = {0};
	struct err *e = NULL;

	tempdir_write(t->fd, "f", "hello");
	link_to(t->fd, "f", "l");
	assert_int_equal(0, fs_read_file(t->fd, "l", 5, &b, &e));
	assert_string_equal("hello", b.data);
	assert_int_equal(-1, fs_read_file(t->fd, "f", 4, &b, &e));
	assert_int_equal(ERR_LIMIT, err_get_kind(e));
	assert_string_equal("f: larger than 4 bytes", err_text(e));
	assert_string_equal("hello", b.data);
	err_free(TAKE(e));
	assert_int_equal(-1, fs_read_file(t->fd, "no\n", 4, &b, &e));
	assert_int_equal(ERR_CONTEXT, err_get_kind(e));
	assert_int_equal(ENOENT, err_errno(e));
	assert_string_equal("no\\x0a: No such file or directory", err_text(e));
	err_free(TAKE(e));
	assert_int_equal(-1, fs_read_file(t->fd, ".", 4, &b, &e));
	assert_string_equal(".: is a directory", err_text(e));
	err_free(TAKE(e));
	assert_int_equal(-1, fs_read_file(AT_FDCWD, "/dev/zero", 4, &b, &e));
	assert_int_equal(ERR_CONTEXT, err_get_kind(e));
	err_free(TAKE(e));
	/* size unknown, and a pipe */
	assert_int_equal(0, fs_read_file(AT_FDCWD, "/proc/self/status", 100000, &b, &e));
	assert_true(b.len > 100);
	int p[2];
	assert_int_equal(0, pipe2(p, O_CLOEXEC));
	assert_int_equal(0, fs_write_all(p[1], "abc", 3));
	close(p[1]);
	assert_int_equal(-1, fs_read_fd(p[0], 2, "pipe", &b, &e));
	assert_int_equal(ERR_LIMIT, err_get_kind(e));
	err_free(TAKE(e));
	close(p[0]);
	buf_clear(&b);
}

static void test_copy(void **state)
{
	struct tempdir *t = *state;
	size_t n = 700000;
	char *p = mem_alloc(n), *q = mem_alloc(n);
	int pipes[2];

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / 251);
	int in = openat(t->fd, "in", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int out = openat(t->fd, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int app = openat(t->fd, "app", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_int_equal(0, fs_write_all(in, p, n));
	assert_int_equal(0, fs_copy_range(in, 5, n - 10, out));
	assert_int_equal(0, fs_copy_range(in, 0, 5, out));
	assert_int_equal(0, fs_pread_all(out, q, n - 5, 0));
	assert_memory_equal(p + 5, q, n - 10);
	assert_memory_equal(p, q + n - 10, 5);
	assert_int_equal(0, fs_copy_range(in, 1, n - 1, app));
	assert_int_equal(0, fs_pread_all(app, q, n - 1, 0));
	assert_memory_equal(p + 1, q, n - 1);
	errno = 0;
	assert_int_equal(-1, fs_copy_range(in, n - 3, 4, out));
	assert_int_equal(EIO, errno);
	errno = 0;
	assert_int_equal(-1, fs_pread_all(in, q, 4, n - 3));
	assert_int_equal(EIO, errno);
	assert_int_equal(0, pipe2(pipes, O_CLOEXEC));
	assert_int_equal(0, fs_copy_range(in, 10, 1000, pipes[1]));
	assert_int_equal(1000, read(pipes[0], q, 2000));
	assert_memory_equal(p + 10, q, 1000);
	close(pipes[0]);
	close(pipes[1]);
	close(in);
	close(out);
	close(app);
	free(p);
	free(q);
}

static void test_replace(void **state)
{
	struct tempdir *t = *state;
	struct err *e = NULL;
	struct stat st;

	assert_int_equal(0, fs_mkdirs(t->fd, "d", 0755));
	for (int sync = 0; sync < 2; sync++) {
		assert_int_equal(0, fs_replace_file(t->fd, "d/f", "one", 3, 0600, sync, &e));
		assert_int_equal(0, fs_replace_file(t->fd, "d/f", "two!", 4, 0600, sync, &e));
		char *s = tempdir_read(t->fd, "d/f");
		assert_string_equal("two!", s);
		free(s);
	}
	assert_int_equal(0, fstatat(t->fd, "d/f", &st, 0));
	assert_int_equal(0600, st.st_mode & 07777);
	assert_int_equal(1, tempdir_count(t->fd, "d"));
	assert_int_equal(0, fs_mkdirs(t->fd, "d/dir/x", 0755));
	assert_int_equal(-1, fs_replace_file(t->fd, "d/dir", "x", 1, 0600, false, &e));
	err_free(TAKE(e));
	assert_int_equal(2, tempdir_count(t->fd, "d"));
	assert_int_equal(-1, fs_replace_file(t->fd, "no/f", "x", 1, 0600, false, &e));
	assert_int_equal(ERR_SYS, err_get_kind(e));
	err_free(e);
}

/* 0: a file to read and write of which no name remains. */
static int spool(struct tempdir *t, bool refuse)
{
	char text[4] = "";

	if (refuse && !tempdir_refuse_tmpfile())
		return 1;
	if (refuse && (openat(t->fd, ".", O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EOPNOTSUPP))
		return 2;
	int fd = fs_spool(t->fd);
	if (fd < 0 || fs_write_all(fd, "abc", 3) < 0 || fs_pread_all(fd, text, 3, 0) < 0)
		return 3;
	if (strcmp(text, "abc") != 0 || tempdir_count(t->fd, ".") != 0)
		return 4;
	close(fd);
	return fs_spool(-1) < 0 && errno == EBADF ? 0 : 5;
}

static void test_spool(void **state)
{
	struct tempdir *t = *state;
	int status;

	assert_int_equal(0, spool(t, false));
	pid_t pid = fork();
	if (pid == 0)
		_exit(spool(t, true));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
}

static void test_temp_name(void **state)
{
	char a[FS_TEMP_NAME], b[FS_TEMP_NAME], want[32];

	(void)state;
	fs_temp_name(a, sizeof a, "p");
	fs_temp_name(b, sizeof b, "p");
	snprintf(want, sizeof want, "p.%d.", (int)getpid());
	assert_memory_equal(a, want, strlen(want));
	assert_string_not_equal(a, b);
}

static void test_opendir(void **state)
{
	int at = ((struct tempdir *)*state)->fd, before, fd;
	const struct dirent *e;

	tempdir_write(at, "file", "1");
	before = dup(at);
	close(before);
	/* What is no directory, and what is not there: taken all the same, and the reason stays. */
	fd = openat(at, "file", O_RDONLY | O_CLOEXEC);
	assert_null(fs_fdopendir(fd));
	assert_int_equal(ENOTDIR, errno);
	assert_int_equal(-1, fcntl(fd, F_GETFD));
	assert_null(fs_fdopendir(openat(at, "none", O_RDONLY | O_CLOEXEC)));
	assert_int_equal(ENOENT, errno);
	fd = dup(at);
	assert_int_equal(before, fd);
	DIR *d = fs_fdopendir(fd);
	assert_non_null(d);
	assert_int_equal(1, fs_readdir(d, &e));
	assert_string_equal("file", e->d_name);
	assert_int_equal(0, fs_readdir(d, &e));
	closedir(d);
	assert_int_equal(-1, fcntl(fd, F_GETFD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_same, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_long_names, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_no_openat2, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_create, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_mkdirs, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_remove_tree, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_remove_deep, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_opendir, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_read, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_copy, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_replace, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_spool, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_temp_name, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}

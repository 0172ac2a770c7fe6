// SPDX-License-Identifier: Apache-2.0
/*
 * The raw limits that bld is measured against: each does the least that any builder must do for a
 *workload, with plain system calls and nothing else. Prints nothing; the harness takes the wall
 *time of the whole process.
 *
 *	rawlimit publish DIR FILE      read FILE, write it to a temp name in DIR, rename
 *	rawlimit stat DIR              lstat every file below DIR
 *	rawlimit runs N LOWER SCRATCH  N times: clone with mount+pid+ipc+uts namespaces, overlay
 *mount, exec /true rawlimit hash FILE             sha256 of one file rawlimit hashtree DIR read and
 *hash every file below DIR
 */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK (1 << 20)

static char chunk[CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void hash_fd(int fd, EVP_MD_CTX *ctx, const EVP_MD *md)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	ssize_t n;

	EVP_DigestInit_ex2(ctx, md, NULL);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		EVP_DigestUpdate(ctx, chunk, (size_t)n);
	if (n < 0)
		die("read");
	EVP_DigestFinal_ex(ctx, out, NULL);
}

static void walk(int dir_fd, EVP_MD_CTX *ctx, const EVP_MD *md)
{
	DIR *d = fdopendir(dir_fd);
	struct dirent *e;
	struct stat st;

	if (!d)
		die("fdopendir");
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type == DT_DIR) {
			walk(openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY), ctx, md);
			continue;
		}
		if (!ctx) {
			if (fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				die(e->d_name);
			continue;
		}
		int fd = openat(dir_fd, e->d_name, O_RDONLY | O_NOFOLLOW);
		if (fd < 0 || fstat(fd, &st) < 0)
			die(e->d_name);
		hash_fd(fd, ctx, md);
		close(fd);
	}
	closedir(d);
}

static void publish(const char *dir, const char *file)
{
	int d = open(dir, O_RDONLY | O_DIRECTORY), in = open(file, O_RDONLY);
	int out = openat(d, "tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	if (d < 0 || in < 0 || out < 0)
		die(file);
	while ((n = read(in, chunk, sizeof chunk)) > 0)
		if (write(out, chunk, (size_t)n) != n)
			die("write");
	if (renameat(d, "tmp", d, "final") < 0)
		die("rename");
}

static void one_run(const char *lower, const char *scratch, int i)
{
	char upper[512], work[512], opts[2048], merged[512];

	snprintf(upper, sizeof upper, "%s/u%d", scratch, i);
	snprintf(work, sizeof work, "%s/w%d", scratch, i);
	snprintf(merged, sizeof merged, "%s/m", scratch);
	mkdir(upper, 0755);
	mkdir(work, 0755);
	mkdir(merged, 0755);
	snprintf(opts, sizeof opts, "lowerdir=%s,upperdir=%s,workdir=%s,volatile", lower, upper,
		work);
	pid_t pid = (pid_t)syscall(SYS_clone,
		SIGCHLD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS, NULL, NULL,
		NULL, 0);
	if (pid < 0)
		die("clone");
	if (pid == 0) {
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (mount("overlay", merged, "overlay", 0, opts) < 0 || chroot(merged) < 0 ||
			chdir("/") < 0)
			_exit(2);
		execl("/bin/true", "true", (char *)NULL);
		_exit(3);
	}
	int status;
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		die("run");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "publish") == 0 && argc == 4) {
		publish(argv[2], argv[3]);
	} else if (strcmp(what, "stat") == 0 && argc == 3) {
		walk(open(argv[2], O_RDONLY | O_DIRECTORY), NULL, NULL);
	} else if (strcmp(what, "runs") == 0 && argc == 5) {
		for (int i = 0; i < atoi(argv[2]); i++)
			one_run(argv[3], argv[4], i);
	} else if ((strcmp(what, "hash") == 0 || strcmp(what, "hashtree") == 0) && argc == 3) {
		EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		int fd = open(argv[2], O_RDONLY);
		if (fd < 0)
			die(argv[2]);
		if (strcmp(what, "hash") == 0)
			hash_fd(fd, ctx, md);
		else
			walk(fd, ctx, md);
	} else {
		fprintf(stderr, "usage: rawlimit publish|stat|runs|hash|hashtree ...\n");
		return 2;
	}
	return 0;
}

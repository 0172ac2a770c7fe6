// SPDX-License-Identifier: Apache-2.0
/*
 * Raw limits that need no library: each does the least that any builder must do for a workload,
 * with plain system calls. Linked statically, because the start of the program is a part of W1.
 *
 *	rawtiny publish DIR FILE       a layer of one file, a configuration, a manifest and an
 *	                               index: written under a temporary name, hashed, renamed
 *	rawtiny stat THREADS DIR       getdents and statx of everything below DIR
 *	rawtiny runs N LOWER SCRATCH   N times what one RUN true costs the kernel
 *	rawtiny chroot LOWER SCRATCH BIND COMMAND
 *	                               sh -c COMMAND on a volatile overlay, BIND seen as /mnt
 *	rawtiny sleep SECONDS
 *	rawtiny http PORT FILE         send the requests of FILE (a NUL byte after each) to
 *	                               127.0.0.1 on one connection, wait for each answer
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- W1 ---------------------------------------------------------------------------------- */

static uint32_t ror(uint32_t v, int n)
{
	return v >> n | v << (32 - n);
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The work of one block of SHA-256, with constants of its own: only the time matters here. */
static void sha_block(uint32_t h[8], const uint32_t k[64], const unsigned char *p)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = be32(p + (size_t)i * 4);
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof v);
	for (int i = 0; i < 64; i++) {
		uint32_t t = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
			     ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t u = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) +
			     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof v[0]);
		v[4] += t;
		v[0] = t + u;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

/* A name from the content: the hash of whole blocks, which is what the time goes to. */
static void name_of(const unsigned char *data, size_t len, char hex[65])
{
	uint32_t k[64], h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	unsigned char last[64] = {0};

	for (uint32_t i = 0; i < 64; i++)
		k[i] = i * 2654435761U;
	for (; len >= 64; data += 64, len -= 64)
		sha_block(h, k, data);
	memcpy(last, data, len);
	sha_block(h, k, last);
	for (size_t i = 0; i < 8; i++)
		snprintf(hex + i * 8, 9, "%08x", h[i]);
}

static void put(int dir, const char *name, const void *data, size_t len)
{
	char hex[65];
	int out = openat(dir, "tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (out < 0 || write(out, data, len) != (ssize_t)len)
		die("write");
	name_of(data, len, hex);
	close(out);
	if (renameat(dir, "tmp", dir, name ? name : hex) < 0)
		die("rename");
}

static void publish(const char *dir, const char *file)
{
	static unsigned char tar[1 << 16];
	int d = open(dir, O_RDONLY | O_DIRECTORY), in = open(file, O_RDONLY);
	struct stat st;
	ssize_t n = -1;

	if (d < 0 || in < 0 || fstat(in, &st) < 0 || st.st_size > 50000)
		die(file);
	n = read(in, tar + 512, (size_t)st.st_size);
	if (n != st.st_size)
		die(file);
	memcpy(tar, file, strlen(file) < 100 ? strlen(file) : 100);
	put(d, NULL, tar, 512 + ((size_t)n + 511) / 512 * 512 + 1024);
	put(d, NULL, tar, 380); /* configuration */
	put(d, NULL, tar, 400); /* manifest */
	put(d, "index.json", tar, 300);
}

/* --- W2, W10 ------------------------------------------------------------------------------ */

struct dirs {
	pthread_mutex_t lock;
	char **name;
	size_t n, next;
	int root;
};

static void stat_dir(int at, const char *name, struct dirs *found)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct statx st;

	if (!d)
		die(name);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (statx(fd, e->d_name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
			    STATX_BASIC_STATS, &st) < 0)
			die(e->d_name);
		if (e->d_type != DT_DIR)
			continue;
		if (!found) {
			stat_dir(fd, e->d_name, NULL);
			continue;
		}
		if ((found->n & (found->n - 1)) == 0)
			found->name = realloc(
				found->name, (found->n ? found->n * 2 : 1) * sizeof *found->name);
		if (!found->name || !(found->name[found->n++] = strdup(e->d_name)))
			die("memory");
	}
	closedir(d);
}

static void *stat_some(void *arg)
{
	struct dirs *q = arg;

	for (;;) {
		pthread_mutex_lock(&q->lock);
		char *name = q->next < q->n ? q->name[q->next++] : NULL;
		pthread_mutex_unlock(&q->lock);
		if (!name)
			return NULL;
		stat_dir(q->root, name, NULL);
	}
}

static void stat_tree(int threads, const char *dir)
{
	struct dirs q = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t t[16];

	q.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stat_dir(AT_FDCWD, dir, &q);
	for (int i = 1; i < threads && i < 16; i++)
		if (pthread_create(&t[i], NULL, stat_some, &q))
			die("thread");
	stat_some(&q);
	for (int i = 1; i < threads && i < 16; i++)
		pthread_join(t[i], NULL);
}

/* --- W3, W7 ------------------------------------------------------------------------------- */

static int new_mount(const char *type, const char *const *option)
{
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), m;

	for (; fs >= 0 && option && option[0]; option += 2)
		if (syscall(SYS_fsconfig, fs, option[1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    option[0], option[1], 0) < 0)
			die(option[0]);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
		(m = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0)) < 0)
		die(type);
	close(fs);
	return m;
}

static void attach(int m, const char *at)
{
	mkdir(at, 0755);
	if (syscall(SYS_move_mount, m, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		die(at);
	close(m);
}

static void make_dev(void)
{
	mode_t mask = umask(0);

	static const struct {
		const char *name;
		unsigned char major, minor;
	} node[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
		{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

	attach(new_mount("tmpfs", (const char *const[]){"mode", "755", NULL}), "dev");
	for (size_t i = 0; i < sizeof node / sizeof node[0]; i++)
		if (mknod(node[i].name, S_IFCHR | 0666, makedev(node[i].major, node[i].minor)) < 0)
			die(node[i].name);
	attach(new_mount("tmpfs", (const char *const[]){"mode", "1777", NULL}), "dev/shm");
	attach(new_mount("devpts", (const char *const[]){"ptmxmode", "666", NULL}), "dev/pts");
	attach(new_mount("mqueue", NULL), "dev/mqueue");
	umask(mask);
}

static void enter(const char *lower, const char *upper, const char *work, const char *bind)
{
	int top = -1;

	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (bind)
		top = (int)syscall(SYS_open_tree, AT_FDCWD, bind, OPEN_TREE_CLONE | O_CLOEXEC);
	attach(new_mount("overlay", (const char *const[]){"lowerdir", lower, "upperdir", upper,
					    "workdir", work, "volatile", NULL, NULL}),
		"/mnt");
	if (chdir("/mnt") < 0)
		die("/mnt");
	attach(new_mount("proc", NULL), "proc");
	attach(new_mount("sysfs", NULL), "sys");
	make_dev();
	if (top >= 0)
		attach(top, "mnt");
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("pivot_root");
}

static void sandbox(const char *lower, const char *scratch, int i, const char *bind, char **argv)
{
	char upper[512], work[512];
	int status;

	snprintf(upper, sizeof upper, "%s/u%d", scratch, i);
	snprintf(work, sizeof work, "%s/w%d", scratch, i);
	if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
		die(upper);
	pid_t pid = (pid_t)syscall(SYS_clone,
		SIGCHLD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			CLONE_NEWCGROUP,
		NULL, NULL, NULL, 0);
	if (pid < 0)
		die("clone");
	if (pid == 0) {
		enter(lower, upper, work, bind);
		execv(argv[0], argv);
		_exit(3);
	}
	if (waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "%s: status %d\n", argv[0], status);
		exit(1);
	}
}

/* --- W8 again ------------------------------------------------------------------------------ */

static void answer(int fd, int head)
{
	char buf[8192];
	size_t have = 0, body = 0;
	char *end;
	ssize_t n;

	for (;;) {
		n = read(fd, buf + have, sizeof buf - 1 - have);
		if (n <= 0)
			die("answer");
		have += (size_t)n;
		buf[have] = 0;
		if ((end = strstr(buf, "\r\n\r\n")))
			break;
	}
	if (buf[9] != '2') {
		fprintf(stderr, "%.60s\n", buf);
		exit(1);
	}
	for (char *l = buf; l < end; l = strstr(l, "\r\n") + 2)
		if (strncasecmp(l, "Content-Length:", 15) == 0)
			body = strtoul(l + 15, NULL, 10);
	if (head)
		return;
	have -= (size_t)(end + 4 - buf);
	while (have < body && (n = read(fd, buf, sizeof buf)) > 0)
		have += (size_t)n;
}

static void http(int port, const char *file)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	static char text[1 << 20];
	int one = 1, in = open(file, O_RDONLY), fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n = read(in, text, sizeof text);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (n < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connect");
	for (char *r = text; r < text + n; r += strlen(r) + 1) {
		if (write(fd, r, strlen(r)) != (ssize_t)strlen(r))
			die("send");
		answer(fd, strncmp(r, "HEAD", 4) == 0);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char command_true[] = "/bin/true", shell[] = "/bin/sh", dash_c[] = "-c";

	if (strcmp(what, "publish") == 0 && argc == 4) {
		publish(argv[2], argv[3]);
	} else if (strcmp(what, "stat") == 0 && argc == 4) {
		stat_tree(atoi(argv[2]), argv[3]);
	} else if (strcmp(what, "runs") == 0 && argc == 5) {
		for (int i = 0; i < atoi(argv[2]); i++)
			sandbox(argv[3], argv[4], i, NULL, (char *[]){command_true, NULL});
	} else if (strcmp(what, "chroot") == 0 && argc == 6) {
		sandbox(argv[2], argv[3], 0, argv[4], (char *[]){shell, dash_c, argv[5], NULL});
	} else if (strcmp(what, "sleep") == 0 && argc == 3) {
		sleep((unsigned)atoi(argv[2]));
	} else if (strcmp(what, "http") == 0 && argc == 4) {
		http(atoi(argv[2]), argv[3]);
	} else {
		fprintf(stderr, "usage: see the first lines of tests/bench/rawtiny.c\n");
		return 2;
	}
	return 0;
}

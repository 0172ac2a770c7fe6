// SPDX-License-Identifier: Apache-2.0
/*
 * The root is made of busybox, which needs nothing beside itself, and is shared by all sandboxes of
 * a box; each run gets a scratch directory of its own. A program that runs itself inside comes with
 * the libraries it is linked to, as binds.
 */
#include "tests/support/sandbox_box.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/lower.h"

#define OUTPUT_MAX ((size_t)1 << 20)

static const char *const no_env[] = {"PATH=/bin:/sbin:/usr/bin", NULL};
static const char *const applets[] = {"sh", "cat", "echo", "ls", "id", "mount", "umount", "ps",
	"kill", "sleep", "stat", "touch", "rm", "rmdir", "mkdir", "grep", "sed", "hostname", "pwd",
	"env", "true", "false", "dd", "test", "wc", "head", "tail", "sort", "readlink", "chmod",
	"chown", "mv", "ln", "cp", "find", "ip", "ifconfig", "nice", "printf", "tr", "cut", "date",
	"setsid", "nohup", "mknod", "chroot", "unshare", "df", "od", "cmp", "which"};

const char *sandbox_box_missing(void)
{
	if (geteuid() != 0)
		return "sandboxes need root";
	if (access("/bin/busybox", X_OK) != 0)
		return "busybox-static is not installed";
	return NULL;
}

void sandbox_box_write(int dir, const char *path, const char *text, unsigned mode)
{
	const char *slash = strrchr(path, '/');
	int fd;

	if (slash) {
		char *parent = mem_strndup(path, (size_t)(slash - path));

		assert_int_equal(fs_mkdirs(dir, parent, 0755), 0);
		free(parent);
	}
	fd = openat(dir, path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

int sandbox_box_mkdir(int dir, const char *path, unsigned mode)
{
	int fd;

	assert_int_equal(fs_mkdirs(dir, path, mode), 0);
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void copy_busybox(int root)
{
	int from = open("/bin/busybox", O_RDONLY | O_CLOEXEC);
	int to = openat(root, "bin/busybox", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	struct stat sb;

	assert_true(from >= 0 && to >= 0 && fstat(from, &sb) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)sb.st_size), sb.st_size);
	close(from);
	close(to);
}

static void make_root(int root)
{
	static const char *const dirs[] = {
		"bin", "etc", "proc", "sys", "dev", "tmp", "root", "run"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(root, dirs[i], 0755), 0);
	assert_int_equal(fchmodat(root, "tmp", 01777, 0), 0);
	copy_busybox(root);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++) {
		char name[64];

		snprintf(name, sizeof name, "bin/%s", applets[i]);
		assert_int_equal(symlinkat("busybox", root, name), 0);
	}
	sandbox_box_write(root, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0644);
}

void sandbox_box_init(struct box *b)
{
	struct err *err = NULL;
	char dir[] = "/tmp/bld-sandbox.XXXXXX";

	*b = (struct box){.scratch = -1};
	umask(022);
	assert_non_null(mkdtemp(dir));
	b->path = mem_strdup(dir);
	b->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(b->dir >= 0);
	assert_int_equal(fchmod(b->dir, 0755), 0);
	b->root = sandbox_box_mkdir(b->dir, "root", 0755);
	make_root(b->root);
	b->runner = sandbox_runner_new(&err);
	if (!b->runner)
		fail_msg("runner: %s", err_text(err));
}

void sandbox_box_clear(struct box *b)
{
	int tmp;

	if (!b)
		return; /* cmocka tears down what was not set up */
	sandbox_runner_free(b->runner);
	close(b->root);
	close(b->scratch);
	close(b->dir);
	tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fs_remove_tree(tmp, b->path + strlen("/tmp/")), 0);
	close(tmp);
	free(b->path);
}

int sandbox_box_setup(void **state)
{
	struct box *b = mem_alloc(sizeof *b);

	sandbox_box_init(b);
	*state = b;
	return 0;
}

int sandbox_box_teardown(void **state)
{
	sandbox_box_clear(*state);
	free(*state);
	return 0;
}

static void put(unsigned char *image, size_t at, const char *hex)
{
	unsigned byte;

	for (; *hex; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		image[at++] = (unsigned char)byte;
	}
}

/* Three blocks of 512 bytes: nothing and the superblock; the device table; the root directory with
 * ".", ".." and the file, and the file's inode, whose data begin with block 1 of the device. */
static void fill_index(unsigned char image[1536], const char *name, size_t size)
{
	put(image, 0x400, "e2e1f5e0000000000200000009002800");
	put(image, 0x410, "020000000000000000f1536500000000");
	put(image, 0x424, "03000000");
	put(image, 0x450, "080000000000010009000000");
	put(image, 0x4c0, "1400000003000000");
	put(image, 0x500, "04000000ed4102002900000000000000ffffffff01");
	put(image, 0x520, "2800000000000000240002002800000000000000250002002b00000000000000270001");
	put(image, 0x544, "2e2e2e");
	memcpy(image + 0x547, name, 2);
	put(image, 0x560, "00000000a4810100");
	image[0x568] = (unsigned char)size;
	image[0x569] = (unsigned char)(size >> 8);
	put(image, 0x570, "0400000002");
}

struct lower sandbox_box_index(struct box *b, const char *name, const char *content)
{
	struct lower l = {.dir_fd = -1, .index_fd = -1};
	unsigned char image[1536] = {0};
	char file[32];
	int fd;

	fill_index(image, name, strlen(content));
	l.tar_fds = mem_alloc(sizeof *l.tar_fds);
	l.ntars = 1;
	snprintf(file, sizeof file, "tar%u", b->nindex);
	fd = openat(b->dir, file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, 20 * 512) == 0);
	assert_int_equal(pwrite(fd, content, strlen(content), 512), strlen(content));
	l.tar_fds[0] = fd;
	snprintf(file, sizeof file, "index%u", b->nindex++);
	l.index_fd = openat(b->dir, file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(fs_write_all(l.index_fd, image, sizeof image), 0);
	return l;
}

void sandbox_box_prepare(struct box *b, struct box_run *r, const char *script)
{
	char name[32];

	*r = (struct box_run){0};
	r->lower[0] = lower_of_dir(b->root);
	r->argv[0] = "sh";
	r->argv[1] = "-c";
	r->argv[2] = script;
	snprintf(name, sizeof name, "scratch%u", b->count++);
	if (b->scratch >= 0)
		close(b->scratch);
	b->scratch = sandbox_box_mkdir(b->dir, name, 0700);
	r->spec = (struct sandbox_spec){
		.lowers = {r->lower, 1},
		.scratch_fd = b->scratch,
		.argv = r->argv,
		.envp = no_env,
		.cwd = "/",
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
	};
}

void sandbox_box_prepare_self(
	struct box *b, struct box_self *s, struct box_run *r, const char *name)
{
	static const char *const env[] = {"PATH=/bin", "ASAN_OPTIONS=detect_leaks=0", NULL};

	sandbox_box_prepare(b, r, "");
	s->usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	s->libs = sandbox_box_mkdir(b->dir, "libs", 0755);
	assert_true(s->usr >= 0 && s->self >= 0);
	/* There from the second time on. */
	assert_true(symlinkat("usr/lib", s->libs, "lib") == 0 || errno == EEXIST);
	assert_true(symlinkat("usr/lib64", s->libs, "lib64") == 0 || errno == EEXIST);
	s->mount[0] = (struct sandbox_mount){.kind = SANDBOX_MOUNT_BIND,
		.target = "/usr",
		.source_fd = s->usr,
		.readonly = true};
	s->mount[1] = (struct sandbox_mount){.kind = SANDBOX_MOUNT_BIND,
		.target = "/probe",
		.source_fd = s->self,
		.readonly = true};
	r->argv[0] = "/probe";
	r->argv[1] = "--probe";
	r->argv[2] = name;
	r->lower[1] = lower_of_dir(s->libs);
	r->spec.lowers.n = 2;
	r->spec.envp = env;
	r->spec.mounts = s->mount;
	r->spec.nmounts = 2;
}

void sandbox_box_done_self(struct box_self *s)
{
	close(s->usr);
	close(s->self);
	close(s->libs);
}

struct sandbox_job *sandbox_box_start(struct box *b, struct box_run *r, int *out, struct err **err)
{
	struct sandbox_job *job;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	(void)fcntl(p[1], F_SETPIPE_SZ, (int)OUTPUT_MAX);
	r->spec.stdout_fd = p[1];
	r->spec.stderr_fd = p[1];
	job = sandbox_start(b->runner, &r->spec, err);
	close(p[1]);
	if (job)
		*out = p[0];
	else
		close(p[0]);
	return job;
}

static char *drain(int fd)
{
	struct buf b;
	struct err *err = NULL;

	buf_init(&b, OUTPUT_MAX + 1);
	assert_int_equal(fs_read_fd(fd, OUTPUT_MAX, "output", &b, &err), 0);
	close(fd);
	return buf_take(&b);
}

void sandbox_box_run(struct box *b, struct box_run *r)
{
	struct err *err = NULL;
	int out = -1;
	struct sandbox_job *job = sandbox_box_start(b, r, &out, &err);

	if (!job)
		fail_msg("start: %s", err_text(err));
	if (sandbox_wait(job, &r->res, &err) < 0)
		fail_msg("wait: %s", err_text(err));
	r->text = drain(out);
}

void sandbox_box_done(struct box_run *r)
{
	free(r->text);
	r->text = NULL;
}

char *sandbox_box_sh(struct box *b, int exit_code, const char *script)
{
	struct box_run r;

	sandbox_box_prepare(b, &r, script);
	sandbox_box_run(b, &r);
	if (r.res.exit_code != exit_code)
		fail_msg(
			"exit code %d, not %d: %s\n%s", r.res.exit_code, exit_code, script, r.text);
	return r.text;
}

char *sandbox_box_upper(struct box *b)
{
	char cmd[512];
	FILE *f;
	struct buf out;
	int c;

	snprintf(cmd, sizeof cmd, "cd %s/scratch%u/upper && find . -mindepth 1 | LC_ALL=C sort",
		b->path, b->count - 1);
	f = popen(cmd, "re");
	assert_non_null(f);
	buf_init(&out, OUTPUT_MAX);
	while ((c = getc(f)) != EOF)
		buf_addc(&out, (char)c);
	assert_int_equal(pclose(f), 0);
	return buf_take(&out);
}

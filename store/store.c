// SPDX-License-Identifier: Apache-2.0
/*
 * Opening order: the directories, the shared lock on bld/locks/store (which a prune holds
 * exclusively), then under bld/locks/tmp the recovery of dead processes' tmp directories and the
 * making of our own. A tmp directory NAME is alive as long as bld/tmp/NAME.lock is locked.
 */
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/base/now.h"

#define VERSION_TEXT "1\n"
#define LAYOUT_TEXT  "{\"imageLayoutVersion\":\"1.0.0\"}"
#define INDEX_TEXT                                                                                 \
	"{\"schemaVersion\":2,\"mediaType\":\"application/"                                        \
	"vnd.oci.image.index.v1+json\",\"manifests\":[]}"
#define BOOT_XATTR    "user.bld.boot"
#define BOOT_SYNCED   "synced"
#define BOOT_TEXT_MAX 64
#define TMPFS_TYPE    0x01021994 /* TMPFS_MAGIC of linux/magic.h */

static const char *const dir_names[STORE_NDIRS] = {
	[STORE_DIRS] = "dirs",
	[STORE_FORMS] = "forms",
	[STORE_CACHE] = "cache",
	[STORE_MOUNTS] = "mounts",
	[STORE_LOCKS] = "locks",
	[STORE_TRASH] = "trash",
	[STORE_TMP] = "tmp",
};

struct store {
	char *root; /* absolute; owned, as are the descriptors */
	int root_fd;
	int bld_fd;
	int blobs_fd;
	int dirs[STORE_NDIRS];
	int use_lock;   /* bld/locks/store: shared, or exclusive after store_exclusive */
	int prune_lock; /* bld/locks/prune, held with an exclusive use_lock; else -1 */
	int tmp_lock;   /* bld/tmp/NAME.lock */
	int tmp_fd;     /* bld/tmp/NAME */
	char tmp_name[FS_TEMP_NAME];
	bool volatile_fs; /* nothing here outlives a boot */
	char boot[BOOT_TEXT_MAX];
	pthread_mutex_t lock; /* guards what follows */
	struct digest *good;  /* verified by this process, where an xattr could not say so; owned */
	size_t ngood, good_cap;
};

static int mkdir_parents(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST) {
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return -1;
	}
	const char *slash = strrchr(path, '/');
	if (errno != ENOENT || !slash || slash == path)
		return -1;
	auto_free char *parent = mem_strndup(path, (size_t)(slash - path));
	if (mkdir_parents(parent, mode) < 0)
		return -1;
	return mkdir(path, mode) < 0 && errno != EEXIST ? -1 : 0;
}

static char *default_root(struct err **err)
{
	const char *v = getenv("BLD_ROOT"), *home = getenv("HOME");

	if (v && *v)
		return mem_strdup(v);
	if (geteuid() == 0)
		return mem_strdup("/var/lib/bld");
	v = getenv("XDG_DATA_HOME");
	if (v && *v == '/')
		return mem_printf("%s/bld", v);
	if (home && *home == '/')
		return mem_printf("%s/.local/share/bld", home);
	err_set(err, ERR_SYS, "no place for the store: neither XDG_DATA_HOME nor HOME is set");
	err_hint(err, "give one with --root or BLD_ROOT");
	return NULL;
}

/* Only what we made ourselves, and perhaps could not finish, may be in a directory without
 * bld/version. */
static int check_foreign(struct store *s, struct err **err)
{
	static const char *const ours[] = {
		".", "..", "oci-layout", "index.json", "blobs", "bld", "lost+found"};
	int fd = openat(s->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d)
		return err_sys(err, "store %s", s->root);
	while (r == 0 && (e = readdir(d))) {
		size_t i = 0;
		while (i < ARRAY_LEN(ours) && strcmp(ours[i], e->d_name) != 0)
			i++;
		if (i == ARRAY_LEN(ours))
			r = err_set(err, ERR_SYS, "%s is not a bld store and not empty", s->root);
	}
	closedir(d);
	return r;
}

/* A file that is made once: never replaced when another process was faster. */
static int make_once(
	struct store *s, int dir_fd, const char *name, const char *text, struct err **err)
{
	char temp[FS_TEMP_NAME];
	int tmp = s->dirs[STORE_TMP];

	if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fs_temp_name(temp, sizeof temp, STORE_ONCE);
	if (fs_replace_file(tmp, temp, text, strlen(text), 0600, true, err) < 0)
		return -1;
	int r = linkat(tmp, temp, dir_fd, name, 0);
	if (r < 0 && errno != EEXIST)
		err_sys(err, "store %s: %s", s->root, name);
	else
		r = 0;
	unlinkat(tmp, temp, 0);
	return r;
}

static int check_version(struct store *s, bool *there, struct err **err)
{
	auto_buf struct buf b = {0};
	auto_fd int fd = openat(s->root_fd, "bld/version", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*there = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "store %s: bld/version", s->root);
	if (fs_read_fd(fd, 64, "bld/version", &b, err) < 0)
		return err_prefix(err, "store %s", s->root);
	if (strcmp(b.data, VERSION_TEXT) == 0)
		return 0;
	auto_free char *shown = fs_printable(b.data);
	return err_set(err, ERR_SYS, "store %s has format \"%s\", this bld knows format 1 only",
		s->root, shown);
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_dirs(struct store *s, struct err **err)
{
	if (fs_mkdirs(s->root_fd, "blobs/sha256", 0700) < 0 ||
		fs_mkdirs(s->root_fd, "bld", 0700) < 0)
		return err_sys(err, "store %s", s->root);
	s->blobs_fd = open_dir(s->root_fd, "blobs/sha256");
	s->bld_fd = open_dir(s->root_fd, "bld");
	if (s->blobs_fd < 0 || s->bld_fd < 0)
		return err_sys(err, "store %s", s->root);
	for (int i = 0; i < STORE_NDIRS; i++) {
		if (fs_mkdirs(s->bld_fd, dir_names[i], 0700) < 0 ||
			(s->dirs[i] = open_dir(s->bld_fd, dir_names[i])) < 0)
			return err_sys(err, "store %s: bld/%s", s->root, dir_names[i]);
	}
	return 0;
}

static int open_layout(struct store *s, struct err **err)
{
	struct stat st;
	struct statfs fs;
	bool there;

	if (fstat(s->root_fd, &st) < 0 || fstatfs(s->root_fd, &fs) < 0)
		return err_sys(err, "store %s", s->root);
	s->volatile_fs = fs.f_type == TMPFS_TYPE;
	if (check_version(s, &there, err) < 0 || (!there && check_foreign(s, err) < 0))
		return -1;
	/* Layers hold set-user-ID files of images: nobody else may reach them. */
	if (st.st_mode & 077 && fchmod(s->root_fd, 0700) < 0)
		return err_sys(err, "store %s: cannot be made private", s->root);
	if (open_dirs(s, err) < 0)
		return -1;
	if (there)
		return 0;
	/* The version comes last: with it, everything else is there. */
	if (make_once(s, s->root_fd, "oci-layout", LAYOUT_TEXT, err) < 0 ||
		make_once(s, s->root_fd, "index.json", INDEX_TEXT, err) < 0)
		return -1;
	return make_once(s, s->bld_fd, "version", VERSION_TEXT, err);
}

/* Move tmp/NAME to the trash if its owner is gone. The caller holds bld/locks/tmp. */
static void recover_one(struct store *s, const char *lock_name)
{
	char name[NAME_MAX + 1];
	size_t n = strlen(lock_name) - strlen(".lock");
	auto_fd int fd = lock_take(s->dirs[STORE_TMP], lock_name, LOCK_EXCLUSIVE, false, NULL);

	if (fd < 0)
		return;
	memcpy(name, lock_name, n);
	name[n] = '\0';
	char trash[FS_TEMP_NAME];
	fs_temp_name(trash, sizeof trash, "dead");
	if (unlinkat(s->dirs[STORE_TMP], name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
		renameat(s->dirs[STORE_TMP], name, s->dirs[STORE_TRASH], trash) == 0)
		unlinkat(s->dirs[STORE_TMP], lock_name, 0);
}

static void recover(struct store *s)
{
	int fd = openat(s->dirs[STORE_TMP], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);
		if (n > 5 && strcmp(e->d_name + n - 5, ".lock") == 0)
			recover_one(s, e->d_name);
	}
	closedir(d);
}

static int make_tmp(struct store *s, struct err **err)
{
	char lock_name[FS_TEMP_NAME + 8];
	auto_fd int guard = lock_take(s->dirs[STORE_LOCKS], "tmp", LOCK_EXCLUSIVE, true, err);

	if (guard < 0)
		return err_prefix(err, "store %s", s->root);
	recover(s);
	fs_temp_name(s->tmp_name, sizeof s->tmp_name, "p");
	snprintf(lock_name, sizeof lock_name, "%s.lock", s->tmp_name);
	s->tmp_lock = lock_take(s->dirs[STORE_TMP], lock_name, LOCK_EXCLUSIVE, true, err);
	if (s->tmp_lock < 0)
		return err_prefix(err, "store %s", s->root);
	if (mkdirat(s->dirs[STORE_TMP], s->tmp_name, 0700) < 0 ||
		(s->tmp_fd = open_dir(s->dirs[STORE_TMP], s->tmp_name)) < 0)
		return err_sys(err, "store %s: bld/tmp", s->root);
	return 0;
}

static int open_all(struct store *s, const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);

	if (mkdir_parents(path, 0700) < 0)
		return err_sys(err, "store %s", shown);
	s->root = realpath(path, NULL);
	s->root_fd = s->root ? open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (s->root_fd < 0)
		return err_sys(err, "store %s", shown);
	if (open_layout(s, err) < 0)
		return -1;
	s->use_lock = lock_take(s->dirs[STORE_LOCKS], "store", LOCK_SHARED, true, err);
	if (s->use_lock < 0)
		return err_prefix(err, "store %s", shown);
	return make_tmp(s, err);
}

struct store *store_open(const char *root, struct err **err)
{
	auto_free char *path = root && *root ? mem_strdup(root) : default_root(err);

	if (!path)
		return NULL;
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	struct store *s = mem_alloc(sizeof *s);
	s->root_fd = s->bld_fd = s->blobs_fd = s->use_lock = s->prune_lock = -1;
	s->tmp_lock = s->tmp_fd = -1;
	for (int i = 0; i < STORE_NDIRS; i++)
		s->dirs[i] = -1;
	pthread_mutex_init(&s->lock, NULL);
	now_boot_id(s->boot, sizeof s->boot);
	if (!*s->boot) /* no /proc: trust only what this process writes */
		fs_temp_name(s->boot, sizeof s->boot, "unknown");
	if (open_all(s, path, err) < 0) {
		store_close(s);
		return NULL;
	}
	return s;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void drop_tmp(struct store *s)
{
	char trash[FS_TEMP_NAME], lock_name[FS_TEMP_NAME + 8];

	fs_temp_name(trash, sizeof trash, "left");
	snprintf(lock_name, sizeof lock_name, "%s.lock", s->tmp_name);
	if (unlinkat(s->dirs[STORE_TMP], s->tmp_name, AT_REMOVEDIR) < 0)
		renameat(s->dirs[STORE_TMP], s->tmp_name, s->dirs[STORE_TRASH], trash);
	unlinkat(s->dirs[STORE_TMP], lock_name, 0);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	int saved = errno;
	if (s->tmp_fd >= 0)
		drop_tmp(s);
	close_fd(s->tmp_fd);
	close_fd(s->tmp_lock);
	close_fd(s->use_lock);
	close_fd(s->prune_lock);
	for (int i = 0; i < STORE_NDIRS; i++)
		close_fd(s->dirs[i]);
	close_fd(s->blobs_fd);
	close_fd(s->bld_fd);
	close_fd(s->root_fd);
	pthread_mutex_destroy(&s->lock);
	free(s->good);
	free(s->root);
	free(s);
	errno = saved;
}

const char *store_root(const struct store *s)
{
	return s->root;
}

int store_root_fd(const struct store *s)
{
	return s->root_fd;
}

int store_bld_fd(const struct store *s)
{
	return s->bld_fd;
}

int store_blobs_fd(const struct store *s)
{
	return s->blobs_fd;
}

int store_tmp_fd(const struct store *s)
{
	return s->tmp_fd;
}

int store_dir(const struct store *s, enum store_dir d)
{
	return s->dirs[d];
}

const char *store_boot_id(const struct store *s)
{
	return s->boot;
}

int store_temp_dir(struct store *s, char name[64], struct err **err)
{
	fs_temp_name(name, 64, "d");
	if (mkdirat(s->tmp_fd, name, 0700) < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	int fd = open_dir(s->tmp_fd, name);
	if (fd < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	return fd;
}

void store_discard(struct store *s, const char *name)
{
	int saved = errno;
	char trash[FS_TEMP_NAME];

	fs_temp_name(trash, sizeof trash, "t");
	if (unlinkat(s->tmp_fd, name, 0) < 0 && unlinkat(s->tmp_fd, name, AT_REMOVEDIR) < 0)
		renameat(s->tmp_fd, name, s->dirs[STORE_TRASH], trash);
	errno = saved;
}

void store_remove_temp(struct store *s, const char *name)
{
	int saved = errno;

	if (fs_remove_tree(s->tmp_fd, name) < 0)
		store_discard(s, name);
	errno = saved;
}

int store_write_file(struct store *s, int dir_fd, const char *name, const void *p, size_t n,
	bool sync, struct err **err)
{
	char temp[FS_TEMP_NAME];

	fs_temp_name(temp, sizeof temp, "f");
	auto_fd int fd = openat(s->tmp_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fs_write_all(fd, p, n) < 0 || (sync && fsync(fd) < 0) ||
		renameat(s->tmp_fd, temp, dir_fd, name) < 0) {
		err_sys(err, "store %s: %s", s->root, name);
		unlinkat(s->tmp_fd, temp, 0);
		return -1;
	}
	if (sync && fsync(dir_fd) < 0)
		return err_sys(err, "store %s: %s", s->root, name);
	return 0;
}

int store_lock(
	struct store *s, enum store_lock kind, const struct digest *d, bool wait, struct err **err)
{
	struct sha256 h;
	struct digest mixed;
	uint64_t offset;
	auto_fd int fd = openat(
		s->dirs[STORE_LOCKS], "objects", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "store %s: lock", s->root);
	sha256_init(&h);
	sha256_field_u64(&h, (uint64_t)kind);
	sha256_update(&h, d->b, sizeof d->b);
	sha256_final(&h, &mixed);
	memcpy(&offset, mixed.b, sizeof offset);
	if (lock_byte(fd, offset, LOCK_EXCLUSIVE, wait) < 0) {
		if (errno == EWOULDBLOCK && !wait)
			return -1;
		if (errno == EINTR)
			return err_set(
				err, ERR_CANCELLED, "interrupted while waiting for another bld");
		return err_sys(err, "store %s: lock", s->root);
	}
	return TAKE_FD(fd);
}

/*
 * The shared lock is given up before the exclusive one is asked for: two processes that both kept
 * theirs would wait for each other for ever. Until then our tmp directory is guarded by its own
 * lock.
 */
int store_exclusive(struct store *s, bool wait, struct err **err)
{
	if (s->prune_lock >= 0)
		return 0;
	lock_release(s->use_lock);
	errno = 0;
	s->prune_lock = lock_take(s->dirs[STORE_LOCKS], "prune", LOCK_EXCLUSIVE, wait, err);
	if (s->prune_lock >= 0 && lock_fd(s->use_lock, LOCK_EXCLUSIVE, wait) == 0)
		return 0;
	int why = errno;
	close_fd(s->prune_lock);
	s->prune_lock = -1;
	lock_fd(s->use_lock, LOCK_SHARED, true);
	if (err && *err)
		return -1;
	errno = why;
	if (why == EWOULDBLOCK)
		return err_set(err, ERR_SYS, "store %s is busy: another bld uses it", s->root);
	return why == EINTR ? err_set(err, ERR_CANCELLED, "interrupted while waiting for the store")
			    : err_sys(err, "store %s: lock", s->root);
}

int store_sync(struct store *s, struct err **err)
{
	return syncfs(s->root_fd) < 0 ? err_sys(err, "store %s: sync", s->root) : 0;
}

static bool remembered(struct store *s, const struct digest *d)
{
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->ngood && !found; i++)
		found = sha256_equal(&s->good[i], d);
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void mark(struct store *s, int fd, const struct digest *d, const char *value)
{
	if (s->volatile_fs || fsetxattr(fd, BOOT_XATTR, value, strlen(value), 0) == 0 ||
		remembered(s, d))
		return;
	pthread_mutex_lock(&s->lock);
	MEM_PUSH(s->good, s->ngood, s->good_cap) = *d;
	pthread_mutex_unlock(&s->lock);
}

bool store_trusted(struct store *s, int fd, const struct digest *d)
{
	char value[BOOT_TEXT_MAX + 1];

	if (s->volatile_fs)
		return true;
	ssize_t n = fgetxattr(fd, BOOT_XATTR, value, sizeof value - 1);
	if (n > 0) {
		value[n] = '\0';
		if (strcmp(value, BOOT_SYNCED) == 0 || strcmp(value, s->boot) == 0)
			return true;
	}
	return remembered(s, d);
}

void store_trust(struct store *s, int fd, const struct digest *d)
{
	mark(s, fd, d, s->boot);
}

void store_trust_synced(struct store *s, int fd, const struct digest *d)
{
	mark(s, fd, d, BOOT_SYNCED);
}

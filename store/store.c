// SPDX-License-Identifier: Apache-2.0
/*
 * Opening a store that is there costs a dozen system calls: the version, the shared lock on
 * bld/locks/store (which a prune holds exclusively), and a look whether dead processes left tmp
 * directories. Directories are opened, and the one of this process in tmp is made, when they are
 * first asked for. A tmp directory NAME is alive as long as bld/tmp/NAME.lock is locked; making
 * and recovering happen under bld/locks/tmp.
 */
#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/keep.h"
#include "store/owned.h"
#include "store/recover.h"
#include "store/tempfile.h"

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
	[STORE_INDEX] = "erofs",
	[STORE_CACHE] = "cache",
	[STORE_MOUNTS] = "mounts",
	[STORE_LOCKS] = "locks",
	[STORE_TRASH] = "trash",
	[STORE_TMP] = "tmp",
};

/* What is opened or made when it is first asked for: -1 before. Set under a lock, read without. */
struct later {
	pthread_mutex_t lock;
	atomic_int blobs; /* blobs/sha256 */
	atomic_int dirs[STORE_NDIRS];
	pthread_mutex_t making_tmp; /* guards the rest; taken before `lock` */
	atomic_int tmp;             /* bld/tmp/NAME */
	int tmp_lock;               /* bld/tmp/NAME.lock */
	char tmp_name[FS_TEMP_NAME];
};

struct store {
	char *root; /* absolute; owned, as are the descriptors */
	int root_fd;
	int bld_fd;
	int use_lock;        /* bld/locks/store: shared, or exclusive after store_exclusive */
	int prune_lock;      /* bld/locks/prune, held with an exclusive use_lock; else -1 */
	struct later *later; /* owned */
	bool volatile_fs;    /* nothing here outlives a boot */
	bool has_proc;
	char boot[BOOT_TEXT_MAX];
	struct keep *keep;    /* owned */
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
		"oci-layout", "index.json", "blobs", "bld", "lost+found"};
	DIR *d = fs_opendir(s->root_fd, ".");
	const struct dirent *e;
	int r = 0, more = 0;

	if (!d)
		return err_sys(err, "store %s", s->root);
	while (r == 0 && (more = fs_readdir(d, &e)) == 1) {
		size_t i = 0;
		while (i < ARRAY_LEN(ours) && strcmp(ours[i], e->d_name) != 0)
			i++;
		if (i == ARRAY_LEN(ours))
			r = err_set(err, ERR_SYS, "%s is not a bld store and not empty", s->root);
	}
	if (more < 0)
		r = err_sys(err, "store %s", s->root);
	closedir(d);
	return r;
}

/* A file that is made once, and again when a crash left it empty. */
static int make_once(
	struct store *s, int dir_fd, const char *name, const char *text, struct err **err)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (st.st_size > 0)
			return 0;
	} else if (errno != ENOENT) {
		return err_sys(err, "store %s: %s", s->root, name);
	}
	return store_write_file(s, dir_fd, name, text, strlen(text), false, err);
}

static int check_version(struct store *s, bool *there, struct err **err)
{
	char text[BOOT_TEXT_MAX];
	auto_fd int fd = openat(s->root_fd, "bld/version", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof text - 1, 0);

	if ((fd < 0 && errno != ENOENT) || n < 0)
		return err_sys(err, "store %s: bld/version", s->root);
	/* Empty: the machine crashed just after the store was made. */
	*there = n > 0;
	text[n] = '\0';
	if (n == 0 || strcmp(text, VERSION_TEXT) == 0)
		return 0;
	auto_free char *shown = fs_printable(text);
	return err_set(err, ERR_SYS, "store %s has format \"%s\", this bld knows format 1 only",
		s->root, shown);
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory at/name, opened once and made if need be; -1 errno. Whose it is check_owners() has
 * looked at. */
static int open_once(struct later *l, atomic_int *slot, int at, const char *name)
{
	int fd = atomic_load_explicit(slot, memory_order_acquire);

	if (fd >= 0)
		return fd;
	pthread_mutex_lock(&l->lock);
	fd = atomic_load_explicit(slot, memory_order_relaxed);
	if (fd < 0)
		fd = open_dir(at, name);
	if (fd < 0 && errno == ENOENT && fs_mkdirs(at, name, 0700) == 0)
		fd = open_dir(at, name);
	atomic_store_explicit(slot, fd, memory_order_release);
	pthread_mutex_unlock(&l->lock);
	return fd;
}

static int make_layout(struct store *s, struct err **err)
{
	if (store_blobs_fd(s) < 0)
		return err_sys(err, "store %s", s->root);
	for (int i = 0; i < STORE_NDIRS; i++)
		if (store_dir(s, i) < 0)
			return err_sys(err, "store %s: bld/%s", s->root, dir_names[i]);
	/* One process at a time, and what is there stays: it may have names in it already. */
	auto_fd int guard = lock_take(store_dir(s, STORE_LOCKS), "make", LOCK_EXCLUSIVE, true, err);
	if (guard < 0)
		return err_prefix(err, "store %s", s->root);
	/* The version comes last: with it, everything else is there. */
	if (make_once(s, s->root_fd, "oci-layout", LAYOUT_TEXT, err) < 0 ||
		make_once(s, s->root_fd, "index.json", INDEX_TEXT, err) < 0)
		return -1;
	return make_once(s, s->bld_fd, "version", VERSION_TEXT, err);
}

/* One directory; what is not there yet will be ours. */
static int check_owner(
	struct store *s, int at, const char *below, const char *name, struct err **err)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "store %s: %s", s->root, name);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	auto_fd int fd = open_dir(at, name);
	auto_free char *path = mem_printf("%s%s/%s", s->root, below, name);
	if (fd < 0)
		return err_sys(err, "store: %s", path);
	return owned_dir(fd, path, err);
}

/*
 * Every directory that is opened by its name, before the first use: one look each, for nobody else
 * can put anything into the root, which is private by now.
 */
static int check_owners(struct store *s, struct err **err)
{
	static const char *const others[] = {"index", "logs"};

	if (check_owner(s, s->root_fd, "", "bld", err) < 0 ||
		check_owner(s, s->root_fd, "", "blobs", err) < 0 ||
		check_owner(s, s->root_fd, "", "blobs/sha256", err) < 0)
		return -1;
	for (int i = 0; i < STORE_NDIRS; i++)
		if (check_owner(s, s->bld_fd, "/bld", dir_names[i], err) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (check_owner(s, s->bld_fd, "/bld", others[i], err) < 0)
			return -1;
	return 0;
}

static int open_layout(struct store *s, struct err **err)
{
	struct stat st;
	struct statfs fs;
	bool there = false;

	if (fstat(s->root_fd, &st) < 0 || fstatfs(s->root_fd, &fs) < 0)
		return err_sys(err, "store %s", s->root);
	s->volatile_fs = fs.f_type == TMPFS_TYPE;
	if (check_version(s, &there, err) < 0 || (!there && check_foreign(s, err) < 0))
		return -1;
	/* What is new becomes private before anything is put into it. */
	if ((there || st.st_uid != geteuid()) && owned_dir(s->root_fd, s->root, err) < 0)
		return -1;
	/* Layers hold set-user-ID files of images: nobody else may reach them. */
	if (st.st_mode & 077 && fchmod(s->root_fd, 0700) < 0)
		return err_sys(err, "store %s: cannot be made private", s->root);
	s->bld_fd = open_dir(s->root_fd, "bld");
	if (s->bld_fd < 0 && errno == ENOENT && fs_mkdirs(s->root_fd, "bld", 0700) == 0)
		s->bld_fd = open_dir(s->root_fd, "bld");
	if (s->bld_fd < 0)
		return err_sys(err, "store %s", s->root);
	if (check_owners(s, err) < 0)
		return -1;
	if (there)
		return 0;
	return make_layout(s, err);
}
/* What dead processes left. On most file systems the number of links tells that a directory has
 * no others below it; where it does not (1), the directory is read. */
static void recover_if_any(struct store *s)
{
	struct stat st;

	if (fstatat(s->bld_fd, dir_names[STORE_TMP], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_nlink == 2)
		return;
	auto_fd int guard = lock_take(store_dir(s, STORE_LOCKS), "tmp", LOCK_EXCLUSIVE, true, NULL);
	if (guard >= 0)
		recover_dead(store_dir(s, STORE_TMP), store_dir(s, STORE_TRASH));
}

/* This process's directory in tmp, or -1. The caller holds making_tmp. */
static int make_tmp(const struct store *s)
{
	struct later *l = s->later;
	int tmp = store_dir(s, STORE_TMP);
	char name[FS_TEMP_NAME], lock_name[FS_TEMP_NAME + 8];
	auto_fd int guard = lock_take(store_dir(s, STORE_LOCKS), "tmp", LOCK_EXCLUSIVE, true, NULL);

	if (guard < 0)
		return -1;
	recover_dead(tmp, store_dir(s, STORE_TRASH));
	fs_temp_name(name, sizeof name, STORE_PROCESS);
	snprintf(lock_name, sizeof lock_name, "%s.lock", name);
	auto_fd int lock = lock_take(tmp, lock_name, LOCK_EXCLUSIVE, true, NULL);
	if (lock < 0)
		return -1;
	int fd = mkdirat(tmp, name, 0700) < 0 ? -1 : open_dir(tmp, name);
	if (fd < 0) {
		int saved = errno;
		unlinkat(tmp, lock_name, 0);
		errno = saved;
		return -1;
	}
	memcpy(l->tmp_name, name, sizeof name);
	l->tmp_lock = TAKE_FD(lock);
	return fd;
}

static int open_all(struct store *s, const char *path, struct err **err)
{
	auto_free char *shown = fs_printable(path);

	s->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 && errno == ENOENT && mkdir_parents(path, 0700) == 0)
		s->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->root = s->root_fd < 0 ? NULL : realpath(path, NULL);
	if (!s->root)
		return err_sys(err, "store %s", shown);
	if (owned_link(path, err) < 0 || owned_way(s->root, err) < 0)
		return -1;
	if (open_layout(s, err) < 0)
		return -1;
	s->use_lock = lock_take(store_dir(s, STORE_LOCKS), "store", LOCK_SHARED, true, err);
	if (s->use_lock < 0)
		return err_prefix(err, "store %s", shown);
	recover_if_any(s);
	return 0;
}

bool store_exists(const char *root)
{
	auto_free char *path = root && *root ? mem_strdup(root) : default_root(NULL);
	auto_free char *own = path ? mem_printf("%s/bld", path) : NULL;

	return own && access(own, F_OK) == 0;
}

struct store *store_open(const char *root, struct err **err)
{
	auto_free char *path = root && *root ? mem_strdup(root) : default_root(err);

	if (!path)
		return NULL;
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	struct store *s = mem_alloc(sizeof *s);
	s->root_fd = s->bld_fd = s->use_lock = s->prune_lock = -1;
	s->later = mem_alloc(sizeof *s->later);
	pthread_mutex_init(&s->later->lock, NULL);
	pthread_mutex_init(&s->later->making_tmp, NULL);
	atomic_init(&s->later->blobs, -1);
	atomic_init(&s->later->tmp, -1);
	s->later->tmp_lock = -1;
	for (int i = 0; i < STORE_NDIRS; i++)
		atomic_init(&s->later->dirs[i], -1);
	pthread_mutex_init(&s->lock, NULL);
	s->keep = keep_new();
	/* Taken for another boot's, all layer directories would be made again. */
	if (now_boot_id(s->boot, sizeof s->boot) < 0) {
		err_sys(err, "the boot id of this machine");
		store_close(s);
		return NULL;
	}
	s->has_proc = *s->boot;
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
	struct later *l = s->later;
	char trash[FS_TEMP_NAME], lock_name[FS_TEMP_NAME + 8];
	int tmp = store_dir(s, STORE_TMP);

	fs_temp_name(trash, sizeof trash, "left");
	snprintf(lock_name, sizeof lock_name, "%s.lock", l->tmp_name);
	if (unlinkat(tmp, l->tmp_name, AT_REMOVEDIR) < 0)
		renameat(tmp, l->tmp_name, store_dir(s, STORE_TRASH), trash);
	unlinkat(tmp, lock_name, 0);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	int saved = errno;
	if (s->later->tmp >= 0)
		drop_tmp(s);
	close_fd(s->later->tmp);
	close_fd(s->later->tmp_lock);
	close_fd(s->use_lock);
	close_fd(s->prune_lock);
	for (int i = 0; i < STORE_NDIRS; i++)
		close_fd(s->later->dirs[i]);
	close_fd(s->later->blobs);
	close_fd(s->bld_fd);
	close_fd(s->root_fd);
	pthread_mutex_destroy(&s->later->lock);
	pthread_mutex_destroy(&s->later->making_tmp);
	free(s->later);
	pthread_mutex_destroy(&s->lock);
	keep_free(s->keep);
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
	return open_once(s->later, &s->later->blobs, s->root_fd, "blobs/sha256");
}

int store_spool_fd(const struct store *s)
{
	return s->bld_fd;
}

bool store_has_proc(const struct store *s)
{
	return s->has_proc;
}

int store_tmp_fd(const struct store *s)
{
	struct later *l = s->later;
	int fd = atomic_load_explicit(&l->tmp, memory_order_acquire);

	if (fd >= 0)
		return fd;
	pthread_mutex_lock(&l->making_tmp);
	fd = atomic_load_explicit(&l->tmp, memory_order_relaxed);
	if (fd < 0)
		fd = make_tmp(s);
	atomic_store_explicit(&l->tmp, fd, memory_order_release);
	pthread_mutex_unlock(&l->making_tmp);
	/* Whoever wants to make something there fails for the same reason, and says it. */
	return fd < 0 ? store_dir(s, STORE_TMP) : fd;
}

int store_dir(const struct store *s, enum store_dir d)
{
	return open_once(s->later, &s->later->dirs[d], s->bld_fd, dir_names[d]);
}

const char *store_boot_id(const struct store *s)
{
	return s->boot;
}

struct keep *store_keep(struct store *s)
{
	return s->keep;
}

int store_temp_dir(struct store *s, char name[64], struct err **err)
{
	int tmp = store_tmp_fd(s);

	fs_temp_name(name, 64, "d");
	if (tmp < 0 || mkdirat(tmp, name, 0700) < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	int fd = open_dir(tmp, name);
	if (fd < 0)
		return err_sys(err, "store %s: temporary directory", s->root);
	return fd;
}

int store_trash(struct store *s, int dir_fd, const char *name)
{
	int saved = errno;
	char trash[FS_TEMP_NAME];

	fs_temp_name(trash, sizeof trash, "t");
	if (unlinkat(dir_fd, name, 0) < 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 &&
		renameat(dir_fd, name, store_dir(s, STORE_TRASH), trash) < 0 && errno != ENOENT)
		return -1;
	errno = saved;
	return 0;
}

void store_discard(struct store *s, const char *name)
{
	int saved = errno;

	store_trash(s, store_tmp_fd(s), name);
	errno = saved;
}

int store_write_file(struct store *s, int dir_fd, const char *name, const void *p, size_t n,
	bool sync, struct err **err)
{
	auto_tempfile struct tempfile t;

	if (tempfile_open(s, &t) < 0 || fs_write_all(t.fd, p, n) < 0 || (sync && fsync(t.fd) < 0) ||
		tempfile_publish(&t, dir_fd, name) < 0)
		return err_sys(err, "store %s: %s", s->root, name);
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
	auto_fd int fd = fs_openat(
		store_dir(s, STORE_LOCKS), "objects", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

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
	s->prune_lock = lock_take(store_dir(s, STORE_LOCKS), "prune", LOCK_EXCLUSIVE, wait, err);
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

// SPDX-License-Identifier: Apache-2.0
/*
 * Where a store is, what it consists of, and whose it is. The version is written last: a directory
 * that has one has everything else. What is not ours, or not a store, is refused before anything is
 * put into it.
 */
#include "store/store_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/lock.h"
#include "store/base/mem.h"
#include "store/owned.h"
#include "store/store.h"

#define VERSION_TEXT "1\n"
#define LAYOUT_TEXT  "{\"imageLayoutVersion\":\"1.0.0\"}"
#define INDEX_TEXT                                                                                 \
	"{\"schemaVersion\":2,\"mediaType\":\"application/"                                        \
	"vnd.oci.image.index.v1+json\",\"manifests\":[]}"
#define TMPFS_TYPE 0x01021994 /* TMPFS_MAGIC of linux/magic.h */

int store_make_parents(const char *path, mode_t mode)
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
	if (store_make_parents(parent, mode) < 0)
		return -1;
	return mkdir(path, mode) < 0 && errno != EEXIST ? -1 : 0;
}

char *store_default_root(struct err **err)
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
	char text[STORE_BOOT_MAX];
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

static int make_layout(struct store *s, struct err **err)
{
	if (store_blobs_fd(s) < 0)
		return err_sys(err, "store %s", s->root);
	for (int i = 0; i < STORE_NDIRS; i++)
		if (store_dir(s, i) < 0)
			return err_sys(err, "store %s: bld/%s", s->root, store_dir_names[i]);
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
static int store_layout_check_owner(
	struct store *s, int at, const char *below, const char *name, struct err **err)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "store %s: %s", s->root, name);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	auto_fd int fd = store_open_dir(at, name);
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

	if (store_layout_check_owner(s, s->root_fd, "", "bld", err) < 0 ||
		store_layout_check_owner(s, s->root_fd, "", "blobs", err) < 0 ||
		store_layout_check_owner(s, s->root_fd, "", "blobs/sha256", err) < 0)
		return -1;
	for (int i = 0; i < STORE_NDIRS; i++)
		if (store_layout_check_owner(s, s->bld_fd, "/bld", store_dir_names[i], err) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (store_layout_check_owner(s, s->bld_fd, "/bld", others[i], err) < 0)
			return -1;
	return 0;
}

int store_open_layout(struct store *s, struct err **err)
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
	s->bld_fd = store_open_dir(s->root_fd, "bld");
	if (s->bld_fd < 0 && errno == ENOENT && fs_mkdirs(s->root_fd, "bld", 0700) == 0)
		s->bld_fd = store_open_dir(s->root_fd, "bld");
	if (s->bld_fd < 0)
		return err_sys(err, "store %s", s->root);
	if (check_owners(s, err) < 0)
		return -1;
	if (there)
		return 0;
	return make_layout(s, err);
}

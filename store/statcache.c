// SPDX-License-Identifier: Apache-2.0
/*
 * The digests of context files by what stat says of them: one file per context, mapped and checked
 * against its own digest before any offset in it is believed. Entries of a directory are sorted by
 * name and read in one pass. An entry counts only if its times were settled when it was written: a
 * file changed in the same clock tick could look the same.
 */
#include "store/statcache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/hashpipe.h"
#include "store/base/mem.h"

#define MAGIC  UINT64_C(0x3178646e49646c62) /* "bldIndx1" */
#define COARSE INT64_C(2000000000)          /* the longest tick of times without nanoseconds */
#define SECOND INT64_C(1000000000)
#define ALIGN  8

struct disk_entry {
	uint64_t size;
	int64_t mtime;
	int64_t ctime;
	uint64_t ino;
	uint64_t dev;
	uint32_t mode;
	uint16_t xattrs;
	uint16_t name_len;
	struct digest digest;
};
_Static_assert(sizeof(struct disk_entry) == 80, "record of a file");

struct disk_dir {
	uint64_t path; /* offsets in the file */
	uint64_t at;
	uint64_t end;
	uint64_t path_len;
};

struct disk_foot {
	uint64_t magic;
	uint64_t dirs; /* offset of the table */
	uint64_t ndirs;
	int64_t written;
	struct digest sum; /* of all in front of it */
};
_Static_assert(sizeof(struct disk_foot) == 64, "foot of the index");

struct statcache {
	const unsigned char *map; /* owned */
	size_t size;
	const struct disk_dir *dirs; /* in map */
	size_t ndirs;
	int64_t written;
};

void statcache_of(const struct stat *st, struct statcache_entry *out)
{
	*out = (struct statcache_entry){
		.size = (uint64_t)st->st_size,
		.mtime = (int64_t)st->st_mtim.tv_sec * SECOND + st->st_mtim.tv_nsec,
		.ctime = (int64_t)st->st_ctim.tv_sec * SECOND + st->st_ctim.tv_nsec,
		.ino = (uint64_t)st->st_ino,
		.dev = (uint64_t)st->st_dev,
		.mode = st->st_mode,
	};
}

bool statcache_same(const struct statcache_entry *a, const struct statcache_entry *b)
{
	return a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime &&
	       a->ino == b->ino && a->dev == b->dev && a->mode == b->mode;
}

int64_t statcache_clock(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &t) < 0)
		return INT64_MIN; /* nothing is settled */
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

bool statcache_settled(const struct statcache_entry *e, int64_t clock)
{
	int64_t last = e->mtime > e->ctime ? e->mtime : e->ctime;

	/* mtime alone may be set to a whole second by anyone; ctime is the file system's. */
	if (e->ctime % SECOND == 0)
		last = last > INT64_MAX - COARSE ? INT64_MAX : last + COARSE;
	return last < clock;
}

bool statcache_usable(int fd)
{
	/* From linux/magic.h, where it has them: ext2/3/4, XFS, Btrfs, tmpfs, overlay, F2FS, ZFS,
	 * bcachefs, and the read-only SquashFS, EROFS and ISO 9660. */
	static const uint32_t local[] = {0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630,
		0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x73717368, 0xe0f5e1e2, 0x9660};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		if ((uint32_t)fs.f_type == local[i])
			return true;
	return false;
}

/* --- reading ------------------------------------------------------------------------------- */

static char *statcache_name_of(const struct digest *id, char out[sizeof STATCACHE_DIR + DIGEST_HEX])
{
	memcpy(out, STATCACHE_DIR "/", sizeof STATCACHE_DIR);
	sha256_hex(id, out + sizeof STATCACHE_DIR);
	return out;
}

/* A range of aligned offsets within what the checksum covers. */
static bool statcache_in_range(const struct statcache *x, uint64_t at, uint64_t end)
{
	return at % ALIGN == 0 && end % ALIGN == 0 && at <= end &&
	       end <= x->size - sizeof(struct disk_foot);
}

static bool good_dir(const struct statcache *x, const struct disk_dir *d)
{
	if (!statcache_in_range(x, d->at, d->end) || d->path > d->at ||
		d->path_len >= d->at - d->path)
		return false;
	return x->map[d->path + d->path_len] == '\0';
}

static bool statcache_check(struct statcache *x)
{
	struct disk_foot f;
	struct digest sum;

	memcpy(&f, x->map + x->size - sizeof f, sizeof f);
	if (f.magic != MAGIC || f.ndirs > x->size / sizeof(struct disk_dir) ||
		!statcache_in_range(x, f.dirs, f.dirs + f.ndirs * sizeof(struct disk_dir)))
		return false;
	sha256_of(x->map, x->size - sizeof f.sum, &sum);
	if (!sha256_equal(&sum, &f.sum))
		return false;
	x->dirs = (const struct disk_dir *)(const void *)(x->map + f.dirs);
	x->ndirs = (size_t)f.ndirs;
	x->written = f.written;
	for (size_t i = 0; i < x->ndirs; i++)
		if (!good_dir(x, &x->dirs[i]))
			return false;
	return true;
}

struct statcache *statcache_open(struct store *s, const struct digest *id)
{
	char name[sizeof STATCACHE_DIR + DIGEST_HEX];
	struct stat st;
	auto_fd int fd = openat(
		store_bld_fd(s), statcache_name_of(id, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size > STATCACHE_SIZE_MAX ||
		(uint64_t)st.st_size < sizeof(struct disk_foot) || st.st_size % ALIGN)
		return NULL;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	struct statcache *x = mem_alloc(sizeof *x);
	x->map = map;
	x->size = (size_t)st.st_size;
	if (statcache_check(x))
		return x;
	statcache_close(x);
	return NULL;
}

void statcache_close(struct statcache *x)
{
	if (!x)
		return;
	munmap((void *)(uintptr_t)x->map, x->size);
	free(x);
}

size_t statcache_ndirs(const struct statcache *x)
{
	return x->ndirs;
}

static const char *path_at(const struct statcache *x, size_t i)
{
	return (const char *)x->map + x->dirs[i].path;
}

void statcache_dir_at(const struct statcache *x, size_t i, struct statcache_dir *d)
{
	*d = (struct statcache_dir){.path = path_at(x, i),
		.at = x->map + x->dirs[i].at,
		.end = x->map + x->dirs[i].end,
		.written = x->written};
	statcache_next(d);
}

bool statcache_find_dir(const struct statcache *x, const char *path, struct statcache_dir *d)
{
	size_t lo = 0, hi = x->ndirs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(path_at(x, mid), path);
		if (c == 0) {
			statcache_dir_at(x, mid, d);
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

void statcache_next(struct statcache_dir *d)
{
	struct disk_entry e;
	size_t left = (size_t)(d->end - d->at);

	d->name = NULL;
	if (left < sizeof e)
		return;
	memcpy(&e, d->at, sizeof e);
	size_t whole = (sizeof e + e.name_len + ALIGN) / ALIGN * ALIGN; /* with the NUL */
	const char *name = (const char *)d->at + sizeof e;
	if (whole > left || memchr(name, '\0', (size_t)e.name_len + 1) != name + e.name_len)
		return;
	d->name = name;
	d->at += whole;
	d->e = (struct statcache_entry){.size = e.size,
		.mtime = e.mtime,
		.ctime = e.ctime,
		.ino = e.ino,
		.dev = e.dev,
		.mode = e.mode,
		.xattrs = e.xattrs,
		.digest = e.digest};
}

bool statcache_seek(struct statcache_dir *d, const char *name)
{
	int c = -1;

	while (d->name && (c = strcmp(d->name, name)) < 0)
		statcache_next(d);
	/* Recorded by a clock that was ahead: not to be believed. */
	return d->name && c == 0 && statcache_settled(&d->e, d->written);
}

/* --- writing ------------------------------------------------------------------------------- */

struct statcache_writer {
	struct store *s; /* borrowed */
	struct digest id;
	char temp[FS_TEMP_NAME];
	int fd;
	bool failed;
	uint64_t size;         /* bytes so far */
	struct hashpipe *pipe; /* owned */
	struct disk_dir *dirs; /* owned; at == end: an empty one */
	const char **paths;    /* owned array */
	size_t ndirs;
	size_t cap_dirs;
	size_t npaths;
	size_t cap_paths;
};

static int statcache_put_out(void *ctx, const void *p, size_t n, struct err **err)
{
	struct statcache_writer *w = ctx;

	return fs_write_all(w->fd, p, n) < 0 ? err_sys(err, "store %s: index", store_root(w->s))
					     : 0;
}

static void statcache_put(struct statcache_writer *w, const void *p, size_t n)
{
	if (w->size > STATCACHE_SIZE_MAX)
		w->failed = true;
	w->failed = w->failed || hashpipe_put(w->pipe, p, n, NULL) < 0;
	w->size += n;
}

static void statcache_put_text(struct statcache_writer *w, const char *text, size_t len)
{
	static const char zeros[ALIGN];

	statcache_put(w, text, len);
	statcache_put(w, zeros, ALIGN - len % ALIGN);
}

struct statcache_writer *statcache_writer_new(
	struct store *s, const struct digest *id, struct err **err)
{
	struct statcache_writer *w = mem_alloc(sizeof *w);

	w->s = s;
	w->id = *id;
	fs_temp_name(w->temp, sizeof w->temp, "index");
	w->fd = fs_openat(store_tmp_fd(s), w->temp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (w->fd < 0) {
		err_sys(err, "store %s: temporary file", store_root(s));
		free(w);
		return NULL;
	}
	w->pipe = hashpipe_new((struct io_writer){.write = statcache_put_out, .ctx = w}, true);
	return w;
}

void statcache_writer_free(struct statcache_writer *w)
{
	if (!w)
		return;
	int saved = errno;
	if (*w->temp)
		fs_unlinkat(store_tmp_fd(w->s), w->temp, 0);
	hashpipe_free(w->pipe);
	close(w->fd);
	free(w->dirs);
	free(w->paths);
	free(w);
	errno = saved;
}

static void end_dir(struct statcache_writer *w)
{
	if (w->ndirs)
		w->dirs[w->ndirs - 1].end = w->size;
}

void statcache_writer_dir(struct statcache_writer *w, const char *path)
{
	size_t len = strlen(path);

	end_dir(w);
	MEM_PUSH(w->paths, w->npaths, w->cap_paths) = path;
	MEM_PUSH(w->dirs, w->ndirs, w->cap_dirs) =
		(struct disk_dir){.path = w->size, .path_len = len};
	statcache_put_text(w, path, len);
	w->dirs[w->ndirs - 1].at = w->size;
}

void statcache_writer_add(
	struct statcache_writer *w, const char *name, const struct statcache_entry *e)
{
	size_t len = strlen(name);
	struct disk_entry d = {.size = e->size,
		.mtime = e->mtime,
		.ctime = e->ctime,
		.ino = e->ino,
		.dev = e->dev,
		.mode = e->mode,
		.xattrs = (uint16_t)(e->xattrs != 0),
		.name_len = (uint16_t)len,
		.digest = e->digest};

	if (len > UINT16_MAX - ALIGN)
		return;
	statcache_put(w, &d, sizeof d);
	statcache_put_text(w, name, len);
}

struct sorted {
	const char *path;
	struct disk_dir d;
};

static int statcache_path_cmp(const void *a, const void *b)
{
	return strcmp(((const struct sorted *)a)->path, ((const struct sorted *)b)->path);
}

static void put_table(struct statcache_writer *w)
{
	auto_free struct sorted *v = mem_array(w->ndirs + 1, sizeof *v);

	for (size_t i = 0; i < w->ndirs; i++)
		v[i] = (struct sorted){w->paths[i], w->dirs[i]};
	qsort(v, w->ndirs, sizeof *v, statcache_path_cmp);
	for (size_t i = 0; i < w->ndirs; i++)
		statcache_put(w, &v[i].d, sizeof v[i].d);
}

static int statcache_publish(struct statcache_writer *w, struct err **err)
{
	char name[sizeof STATCACHE_DIR + DIGEST_HEX];
	int bld = store_bld_fd(w->s);

	if (fs_mkdirs(bld, STATCACHE_DIR, 0700) < 0 ||
		fs_renameat(store_tmp_fd(w->s), w->temp, bld, statcache_name_of(&w->id, name)) < 0)
		return err_sys(err, "store %s: index", store_root(w->s));
	*w->temp = '\0';
	return 0;
}

int statcache_writer_commit(struct statcache_writer *w, struct err **err)
{
	struct disk_foot f = {.magic = MAGIC, .ndirs = w->ndirs, .written = statcache_clock()};

	end_dir(w);
	f.dirs = w->size;
	put_table(w);
	statcache_put(w, &f, sizeof f - sizeof f.sum);
	if (w->failed || w->size > STATCACHE_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "the index of the context cannot be written");
	if (hashpipe_finish(w->pipe, &f.sum, err) < 0)
		return -1;
	if (fs_write_all(w->fd, &f.sum, sizeof f.sum) < 0)
		return err_sys(err, "store %s: index", store_root(w->s));
	return statcache_publish(w, err);
}

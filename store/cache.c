// SPDX-License-Identifier: Apache-2.0
/*
 * Record file, version 1: "bld-cache 1 HEX LEN\n", then LEN bytes of value, whose sha256 is HEX.
 * The time of last use is the file's mtime.
 */
#include "store/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"

#define HEAD     "bld-cache 1 "
#define HEAD_MAX ((size_t)256)
/* Seconds by which the time of last use may be behind: a write for every lookup costs more than
 * the lookup. */
#define TOUCH_AFTER 600

/* The value inside a record's bytes, or NULL when it is damaged. */
static char *unwrap(const struct buf *b, size_t *len)
{
	struct digest want, got;
	const char *p = b->data + strlen(HEAD), *end = memchr(b->data, '\n', b->len);

	if (!end || strncmp(b->data, HEAD, strlen(HEAD)) != 0 || end < p + DIGEST_HEX ||
		sha256_parse_hex(p, DIGEST_HEX - 1, &want) < 0)
		return NULL;
	const char *value = end + 1;
	size_t n = b->len - (size_t)(value - b->data);
	auto_free char *length = mem_strndup(p + DIGEST_HEX, (size_t)(end - p) - DIGEST_HEX);
	auto_free char *expect = mem_printf("%zu", n);
	sha256_of(value, n, &got);
	if (p[DIGEST_HEX - 1] != ' ' || strcmp(length, expect) != 0 || !sha256_equal(&want, &got))
		return NULL;
	char *out = mem_alloc(n + 1);
	memcpy(out, value, n);
	*len = n;
	return out;
}

static int cache_load(struct store *s, const char *hex, bool touch, char **value, size_t *len,
	int64_t *used, struct err **err)
{
	struct stat st;
	auto_buf struct buf b = {0};
	auto_err struct err *problem = NULL;
	auto_fd int fd = fs_openat(store_dir(s, STORE_CACHE), hex, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : err_sys(err, "cache record %s", hex);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "cache record %s", hex);
	if (!S_ISREG(st.st_mode) ||
		fs_read_fd(fd, CACHE_VALUE_MAX + HEAD_MAX, "cache record", &b, &problem) < 0) {
		if (problem && !err_is_verdict(problem))
			return err_set(err, ERR_SYS, "%s %s", err_text(problem), hex);
		return 0;
	}
	char *v = unwrap(&b, len);
	if (!v)
		return 0;
	if (touch && now_seconds() - st.st_mtime > TOUCH_AFTER)
		futimens(fd,
			(const struct timespec[]){{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}});
	if (used)
		*used = st.st_mtime;
	*value = v;
	return 1;
}

int cache_find(
	struct store *s, const struct digest *key, char **value, size_t *len, struct err **err)
{
	char hex[DIGEST_HEX];
	size_t n;
	int r = cache_load(s, sha256_hex(key, hex), true, value, &n, NULL, err);

	if (r == 1 && len)
		*len = n;
	return r;
}

/* Does the record stand there as it is? If not, the way is free: a rename over a file makes ext4
 * write out the new one at once, and a record that is missing for a moment harms nobody. */
static bool stands(struct store *s, const char *hex, const struct buf *want)
{
	auto_buf struct buf b = {0};
	int dir = store_dir(s, STORE_CACHE);
	auto_fd int fd = fs_openat(dir, hex, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return false;
	if (fs_read_fd(fd, CACHE_VALUE_MAX + HEAD_MAX, hex, &b, NULL) == 0 && b.len == want->len &&
		memcmp(b.data, want->data, b.len) == 0) {
		futimens(fd,
			(const struct timespec[]){{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}});
		return true;
	}
	unlinkat(dir, hex, 0);
	return false;
}

static int cache_wrap(const void *value, size_t len, struct buf *out, struct err **err)
{
	struct digest sum;
	char hex[DIGEST_HEX];

	if (len > CACHE_VALUE_MAX)
		return err_set(err, ERR_LIMIT, "cache record of %zu bytes, the limit is %zu", len,
			CACHE_VALUE_MAX);
	buf_init(out, CACHE_VALUE_MAX + HEAD_MAX);
	sha256_of(value, len, &sum);
	buf_addf(out, "%s%s %zu\n", HEAD, sha256_hex(&sum, hex), len);
	buf_add(out, value, len);
	return 0;
}

int cache_put(
	struct store *s, const struct digest *key, const void *value, size_t len, struct err **err)
{
	char hex[DIGEST_HEX];
	auto_buf struct buf b = {0};

	if (cache_wrap(value, len, &b, err) < 0)
		return -1;
	sha256_hex(key, hex);
	if (stands(s, hex, &b))
		return 0;
	return store_write_file(s, store_dir(s, STORE_CACHE), hex, b.data, b.len, false, err);
}

int cache_replace(
	struct store *s, const struct digest *key, const void *value, size_t len, struct err **err)
{
	auto_buf struct buf b = {0};
	char hex[DIGEST_HEX];

	if (cache_wrap(value, len, &b, err) < 0)
		return -1;
	fs_unlinkat(store_dir(s, STORE_CACHE), sha256_hex(key, hex), 0); /* see stands() */
	return store_write_file(s, store_dir(s, STORE_CACHE), hex, b.data, b.len, false, err);
}

int cache_drop(struct store *s, const struct digest *key)
{
	char hex[DIGEST_HEX];

	return fs_unlinkat(store_dir(s, STORE_CACHE), sha256_hex(key, hex), 0) < 0 &&
			       errno != ENOENT
		       ? -1
		       : 0;
}

int cache_lock(struct store *s, const struct digest *key, bool try_only, struct err **err)
{
	return store_lock(s, STORE_LOCK_KEY, key, !try_only, err);
}

int cache_each(struct store *s,
	int (*fn)(void *ctx, const struct digest *key, const char *value, size_t len, int64_t used,
		struct err **err),
	void *ctx, struct err **err)
{
	DIR *d = fs_opendir(store_dir(s, STORE_CACHE), ".");
	const struct dirent *e;
	int r = 0, more = 1;

	if (!d)
		return err_sys(err, "store %s: bld/cache", store_root(s));
	while (r >= 0 && (more = fs_readdir(d, &e)) == 1) {
		struct digest key;
		char *value = NULL;
		size_t len = 0;
		int64_t used = 0;
		if (sha256_parse_hex(e->d_name, strlen(e->d_name), &key) < 0)
			continue;
		r = cache_load(s, e->d_name, false, &value, &len, &used, err);
		/* A damaged record is shown as one without a value: gc and verify drop it. */
		if (r >= 0)
			r = fn(ctx, &key, value, len, used, err);
		free(value);
	}
	if (more < 0)
		r = err_sys(err, "store %s: bld/cache", store_root(s));
	closedir(d);
	return r < 0 ? -1 : 0;
}

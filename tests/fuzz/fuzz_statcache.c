// SPDX-License-Identifier: Apache-2.0
/*
 * The file of the stat index, with its checksum made right: refused, or every directory and record
 * in it can be read and looked up. The second time with offsets cut to the size of the file, so
 * that more of them point into it.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "store/base/sha256.h"
#include "store/statcache.h"
#include "tests/fuzz/fuzzkit.h"

#define FOOT     64 /* magic, table, count, time, sum */
#define DIR_SIZE 32 /* path, begin, end, length of the path */

static void read_all(struct store *s, const struct digest *id)
{
	struct statcache *x = statcache_open(s, id);
	size_t total = 0;

	for (size_t i = 0; x && i < statcache_ndirs(x); i++) {
		struct statcache_dir d, again;
		statcache_dir_at(x, i, &d);
		(void)statcache_find_dir(x, d.path, &again);
		for (; d.name; statcache_next(&d))
			total += strlen(d.name) + d.e.digest.b[31];
		statcache_dir_at(x, i, &d);
		(void)statcache_seek(&d, "b");
	}
	fuzz_must(total < SIZE_MAX);
	statcache_close(x);
}

static void one(struct store *s, uint8_t *p, size_t n)
{
	struct digest id, sum;
	char hex[DIGEST_HEX], name[DIGEST_HEX + 16];

	sha256_of("x", 1, &id);
	snprintf(name, sizeof name, STATCACHE_DIR "/%s", sha256_hex(&id, hex));
	if (n >= FOOT) {
		memcpy(p + n - FOOT, "bldIndx1", 8);
		sha256_of(p, n - sizeof sum, &sum);
		memcpy(p + n - sizeof sum, &sum, sizeof sum);
	}
	(void)mkdirat(store_bld_fd(s), STATCACHE_DIR, 0700);
	int fd = openat(store_bld_fd(s), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fuzz_must(fd >= 0 && fs_write_all(fd, p, n) == 0);
	close(fd);
	read_all(s, &id);
}

/* An offset that is a multiple of 8 and inside. */
static void aim(uint8_t *at, size_t n)
{
	uint64_t v;
	memcpy(&v, at, sizeof v);
	v = v % (n + 1) / 8 * 8;
	memcpy(at, &v, sizeof v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + 1);
	uint64_t table, many = 0;

	fuzz_must(p != NULL);
	if (size)
		memcpy(p, data, size);
	one(fuzz_store(), p, size);
	if (size >= FOOT + DIR_SIZE && size % 8 == 0) {
		uint8_t *foot = p + size - FOOT;
		aim(foot + 8, size - FOOT - DIR_SIZE);
		memcpy(&table, foot + 8, sizeof table);
		many = (size - FOOT - table) / DIR_SIZE;
		many = many > 3 ? 3 : many;
		memcpy(foot + 16, &many, sizeof many);
		for (uint64_t i = 0; i < 4 * many; i++)
			aim(p + table + 8 * i, size - FOOT);
		one(fuzz_store(), p, size);
	}
	free(p);
	return 0;
}

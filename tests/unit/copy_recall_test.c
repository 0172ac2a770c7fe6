// SPDX-License-Identifier: Apache-2.0
/*
 * Files stated beside the walk: the same is learnt by one thread and by several, and of several
 * files that cannot be looked at the first one of the walk is told.
 */
#include "tests/unit/copy_kit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "builder/copy/pool.h"
#include "builder/copy/recall.h"
#include "builder/copy/selection.h"
#include "store/statcache.h"
#include "tests/support/storedir.h"

#define DIRS  6
#define FILES 1500 /* of each: two pieces */

static const struct digest id = {{7}};

struct context {
	char path[40];
	int fd[DIRS];
	struct statcache *index;
};

/* Mass creations do not belong on the disk where there is a tmpfs. */
static void make(struct context *c, struct store *s)
{
	auto_statcache_writer struct statcache_writer *w = statcache_writer_new(s, &id, NULL);
	struct stat st;
	char name[32];

	strcpy(c->path, "/dev/shm/bld-recall.XXXXXX");
	if (!mkdtemp(c->path)) {
		strcpy(c->path, "/tmp/bld-recall.XXXXXX");
		assert_non_null(mkdtemp(c->path));
	}
	static char dirs[DIRS][16]; /* the writer borrows them */
	auto_fd int top = open(c->path, O_RDONLY | O_DIRECTORY);
	for (int d = 0; d < DIRS; d++) {
		snprintf(dirs[d], sizeof dirs[d], "d%d", d);
		assert_int_equal(mkdirat(top, dirs[d], 0700), 0);
		c->fd[d] = openat(top, dirs[d], O_RDONLY | O_DIRECTORY);
		assert_true(c->fd[d] >= 0);
		statcache_writer_dir(w, dirs[d]);
		for (int i = 0; i < FILES; i++) {
			snprintf(name, sizeof name, "f%04d", i);
			auto_fd int fd = openat(c->fd[d], name, O_WRONLY | O_CREAT, 0640);
			assert_int_equal(write(fd, name, 5), 5);
			assert_int_equal(fstat(fd, &st), 0);
			struct statcache_entry e;
			statcache_of(&st, &e);
			e.digest = (struct digest){{(uint8_t)d, (uint8_t)i, (uint8_t)(i >> 8)}};
			if (i % 7 == 0)
				e.size++; /* known as something else */
			statcache_writer_add(w, name, &e);
		}
	}
	struct timespec tick = {.tv_nsec = 30000000};
	nanosleep(&tick, NULL); /* times that the index believes */
	assert_int_equal(statcache_writer_commit(w, NULL), 0);
	c->index = statcache_open(s, &id);
	assert_non_null(c->index);
}

static void done(struct context *c)
{
	statcache_close(c->index);
	for (int d = 0; d < DIRS; d++)
		close(c->fd[d]);
	kit_remove(c->path);
}

static struct copy_file *list(struct context *c, struct copy_pool *pool, int d)
{
	struct copy_file *dir = copy_pool_alloc(pool, sizeof *dir);
	struct stat st;
	char name[32];

	assert_int_equal(fstat(c->fd[d], &st), 0);
	dir->type = LAYER_DIR;
	snprintf(name, sizeof name, "d%d", d);
	dir->name = copy_pool_strdup(pool, name);
	copy_file_extra(dir, pool)->path = dir->name;
	dir->x->dev = (uint64_t)st.st_dev;
	dir->child = copy_pool_array(pool, FILES, sizeof *dir->child);
	for (int i = 0; i < FILES; i++) {
		struct copy_file *f = &dir->child[dir->nchild++];
		snprintf(name, sizeof name, "f%04d", i);
		f->name = copy_pool_strdup(pool, name);
		f->parent = dir;
		f->type = LAYER_FILE;
		f->content = COPY_CONTENT_DIR;
	}
	return dir;
}

/* Recall all directories; what was learnt is checked. The file that failed, as number, or -1. */
static int recall(struct context *c, int *e)
{
	struct copy_pool pool = {.head = NULL};
	struct copy_file *dirs[DIRS];
	struct copy_recall *r = copy_recall_new(&pool);
	int at = -1;

	for (int d = 0; d < DIRS; d++) {
		struct statcache_dir known;
		dirs[d] = list(c, &pool, d);
		assert_true(statcache_find_dir(c->index, dirs[d]->name, &known));
		copy_recall_dir(r, c->fd[d], dirs[d], &known);
	}
	const struct copy_file *failed = copy_recall_finish(r);
	*e = errno;
	for (int d = 0; d < DIRS; d++) {
		if (failed && failed->parent == dirs[d])
			at = d * FILES + (int)(failed - dirs[d]->child);
		for (int i = 0; !failed && i < FILES; i++) {
			const struct copy_file *f = &dirs[d]->child[i];
			assert_int_equal(f->state, i % 7 ? COPY_KNOWN : COPY_UNREAD);
			if (i % 7 == 0)
				continue;
			assert_true(f->settled && f->stated);
			assert_int_equal(f->size, 5);
			assert_int_equal(f->mode, 0640);
			assert_int_equal(f->digest.b[0], d);
			assert_int_equal(f->digest.b[1] | f->digest.b[2] << 8, i);
		}
	}
	copy_pool_clear(&pool);
	return at;
}

static void on_one_cpu(bool one, cpu_set_t *before)
{
	if (!one) {
		sched_setaffinity(0, sizeof *before, before);
		return;
	}
	cpu_set_t set;
	assert_int_equal(sched_getaffinity(0, sizeof *before, before), 0);
	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&set); i++)
		if (CPU_ISSET(i, before))
			CPU_SET(i, &set);
	assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
}

static void remove_one(struct context *c, int at)
{
	char name[32];

	snprintf(name, sizeof name, "f%04d", at % FILES);
	assert_int_equal(unlinkat(c->fd[at / FILES], name, 0), 0);
}

static void test_recall(void **state)
{
	static const int gone[] = {
		5 * FILES + 3, 4 * FILES + 1400, 4 * FILES + 1399, 2 * FILES, 10};
	struct storedir *sd = *state;
	struct context c;
	cpu_set_t before;
	int e;

	make(&c, sd->s);
	for (size_t i = 0; i <= ARRAY_LEN(gone); i++) {
		int first = i ? gone[i - 1] : -1;
		for (int one = 0; one < 2; one++) {
			if (one)
				on_one_cpu(true, &before);
			assert_int_equal(recall(&c, &e), first);
			if (first >= 0)
				assert_int_equal(e, ENOENT);
			if (one)
				on_one_cpu(false, &before);
		}
		if (i < ARRAY_LEN(gone))
			remove_one(&c, gone[i]);
	}
	done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_recall, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

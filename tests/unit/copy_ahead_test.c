// SPDX-License-Identifier: Apache-2.0
/*
 * Files read ahead: entries come back in their order, with the content that the file had, or
 * without; whatever the number of threads.
 */
#include "tests/unit/copy_kit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/copy/ahead.h"
#include "builder/copy/pool.h"
#include "builder/copy/selection.h"

#define FILES 1200

/* What the i-th file holds: among those that are read some are empty, and some as large as is read
 * ahead at most. */
static const char *content_of(int i, size_t *n)
{
	static char text[COPY_AHEAD_BYTES + 1];

	*n = i % 50 == 7 ? 0 : i % 50 == 9 ? COPY_AHEAD_BYTES : (size_t)i * 7 % 20000 + 1;
	memset(text, 'a' + i % 26, *n);
	return text;
}

struct seen {
	int fd;
	int next;
	int read;    /* with content */
	int fail_at; /* -1: never */
	struct copy_file *files;
};

static int come_back(void *ctx, struct layer_entry *e, struct copy_file *f, uint32_t source,
	const struct copy_got *got, struct err **err)
{
	struct seen *s = ctx;
	char name[32];
	size_t n;

	if (s->next == s->fail_at)
		return err_set(err, ERR_BUILD, "as asked");
	snprintf(name, sizeof name, "f%04d", s->next);
	assert_string_equal(e->path, name);
	assert_int_equal(source, s->next);
	assert_ptr_equal(f, s->next % 10 == 3 ? NULL : &s->files[s->next]);
	if (got) {
		const char *want = content_of(s->next, &n);
		s->read++;
		assert_non_null(f);
		assert_int_not_equal(s->next % 50, 9); /* too large */
		assert_int_not_equal(s->next, 500);    /* gone */
		assert_int_not_equal(s->next, 501);    /* with attributes */
		assert_int_not_equal(s->next, 502);    /* a FIFO */
		assert_int_equal(got->st.st_size, n);
		assert_memory_equal(got->data, want, n);
	}
	s->next++;
	return 0;
}

static void fill(int fd, struct copy_pool *pool, struct seen *s)
{
	struct copy_file *dir = copy_pool_alloc(pool, sizeof *dir);
	char name[32];
	size_t n;

	dir->type = LAYER_DIR;
	copy_file_extra(dir, pool)->path = "";
	s->files = copy_pool_array(pool, FILES, sizeof *s->files);
	for (int i = 0; i < FILES; i++) {
		struct copy_file *f = &s->files[i];
		snprintf(name, sizeof name, "f%04d", i);
		struct layer_entry e = {.path = name, .mem = content_of(i, &n)};
		e.size = n;
		kit_put_file(fd, &e);
		f->name = copy_pool_strdup(pool, name);
		f->parent = dir;
		f->type = LAYER_FILE;
		f->content = COPY_CONTENT_DIR;
	}
	assert_int_equal(unlinkat(fd, "f0500", 0), 0);
	auto_fd int with = openat(fd, "f0501", O_WRONLY);
	if (fsetxattr(with, "user.x", "1", 1, 0) < 0)
		assert_int_equal(unlinkat(fd, "f0501", 0), 0);
	assert_int_equal(unlinkat(fd, "f0502", 0), 0);
	assert_int_equal(mkfifoat(fd, "f0502", 0600), 0);
}

/* Like copy_write: put all, flush. */
static int put_all(struct copy_selection *sel, struct seen *s, struct err **err)
{
	struct copy_ahead *a = copy_ahead_new(sel, come_back, s);
	char name[32];
	int rc = 0;

	for (int i = 0; rc == 0 && i < FILES; i++) {
		struct layer_entry e = {.path = name, .type = LAYER_FILE, .fd = -1};
		snprintf(name, sizeof name, "f%04d", i);
		rc = copy_ahead_put(a, &e, i % 10 == 3 ? NULL : &s->files[i], (uint32_t)i, err);
		memset(name, 'x', sizeof name - 1);
	}
	if (rc == 0)
		rc = copy_ahead_flush(a, err);
	copy_ahead_free(a);
	return rc;
}

static void test_ahead(void **state)
{
	static const int fail_at[] = {-1, -1, -1, 0, 300, FILES - 1};
	struct kit_dir d = kit_temp();
	struct copy_selection sel = {.dir_fd = d.fd};
	struct copy_pool pool = {.head = NULL};
	struct seen s = {.fd = d.fd};
	cpu_set_t before, one;

	(void)state;
	fill(d.fd, &pool, &s);
	for (size_t i = 0; i < ARRAY_LEN(fail_at); i++) {
		s.next = s.read = 0;
		s.fail_at = fail_at[i];
		if (s.fail_at < 0) {
			assert_ok(put_all(&sel, &s, err));
			assert_int_equal(s.next, FILES);
			assert_in_range(s.read, 0, FILES - COPY_AHEAD_FROM);
		} else {
			assert_fails(put_all(&sel, &s, err), ERR_BUILD, "as asked");
			assert_int_equal(s.next, s.fail_at);
		}
	}
	assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	s.next = s.read = 0;
	s.fail_at = -1;
	assert_ok(put_all(&sel, &s, err));
	assert_int_equal(s.next, FILES);
	assert_int_equal(s.read, 0); /* nobody could read ahead */
	sched_setaffinity(0, sizeof before, &before);
	copy_pool_clear(&pool);
	kit_temp_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ahead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The process that sandboxes are cloned from, and the memory that it shares. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdlib.h>

#include "builder/sandbox/cgroups.h"
#include "builder/sandbox/forker.h"
#include "builder/sandbox/kernel.h"
#include "builder/sandbox/runner.h"
#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

#define LARGE ((size_t)64 << 20)

#define BLOCKS 200
#define BLOCK  ((size_t)64 << 10) /* small enough to lie on the heap */

struct endpoint {
	struct forker f;
	char *large;
	void *heap[BLOCKS]; /* so that the heap, and this with it, is large memory too */
};

static int setup(void **state)
{
	struct endpoint *p = mem_alloc(sizeof *p);
	struct err *err = NULL;
	struct cgroups none;

	for (size_t i = 0; i < BLOCKS; i++)
		p->heap[i] = mem_alloc(BLOCK);
	p->large = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p->large, MAP_FAILED);
	memset(p->large, 1, LARGE);
	assert_int_equal(forker_init(&p->f, &err), 0);
	cgroups_init(&none);
	assert_int_equal(forker_start(&p->f, &none), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct endpoint *p = *state;

	forker_clear(&p->f);
	munmap(p->large, LARGE);
	for (size_t i = 0; i < BLOCKS; i++)
		free(p->heap[i]);
	free(p);
	return 0;
}

static int wait_status(const struct forker_child *c)
{
	siginfo_t info = {0};

	assert_int_equal(waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | __WALL), 0);
	close(c->pidfd);
	return info.si_status;
}

struct asked {
	void *large;
	int fd;
	pid_t parent;
	char answer[64];
};

/* In the child. */
static void look_around(void *arg)
{
	struct asked *a = arg;
	unsigned char there;
	struct stat sb;

	a->answer[0] = mincore(a->large, 4096, &there) < 0 ? 'n' : 'y';
	a->answer[1] = fstat(a->fd, &sb) == 0 ? 'y' : 'n';
	a->answer[2] = getppid() == a->parent ? 'y' : 'n';
	_exit(42);
}

/* What was opened after the forker was made is there, the large memory is not. */
static void test_clone(void **state)
{
	struct endpoint *p = *state;
	struct asked *a = forker_take_region(&p->f);
	struct forker_child child;
	int fds[2];

	assert_non_null(a);
	assert_int_equal(pipe(fds), 0);
	*a = (struct asked){p->large, fds[0], getpid(), ""};
	assert_int_equal(forker_clone(&p->f, look_around, a, 0, &child), 0);
	assert_int_equal(wait_status(&child), 42);
	assert_string_equal(a->answer, KERNEL_SANITIZED ? "yyy" : "nyy");
	assert_int_equal(p->large[LARGE - 1], 1);
	close(fds[0]);
	close(fds[1]);
	forker_return_region(&p->f, a, sizeof *a);
}

static bool all_zero(const char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static void test_regions(void **state)
{
	struct endpoint *p = *state;
	char *v[FORKER_REGIONS];
	const size_t small = 1000, large = (size_t)1 << 20;

	for (size_t i = 0; i < FORKER_REGIONS; i++) {
		v[i] = forker_take_region(&p->f);
		assert_non_null(v[i]);
		assert_true(all_zero(v[i], large));
	}
	assert_null(forker_take_region(&p->f));
	memset(v[3], 1, small);
	forker_return_region(&p->f, v[3], small);
	memset(v[5], 1, large);
	forker_return_region(&p->f, v[5], large);
	assert_ptr_equal(forker_take_region(&p->f), v[3]);
	assert_ptr_equal(forker_take_region(&p->f), v[5]);
	assert_true(all_zero(v[3], large));
	assert_true(all_zero(v[5], large));
	for (size_t i = 0; i < FORKER_REGIONS; i++)
		forker_return_region(&p->f, v[i], 0);
}

/* The kernel may kill it for its memory: an error, nobody waits for ever. */
static void test_killed(void **state)
{
	struct endpoint *p = *state;
	struct asked *a = forker_take_region(&p->f);
	struct forker_child child;

	assert_int_equal(pidfd_send_signal(p->f.pidfd, SIGKILL, NULL, 0), 0);
	assert_int_equal(forker_clone(&p->f, look_around, a, 0, &child), -1);
	assert_int_equal(errno, ESRCH);
	forker_return_region(&p->f, a, sizeof *a);
}

/* More than fits into a region is refused before anything is made. */
static void test_too_large(void **state)
{
	struct box b;
	struct box_run r;
	struct err *err = NULL;
	struct sandbox_mount m = {
		.kind = SANDBOX_MOUNT_FILE, .target = "/f", .source_fd = -1, .mode = 0600};
	int out = -1;

	(void)state;
	sandbox_box_init(&b);
	sandbox_box_prepare(&b, &r, "wc -c </f");
	m.len = runner_forker(b.runner)->size - ((size_t)1 << 20);
	m.data = mem_alloc(m.len);
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	sandbox_box_run(&b, &r);
	assert_int_equal(strtoul(r.text, NULL, 10), m.len);
	sandbox_box_done(&r);
	free((void *)(uintptr_t)m.data);
	sandbox_box_prepare(&b, &r, "wc -c </f");
	m.len = runner_forker(b.runner)->size;
	m.data = mem_alloc(m.len);
	r.spec.mounts = &m;
	r.spec.nmounts = 1;
	assert_null(sandbox_box_start(&b, &r, &out, &err));
	assert_int_equal(err_get_kind(err), ERR_LIMIT);
	err_free(err);
	free((void *)(uintptr_t)m.data);
	free(sandbox_box_sh(&b, 0, "true"));
	sandbox_box_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test(test_too_large),
	};
	const char *why = sandbox_box_missing();

	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

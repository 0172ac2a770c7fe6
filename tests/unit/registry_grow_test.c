// SPDX-License-Identifier: Apache-2.0
/* Blobs that are sent while they are made, to Debian's registry and to one that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/transport/growing.h"
#include "store/transport/registry.h"
#include "store/transport/registry_push.h"
#include "tests/support/fake.h"

#define MIB ((uint64_t)1 << 20)
#define UP  "/v2/x/blobs/uploads/"

static struct fake F;

static int teardown(void **state)
{
	(void)state;
	fake_stop(&F);
	return 0;
}

/* What the making thread does: `size` bytes in steps, from `jump` on at once when something was
 * sent, or as soon as the registry is asked for a session; then it ends, well or not. */
struct maker {
	struct growing g;
	int fd;
	uint64_t size, jump;
	bool fails, hurries;
	struct digest digest;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool sent;
};

static void *make(void *arg)
{
	struct maker *m = arg;

	for (uint64_t n = 0; n <= m->size && n <= m->jump; n += MIB)
		if (!growing_moved(&m->g, m->fd, n))
			return NULL;
	pthread_mutex_lock(&m->lock);
	while (m->jump < m->size && !m->sent && !m->hurries)
		pthread_cond_wait(&m->change, &m->lock);
	pthread_mutex_unlock(&m->lock);
	while (m->hurries && fake_count(&F, "\"POST\"", NULL) == 0)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	growing_end(&m->g, m->fails ? NULL : &m->digest, m->size);
	return NULL;
}

static void on_sent(void *ctx, uint64_t sent)
{
	struct maker *m = ctx;

	(void)sent;
	pthread_mutex_lock(&m->lock);
	m->sent = true;
	pthread_cond_signal(&m->change);
	pthread_mutex_unlock(&m->lock);
}

static void start(struct maker *m, uint64_t size, uint64_t jump, bool fails)
{
	unsigned char *mem = mem_alloc(size + 1);

	*m = (struct maker){.size = size, .jump = jump, .fails = fails};
	for (uint64_t i = 0; i < size; i++)
		mem[i] = (unsigned char)(i * 2654435761u >> 13);
	m->fd = memfd_create("blob", MFD_CLOEXEC);
	assert_int_equal(0, fs_write_all(m->fd, mem, size));
	sha256_of(mem, size, &m->digest);
	free(mem);
	growing_init(&m->g);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->change, NULL);
}

static int push(struct maker *m, struct err **err)
{
	struct registry_opts o = {
		.host = F.host, .path = "x", .tls_verify = -1, .push = true, .retries = 3};
	struct registry *r = registry_open(&o, err);
	pthread_t thread;
	int rc;

	assert_non_null(r);
	assert_int_equal(0, pthread_create(&thread, NULL, make, m));
	rc = registry_push_growing(r, 0, &m->g, on_sent, m, err);
	if (rc < 0)
		growing_abandon(&m->g);
	on_sent(m, 0);
	pthread_join(thread, NULL);
	if (rc == 0 || rc == 1)
		assert_int_equal(1, F.other ? 1 : registry_push_has(r, 0, &m->digest, NULL));
	registry_close(r);
	close(m->fd);
	growing_clear(&m->g);
	pthread_cond_destroy(&m->change);
	pthread_mutex_destroy(&m->lock);
	return rc;
}

static void test_docker(void **state)
{
	static const struct {
		uint64_t size, jump;
		bool fails;
		int want;
	} t[] = {
		{0, MIB, false, REGISTRY_PUSH_LATER},
		{REGISTRY_PUSH_PIECE - 1, 99 * MIB, false, REGISTRY_PUSH_LATER},
		{REGISTRY_PUSH_PIECE + 7, REGISTRY_PUSH_PIECE, false, 0},
		{2 * REGISTRY_PUSH_PIECE, REGISTRY_PUSH_PIECE, false, 0},
		{3 * REGISTRY_PUSH_PIECE + 5, REGISTRY_PUSH_PIECE, false, 0},
		/* the registry has it, which is known when it is whole */
		{3 * REGISTRY_PUSH_PIECE + 5, REGISTRY_PUSH_PIECE, false, 1},
		{3 * REGISTRY_PUSH_PIECE + 6, 2 * REGISTRY_PUSH_PIECE, true, REGISTRY_PUSH_LATER},
	};

	(void)state;
	fake_start_docker(&F, NULL, false);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct err *err = NULL;
		struct maker m;

		start(&m, t[i].size, t[i].jump, t[i].fails);
		int rc = push(&m, &err);
		if (rc != t[i].want)
			fail_msg("case %zu: %d %s", i, rc, err ? err_text(err) : "");
		err_free(err);
	}
}

/* Whoever asked sends it whole. */
static void assert_later(struct maker *m)
{
	struct err *err = NULL;
	int rc = push(m, &err);

	if (rc != REGISTRY_PUSH_LATER)
		fail_msg("%d %s", rc, err ? err_text(err) : "");
}

static void test_refused(void **state)
{
	struct maker m;

	(void)state;
	fake_start(&F, "POST 202 'Location: " UP "1'\n"
		       "PATCH 405\n"
		       "DELETE 204");
	start(&m, 20 * MIB, 99 * MIB, false);
	/* A maker that is quicker than we is not sent at all. */
	assert_later(&m);
	start(&m, 20 * MIB, 17 * MIB, false);
	assert_later(&m);
	assert_int_not_equal(0, fake_count(&F, "\"DELETE\"", NULL));
}

/* The layer ends while a session is asked for, so that there is no piece before its rest. */
static void test_refused_at_the_end(void **state)
{
	struct maker m;

	(void)state;
	fake_start(&F, "POST 202 stall=0.2 'Location: " UP "1'\n"
		       "PATCH 405\n"
		       "DELETE 204");
	start(&m, 20 * MIB, 17 * MIB, false);
	m.hurries = true;
	assert_later(&m);
	assert_int_not_equal(0, fake_count(&F, "\"PATCH\"", NULL));
	assert_int_not_equal(0, fake_count(&F, "\"DELETE\"", NULL));
}

static void test_forbidden(void **state)
{
	struct err *err = NULL;
	struct maker m;

	(void)state;
	fake_start(&F, "POST 403");
	start(&m, 40 * MIB, 17 * MIB, false);
	m.sent = true;
	int rc = push(&m, &err);
	/* Made before we looked: nothing was asked. */
	assert_true(rc == REGISTRY_PUSH_LATER || (rc == -1 && err_get_kind(err) == ERR_AUTH));
	err_free(err);
}

/* The connection breaks; the server says how far it got, and gets the rest. */
static void test_broken(void **state)
{
	struct err *err = NULL;
	struct maker m;

	(void)state;
	fake_start(&F, "POST 202 'Location: " UP "1'\n"
		       "PATCH " UP "1 202 n=1 body=abc cut=1\n"
		       "GET " UP "1 204 'Location: " UP "1' 'Range: 0-1048575'\n"
		       "PATCH " UP "1 202 'Location: " UP "1'\n"
		       "PUT " UP "1.digest=.* 201");
	start(&m, 20 * MIB, 16 * MIB, false);
	int rc = push(&m, &err);
	if (rc != 0)
		fail_msg("%d %s", rc, err ? err_text(err) : "");
	assert_int_equal(1, fake_count(&F, "\"Content-Range\": \"1048576-", NULL));
	assert_int_equal(1, fake_count(&F, "\"PUT\"", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_docker, teardown),
		cmocka_unit_test_teardown(test_refused, teardown),
		cmocka_unit_test_teardown(test_refused_at_the_end, teardown),
		cmocka_unit_test_teardown(test_forbidden, teardown),
		cmocka_unit_test_teardown(test_broken, teardown),
	};
	return cmocka_run_group_tests_name("registry_grow", tests, NULL, NULL);
}

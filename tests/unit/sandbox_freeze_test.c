// SPDX-License-Identifier: Apache-2.0
/*
 * What a command passes on over a unix socket cannot change its root any more when sandbox_wait()
 * has returned 0. The test program runs itself inside, and is the receiver outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/sandbox/sandbox.h"
#include "store/base/mem.h"
#include "tests/support/sandbox_box.h"

#define SOCKET "/shared/socket"

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	return a;
}

static int send_fd(int to, int fd)
{
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &m, 0) == 1 ? 0 : -1;
}

static int take_fd(int from)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* --- inside ----------------------------------------------------------------------------------- */

static int choose(const char *what)
{
	int made = open("/file", O_CREAT | O_RDWR | O_CLOEXEC, 0644), fd = -1;

	if (write(made, "mine\n", 5) != 5)
		return -1;
	if (strcmp(what, "root") == 0)
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	else if (strcmp(what, "list") == 0)
		fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else if (strcmp(what, "read") == 0)
		fd = open("/file", O_RDONLY | O_CLOEXEC);
	else if (strcmp(what, "write") == 0)
		fd = open("/file", O_WRONLY | O_CLOEXEC);
	else if (strcmp(what, "append") == 0)
		fd = open("/etc/passwd", O_WRONLY | O_APPEND | O_CLOEXEC);
	else if (strcmp(what, "map") == 0)
		fd = open("/file", O_RDWR | O_CLOEXEC);
	else if (strcmp(what, "nameless") == 0)
		fd = open("/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	else if (strcmp(what, "removed") == 0) {
		fd = open("/file", O_RDONLY | O_CLOEXEC);
		if (unlink("/file") < 0)
			return -1;
	} else if (strcmp(what, "stdout") == 0)
		fd = dup(1);
	close(made);
	return fd;
}

/* Passes it on, waits until the other side has it, and ends well. */
static int probe(const char *what)
{
	struct sockaddr_un a = address(SOCKET);
	int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	char byte;

	fd = choose(strcmp(what, "closed") == 0 || strcmp(what, "queued") == 0 ? "write" : what);
	if (fd < 0 || connect(to, (struct sockaddr *)&a, sizeof a) < 0 || send_fd(to, fd) < 0)
		return 1;
	if (strcmp(what, "queued") == 0)
		return 0; /* nobody has read it */
	return read(to, &byte, 1) == 1 ? 0 : 1;
}

/* --- outside ---------------------------------------------------------------------------------- */

struct passed {
	struct box_self self;
	struct box_run run;
	struct sandbox_job *job;
	int listener, peer, fd, out, shared;
};

/* Run it to where it has passed its descriptor on. */
static void begin(struct box *b, struct passed *p, const char *what)
{
	struct err *err = NULL;
	char *path = mem_printf("%s/shared/socket", b->path);
	struct sockaddr_un a = address(path);

	p->shared = sandbox_box_mkdir(b->dir, "shared", 0755);
	(void)unlink(path);
	free(path);
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	sandbox_box_prepare_self(b, &p->self, &p->run, what);
	p->self.mount[2] = (struct sandbox_mount){
		.kind = SANDBOX_MOUNT_BIND, .target = "/shared", .source_fd = p->shared};
	p->run.spec.nmounts = 3;
	p->run.spec.freeze = true;
	p->job = sandbox_box_start(b, &p->run, &p->out, &err);
	if (!p->job)
		fail_msg("start: %s", err_text(err));
	p->peer = accept(p->listener, NULL, NULL);
	assert_true(p->peer >= 0);
}

static void receive(struct passed *p)
{
	p->fd = take_fd(p->peer);
	assert_true(p->fd >= 0);
}

static int finish(struct passed *p, struct err **err)
{
	(void)!send(p->peer, "x", 1, MSG_NOSIGNAL); /* "queued" does not wait for it */
	return sandbox_wait(p->job, &p->run.res, err);
}

static void done(struct passed *p)
{
	sandbox_box_done_self(&p->self);
	close(p->listener);
	close(p->peer);
	close(p->shared);
	close(p->out);
	if (p->fd >= 0)
		close(p->fd);
}

static void test_places_are_read_only(void **state)
{
	static const char *const kinds[] = {"root", "list"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct passed p = {.fd = -1};
		struct err *err = NULL;

		begin(*state, &p, kinds[i]);
		receive(&p);
		if (finish(&p, &err) < 0)
			fail_msg("%s: %s", kinds[i], err_text(err));
		assert_int_equal(openat(p.fd, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), -1);
		assert_int_equal(errno, EROFS);
		assert_int_equal(openat(p.fd, "file", O_WRONLY | O_CLOEXEC), -1);
		assert_int_equal(errno, EROFS);
		assert_int_equal(fchmodat(p.fd, "file", 04755, 0), -1);
		assert_int_equal(errno, EROFS);
		assert_int_equal(unlinkat(p.fd, "file", 0), -1);
		assert_int_equal(errno, EROFS);
		done(&p);
	}
}

static void test_reading_is_no_matter(void **state)
{
	struct passed p = {.fd = -1};
	struct err *err = NULL;
	char text[8] = "";

	begin(*state, &p, "read");
	receive(&p);
	assert_int_equal(finish(&p, &err), 0);
	assert_int_equal(read(p.fd, text, sizeof text - 1), 5);
	assert_string_equal(text, "mine\n");
	assert_int_equal(fchmod(p.fd, 0600), -1);
	assert_int_equal(errno, EROFS);
	done(&p);
}

static void expect_held(struct box *b, const char *what, const char *file)
{
	struct passed p = {.fd = -1};
	struct err *err = NULL;
	char *process = mem_printf(" is open in process %d (", (int)getpid());

	begin(b, &p, what);
	receive(&p);
	assert_int_equal(finish(&p, &err), -1);
	assert_int_equal(err_get_kind(err), ERR_BUILD);
	if (!strstr(err_text(err), process) || !strstr(err_text(err), file))
		fail_msg("%s: no \"%s\", \"%s\" in: %s", what, file, process, err_text(err));
	free(process);
	err_free(err);
	done(&p);
}

static void test_writers_fail_the_step(void **state)
{
	expect_held(*state, "write", "/file");
	expect_held(*state, "append", "/etc/passwd");
	expect_held(*state, "nameless", "/#");
	expect_held(*state, "removed", "/file (deleted)");
}

static void test_mapping_fails_the_step(void **state)
{
	struct passed p = {.fd = -1};
	struct err *err = NULL;
	char *at;

	begin(*state, &p, "map");
	receive(&p);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0);
	assert_true(at != MAP_FAILED);
	close(p.fd);
	p.fd = -1;
	assert_int_equal(finish(&p, &err), -1);
	assert_non_null(strstr(err_text(err), "mapped"));
	err_free(err);
	munmap(at, 4096);
	done(&p);
}

/* In the queue of a socket, where nothing shows it. */
static void test_queue_fails_the_step(void **state)
{
	struct passed p = {.fd = -1};
	struct err *err = NULL;

	begin(*state, &p, "queued");
	assert_int_equal(finish(&p, &err), -1);
	assert_non_null(strstr(err_text(err), "can still be changed"));
	err_free(err);
	done(&p);
}

/* What is closed in time does no harm, and neither does the output of the step. */
static void test_given_back(void **state)
{
	static const char *const kinds[] = {"closed", "stdout"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct passed p = {.fd = -1};
		struct err *err = NULL;

		begin(*state, &p, kinds[i]);
		receive(&p);
		if (i == 0) {
			close(p.fd);
			p.fd = -1;
		}
		if (finish(&p, &err) < 0)
			fail_msg("%s: %s", kinds[i], err_text(err));
		assert_int_equal(p.run.res.exit_code, 0);
		done(&p);
	}
}

static bool fspick_missing(void)
{
	return fspick(-1, "", FSPICK_EMPTY_PATH) < 0 && (errno == ENOSYS || errno == EPERM);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_read_only),
		cmocka_unit_test(test_reading_is_no_matter),
		cmocka_unit_test(test_writers_fail_the_step),
		cmocka_unit_test(test_mapping_fails_the_step),
		cmocka_unit_test(test_queue_fails_the_step),
		cmocka_unit_test(test_given_back),
	};
	const char *why = sandbox_box_missing();

	if (argc == 3 && strcmp(argv[1], "--probe") == 0)
		return probe(argv[2]);
	if (!why && fspick_missing())
		why = "fspick is not known here, or refused";
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, sandbox_box_setup, sandbox_box_teardown);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * One thread, one poll. A connection has one request under way: it is read whole, answered or
 * passed on, and only when its answer is out the next one is read.
 */
#include "builder/secrets/sshproxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/thread.h"
#include "store/store.h"

#define SOCKET_NAME  "s"
#define HEAD         4 /* bytes of a length */
#define LIST_KEYS    11
#define SIGN         13
#define FAILURE      5
#define FIXED_POLLED 2 /* wake, listen */

struct connection {
	int client;             /* owned; -1 = free */
	int agent;              /* owned */
	bool asked;             /* the agent is to answer; else the client to ask */
	unsigned char *message; /* owned, HEAD + SSHPROXY_MESSAGE_MAX bytes */
	size_t have;
};

struct sshproxy {
	struct store *s;
	const struct sshagent *agent;
	char temp[64];
	int dir;     /* owned */
	int listen;  /* owned */
	int path;    /* owned: O_PATH */
	int wake[2]; /* owned: a pipe; closed to end the thread */
	pthread_t thread;
	bool running;
	struct connection c[SSHPROXY_CONNECTIONS];
};

static void hang_up(struct connection *c)
{
	close(c->client);
	close(c->agent);
	free(c->message);
	*c = (struct connection){.client = -1, .agent = -1};
}

static size_t sshproxy_wanted(const struct connection *c)
{
	const unsigned char *p = c->message;

	if (c->have < HEAD)
		return HEAD;
	return HEAD + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

/* Whoever does not read may be waited for, but not longer than the proxy is wanted. */
static bool wait_to_send(const struct sshproxy *p, int fd)
{
	struct pollfd fds[] = {{.fd = p->wake[0], .events = POLLIN}, {.fd = fd, .events = POLLOUT}};

	while (poll(fds, ARRAY_LEN(fds), -1) < 0)
		if (errno != EINTR)
			return false;
	return !fds[0].revents;
}

static bool send_all(const struct sshproxy *p, int fd, const unsigned char *data, size_t n)
{
	while (n) {
		ssize_t w = send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w < 0 && errno == EAGAIN && wait_to_send(p, fd))
			continue;
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		data += w;
		n -= (size_t)w;
	}
	return true;
}

/* A message is complete. */
static bool sshproxy_pass(const struct sshproxy *p, struct connection *c)
{
	static const unsigned char no[] = {0, 0, 0, 1, FAILURE};
	unsigned char type = c->have > HEAD ? c->message[HEAD] : 0;
	size_t n = c->have;

	c->have = 0;
	if (c->asked) {
		c->asked = false;
		return send_all(p, c->client, c->message, n);
	}
	if (type != LIST_KEYS && type != SIGN)
		return send_all(p, c->client, no, sizeof no);
	c->asked = true;
	return send_all(p, c->agent, c->message, n);
}

static bool sshproxy_take(const struct sshproxy *p, struct connection *c)
{
	size_t want = sshproxy_wanted(c);
	ssize_t n = recv(c->asked ? c->agent : c->client, c->message + c->have, want - c->have,
		MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	c->have += (size_t)n;
	want = sshproxy_wanted(c);
	if (want > HEAD + SSHPROXY_MESSAGE_MAX)
		return false;
	return c->have < want || sshproxy_pass(p, c);
}

/* One more than there is room for waits in the queue of the socket. */
static void let_in(struct sshproxy *p, struct connection *c)
{
	c->client = accept4(p->listen, NULL, NULL, SOCK_CLOEXEC);
	if (c->client < 0)
		return;
	c->agent = sshagent_connect(p->agent);
	c->message = mem_grow(NULL, HEAD + SSHPROXY_MESSAGE_MAX, 1);
	if (c->agent < 0)
		hang_up(c);
}

static void *serve(void *arg)
{
	struct sshproxy *p = arg;
	struct pollfd fds[FIXED_POLLED + SSHPROXY_CONNECTIONS];

	for (;;) {
		struct connection *room = NULL;
		fds[0] = (struct pollfd){.fd = p->wake[0], .events = POLLIN};
		for (size_t i = 0; i < SSHPROXY_CONNECTIONS; i++) {
			struct connection *c = &p->c[i];
			fds[FIXED_POLLED + i] = (struct pollfd){
				.fd = c->client < 0 ? -1
				      : c->asked    ? c->agent
						    : c->client,
				.events = POLLIN,
			};
			room = c->client < 0 ? c : room;
		}
		fds[1] = (struct pollfd){.fd = room ? p->listen : -1, .events = POLLIN};
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		for (size_t i = 0; i < SSHPROXY_CONNECTIONS; i++)
			if (fds[FIXED_POLLED + i].revents && !sshproxy_take(p, &p->c[i]))
				hang_up(&p->c[i]);
		if (fds[1].revents)
			let_in(p, room);
	}
}

static int make_socket(
	struct sshproxy *p, uint32_t uid, uint32_t gid, uint32_t mode, struct err **err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	p->dir = store_temp_dir(p->s, p->temp, err);
	if (p->dir < 0)
		return -1;
	/* The store's own path may be longer than an address. */
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", p->dir, SOCKET_NAME);
	p->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->listen < 0 || bind(p->listen, (struct sockaddr *)&at, sizeof at) < 0 ||
		listen(p->listen, SSHPROXY_CONNECTIONS) < 0)
		return err_sys_kind(err, ERR_BUILD, "socket of an ssh mount");
	p->path = openat(p->dir, SOCKET_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (p->path < 0 || fchownat(p->path, "", uid, gid, AT_EMPTY_PATH) < 0 ||
		fs_chmod(p->path, mode) < 0 || pipe2(p->wake, O_CLOEXEC) < 0)
		return err_sys_kind(err, ERR_BUILD, "socket of an ssh mount");
	return 0;
}

static int sshproxy_start_thread(struct sshproxy *p, struct err **err)
{
	int error = thread_start(&p->thread, serve, p);

	p->running = error == 0;
	errno = error;
	return error ? err_sys_kind(err, ERR_BUILD, "thread of an ssh mount") : 0;
}

struct sshproxy *sshproxy_start(struct store *s, const struct sshagent *a, uint32_t uid,
	uint32_t gid, uint32_t mode, struct err **err)
{
	struct sshproxy *p = mem_alloc(sizeof *p);

	*p = (struct sshproxy){
		.s = s, .agent = a, .dir = -1, .listen = -1, .path = -1, .wake = {-1, -1}};
	for (size_t i = 0; i < SSHPROXY_CONNECTIONS; i++)
		p->c[i] = (struct connection){.client = -1, .agent = -1};
	if (make_socket(p, uid, gid, mode, err) == 0 && sshproxy_start_thread(p, err) == 0)
		return p;
	sshproxy_stop(p);
	return NULL;
}

int sshproxy_fd(const struct sshproxy *p)
{
	return p->path;
}

void sshproxy_stop(struct sshproxy *p)
{
	if (!p)
		return;
	if (p->running) {
		close(TAKE_FD(p->wake[1]));
		pthread_join(p->thread, NULL);
	}
	for (size_t i = 0; i < SSHPROXY_CONNECTIONS; i++)
		if (p->c[i].client >= 0)
			hang_up(&p->c[i]);
	const int fds[] = {p->wake[0], p->wake[1], p->listen, p->path, p->dir};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fd_close(fds[i]);
	if (p->dir >= 0)
		fs_remove_tree(store_tmp_fd(p->s), p->temp);
	free(p);
}

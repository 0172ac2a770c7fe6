// SPDX-License-Identifier: Apache-2.0
/*
 * A file that one thread writes and another reads behind it. The writer says how far it has come,
 * the reader waits for more, and either may give up: the writer ends it without a digest, the
 * reader abandons it and the writer hears of that with its next step. There is one reader, so a
 * signal is enough.
 */
#include "store/transport/growing.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/base/cleanup.h"

void growing_init(struct growing *g)
{
	*g = (struct growing){.fd = -1};
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->moved, NULL);
}

void growing_clear(struct growing *g)
{
	fd_close(g->fd);
	pthread_cond_destroy(&g->moved);
	pthread_mutex_destroy(&g->lock);
}

bool growing_moved(struct growing *g, int fd, uint64_t have)
{
	bool wanted;

	pthread_mutex_lock(&g->lock);
	if (g->fd < 0)
		g->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	/* Without a descriptor it is read from the store, when it is whole. */
	if (g->fd >= 0)
		g->have = have;
	wanted = !g->abandoned;
	pthread_cond_signal(&g->moved);
	pthread_mutex_unlock(&g->lock);
	return wanted;
}

void growing_end(struct growing *g, const struct digest *digest, uint64_t size)
{
	pthread_mutex_lock(&g->lock);
	g->ended = true;
	g->good = digest != NULL;
	if (digest) {
		g->digest = *digest;
		g->have = size;
	}
	pthread_cond_signal(&g->moved);
	pthread_mutex_unlock(&g->lock);
}

bool growing_wait(struct growing *g, uint64_t want, uint64_t *have)
{
	bool ended;

	pthread_mutex_lock(&g->lock);
	while (g->have < want && !g->ended)
		pthread_cond_wait(&g->moved, &g->lock);
	*have = g->have;
	ended = g->ended;
	pthread_mutex_unlock(&g->lock);
	return ended;
}

void growing_abandon(struct growing *g)
{
	pthread_mutex_lock(&g->lock);
	g->abandoned = true;
	pthread_mutex_unlock(&g->lock);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Which objects need not be hashed again. Nothing is synced during a build, so an object carries
 * the id of the boot it was written in; one of another boot may be torn and is not trusted.
 */
#include "store/store_private.h"

#include <pthread.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/base/mem.h"

#define BOOT_XATTR  "user.bld.boot"
#define BOOT_SYNCED "synced"

static bool remembered(struct store *s, const struct digest *d)
{
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->ngood && !found; i++)
		found = sha256_equal(&s->good[i], d);
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void store_trust_mark(struct store *s, int fd, const struct digest *d, const char *value)
{
	if (s->volatile_fs || fsetxattr(fd, BOOT_XATTR, value, strlen(value), 0) == 0 ||
		remembered(s, d))
		return;
	pthread_mutex_lock(&s->lock);
	MEM_PUSH(s->good, s->ngood, s->good_cap) = *d;
	pthread_mutex_unlock(&s->lock);
}

bool store_trusted(struct store *s, int fd, const struct digest *d)
{
	char value[STORE_BOOT_MAX + 1];

	if (s->volatile_fs)
		return true;
	ssize_t n = fgetxattr(fd, BOOT_XATTR, value, sizeof value - 1);
	if (n > 0) {
		value[n] = '\0';
		if (strcmp(value, BOOT_SYNCED) == 0 || strcmp(value, s->boot) == 0)
			return true;
	}
	return remembered(s, d);
}

void store_trust(struct store *s, int fd, const struct digest *d)
{
	store_trust_mark(s, fd, d, s->boot);
}

void store_trust_synced(struct store *s, int fd, const struct digest *d)
{
	store_trust_mark(s, fd, d, BOOT_SYNCED);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The directory that a RUN writes into, made while the command before it runs, since that takes
 * system calls which would otherwise be waited for. One that could not be made ahead is made when
 * it is needed, and only then is that an error.
 */
#include "builder/cache/scratch.h"

#include <unistd.h>

#include "builder/sandbox/sandbox.h"

int scratch_make(struct store *s, struct scratch *out, struct err **err)
{
	auto_scratch struct scratch x = SCRATCH_NONE;

	x.fd = store_temp_dir(s, x.temp, err);
	if (x.fd < 0 || sandbox_make_scratch(x.fd, err) < 0)
		return -1;
	*out = x;
	x = SCRATCH_NONE;
	return 0;
}

void scratch_make_ahead(struct store *s, struct scratch *ahead)
{
	if (ahead->fd < 0)
		(void)scratch_make(s, ahead, NULL);
}

int scratch_take(struct store *s, struct scratch *ahead, struct scratch *out, struct err **err)
{
	if (ahead->fd < 0)
		return scratch_make(s, out, err);
	*out = *ahead;
	*ahead = SCRATCH_NONE;
	return 0;
}

void scratch_close(struct scratch *x)
{
	fd_close(x->fd);
	x->fd = -1;
}

// SPDX-License-Identifier: Apache-2.0
/* The list of operations: built by the parent, walked by the child. See ops.h. */
#include "builder/sandbox/ops.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/base/mem.h"

void ops_init(struct op_list *l)
{
	*l = (struct op_list){0};
	for (int i = 0; i < OPS_NAMED; i++)
		ops_slot(l);
}

void ops_clear(struct op_list *l)
{
	for (size_t i = 0; i < l->nowned; i++)
		free(l->owned[i]);
	for (size_t i = 0; i < l->nfd; i++)
		close(l->fd[i]);
	free(l->fd);
	free(l->owned);
	free(l->v);
	free(l->slot);
	free(l->keep);
	*l = (struct op_list){0};
}

int ops_slot(struct op_list *l)
{
	MEM_PUSH(l->slot, l->nslot, l->cap_slot) = -1;
	return (int)l->nslot - 1;
}

void ops_set_fd(struct op_list *l, int slot, int fd)
{
	l->slot[slot] = fd;
	MEM_PUSH(l->keep, l->nkeep, l->cap_keep) = fd;
}

int ops_slot_fd(struct op_list *l, int fd)
{
	int slot = ops_slot(l);

	ops_set_fd(l, slot, fd);
	return slot;
}

void *ops_own(struct op_list *l, void *take_p)
{
	MEM_PUSH(l->owned, l->nowned, l->cap_owned) = take_p;
	return take_p;
}

void ops_take_fd(struct op_list *l, int take_fd)
{
	MEM_PUSH(l->fd, l->nfd, l->cap_fd) = take_fd;
}

int ops_slot_take_fd(struct op_list *l, int take_fd)
{
	ops_take_fd(l, take_fd);
	return ops_slot_fd(l, take_fd);
}

const char *ops_text(struct op_list *l, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = mem_vprintf(fmt, ap);
	va_end(ap);
	return ops_own(l, s);
}

void ops_add(struct op_list *l, const struct op *op)
{
	MEM_PUSH(l->v, l->n, l->cap) = *op;
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void ops_seal(struct op_list *l)
{
	if (l->nkeep > 1)
		qsort(l->keep, l->nkeep, sizeof(*l->keep), by_number);
}

int ops_run(const struct op_list *l, struct ops_state *st, size_t from, size_t to, size_t *failed)
{
	for (size_t i = from; i < to; i++) {
		if (l->v[i].run(st, &l->v[i]) == 0 || l->v[i].optional)
			continue;
		*failed = i;
		return -1;
	}
	return 0;
}

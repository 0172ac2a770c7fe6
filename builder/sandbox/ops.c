// SPDX-License-Identifier: Apache-2.0
/* The list of operations: built by the parent, walked by the child. See ops.h. */
#include "builder/sandbox/ops.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/mem.h"

#define ALIGNMENT sizeof(max_align_t)

void ops_init(struct op_list *l, void *region, size_t size, size_t used)
{
	*l = (struct op_list){.region = region, .size = size, .used = used};
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
	l->owned = NULL;
	l->fd = NULL;
	l->nowned = l->cap_owned = l->nfd = l->cap_fd = 0;
	if (l->sealed)
		return;
	free(l->v);
	free(l->slot);
	free(l->keep);
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

void *ops_alloc(struct op_list *l, size_t n)
{
	size_t at = (l->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	void *p;

	if (at <= l->size && n <= l->size - at) {
		l->used = at + n;
		return l->region + at;
	}
	p = mem_alloc(n ? n : 1);
	MEM_PUSH(l->owned, l->nowned, l->cap_owned) = p;
	return p;
}

void *ops_array(struct op_list *l, size_t n, size_t size)
{
	return ops_alloc(l, n > SIZE_MAX / size ? SIZE_MAX : n * size);
}

void *ops_dup(struct op_list *l, const void *p, size_t n)
{
	void *copy = ops_alloc(l, n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

/* Closed with the list. */
static void ops_take_fd(struct op_list *l, int take_fd)
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
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = ops_alloc(l, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void ops_add(struct op_list *l, const struct op *op)
{
	MEM_PUSH(l->v, l->n, l->cap) = *op;
}

static int ops_by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void *move(struct op_list *l, void *take_p, size_t n)
{
	void *p = ops_dup(l, take_p, n);

	free(take_p);
	return p;
}

int ops_seal(struct op_list *l)
{
	if (l->nkeep > 1)
		qsort(l->keep, l->nkeep, sizeof *l->keep, ops_by_number);
	l->v = move(l, l->v, l->n * sizeof *l->v);
	l->slot = move(l, l->slot, l->nslot * sizeof *l->slot);
	l->keep = move(l, l->keep, l->nkeep * sizeof *l->keep);
	l->sealed = true;
	return l->nowned ? -1 : 0;
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The prepared list of operations that turns a copy of bld into a sandbox.
 *
 * The parent fills the list where memory and locks are free to use: every path, option and text
 * has its final form, and lies in the region of the sandbox, the only memory that the child shares
 * with it (forker.h). The child, a clone of a process with threads, only walks it: it calls the
 * kernel, allocates nothing, takes no lock and calls no function of libc that does. The first
 * operation that fails ends the walk; its index and errno go to the parent, which words them.
 *
 * Descriptors are named by slots: numbers that the parent gives out and the child fills.
 */
#ifndef BLD_BUILDER_SANDBOX_OPS_H
#define BLD_BUILDER_SANDBOX_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPS_DETAIL_MAX 160

/* Slots that several files share; the rest come from ops_slot(). */
enum ops_slot_name {
	OPS_PROC,    /* a fresh procfs of the new PID namespace: our /proc/self/fd from the start */
	OPS_SCRATCH, /* the caller's scratch directory */
	OPS_ROOT,    /* the root of the sandbox */
	OPS_DEV,     /* its /dev */
	OPS_NULL,    /* /dev/null in it: the cover of masked files */
	OPS_COVER,   /* an empty tmpfs: the cover of masked directories */
	OPS_FILES,   /* the tmpfs of generated files and secrets */
	OPS_STDIN,
	OPS_STDOUT,
	OPS_STDERR,
	OPS_CTL,  /* the channel to the parent */
	OPS_PID1, /* the program of pid1.h */
	OPS_NAMED,
};

/* A file or directory made to mount on, to be taken away at the end. */
struct ops_stub {
	int parent; /* O_PATH */
	dev_t dev;
	ino_t ino;
	bool dir;
	char name[256];
};

/* What the child works with. All memory is the parent's, allocated before. */
struct ops_state {
	int *slot; /* descriptors, -1 = not open */
	struct ops_stub *stub;
	size_t nstub, max_stub;
	bool cover_used;             /* OPS_COVER is attached and can be cloned */
	char detail[OPS_DETAIL_MAX]; /* what the kernel says about a failed mount */
};

struct op;
typedef int (*op_fn)(struct ops_state *st, const struct op *op); /* 0, or -1 and errno */

struct op {
	op_fn run;
	const char *what; /* "mount /proc": follows "sandbox: " in a message */
	const char *rule; /* what the image must respect for this to work, or NULL */
	bool optional;    /* its failure is not an error */
	int in, out;      /* slots, -1 = none */
	uint64_t flags;   /* of the operation */
	const void *arg;  /* of the operation */
};

struct op_list {
	struct op *v;
	size_t n, cap;
	size_t confine_from; /* the first operation that takes away what the child may do */
	int *slot;           /* initial values */
	size_t nslot, cap_slot;
	int *keep; /* descriptors of the caller that the child needs, sorted by ops_seal() */
	size_t nkeep, cap_keep;
	size_t stubs; /* most stubs that the targets can need */
	int *fd;      /* owned */
	size_t nfd, cap_fd;
	char *region;
	size_t size, used; /* of the region */
	void **owned;      /* what did not fit; the list is of no use then */
	size_t nowned, cap_owned;
	bool sealed;
};

/* The list lies at the start of the region, or somewhere else in it: `used` bytes are taken. */
void ops_init(struct op_list *l, void *region, size_t size, size_t used);
/* What the parent has of it; the child goes on with what lies in the region. */
void ops_clear(struct op_list *l);

int ops_slot(struct op_list *l);            /* a new slot, empty */
int ops_slot_fd(struct op_list *l, int fd); /* a new slot that holds a borrowed descriptor */
int ops_slot_take_fd(struct op_list *l, int take_fd); /* the same; closed with the list */
void ops_set_fd(struct op_list *l, int slot, int fd); /* the same for a named slot */

/* Memory for what ops point to: zero, or a copy. */
void *ops_alloc(struct op_list *l, size_t n);
void *ops_array(struct op_list *l, size_t n, size_t size);
void *ops_dup(struct op_list *l, const void *p, size_t n);
const char *ops_text(struct op_list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ops_add(struct op_list *l, const struct op *op);

/* Sort what is needed by the walk, and put it into the region; the list does not change any more.
 * 0, or -1: the region is full. */
int ops_seal(struct op_list *l);

/* The child: run operations [from, to). 0, or -1 with errno and *failed. */
int ops_run(const struct op_list *l, struct ops_state *st, size_t from, size_t to, size_t *failed);

#endif

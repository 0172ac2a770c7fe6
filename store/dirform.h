/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory forms on the disk, for snapshot.c, gc.c and verify.c: bld/dirs/CHAIN/upper is the lower
 * directory, bld/dirs/CHAIN/form says what it is. The form file, version 1, lines in this order:
 *
 *	bld-dir 1
 *	boot BOOT-ID            of the boot that wrote it
 *	xattr trusted|user      which overlay attributes it carries
 *	layer sha256:HEX [sha256:HEX]	the stack, bottom first, with the times beside each
 *				(layerstack.h); the directory holds the last one
 *	end
 *
 * Nothing is synced: a form of another boot may be torn, and is made again.
 */
#ifndef BLD_STORE_DIRFORM_H
#define BLD_STORE_DIRFORM_H

#include "store/layerstack.h"
#include "store/oci/oci.h"
#include "store/store.h"

struct dirform {
	struct digest *diff_ids; /* owned */
	struct digest *times;    /* owned; as many */
	size_t n;
	bool userxattr;
	bool usable; /* of this boot, and with the attributes that this process mounts with */
};

/* Does this process use user.overlay.* attributes? (Only root may set trusted.*.) */
bool dirform_userxattr(void);
/* 1 read, 0 no such directory or a damaged form file, -1. */
int dirform_read(
	struct store *s, const struct digest *chain, struct dirform *out, struct err **err);
void dirform_clear(struct dirform *f);
/* The form file of a directory that is being made, at dir_fd. */
int dirform_write(struct store *s, int dir_fd, const struct layer_stack *k, struct err **err);
/* The stack that a form file names; borrowed from it. */
struct layer_stack dirform_stack(const struct dirform *f);
/* bld/dirs/CHAIN/upper when its form is usable: fd; -1 without *err when there is none, -1 with
 * *err. */
int dirform_open(struct store *s, const struct digest *chain, struct err **err);
/* Move bld/dirs/CHAIN to the trash; in_use: somebody may have it mounted (trash.h). */
void dirform_drop(struct store *s, const struct digest *chain, bool in_use);

#define auto_dirform CLEANUP(dirform_clear)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS images on the disk, for snapshot.c, gc.c and verify.c: bld/erofs/CHAIN.layer shows one
 * layer over those below it, bld/erofs/CHAIN.merged a whole stack; CHAIN is the chain ID of the
 * stack. Each is a directory, published by rename, of two read-only files: "image" is what the
 * kernel mounts, "record" says what it was made from. The record, version 1, lines in this order:
 *
 *	bld-index 2
 *	kind layer|merged
 *	layer sha256:HEX [sha256:HEX]	the stack, bottom first, with the times beside each
 *	tar sha256:HEX SIZE       the devices in the order of the image's table: layers of the stack
 *	image sha256:HEX SIZE
 *	end sha256:HEX            of all bytes before this line
 *
 * Nothing here is synced, and no boot is remembered: whatever is torn has another digest. The same
 * layers give the same image, byte for byte; a new writer that gives another one is a new version.
 */
#ifndef BLD_STORE_EROFSFORM_H
#define BLD_STORE_EROFSFORM_H

#include "store/layerstack.h"
#include "store/lower.h"
#include "store/store.h"
#include "store/tree/tree.h"

#define EROFSFORM_NAME 80

enum erofsform_kind { EROFSFORM_LAYER, EROFSFORM_MERGED };

struct erofsform_file {
	struct digest digest;
	uint64_t size;
};

struct erofsform {
	enum erofsform_kind kind;
	struct digest *diff_ids; /* owned */
	struct digest *times;    /* owned; as many */
	size_t n;
	struct erofsform_file *tars; /* owned */
	size_t ntars;
	struct erofsform_file image;
};

/* What an EROFS image is to show. */
struct erofsform_stack {
	enum erofsform_kind kind;
	struct layer_stack k;
};

const char *erofsform_name(const struct erofsform_stack *k, char out[EROFSFORM_NAME]);

/*
 * The EROFS image as a lower. Its image is hashed through the descriptor that is handed out, once
 * per process, and its tars have the recorded lengths. 1; 0 there is none that is right in every
 * way (make one); -1 (ERR_NOT_FOUND: a layer is missing).
 */
int erofsform_open(
	struct store *s, const struct erofsform_stack *k, struct lower *out, struct err **err);
/*
 * Make it. tree: of all layers below the last one for a LAYER, of all for MERGED. The caller holds
 * STORE_LOCK_INDEX of the chain, and knows that no usable one is there. ERR_UNSUPPORTED: these
 * layers cannot be shown through an EROFS image.
 */
int erofsform_make(struct store *s, const struct erofsform_stack *k, const struct layer_tree *tree,
	struct err **err);
/*
 * One layer over `below` as a lower that has no name and that nobody else will find: for a stack
 * whose chain ID is not known yet. ERR_UNSUPPORTED also when it needs the tar of another layer.
 */
int erofsform_unnamed(struct store *s, const struct layer_stack *one,
	const struct layer_tree *below, struct lower *out, struct err **err);
/* Make the image, but put it nowhere: its digest and size. */
int erofsform_again(struct store *s, const struct erofsform_stack *k, const struct layer_tree *tree,
	struct erofsform_file *out, struct err **err);

/* The record of bld/erofs/NAME: 1 read, 0 missing or not one that bld wrote under this name, -1. */
int erofsform_read(struct store *s, const char *name, struct erofsform *out, struct err **err);
void erofsform_clear(struct erofsform *x);
/* The stack that a record names; borrowed from it. */
struct erofsform_stack erofsform_stack_of(const struct erofsform *x);
/* Does the image have the recorded size and digest? 1 / 0 / -1. */
int erofsform_check(struct store *s, const char *name, const struct erofsform *x, struct err **err);
/* Move bld/erofs/NAME to the trash. */
void erofsform_drop(struct store *s, const char *name);

#define auto_erofsform CLEANUP(erofsform_clear)

#endif

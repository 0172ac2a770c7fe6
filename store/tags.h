/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images: the entries of index.json. One name, one manifest; a manifest without a name
 * stays out of index.json and is reachable by digest until `prune`. Every change is made under a
 * lock and atomically. Nothing waits for the disk: when a power cut tore index.json, the one before
 * the last change is used.
 */
#ifndef BLD_STORE_TAGS_H
#define BLD_STORE_TAGS_H

#include "store/oci/oci.h"
#include "store/store.h"

struct tags_entry {
	char *name; /* full normalised name; owned */
	struct oci_descriptor manifest;
};
struct tags {
	struct tags_entry *v; /* sorted by name; owned */
	size_t n;
};

/* index.json as it is, with entries that have no name. */
int tags_index(struct store *s, struct oci_index *out, struct err **err);
int tags_list(struct store *s, struct tags *out, struct err **err);
void tags_clear(struct tags *t);
/* 1 found, 0 no such name, -1. */
int tags_find(struct store *s, const char *name, struct oci_descriptor *out, struct err **err);
/* Set all names to one manifest in one atomic change. */
int tags_set(struct store *s, const char *const *names, size_t n,
	const struct oci_descriptor *manifest, struct err **err);
/* 1 removed, 0 no such name, -1. */
int tags_remove(struct store *s, const char *name, struct err **err);

#define auto_tags CLEANUP(tags_clear)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that an archive holds into the store, and the names that images come with. */
#ifndef BLD_STORE_TRANSPORT_LOAD_H
#define BLD_STORE_TRANSPORT_LOAD_H

#include "store/transport/progress.h"
#include "store/transport/transport.h"

/* transfer_load() */
int load_archive(struct store *s, const char *path, struct progress *p, struct strlist *loaded,
	struct err **err);
/*
 * Name an image as `name` says; NULL = as it is called inside, where names that are none are left
 * out with a note, "" = not at all. given (may be NULL) gets the full names.
 */
int load_tag(struct store *s, const struct transport *t, struct progress *p, const char *name,
	const struct oci_descriptor *d, struct strlist *given, struct err **err);

#endif

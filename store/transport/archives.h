/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several images into one OCI layout, or into one docker-archive: layers get the form that they
 * have outside, an index comes with all its images, and one image under several names is in it
 * once.
 */
#ifndef BLD_STORE_TRANSPORT_ARCHIVES_H
#define BLD_STORE_TRANSPORT_ARCHIVES_H

#include "store/transport/outgoing.h"
#include "store/transport/transferopts.h"

/* put: writes what was gathered, transport_to_oci_dir() or transport_to_oci_archive(). */
int archives_write_layout(struct store *s, const struct transfer_item *v, size_t n,
	int (*put)(struct outgoing_set *set, const char *path, struct err **err), const char *path,
	struct progress *p, struct err **err);
/* ERR_UNSUPPORTED: there is an index among them. */
int archives_write_docker(struct store *s, const struct transfer_item *v, size_t n,
	const char *path, struct progress *p, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file from a URL (ADD), with the rules of http.h: retries, limits, redirects. All that is
 * outside store/transport may ask of HTTP.
 */
#ifndef BLD_STORE_TRANSPORT_DOWNLOAD_H
#define BLD_STORE_TRANSPORT_DOWNLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/io.h"

struct http_download {
	uint64_t max_bytes;          /* body limit: larger is ERR_LIMIT */
	const char *cert_dir;        /* instead of certs.d in the usual places; may be NULL */
	const char *allow_private;   /* hosts, by commas, that may redirect to private addresses */
	const atomic_int *cancelled; /* may be NULL */
	/* What the caller has: NULL, or the ETag and Last-Modified of an earlier answer (owned;
	 * taken). They are sent, and replaced by those of this answer (NULL when there are none).
	 */
	char *etag;
	char *date;
	/* results */
	bool unchanged;        /* the server says it is what the caller has; nothing was written */
	int64_t last_modified; /* seconds, -1 when the server did not say */
};

/* GET url into out. ERR_NET with status and the server's words (escaped); ERR_AUTH for 401/403. */
int http_download(
	const char *url, struct io_writer *out, struct http_download *d, struct err **err);
/* "localhost", "127.x.y.z" or "[::1]", with or without a port: this machine, by its name alone. */
bool http_is_local(const char *host_port);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Downloads that survive their connection. What was received is never taken back: when a server
 * cannot go on in the middle (no Range, or no ETag to make one safe) and sends everything again,
 * the repeated part is only hashed and must equal what was received before.
 */
#include "store/transport/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

void http_sink_init(struct http_sink *s, struct io_writer out, uint64_t max, enum err_kind over)
{
	*s = (struct http_sink){.out = out, .max = max, .over = over};
	sha256_init(&s->hash);
}

void http_sink_clear(struct http_sink *s)
{
	free(s->etag);
	s->etag = NULL;
}

void http_sink_digest(const struct http_sink *k, struct digest *out)
{
	struct sha256 copy = k->hash;

	sha256_final(&copy, out);
}

static int http_sink_changed(const char *host, struct err **err)
{
	return err_set(err, ERR_NET, "%s: the file changed while it was downloaded", host);
}

int http_sink_start(struct http_sink *k, const struct http_response *r, int status,
	const char *host, struct err **err)
{
	const char *length = http_header(r, "content-length");
	const char *range = http_header(r, "content-range");
	const char *etag = http_header(r, "etag");

	k->replay = 0;
	if (!k->immutable && k->done > 0 && k->etag && etag && strcmp(k->etag, etag) != 0)
		return http_sink_changed(host, err);
	if (etag && !k->etag)
		k->etag = mem_strdup(etag);
	if (status == 206) {
		if (!range || strncasecmp(range, "bytes ", 6) != 0 ||
			!isdigit((unsigned char)range[6]) ||
			strtoull(range + 6, NULL, 10) != k->done)
			return err_set(
				err, ERR_NET, "%s: sends another range than asked for", host);
		return 0;
	}
	if (length && strtoull(length, NULL, 10) > k->max)
		return err_set(err, k->over, "%s: sends %llu bytes, more than %llu", host,
			strtoull(length, NULL, 10), (unsigned long long)k->max);
	k->replay = k->done;
	sha256_init(&k->replay_hash);
	return 0;
}

/* Returns how many of the n bytes were a repetition, -1 when they are not one. */
static ssize_t replay(
	struct http_sink *k, const void *p, size_t n, const char *host, struct err **err)
{
	size_t m = n < k->replay ? n : (size_t)k->replay;
	struct sha256 copy = k->hash;
	struct digest before, now;

	sha256_update(&k->replay_hash, p, m);
	k->replay -= m;
	if (k->replay > 0)
		return (ssize_t)m;
	sha256_final(&copy, &before);
	sha256_final(&k->replay_hash, &now);
	if (!sha256_equal(&before, &now))
		return http_sink_changed(host, err);
	return (ssize_t)m;
}

int http_sink_bytes(
	struct http_sink *k, const void *p, size_t n, const char *host, struct err **err)
{
	if (k->replay > 0) {
		ssize_t again = replay(k, p, n, host, err);

		if (again < 0)
			return -1;
		p = (const char *)p + again;
		n -= (size_t)again;
	}
	if (n == 0)
		return 0;
	if (n > k->max - k->done)
		return err_set(err, k->over, "%s: sends more than %llu bytes", host,
			(unsigned long long)k->max);
	if (io_write(&k->out, p, n, err) < 0)
		return -1;
	sha256_update(&k->hash, p, n);
	k->done += n;
	if (k->progress)
		k->progress(k->ctx, k->done);
	return 0;
}

int http_sink_end(struct http_sink *k, const char *host, struct err **err)
{
	bool short_of = k->replay > 0;

	k->replay = 0;
	return short_of ? http_sink_changed(host, err) : 0;
}

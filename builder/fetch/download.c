// SPDX-License-Identifier: Apache-2.0
/*
 * Files of URLs, kept as blobs with the ETag and date they came with. With a checksum that fits
 * what is kept no server is asked; otherwise it is asked whether the file changed. What is shown of
 * a URL has neither login nor query, which may be secrets.
 */
#include "builder/fetch/download.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/blob.h"
#include "store/cache.h"
#include "store/transport/download.h"

#define HEADER_MAX 1024 /* bytes of an ETag or a date that are worth keeping */

/* --- names ------------------------------------------------------------------------------------ */

static int download_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *download_name(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	p += strcspn(p, "/?#");
	size_t n = strcspn(p, "?#"), k = 0;
	auto_free char *path = mem_alloc(n + 1);
	for (size_t i = 0; i < n; i++) {
		int hi = p[i] == '%' && i + 2 < n ? download_hex(p[i + 1]) : -1;
		int lo = hi < 0 ? -1 : download_hex(p[i + 2]);
		path[k++] = lo < 0 ? p[i] : (char)(hi << 4 | lo);
		i += lo < 0 ? 0 : 2;
	}
	while (k && path[k - 1] == '/')
		path[--k] = '\0';
	if (memchr(path, '\0', k))
		return NULL;
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	bool none = !*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0;
	return none ? NULL : mem_strdup(base);
}

char *download_shown(const char *url)
{
	const char *p = strstr(url, "://");
	size_t scheme = p ? (size_t)(p + 3 - url) : 0;
	const char *rest = url + scheme;
	size_t n = strcspn(rest, "?#"), host = 0;

	for (size_t i = 0; i < n && rest[i] != '/'; i++)
		if (rest[i] == '@')
			host = i + 1;
	auto_free char *text =
		mem_printf("%.*s%.*s", (int)scheme, url, (int)(n - host), rest + host);
	return fs_printable(text);
}

/* --- what is kept --------------------------------------------------------------------------- */

struct kept {
	struct digest digest;
	char *etag; /* owned; NULL = none */
	char *date;
};

static void kept_clear(struct kept *k)
{
	free(k->etag);
	free(k->date);
}

static void download_key_of(const char *url, struct digest *out)
{
	static const struct digest none;
	struct sha256 h;

	cachekey_begin(&h, &none, "download");
	sha256_field_str(&h, url);
	sha256_final(&h, out);
}

/* The rest of the line "NAME ...", owned; NULL when there is none. */
static char *line_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		if (len > n && strncmp(p, name, n) == 0 && p[n] == ' ')
			return mem_strndup(p + n + 1, len - n - 1);
		p += len + (p[len] == '\n');
	}
	return NULL;
}

/* 1 there is something, and its bytes are here; 0; -1. */
static int download_find(
	struct store *s, const struct digest *key, struct kept *out, struct err **err)
{
	auto_free char *value = NULL;
	int found = cache_find(s, key, &value, NULL, err);

	if (found <= 0)
		return found;
	auto_free char *layer = line_of(value, "layer");
	if (!layer || sha256_parse_string(layer, &out->digest) < 0)
		return 0;
	int have = blob_exists(s, &out->digest, NULL, err);
	if (have <= 0)
		return have;
	out->etag = line_of(value, "etag");
	out->date = line_of(value, "date");
	return 1;
}

static bool worth(const char *header)
{
	return header && *header && strlen(header) < HEADER_MAX && !strpbrk(header, "\r\n");
}

/* The word of the first line is what keeps the bytes from being pruned. */
static int download_keep(
	struct store *s, const struct digest *key, const struct kept *k, struct err **err)
{
	char text[DIGEST_STRING];
	auto_free char *value = mem_printf("layer %s\ncreated %lld\n%s%s%s%s%s%s",
		sha256_string(&k->digest, text), (long long)now_seconds(), k->etag ? "etag " : "",
		k->etag ? k->etag : "", k->etag ? "\n" : "", k->date ? "date " : "",
		k->date ? k->date : "", k->date ? "\n" : "");

	return cache_put(s, key, value, strlen(value), err);
}

/* --- the wire ------------------------------------------------------------------------------- */

static int download_get_url(const struct fetchenv *e, const char *url, const struct digest *key,
	struct kept *k, struct err **err)
{
	auto_blob_writer struct blob_writer *b = blob_create(e->s, err);
	struct http_download d = {
		.cert_dir = e->cert_dir,
		.allow_private = e->allow_private,
		.max_bytes = DOWNLOAD_MAX,
		.cancelled = e->cancelled,
		.etag = k->etag ? mem_strdup(k->etag) : NULL,
		.date = k->date ? mem_strdup(k->date) : NULL,
	};

	if (!b) {
		free(d.etag);
		free(d.date);
		return -1;
	}
	struct io_writer out = blob_stream(b);
	int r = http_download(url, &out, &d, err);
	auto_free char *etag = d.etag;
	auto_free char *date = d.date;
	if (r < 0 || d.unchanged)
		return r;
	kept_clear(k);
	k->etag = worth(etag) ? TAKE(etag) : NULL;
	k->date = worth(date) ? TAKE(date) : NULL;
	if (blob_commit(b, NULL, &k->digest, NULL, err) < 0)
		return -1;
	return download_keep(e->s, key, k, err);
}

static int download_check(
	const struct digest *got, const struct digest *want, const char *url, struct err **err)
{
	char g[DIGEST_STRING], w[DIGEST_STRING];

	if (!want || sha256_equal(got, want))
		return 0;
	auto_free char *shown = download_shown(url);
	err_set(err, ERR_CORRUPT, "%s has the digest %s, the checksum wants %s", shown,
		sha256_string(got, g), sha256_string(want, w));
	return err_hint(err, "the file behind the URL changed, or the checksum is another one's");
}

int download_get(const struct fetchenv *e, const char *url, const struct digest *want,
	struct download *out, struct err **err)
{
	struct digest key;
	CLEANUP(kept_clear) struct kept k = {0};

	download_key_of(url, &key);
	int found = download_find(e->s, &key, &k, err);
	if (found < 0)
		return -1;
	if (!found || !want || !sha256_equal(&k.digest, want)) {
		auto_free char *shown = download_shown(url);
		fetchenv_status(e, found ? "checking %s" : "downloading %s", shown);
		if (download_get_url(e, url, &key, &k, err) < 0)
			return -1;
	}
	if (download_check(&k.digest, want, url, err) < 0)
		return -1;
	*out = (struct download){.digest = k.digest};
	if (!k.date || now_parse_http_date(k.date, &out->mtime) < 0)
		out->mtime = 0;
	out->fd = blob_open(e->s, &k.digest, &out->size, err);
	return out->fd < 0 ? -1 : 0;
}

void download_clear(struct download *d)
{
	fd_close(d->fd);
	d->fd = -1;
}

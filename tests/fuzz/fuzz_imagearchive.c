// SPDX-License-Identifier: Apache-2.0
/*
 * The documents of an image archive. Parts: the name asked for, manifest.json and index.json (one
 * text as both), a configuration or manifest. They are put into a tar as `docker save` and OCI
 * layouts have them, with a link in it, and both readers open it, for one image and for all of
 * them; also without manifest.json, which is an OCI layout only. "@" stands for the digest of the
 * third part,
 * "~" for its size.
 */
#include <sys/mman.h>

#include "store/base/sha256.h"
#include "store/oci/oci.h"
#include "store/transport/http.h"
#include "store/transport/transport.h"
#include "tests/fuzz/fuzzkit.h"
#include "tests/fuzz/fuzztar.h"
#include "store/tar/entry.h"
#include "store/tar/write.h"

static void add(struct layer_writer *w, const char *path, const char *text, size_t n)
{
	const struct layer_entry e = {.path = path,
		.type = LAYER_FILE,
		.mode = 0644,
		.size = n,
		.source = LAYER_DATA_MEM,
		.mem = text};
	must(layer_writer_add(w, &e, NULL) == 0);
}

static void add_link(struct layer_writer *w, const char *path, const char *to)
{
	const struct layer_entry e = {
		.path = path, .type = LAYER_SYMLINK, .mode = 0777, .link = to};
	must(layer_writer_add(w, &e, NULL) == 0);
}

static int archive_of(const char *doc, const char *third, bool docker)
{
	static const char empty[1024];
	char hex[DIGEST_HEX], blob[DIGEST_HEX + 16];
	struct digest d;
	struct buf b, full;
	buf_init(&b, (size_t)16 << 20);
	buf_init(&full, (size_t)8 << 20);
	sha256_of(third, strlen(third), &d);
	sha256_hex(&d, hex);
	for (; *doc; doc++)
		if (*doc == '@')
			buf_addf(&full, "sha256:%s", hex);
		else if (*doc == '~')
			buf_addf(&full, "%zu", strlen(third));
		else
			buf_addc(&full, *doc);
	snprintf(blob, sizeof blob, "blobs/sha256/%s", hex);
	struct layer_writer *w = layer_writer_new((struct io_writer){.write = to_buf, .ctx = &b});
	add(w, blob, third, strlen(third));
	add(w, "c.json", third, strlen(third));
	add(w, "index.json", full.data ? full.data : "", full.len);
	add(w, "l.tar", empty, sizeof empty);
	add_link(w, "m.tar", "l.tar");
	if (docker)
		add(w, "manifest.json", full.data ? full.data : "", full.len);
	add(w, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	must(layer_writer_finish(w, NULL) == 0);
	layer_writer_free(w);
	int fd = fd_of(b.data, b.len);
	buf_clear(&b);
	buf_clear(&full);
	return fd;
}

static int forget(void *ctx, const void *p, size_t n, struct err **err)
{
	(void)ctx;
	(void)p;
	(void)n;
	(void)err;
	return 0;
}

/* One of the blobs that a manifest names. */
static void blob(struct transport *t, const struct oci_descriptor *d)
{
	struct http_sink sink;
	struct err *err = NULL;

	http_sink_init(&sink, (struct io_writer){.write = forget}, 1 << 20, ERR_LIMIT);
	fuzz_failed(t->ops->blob(t, 0, d, &sink, &err), &err);
	http_sink_clear(&sink);
}

static void image(struct transport *t)
{
	struct oci_manifest m = {0};
	struct err *err = NULL;
	struct buf body;
	char *type = NULL;

	buf_init(&body, OCI_MANIFEST_MAX);
	if (!fuzz_failed(t->ops->manifest(t, NULL, &body, &type, &err), &err) &&
		oci_manifest_parse(body.data, body.len, type, &m, NULL) == 0) {
		blob(t, &m.config);
		for (size_t i = 0; i < m.nlayers && i < 4; i++)
			blob(t, &m.layers[i]);
		oci_manifest_clear(&m);
	}
	free(type);
	buf_clear(&body);
}

static void look(struct transport *t, struct err **err)
{
	must(t || *err);
	if (!t) {
		fuzz_failed(-1, err);
		return;
	}
	if (!t->nimages)
		image(t);
	for (size_t i = 0; i < t->nimages && i < 4; i++)
		if (!fuzz_failed(t->ops->select(t, i, err), err))
			image(t);
	transport_close(t);
}

static void archive(const char *name, const char *doc, const char *third, bool docker)
{
	struct store *s = fuzz_store();
	struct err *err = NULL;
	char path[64];

	int fd = archive_of(doc, third, docker);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (docker)
		look(transport_open_docker_archive(s, path, name, &err), &err);
	look(transport_open_oci_archive(s, path, name, &err), &err);
	look(transport_open_all(s, path, &err), &err);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *p = text;
	const char *name = fuzz_part(&p), *doc = fuzz_part(&p), *third = fuzz_part(&p);

	archive(*name ? name : NULL, doc, third, true);
	archive(*name ? name : NULL, doc, third, false);
	free(text);
	return 0;
}

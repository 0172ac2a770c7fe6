// SPDX-License-Identifier: Apache-2.0
// The documents of an image archive. Parts: the name asked for, manifest.json and index.json (one
// text as both), a configuration or manifest. They are put into a tar as `docker save` and OCI
// layouts have them, and both readers open it. "@" stands for the digest of the third part.
#include <sys/mman.h>

#include "store/base/sha256.h"
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

static int archive_of(const char *doc, const char *third)
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
		else
			buf_addc(&full, *doc);
	snprintf(blob, sizeof blob, "blobs/sha256/%s", hex);
	struct layer_writer *w = layer_writer_new((struct io_writer){.write = to_buf, .ctx = &b});
	add(w, blob, third, strlen(third));
	add(w, "c.json", third, strlen(third));
	add(w, "index.json", full.data ? full.data : "", full.len);
	add(w, "l.tar", empty, sizeof empty);
	add(w, "manifest.json", full.data ? full.data : "", full.len);
	add(w, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	must(layer_writer_finish(w, NULL) == 0);
	layer_writer_free(w);
	int fd = fd_of(b.data, b.len);
	buf_clear(&b);
	buf_clear(&full);
	return fd;
}

static void look(struct transport *t, struct err **err)
{
	struct buf body;
	char *type = NULL;

	must(t || *err);
	if (!t) {
		fuzz_failed(-1, err);
		return;
	}
	buf_init(&body, OCI_MANIFEST_MAX);
	fuzz_failed(t->ops->manifest(t, NULL, &body, &type, err), err);
	free(type);
	buf_clear(&body);
	transport_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err *err = NULL;
	char *text = mem_strndup((const char *)data, size), *p = text, path[64];
	const char *name = fuzz_part(&p), *doc = fuzz_part(&p), *third = fuzz_part(&p);

	struct store *s = fuzz_store();
	int fd = archive_of(doc, third);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	name = *name ? name : NULL;
	look(transport_open_docker_archive(s, path, name, &err), &err);
	look(transport_open_oci_archive(s, path, name, &err), &err);
	close(fd);
	free(text);
	return 0;
}

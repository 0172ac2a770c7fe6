// SPDX-License-Identifier: Apache-2.0
/*
 * Manifest, index and configuration JSON. What is accepted must survive printing: the printed form
 * parses again, and prints the same bytes (they are hashed).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/oci/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* An error is set exactly when something failed, and its text is printable. */
static bool failed(int r, struct err **err)
{
	must((r < 0) == (*err != NULL));
	if (r >= 0)
		return false;
	must(*err_text(*err) && !strchr(err_text(*err), '\x1b'));
	err_free(*err);
	*err = NULL;
	return true;
}

static void manifest(const char *p, size_t n)
{
	struct oci_manifest m = {0}, again = {0};
	struct err *e = NULL;
	size_t len, len2;

	if (failed(oci_manifest_parse(p, n, NULL, &m, &e), &e))
		return;
	must(oci_is_index(p, n, m.media_type, NULL) == 0);
	must(m.nlayers <= OCI_LAYERS_MAX);
	char *text = oci_manifest_dump(&m, &len);
	must(oci_manifest_parse(text, len, m.media_type, &again, NULL) == 0);
	char *text2 = oci_manifest_dump(&again, &len2);
	must(len == len2 && memcmp(text, text2, len) == 0);
	free(text);
	free(text2);
	/* In the media types of the other family it is one as well. */
	for (int docker = 0; docker < 2; docker++) {
		oci_manifest_set_types(&again, docker);
		text = oci_manifest_dump(&again, &len);
		oci_manifest_clear(&again);
		must(oci_manifest_parse(text, len, NULL, &again, NULL) == 0);
		free(text);
	}
	oci_manifest_clear(&m);
	oci_manifest_clear(&again);
}

static void image_index(const char *p, size_t n)
{
	struct oci_index x = {0}, again = {0};
	struct err *e = NULL;
	size_t len, len2;

	if (failed(oci_index_parse(p, n, NULL, &x, &e), &e))
		return;
	oci_index_choose(&x, NULL);
	for (size_t i = 0; i < x.nmanifests && i < 16; i++)
		oci_index_choose(&x, &x.manifests[i].platform);
	char *text = oci_index_dump(&x, &len);
	must(oci_index_parse(text, len, x.media_type, &again, NULL) == 0);
	char *text2 = oci_index_dump(&again, &len2);
	must(len == len2 && memcmp(text, text2, len) == 0);
	free(text);
	free(text2);
	oci_index_clear(&x);
	oci_index_clear(&again);
}

static void config(const char *p, size_t n)
{
	struct oci_config c = {0}, again = {0};
	struct err *e = NULL;
	size_t len, len2;

	if (failed(oci_config_parse(p, n, &c, &e), &e))
		return;
	char *text = oci_config_dump(&c, &len);
	must(oci_config_parse(text, len, &again, NULL) == 0);
	char *text2 = oci_config_dump(&again, &len2);
	must(len == len2 && memcmp(text, text2, len) == 0);
	free(text2);
	oci_config_copy(&again, &c);
	text2 = oci_config_dump(&again, &len2);
	must(len == len2 && memcmp(text, text2, len) == 0);
	struct digest chain;
	oci_chain_id(c.diff_ids, c.ndiff_ids, &chain);
	oci_config_repair_history(&again);
	size_t layers = 0;
	for (size_t i = 0; i < again.nhistory; i++)
		layers += !again.history[i].empty_layer;
	must(layers == again.ndiff_ids);
	free(text);
	free(text2);
	oci_config_clear(&c);
	oci_config_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;

	manifest(p, size);
	image_index(p, size);
	config(p, size);
	return 0;
}

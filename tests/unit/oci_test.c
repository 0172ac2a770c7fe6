// SPDX-License-Identifier: Apache-2.0
/*
 * Manifests, indexes and configurations as others write them, and what is refused of them with
 * which words. Platforms and their ranks, repaired histories, chain IDs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/oci/oci.h"

#define D1       "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define D2       "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define CONFIG_D "{\"mediaType\":\"" OCI_MEDIA_CONFIG "\",\"digest\":\"" D1 "\",\"size\":7}"
#define LAYER_D  "{\"mediaType\":\"" OCI_MEDIA_LAYER_GZIP "\",\"digest\":\"" D2 "\",\"size\":9}"
#define MANIFEST                                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":" CONFIG_D       \
	",\"layers\":[" LAYER_D "]}"

static void test_manifest(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":" CONFIG_D
		",\"layers\":[" LAYER_D "],\"annotations\":{\"a\":\"1\",\"b\":\"x=y\"}}";
	struct oci_manifest m = {0};
	struct err *e = NULL;
	char hex[DIGEST_STRING];
	size_t n;

	(void)state;
	assert_int_equal(0, oci_manifest_parse(text, strlen(text),
				    OCI_MEDIA_MANIFEST "; charset=utf-8", &m, &e));
	assert_string_equal(OCI_MEDIA_MANIFEST, m.media_type);
	assert_int_equal(1, m.nlayers);
	assert_string_equal(D2, sha256_string(&m.layers[0].digest, hex));
	assert_int_equal(9, m.layers[0].size);
	assert_string_equal(OCI_MEDIA_CONFIG, m.config.media_type);
	assert_string_equal("x=y", strlist_get_kv(&m.annotations, "b"));
	char *again = oci_manifest_dump(&m, &n);
	assert_string_equal(text, again);
	assert_int_equal(strlen(text), n);
	free(again);
	oci_manifest_clear(&m);
}

static void bad_manifest(const char *text, const char *type, enum err_kind kind, const char *words)
{
	struct oci_manifest m = {0};
	auto_err struct err *e = NULL;

	if (oci_manifest_parse(text, strlen(text), type, &m, &e) == 0)
		fail_msg("accepted: %s", text);
	if (kind != err_get_kind(e) || !strstr(err_text(e), words))
		fail_msg("%s: %s", text, err_text(e));
}

static void test_manifest_refused(void **state)
{
	(void)state;
	bad_manifest("[]", NULL, ERR_CORRUPT, "expected object");
	bad_manifest("<html>", NULL, ERR_CORRUPT, "not valid JSON");
	bad_manifest("{}", NULL, ERR_CORRUPT, "neither");
	bad_manifest("{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[],\"layers\":[]}", NULL,
		ERR_UNSUPPORTED, "schema 1");
	bad_manifest("{\"schemaVersion\":2,\"manifests\":[],\"config\":" CONFIG_D ",\"layers\":[]}",
		NULL, ERR_CORRUPT, "both");
	bad_manifest("{\"schemaVersion\":2,\"manifests\":[]}", NULL, ERR_CORRUPT,
		"expected a manifest, got an index");
	bad_manifest("{\"schemaVersion\":2,\"manifests\":[]}", OCI_MEDIA_MANIFEST, ERR_CORRUPT,
		"the media type says");
	bad_manifest(MANIFEST, OCI_MEDIA_INDEX, ERR_CORRUPT, "in a document that came as");
	bad_manifest(
		MANIFEST, OCI_MEDIA_DOCKER_MANIFEST, ERR_CORRUPT, "in a document that came as");
	bad_manifest("{\"schemaVersion\":3,\"config\":" CONFIG_D ",\"layers\":[]}", NULL,
		ERR_UNSUPPORTED, "schemaVersion 3");
	bad_manifest("{\"config\":" CONFIG_D ",\"layers\":[]}", NULL, ERR_CORRUPT,
		"schemaVersion: missing");
	bad_manifest("{\"schemaVersion\":2,\"config\":" CONFIG_D "}", NULL, ERR_CORRUPT,
		"layers: missing");
	bad_manifest("{\"schemaVersion\":2,\"layers\":[]}", NULL, ERR_CORRUPT, "config: missing");
	bad_manifest("{\"schemaVersion\":2,\"config\":" CONFIG_D ",\"layers\":[7]}", NULL,
		ERR_CORRUPT, "layers[0]: expected object");
	bad_manifest(
		"{\"schemaVersion\":2,\"config\":" CONFIG_D
		",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"sha256:../../etc\",\"size\":1}]}",
		NULL, ERR_CORRUPT, "layers[0].digest: not a sha256 digest");
	bad_manifest("{\"schemaVersion\":2,\"config\":" CONFIG_D
		     ",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"" D1 "\",\"size\":-1}]}",
		NULL, ERR_CORRUPT, "layers[0].size");
	bad_manifest("{\"schemaVersion\":2,\"config\":" CONFIG_D
		     ",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"" D1 "\",\"size\":1.5}]}",
		NULL, ERR_CORRUPT, "layers[0].size: expected integer");
}

static void test_layer_limit(void **state)
{
	size_t each = strlen(LAYER_D) + 1;
	char *text = mem_alloc(600 * each + 1000), *p;

	(void)state;
	p = text + sprintf(text, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[", CONFIG_D);
	for (int i = 0; i < 501; i++)
		p += sprintf(p, "%s%s", i ? "," : "", LAYER_D);
	sprintf(p, "]}");
	bad_manifest(text, NULL, ERR_LIMIT, "501 entries, the limit is 500");
	free(text);
	text = mem_alloc(OCI_MANIFEST_MAX + 2);
	memset(text, ' ', OCI_MANIFEST_MAX + 1);
	bad_manifest(text, NULL, ERR_LIMIT, "limit");
	free(text);
}

static void test_docker(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI_MEDIA_DOCKER_CONFIG
		"\",\"digest\":\"" D1 "\",\"size\":7},\"layers\":[]}";
	struct oci_manifest m = {0};

	(void)state;
	assert_int_equal(0, oci_manifest_parse(text, strlen(text), "application/json", &m, NULL));
	assert_string_equal(OCI_MEDIA_DOCKER_MANIFEST, m.media_type);
	oci_manifest_clear(&m);
	assert_int_equal(0, oci_is_index(text, strlen(text), NULL, NULL));
}

#define ENTRY(n, os, arch, variant)                                                                \
	"{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":" #n             \
	",\"platform\":{\"architecture\":\"" arch "\",\"os\":\"" os "\"" variant "}}"

static uint64_t choose(const struct oci_index *x, const char *want)
{
	struct oci_platform p = {0};

	assert_int_equal(0, oci_platform_parse(want, &p, NULL));
	const struct oci_descriptor *d = oci_index_choose(x, &p);
	oci_platform_clear(&p);
	return d ? d->size : 0;
}

static void test_index(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"application/x\",\"digest\":\"" D1
		"\",\"size\":1,\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}," ENTRY(
			2, "unknown", "unknown", "") "," ENTRY(3, "windows", "amd64",
			"") "," ENTRY(4, "linux", "amd64", "") "," ENTRY(5, "linux", "amd64",
			"") "," ENTRY(6, "linux", "arm", ",\"variant\":\"v6\"") "," ENTRY(7,
			"linux", "arm", ",\"variant\":\"v5\"") "," ENTRY(8, "linux", "arm64",
			",\"variant\":\"v8\"") "," ENTRY(9, "linux", "amd64",
			",\"variant\":\"v2\"") "]}";
	struct oci_index x = {0};
	struct err *e = NULL;

	(void)state;
	assert_int_equal(0, oci_index_parse(text, strlen(text), NULL, &x, &e));
	assert_int_equal(9, x.nmanifests);
	assert_int_equal(1, oci_is_index(text, strlen(text), NULL, NULL));
	assert_int_equal(4, choose(&x, "linux/amd64"));
	assert_int_equal(9, choose(&x, "linux/amd64/v3"));
	assert_int_equal(3, choose(&x, "windows/amd64"));
	assert_int_equal(6, choose(&x, "linux/arm/v7"));
	assert_int_equal(7, choose(&x, "linux/arm/v5"));
	assert_int_equal(8, choose(&x, "linux/arm64"));
	assert_int_equal(0, choose(&x, "linux/s390x"));
	assert_int_equal(0, choose(&x, "linux/386"));
	char *again = oci_index_dump(&x, NULL);
	assert_string_equal(text, again);
	free(again);
	oci_index_clear(&x);
}

static void platform(const char *in, const char *want)
{
	struct oci_platform p = {0};
	auto_err struct err *e = NULL;

	if (oci_platform_parse(in, &p, &e) < 0)
		fail_msg("%s: %s", in, err_text(e));
	char *text = oci_platform_text(&p);
	assert_string_equal(want, text);
	free(text);
	oci_platform_clear(&p);
}

static void test_platform(void **state)
{
	static const char *const bad[] = {
		"", "/", "linux/", "/amd64", "linux//v7", "a/b/c/d", "linux/am d", "linux/\n"};
	struct oci_platform p = {0}, q = {0};

	(void)state;
	platform("linux/amd64", "linux/amd64");
	platform("Linux/X86_64", "linux/amd64");
	platform("linux/aarch64", "linux/arm64");
	platform("linux/arm64/v8", "linux/arm64");
	platform("linux/arm64/8", "linux/arm64");
	platform("linux/arm", "linux/arm/v7");
	platform("linux/armhf", "linux/arm/v7");
	platform("linux/armel", "linux/arm/v6");
	platform("linux/i386", "linux/386");
	platform("linux/amd64/v1", "linux/amd64");
	platform("arm64", "linux/arm64");
	platform("windows/amd64", "windows/amd64");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		auto_err struct err *e = NULL;
		assert_int_equal(-1, oci_platform_parse(bad[i], &p, &e));
		assert_int_equal(ERR_USAGE, err_get_kind(e));
	}
	oci_platform_host(&p);
	assert_int_equal(0, oci_platform_parse(NULL, &q, NULL));
	assert_true(oci_platform_rank(&p, &q) == 1000);
	oci_platform_clear(&p);
	oci_platform_clear(&q);
}

static int rank(const char *want, const char *have)
{
	struct oci_platform w = {0}, h = {0};

	oci_platform_parse(want, &w, NULL);
	oci_platform_parse(have, &h, NULL);
	int r = oci_platform_rank(&w, &h);
	oci_platform_clear(&w);
	oci_platform_clear(&h);
	return r;
}

static void test_rank(void **state)
{
	static const char *const order[][8] = {
		{"linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"},
		{"linux/arm/v7", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"},
		{"linux/arm64", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6"},
		{"linux/arm64/v8.2", "linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64"},
		{"linux/arm64/v9.1", "linux/arm64/v9.1", "linux/arm64/v9", "linux/arm64/v8.6",
			"linux/arm64"},
		{"linux/ppc64le/power9", "linux/ppc64le/power9", "linux/ppc64le"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (size_t k = 1; order[i][k]; k++) {
			int here = rank(order[i][0], order[i][k]);
			assert_true(here > 0);
			if (order[i][k + 1])
				assert_true(here > rank(order[i][0], order[i][k + 1]));
		}
	assert_int_equal(0, rank("linux/amd64", "linux/amd64/v2"));
	assert_int_equal(0, rank("linux/arm/v6", "linux/arm/v7"));
	assert_int_equal(0, rank("linux/386", "linux/amd64"));
	assert_int_equal(0, rank("linux/amd64", "windows/amd64"));
	assert_int_equal(0, rank("linux/amd64", "linux/arm64"));
}

static const char full_config[] =
	"{\"created\":\"2024-01-01T00:00:00Z\",\"author\":\"me\",\"architecture\":\"amd64\",\"os\":"
	"\"linux\",\"config\":{"
	"\"User\":\"1:2\",\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}},\"Env\":[\"PATH=/"
	"bin\",\"A=b=c\"],"
	"\"Entrypoint\":[\"/e\"],\"Cmd\":[],\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/"
	"w\",\"Labels\":{\"a\":\"1\",\"a.b\":\"2\"},"
	"\"StopSignal\":\"SIGINT\",\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":"
	"5000000000,\"Retries\":3},"
	"\"OnBuild\":[\"RUN "
	"x\"],\"Shell\":[\"/bin/sh\",\"-c\"],\"ArgsEscaped\":true,\"Zed\":{\"q\":[1,2.5]}},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]},"
	"\"history\":[{\"created\":\"2024-01-01T00:00:00Z\",\"created_by\":\"ADD "
	"x\",\"author\":\"a\",\"comment\":\"c\"},"
	"{\"created_by\":\"CMD\",\"empty_layer\":true}],\"docker_version\":\"20\",\"os.features\":["
	"\"f\"]}";

static void test_config(void **state)
{
	struct oci_config c, copy = {0};
	struct err *e = NULL;
	size_t n;

	(void)state;
	oci_config_init(&c);
	if (oci_config_parse(full_config, strlen(full_config), &c, &e) < 0)
		fail_msg("%s", err_text(e));
	assert_string_equal("1:2", c.user);
	assert_true(strlist_has(&c.exposed_ports, "53/udp"));
	assert_true(c.cmd.set);
	assert_int_equal(0, c.cmd.l.n);
	assert_string_equal("2", strlist_get_kv(&c.labels, "a.b"));
	assert_true(c.healthcheck.present);
	assert_true(c.healthcheck.interval_ns == 5000000000);
	assert_int_equal(1, c.ndiff_ids);
	assert_int_equal(2, c.nhistory);
	assert_true(c.history[1].empty_layer);
	assert_null(c.history[1].created);
	char *text = oci_config_dump(&c, &n);
	assert_string_equal(full_config, text);
	free(text);
	oci_config_copy(&copy, &c);
	oci_config_clear(&c);
	text = oci_config_dump(&copy, &n);
	assert_string_equal(full_config, text);
	free(text);
	oci_config_copy(&copy, &copy);
	text = oci_config_dump(&copy, &n);
	assert_string_equal(full_config, text);
	free(text);
	oci_config_clear(&copy);
}

static void test_config_changes(void **state)
{
	struct oci_config c;
	struct digest d;

	(void)state;
	oci_config_init(&c);
	oci_config_add_port(&c, "80/tcp");
	oci_config_add_port(&c, "443/tcp");
	oci_config_add_port(&c, "80/tcp");
	oci_config_add_volume(&c, "/b");
	oci_config_add_volume(&c, "/a");
	strlist_add(&c.labels, "z=1");
	strlist_add(&c.labels, "a=\xff");
	sha256_parse_string(D2, &d);
	oci_config_add_diff_id(&c, &d);
	oci_config_add_history(&c, &(struct oci_history){.created_by = (char *)(uintptr_t) "RUN"});
	char *text = oci_config_dump(&c, NULL);
	assert_string_equal("{\"config\":{\"ExposedPorts\":{\"443/tcp\":{},\"80/"
			    "tcp\":{}},\"Volumes\":{\"/a\":{},\"/b\":{}},"
			    "\"Labels\":{\"a\":\"\xef\xbf\xbd\",\"z\":\"1\"}},\"rootfs\":{\"type\":"
			    "\"layers\",\"diff_ids\":[\"" D2 "\"]},"
			    "\"history\":[{\"created_by\":\"RUN\"}]}",
		text);
	free(text);
	oci_config_clear(&c);
}

static void bad_config(const char *text, enum err_kind kind, const char *words)
{
	struct oci_config c = {0};
	auto_err struct err *e = NULL;

	if (oci_config_parse(text, strlen(text), &c, &e) == 0)
		fail_msg("accepted: %s", text);
	if (kind != err_get_kind(e) || !strstr(err_text(e), words))
		fail_msg("%s: %s", text, err_text(e));
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}"

static void test_config_refused(void **state)
{
	(void)state;
	bad_config("[]", ERR_CORRUPT, "expected object");
	bad_config("{}", ERR_CORRUPT, "image config: rootfs: missing");
	bad_config("{\"rootfs\":{\"type\":\"x\",\"diff_ids\":[]}}", ERR_CORRUPT, "rootfs.type");
	bad_config("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:1\"]}}", ERR_CORRUPT,
		"rootfs.diff_ids[0]");
	bad_config("{\"config\":{\"Env\":[1]}," ROOTFS "}", ERR_CORRUPT,
		"config.Env[0]: expected string");
	bad_config(
		"{\"config\":{\"Env\":{}}," ROOTFS "}", ERR_CORRUPT, "config.Env: expected array");
	bad_config("{\"config\":{\"User\":1}," ROOTFS "}", ERR_CORRUPT,
		"config.User: expected string");
	bad_config("{\"config\":{\"Labels\":{\"a=b\":\"c\"}}," ROOTFS "}", ERR_CORRUPT,
		"contains '='");
	bad_config("{\"config\":{\"Labels\":{\"a\":1}}," ROOTFS "}", ERR_CORRUPT,
		"config.Labels: expected strings");
	bad_config("{\"config\":{\"Volumes\":[]}," ROOTFS "}", ERR_CORRUPT,
		"config.Volumes: expected object");
	bad_config("{\"config\":{\"Healthcheck\":{\"Retries\":\"x\"}}," ROOTFS "}", ERR_CORRUPT,
		"config.Healthcheck.Retries: expected integer");
	bad_config("{\"history\":[1]," ROOTFS "}", ERR_CORRUPT, "history[0]: expected object");
	bad_config("{\"history\":[{\"empty_layer\":1}]," ROOTFS "}", ERR_CORRUPT,
		"history[0].empty_layer");
	bad_config("{\"history\":[{\"created_by\":1}]," ROOTFS "}", ERR_CORRUPT,
		"history[0].created_by");
	bad_config("{\"os\":[]," ROOTFS "}", ERR_CORRUPT, "os: expected string");
}

static void test_nulls(void **state)
{
	static const char text[] =
		"{\"config\":{\"User\":\"\",\"Env\":null,\"Cmd\":null,\"Entrypoint\":\"/"
		"x\",\"Labels\":null,"
		"\"Volumes\":null,\"Healthcheck\":null},\"history\":null," ROOTFS "}";
	struct oci_config c = {0};

	(void)state;
	assert_int_equal(0, oci_config_parse(text, strlen(text), &c, NULL));
	assert_null(c.user);
	assert_false(c.cmd.set);
	assert_true(c.entrypoint.set);
	assert_null(c.extra_config);
	char *again = oci_config_dump(&c, NULL);
	assert_string_equal("{\"config\":{\"Entrypoint\":[\"/x\"]}," ROOTFS "}", again);
	free(again);
	oci_config_clear(&c);
}

static void repair(const char *history, int layers, const char *want)
{
	struct oci_config c = {0};
	struct digest d = {{1}};
	char got[32] = "";

	for (const char *p = history; *p; p++)
		oci_config_add_history(&c, &(struct oci_history){.empty_layer = *p == 'e'});
	for (int i = 0; i < layers; i++)
		oci_config_add_diff_id(&c, &d);
	oci_config_repair_history(&c);
	for (size_t i = 0; i < c.nhistory; i++)
		got[i] = c.history[i].empty_layer ? 'e' : 'L';
	got[c.nhistory] = '\0';
	assert_string_equal(want, got);
	oci_config_clear(&c);
}

static void test_repair(void **state)
{
	(void)state;
	repair("", 0, "");
	repair("", 2, "LL");
	repair("LeL", 2, "LeL");
	repair("LeLL", 2, "eeLL");
	repair("LeL", 3, "LLeL");
	repair("eee", 1, "Leee");
	repair("LL", 0, "ee");
}

static void test_chain(void **state)
{
	struct digest d[3], c, want;
	char text[DIGEST_STRING], line[200];

	(void)state;
	sha256_parse_string(D1, &d[0]);
	sha256_parse_string(D2, &d[1]);
	d[2] = d[0];
	oci_chain_id(d, 0, &c);
	assert_true(sha256_is_zero(&c));
	oci_chain_id(d, 1, &c);
	assert_true(sha256_equal(&c, &d[0]));
	oci_chain_id(d, 2, &c);
	sha256_of(D1 " " D2, strlen(D1 " " D2), &want);
	assert_true(sha256_equal(&c, &want));
	oci_chain_id(d, 3, &c);
	snprintf(line, sizeof line, "%s %s", sha256_string(&want, text), D1);
	sha256_of(line, strlen(line), &want);
	assert_true(sha256_equal(&c, &want));
}

/* One entry more than the limit of a list, in either kind of list. */
static void test_list_limits(void **state)
{
	static const struct {
		const char *key, *item; /* item of an array; NULL = members of an object */
		int max;
	} t[] = {
		{"OnBuild", "\"RUN x\"", OCI_ONBUILD_MAX},
		{"Env", "\"A=b\"", OCI_ENTRIES_MAX},
		{"Labels", NULL, OCI_ENTRIES_MAX},
		{"ExposedPorts", NULL, OCI_ENTRIES_MAX},
		{"Cmd", "\"x\"", OCI_WORDS_MAX},
		{"Shell", "\"x\"", OCI_WORDS_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct oci_config c = {0};
		struct err *e = NULL;
		char *text = NULL;
		size_t n;
		FILE *f = open_memstream(&text, &n);

		fprintf(f,
			"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"config\":{\"%s\":%s",
			t[i].key, t[i].item ? "[" : "{");
		for (int k = 0; k <= t[i].max; k++)
			if (t[i].item)
				fprintf(f, "%s%s", k ? "," : "", t[i].item);
			else
				fprintf(f, "%s\"%d\":\"\"", k ? "," : "", k);
		fprintf(f, "%s}}", t[i].item ? "]" : "}");
		fclose(f);
		assert_int_equal(-1, oci_config_parse(text, n, &c, &e));
		assert_int_equal(ERR_LIMIT, err_get_kind(e));
		assert_non_null(strstr(err_text(e), "the limit is"));
		assert_non_null(strstr(err_text(e), t[i].key));
		err_free(e);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_limits),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_manifest_refused),
		cmocka_unit_test(test_layer_limit),
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_platform),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_changes),
		cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_chain),
	};
	return cmocka_run_group_tests_name("oci", tests, NULL, NULL);
}

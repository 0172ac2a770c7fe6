// SPDX-License-Identifier: Apache-2.0
/* --output and --annotation as text; the difference of two trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/image/annotation.h"
#include "builder/output/output.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/tree/tree.h"

static void outputs(void **state)
{
	static const struct {
		const char *text;
		enum output_type type;
		const char *dest; /* NULL: none */
		bool to_stdout, directory, push, remove;
	} good[] = {
		{"dir", OUTPUT_LOCAL, "dir", 0, 1, 0, 0},
		{"-", OUTPUT_TAR, "-", 1, 0, 0, 0},
		{"type=tar", OUTPUT_TAR, NULL, 1, 0, 0, 0},
		{"type=local,dest=a b,mode=delete", OUTPUT_LOCAL, "a b", 0, 1, 0, 1},
		{"dest=x,type=local,mode=copy", OUTPUT_LOCAL, "x", 0, 1, 0, 0},
		{"\"type=local\",\"dest=a,\"\"b\"\"\"", OUTPUT_LOCAL, "a,\"b\"", 0, 1, 0, 0},
		{"type=oci,dest=d,tar=false", OUTPUT_OCI, "d", 0, 1, 0, 0},
		{"type=oci", OUTPUT_OCI, NULL, 1, 0, 0, 0},
		{"type=docker", OUTPUT_DOCKER, NULL, 0, 0, 0, 0},
		{"type=docker,dest=-", OUTPUT_DOCKER, "-", 1, 0, 0, 0},
		{"type=registry", OUTPUT_IMAGE, NULL, 0, 0, 1, 0},
		{"type=image,push=true,name=a", OUTPUT_IMAGE, NULL, 0, 0, 1, 0},
		{"type=image,push=false", OUTPUT_IMAGE, NULL, 0, 0, 0, 0},
		{"type=cacheonly", OUTPUT_CACHEONLY, NULL, 0, 0, 0, 0},
	};
	static const char *const bad[] = {"", "type=", "type=zip", "dest=x", "type=local",
		"type=local,dest=", "type=local,dest=-", "type=oci,dest=-,tar=false",
		"type=docker,tar=false,dest=x", "type=local,dest=x,push=true",
		"type=image,name=", "type=image,name=A B", "type=image,name=a@b", "type=image,push",
		"\"type=tar", "\"type=tar\"x", "type=cacheonly,dest=x", "type=registry,push=false",
		"type=oci,compression-level=x", "type=oci,compression=zstd,compression-level=20",
		"type=local,dest=x,,", "type=oci,dest=x,rewrite-timestamp=perhaps",
		"type=oci,dest=x,tar=perhaps", "type=oci,dest=x,oci-mediatypes=perhaps",
		"type=oci,dest=x,force-compression=perhaps", "type=local,dest=x,devices=perhaps",
		"type=local,dest=x,platform-split=perhaps", "type=image,registry.insecure=perhaps",
		"type=image,push=perhaps"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct output o;
		int r = output_parse(good[i].text, &o, NULL);

		if (r < 0 || o.type != good[i].type || o.to_stdout != good[i].to_stdout ||
			o.directory != good[i].directory || o.push != good[i].push ||
			o.remove_others != good[i].remove || !o.dest != !good[i].dest ||
			(o.dest && strcmp(o.dest, good[i].dest) != 0))
			fail_msg("%s", good[i].text);
		output_clear(&o);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_err struct err *err = NULL;
		struct output o;

		if (output_parse(bad[i], &o, &err) == 0)
			fail_msg("%s", bad[i]);
		assert_int_equal(ERR_USAGE, err_get_kind(err));
		output_clear(&o);
	}
}

static void annotations(void **state)
{
	static const struct {
		const char *text;
		unsigned levels; /* 0: refused */
	} rows[] = {
		{"a=1", ANNOTATION_MANIFEST},
		{"a=b:c=d", ANNOTATION_MANIFEST},
		{"manifest:a=", ANNOTATION_MANIFEST},
		{"index,manifest-descriptor:a=1",
			ANNOTATION_INDEX | ANNOTATION_MANIFEST_DESCRIPTOR},
		{"manifest[linux/arm64],index-descriptor:a=1",
			ANNOTATION_MANIFEST | ANNOTATION_INDEX_DESCRIPTOR},
		{"a", 0},
		{"=1", 0},
		{":a=1", 0},
		{"manifest:=1", 0},
		{"other:a=1", 0},
		{"manifest,:a=1", 0},
		{"manifest[:a=1", 0},
		{"manifest[]:a=1", 0},
		{"index[linux/amd64]:a=1", 0},
	};
	auto_strlist struct strlist given = {0}, out = {0};
	auto_oci_platform struct oci_platform p = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_err struct err *err = NULL;
		unsigned levels = 0;
		int r = annotation_check(rows[i].text, &levels, &err);

		if ((r < 0) != !rows[i].levels || (r == 0 && levels != rows[i].levels))
			fail_msg("%s: %u", rows[i].text, levels);
	}
	strlist_add(&given, "a=1");
	strlist_add(&given, "manifest[linux/arm64/v8]:b=2");
	strlist_add(&given, "manifest[linux/amd64]:b=3");
	strlist_add(&given, "index:c=4");
	strlist_add(&given, "a=x=y");
	assert_int_equal(0, oci_platform_parse("linux/arm64", &p, NULL));
	annotation_select(&given, ANNOTATION_MANIFEST, &p, &out);
	assert_int_equal(2, out.n);
	assert_string_equal("a=x=y", out.v[0]);
	assert_string_equal("b=2", out.v[1]);
	annotation_select(&given, ANNOTATION_INDEX, NULL, &out);
	assert_int_equal(3, out.n);
}

static int to_fd(void *ctx, const void *p, size_t n, struct err **err)
{
	const int *fd = ctx;

	(void)err;
	return fs_write_all(*fd, p, n);
}

/* A tar of entries, in a file without a name. */
static int tar_of(const struct layer_entry *v, size_t n)
{
	auto_free char *name = mem_strdup("/tmp/output_test.XXXXXX");
	int fd = mkstemp(name);
	auto_layer_list struct layer_list *l = layer_list_new();

	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < n; i++)
		layer_list_add(l, &v[i]);
	assert_int_equal(
		0, layer_list_write(l, (struct io_writer){.write = to_fd, .ctx = &fd}, NULL));
	return fd;
}

#define FILE_OF(name, text)                                                                        \
	{                                                                                          \
		.path = name, .type = LAYER_FILE, .mode = 0644, .size = sizeof(text) - 1,          \
		.source = LAYER_DATA_MEM, .mem = text, .fd = -1                                    \
	}

static void difference(void **state)
{
	static const struct layer_entry below[] = {
		{.path = "d", .type = LAYER_DIR, .mode = 0755, .mtime = 1, .fd = -1},
		FILE_OF("d/a", "1"),
		FILE_OF("d/b", "2"),
		{.path = "e", .type = LAYER_DIR, .mode = 0755, .mtime = 1, .fd = -1},
		FILE_OF("e/x", "3"),
		FILE_OF("kind", "4"),
	};
	static const struct layer_entry above[] = {
		{.path = "d", .type = LAYER_DIR, .mode = 0755, .mtime = 2, .fd = -1},
		{.path = "d/b", .type = LAYER_WHITEOUT, .fd = -1},
		{.path = "e", .type = LAYER_DIR, .mode = 0755, .mtime = 2, .fd = -1},
		{.path = "d/c", .type = LAYER_HARDLINK, .link = "d/a", .fd = -1},
		{.path = "kind", .type = LAYER_DIR, .mode = 0700, .fd = -1},
		FILE_OF("kind/n", "5"),
		{.path = "kind/o", .type = LAYER_HARDLINK, .link = "kind/n", .fd = -1},
	};
	static const struct {
		const char *path;
		enum layer_type type;
	} want[] = {
		{"d", LAYER_DIR},
		{"d/b", LAYER_WHITEOUT},
		{"d/c", LAYER_FILE}, /* as in an overlay, a link to a lower file is a copy */
		{"kind", LAYER_DIR},
		{"kind/n", LAYER_FILE},
		{"kind/o", LAYER_HARDLINK},
	};
	auto_layer_tree struct layer_tree *a = layer_tree_new(), *b = layer_tree_new();
	int first = tar_of(below, ARRAY_LEN(below));

	(void)state;
	assert_int_equal(0, layer_tree_apply(a, fcntl(first, F_DUPFD_CLOEXEC, 3), NULL));
	assert_int_equal(0, layer_tree_apply(b, first, NULL));
	auto_layer_list struct layer_list *none = layer_difference(a, b);
	assert_int_equal(0, layer_list_count(none));
	assert_int_equal(0, layer_tree_apply(b, tar_of(above, ARRAY_LEN(above)), NULL));
	auto_layer_list struct layer_list *l = layer_difference(a, b);
	layer_list_sort(l);
	assert_int_equal(ARRAY_LEN(want), layer_list_count(l));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(want[i].path, layer_list_at(l, i)->path);
		assert_int_equal(want[i].type, layer_list_at(l, i)->type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs),
		cmocka_unit_test(annotations),
		cmocka_unit_test(difference),
	};
	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}

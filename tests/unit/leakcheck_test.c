// SPDX-License-Identifier: Apache-2.0
/* Tars with a secret somewhere, handed over in pieces: content, names, link targets, attributes. */
#include "builder/secrets/leakcheck.h"

#include "tests/unit/layer_kit.h"

#define SECRET "canary/9f3c+do not"

static char id_text[] = "id", secret_text[] = SECRET "\n", short_text[] = "abc",
	    seven[] = "1234567";

struct cut {
	struct io_writer out;
	size_t step;
};

static int write_cut(void *ctx, const void *p, size_t n, struct err **err)
{
	struct cut *c = ctx;

	for (size_t i = 0; i < n; i += c->step)
		io_write(&c->out, (const char *)p + i, c->step < n - i ? c->step : n - i, err);
	return 0;
}

/* A tar of a harmless file, the entry, and another one, in pieces; what is found in it. */
static void check(const struct layer_entry *e, const char *want, size_t more)
{
	struct secret s = {.id = id_text, .data = secret_text, .len = sizeof SECRET};
	struct secret other = {.id = short_text, .data = short_text, .len = 3};
	const struct secret *v[] = {&other, &s};
	static const size_t steps[] = {1, 7, 512, 100000};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		auto_leakcheck struct leakcheck *c = leakcheck_new(v, 2);
		struct cut cut = {leakcheck_writer(c), steps[i]};
		auto_layer_writer struct layer_writer *w =
			layer_writer_new((struct io_writer){write_cut, &cut});
		struct layer_entry plain = {.path = "a",
			.type = LAYER_FILE,
			.mode = 0644,
			.size = 3,
			.source = LAYER_DATA_MEM,
			.mem = "abc",
			.fd = -1};
		const char *id = NULL;
		size_t others = 0;

		assert_ok(layer_writer_add(w, &plain, err));
		assert_ok(layer_writer_add(w, e, err));
		plain.path = "z";
		assert_ok(layer_writer_add(w, &plain, err));
		if (more)
			assert_ok(layer_writer_add(w, e, err));
		assert_ok(layer_writer_finish(w, err));
		const char *found = leakcheck_found(c, &id, &others);
		if (!want) {
			assert_null(found);
			continue;
		}
		assert_non_null(found);
		assert_string_equal(found, want);
		assert_string_equal(id, "id");
		assert_int_equal(others, more);
	}
}

static struct layer_entry file_of(const char *path, const char *text)
{
	return (struct layer_entry){.path = path,
		.type = LAYER_FILE,
		.mode = 0644,
		.size = strlen(text),
		.source = LAYER_DATA_MEM,
		.mem = text,
		.fd = -1};
}

static void test_contents(void **state)
{
	char large[3000];
	struct layer_entry e;

	(void)state;
	e = file_of("d/f", "x" SECRET "y");
	check(&e, "/d/f", 0);
	check(&e, "/d/f", 1);
	e = file_of("d/f", "url=canary%2f9f3c%2Bdo+not&");
	check(&e, "/d/f", 0);
	e = file_of("d/f", "Y2FuYXJ5LzlmM2MrZG8gbm90\n");
	check(&e, "/d/f", 0);
	memset(large, 'x', sizeof large);
	memcpy(large + sizeof large - sizeof SECRET, SECRET, sizeof SECRET);
	e = file_of("d/f", large);
	check(&e, "/d/f", 0);
	e = file_of("d/f", "canary/9f3c+do no");
	check(&e, NULL, 0);
	/* the end of one file and the beginning of the next are no secret */
	e = file_of("d/f", "canary/9f3c");
	check(&e, NULL, 0);
}

static void test_names(void **state)
{
	char deep[400];
	struct layer_entry e;

	(void)state;
	e = file_of("d/x-" SECRET, "");
	check(&e, "/d/x-" SECRET, 0);
	/* over the two fields of a header, and in a record */
	memset(deep, 'd', sizeof deep);
	strcpy(deep + 60, "/canary/9f3c+do not");
	memset(deep + strlen(deep), 'e', 80);
	deep[159] = '\0';
	e = file_of(deep, "x");
	auto_free char *at = mem_printf("/%s", deep);
	check(&e, at, 0);
	memset(deep, 'd', 300);
	strcpy(deep + 300, SECRET);
	e = file_of(deep, "x");
	auto_free char *long_at = mem_printf("/%s", deep);
	check(&e, long_at, 0);
	/* a long name that has none, a content that does */
	memset(deep, 'd', 300);
	deep[300] = '\0';
	e = file_of(deep, SECRET);
	auto_free char *plain_at = mem_printf("/%s", deep);
	check(&e, plain_at, 0);
}

static void test_links_and_attributes(void **state)
{
	struct layer_xattr x = {.name = "user.k", .value = SECRET, .len = strlen(SECRET)};
	struct layer_entry e = {
		.path = "l", .type = LAYER_SYMLINK, .mode = 0777, .link = "/x/" SECRET, .fd = -1};

	(void)state;
	check(&e, "/l", 0);
	e = file_of("f", "x");
	e.xattrs = &x;
	e.nxattrs = 1;
	check(&e, "/f", 0);
}

static void test_nothing_to_look_for(void **state)
{
	struct secret s = {.id = id_text, .data = seven, .len = 7};
	const struct secret *v[] = {&s};

	(void)state;
	assert_null(leakcheck_new(v, 1));
	assert_null(leakcheck_new(v, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_links_and_attributes),
		cmocka_unit_test(test_nothing_to_look_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

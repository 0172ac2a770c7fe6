// SPDX-License-Identifier: Apache-2.0
// ADD URL: names, modes, times, errors.
#include "tests/unit/copy_kit.h"

#include "tests/support/fake.h"

static struct fake F;

struct row {
	const char *url; /* behind http://127.0.0.1:PORT */
	const char *dest;
	const char *chown;
	bool chmod;
	const char *want; /* see copy_kit.h */
};

static const struct row rows[] = {
	{"/dir/file.txt", "/d/", NULL, false, "d d ~5000; f d/file.txt =hello @600 ~1704164645"},
	{"/dir/file.txt", "/n", NULL, false, "f n =hello @600 ~1704164645"},
	{"/dir/file.txt?x=/y/z#frag/ment", "/", NULL, false, "f file.txt =hello @600 ~1704164645"},
	{"/notime", "/", NULL, false, "f notime =abc @600 ~5000"},
	{"/empty", "/", NULL, false, "f empty = @600 ~5000"},
	{"/%41%62", "/", NULL, false, "f Ab =pc @600 ~5000"},
	{"/q/..%2Fx", "/", NULL, false, "f x =up @600 ~5000"},
	{"/q/%2e%2e", "/", NULL, false, "f __unnamed__ =dots @600 ~5000"},
	{"/slash/", "/", NULL, false, "f slash =s @600 ~5000"},
	{"/", "/", NULL, false, "f __unnamed__ =root @600 ~5000"},
	{"", "/", NULL, false, "f __unnamed__ =root @600 ~5000"},
	{"/notime", "/", "3:4", true, "f notime =abc @755 :3:4 ~5000"},
	{"/moved", "/", NULL, false, "f moved =abc @600 ~5000"},
	{"/archive.tar", "/", NULL, false, "f archive.tar =abc @600 ~5000"},
	{"/gone", "/", NULL, false, "!HTTP 404"},
	{"/secret", "/", NULL, false, "!HTTP 403"},
	{"/notime", "/old/", NULL, false, "!/old is not a directory"},
};

static char *run(const struct row *r)
{
	auto_layer_tree struct layer_tree *below = kit_make_tree("f old =1");
	auto_free char *url = mem_printf("http://127.0.0.1:%d%s", F.port, r->url);
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_item item = {.kind = COPY_ITEM_URL, .text = url};
	struct copy_request q = {.root = {.dir_fd = -1},
		.items = &item,
		.nitems = 1,
		.add = true,
		.tmp_dir_fd = tmp};
	struct copy_dest d = {.below = below,
		.path = r->dest,
		.workdir = "/",
		.now = KIT_NOW,
		.has_owner = r->chown != NULL,
		.uid = 3,
		.gid = 4,
		.has_mode = r->chmod,
		.mode = 0755};
	struct err *e = NULL;
	auto_copy_selection struct copy_selection *s = copy_select(&q, NULL, &e);
	auto_copy_placed struct copy_placed *l = s ? copy_place(s, &d, &e) : NULL;
	if (l)
		return kit_placed_text(l);
	char *text = mem_printf("!%s", err_text(e));
	err_free(e);
	return text;
}

static void test_urls(void **state)
{
	int bad = 0;
	(void)state;
	fake_start(&F,
		"[{\"p\":\"/dir/"
		"file.txt(\\\\?.*)?\",\"body\":\"hello\",\"headers\":[[\"Last-Modified\","
		"\"Tue, 02 Jan 2024 03:04:05 GMT\"]]},"
		"{\"p\":\"/notime\",\"body\":\"abc\"},"
		"{\"p\":\"/archive.tar\",\"body\":\"abc\"},"
		"{\"p\":\"/moved\",\"status\":302,\"headers\":[[\"Location\",\"/notime\"]]},"
		"{\"p\":\"/secret\",\"status\":403},"
		"{\"p\":\"/q/..%2Fx\",\"body\":\"up\"},"
		"{\"p\":\"/slash/\",\"body\":\"s\"},"
		"{\"p\":\"/empty\",\"body\":\"\"},"
		"{\"p\":\"/?(q/)?(\\\\.\\\\.|%2e%2e)\",\"body\":\"dots\"},"
		"{\"p\":\"/(%41%62|Ab)\",\"body\":\"pc\"},"
		"{\"p\":\"/\",\"body\":\"root\"}]",
		NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		char *got = run(r);
		bool ok = r->want[0] == '!' ? got[0] == '!' && strstr(got, r->want + 1)
					    : strcmp(got, r->want) == 0;
		if (!ok) {
			print_error("%s:\ngot:  %s\nwant: %s\n", r->url, got, r->want);
			bad++;
		}
		free(got);
	}
	fake_stop(&F);
	assert_int_equal(bad, 0);
}

static void test_copy_refuses(void **state)
{
	struct copy_item item = {.kind = COPY_ITEM_URL, .text = "http://127.0.0.1:1/x"};
	struct copy_request q = {
		.root = {.dir_fd = -1}, .items = &item, .nitems = 1, .tmp_dir_fd = -1};
	(void)state;
	assert_fails(copy_select(&q, NULL, err) ? 0 : -1, ERR_CONTEXT, "COPY does not download");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_copy_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

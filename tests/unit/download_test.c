// SPDX-License-Identifier: Apache-2.0
/* Files behind URLs: names, modes, times, errors, what is asked again. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/copy_kit.h"

#include "builder/fetch/download.h"
#include "store/base/mem.h"
#include "tests/support/fake.h"
#include "tests/support/storedir.h"

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
	{"/notime", "/", NULL, false, "f notime =abc @600 ~0"},
	{"/empty", "/", NULL, false, "f empty = @600 ~0"},
	{"/%41%62", "/", NULL, false, "f Ab =pc @600 ~0"},
	{"/q/..%2Fx", "/", NULL, false, "f x =up @600 ~0"},
	{"/q/%2e%2e", "/", NULL, false, "!no name"},
	{"/slash/", "/", NULL, false, "f slash =s @600 ~0"},
	{"/", "/", NULL, false, "!no name"},
	{"", "/", NULL, false, "!no name"},
	{"/notime", "/", "3:4", true, "f notime =abc @755 :3:4 ~0"},
	{"/moved", "/", NULL, false, "f moved =abc @600 ~0"},
	{"/archive.tar", "/", NULL, false, "f archive.tar =abc @600 ~0"},
	{"/gone", "/", NULL, false, "!HTTP 404"},
	{"/secret", "/", NULL, false, "!HTTP 403"},
	{"/notime", "/old/", NULL, false, "!/old is not a directory"},
};

static char *failed(struct err *e)
{
	char *text = mem_printf("!%s", err_text(e));

	err_free(e);
	return text;
}

static char *placed(const struct row *r, struct copy_item *item)
{
	auto_layer_tree struct layer_tree *below = kit_make_tree("f old =1");
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_request q = {
		.root = {.dir_fd = -1}, .items = item, .nitems = 1, .tmp_dir_fd = tmp};
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

	return l ? kit_placed_text(l) : failed(e);
}

static char *run(struct store *store, const struct row *r)
{
	auto_free char *url = fake_url(&F, "%s", r->url);
	auto_free char *name = download_name(url);
	const struct fetchenv env = {.s = store};
	CLEANUP(download_clear) struct download d = {.fd = -1};
	struct err *e = NULL;

	if (!name)
		return mem_strdup("!no name");
	if (download_get(&env, url, NULL, &d, &e) < 0)
		return failed(e);
	struct copy_file_given given = {
		.fd = d.fd, .size = d.size, .digest = d.digest, .mtime = d.mtime};
	struct copy_item item = {.kind = COPY_ITEM_GIVEN, .text = name, .given = &given};
	return placed(r, &item);
}

static void test_urls(void **state)
{
	struct storedir *dir = *state;
	int bad = 0;

	fake_start(&F,
		"/dir/file.txt(\\?.*)? body=hello 'Last-Modified: Tue, 02 Jan 2024 03:04:05 GMT'\n"
		"/notime body=abc\n"
		"/archive.tar body=abc\n"
		"/moved 302 'Location: /notime'\n"
		"/secret 403\n"
		"/q/..%2Fx body=up\n"
		"/slash/ body=s\n"
		"/empty body=\n"
		"/?(q/)?(\\.\\.|%2e%2e) body=dots\n"
		"/(%41%62|Ab) body=pc\n"
		"/ body=root");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		char *got = run(dir->s, r);
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

static void get(struct store *s, const char *path, const struct digest *want, const char *expect)
{
	auto_free char *url = fake_url(&F, "%s", path);
	const struct fetchenv env = {.s = s};
	struct download d = {.fd = -1};
	struct err *e = NULL;
	int rc = download_get(&env, url, want, &d, &e);

	if (*expect == '!') {
		assert_int_equal(rc, -1);
		assert_non_null(strstr(err_text(e), expect + 1));
		err_free(e);
		return;
	}
	assert_int_equal(rc, 0);
	char text[64] = "";
	assert_int_equal(d.size, strlen(expect));
	assert_int_equal(pread(d.fd, text, sizeof text - 1, 0), (ssize_t)d.size);
	assert_string_equal(text, expect);
	download_clear(&d);
}

/* The second time only a question is sent; with a checksum that fits not even that. */
static void test_again(void **state)
{
	struct storedir *dir = *state;
	struct digest is, other;

	fake_start(&F, "/tagged n=1 body=abc 'ETag: \"v1\"'\n"
		       "/tagged 304\n"
		       "/bare body=xyz");
	sha256_of("abc", 3, &is);
	sha256_of("abd", 3, &other);
	get(dir->s, "/tagged", NULL, "abc");
	get(dir->s, "/tagged", NULL, "abc");
	assert_int_equal(fake_count(&F, "/tagged", NULL), 2);
	get(dir->s, "/tagged", &is, "abc");
	assert_int_equal(fake_count(&F, "/tagged", NULL), 2);
	get(dir->s, "/tagged", &other, "!has the digest sha256:ba7816bf");
	assert_int_equal(fake_count(&F, "/tagged", NULL), 3);
	get(dir->s, "/bare", NULL, "xyz");
	get(dir->s, "/bare", NULL, "xyz");
	assert_int_equal(fake_count(&F, "/bare", NULL), 2);
	fake_stop(&F);
}

static void test_shown(void **state)
{
	(void)state;
	auto_free char *a = download_shown("https://u:p@h:1/a/b?token=x#y");
	auto_free char *b = download_shown("http://h/a@b\x1b");
	assert_string_equal(a, "https://h:1/a/b");
	assert_string_equal(b, "http://h/a@b\\x1b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_urls, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(test_again, storedir_setup, storedir_teardown),
		cmocka_unit_test(test_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* USER, --chown and the owner of WORKDIR: a row for each text and kind of image. */
#include "tests/unit/layer_kit.h"

#include "builder/image/userdb.h"

#define PASSWD                                                                                     \
	"# comment\n"                                                                              \
	"root:x:0:0:root:/root:/bin/sh\n"                                                          \
	"broken:x:12\n"                                                                            \
	"big:x:4294967295:1::/:\n"                                                                 \
	"hex:x:0x10:1::/:\n"                                                                       \
	":x:77:77::/:\n"                                                                           \
	"app:x:1000:1001:,,,:/srv/app:/bin/sh\n"                                                   \
	"app:x:5:5::/second:\n"                                                                    \
	"nohome:x:1002:1002::\n"                                                                   \
	"crlf:x:1003:1003::/crlf\r\n"                                                              \
	"top:x:4294967294:3::/t:\n"                                                                \
	"last:x:1004:1004::/last"
#define GROUP                                                                                      \
	"root:x:0:\n"                                                                              \
	"app:x:1001:app\n"                                                                         \
	"audio:x:29:other,app\n"                                                                   \
	"video:x:44:app,other\n"                                                                   \
	"close:x:45:appx,xapp,ap\n"                                                                \
	"same:x:29:app\n"                                                                          \
	"bad:x:nan:app\n"                                                                          \
	"wheel:x:10:root"

enum image { FULL, EMPTY, GROUPLESS, LINKED, FIFO, DIRECTORY, DEVICE, HUGE, NULS, LOOP };

static struct layer_tree *make(enum image kind)
{
	static char huge[USERDB_FILE_MAX + 2];
	static const char nuls[] = "root\0:x:0:0:::\napp\0:x:1:1:::\nroot:x:0:0::/r:\n";
	struct layer_entry etc = DIR_("etc"), passwd = FILE_("etc/passwd", PASSWD),
			   group = FILE_("etc/group", GROUP), real = FILE_("etc/real", PASSWD);
	memset(huge, 'a', sizeof huge - 1);
	int fd = -1;

	if (kind == LINKED || kind == LOOP)
		passwd = (struct layer_entry)LINK_(
			"etc/passwd", kind == LOOP ? "passwd" : "../../../etc/real");
	if (kind == FIFO || kind == DIRECTORY || kind == DEVICE)
		passwd = (struct layer_entry){.path = "etc/passwd",
			.type = kind == FIFO        ? LAYER_FIFO
				: kind == DIRECTORY ? LAYER_DIR
						    : LAYER_CHAR,
			.mode = 0644,
			.dev_major = 1,
			.dev_minor = 5};
	if (kind == HUGE)
		passwd = (struct layer_entry)FILE_("etc/passwd", huge);
	if (kind == NULS) {
		passwd.mem = nuls;
		passwd.size = sizeof nuls - 1;
	}
	if (kind == EMPTY)
		fd = KIT_TAR(etc);
	else if (kind == GROUPLESS)
		fd = KIT_TAR(etc, passwd);
	else
		fd = KIT_TAR(etc, real, passwd, group);
	struct layer_tree *t = layer_tree_new();
	assert_ok(layer_tree_apply(t, fd, err));
	return t;
}

struct row {
	enum image image;
	const char *text;
	const char
		*want; /* "UID:GID [GROUP...] HOME" or "UID:GID", or '!' and a part of the error */
};

static const struct row users[] = {
	{FULL, "", "0:0 [0 10] /root"},
	{GROUPLESS, "", "0:0 [0] /root"},
	{DIRECTORY, "", "0:0 [0] /"},
	{HUGE, "", "0:0 [0] /"},
	{LINKED, "", "0:0 [0 10] /root"},
	{FULL, "root", "0:0 [0 10] /root"},
	{FULL, "0", "0:0 [0 10] /root"},
	{FULL, "app", "1000:1001 [1001 29 44] /srv/app"},
	{FULL, "1000", "1000:1001 [1001 29 44] /srv/app"},
	{FULL, "01000", "1000:1001 [1001 29 44] /srv/app"},
	{FULL, "app:", "1000:1001 [1001 29 44] /srv/app"},
	{FULL, "root:", "0:0 [0 10] /root"},
	{FULL, "app:audio", "1000:29 [29] /srv/app"},
	{FULL, "app:5", "1000:5 [5] /srv/app"},
	{FULL, "app:root", "1000:0 [0] /srv/app"},
	{FULL, "1000:audio", "1000:29 [29] /srv/app"},
	{FULL, "4000", "4000:0 [0] /"},
	{FULL, "4000:4001", "4000:4001 [4001] /"},
	{FULL, "4294967294", "4294967294:3 [3] /t"},
	{FULL, "nohome", "1002:1002 [1002] /"},
	{FULL, "crlf", "1003:1003 [1003] /crlf"},
	{FULL, "last", "1004:1004 [1004] /last"},
	{FULL, "0x0", "!there is no user \"0x0\""},
	{FULL, "1000abc", "!there is no user"},
	{FULL, "-1", "!there is no user"},
	{FULL, "+1", "!there is no user"},
	{FULL, " 1", "!there is no user"},
	{FULL, "4294967295", "!out of range"},
	{FULL, "99999999999999999999999", "!out of range"},
	{FULL, "1:4294967295", "!out of range"},
	{FULL, ":0", "0:0 [0] /root"},
	{FULL, ":audio", "0:29 [29] /root"},
	{FULL, ":77", "0:77 [77] /root"},
	{FULL, ":nix", "!there is no group \"nix\" in /etc/group"},
	{FULL, ":", "0:0 [0 10] /root"},
	{FULL, "a:b:c", "!is not USER[:GROUP]"},
	{FULL, "1:2:3", "!is not USER[:GROUP]"},
	{FULL, "nobody", "!there is no user \"nobody\" in /etc/passwd"},
	{FULL, "app:nix", "!there is no group \"nix\" in /etc/group"},
	{FULL, "broken", "!there is no user"},
	{FULL, "big", "!there is no user"},
	{FULL, "hex", "!there is no user"},
	{FULL, "#", "!there is no user"},
	{FULL, "77", "77:0 [0] /"},
	{FULL, "\033[31m", "!\\x1b"},
	{EMPTY, "", "0:0 [0] /"},
	{EMPTY, "root", "0:0 [0] /"},
	{EMPTY, "5", "5:0 [0] /"},
	{EMPTY, "5:root", "5:0 [0] /"},
	{EMPTY, "app", "!there is no user"},
	{GROUPLESS, "app", "1000:1001 [1001] /srv/app"},
	{GROUPLESS, "app:audio", "!there is no group"},
	{LINKED, "app", "1000:1001 [1001 29 44] /srv/app"},
	{LOOP, "app", "!there is no user"},
	{FIFO, "app", "!not a regular file"},
	{FIFO, "", "0:0 [0] /"},
	{FIFO, "1:1", "1:1 [1] /"},
	{DIRECTORY, "app", "!not a regular file"},
	{DEVICE, "app", "!not a regular file"},
	{DEVICE, "1000", "!not a regular file"},
	{HUGE, "app", "!the limit is"},
	{FULL, "aap", "!#did you mean app?"},
	{FULL, "nohom", "!#did you mean nohome?"},
	{FULL, "app:vdeo", "!#did you mean video?"},
	{EMPTY, "app", "!#the image has no /etc/passwd; use a number"},
	{GROUPLESS, "app:audio", "!#the image has no /etc/group; use a number"},
	{NULS, "app", "!there is no user"},
	{NULS, "root", "0:0 [0 10] /r"},
};

static const struct row owners[] = {
	{FULL, "1000", "1000:1000"},
	{FULL, "5", "5:5"},
	{FULL, "app", "1000:1001"},
	{FULL, "root", "0:0"},
	{FULL, "0", "0:0"},
	{FULL, "", "0:0"},
	{FULL, "1000:", "1000:0"},
	{FULL, "app:", "1000:0"},
	{FULL, ":5", "0:5"},
	{FULL, ":audio", "0:29"},
	{FULL, "1:2", "1:2"},
	{FULL, "app:audio", "1000:29"},
	{FULL, "7:audio", "7:29"},
	{FULL, "app:9", "1000:9"},
	{FULL, "root:root", "0:0"},
	{FULL, "nix", "!there is no user"},
	{FULL, "crfl", "!#did you mean crlf?"},
	{FULL, "1:wheell", "!#did you mean wheel?"},
	{EMPTY, "a:1", "!#the image has no /etc/passwd; use a number"},
	{FULL, "app:nix", "!there is no group"},
	{FULL, "4294967295", "!out of range"},
	{FULL, "1:4294967295", "!out of range"},
	{FULL, "1000abc", "!there is no user"},
	{FULL, "1:2:3", "!is not USER[:GROUP]"},
	{EMPTY, "root", "0:0"},
	{EMPTY, "root:root", "0:0"},
	{EMPTY, "3:4", "3:4"},
	{EMPTY, "app", "!there is no user"},
	{FIFO, "1000", "1000:1000"},
	{FIFO, "root", "0:0"},
	{FIFO, "app", "!not a regular file"},
	{HUGE, "app:1", "!the limit is"},
};

/* Of a directory that WORKDIR makes: what docker 26 and buildah 1.39 do. */
static const struct row makers[] = {
	{FULL, "", "0:0"},
	{FULL, "root", "0:0"},
	{FULL, "app", "1000:1001"},
	{FULL, "app:", "1000:1001"},
	{FULL, "app:audio", "1000:29"},
	{FULL, "app:9", "1000:9"},
	{FULL, "app:nix", "1000:1001"},
	{FULL, "1000", "1000:1000"},
	{FULL, "01000", "1000:1000"},
	{FULL, "5", "5:5"},
	{FULL, "5:", "5:5"},
	{FULL, "5:audio", "5:29"},
	{FULL, "5:nix", "5:5"},
	{FULL, "5:root", "5:0"},
	{FULL, "0:5", "0:5"},
	{FULL, ":5", "0:5"},
	{FULL, "nix", "0:0"},
	{FULL, "nix:nix", "0:0"},
	{FULL, "nix:audio", "0:29"},
	{FULL, "-1", "0:0"},
	{EMPTY, "app", "0:0"},
	{EMPTY, "app:app", "0:0"},
	{EMPTY, "7", "7:7"},
	{EMPTY, "root:root", "0:0"},
	{GROUPLESS, "app:audio", "1000:1001"},
	{FIFO, "7", "7:7"},
	{FIFO, "app", "!not a regular file"},
	{HUGE, "app", "!the limit is"},
	{FULL, "4294967295", "!out of range"},
	{FULL, "1:4294967295", "!out of range"},
	{FULL, "1:2:3", "!is not USER[:GROUP]"},
};

static char *user_text(const struct layer_tree *t, const char *text)
{
	struct err *e = NULL;
	auto_userdb_user struct userdb_user u = {0};
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	if (userdb_user(t, text, &u, &e) < 0) {
		assert_int_equal(err_get_kind(e) == ERR_BUILD || err_get_kind(e) == ERR_LIMIT, 1);
		buf_addf(&b, "!%s#%s", err_text(e), err_hint_text(e));
		err_free(e);
		return buf_take(&b);
	}
	buf_addf(&b, "%u:%u [", u.uid, u.gid);
	for (size_t i = 0; i < u.ngroups; i++)
		buf_addf(&b, "%s%u", i ? " " : "", u.groups[i]);
	buf_addf(&b, "] %s", u.home);
	return buf_take(&b);
}

static char *owner_text(const struct layer_tree *t, const char *text)
{
	struct err *e = NULL;
	uint32_t uid = 99, gid = 99;

	if (userdb_owner(t, text, &uid, &gid, &e) == 0)
		return mem_printf("%u:%u", uid, gid);
	char *out = mem_printf("!%s#%s", err_text(e), err_hint_text(e));
	err_free(e);
	return out;
}

static char *maker_text(const struct layer_tree *t, const char *text)
{
	struct err *e = NULL;
	uint32_t uid = 99, gid = 99;

	if (userdb_maker(t, text, &uid, &gid, &e) == 0)
		return mem_printf("%u:%u", uid, gid);
	char *out = mem_printf("!%s#%s", err_text(e), err_hint_text(e));
	err_free(e);
	return out;
}

static void run(const struct row *rows, size_t n,
	char *(*ask)(const struct layer_tree *t, const char *text))
{
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		auto_layer_tree struct layer_tree *t = make(r->image);
		char *got = ask(t, r->text);
		bool ok = r->want[0] == '!' ? got[0] == '!' && strstr(got, r->want + 1)
					    : strcmp(got, r->want) == 0;
		if (!ok) {
			print_error("\"%s\": got %s, want %s\n", r->text, got, r->want);
			bad++;
		}
		free(got);
	}
	assert_int_equal(bad, 0);
}

static void test_user(void **state)
{
	(void)state;
	run(users, sizeof users / sizeof *users, user_text);
}

static void test_owner(void **state)
{
	(void)state;
	run(owners, sizeof owners / sizeof *owners, owner_text);
}

static void test_maker(void **state)
{
	(void)state;
	run(makers, sizeof makers / sizeof *makers, maker_text);
}

static void test_number(void **state)
{
	(void)state;
	assert_true(userdb_is_number("5"));
	assert_true(userdb_is_number("5:"));
	assert_false(userdb_is_number("5:5"));
	assert_false(userdb_is_number(""));
	assert_false(userdb_is_number(":"));
	assert_false(userdb_is_number("5a"));
}

static void test_many_groups(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, BUF_TEXT_MAX);
	for (int i = 0; i < 1200; i++)
		buf_addf(&b, "g%d:x:%d:app\n", i, 100000 + i);
	struct layer_entry etc = DIR_("etc"), passwd = FILE_("etc/passwd", PASSWD),
			   group = FILE_("etc/group", b.data);
	auto_layer_tree struct layer_tree *t = layer_tree_new();
	assert_ok(layer_tree_apply(t, KIT_TAR(etc, group, passwd), err));
	struct userdb_user u = {0};
	assert_fails(userdb_user(t, "app", &u, err), ERR_BUILD, "more than 1024 groups");
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_maker),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_many_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

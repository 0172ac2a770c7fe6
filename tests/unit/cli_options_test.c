// SPDX-License-Identifier: Apache-2.0
/*
 * The parser of command lines with a table of its own: forms of options, mistakes and their hints,
 * variables of the environment, help.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/cli.h"

struct opts {
	bool flag, other;
	int tri;
	const char *text;
	const char *choice;
	struct strlist list;
	bool off;
	struct strlist sizes; /* of the values that take_size() was called with */
};

static int take_size(void *opts, const char *option, const char *value, struct err **err)
{
	struct opts *o = opts;

	if (!*value)
		return err_set(err, ERR_USAGE, "%s: nothing", option);
	strlist_addf(&o->sizes, "%s %zu", option, strlen(value));
	return 0;
}

static const struct cli_option table[] = {
	{"flag", 'x', CLI_FLAG, offsetof(struct opts, flag), NULL, NULL, "a flag"},
	{"other", 'y', CLI_FLAG, offsetof(struct opts, other), NULL, NULL, "another flag"},
	{"tls-verify", 0, CLI_BOOL, offsetof(struct opts, tri), "BOOL", NULL, "three states"},
	{"text", 't', CLI_STRING, offsetof(struct opts, text), "TEXT", "CLI_TEST_A CLI_TEST_B",
		"a text that is long enough to be broken into more than one line of the help"},
	{"choice", 0, CLI_CHOICE, offsetof(struct opts, choice), "red|green", "CLI_TEST_CHOICE",
		"one of two"},
	{"list", 'l', CLI_LIST, offsetof(struct opts, list), "K=V", NULL, "repeatable"},
	{"keep", 0, CLI_UNLESS, offsetof(struct opts, off), "BOOL", NULL, "on"},
	{"size", 's', CLI_LIST, offsetof(struct opts, sizes), "TEXT", "CLI_TEST_SIZE", "understood",
		take_size},
	{"force-rm", 0, CLI_IGNORED, 0, NULL, NULL, "nothing"},
	{0},
};

static int run(struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	(void)c;
	(void)opts;
	(void)operands;
	(void)err;
	return 0;
}

static const struct cli_command command = {
	.name = "try",
	.operands = "NAME [DEST]",
	.summary = "Try it.",
	.details = "Examples:\n  bld try x\n",
	.options = table,
	.opts_size = sizeof(struct opts),
	.min_operands = 1,
	.max_operands = 2,
	.missing = "name something",
	.run = run,
};

/* What one command line gives. */
struct result {
	int r;
	struct cli c;
	struct opts o;
	struct strlist operands;
	struct err *err;
};

static void parse_as(const struct cli_command *cmd, struct result *out, const char *const *words)
{
	char *argv[16];
	int argc = 0;

	memset(out, 0, sizeof *out);
	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	argv[argc] = NULL;
	out->r = cli_parse(&out->c, cmd, argc, argv, &out->o, &out->operands, &out->err);
	/* Borrowed texts must not outlive argv: what the test looks at is compared before this. */
	out->o.text = out->o.text ? strdup(out->o.text) : NULL;
	out->o.choice = out->o.choice ? strdup(out->o.choice) : NULL;
	out->c.root = out->c.root ? strdup(out->c.root) : NULL;
	while (argc)
		free(argv[--argc]);
}

static void drop(struct result *r)
{
	char *owned[] = {(char *)(uintptr_t)r->o.text, (char *)(uintptr_t)r->o.choice,
		(char *)(uintptr_t)r->c.root};

	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free(owned[i]);
	cli_clear_options(&command, &r->o);
	strlist_clear(&r->operands);
	err_free(r->err);
}

#define PARSE(out, ...) parse_as(&command, out, (const char *const[]){__VA_ARGS__, NULL})

static void assert_usage(struct result *r, const char *text, const char *hint)
{
	assert_int_equal(r->r, -1);
	assert_int_equal(err_get_kind(r->err), ERR_USAGE);
	assert_int_equal(err_exit_status(r->err), 2);
	assert_string_equal(err_text(r->err), text);
	assert_string_equal(err_hint_text(r->err), hint);
	drop(r);
}

static void test_forms(void **state)
{
	static const char *const forms[][3] = {
		{"--text", "v"}, {"--text=v"}, {"-t", "v"}, {"-tv"}, {"-t=v"}};
	struct result r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		PARSE(&r, "name", forms[i][0], forms[i][1]);
		assert_int_equal(r.r, 0);
		assert_string_equal(r.o.text, "v");
		assert_int_equal(r.operands.n, 1);
		assert_string_equal(r.operands.v[0], "name");
		drop(&r);
	}
}

static void test_flags(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "-xyt", "v", "n");
	assert_int_equal(r.r, 0);
	assert_true(r.o.flag && r.o.other);
	assert_string_equal(r.o.text, "v");
	assert_int_equal(r.o.tri, -1);
	drop(&r);
	PARSE(&r, "-x", "--flag=false", "--tls-verify", "--force-rm", "--force-rm=true", "n");
	assert_int_equal(r.r, 0);
	assert_false(r.o.flag);
	assert_int_equal(r.o.tri, 1);
	drop(&r);
	PARSE(&r, "--tls-verify=false", "-x=0", "n");
	assert_int_equal(r.o.tri, 0);
	assert_false(r.o.flag);
	drop(&r);
	PARSE(&r, "--flag=maybe", "n");
	assert_usage(&r, "--flag: \"maybe\" is neither true nor false", "");
}

static void test_lists_and_last_wins(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "-l", "a=1", "--list=b=2", "-t", "1", "--text", "2", "n", "-lc");
	assert_int_equal(r.r, 0);
	assert_int_equal(r.o.list.n, 3);
	assert_string_equal(r.o.list.v[0], "a=1");
	assert_string_equal(r.o.list.v[1], "b=2");
	assert_string_equal(r.o.list.v[2], "c");
	assert_string_equal(r.o.text, "2");
	drop(&r);
	PARSE(&r, "--text=", "n");
	assert_string_equal(r.o.text, "");
	drop(&r);
}

static void test_operands(void **state)
{
	struct cli_command stop = command;
	struct result r;

	(void)state;
	PARSE(&r, "-", "--", "-x");
	assert_int_equal(r.r, 0);
	assert_int_equal(r.operands.n, 2);
	assert_string_equal(r.operands.v[0], "-");
	assert_string_equal(r.operands.v[1], "-x");
	drop(&r);
	PARSE(&r, "-x");
	assert_usage(&r, "bld try needs NAME [DEST]", "name something");
	PARSE(&r, "a", "b", "c");
	assert_usage(&r, "unexpected argument \"c\"", "usage: bld try [OPTION]... NAME [DEST]");
	stop.stop_at_operand = true;
	stop.max_operands = 9;
	parse_as(&stop, &r, (const char *const[]){"-x", "image", "sh", "-c", "--", "--flag", NULL});
	assert_int_equal(r.r, 0);
	assert_int_equal(r.operands.n, 5);
	assert_string_equal(r.operands.v[2], "-c");
	assert_string_equal(r.operands.v[3], "--");
	assert_string_equal(r.operands.v[4], "--flag");
	drop(&r);
}

static void test_mistakes(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "--txet", "v", "n");
	assert_usage(&r, "unknown option \"--txet\"", "did you mean \"--text\"?");
	PARSE(&r, "--tls=no", "n");
	assert_usage(&r, "unknown option \"--tls\"", "did you mean \"--tls-verify\"?");
	PARSE(&r, "--rooot=x", "n");
	assert_usage(&r, "unknown option \"--rooot\"", "did you mean \"--root\"?");
	PARSE(&r, "--completely-different", "n");
	assert_usage(&r, "unknown option \"--completely-different\"",
		"\"bld try --help\" lists the options");
	PARSE(&r, "-z", "n");
	assert_usage(&r, "unknown option \"-z\"", "\"bld try --help\" lists the options");
	PARSE(&r, "-xz", "n");
	assert_usage(&r, "unknown option \"-z\"", "\"bld try --help\" lists the options");
	PARSE(&r, "-list", "n");
	assert_int_equal(r.r, 0); /* -l with the value "ist" */
	drop(&r);
	PARSE(&r, "-text");
	assert_int_equal(r.r, -1); /* -t with the value "ext", and no operand */
	drop(&r);
	PARSE(&r, "n", "--choice");
	assert_usage(&r, "--choice needs a value", "--choice red|green: one of two");
	PARSE(&r, "n", "--choice=blue");
	assert_usage(&r, "--choice: \"blue\" is not known", "it is one of red|green");
	PARSE(&r, "n", "--choice=red|green");
	assert_int_equal(r.r, -1);
	drop(&r);
	PARSE(&r, "n", "--choice=");
	assert_int_equal(r.r, -1);
	drop(&r);
}

static void test_environment(void **state)
{
	struct result r;

	(void)state;
	setenv("CLI_TEST_B", "from b", 1);
	PARSE(&r, "n");
	assert_string_equal(r.o.text, "from b");
	drop(&r);
	setenv("CLI_TEST_A", "from a", 1);
	PARSE(&r, "n");
	assert_string_equal(r.o.text, "from a");
	drop(&r);
	PARSE(&r, "n", "--text", "given");
	assert_string_equal(r.o.text, "given");
	drop(&r);
	unsetenv("CLI_TEST_A");
	unsetenv("CLI_TEST_B");
	setenv("CLI_TEST_CHOICE", "blue", 1);
	PARSE(&r, "n");
	assert_usage(&r, "$CLI_TEST_CHOICE: \"blue\" is not known", "it is one of red|green");
	setenv("CLI_TEST_CHOICE", "", 1);
	PARSE(&r, "n");
	assert_null(r.o.choice);
	drop(&r);
	unsetenv("CLI_TEST_CHOICE");
}

static void test_root_and_help(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "--root", "/x", "n");
	assert_int_equal(r.r, 0);
	assert_string_equal(r.c.root, "/x");
	drop(&r);
	PARSE(&r, "-h");
	assert_int_equal(r.r, 1); /* operands are not asked for */
	drop(&r);
	PARSE(&r, "--help", "--nonsense");
	assert_int_equal(r.r, 1);
	drop(&r);
}

static void test_help_text(void **state)
{
	static const char want[] =
		"Usage: bld try [OPTION]... NAME [DEST]\n"
		"\n"
		"Try it.\n"
		"\n"
		"Options:\n"
		"  -x, --flag                a flag\n"
		"  -y, --other               another flag\n"
		"      --tls-verify=BOOL     three states\n"
		"  -t, --text TEXT           a text that is long enough to be broken into more\n"
		"                            than one line of the help\n"
		"                            [environment: CLI_TEST_A CLI_TEST_B]\n"
		"      --choice red|green    one of two\n"
		"                            [environment: CLI_TEST_CHOICE]\n"
		"  -l, --list K=V            repeatable\n"
		"      --keep=BOOL           on\n"
		"  -s, --size TEXT           understood\n"
		"                            [environment: CLI_TEST_SIZE]\n"
		"      --root DIR            directory of the store\n"
		"                            [environment: BLD_ROOT]\n"
		"  -h, --help                show this text\n"
		"\n"
		"Accepted for scripts made for other tools, without effect:\n"
		"      --force-rm            nothing\n"
		"\n"
		"Examples:\n"
		"  bld try x\n";
	struct buf b;

	(void)state;
	buf_init(&b, BUF_TEXT_MAX);
	cli_help(&command, &b);
	assert_string_equal(b.data, want);
	buf_clear(&b);
}

static void test_bool(void **state)
{
	bool b = false;

	(void)state;
	assert_true(cli_bool("TRUE", &b) && b);
	assert_true(cli_bool("off", &b) && !b);
	assert_true(cli_bool("1", &b) && b);
	assert_false(cli_bool("", &b));
	assert_false(cli_bool("2", &b));
}

/* A row with a function: called for every value, wherever it comes from. */
static void test_take(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "--size", "abc", "n", "-sxy");
	assert_int_equal(r.r, 0);
	assert_int_equal(r.o.sizes.n, 2);
	assert_string_equal(r.o.sizes.v[0], "--size 3");
	assert_string_equal(r.o.sizes.v[1], "-s 2");
	drop(&r);
	setenv("CLI_TEST_SIZE", "four", 1);
	PARSE(&r, "n");
	assert_int_equal(r.r, 0);
	assert_string_equal(r.o.sizes.v[0], "$CLI_TEST_SIZE 4");
	drop(&r);
	unsetenv("CLI_TEST_SIZE");
	/* What was taken before the mistake is freed. */
	PARSE(&r, "--size", "abc", "--size=", "n");
	assert_int_equal(r.r, -1);
	assert_string_equal(err_text(r.err), "--size: nothing");
	drop(&r);
}

static void test_unless(void **state)
{
	struct result r;

	(void)state;
	PARSE(&r, "n");
	assert_false(r.o.off);
	drop(&r);
	PARSE(&r, "--keep", "n");
	assert_false(r.o.off);
	drop(&r);
	PARSE(&r, "--keep=no", "n");
	assert_true(r.o.off);
	drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_unless),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_lists_and_last_wins),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_root_and_help),
		cmocka_unit_test(test_help_text),
		cmocka_unit_test(test_bool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

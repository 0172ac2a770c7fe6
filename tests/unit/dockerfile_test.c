// SPDX-License-Identifier: Apache-2.0
/*
 * Cases: parse/NAME.dockerfile gives exactly the tree in NAME.expect and no errors (warnings are
 * listed first, one line each: from-to severity rule: message, then the hint);
 * reject/NAME.dockerfile gives exactly the report in NAME.expect. With BLD_TEST_UPDATE=1 the
 * expectations are written instead of compared; read the difference before committing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/source.h"
#include "tests/support/casefile.h"

static void collect(void *ctx, struct slice bytes)
{
	fwrite(bytes.ptr, 1, bytes.len, ctx);
}

static void print_diags(FILE *f, const struct dockerfile *df)
{
	for (size_t i = 0; i < df->diags.count; i++) {
		const struct diag *d = &df->diags.items[i];
		struct endpoint from = source_place(&df->source, d->span.off);
		struct endpoint to = source_place(&df->source, d->span.off + d->span.len);

		fprintf(f, "%zu:%zu-%zu:%zu %s %s: ", from.line, from.column, to.line, to.column,
			d->severity == DIAG_ERROR ? "error" : "warning", d->rule);
		diag_render_escaped(d->message, collect, f);
		fputc('\n', f);
		if (d->hint.len) {
			fputs("  help: ", f);
			diag_render_escaped(d->hint, collect, f);
			fputc('\n', f);
		}
	}
}

struct run {
	bool reject;
	size_t bad;
	size_t found; /* diagnostics */
};

static char *result(const char *path, struct run *run)
{
	size_t len, outlen = 0;
	char *text = casefile_read(path, &len), *out = NULL;
	FILE *f = open_memstream(&out, &outlen);
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), (struct slice){text, len});

	if (run->reject) {
		dockerfile_report(df, collect, f);
	} else {
		print_diags(f, df);
		dockerfile_dump_text(df, collect, f);
	}
	fclose(f);
	run->found += df->diags.count;
	if ((df->diags.errors > 0) != run->reject) {
		print_error("%s: %zu errors\n", path, df->diags.errors);
		run->bad++;
	}
	dockerfile_free(df);
	free(text);
	return out;
}

static void run_case(const char *path, void *ctx)
{
	struct run *run = ctx;
	char *got = result(path, run), *want, *expect_path;
	const char *update = getenv("BLD_TEST_UPDATE");

	assert_true(asprintf(&expect_path, "%.*s.expect", (int)(strlen(path) - 11), path) > 0);
	if (update && *update == '1') {
		FILE *f = fopen(expect_path, "wbe");

		assert_non_null(f);
		fputs(got, f);
		fclose(f);
	}
	want = casefile_read(expect_path, NULL);
	if (!want || strcmp(want, got) != 0) {
		print_error("%s\n--- want\n%s--- got\n%s", path, want ? want : "(no file)\n", got);
		run->bad++;
	}
	free(want);
	free(got);
	free(expect_path);
}

static void test_parse_cases(void **state)
{
	struct run run = {.reject = false};

	(void)state;
	assert_true(casefile_each("tests/cases/parse", ".dockerfile", run_case, &run) >= 20);
	assert_int_equal(run.bad, 0);
}

static void test_reject_cases(void **state)
{
	struct run run = {.reject = true};

	(void)state;
	assert_true(casefile_each("tests/cases/reject", ".dockerfile", run_case, &run) >= 60);
	assert_int_equal(run.bad, 0);
	assert_true(run.found >= 100);
}

static struct dockerfile *parse(const char *text)
{
	return dockerfile_parse(SLICE("Dockerfile"), slice_of(text));
}

/* The only error of a text. */
static void expect_error(struct slice text, const char *message)
{
	struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), text);

	assert_int_equal(df->diags.errors, 1);
	assert_string_equal(df->diags.items[0].message.ptr, message);
	dockerfile_free(df);
}

static void test_no_text(void **state)
{
	(void)state;
	expect_error(SLICE(""), "no instructions");
	expect_error(SLICE("\n\n"), "no instructions");
	expect_error(SLICE("# only\n# comments"), "no instructions");
	expect_error(SLICE("\xef\xbb\xbf"), "no instructions");
	expect_error(SLICE("\\\n\\\n"), "no instructions");
	expect_error(SLICE("ARG x"), "no FROM");
	expect_error(SLICE("FROM a\0b"), "NUL character: this is not a text file");
}

/* Lines of a repeated text between a head and a tail. */
static char *repeated(const char *head, const char *line, size_t count, size_t *len)
{
	size_t n = strlen(line), h = strlen(head);
	char *text = malloc(h + n * count + 1);

	memcpy(text, head, h);
	for (size_t i = 0; i < count; i++)
		memcpy(text + h + i * n, line, n);
	text[ *len = h + n * count] = '\0';
	return text;
}

static void check_limit(const char *head, const char *line, size_t good, const char *message)
{
	size_t len;
	char *text = repeated(head, line, good, &len);
	struct dockerfile *df = dockerfile_parse(SLICE("D"), (struct slice){text, len});

	assert_int_equal(df->diags.errors, 0);
	dockerfile_free(df);
	free(text);
	text = repeated(head, line, good + 1, &len);
	expect_error((struct slice){text, len}, message);
	free(text);
}

static void test_limits(void **state)
{
	(void)state;
	check_limit("FROM a\n", "RUN a\n", DOCKERFILE_INSTRUCTIONS_MAX - 1,
		"more than 10000 instructions");
	check_limit("", "FROM a\n", DOCKERFILE_STAGES_MAX, "more than 1000 stages");
	check_limit("FROM a\n", "#", DOCKERFILE_SIZE_MAX - 7, "larger than 1048576 bytes");
}

/* One line of a megabyte, and one instruction of very many lines. */
static void test_long(void **state)
{
	size_t len;
	char *text = repeated("FROM a\nRUN ", "x", 1000000, &len);
	struct dockerfile *df = parse(text);

	(void)state;
	assert_int_equal(df->diags.errors, 0);
	assert_int_equal(df->stages[0].body.items[0]->run.script.len, 1000000);
	dockerfile_free(df);
	free(text);
	text = repeated("FROM a\nRUN ", "x\\\n", 300000, &len);
	df = parse(text);
	assert_int_equal(df->diags.errors, 0);
	assert_int_equal(df->stages[0].body.items[0]->run.script.len, 300000);
	assert_int_equal(df->stages[0].body.items[0]->last_line, 300001);
	dockerfile_free(df);
	free(text);
}

static void test_many_mistakes(void **state)
{
	size_t len;
	char *text = repeated("FROM a\n", "FOO\n", 9999, &len), *out = NULL;
	struct dockerfile *df = parse(text);
	FILE *f = open_memstream(&out, &len);

	(void)state;
	assert_int_equal(df->diags.errors, 9999);
	assert_int_equal(df->diags.count, DIAG_LIST_MAX);
	dockerfile_report(df, collect, f);
	fclose(f);
	assert_non_null(strstr(out, "more was found and is not shown\n9999 errors, 0 warnings\n"));
	free(out);
	dockerfile_free(df);
	free(text);
}

static void test_heredoc_count(void **state)
{
	size_t len;
	char *text = repeated("FROM a\nRUN ", " <<A", 1001, &len);
	struct dockerfile *df = parse(text);

	(void)state;
	assert_true(df->diags.errors >= 1);
	assert_string_equal(
		df->diags.items[0].message.ptr, "heredoc is not terminated: no line \"A\" follows");
	dockerfile_free(df);
	free(text);
}

static void check_span(const struct dockerfile *df, struct span span, const char *want)
{
	struct slice got = slice_sub(df->source.text, span.off, span.len);

	if (!slice_eq_str(got, want))
		fail_msg("want \"%s\", got \"%.*s\"", want, SLICE_ARG(got));
}

/* Spans lead back to the file through continuation, quotes and heredocs. */
static void test_spans(void **state)
{
	struct dockerfile *df = parse("FROM --platform=linux/amd64 deb\\\nian AS x\n"
				      "RUN --mount=type=cache,target=/c \\\n  # no\n  echo\n"
				      "COPY --chown='a b' <<A b\\\n  c /d\nbody\nA\n"
				      "ENV a=1 \\\n  b=\"x y\"\n"
				      "CMD [\"a\", \"b\"]\n");
	const struct ast_instruction *ins;

	(void)state;
	assert_int_equal(df->diags.errors, 0);
	ins = df->stages[0].from;
	check_span(df, ins->span, "FROM --platform=linux/amd64 deb\\\nian AS x");
	check_span(df, ins->keyword_span, "FROM");
	check_span(df, ins->from.image.span, "deb\\\nian");
	check_span(df, ins->from.platform.span, "linux/amd64");
	check_span(df, ins->from.as.span, "x");
	assert_true(slice_eq_str(ins->from.image.text, "debian"));
	assert_true(slice_eq_str(ins->text, "FROM --platform=linux/amd64 debian AS x"));
	ins = df->stages[0].body.items[0];
	check_span(df, ins->run.mounts[0].span, "--mount=type=cache,target=/c");
	check_span(df, ins->run.mounts[0].target.span, "/c");
	check_span(df, ins->run.command.span, "echo");
	assert_int_equal(ins->first_line, 3);
	assert_int_equal(ins->last_line, 5);
	ins = df->stages[0].body.items[1];
	check_span(df, ins->span, "COPY --chown='a b' <<A b\\\n  c /d\nbody\nA");
	check_span(df, ins->copy.chown.span, "'a b'");
	assert_true(slice_eq_str(ins->copy.chown.text, "a b"));
	check_span(df, ins->copy.inlines.items[0].word.span, "<<A");
	check_span(df, ins->copy.inlines.items[0].body_span, "body\n");
	check_span(df, ins->copy.sources.items[0].span, "b");
	check_span(df, ins->copy.sources.items[1].span, "c");
	check_span(df, ins->copy.dest.span, "/d");
	ins = df->stages[0].body.items[2];
	check_span(df, ins->pairs.items[1].key.span, "b");
	check_span(df, ins->pairs.items[1].value.span, "\"x y\"");
	ins = df->stages[0].body.items[3];
	check_span(df, ins->command.words.items[1].span, "\"b\"");
	dockerfile_free(df);
}

static void test_run_helpers(void **state)
{
	struct dockerfile *df =
		parse("FROM a\nRUN <<-'X'\n\t#!/bin/sh\n\tX\nRUN cat <<A\nA\nRUN x\n");
	const struct ast_run *run;

	(void)state;
	assert_int_equal(df->diags.errors, 0);
	run = &df->stages[0].body.items[0]->run;
	assert_ptr_equal(ast_run_only_heredoc(run), &run->heredocs.items[0]);
	assert_true(slice_eq_str(run->script, "#!/bin/sh\n"));
	assert_null(ast_run_only_heredoc(&df->stages[0].body.items[1]->run));
	assert_true(slice_eq_str(df->stages[0].body.items[1]->run.script, "cat <<A\nA"));
	assert_null(ast_run_only_heredoc(&df->stages[0].body.items[2]->run));
	dockerfile_free(df);
}

static struct dockerfile *trigger(const char *text)
{
	return dockerfile_parse_trigger(SLICE("ONBUILD of base"), slice_of(text));
}

static void refuse_trigger(const char *text, const char *message)
{
	struct dockerfile *df = trigger(text);

	assert_null(df->trigger);
	assert_true(df->diags.errors > 0);
	assert_string_equal(df->diags.items[0].message.ptr, message);
	dockerfile_free(df);
}

static void test_triggers(void **state)
{
	struct dockerfile *df = trigger("COPY <<EOF /x\nhello $A\nEOF");

	(void)state;
	assert_int_equal(df->diags.errors, 0);
	assert_int_equal(df->nstages, 0);
	assert_int_equal(df->trigger->keyword, AST_COPY);
	assert_true(slice_eq_str(df->trigger->copy.inlines.items[0].body, "hello $A\n"));
	dockerfile_free(df);
	df = trigger("ARG x=1");
	assert_int_equal(df->trigger->keyword, AST_ARG);
	dockerfile_free(df);
	/* No directives: this is a comment, and the backslash stays the escape character. */
	df = trigger("# escape=`\nRUN a\\\nb");
	assert_true(slice_eq_str(df->trigger->run.script, "ab"));
	dockerfile_free(df);
	refuse_trigger("ONBUILD RUN x", "ONBUILD cannot be an ONBUILD trigger");
	refuse_trigger("FROM x", "FROM cannot be an ONBUILD trigger");
	refuse_trigger("MAINTAINER x", "MAINTAINER cannot be an ONBUILD trigger");
	refuse_trigger("RUN a\nRUN b", "an ONBUILD trigger must be one instruction");
	refuse_trigger("", "no instructions");
	refuse_trigger("RUNN x", "unknown instruction \"RUNN\"");
	refuse_trigger("USER", "USER needs an argument");
}

/* A trigger means the same when it is read from the file as when it is read from the image. */
static void test_trigger_text(void **state)
{
	struct dockerfile *df = parse("FROM a\nONBUILD RUN cat <<A \\\n  <<-B\na\nA\n\tb\n\tB\n");
	const struct ast_onbuild *onbuild = &df->stages[0].body.items[0]->onbuild;
	struct dockerfile *again;

	(void)state;
	assert_int_equal(df->diags.errors, 0);
	assert_true(slice_eq_str(onbuild->trigger, "RUN cat <<A   <<-B\na\nA\n\tb\nB"));
	again = dockerfile_parse_trigger(SLICE("t"), onbuild->trigger);
	assert_int_equal(again->diags.errors, 0);
	assert_true(slice_eq(again->trigger->run.script, onbuild->child->run.script));
	dockerfile_free(again);
	dockerfile_free(df);
}

/* Typed values of flags; whether the builder can do them yet does not matter here. */
static void test_typed_flags(void **state)
{
	struct dockerfile *df = parse(
		"FROM --reset=env,volumes --reset=expose a\n"
		"RUN --security=insecure --no-cache --timeout=1m30s --network=host x\n"
		"RUN --no-cache=false --security=sandbox x\n"
		"WORKDIR --chown=1:2 /x y\n"
		"COPY --no-follow --keep-ownership=false --exclude=$X --exclude=!y --from=b a b\n"
		"RUN --mount=type=ssh,required,mode=0600,uid=1,gid=2,id=i,target=/s "
		"--mount=type=cache,target=/c,from=$F,source=/s x\n"
		"ADD --checksum=sha256:0 --unpack=false --keep-git-dir --link a b\n");
	struct ast_instruction **body = df->stages[0].body.items;
	const struct ast_run *run = &body[0]->run;
	const struct ast_copy *copy = &body[3]->copy;
	const struct ast_mount *mounts = body[4]->run.mounts;

	(void)state;
	assert_int_equal(df->stages[0].from->from.reset,
		AST_RESET_ENV | AST_RESET_VOLUMES | AST_RESET_EXPOSE);
	assert_int_equal(df->stages[0].from->from.reset_words.count, 3);
	assert_int_equal(run->security, AST_SECURITY_INSECURE);
	assert_int_equal(run->network, AST_NETWORK_HOST);
	assert_true(run->no_cache);
	assert_int_equal(run->timeout_ns, 90000000000);
	assert_false(body[1]->run.no_cache);
	assert_int_equal(body[1]->run.security, AST_SECURITY_SANDBOX);
	assert_int_equal(body[1]->run.timeout_ns, 0);
	assert_true(slice_eq_str(body[2]->workdir.chown.text, "1:2"));
	assert_true(slice_eq_str(body[2]->workdir.path.text, "/x y"));
	assert_true(slice_eq_str(copy->no_follow.text, "true"));
	assert_true(slice_eq_str(copy->keep_ownership.text, "false"));
	assert_int_equal(copy->excludes.count, 2);
	assert_true(slice_eq_str(copy->excludes.items[0].text, "$X"));
	assert_null(copy->link.text.ptr);
	assert_int_equal(body[4]->run.nmounts, 2);
	assert_int_equal(mounts[0].type, AST_MOUNT_SSH);
	assert_true(slice_eq_str(mounts[0].required.text, "true"));
	assert_true(slice_eq_str(mounts[0].id.text, "i"));
	assert_true(slice_eq_str(mounts[1].from.text, "$F"));
	assert_true(slice_eq_str(mounts[1].source.text, "/s"));
	assert_true(slice_eq_str(body[5]->copy.checksum.text, "sha256:0"));
	assert_true(slice_eq_str(body[5]->copy.unpack.text, "false"));
	assert_true(slice_eq_str(body[5]->copy.keep_git_dir.text, "true"));
	dockerfile_free(df);
}

static void test_json_dump(void **state)
{
	struct dockerfile *df = parse("FROM a AS b\nRUN --network=none [\"x\"]\nENV k v\n");
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	(void)state;
	dockerfile_dump_json(df, collect, f);
	fclose(f);
	assert_string_equal(out,
		"{\"escape\":\"\\\\\",\"stages\":[{\"index\":0,\"name\":\"b\",\"from\":{"
		"\"instruction\":\"FROM\",\"line\":1,\"image\":\"a\",\"name\":\"b\"},\"body\":[{"
		"\"instruction\":\"RUN\",\"line\":2,\"network\":\"none\",\"exec\":[\"x\"]},{"
		"\"instruction\":\"ENV\",\"line\":3,\"legacy\":true,\"pairs\":[{\"key\":\"k\","
		"\"value\":\"v\"}]}]}]}\n");
	free(out);
	dockerfile_free(df);
	dockerfile_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_cases),
		cmocka_unit_test(test_reject_cases),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_many_mistakes),
		cmocka_unit_test(test_heredoc_count),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_run_helpers),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_trigger_text),
		cmocka_unit_test(test_typed_flags),
		cmocka_unit_test(test_json_dump),
	};

	return cmocka_run_group_tests_name("dockerfile", tests, NULL, NULL);
}

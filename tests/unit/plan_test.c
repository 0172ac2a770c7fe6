// SPDX-License-Identifier: Apache-2.0
/* Plan: which stages are needed, what they start from, and references that cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "builder/plan/fromref.h"
#include "builder/plan/plan.h"
#include "parser/dockerfile.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"

struct made {
	struct dockerfile *df;
	struct plan plan;
	struct err *err;
	int status;
	struct strlist args;
	struct strlist names;
	struct oci_platform platform;
};

static void make(struct made *m, const char *text, const char *target)
{
	m->df = dockerfile_parse(SLICE("Dockerfile"), slice_of(text));
	assert_int_equal(m->df->diags.errors, m->df->late_errors);
	if (!m->platform.os)
		assert_int_equal(oci_platform_parse("linux/arm64", &m->platform, NULL), 0);
	struct plan_opts o = {.targets = &target,
		.ntargets = 1,
		.build_args = &m->args,
		.context_names = &m->names,
		.platform = &m->platform};
	m->status = plan_make(m->df, &o, &m->plan, &m->err);
}

static void clear(struct made *m)
{
	if (m->status == 0)
		plan_clear(&m->plan);
	dockerfile_free(m->df);
	err_free(m->err);
	strlist_clear(&m->args);
	strlist_clear(&m->names);
	oci_platform_clear(&m->platform);
}

static void only_needed_stages(void **state)
{
	struct made m = {0};

	(void)state;
	make(&m,
		"FROM scratch AS a\nFROM scratch AS unused\nFROM a AS b\nRUN x\nFROM scratch\nCOPY "
		"--from=B /x /x\n",
		NULL);
	assert_int_equal(m.status, 0);
	assert_true(m.plan.stages[0].needed);
	assert_false(m.plan.stages[1].needed);
	assert_true(m.plan.stages[2].needed);
	assert_int_equal(m.plan.stages[2].base, PLAN_STAGE);
	assert_int_equal(m.plan.stages[2].base_stage, 0);
	assert_int_equal(m.plan.target, 3);
	assert_int_equal(m.plan.nsteps, 2);
	clear(&m);
}

/* What a stage waits for, once each, and where its numbers begin. */
static void order_of_stages(void **state)
{
	struct made m = {0};

	(void)state;
	make(&m,
		"FROM scratch AS a\nRUN x\nFROM scratch AS unused\nRUN x\nFROM scratch AS c\n"
		"RUN x\nRUN y\nFROM a\nCOPY --from=c /x /x\nCOPY --from=a /x /x\n"
		"RUN --mount=from=c,target=/c x\n",
		NULL);
	assert_int_equal(m.status, 0);
	const struct plan_stage *v = m.plan.stages;
	assert_int_equal(v[0].ndeps, 0);
	assert_int_equal(v[2].ndeps, 0);
	assert_int_equal(v[3].ndeps, 2);
	assert_int_equal(v[3].deps[0], 0);
	assert_int_equal(v[3].deps[1], 2);
	assert_int_equal(v[0].first_step, 1);
	assert_int_equal(v[2].first_step, 2);
	assert_int_equal(v[3].first_step, 4);
	assert_int_equal(m.plan.nsteps, 6);
	clear(&m);
}

static void target_by_name_and_number(void **state)
{
	(void)state;
	struct made m = {0};
	make(&m, "FROM scratch AS one\nFROM scratch AS two\n", "ONE");
	assert_int_equal(m.plan.target, 0);
	clear(&m);
	memset(&m, 0, sizeof m);
	make(&m, "FROM scratch AS one\nFROM scratch AS two\n", "1");
	assert_int_equal(m.plan.target, 1);
	clear(&m);
	memset(&m, 0, sizeof m);
	make(&m, "FROM scratch AS one\n", "nope");
	assert_int_equal(m.status, -1);
	assert_int_equal(err_get_kind(m.err), ERR_USAGE);
	clear(&m);
}

static void globals_expand_in_from(void **state)
{
	struct made m = {0};

	(void)state;
	strlist_add(&m.args, "TAG=9");
	make(&m,
		"ARG BASE=debian\nARG TAG=1\nARG FULL=${BASE}:${TAG}\nFROM "
		"--platform=$TARGETPLATFORM $FULL\n",
		NULL);
	assert_int_equal(m.status, 0);
	assert_string_equal(m.plan.stages[0].base_name, "debian:9");
	assert_string_equal(m.plan.stages[0].platform, "linux/arm64");
	clear(&m);
}

static void bad_references(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"FROM scratch AS a\nCOPY --from=b /x /x\nFROM scratch AS b\nFROM a\n",
			"defined after this one"},
		{"FROM scratch AS a\nCOPY --from=1 /x /x\nFROM scratch AS b\nFROM a\n",
			"defined after this one"},
		{"FROM scratch AS a\nCOPY --from=a /x /x\n", "copy from itself"},
		{"FROM scratch AS a\nCOPY --from=0 /x /x\n", "copy from itself"},
		{"FROM scratch\nCOPY --from=7 /x /x\n", "there is no stage 7"},
		{"FROM scratch AS a\nRUN --mount=type=bind,from=b,target=/x y\nFROM scratch AS b\n"
		 "FROM a\n",
			"defined after"},
		{"ARG X\nFROM $X\n", "empty after expansion"},
		{"FROM scratch AS a\nCOPY --from=c / /\nFROM a AS b\nFROM scratch AS c\n"
		 "COPY --from=b / /\n",
			"circular dependency: a -> c -> b -> a"},
		{"FROM scratch AS p\nONBUILD COPY --from=b / /\nFROM p AS a\nFROM a AS b\n",
			"circular dependency: a -> b -> a"},
		{"FROM scratch AS p\nONBUILD COPY --from=b / /\nFROM p AS a\nFROM scratch AS b\n"
		 "FROM a\n",
			"defined after this one"},
		{"FROM scratch AS p\nONBUILD COPY --from=a / /\nFROM p AS a\n", "itself"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct made m = {0};
		make(&m, rows[i].text, NULL);
		assert_int_equal(m.status, -1);
		assert_int_equal(err_get_kind(m.err), ERR_SYNTAX);
		assert_non_null(strstr(err_text(m.err), rows[i].message));
		assert_non_null(strstr(err_text(m.err), "Dockerfile:"));
		clear(&m);
	}
}

/* A value that is wrong, or a stage that comes later, in a stage that is not built; and when it is.
 */
static void mistakes_in_stages(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} rows[] = {
		{"COPY --from=last /x /y", "defined after this one"},
		{"COPY --from=1 /x /y", "defined after this one"},
		{"ARG N=last\nCOPY --from=$N /x /y", "defined after this one"},
		{"RUN --mount=from=last,target=/m true", "defined after this one"},
		{"COPY --chmod=9 a b", "no mode"},
		{"ADD --chmod=u=rwy a b", "no mode"},
		{"COPY --exclude=[a a b", "--exclude"},
		{"COPY http://h/x /x", "cannot fetch"},
		{"COPY [\"\", \"/x\"]", "empty"},
		{"ENV A=${B", "not closed"},
		{"LABEL ${B^x}=1", "modifier"},
		{"RUN --mount=type=nosuch,target=/m true", "unknown type"},
		{"RUN --mount=colour=red true", "no option"},
		{"RUN --mount=type=cache,target=/m,mode=9 true", "octal"},
		{"RUN --mount=type=secret true", "needs id="},
		{"RUN --mount=type=tmpfs,target=/ true", "cannot be /"},
		{"ONBUILD COPY --chmod=9 a b", "no mode"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct made unused = {0}, used = {0};
		char text[200];
		snprintf(text, sizeof text, "FROM scratch AS a\n%s\nFROM scratch AS last\n",
			rows[i].line);
		make(&unused, text, NULL);
		if (unused.status != 0)
			fail_msg("%s: %s", rows[i].line, err_text(unused.err));
		assert_false(unused.plan.stages[0].needed);
		make(&used, text, "a");
		assert_int_equal(used.status, -1);
		assert_int_equal(err_get_kind(used.err), ERR_SYNTAX);
		if (!strstr(err_text(used.err), rows[i].message) ||
			!strstr(err_text(used.err), "Dockerfile:"))
			fail_msg("%s: %s", rows[i].line, err_text(used.err));
		clear(&unused);
		clear(&used);
	}
}

/* What is wrong whatever is built: words of the grammar, FROM lines, cycles. */
static void mistakes_of_the_file(void **state)
{
	static const char *const hard[] = {
		"FROM scratch AS a\nCOPY --nosuch=1 a b\nFROM scratch\n",
		"FROM scratch AS a\nCOPY --chown=1 --chown=2 a b\nFROM scratch\n",
		"FROM scratch AS a\nCOPY a\nFROM scratch\n",
		"FROM scratch AS a\nNOSUCH\nFROM scratch\n",
		"FROM scratch AS a\nENV A\nFROM scratch\n",
		"FROM ${A\nFROM scratch\n",
		"ARG A=${B\nFROM scratch\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hard); i++) {
		struct dockerfile *df = dockerfile_parse(SLICE("Dockerfile"), slice_of(hard[i]));
		if (df->diags.errors == df->late_errors)
			fail_msg("%s", hard[i]);
		dockerfile_free(df);
	}
	struct dockerfile *t =
		dockerfile_parse_trigger(SLICE("trigger"), SLICE("COPY --chmod=9 a b"));
	assert_int_equal(t->diags.errors, 1);
	assert_int_equal(t->late_errors, 0);
	dockerfile_free(t);
}

static void from_kinds(void **state)
{
	struct made m = {0};
	struct plan_from f;
	struct word w = {.text = SLICE("ctx")};

	(void)state;
	strlist_add(&m.names, "ctx");
	make(&m, "FROM scratch AS st\nFROM ctx\n", NULL);
	assert_int_equal(m.status, 0);
	assert_int_equal(m.plan.stages[1].base, PLAN_CONTEXT);
	assert_int_equal(
		plan_resolve_from(&m.plan, m.df, &m.names, 1, &w, true, &f, NULL, &m.err), 0);
	assert_int_equal(f.kind, PLAN_FROM_NAMED);
	w.text = SLICE("ST");
	assert_int_equal(
		plan_resolve_from(&m.plan, m.df, &m.names, 1, &w, true, &f, NULL, &m.err), 0);
	assert_int_equal(f.kind, PLAN_FROM_STAGE);
	w.text = SLICE("0");
	assert_int_equal(
		plan_resolve_from(&m.plan, m.df, &m.names, 1, &w, false, &f, NULL, &m.err), 0);
	assert_int_equal(f.kind, PLAN_FROM_IMAGE); /* mounts know no stage numbers */
	w.text = (struct slice){0};
	assert_int_equal(
		plan_resolve_from(&m.plan, m.df, &m.names, 1, &w, true, &f, NULL, &m.err), 0);
	assert_int_equal(f.kind, PLAN_FROM_CONTEXT);
	clear(&m);
}

/* Triggers of a stage run in the stages that are FROM it, and refer to stages from there. */
static void triggers_of_the_file(void **state)
{
	static const bool needed[] = {true, true, true, true, false, true, false};
	struct made m = {0};

	(void)state;
	make(&m,
		"FROM scratch AS early\nFROM scratch AS parent\nONBUILD COPY --from=Late / /\n"
		"ONBUILD RUN --mount=from=more,target=/m true\nONBUILD COPY --from=2 / /\n"
		"FROM scratch AS late\nCOPY --from=early / /\nFROM scratch AS more\n"
		"FROM parent AS unused\nFROM parent AS child\nRUN x\nFROM scratch AS none\n",
		"child");
	assert_int_equal(m.status, 0);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		assert_int_equal(m.plan.stages[i].needed, needed[i]);
	const struct plan_stage *child = &m.plan.stages[5];
	assert_int_equal(child->ndeps, 3);
	assert_int_equal(child->deps[0], 1);
	assert_int_equal(child->deps[1], 2);
	assert_int_equal(child->deps[2], 3);
	clear(&m);
}

/* Which stage it is, only the run of the trigger tells: all in front are built. */
static void trigger_with_variable(void **state)
{
	struct made m = {0};

	(void)state;
	make(&m,
		"FROM scratch AS a\nFROM scratch AS b\nFROM scratch AS parent\nARG X=a\n"
		"ONBUILD COPY --from=$X / /\nFROM parent\nFROM scratch\n",
		"3");
	assert_int_equal(m.status, 0);
	assert_true(m.plan.stages[0].needed && m.plan.stages[1].needed);
	assert_false(m.plan.stages[4].needed);
	clear(&m);
}

static struct word copy_from(const struct made *m, size_t stage, size_t at)
{
	return m->df->stages[stage].body.items[at]->copy.from;
}

static void from_with_variables(void **state)
{
	struct made m = {0};
	struct word out, w;

	(void)state;
	strlist_add(&m.args, "B=given");
	make(&m,
		"ARG G=one\nFROM scratch AS one\nFROM scratch AS two\nFROM scratch AS given\n"
		"FROM scratch AS parent\nARG G\nARG L=two\nENV E=$L\n"
		"FROM parent\nARG B=one\nARG N=${U:?no}\nENV L=one M=$L\n"
		"COPY --from=$G / /\nCOPY --from=${E} / /\nCOPY --from=$B / /\n"
		"COPY --from=${NONE:-t}wo / /\nCOPY --from=$M / /\nCOPY --from=two / /\n",
		NULL);
	assert_int_equal(m.status, 0);
	for (size_t i = 0; i < 5; i++)
		assert_true(m.plan.stages[i].needed);
	static const char *const names[] = {"one", "two", "given", "two", "two", "two"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		w = copy_from(&m, 4, 3 + i);
		assert_int_equal(fromref_word(&m.plan, NULL, m.df, &w, &out, &m.err), 0);
		assert_true(slice_eq_str(out.text, names[i]));
		assert_int_equal(out.span.off, w.span.off);
	}
	clear(&m);
}

static void from_with_bad_variables(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{"FROM scratch AS a\nFROM scratch\nCOPY --from=$N / /\n", "Dockerfile:3"},
		{"FROM scratch AS a\nFROM scratch\nCOPY --from=$N / /\n", "empty"},
		{"FROM scratch AS a\nFROM scratch\nCOPY --from=${N:?sayit} / /\n", "sayit"},
		{"FROM scratch AS c\nARG N=b\nCOPY --from=$N / /\nFROM scratch AS b\nFROM c\n",
			"stage \"b\" is defined after"},
		/* set behind the line */
		{"FROM scratch AS a\nFROM scratch\nCOPY --from=$N / /\nARG N=a\n", "empty"},
		/* only global */
		{"ARG N=a\nFROM scratch AS a\nFROM scratch\nCOPY --from=$N / /\n", "empty"},
		{"FROM scratch AS a\nFROM scratch\nRUN --mount=from=$N,target=/m true\n",
			"Dockerfile:3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct made m = {0};
		make(&m, cases[i].text, NULL);
		assert_int_equal(m.status, -1);
		if (!strstr(err_text(m.err), cases[i].says))
			fail_msg("%zu: %s", i, err_text(m.err));
		clear(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_needed_stages),
		cmocka_unit_test(order_of_stages),
		cmocka_unit_test(target_by_name_and_number),
		cmocka_unit_test(globals_expand_in_from),
		cmocka_unit_test(bad_references),
		cmocka_unit_test(mistakes_in_stages),
		cmocka_unit_test(mistakes_of_the_file),
		cmocka_unit_test(from_kinds),
		cmocka_unit_test(triggers_of_the_file),
		cmocka_unit_test(trigger_with_variable),
		cmocka_unit_test(from_with_variables),
		cmocka_unit_test(from_with_bad_variables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

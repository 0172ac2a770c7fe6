// SPDX-License-Identifier: Apache-2.0
/* Every metadata instruction: what it leaves in the configuration, the history and later lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "tests/support/onebuild.h"

/* The "config" member of the image. */
static char *settings(const struct onebuild *b)
{
	const char *p = strstr(b->config, "\"config\":{");
	const char *end = p ? strstr(p, "},\"rootfs\"") : NULL;

	return end ? mem_strndup(p + 9, (size_t)(end + 1 - p - 9)) : mem_strdup("");
}

#define ENV_PATH  "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""
#define ONLY_PATH "\"Env\":[" ENV_PATH "]"

static const struct {
	const char *lines;
	const char *config;  /* a part of "config" */
	const char *history; /* created_by of the last entry; NULL = not looked at */
} cases[] = {
	{"LABEL a=b", ONLY_PATH, "LABEL a=b"},
	/* ENV */
	{"ENV a=1\nENV a=2 b=$a", "[" ENV_PATH ",\"a=2\",\"b=1\"]", "ENV a=2 b=1"},
	{"ENV a=1 b=2\nENV a=3", "[" ENV_PATH ",\"a=3\",\"b=2\"]", "ENV a=3"},
	{"ENV A B=c", "\"A=B=c\"", "ENV A=B=c"},
	{"ENV PATH=/x", "\"Env\":[\"PATH=/x\"]", NULL},
	{"ENV a=", "\"a=\"", "ENV a="},
	/* ARG: seen by later lines, never in the configuration */
	{"ARG x=1 y=$x\nENV e=$y$NONE", "[" ENV_PATH ",\"e=1\"]", NULL},
	{"ARG x=1", "{" ONLY_PATH "}", "ARG x=1"},
	{"ARG x", "{" ONLY_PATH "}", "ARG x"},
	{"ARG given=no\nENV e=$given", "\"e=yes\"", NULL},
	{"ENV e=$given", "\"e=\"", NULL},
	{"ARG GLOBAL\nENV e=$GLOBAL", "\"e=g\"", NULL},
	{"ARG GLOBAL=own\nENV e=$GLOBAL", "\"e=own\"", NULL},
	{"ENV e=$GLOBAL", "\"e=\"", NULL},
	{"ENV v=env\nARG v=arg\nENV e=$v", "\"v=env\",\"e=arg\"", NULL},
	{"ARG v=arg\nENV v=env\nENV e=$v", "\"v=env\",\"e=env\"", NULL},
	{"ENV v=env\nARG v\nENV e=$v", "\"e=env\"", NULL},
	{"ARG TARGETARCH\nARG TARGETVARIANT\nENV e=$TARGETARCH-${TARGETVARIANT-x}", "\"e=amd64-\"",
		NULL},
	/* CMD and ENTRYPOINT */
	{"CMD a b", "\"Cmd\":[\"/bin/sh\",\"-c\",\"a b\"]",
		"CMD [\\\"/bin/sh\\\",\\\"-c\\\",\\\"a b\\\"]"},
	{"CMD [\"a\",\"$b\"]", "\"Cmd\":[\"a\",\"$b\"]", NULL},
	{"CMD []", "\"Cmd\":[]", NULL},
	{"SHELL [\"/s\",\"-x\"]\nENTRYPOINT e", "\"Entrypoint\":[\"/s\",\"-x\",\"e\"]", NULL},
	{"CMD c\nENTRYPOINT [\"e\"]", "\"Cmd\":[\"/bin/sh\",\"-c\",\"c\"]", NULL},
	{"ENTRYPOINT [\"e\"]\nCMD [\"c\"]", "\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]", NULL},
	{"ENTRYPOINT [\"e\"]\nENTRYPOINT []", "{" ONLY_PATH "}", "ENTRYPOINT []"},
	/* the others */
	{"EXPOSE 80 9/UDP 5-7/tcp 127.0.0.1:8080:81",
		"\"ExposedPorts\":{\"5/tcp\":{},\"6/tcp\":{},\"7/tcp\":{},\"80/tcp\":{},\"81/"
		"tcp\":{},\"9/udp\":{}}",
		NULL},
	{"ENV P=\"1 2\"\nEXPOSE $P", "{\"1/tcp\":{},\"2/tcp\":{}}", "EXPOSE 1/tcp 2/tcp"},
	{"VOLUME /b $NO/a /b", "\"Volumes\":{\"/a\":{},\"/b\":{}}", "VOLUME /b /a /b"},
	{"VOLUME [\"/a b\"]", "\"Volumes\":{\"/a b\":{}}", NULL},
	{"ENV U=me\nUSER $U:1", "\"User\":\"me:1\"", "USER me:1"},
	{"USER me\nUSER $NO", "{" ONLY_PATH "}", "USER "},
	{"STOPSIGNAL SIGTERM", "\"StopSignal\":\"SIGTERM\"", "STOPSIGNAL SIGTERM"},
	{"STOPSIGNAL rtmin+3", "\"StopSignal\":\"rtmin+3\"", NULL},
	{"STOPSIGNAL 9", "\"StopSignal\":\"9\"", NULL},
	{"LABEL a=1 b=\"x y\"\nLABEL a=2", "\"Labels\":{\"a\":\"2\",\"b\":\"x y\"}", "LABEL a=2"},
	{"HEALTHCHECK --interval=1m30s --retries=2 CMD x y",
		"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x "
		"y\"],\"Interval\":90000000000,\"Retries\":2}",
		"HEALTHCHECK --interval=1m30s --retries=2 CMD x y"},
	{"HEALTHCHECK --interval=9s CMD x\nHEALTHCHECK CMD [\"y\"]",
		"\"Healthcheck\":{\"Test\":[\"CMD\",\"y\"]}", NULL},
	{"HEALTHCHECK CMD x\nHEALTHCHECK NONE", "\"Healthcheck\":{\"Test\":[\"NONE\"]}",
		"HEALTHCHECK NONE"},
	{"SHELL [\"/s\",\"-x\"]", "\"Shell\":[\"/s\",\"-x\"]", NULL},
	{"ONBUILD RUN a $b", "\"OnBuild\":[\"RUN a $b\"]", NULL},
	{"WORKDIR /a/../b//c/", "\"WorkingDir\":\"/b/c\"", "WORKDIR /b/c"},
	{"WORKDIR a\nWORKDIR b\nWORKDIR ../c", "\"WorkingDir\":\"/a/c\"", "WORKDIR /a/c"},
	{"WORKDIR /../..", "\"WorkingDir\":\"/\"", "WORKDIR /"},
};

static void into_the_configuration(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	strlist_add(&b.o.build_args, "given=yes");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *file =
			mem_printf("ARG GLOBAL=g\nFROM scratch\n%s\n", cases[i].lines);
		onebuild_run(&b, file);
		auto_free char *config = settings(&b);
		auto_free char *entry = mem_printf(
			"\"created_by\":\"%s\",", cases[i].history ? cases[i].history : "");
		if (b.status < 0 || !strstr(config, cases[i].config) ||
			(cases[i].history && !strstr(b.config, entry)))
			fail_msg("%s\nwanted %s, %s\ngot %s\n%s", file, cases[i].config,
				cases[i].history, b.config, b.err ? err_text(b.err) : "");
	}
	onebuild_clear(&b);
}

static void mistakes(void **state)
{
	static const struct {
		const char *lines;
		enum err_kind kind;
		const char *text;
	} bad[] = {
		{"ARG \"$NO\"=1", ERR_SYNTAX, "Dockerfile:2:5: error: the name is empty"},
		{"ENV \"$NO\"=1", ERR_SYNTAX, ":2:5: error: the name is empty"},
		{"ENV E=a=b\nLABEL $E=1", ERR_SYNTAX, ":3:7: error: a name cannot hold \"=\""},
		{"EXPOSE a$NO", ERR_SYNTAX, ":2:8: error: EXPOSE a: a port is a number"},
		{"EXPOSE 1-70000$NO", ERR_SYNTAX, ":2:8"},
		{"STOPSIGNAL SIGNO$NO", ERR_SYNTAX, ":2:12: error: \"SIGNO\" is not a signal"},
		{"STOPSIGNAL 65$NO", ERR_SYNTAX, ":2:12"},
		{"STOPSIGNAL RTMIN+16$NO", ERR_SYNTAX,
			":2:12: error: \"RTMIN+16\" is not a signal"},
		{"EXPOSE host:1:80$NO", ERR_SYNTAX,
			":2:8: error: EXPOSE host:1:80: \"host\" is no IP"},
		{"VOLUME /a $NO", ERR_SYNTAX, ":2:11: error: the volume's path is empty"},
		{"WORKDIR $NO", ERR_SYNTAX, ":2:9: error: the path is empty"},
		{"ENV a=1\nENV b=${NO:?say-it}", ERR_BUILD, "say-it"},
		{"COPY nothing /", ERR_CONTEXT, ":2:6: error: nothing: not found"},
		{"COPY --from=5 a b", ERR_SYNTAX, ":2:13: error: there is no stage 5"},
	};
	struct onebuild b;

	onebuild_init(&b, *state);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_free char *file = mem_printf("FROM scratch\n%s\n", bad[i].lines);
		onebuild_run(&b, file);
		if (b.status == 0 || err_get_kind(b.err) != bad[i].kind ||
			!strstr(err_text(b.err), bad[i].text))
			fail_msg("%s\ngot %s", file, b.err ? err_text(b.err) : b.config);
	}
	onebuild_clear(&b);
}

/* S16, S17: what a stage takes over from the stage below it. */
static void from_a_stage(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	onebuild_run(&b, "FROM scratch AS p\nARG a=1\nENV e=2\nCMD c\nWORKDIR /w\nUSER u\n"
			 "FROM p\nENV f=$a$e\nENTRYPOINT [\"x\"]\n");
	assert_int_equal(0, b.status);
	assert_non_null(strstr(b.config, "\"e=2\",\"f=12\""));
	assert_non_null(strstr(b.config, "\"WorkingDir\":\"/w\""));
	assert_non_null(strstr(b.config, "\"User\":\"u\""));
	assert_null(strstr(b.config, "\"Cmd\""));
	/* An unrelated stage sees nothing of it. */
	onebuild_run(&b, "FROM scratch AS p\nARG a=1\nENV e=2\nFROM scratch\nENV f=-$a$e\n");
	assert_non_null(strstr(b.config, "\"f=-\""));
	onebuild_run(&b, "FROM scratch AS p\nONBUILD ENV a=1\nONBUILD ENV b=$a\nENV a=0\n"
			 "FROM p\nENV c=$b\n");
	assert_non_null(strstr(b.config, "\"a=1\",\"b=1\",\"c=1\""));
	assert_null(strstr(b.config, "OnBuild"));
	onebuild_clear(&b);
}

static void unused_build_args(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	strlist_add(&b.o.build_args, "nobody=1");
	strlist_add(&b.o.build_args, "used=1");
	strlist_add(&b.o.build_args, "HTTP_PROXY=http://u:p@h");
	strlist_add(&b.o.proxy_env, "https_proxy=http://q");
	onebuild_run(&b, "FROM scratch\nARG used\nENV x=$HTTP_PROXY-$https_proxy\n");
	assert_int_equal(0, b.status);
	assert_non_null(strstr(b.warnings, "--build-arg nobody"));
	assert_null(strstr(b.warnings, "used:"));
	/* In ENV they are undefined, as lint says; as options they are never unused. */
	assert_null(strstr(b.warnings, "--build-arg HTTP_PROXY"));
	assert_null(strstr(b.warnings, "http://"));
	assert_null(strstr(b.config, "http://"));
	assert_non_null(strstr(b.config, "\"x=-\""));
	strlist_clear(&b.o.proxy_env);
	onebuild_clear(&b);
}

static void large_range(void **state)
{
	struct onebuild b;
	unsigned ports = 0;

	onebuild_init(&b, *state);
	onebuild_run(&b, "FROM scratch\nEXPOSE 0-65535 7/tcp\n");
	assert_int_equal(0, b.status);
	for (const char *p = b.config; (p = strstr(p, "/tcp\":{}")); p++)
		ports++;
	assert_int_equal(65536, ports);
	onebuild_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			into_the_configuration, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(mistakes, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(from_a_stage, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			unused_build_args, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(large_range, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}

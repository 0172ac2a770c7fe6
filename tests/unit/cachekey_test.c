// SPDX-License-Identifier: Apache-2.0
/* What changes the key of a step, and what does not: keys by hand, then whole builds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/keyparts.h"
#include "builder/state.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "tests/support/onebuild.h"

static void set_text(char **field, const char *text)
{
	free(*field);
	*field = mem_strdup(text);
}

/* One change of a state each; 0 leaves it as it is. */
static void change(struct state *st, int which)
{
	static const struct digest layer = {{9}};
	struct oci_history h = {.created_by = (char[]){"x"}};

	switch (which) {
	case 1:
		strlist_set_kv(&st->config.env, "A", "1");
		break;
	case 2:
		set_text(&st->config.user, "u");
		break;
	case 3:
		set_text(&st->config.working_dir, "/w");
		break;
	case 4:
		strlist_add(&st->config.shell, "/s");
		break;
	case 5:
		oci_config_add_diff_id(&st->config, &layer);
		break;
	case 6:
		set_text(&st->config.platform.architecture, "arm64");
		break;
	/* from here on: of no interest to a step */
	case 7:
		strlist_set_kv(&st->config.labels, "l", "1");
		break;
	case 8:
		strlist_add(&st->config.cmd.l, "c");
		strlist_add(&st->config.entrypoint.l, "e");
		break;
	case 9:
		oci_config_add_port(&st->config, "1/tcp");
		oci_config_add_volume(&st->config, "/v");
		break;
	case 10:
		set_text(&st->config.stop_signal, "9");
		set_text(&st->config.author, "me");
		set_text(&st->config.created, "2020-01-01T00:00:00Z");
		break;
	case 11:
		strlist_add(&st->config.onbuild, "RUN x");
		oci_config_add_history(&st->config, &h);
		st->config.healthcheck.present = true;
		break;
	default:
		break;
	}
}

static void key_of_base(void **state)
{
	struct digest keys[12];

	(void)state;
	for (int i = 0; i < 12; i++) {
		auto_state struct state st;
		state_init(&st);
		assert_int_equal(0, oci_platform_parse("linux/amd64", &st.config.platform, NULL));
		change(&st, i);
		cachekey_base(&st, &keys[i]);
	}
	for (int i = 1; i <= 6; i++)
		for (int k = 0; k < i; k++)
			assert_false(sha256_equal(&keys[i], &keys[k]));
	for (int i = 7; i < 12; i++)
		assert_true(sha256_equal(&keys[i], &keys[0]));
}

static void feed_parts(struct buf *facts, const struct state *st, const struct strlist *argv,
	const struct strlist *vars, const char *network, struct digest *out)
{
	struct keyparts k;

	keyparts_begin(&k, facts, &st->key, "RUN");
	cachekey_list(keyparts_part(&k, KEYPART_INSTRUCTION, "command", "c"), argv);
	cachekey_list(keyparts_implied(&k), vars);
	keyparts_text(&k, "USER", state_user(st));
	keyparts_text(&k, "WORKDIR", state_workdir(st));
	keyparts_text(&k, "network", network);
	keyparts_end(&k, out);
}

static struct digest run_key(
	struct state *st, const char *a, const char *b, const char *env, const char *network)
{
	auto_strlist struct strlist argv = {0}, vars = {0};
	auto_buf struct buf facts;
	struct digest d, with_facts;

	strlist_add(&argv, a);
	strlist_add(&argv, b);
	if (env)
		strlist_add(&vars, env);
	buf_init(&facts, BUF_TEXT_MAX);
	feed_parts(NULL, st, &argv, &vars, network, &d);
	/* Facts change no digest. */
	feed_parts(&facts, st, &argv, &vars, network, &with_facts);
	assert_true(sha256_equal(&d, &with_facts));
	assert_true(facts.len > 0);
	return d;
}

static void key_of_run(void **state)
{
	struct digest k[10];
	size_t n = 0;
	auto_state struct state st;

	(void)state;
	state_init(&st);
	k[n++] = run_key(&st, "a", "b", NULL, "host");
	k[n++] = run_key(&st, "ab", "", NULL, "host");
	k[n++] = run_key(&st, "a", "b", "A=1", "host");
	k[n++] = run_key(&st, "a", "b", "A=2", "host");
	k[n++] = run_key(&st, "a", "b", NULL, "none");
	set_text(&st.config.user, "u");
	k[n++] = run_key(&st, "a", "b", NULL, "host");
	set_text(&st.config.working_dir, "/w");
	k[n++] = run_key(&st, "a", "b", NULL, "host");
	st.key.b[0] = 1;
	k[n++] = run_key(&st, "a", "b", NULL, "host");
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(sha256_equal(&k[i], &k[j]));
	/* Not where they are not used: the shell is in argv, labels are nowhere. */
	strlist_add(&st.config.shell, "/s");
	strlist_set_kv(&st.config.labels, "l", "1");
	struct digest same = run_key(&st, "a", "b", NULL, "host");
	assert_true(sha256_equal(&same, &k[n - 1]));
}

/* --- whole builds: does the last step come from the cache? ---------------------------------- */

static void touch(struct onebuild *b, const char *name)
{
	const struct timespec t[2] = {{.tv_sec = 12345}, {.tv_sec = 12345}};
	auto_free char *path = mem_printf("ctx/%s", name);

	assert_int_equal(0, utimensat(b->d->t.fd, path, t, 0));
}

static void steps_hit(struct onebuild *b, const char *dockerfile, unsigned done, unsigned cached)
{
	onebuild_run(b, dockerfile);
	if (b->status < 0 || b->done != done || b->cached != cached)
		fail_msg("%s\n%u done, %u cached, wanted %u and %u\n%s", dockerfile, b->done,
			b->cached, done, cached, b->err ? err_text(b->err) : "");
}

static void copy_hits(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "one", 0644);
	onebuild_file(&b, "g", "two", 0644);
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 1, 0);
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 0, 1);
	touch(&b, "f");
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 0, 1);
	/* metadata in between, variables that lead to the same text */
	steps_hit(&b,
		"FROM scratch\nLABEL a=1\nENV d=/d/\nCMD x\nARG q=f\nUSER u\nCOPY $q $d\n"
		"EXPOSE 1\n",
		0, 1);
	/* flags and destinations */
	steps_hit(&b, "FROM scratch\nCOPY f /e/\n", 1, 0);
	steps_hit(&b, "FROM scratch\nCOPY --chmod=600 f /d/\n", 1, 0);
	steps_hit(&b, "FROM scratch\nCOPY --chown=1:2 f /d/\n", 1, 0);
	steps_hit(&b, "FROM scratch\nADD f /d/\n", 1, 0);
	steps_hit(&b, "FROM scratch\nCOPY g /d/\n", 1, 0);
	/* what lies in the context */
	onebuild_file(&b, "f", "one", 0755);
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 1, 0);
	onebuild_file(&b, "f", "1", 0644);
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 1, 0);
	onebuild_file(&b, "f", "one", 0644);
	steps_hit(&b, "FROM scratch\nCOPY f /d/\n", 0, 1);
	/* a relative destination needs the directory it is relative to */
	steps_hit(&b, "FROM scratch\nWORKDIR /d\nCOPY f x\n", 2, 0);
	steps_hit(&b, "FROM scratch\nWORKDIR /d\nCOPY f x\n", 0, 2);
	onebuild_clear(&b);
}

static void what_comes_before(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "one", 0644);
	steps_hit(&b, "FROM scratch\nWORKDIR /a\nCOPY f /\n", 2, 0);
	steps_hit(&b, "FROM scratch\nWORKDIR /b\nCOPY f /\n", 2, 0);
	steps_hit(&b, "FROM scratch\nUSER 1\nWORKDIR /b\nCOPY f /\n", 2, 0);
	steps_hit(&b, "FROM scratch AS x\nWORKDIR /a\nFROM x\nCOPY f /\n", 0, 2);
	b.o.no_cache = true;
	steps_hit(&b, "FROM scratch\nWORKDIR /a\nCOPY f /\n", 2, 0);
	b.o.no_cache = false;
	steps_hit(&b, "FROM scratch\nWORKDIR /a\nCOPY f /\n", 0, 2);
	/* times are not in a key */
	b.o.has_timestamp = true;
	b.o.timestamp = 5;
	steps_hit(&b, "FROM scratch\nWORKDIR /a\nCOPY f /\n", 0, 2);
	onebuild_clear(&b);
}

/* By the stage's key with nothing read, else by what was selected in it. */
static void copy_from_a_stage(void **state)
{
	static const char head[] = "FROM scratch AS s\nCOPY f /f\nCOPY g /g\n";
	static const char tail[] = "FROM scratch\nCOPY --from=s /f /x\n";
	auto_free char *whole = mem_printf("%s%sWORKDIR /after\n", head, tail);
	struct onebuild b;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "one", 0644);
	onebuild_file(&b, "g", "one", 0644);
	steps_hit(&b, whole, 4, 0);
	steps_hit(&b, whole, 0, 4);
	/* Another stage with the same file: the copy and all behind it are there. */
	onebuild_file(&b, "g", "two", 0644);
	steps_hit(&b, whole, 1, 3);
	steps_hit(&b, whole, 0, 4);
	onebuild_file(&b, "f", "two", 0644);
	steps_hit(&b, whole, 4, 0);
	onebuild_clear(&b);
}

static void named_context(void **state)
{
	struct onebuild b;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "one", 0644);
	strlist_addf(&b.o.contexts, "docker.io/library/other:latest=%s/ctx", b.d->t.path);
	steps_hit(&b, "FROM other\nCOPY --from=other f /g\n", 1, 0);
	steps_hit(&b, "FROM other:latest\nCOPY --from=library/other f /g\n", 0, 1);
	onebuild_file(&b, "h", "new", 0644);
	steps_hit(&b, "FROM other\nCOPY --from=other f /g\n", 1, 0);
	onebuild_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_of_base),
		cmocka_unit_test(key_of_run),
		cmocka_unit_test_setup_teardown(copy_hits, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			what_comes_before, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(
			copy_from_a_stage, storedir_setup, storedir_teardown),
		cmocka_unit_test_setup_teardown(named_context, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("cachekey", tests, NULL, NULL);
}

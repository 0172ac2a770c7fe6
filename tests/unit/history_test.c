// SPDX-License-Identifier: Apache-2.0
/* Entries of history by hand, and those of a whole build held against its layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "builder/image/history.h"
#include "builder/plan/scope.h"
#include "builder/state.h"
#include "store/base/mem.h"
#include "tests/support/onebuild.h"

static void entries(void **state)
{
	auto_state struct state st;
	const struct oci_history *h;

	(void)state;
	state_init(&st);
	history_add(&st, "A", true, HISTORY_NO_TIME);
	history_add(&st, "B", false, 86400);
	h = st.config.history;
	assert_int_equal(2, st.config.nhistory);
	assert_string_equal("A", h[0].created_by);
	assert_true(h[0].empty_layer);
	assert_null(h[0].created);
	assert_string_equal("B", h[1].created_by);
	assert_false(h[1].empty_layer);
	assert_string_equal("1970-01-02T00:00:00Z", h[1].created);
	assert_string_equal(HISTORY_COMMENT, h[1].comment);
}

static void words(void **state)
{
	auto_strlist struct strlist l = {0};

	(void)state;
	auto_free char *none = history_words(&l);
	assert_string_equal("[]", none);
	strlist_add(&l, "a b");
	strlist_add(&l, "\"\\\n");
	auto_free char *two = history_words(&l);
	assert_string_equal("[\"a b\",\"\\\"\\\\\\n\"]", two);
}

static void args(void **state)
{
	auto_state struct state st;

	(void)state;
	state_init(&st);
	scope_set(&st.scope, "env", "1");
	scope_declare(&st.scope, "unset", NULL);
	auto_free char *none = history_args(&st);
	assert_string_equal("", none);
	scope_declare(&st.scope, "b", "x y");
	scope_declare(&st.scope, "a", "1");
	scope_declare(&st.scope, "b", NULL);
	scope_set(&st.scope, "a", "2");
	auto_free char *two = history_args(&st);
	assert_string_equal("|2 b=x y a=2 ", two);
}

/* One entry an instruction; those without a layer say so, and the others are as many as layers. */
static void of_a_build(void **state)
{
	static const struct {
		const char *text;
		bool empty;
	} want[] = {
		{"ARG a=1", true},
		{"COPY --chown=1 --chmod=0600 f g /d/", false},
		{"COPY <<A /h", false},
		{"WORKDIR /", true},
		{"WORKDIR /w", false},
		{"WORKDIR /w", false},
		{"USER u", true},
		{"MAINTAINER me", true},
		{"ENV x=1", true},
		{"COPY --from=s /d/f /x", false},
	};
	struct onebuild b;
	const char *p;

	onebuild_init(&b, *state);
	onebuild_file(&b, "f", "1", 0644);
	onebuild_file(&b, "g", "2", 0644);
	onebuild_run(&b, "FROM scratch AS s\nARG a=1\nCOPY --chown=$a --chmod=600 f g /d/\n"
			 "COPY <<A /h\nbody\nA\nWORKDIR /\nWORKDIR w\nWORKDIR .\nUSER u\n"
			 "ONBUILD ENV x=1\nMAINTAINER me\nFROM s\nCOPY --from=s /d/f /x\n");
	assert_int_equal(0, b.status);
	p = strstr(b.config, "\"history\":");
	/* The trigger stands in front of the stage's own lines. */
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		auto_free char *entry =
			mem_printf("\"created_by\":\"%s\",\"comment\":\"%s\"%s}", want[i].text,
				HISTORY_COMMENT, want[i].empty ? ",\"empty_layer\":true" : "");
		p = strstr(p, entry);
		if (!p)
			fail_msg("%s is not in its place in\n%s", entry, b.config);
	}
	assert_null(strstr(p + 2, "created_by"));
	onebuild_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(words),
		cmocka_unit_test(args),
		cmocka_unit_test_setup_teardown(of_a_build, storedir_setup, storedir_teardown),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}

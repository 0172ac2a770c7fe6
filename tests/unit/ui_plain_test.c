// SPDX-License-Identifier: Apache-2.0
/* What plain and quiet progress write, byte for byte, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/ui/ui.h"

static uint64_t clock_ms;

static uint64_t fake_now(void)
{
	return clock_ms;
}

struct fixture {
	FILE *file;
	struct ui *ui;
	char *text;
};

static void begin(struct fixture *f, enum ui_mode mode)
{
	struct ui_opts o = {.mode = mode, .log_lines = -1, .now_ms = fake_now, .manual = true};

	clock_ms = 1000;
	f->file = tmpfile();
	assert_non_null(f->file);
	o.fd = fileno(f->file);
	f->text = NULL;
	f->ui = ui_new(&o);
}

/* Everything written so far. */
static const char *written(struct fixture *f)
{
	off_t n = lseek(fileno(f->file), 0, SEEK_END);

	free(f->text);
	f->text = calloc(1, (size_t)n + 1);
	assert_non_null(f->text);
	assert_int_equal(pread(fileno(f->file), f->text, (size_t)n, 0), n);
	return f->text;
}

static void end(struct fixture *f)
{
	ui_free(f->ui);
	free(f->text);
	fclose(f->file);
}

static void emit(struct fixture *f, enum event_kind kind, unsigned step, const char *text)
{
	struct event e = {.kind = kind, .step = step, .nsteps = 5, .text = text, .seconds = 1.25};

	ui_event(f->ui, &e);
}

static void output(struct fixture *f, unsigned step, int stream, const char *text, size_t n)
{
	struct event e = {
		.kind = EVENT_STEP_OUTPUT, .step = step, .stream = stream, .bytes = text, .len = n};

	ui_event(f->ui, &e);
}

#define OUTPUT(f, step, stream, text) output(f, step, stream, text, sizeof(text) - 1)

static void test_story(void **state)
{
	struct fixture f;
	struct event e = {.kind = EVENT_STEP_START,
		.step = 3,
		.nsteps = 5,
		.stage = "build",
		.text = "RUN make"};

	(void)state;
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STATUS, 0, "pulling docker.io/library/debian:12");
	emit(&f, EVENT_STEP_CACHED, 2, "COPY . /src");
	ui_event(f.ui, &e);
	clock_ms += 420;
	OUTPUT(&f, 3, 1, "text\nhalf");
	clock_ms += 100;
	OUTPUT(&f, 3, 2, "warning: x\n");
	OUTPUT(&f, 3, 1, " line\r\n10%\r20%\r\n");
	OUTPUT(&f, 3, 1, "no end");
	emit(&f, EVENT_STEP_DONE, 3, NULL);
	emit(&f, EVENT_WARNING, 0, "old syntax");
	emit(&f, EVENT_WARNING, 0, "Dockerfile:1:1: warning: x\n  1 | FROM\n");
	assert_string_equal(written(&f), "#0 pulling docker.io/library/debian:12\n"
					 "#2 [2/5] COPY . /src\n"
					 "#2 CACHED\n"
					 "#3 [build 3/5] RUN make\n"
					 "#3 0.42 text\n"
					 "#3 0.52 warning: x\n"
					 "#3 0.52 half line\n"
					 "#3 0.52 10%\n"
					 "#3 0.52 20%\n"
					 "#3 0.52 no end\n"
					 "#3 DONE 1.2s\n"
					 "warning: old syntax\n"
					 "Dockerfile:1:1: warning: x\n"
					 "  1 | FROM\n");
	end(&f);
}

static void test_carriage_return_at_the_end_of_a_piece(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STEP_START, 1, "RUN x");
	OUTPUT(&f, 1, 1, "a\r");
	OUTPUT(&f, 1, 1, "\nb\n\nc\n");
	assert_string_equal(
		written(&f), "#1 [1/5] RUN x\n#1 0.00 a\n#1 0.00 b\n#1 0.00 \n#1 0.00 c\n");
	end(&f);
}

/* The last 50 lines come again when a step fails, and only of that step. */
static void test_failure_repeats(void **state)
{
	struct fixture f;
	const char *t, *tail;
	char line[32];

	(void)state;
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STEP_START, 1, "RUN other");
	emit(&f, EVENT_STEP_START, 2, "RUN make");
	OUTPUT(&f, 1, 1, "of the other\n");
	for (int i = 1; i <= 60; i++) {
		int n = snprintf(line, sizeof line, "line %d\n", i);

		output(&f, 2, 1, line, (size_t)n);
	}
	emit(&f, EVENT_STEP_FAILED, 2, "exit status 2\nforged");
	t = written(&f);
	tail = strstr(t, "#2 ERROR: exit status 2\\x0aforged\n"
			 "------ last 50 lines of [2/5] RUN make\n"
			 "  line 11\n");
	assert_non_null(tail);
	assert_non_null(strstr(tail, "  line 60\n------\n"));
	assert_null(strstr(tail, "line 10\n"));
	assert_null(strstr(tail, "of the other"));
	end(&f);
}

/* Whatever a step, a name or a reason holds, no control byte but tab and newline gets out. */
static void test_escapes(void **state)
{
	static const char *const bad[] = {"\x1b]0;title\x07", "\x1b]52;c;AAAA\x07",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x1b[2J", "\x1b[1A\x1b[K#9 DONE 0.1s",
		"\x1b[31mred\x1b[0m",
		"\x9b"
		"31m",
		"\x7f", "\x08\x08", "\xe2\x80\xaetxt", "\xc2\x9b", "\xff\xfe", "\x1b[31", "\x1b[",
		"\x1b", "\x1b[38;5;1mx",
		"\x1b[999999999999999999999999999999999999999999999999999999"
		"99999999999999999m"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct fixture f;

		begin(&f, UI_PLAIN);
		emit(&f, EVENT_STATUS, 0, bad[i]);
		emit(&f, EVENT_STEP_START, 1, bad[i]);
		output(&f, 1, 1, bad[i], strlen(bad[i]));
		OUTPUT(&f, 1, 1, "\0\n\ttab\n");
		emit(&f, EVENT_WARNING, 0, bad[i]);
		emit(&f, EVENT_STEP_FAILED, 1, bad[i]);
		written(&f);
		for (const char *p = f.text; *p; p++) {
			if ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t')
				fail_msg("case %zu: byte %02x in: %s", i, *p, f.text);
			assert_int_not_equal(*p, 0x7f);
		}
		assert_null(strstr(f.text, "\xe2\x80\xae"));
		assert_null(strstr(f.text, "\xc2\x9b"));
		assert_null(strstr(f.text, "\xff"));
		end(&f);
	}
}

static void test_colours_are_dropped_others_shown(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STEP_START, 1, "RUN x");
	OUTPUT(&f, 1, 1, "\x1b[1;31mred\x1b[0m and \x1b[2K\ttab\n");
	assert_string_equal(written(&f), "#1 [1/5] RUN x\n#1 0.00 red and \\x1b[2K\ttab\n");
	end(&f);
}

/* A line of more than 1 MiB comes in pieces; none of it is lost. */
static void test_long_line(void **state)
{
	struct fixture f;
	size_t n = UI_LINE_MAX * 2 + 10, count = 0;
	char *big = malloc(n + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'a', n);
	big[n] = '\n';
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STEP_START, 1, "RUN x");
	for (size_t i = 0; i <= n; i += 100000)
		output(&f, 1, 1, big + i, n + 1 - i < 100000 ? n + 1 - i : 100000);
	written(&f);
	for (const char *p = strstr(f.text, "#1 0.00 "); p; p = strstr(p + 1, "#1 0.00 "))
		count++;
	assert_int_equal(count, 3);
	count = 0;
	for (const char *p = f.text; *p; p++)
		count += *p == 'a';
	assert_int_equal(count, n);
	end(&f);
	/* Exactly the limit: one line, no empty one behind it. */
	begin(&f, UI_PLAIN);
	emit(&f, EVENT_STEP_START, 1, "RUN x");
	output(&f, 1, 1, big, UI_LINE_MAX);
	OUTPUT(&f, 1, 1, "\nb\n");
	assert_string_equal(strstr(written(&f), "a\n"), "a\n#1 0.00 b\n");
	end(&f);
	free(big);
}

static void test_transfers(void **state)
{
	struct fixture f;
	struct event e = {
		.kind = EVENT_TRANSFER, .text = "sha256:abc", .done = 0, .total = 12300000};

	(void)state;
	begin(&f, UI_PLAIN);
	ui_event(f.ui, &e);
	clock_ms += 6000;
	e.done = 400;
	ui_event(f.ui, &e);
	e.done = 500;
	ui_event(f.ui, &e);
	e.done = e.total;
	ui_event(f.ui, &e);
	ui_event(f.ui, &e);
	assert_string_equal(
		written(&f), "#0 sha256:abc 400B of 12.3MB\n#0 sha256:abc 12.3MB done\n");
	end(&f);
}

static void test_many_transfers(void **state)
{
	struct fixture f;
	char name[200];

	(void)state;
	begin(&f, UI_PLAIN);
	for (int i = 0; i < 100; i++) {
		struct event e = {.kind = EVENT_TRANSFER, .text = name, .done = 1, .total = 1};

		memset(name, 0x1b, sizeof name);
		snprintf(name + 150, 50, "%d", i);
		name[5] = (char)('a' + i % 26);
		ui_event(f.ui, &e);
	}
	assert_non_null(strstr(written(&f), "done\n"));
	end(&f);
}

static void test_quiet(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, UI_QUIET);
	emit(&f, EVENT_STATUS, 0, "pulling");
	emit(&f, EVENT_STEP_CACHED, 1, "COPY");
	emit(&f, EVENT_STEP_START, 2, "RUN x");
	OUTPUT(&f, 2, 1, "said\n");
	emit(&f, EVENT_WARNING, 0, "careful");
	assert_string_equal(written(&f), "");
	emit(&f, EVENT_STEP_FAILED, 2, "exit status 1");
	assert_string_equal(written(&f), "said\n");
	end(&f);
}

/* Events of an unknown step, and events after the end, do no harm. */
static void test_odd_events(void **state)
{
	struct fixture f;
	struct event bare = {.kind = EVENT_STEP_DONE, .step = 7};

	(void)state;
	begin(&f, UI_PLAIN);
	OUTPUT(&f, 9, 1, "x\n");
	ui_event(f.ui, &bare);
	bare.kind = EVENT_STEP_FAILED;
	ui_event(f.ui, &bare);
	ui_finish(f.ui);
	emit(&f, EVENT_STATUS, 0, "too late");
	ui_finish(f.ui);
	assert_null(strstr(written(&f), "too late"));
	end(&f);
}

static void test_modes(void **state)
{
	enum ui_mode m;
	struct ui_opts o;

	(void)state;
	assert_true(ui_mode_parse("plain", &m) && m == UI_PLAIN);
	assert_true(ui_mode_parse("auto", &m) && m == UI_AUTO);
	assert_true(ui_mode_parse("tty", &m) && m == UI_TTY);
	assert_true(ui_mode_parse("quiet", &m) && m == UI_QUIET);
	assert_true(ui_mode_parse("rawjson", &m));
	assert_int_equal(UI_RAWJSON, m);
	assert_true(ui_mode_parse("none", &m));
	assert_false(ui_mode_parse("loud", &m));
	/* No terminal: plain, also when tty was asked for. */
	setenv("TERM", "xterm", 1);
	setenv("BLD_TTY_LOG_LINES", "999", 1);
	ui_opts_from_env(&o, UI_TTY, -1);
	assert_int_equal(o.mode, UI_PLAIN);
	assert_int_equal(o.log_lines, UI_KEEP_LINES);
	assert_true(o.color);
	setenv("NO_COLOR", "1", 1);
	ui_opts_from_env(&o, UI_QUIET, -1);
	assert_int_equal(o.mode, UI_QUIET);
	assert_false(o.color);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_carriage_return_at_the_end_of_a_piece),
		cmocka_unit_test(test_failure_repeats),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_colours_are_dropped_others_shown),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_many_transfers),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_odd_events),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

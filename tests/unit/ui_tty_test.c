// SPDX-License-Identifier: Apache-2.0
/* Progress on a terminal, judged by what a small terminal shows after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/ui/text.h"
#include "builder/ui/ui.h"

#define COLUMNS_MAX 200
#define ROWS_MAX    400 /* a terminal that never scrolls: all of its history */

static uint64_t clock_ms;

static uint64_t fake_now(void)
{
	return clock_ms;
}

/* A terminal that knows what the UI uses: newline, return, wrap, ESC [ n A, ESC [ J, ESC [ ... m.
 */
struct terminal {
	char cell[ROWS_MAX][COLUMNS_MAX + 1];
	size_t row, column, columns;
};

static size_t terminal_escape(struct terminal *t, const char *p)
{
	size_t n = 0, i = 2;

	assert_int_equal(p[1], '[');
	for (; (p[i] >= '0' && p[i] <= '9') || p[i] == ';'; i++)
		n = p[i] == ';' ? 0 : n * 10 + (size_t)(p[i] - '0');
	if (p[i] == 'A') {
		assert_true(n <= t->row);
		t->row -= n;
	} else if (p[i] == 'J') {
		for (size_t r = t->row; r < ROWS_MAX; r++)
			memset(t->cell[r] + (r == t->row ? t->column : 0), 0,
				COLUMNS_MAX - (r == t->row ? t->column : 0));
	} else {
		assert_int_equal(p[i], 'm');
	}
	return i + 1;
}

static void terminal_write(struct terminal *t, const char *p)
{
	while (*p) {
		if (*p == '\x1b') {
			p += terminal_escape(t, p);
			continue;
		}
		if (*p == '\n') {
			t->row++;
			t->column = 0;
		} else if (*p == '\r') {
			t->column = 0;
		} else {
			assert_true((unsigned char)*p >= 0x20);
			if (t->column == t->columns) {
				t->row++;
				t->column = 0;
			}
			t->cell[t->row][t->column++] = *p;
		}
		assert_true(t->row < ROWS_MAX - 1);
		p++;
	}
}

struct fixture {
	FILE *file;
	struct ui *ui;
	struct terminal term;
	off_t seen;
	char *raw; /* what the last picture consisted of */
};

static struct fixture *begin(unsigned columns, unsigned rows, bool color)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct ui_opts o = {.mode = UI_TTY,
		.log_lines = -1,
		.now_ms = fake_now,
		.manual = true,
		.columns = columns,
		.rows = rows,
		.color = color};

	assert_non_null(f);
	clock_ms = 5000;
	f->term.columns = columns;
	f->file = tmpfile();
	assert_non_null(f->file);
	o.fd = fileno(f->file);
	f->ui = ui_new(&o);
	return f;
}

static void feed_terminal(struct fixture *f)
{
	off_t n = lseek(fileno(f->file), 0, SEEK_END);

	free(f->raw);
	f->raw = calloc(1, (size_t)(n - f->seen) + 1);
	assert_non_null(f->raw);
	assert_int_equal(
		pread(fileno(f->file), f->raw, (size_t)(n - f->seen), f->seen), n - f->seen);
	f->seen = n;
	terminal_write(&f->term, f->raw);
}

static void draw(struct fixture *f)
{
	ui_redraw(f->ui);
	feed_terminal(f);
}

static void end(struct fixture *f)
{
	ui_free(f->ui);
	fclose(f->file);
	free(f->raw);
	free(f);
}

static void assert_row(struct fixture *f, size_t row, const char *want)
{
	assert_string_equal(f->term.cell[row], want);
}

static void emit(struct fixture *f, enum event_kind kind, unsigned step, const char *text)
{
	struct event e = {.kind = kind, .step = step, .nsteps = 3, .text = text, .seconds = 2};

	ui_event(f->ui, &e);
}

static void output(struct fixture *f, unsigned step, const char *text)
{
	struct event e = {.kind = EVENT_STEP_OUTPUT,
		.step = step,
		.stream = 1,
		.bytes = text,
		.len = strlen(text)};

	ui_event(f->ui, &e);
}

static void test_story(void **state)
{
	struct fixture *f = begin(40, 24, false);

	(void)state;
	emit(f, EVENT_STEP_CACHED, 1, "FROM x");
	emit(f, EVENT_STEP_START, 2, "RUN make");
	output(f, 2, "one\ntwo\n");
	clock_ms += 1500;
	draw(f);
	assert_row(f, 0, "#1 [1/3] FROM x                  CACHED");
	assert_row(f, 1, "#2 [2/3] RUN make                  1.5s");
	assert_row(f, 2, "   | one");
	assert_row(f, 3, "   | two");
	assert_row(f, 4, "");
	/* The next picture goes over the same rows; only the last six lines are shown. */
	output(f, 2, "3\n4\n5\n6\n7\n8\n");
	clock_ms += 70000;
	draw(f);
	assert_row(f, 1, "#2 [2/3] RUN make                 1m11s");
	assert_row(f, 2, "   | 3");
	assert_row(f, 7, "   | 8");
	assert_row(f, 8, "");
	/* Done: one line, no log. */
	emit(f, EVENT_STEP_DONE, 2, NULL);
	draw(f);
	assert_row(f, 1, "#2 [2/3] RUN make             DONE 2.0s");
	assert_row(f, 2, "");
	end(f);
}

static void test_parallel_steps_share_the_screen(void **state)
{
	struct fixture *f = begin(40, 10, false);

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		emit(f, EVENT_STEP_START, i, "RUN x");
		output(f, i, "a\nb\nc\nd\n");
	}
	draw(f);
	/* Nine rows: three titles and two lines each. */
	assert_row(f, 0, "#1 [1/3] RUN x                     0.0s");
	assert_row(f, 1, "   | c");
	assert_row(f, 2, "   | d");
	assert_row(f, 3, "#2 [2/3] RUN x                     0.0s");
	assert_row(f, 6, "#3 [3/3] RUN x                     0.0s");
	assert_row(f, 8, "   | d");
	assert_row(f, 9, "");
	for (unsigned i = 4; i <= 30; i++)
		emit(f, EVENT_STEP_START, i, "RUN y");
	draw(f);
	assert_row(f, 0, "#22 [22/3] RUN y                   0.0s");
	assert_row(f, 9, "");
	emit(f, EVENT_STEP_DONE, 22, NULL);
	draw(f);
	assert_row(f, 0, "#22 [22/3] RUN y              DONE 2.0s");
	assert_row(f, 1, "#21 [21/3] RUN y                   0.0s");
	end(f);
}

static void test_failure(void **state)
{
	struct fixture *f = begin(40, 24, false);

	(void)state;
	emit(f, EVENT_STEP_START, 2, "RUN make");
	for (int i = 0; i < 10; i++)
		output(f, 2, "line\n");
	output(f, 2, "last");
	draw(f);
	emit(f, EVENT_STEP_FAILED, 2, "exit status 2");
	draw(f);
	assert_row(f, 0, "#2 [2/3] RUN make            ERROR 2.0s");
	assert_row(f, 1, "   exit status 2");
	assert_row(f, 2, "   | line");
	assert_row(f, 12, "   | last");
	assert_row(f, 13, "");
	end(f);
}

static void test_status(void **state)
{
	struct fixture *f = begin(40, 24, false);
	struct event e = {.kind = EVENT_TRANSFER, .text = "abc", .done = 1500, .total = 3000};

	(void)state;
	emit(f, EVENT_STATUS, 0, "pulling x");
	ui_event(f->ui, &e);
	draw(f);
	assert_row(f, 0, "pulling x                          0.0s");
	assert_row(f, 1, "   abc                    1.5kB / 3.0kB");
	clock_ms += 3000;
	emit(f, EVENT_STEP_START, 1, "RUN x");
	draw(f);
	assert_row(f, 0, "pulling x                          3.0s");
	assert_row(f, 1, "#1 [1/3] RUN x                     0.0s");
	assert_row(f, 2, "");
	emit(f, EVENT_WARNING, 0, "careful");
	draw(f);
	assert_row(f, 1, "warning: careful");
	assert_row(f, 2, "#1 [1/3] RUN x                     0.0s");
	ui_finish(f->ui);
	feed_terminal(f);
	assert_row(f, 2, "");
	end(f);
}

/* Two pulls at a time: each with its own transfers, until its own end; a step ends neither. */
static void test_two_statuses(void **state)
{
	struct fixture *f = begin(40, 12, false);
	struct event one = {
		.kind = EVENT_TRANSFER, .step = 1, .text = "abc", .done = 1, .total = 3};
	struct event two = {
		.kind = EVENT_TRANSFER, .step = 2, .text = "abc", .done = 2, .total = 5};

	(void)state;
	emit(f, EVENT_STATUS, 1, "pulling x");
	emit(f, EVENT_STATUS, 2, "pulling y");
	ui_event(f->ui, &two);
	ui_event(f->ui, &one);
	emit(f, EVENT_STEP_START, 1, "RUN x");
	draw(f);
	assert_row(f, 0, "pulling x                          0.0s");
	assert_row(f, 1, "   abc                          1B / 3B");
	assert_row(f, 2, "pulling y                          0.0s");
	assert_row(f, 3, "   abc                          2B / 5B");
	assert_row(f, 4, "#1 [1/3] RUN x                     0.0s");
	clock_ms += 2000;
	emit(f, EVENT_STATUS_END, 1, NULL);
	emit(f, EVENT_STEP_ENDED, 1, NULL);
	draw(f);
	assert_row(f, 0, "pulling x                          2.0s");
	assert_row(f, 1, "#1 [1/3] RUN x                    ENDED");
	assert_row(f, 2, "pulling y                          2.0s");
	assert_row(f, 3, "   abc                          2B / 5B");
	assert_row(f, 4, "");
	end(f);
}

/* The terminal became narrower: it wrapped the rows of the region, which must go all the same. A
 * real one, because the size is asked from it. */
static void test_resize(void **state)
{
	struct winsize w = {.ws_col = 80, .ws_row = 24};
	struct ui_opts o = {.mode = UI_TTY, .log_lines = -1, .now_ms = fake_now, .manual = true};
	struct event e = {.kind = EVENT_STEP_START, .step = 1, .nsteps = 1, .text = "RUN x"};
	char text[1024];
	struct ui *u;
	int master;
	ssize_t n;

	(void)state;
	assert_int_equal(openpty(&master, &o.fd, NULL, NULL, &w), 0);
	u = ui_new(&o);
	ui_event(u, &e);
	ui_redraw(u);
	assert_true(read(master, text, sizeof text) > 79);
	ui_redraw(u);
	n = read(master, text, sizeof text - 1);
	assert_true(n > 0);
	assert_memory_equal(text, "\x1b[1A\r\x1b[J#1 [1/1] RUN x", 22);
	/* 79 columns on 30 are three rows. */
	w.ws_col = 30;
	assert_int_equal(ioctl(master, TIOCSWINSZ, &w), 0);
	ui_redraw(u);
	n = read(master, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "\x1b[3A\r\x1b[J#1 [1/1] RUN x           0.0s\r\n");
	ui_free(u);
	close(master);
	close(o.fd);
}

static void test_wide_and_cut(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_TEXT_MAX);
	assert_int_equal(text_add_cut(&b, "abcdef", 6, false, 4), 4);
	assert_string_equal(b.data, "abcd");
	buf_reset(&b);
	/* Two columns each; half of one is not shown. */
	assert_int_equal(text_add_cut(&b, "\xe4\xb8\xad\xe6\x96\x87", 6, false, 3), 2);
	assert_string_equal(b.data, "\xe4\xb8\xad");
	buf_reset(&b);
	assert_int_equal(text_add_cut(&b, "e\xcc\x81x", 4, false, 9), 2);
	buf_reset(&b);
	assert_int_equal(text_add_cut(&b, "a\tb", 3, false, 20), 9);
	assert_string_equal(b.data, "a       b");
	buf_reset(&b);
	/* A colour takes no column, and ends with the line. */
	assert_int_equal(text_add_cut(&b, "\x1b[31mred more", 13, true, 3), 3);
	assert_string_equal(b.data, "\x1b[31mred\x1b[0m");
	buf_reset(&b);
	assert_int_equal(text_add_cut(&b, "\x1b[2Jx", 5, true, 20), 8);
	assert_string_equal(b.data, "\\x1b[2Jx");
	buf_reset(&b);
	assert_int_equal(text_add_cut(&b, "", 0, true, 0), 0);
	buf_clear(&b);
}

static void test_seconds_and_bytes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_TEXT_MAX);
	text_add_seconds(&b, 0.04);
	buf_addc(&b, ' ');
	text_add_seconds(&b, -1);
	buf_addc(&b, ' ');
	text_add_seconds(&b, 59.94);
	buf_addc(&b, ' ');
	text_add_seconds(&b, 61);
	buf_addc(&b, ' ');
	text_add_seconds(&b, 7325);
	assert_string_equal(b.data, "0.0s 0.0s 59.9s 1m01s 2h02m");
	buf_reset(&b);
	ui_add_bytes(&b, 0);
	buf_addc(&b, ' ');
	ui_add_bytes(&b, 999);
	buf_addc(&b, ' ');
	ui_add_bytes(&b, 999960);
	buf_addc(&b, ' ');
	ui_add_bytes(&b, UINT64_MAX);
	assert_string_equal(b.data, "0B 999B 1.0MB 18446744.1TB");
	buf_clear(&b);
}

/* Only SGR gets through, and only with colour. */
static void test_hostile_output(void **state)
{
	static const char bad[] = "\x1b[31mred\x1b[1A\x1b]0;t\x07\x08\x7f\xc2\x9b"
				  "5n\x1b[?25l\n";

	(void)state;
	for (int color = 0; color < 2; color++) {
		struct fixture *f = begin(60, 24, color);

		emit(f, EVENT_STEP_START, 1, bad);
		emit(f, EVENT_STATUS, 0, bad);
		output(f, 1, bad);
		draw(f);
		assert_null(strstr(f->raw, "\x1b[1A"));
		assert_null(strstr(f->raw, "\x1b]"));
		assert_null(strstr(f->raw, "\x1b[?"));
		assert_int_equal(strstr(f->raw, "\x1b[31m") != NULL, color);
		emit(f, EVENT_STEP_FAILED, 1, bad);
		ui_finish(f->ui);
		feed_terminal(f); /* asserts on every control byte it does not know */
		end(f);
	}
}

/* The thread draws, and ends. */
static void test_thread(void **state)
{
	FILE *file = tmpfile();
	struct ui_opts o = {.mode = UI_TTY, .log_lines = 2, .columns = 40, .rows = 10};
	struct event e = {.kind = EVENT_STEP_START, .step = 1, .nsteps = 1, .text = "RUN x"};
	struct ui *u;
	char text[4096];
	ssize_t n;

	(void)state;
	assert_non_null(file);
	o.fd = fileno(file);
	u = ui_new(&o);
	ui_event(u, &e);
	e = (struct event){
		.kind = EVENT_STEP_OUTPUT, .step = 1, .stream = 2, .bytes = "a\nb\n", .len = 4};
	for (int i = 0; i < 1000; i++)
		ui_event(u, &e);
	e = (struct event){.kind = EVENT_STEP_DONE, .step = 1, .seconds = 0.5};
	ui_event(u, &e);
	ui_free(u);
	n = pread(fileno(file), text, sizeof text - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "DONE 0.5s\n"));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_parallel_steps_share_the_screen),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_two_statuses),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_wide_and_cut),
		cmocka_unit_test(test_seconds_and_bytes),
		cmocka_unit_test(test_hostile_output),
		cmocka_unit_test(test_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

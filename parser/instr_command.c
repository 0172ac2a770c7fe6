// SPDX-License-Identifier: Apache-2.0
/* Instructions that hold a command: shell form or exec form. */
#include "parser/instr.h"

#include <stdint.h>
#include <string.h>

#include "parser/ast.h"
#include "parser/build.h"
#include "parser/flags.h"
#include "parser/line.h"
#include "parser/mount.h"
#include "parser/words.h"

/* Exec form to words. WORDS_JSON_NOTSTRING has been reported. */
static enum words_json_result exec_form(
	struct build *b, struct line *line, struct slice args, struct word_list *out)
{
	struct words_list words;
	enum words_json_result json = words_json(args, b->arena, &words);

	if (json == WORDS_JSON_NO)
		return json;
	for (size_t i = 0; i < words.count; i++) {
		struct words_item *w = &words.items[i];
		struct word word = {w->text, line_span(line, slice_sub(args, w->off, w->len))};

		if (json == WORDS_JSON_YES && slice_has(word.text, '\0'))
			build_error(b, "exec-form", word.span,
				"a word of a command cannot contain a NUL character");
		if (json == WORDS_JSON_NOTSTRING && i + 1 == words.count)
			build_hint(b,
				build_error(b, "exec-form", word.span,
					"the exec form takes strings only"),
				"put it in double quotes");
		instr_push(b, out, word);
	}
	return json;
}

bool instr_command(struct build *b, struct line *line, struct slice args, struct ast_command *out)
{
	enum words_json_result json;

	out->text = slice_trim(args);
	out->span = line_span(line, out->text);
	json = exec_form(b, line, args, &out->words);
	out->json = json != WORDS_JSON_NO;
	if (!out->json)
		instr_warn_json(b, line, out->text);
	return json != WORDS_JSON_NOTSTRING;
}

bool instr_command_shell(
	struct build *b, struct line *line, struct slice args, struct word_list *out)
{
	enum words_json_result json = exec_form(b, line, args, out);

	if (json == WORDS_JSON_NO || (json == WORDS_JSON_YES && out->count == 0)) {
		struct diag *d = build_error(b, "shell", line_span(line, args),
			"SHELL needs the JSON form with at least one word");

		if (json == WORDS_JSON_NO && slice_starts(args, "["))
			instr_hint_json(b, d, args);
		else
			build_hint(b, d, "write SHELL [\"/bin/sh\", \"-c\"]");
		return false;
	}
	return json == WORDS_JSON_YES;
}

/* What the shell gets: the text followed by each body and its delimiter, or the body alone. */
static struct slice run_script(struct build *b, const struct ast_run *run)
{
	const struct ast_heredoc *only = ast_run_only_heredoc(run);
	size_t len = run->command.text.len;
	char *text, *at;

	if (only)
		return only->body;
	if (run->heredocs.count == 0)
		return run->command.text;
	for (size_t i = 0; i < run->heredocs.count; i++)
		len += 1 + run->heredocs.items[i].raw.len + run->heredocs.items[i].name.len;
	at = text = arena_alloc(b->arena, len + 1);
	at = mempcpy(at, run->command.text.ptr, run->command.text.len);
	for (size_t i = 0; i < run->heredocs.count; i++) {
		const struct ast_heredoc *h = &run->heredocs.items[i];

		*at++ = '\n';
		at = mempcpy(at, h->raw.ptr, h->raw.len);
		at = mempcpy(at, h->name.ptr, h->name.len);
	}
	return (struct slice){text, len};
}

static void parse_network(struct build *b, const struct flags *flags, struct ast_run *out)
{
	struct slice value;

	out->network_word = flags_get(flags, FLAGS_NETWORK);
	value = out->network_word.text;
	if (!value.ptr || slice_eq_str(value, "default"))
		out->network = AST_NETWORK_DEFAULT;
	else if (slice_eq_str(value, "none"))
		out->network = AST_NETWORK_NONE;
	else if (slice_eq_str(value, "host"))
		out->network = AST_NETWORK_HOST;
	else
		build_hint(b,
			build_error(b, "not-supported", out->network_word.span,
				"RUN --network=%.*s is not supported", BUILD_SHOWN(value)),
			"use default, none or host");
}

static void parse_security(struct build *b, const struct flags *flags, struct ast_run *out)
{
	struct slice value;

	out->security_word = flags_get(flags, FLAGS_SECURITY);
	value = out->security_word.text;
	if (!value.ptr || slice_eq_str(value, "sandbox"))
		out->security = AST_SECURITY_SANDBOX;
	else if (slice_eq_str(value, "insecure"))
		out->security = AST_SECURITY_INSECURE;
	else
		build_hint(b,
			build_error(b, "flag-value", out->security_word.span,
				"RUN --security=%.*s is not known", BUILD_SHOWN(value)),
			"use sandbox or insecure");
}

static void parse_timeout(struct build *b, struct ast_run *out)
{
	struct slice value = out->timeout.text;

	if (!value.ptr)
		return;
	if (!words_duration(value, &out->timeout_ns) || out->timeout_ns < 1000000)
		build_hint(b,
			build_error(b, "duration", out->timeout.span,
				"RUN --timeout: \"%.*s\" is no duration of at least 1ms",
				BUILD_SHOWN(value)),
			"a number and a unit: 500ms, 30s, 1m30s, 2h");
}

bool instr_command_run(
	struct build *b, struct line *line, const struct flags *flags, struct ast_run *out)
{
	bool ok = true;

	out->mounts = arena_array(b->arena, flags->count + 1, sizeof *out->mounts);
	for (size_t i = 0; i < flags->count; i++) {
		const struct flags_item *flag = &flags->items[i];

		if (flag->id == FLAGS_DEVICE)
			instr_push(b, &out->devices, flag->value);
		if (flag->id != FLAGS_MOUNT)
			continue;
		if (mount_parse(b, flag, &out->mounts[out->nmounts]))
			out->nmounts++;
		else
			ok = false;
	}
	parse_network(b, flags, out);
	parse_security(b, flags, out);
	out->no_cache_word = flags_get(flags, FLAGS_NO_CACHE);
	out->no_cache = slice_eq_str(out->no_cache_word.text, "true");
	out->timeout = flags_get(flags, FLAGS_TIMEOUT_RUN);
	parse_timeout(b, out);
	out->heredocs = line->heredocs;
	if (!instr_command(b, line, flags->rest, &out->command))
		return false;
	if (out->command.json && out->command.words.count == 0) {
		build_error(b, "missing-argument", out->command.span, "RUN needs a command");
		return false;
	}
	if (!out->command.json)
		out->script = run_script(b, out);
	return ok;
}

static void parse_duration(struct build *b, const struct flags *flags, enum flags_id id,
	const char *name, int64_t *out)
{
	struct word w = flags_get(flags, id);

	if (!w.text.ptr)
		return;
	if (!words_duration(w.text, out))
		build_hint(b,
			build_error(b, "duration", w.span,
				"HEALTHCHECK --%s: \"%.*s\" is no duration", name,
				BUILD_SHOWN(w.text)),
			"a number and a unit: 500ms, 30s, 1m30s, 2h");
	else if (*out < 0 || (*out > 0 && *out < 1000000))
		build_error(b, "duration", w.span,
			"HEALTHCHECK --%s must be 0 or at least 1ms, not %.*s", name,
			BUILD_SHOWN(w.text));
}

bool instr_command_healthcheck(
	struct build *b, struct line *line, const struct flags *flags, struct ast_healthcheck *out)
{
	struct word retries = flags_get(flags, FLAGS_RETRIES);
	struct line inner = *line;
	uint64_t n;

	parse_duration(b, flags, FLAGS_INTERVAL, "interval", &out->interval_ns);
	parse_duration(b, flags, FLAGS_TIMEOUT, "timeout", &out->timeout_ns);
	parse_duration(b, flags, FLAGS_START_PERIOD, "start-period", &out->start_period_ns);
	parse_duration(b, flags, FLAGS_START_INTERVAL, "start-interval", &out->start_interval_ns);
	if (retries.text.ptr) {
		if (words_number(retries.text, 10, INT32_MAX, &n))
			out->retries = (int64_t)n;
		else
			build_error(b, "number", retries.span,
				"HEALTHCHECK --retries takes a number of at least 0, not \"%.*s\"",
				BUILD_SHOWN(retries.text));
	}
	inner.text = flags->rest;
	line_split(&inner);
	if (slice_eq_nocase(inner.name, "NONE")) {
		out->none = true;
		if (inner.rest.len)
			build_error(b, "healthcheck", line_span(line, inner.rest),
				"HEALTHCHECK NONE takes no arguments");
		return inner.rest.len == 0;
	}
	if (!slice_eq_nocase(inner.name, "CMD")) {
		build_hint(b,
			build_error(b, "healthcheck", line_span(line, inner.name),
				"HEALTHCHECK takes CMD or NONE, not \"%.*s\"",
				BUILD_SHOWN(inner.name)),
			"write HEALTHCHECK [FLAGS] CMD command");
		return false;
	}
	if (inner.rest.len && !instr_command(b, line, inner.rest, &out->command))
		return false;
	if (inner.rest.len == 0 || (out->command.json && out->command.words.count == 0)) {
		build_error(b, "healthcheck", line_span(line, inner.name),
			"HEALTHCHECK CMD needs a command");
		return false;
	}
	return true;
}

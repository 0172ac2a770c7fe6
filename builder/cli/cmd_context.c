// SPDX-License-Identifier: Apache-2.0
/* bld context: what a build would find in its context. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cli/show.h"
#include "builder/input/context.h"
#include "builder/input/contextlook.h"
#include "builder/input/contextspec.h"
#include "builder/plan/dferr.h"
#include "builder/ui/ui.h"
#include "parser/dockerfile.h"
#include "parser/ignore.h"
#include "parser/source.h"
#include "parser/words.h"
#include "store/base/mem.h"

#define TOP_DEFAULT 10
#define TOP_MAX     100000
#define FLUSH_AT    ((size_t)1 << 20)

struct opts {
	const char *file;
	const char *ignorefile;
	const char *top;
	const char *format;
	bool ignored;
	bool unused;
};

#define AT(field) offsetof(struct opts, field)

static const struct cli_option options[] = {
	{"file", 'f', CLI_STRING, AT(file), "FILE", NULL,
		"the Dockerfile (default: Dockerfile or Containerfile in the context)"},
	{"ignorefile", 0, CLI_STRING, AT(ignorefile), "FILE", NULL,
		"what the context does not contain, instead of its own ignore file"},
	{"top", 0, CLI_STRING, AT(top), "N", NULL, "list the N largest files (default: 10)"},
	{"ignored", 0, CLI_FLAG, AT(ignored), NULL, NULL,
		"list what is excluded, and by which rule"},
	{"unused", 0, CLI_FLAG, AT(unused), NULL, NULL,
		"list the files that no COPY, ADD or bind mount of the Dockerfile takes"},
	{"format", 0, CLI_CHOICE, AT(format), "text|json", NULL, "of the output (default: text)"},
	{0},
};

static const char details[] =
	"CONTEXT is the directory that would be built (default: the current one). Only\n"
	"names and sizes are read. Rules that decide about no file are named.\n"
	"\n"
	"Examples:\n"
	"  bld context --top 3\n"
	"  bld context --ignored --unused -f build/Dockerfile .\n";

struct view {
	const struct contextlook *l;
	const struct context *c;
	const struct contextlook_file **largest; /* owned */
	size_t nlargest;
	const struct opts *o;
};

static int by_size(const void *a, const void *b)
{
	const struct contextlook_file *x = *(const struct contextlook_file *const *)a;
	const struct contextlook_file *y = *(const struct contextlook_file *const *)b;

	return x->size != y->size ? (x->size < y->size ? 1 : -1) : strcmp(x->path, y->path);
}

static void find_largest(struct view *v, size_t top)
{
	v->largest = mem_array(v->l->n + 1, sizeof *v->largest);
	for (size_t i = 0; i < v->l->n; i++)
		if (!v->l->v[i].line)
			v->largest[v->nlargest++] = &v->l->v[i];
	if (v->nlargest)
		qsort(v->largest, v->nlargest, sizeof *v->largest, by_size);
	if (v->nlargest > top)
		v->nlargest = top;
}

/* --- text ------------------------------------------------------------------------------------- */

static void cmd_context_end_line(struct buf *b)
{
	buf_addc(b, '\n');
	if (b->len < FLUSH_AT)
		return;
	fwrite(b->data, 1, b->len, stdout);
	buf_reset(b);
}

/* Names may hold newlines and tabs too. */
static void cmd_context_add_name(struct buf *b, const char *name)
{
	buf_add_escaped(b, name, strlen(name), false);
}

static void text_files(const struct view *v, struct buf *b)
{
	if (v->nlargest)
		buf_adds(b, "\nlargest files\n");
	for (size_t i = 0; i < v->nlargest; i++) {
		buf_adds(b, "  ");
		ui_add_bytes(b, v->largest[i]->size);
		buf_adds(b, "  ");
		cmd_context_add_name(b, v->largest[i]->path);
		cmd_context_end_line(b);
	}
	if (v->o->ignored && v->l->nignored)
		buf_adds(b, "\nexcluded\n");
	for (size_t i = 0; v->o->ignored && i < v->l->n; i++) {
		const struct contextlook_file *f = &v->l->v[i];
		if (!f->line)
			continue;
		buf_adds(b, "  ");
		cmd_context_add_name(b, f->path);
		buf_addf(b, "%s  ", f->dir ? "/" : "");
		cmd_context_add_name(b, v->c->ignore.name);
		buf_addf(b, ":%zu", f->line);
		cmd_context_end_line(b);
	}
}

static void text_unused(const struct view *v, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < v->l->n; i++) {
		const struct contextlook_file *f = &v->l->v[i];
		if (f->line || f->used)
			continue;
		buf_adds(b, any ? "  " : "\nnot used by the Dockerfile\n  ");
		any = true;
		cmd_context_add_name(b, f->path);
		cmd_context_end_line(b);
	}
}

static void text_idle(const struct view *v, struct buf *b)
{
	if (v->l->nidle)
		buf_adds(b, "\nrules that decide nothing\n");
	for (size_t i = 0; i < v->l->nidle; i++) {
		struct slice s =
			slice_trim(source_line(ignore_source(v->c->ignore.rules), v->l->idle[i]));
		buf_adds(b, "  ");
		cmd_context_add_name(b, v->c->ignore.name);
		buf_addf(b, ":%zu  ", v->l->idle[i]);
		buf_add_escaped(b, s.ptr, s.len, false);
		buf_addc(b, '\n');
	}
}

static void cmd_context_print_text(const struct view *v)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	buf_adds(&b, "ignore file  ");
	cmd_context_add_name(&b, v->c->ignore.name ? v->c->ignore.name : "none");
	buf_addf(&b, "\nfiles        %zu\nsize         ", v->l->nfiles);
	ui_add_bytes(&b, v->l->bytes);
	buf_addf(&b, "\nexcluded     %zu\n", v->l->nignored);
	text_files(v, &b);
	if (v->o->unused)
		text_unused(v, &b);
	text_idle(v, &b);
	fwrite(b.data, 1, b.len, stdout);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_file(struct show_json *j, const struct contextlook_file *f)
{
	show_json_open(j, NULL, '{');
	show_json_string(j, "path", f->path);
	if (f->line)
		show_json_number(j, "line", f->line);
	if (f->dir)
		show_json_bool(j, "directory", true);
	else
		show_json_number(j, "size", f->size);
	show_json_close(j, '}');
}

static void cmd_context_print_json(const struct view *v)
{
	auto_show_json struct show_json j;

	show_json_init(&j);
	show_json_open(&j, NULL, '{');
	show_json_string(&j, "ignoreFile", v->c->ignore.name);
	show_json_number(&j, "files", v->l->nfiles);
	show_json_number(&j, "bytes", v->l->bytes);
	show_json_number(&j, "excluded", v->l->nignored);
	show_json_open(&j, "largest", '[');
	for (size_t i = 0; i < v->nlargest; i++)
		json_file(&j, v->largest[i]);
	show_json_close(&j, ']');
	if (v->o->ignored) {
		show_json_open(&j, "ignored", '[');
		for (size_t i = 0; i < v->l->n; i++)
			if (v->l->v[i].line)
				json_file(&j, &v->l->v[i]);
		show_json_close(&j, ']');
	}
	if (v->o->unused) {
		show_json_open(&j, "unused", '[');
		for (size_t i = 0; i < v->l->n; i++)
			if (!v->l->v[i].line && !v->l->v[i].used)
				json_file(&j, &v->l->v[i]);
		show_json_close(&j, ']');
	}
	show_json_open(&j, "idleRules", '[');
	for (size_t i = 0; i < v->l->nidle; i++)
		show_json_number(&j, NULL, v->l->idle[i]);
	show_json_close(&j, ']');
	show_json_close(&j, '}');
	show_json_print(&j);
}

/* --- the command ------------------------------------------------------------------------------ */

static int cmd_context_show(const struct context *c, const struct dockerfile *df,
	const struct opts *o, size_t top, struct err **err)
{
	struct contextlook l;
	struct view v = {.l = &l, .c = c, .o = o};
	int r = contextlook_make(c, df, &l, err);

	if (r == 0) {
		find_largest(&v, top);
		if (o->format && strcmp(o->format, "json") == 0)
			cmd_context_print_json(&v);
		else
			cmd_context_print_text(&v);
	}
	free(v.largest);
	contextlook_clear(&l);
	return r;
}

static int cmd_context_run(
	struct cli *c, void *opts, const struct strlist *operands, struct err **err)
{
	const struct opts *o = opts;
	struct context_set set = {.main = {.dir_fd = -1}};
	struct strlist none = {0};
	struct dockerfile *df = NULL;
	struct context_opts q = {.dockerfile = o->file,
		.context = operands->n ? operands->v[0] : ".",
		.ignorefile = o->ignorefile,
		.named = &none};
	struct fetchenv e = {.proxies = &none, .cancelled = c->cancelled};
	CLEANUP(contextspec_clear) struct contextspec spec = {0};
	uint64_t top = TOP_DEFAULT;

	if (o->top && !words_number(slice_of(o->top), 10, TOP_MAX, &top))
		return err_set(err, ERR_USAGE, "--top: \"%s\" is not a number from 0 to %d", o->top,
			TOP_MAX);
	if (contextspec_parse(q.context, false, &spec, err) < 0)
		return -1;
	if (spec.kind != CONTEXTSPEC_DIR)
		return err_set(err, ERR_USAGE,
			"CONTEXT is a directory: what comes as bytes has no "
			"ignore rules");
	if (context_open(&q, &e, &set, &df, err) < 0)
		return -1;
	int r = cmd_context_show(&set.main, df, o, (size_t)top, err);
	dockerfile_free(df);
	context_close(&set);
	return r;
}

const struct cli_command cli_context = {
	.name = "context",
	.operands = "[CONTEXT]",
	.summary = "Show what a build context holds",
	.details = details,
	.options = options,
	.opts_size = sizeof(struct opts),
	.max_operands = 1,
	.run = cmd_context_run,
};

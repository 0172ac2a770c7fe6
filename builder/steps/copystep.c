// SPDX-License-Identifier: Apache-2.0
/*
 * COPY and ADD: words are expanded, the origin is opened, sources are fetched; then the layer is
 * looked up, first by where the files come from, then by what is in them, or made by builder/copy
 * and committed. The state of the stage is changed last, when the layer is there.
 */
#include "builder/steps/copystep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/cache/flight.h"
#include "builder/cache/keyparts.h"
#include "builder/cache/record.h"
#include "builder/cache/stagelowers.h"
#include "builder/copy/copy.h"
#include "builder/explain/explain.h"
#include "builder/image/history.h"
#include "builder/image/userdb.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/plan/fromref.h"
#include "builder/plan/plan.h"
#include "builder/plan/scope.h"
#include "builder/state.h"
#include "builder/steps/addsource.h"
#include "builder/steps/copyopts.h"
#include "parser/ast.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/cache.h"
#include "store/store.h"
#include "store/tree/tree.h"

/* One COPY or ADD on its way. */
struct work {
	struct job *j;
	const struct step *sp;
	const struct ast_copy *ast;
	struct word from; /* without variables */
	struct origin origin;
	struct strlist sources;    /* expanded, in order; owned */
	struct addsources fetched; /* what some of the items are; owned */
	struct copy_item *items;   /* owned */
	size_t nitems;
	const char *dest; /* expanded */
	struct copyopts opts;
	struct copy_selection *selection; /* made when the content is needed; owned */
	struct digest key;                /* by content */
	struct digest shape;
	bool late_key;         /* the key is made after the layer, */
	struct keyparts parts; /* of which the first half is here meanwhile */
};

static void copystep_work_clear(struct work *w)
{
	copy_selection_free(w->selection);
	addsource_clear(&w->fetched);
	strlist_clear(&w->sources);
	free(w->items);
	copyopts_clear(&w->opts);
}

/* What the parser checks of words without $ holds after expansion too. */
static int copystep_check_source(
	const struct work *w, const struct word *word, const char *text, struct err **err)
{
	struct slice s = slice_of(text);

	if (w->sp->ins->keyword == AST_ADD || (!ast_is_git_url(s) && !ast_is_http_url(s)))
		return 0;
	return dferr_at(err, ERR_SYNTAX, w->sp->df, word->span, "ADD fetches URLs",
		"COPY cannot copy from a URL");
}

static int expand_items(struct work *w, struct err **err)
{
	struct scope *scope = &w->sp->st->scope;
	const struct dockerfile *df = w->sp->df;

	w->items = mem_array(w->ast->sources.count + w->ast->inlines.count + 1, sizeof *w->items);
	for (size_t i = 0; i < w->ast->sources.count; i++) {
		const struct word *word = &w->ast->sources.items[i];
		const char *text = scope_expand(scope, df, word, err);
		if (!text)
			return -1;
		if (copystep_check_source(w, word, text, err) < 0)
			return -1;
		strlist_add(&w->sources, text);
		w->items[w->nitems++] = (struct copy_item){
			.kind = COPY_ITEM_PATH,
			.text = w->sources.v[w->sources.n - 1],
		};
	}
	for (size_t i = 0; i < w->ast->inlines.count; i++) {
		const struct ast_heredoc *h = &w->ast->inlines.items[i];
		struct slice body;
		if (scope_expand_body(scope, df, h, &body, err) < 0)
			return -1;
		strlist_add_take(&w->sources, mem_strndup(h->name.ptr, h->name.len));
		w->items[w->nitems++] = (struct copy_item){
			.kind = COPY_ITEM_INLINE,
			.text = w->sources.v[w->sources.n - 1],
			.data = body.ptr,
			.len = body.len,
		};
	}
	return 0;
}

/* As --explain shows what is copied. */
static char *sources_text(const struct work *w)
{
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = 0; i < w->sources.n; i++) {
		auto_free char *shown = addsource_shown(w->sources.v[i]);
		buf_addf(&b, "%s%s", i ? " " : "", shown);
	}
	return buf_take(&b);
}

/* What the step is, apart from where the bytes come from. */
static void part_step(const struct work *w, struct keyparts *k)
{
	const struct copyopts *o = &w->opts;
	bool relative = w->dest[0] != '/';
	struct slice unpack = w->ast->unpack.text;
	auto_free char *sources = k->facts ? sources_text(w) : NULL;

	keyparts_text(k, "instruction", ast_keyword_name(w->sp->ins->keyword));
	keyparts_text(k, "destination", w->dest);
	sha256_field_str(keyparts_part(k, KEYPART_VALUE, "WORKDIR",
				 relative ? state_workdir(w->sp->st) : "/"),
		relative ? state_workdir(w->sp->st) : NULL);
	sha256_field_str(
		keyparts_part(k, KEYPART_VALUE, "--chown", o->chown ? o->chown : "none"), o->chown);
	/* A symbolic one is fed with the other flags. */
	sha256_field_u64(keyparts_part(k, KEYPART_VALUE, "--chmod", o->chmod ? o->chmod : "none"),
		o->chmod && o->mode.octal ? 1 + o->mode.value : 0);
	sha256_field_u64(keyparts_part(k, KEYPART_INSTRUCTION, "sources", sources), w->nitems);
	auto_free char *shown = unpack.ptr ? mem_strndup(unpack.ptr, unpack.len) : NULL;
	struct sha256 *h = keyparts_part(k, KEYPART_VALUE, "--unpack", shown ? shown : "not given");
	if (unpack.ptr)
		sha256_field_u64(h, slice_eq_str(unpack, "true"));
	copyopts_parts(o, k);
}

/* With --link what is below does not count. */
static void begin_key(const struct work *w, struct keyparts *k, struct buf *facts, const char *kind)
{
	keyparts_begin(k, facts, w->opts.link ? NULL : &w->sp->st->key, kind);
	/* The flags' part shows it. */
	if (w->opts.link)
		sha256_field_str(keyparts_implied(k), "link");
}

/* Key by where: the source stage's key and the paths in it. Not for contexts: nothing vouches for
 * them. It is for looking up only: what ran is explained by content. */
static bool key_by_origin(const struct work *w, struct digest *out)
{
	struct keyparts k;

	if (!w->origin.state)
		return false;
	for (size_t i = 0; i < w->nitems; i++)
		if (w->items[i].kind != COPY_ITEM_PATH)
			return false;
	begin_key(w, &k, NULL, "COPY by origin");
	part_step(w, &k);
	keyparts_digest(&k, "the stage", &w->origin.state->key);
	cachekey_list(keyparts_implied(&k), &w->sources);
	keyparts_end(&k, out);
	return true;
}

static int select_sources(struct work *w, struct err **err)
{
	struct copy_request q = {
		.items = w->items,
		.nitems = w->nitems,
		.unpack = w->sp->ins->keyword == AST_ADD &&
			  !slice_eq_str(w->ast->unpack.text, "false"),
		.tmp_dir_fd = store_spool_fd(w->j->session.s),
		.cancelled = stop_flag(&w->j->session.stop),
	};
	size_t bad = SIZE_MAX;
	bool needs_root = false;

	for (size_t i = 0; i < w->nitems; i++)
		needs_root = needs_root || w->items[i].kind == COPY_ITEM_PATH;

	q.root.dir_fd = -1;
	if (needs_root && origin_root(w->j, &w->origin, &q.root, err) < 0)
		return dferr_locate(err, w->sp->df, w->sp->ins->keyword_span);
	copyopts_request(&w->opts, &q);
	w->selection = copy_select(&q, &bad, err);
	if (w->selection)
		return 0;
	bool at_word = bad < w->ast->sources.count;
	return dferr_locate(err, w->sp->df,
		at_word ? w->ast->sources.items[bad].span : w->sp->ins->keyword_span);
}

/*
 * The shape of a step is its key without the content. A record of it is written in front of the
 * first one of the step itself; where there is none, no content can be in the cache, and the
 * sources need not be hashed before they are written.
 */
static void make_shape(struct work *w)
{
	struct keyparts k;

	begin_key(w, &k, NULL, "COPY shape");
	part_step(w, &k);
	keyparts_end(&k, &w->shape);
}

static int shape_seen(const struct work *w, struct err **err)
{
	auto_free char *value = NULL;

	return w->sp->no_cache ? 0 : cache_find(w->j->session.s, &w->shape, &value, NULL, err);
}

/* What is copied, by name. */
static void note_content(struct work *w, struct keyparts *k, const struct digest *content)
{
	auto_free const char **names = mem_array(w->nitems + 1, sizeof *names);
	auto_strlist struct strlist shown = {0};
	auto_free char *prefix =
		w->from.text.ptr ? mem_printf("COPY --from=%.*s: %s", SLICE_ARG(w->from.text),
					   w->origin.state ? "/" : "")
				 : mem_strdup("");

	for (size_t i = 0; i < w->nitems && i < w->sources.n; i++) {
		strlist_add_take(&shown, addsource_shown(w->sources.v[i]));
		if (w->items[i].kind != COPY_ITEM_PATH)
			names[i] = shown.v[i];
	}
	explain_files(w->j, k->facts, prefix, w->selection, content, names, w->nitems);
	if (w->origin.state)
		explain_origin(k, w->j, prefix, w->origin.state);
}

/* Reads what is not known of the sources. */
static int part_content(struct work *w, struct keyparts *k, struct err **err)
{
	struct digest content;

	if (copy_digest(w->selection, &content, err) < 0)
		return dferr_locate(err, w->sp->df, w->sp->ins->keyword_span);
	if (k->facts)
		note_content(w, k, &content);
	keyparts_digest(k, "hard links between the files", &content);
	return 0;
}

static int key_by_content(struct work *w, struct buf *facts, struct digest *out, struct err **err)
{
	struct keyparts k;

	begin_key(w, &k, facts, "COPY by content");
	part_step(w, &k);
	if (part_content(w, &k, err) < 0)
		return -1;
	keyparts_end(&k, out);
	return 0;
}

/* The step begins. What is copied is known where the key is by content; else it comes with the key,
 * when the layer is there (finish_copy). */
static int explain_copy(struct work *w, struct err **err)
{
	struct digest key;
	struct buf facts;

	buf_init(&facts, BUF_TEXT_MAX);
	if (w->late_key) {
		begin_key(w, &w->parts, &facts, "COPY by content");
		part_step(w, &w->parts);
	} else if (key_by_content(w, &facts, &key, err) < 0) {
		buf_clear(&facts);
		return -1;
	}
	explain_runs(w->j, w->sp, w->late_key ? NULL : &w->key, &facts);
	return 0;
}

static int finish_copy(struct work *w, struct err **err)
{
	struct buf facts;

	if (w->late_key) {
		buf_init(&facts, BUF_TEXT_MAX);
		w->parts.facts = &facts;
		if (part_content(w, &w->parts, err) < 0) {
			buf_clear(&facts);
			return -1;
		}
		keyparts_end(&w->parts, &w->key);
		explain_adds(w->j, w->sp, &facts);
	}
	return cache_put(w->j->session.s, &w->shape, "shape\n", 6, err);
}

static int execute_copy(struct work *w, struct record *out, struct err **err)
{
	auto_layer_tree struct layer_tree *empty = w->opts.link ? layer_tree_new() : NULL;
	const struct layer_tree *below =
		empty ? empty : state_tree(w->sp->st, w->j->session.s, err);
	struct copy_dest d = {
		.path = w->dest,
		.workdir = state_workdir(w->sp->st),
		.now = now_seconds(),
	};

	if (explain_copy(w, err) < 0 || !below)
		return -1;
	/* A hard link in an archive may take the content of a file below. */
	if (!empty && w->sp->ins->keyword == AST_ADD && state_settle(w->sp->st, err) < 0)
		return -1;
	if (copyopts_dest(&w->opts, w->sp, below, &d, err) < 0)
		return -1;
	auto_copy_placed struct copy_placed *p = copy_place(w->selection, &d, err);
	if (!p)
		return dferr_locate(err, w->sp->df, w->ast->dest.span);
	if (commit_copy(w->j->session.s, p, out, err) < 0)
		return dferr_locate(err, w->sp->df, w->sp->ins->keyword_span);
	return finish_copy(w, err);
}

static char *copy_history(const struct work *w)
{
	auto_buf struct buf b = {0};

	buf_init(&b, BUF_TEXT_MAX);
	buf_adds(&b, ast_keyword_name(w->sp->ins->keyword));
	if (w->from.text.ptr)
		buf_addf(&b, " --from=%.*s", SLICE_ARG(w->from.text));
	copyopts_history(&w->opts, &b);
	for (size_t i = 0; i < w->sources.n; i++) {
		auto_free char *shown = addsource_shown(w->sources.v[i]);
		const char *mark = w->items[i].kind == COPY_ITEM_INLINE ? "<<" : "";
		buf_addf(&b, " %s%s", mark, shown);
	}
	buf_addf(&b, " %s", w->dest);
	return buf_take(&b);
}

/* 0 the step has begun without a key, since nothing can be found; 1 it has to be looked up; -1. */
static int begin_late_key(struct work *w, struct flight *f, struct err **err)
{
	int seen = shape_seen(w, err);

	if (seen)
		return seen;
	if (flight_wait(f, &w->shape, err) < 0)
		return -1;
	seen = shape_seen(w, err);
	if (seen) {
		flight_drop(f);
		return seen;
	}
	w->late_key = true;
	return flight_start(f, err);
}

/* In one pass where nothing can be found, else by key. */
static int by_content(struct work *w, struct record *r, struct err **err)
{
	struct flight f = {.se = &w->j->session, .sp = w->sp, .key = &w->key};
	int found = 1;

	if (select_sources(w, err) < 0)
		return -1;
	make_shape(w);
	if (copy_at_once(w->selection) && copy_unread(w->selection))
		found = begin_late_key(w, &f, err);
	if (found > 0)
		found = key_by_content(w, NULL, &w->key, err) < 0 ? -1 : flight_begin(&f, r, err);
	if (found)
		return found < 0 ? -1 : 0;
	return flight_end(&f, r, execute_copy(w, r, err), err);
}

/* Steps behind depend on what is below too. */
static struct digest key_on_top(const struct work *w, const struct digest *linked)
{
	struct digest key;
	struct sha256 h;

	cachekey_begin(&h, &w->sp->st->key, "COPY link");
	cachekey_digest(&h, linked);
	sha256_final(&h, &key);
	return key;
}

static int run_copy(struct work *w, struct err **err)
{
	struct digest by_origin;
	struct record r = {0};
	struct flight f = {.se = &w->j->session, .sp = w->sp, .key = &by_origin};
	bool has_origin = key_by_origin(w, &by_origin);
	int found = has_origin && !w->origin.renewed ? flight_lookup(&f, &r, err) : 0;

	if (found < 0)
		return -1;
	if (!found) {
		if (by_content(w, &r, err) < 0)
			return -1;
		/* Steps behind build on the content, whichever way the layer is found next time. */
		r.key = w->key;
		if (has_origin && record_put(w->j->session.s, &by_origin, &r, err) < 0)
			return -1;
	}
	auto_free char *text = copy_history(w);
	struct digest key = w->opts.link ? key_on_top(w, &r.key) : r.key;
	explain_done(w->j, w->sp, &r.key);
	commit_to_state(w->sp->st, &r, &key, text);
	return stagelowers_keep_up(&w->j->session, w->sp->st, err);
}

int copystep_copy(struct job *j, const struct step *sp, struct err **err)
{
	struct work w = {.j = j, .sp = sp, .ast = &sp->ins->copy};
	struct plan_from from;

	if (fromref_word(&j->plan, &sp->st->scope, sp->df, &w.ast->from, &w.from, err) < 0 ||
		plan_resolve_from(&j->plan, sp->df, &j->contexts.names, sp->stage, &w.from, true,
			&from, NULL, err) < 0)
		return -1;
	if (origin_open(j, &from, &w.origin, err) < 0)
		return dferr_locate(err, sp->df, w.ast->from.span);
	int r = expand_items(&w, err);
	if (r == 0) {
		w.dest = scope_expand(&sp->st->scope, sp->df, &w.ast->dest, err);
		r = w.dest ? copyopts_expand(sp, &w.opts, err) : -1;
	}
	if (r == 0)
		r = addsource_fetch(&j->session, sp, w.dest, w.items, &w.fetched, err);
	if (r == 0)
		r = run_copy(&w, err);
	copystep_work_clear(&w);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
#include "builder/steps/copystep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/cache/flight.h"
#include "builder/cache/stagelowers.h"
#include "builder/copy/copy.h"
#include "builder/explain/explain.h"
#include "builder/image/history.h"
#include "builder/image/userdb.h"
#include "builder/origin.h"
#include "builder/plan/dferr.h"
#include "builder/plan/fromref.h"
#include "builder/steps/addsource.h"
#include "builder/steps/copyopts.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/cache.h"

char *copystep_join(const char *base, const char *path)
{
	auto_free char *both = path[0] == '/' ? mem_strdup(path) : mem_printf("%s/%s", base, path);
	char *out = mem_alloc(strlen(both) + 2);
	size_t n = 0;

	for (const char *p = both; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (len == 0)
			break;
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			while (n && out[--n] != '/')
				;
		} else if (!(len == 1 && p[0] == '.')) {
			out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

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
	bool blind; /* the key is made after the layer */
};

static void work_clear(struct work *w)
{
	copy_selection_free(w->selection);
	addsource_clear(&w->fetched);
	strlist_clear(&w->sources);
	free(w->items);
	copyopts_clear(&w->opts);
}

/* What the parser checks of words without $ holds after expansion too. */
static int check_source(
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
		if (check_source(w, word, text, err) < 0)
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

/* What the step is, apart from where the bytes come from. */
static void feed_step(const struct work *w, struct sha256 *h)
{
	bool relative = w->dest[0] != '/';

	sha256_field_str(h, ast_keyword_name(w->sp->ins->keyword));
	sha256_field_str(h, w->dest);
	sha256_field_str(h, relative ? state_workdir(w->sp->st) : NULL);
	sha256_field_str(h, w->opts.chown);
	sha256_field_u64(h, w->opts.chmod && w->opts.mode.octal ? 1 + w->opts.mode.value : 0);
	sha256_field_u64(h, w->nitems);
	if (w->ast->unpack.text.ptr)
		sha256_field_u64(h, slice_eq_str(w->ast->unpack.text, "true"));
	copyopts_feed(&w->opts, h);
}

/* With --link what is below does not count. */
static void begin_key(const struct work *w, struct sha256 *h, const char *kind)
{
	static const struct digest none;

	cachekey_begin(h, w->opts.link ? &none : &w->sp->st->key, kind);
	if (w->opts.link)
		sha256_field_str(h, "link");
}

/* Key by where: the source stage's key and the paths in it. Not for contexts: nothing vouches for
 * them. */
static bool key_by_origin(const struct work *w, struct digest *out)
{
	struct sha256 h;

	if (!w->origin.state)
		return false;
	for (size_t i = 0; i < w->nitems; i++)
		if (w->items[i].kind != COPY_ITEM_PATH)
			return false;
	begin_key(w, &h, "COPY by origin");
	feed_step(w, &h);
	cachekey_digest(&h, &w->origin.state->key);
	cachekey_list(&h, &w->sources);
	sha256_final(&h, out);
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

/* Reads what is not known of the sources. */
static int key_by_content(struct work *w, struct err **err)
{
	struct digest content;
	struct sha256 h;

	if (copy_digest(w->selection, &content, err) < 0)
		return dferr_locate(err, w->sp->df, w->sp->ins->keyword_span);
	begin_key(w, &h, "COPY by content");
	feed_step(w, &h);
	cachekey_digest(&h, &content);
	sha256_final(&h, &w->key);
	return 0;
}

/*
 * The shape of a step is its key without the content. A record of it is written in front of the
 * first one of the step itself; where there is none, no content can be in the cache, and the
 * sources need not be hashed before they are written.
 */
static void make_shape(struct work *w)
{
	struct sha256 h;

	begin_key(w, &h, "COPY shape");
	feed_step(w, &h);
	sha256_final(&h, &w->shape);
}

static int shape_seen(void *ctx, struct err **err)
{
	const struct work *w = ctx;
	auto_free char *value = NULL;

	return w->sp->no_cache ? 0 : cache_find(w->j->session.s, &w->shape, &value, NULL, err);
}

/* What is copied, by name: known before the step runs where the key is by content. */
static void explain_content(struct work *w, struct buf *facts)
{
	auto_free const char **names = mem_array(w->nitems + 1, sizeof *names);
	auto_strlist struct strlist shown = {0};
	auto_free char *prefix =
		w->from.text.ptr ? mem_printf("COPY --from=%.*s: %s", SLICE_ARG(w->from.text),
					   w->origin.state ? "/" : "")
				 : mem_strdup("");
	struct digest content;

	if (copy_digest(w->selection, &content, NULL) < 0)
		return;
	for (size_t i = 0; i < w->nitems && i < w->sources.n; i++) {
		strlist_add_take(&shown, addsource_shown(w->sources.v[i]));
		if (w->items[i].kind != COPY_ITEM_PATH)
			names[i] = shown.v[i];
	}
	explain_files(w->j, facts, prefix, w->selection, &content, names, w->nitems);
	if (w->origin.state)
		explain_origin(facts, w->j, prefix, w->origin.state);
	explain_diff_add_digest(facts, EXPLAIN_LAST, "hard links between the files", &content);
}

static void explain_copy(struct work *w)
{
	auto_buf struct buf text, flags;
	struct buf facts;

	buf_init(&text, BUF_TEXT_MAX);
	buf_init(&flags, BUF_TEXT_MAX);
	copyopts_history(&w->opts, &flags);
	for (size_t i = 0; i < w->sources.n; i++) {
		auto_free char *shown = addsource_shown(w->sources.v[i]);
		buf_addf(&text, "%s%s", i ? " " : "", shown);
	}
	/* With --link what is below does not count. */
	if (w->opts.link)
		buf_init(&facts, BUF_TEXT_MAX);
	else
		explain_begin(&facts, w->sp);
	explain_diff_add(&facts, EXPLAIN_VALUE, "destination", w->dest);
	explain_diff_add(&facts, EXPLAIN_VALUE, "WORKDIR",
		w->dest[0] == '/' ? "/" : state_workdir(w->sp->st));
	explain_diff_add(&facts, EXPLAIN_VALUE, "--chown", w->opts.chown ? w->opts.chown : "none");
	explain_diff_add(&facts, EXPLAIN_VALUE, "--chmod", w->opts.chmod ? w->opts.chmod : "none");
	explain_diff_add(&facts, EXPLAIN_VALUE, "flags", flags.data);
	explain_diff_add(&facts, EXPLAIN_INSTRUCTION, "sources", text.data);
	if (!w->blind)
		explain_content(w, &facts);
	explain_runs(w->j, w->sp, w->blind ? NULL : &w->key, &facts);
}

static int finish_copy(struct work *w, struct err **err)
{
	struct buf facts;

	if (w->blind) {
		if (key_by_content(w, err) < 0)
			return -1;
		buf_init(&facts, BUF_TEXT_MAX);
		explain_content(w, &facts);
		explain_adds(w->j, w->sp, &facts);
	}
	return cache_put(w->j->session.s, &w->shape, "shape\n", 6, err);
}

static int execute_copy(void *ctx, struct record *out, struct err **err)
{
	struct work *w = ctx;
	auto_layer_tree struct layer_tree *empty = w->opts.link ? layer_tree_new() : NULL;
	const struct layer_tree *below =
		empty ? empty : state_tree(w->sp->st, w->j->session.s, err);
	struct copy_dest d = {
		.path = w->dest,
		.workdir = state_workdir(w->sp->st),
		.now = now_seconds(),
	};

	explain_copy(w);
	if (!below)
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

/* In one pass where nothing can be found, else by key. */
static int by_content(struct work *w, struct record *r, struct err **err)
{
	struct flight f = {.se = &w->j->session,
		.sp = w->sp,
		.key = &w->key,
		.execute = execute_copy,
		.ctx = w};

	if (select_sources(w, err) < 0)
		return -1;
	make_shape(w);
	if (copy_at_once(w->selection) && copy_unread(w->selection)) {
		int done = shape_seen(w, err);
		w->blind = done == 0;
		if (w->blind)
			done = flight_blind(&f, &w->shape, shape_seen, r, err);
		else if (done > 0)
			done = 0;
		if (done)
			return done < 0 ? -1 : 0;
		w->blind = false;
	}
	return key_by_content(w, err) < 0 ? -1 : flight_run(&f, r, err);
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
	work_clear(&w);
	return r;
}

/* --- WORKDIR ---------------------------------------------------------------------------------- */

struct mkdir_work {
	struct job *j;
	const struct step *sp;
	const char *path;
	const char *chown; /* or NULL */
	const struct digest *key;
};

/* Of --chown, else the user's. */
static int mkdir_owner(const struct mkdir_work *w, const struct layer_tree *below,
	struct userdb_user *u, struct err **err)
{
	const struct ast_workdir *ast = &w->sp->ins->workdir;

	if (w->chown) {
		if (userdb_owner(below, w->chown, &u->uid, &u->gid, err) < 0)
			return dferr_locate(err, w->sp->df, ast->chown.span);
		return 0;
	}
	if (userdb_maker(below, state_user(w->sp->st), &u->uid, &u->gid, err) < 0)
		return dferr_locate(err, w->sp->df, w->sp->ins->keyword_span);
	return 0;
}

static int execute_mkdir(void *ctx, struct record *out, struct err **err)
{
	const struct mkdir_work *w = ctx;
	const struct layer_tree *below = state_tree(w->sp->st, w->j->session.s, err);
	auto_userdb_user struct userdb_user user = {0};
	struct buf facts;

	explain_begin(&facts, w->sp);
	explain_diff_add(&facts, EXPLAIN_VALUE, "WORKDIR", w->path);
	explain_diff_add(&facts, EXPLAIN_VALUE, "USER", state_user(w->sp->st));
	explain_diff_add(&facts, EXPLAIN_VALUE, "--chown", w->chown ? w->chown : "none");
	explain_runs(w->j, w->sp, w->key, &facts);

	if (!below)
		return -1;
	if (mkdir_owner(w, below, &user, err) < 0)
		return -1;
	auto_layer_list struct layer_list *l =
		copy_mkdir(below, w->path, user.uid, user.gid, now_seconds(), err);
	if (!l)
		return dferr_locate(err, w->sp->df, w->sp->ins->workdir.path.span);
	return commit_list(w->j->session.s, l, out, err);
}

/* The layer that makes the directory. */
static int run_mkdir(struct mkdir_work *w, const char *text, struct err **err)
{
	const struct step *sp = w->sp;
	struct digest key;
	struct record r;
	struct sha256 h;

	cachekey_begin(&h, &sp->st->key, "WORKDIR");
	sha256_field_str(&h, w->path);
	sha256_field_str(&h, state_user(sp->st));
	if (w->chown)
		sha256_field_str(&h, w->chown);
	/* Earlier versions gave it another group. */
	else if (userdb_is_number(state_user(sp->st)) && strtoul(state_user(sp->st), NULL, 10))
		sha256_field_str(&h, "group by number");
	sha256_final(&h, &key);
	w->key = &key;
	struct flight f = {
		.se = &w->j->session, .sp = sp, .key = &key, .execute = execute_mkdir, .ctx = w};
	if (flight_run(&f, &r, err) < 0)
		return -1;
	explain_done(w->j, sp, &key);
	commit_to_state(sp->st, &r, &key, text);
	return stagelowers_keep_up(&w->j->session, sp->st, err);
}

int copystep_workdir(struct job *j, const struct step *sp, struct err **err)
{
	const struct ast_workdir *ast = &sp->ins->workdir;
	const char *v = scope_expand(&sp->st->scope, sp->df, &ast->path, err);
	const char *chown = NULL;

	if (!v)
		return -1;
	if (!*v)
		return dferr_at(err, ERR_SYNTAX, sp->df, ast->path.span, NULL,
			"the path is empty after expansion");
	if (ast->chown.text.ptr) {
		chown = scope_expand(&sp->st->scope, sp->df, &ast->chown, err);
		if (!chown)
			return -1;
		if (!*chown)
			chown = NULL;
	}
	auto_free char *path = copystep_join(state_workdir(sp->st), v);
	auto_free char *text = mem_printf("WORKDIR %s%s%s%s", chown ? "--chown=" : "",
		chown ? chown : "", chown ? " " : "", path);
	free(sp->st->config.working_dir);
	sp->st->config.working_dir = mem_strdup(path);
	if (strcmp(path, "/") == 0) {
		history_add(sp->st, text, true, HISTORY_NO_TIME);
		return 0;
	}
	struct mkdir_work w = {.j = j, .sp = sp, .path = path, .chown = chown};
	return run_mkdir(&w, text, err);
}

/* --- VOLUME with --compat-volumes ------------------------------------------------------------- */

struct volumes_work {
	struct job *j;
	const struct step *sp;
	struct strlist missing; /* owned */
	struct digest key;
};

/* What is there, even as a file, is left alone. */
static int find_missing(struct volumes_work *w, const struct strlist *volumes, struct err **err)
{
	const struct layer_tree *below = state_tree(w->sp->st, w->j->session.s, err);

	if (!below)
		return -1;
	for (size_t i = 0; i < volumes->n; i++) {
		auto_free char *path = copystep_join("/", volumes->v[i]);
		int why = 0;

		if (!layer_tree_lookup(below, path, true, NULL, &why) && why == ENOENT)
			strlist_add_take(&w->missing, TAKE(path));
	}
	return 0;
}

static int execute_volumes(void *ctx, struct record *out, struct err **err)
{
	const struct volumes_work *w = ctx;
	const struct layer_tree *below = state_tree(w->sp->st, w->j->session.s, err);
	struct buf facts;

	explain_begin(&facts, w->sp);
	for (size_t i = 0; i < w->missing.n; i++)
		explain_diff_add(&facts, EXPLAIN_VALUE, "VOLUME", w->missing.v[i]);
	explain_runs(w->j, w->sp, &w->key, &facts);
	auto_layer_list struct layer_list *l =
		below ? copy_mkdirs(below, &w->missing, 0, 0, now_seconds(), err) : NULL;
	if (!l)
		return below ? dferr_locate(err, w->sp->df, w->sp->ins->keyword_span) : -1;
	return commit_list(w->j->session.s, l, out, err);
}

static int run_volumes(struct volumes_work *w, const char *text, struct err **err)
{
	const struct step *sp = w->sp;
	struct record r;
	struct sha256 h;

	cachekey_begin(&h, &sp->st->key, "VOLUME");
	cachekey_list(&h, &w->missing);
	sha256_final(&h, &w->key);
	struct flight f = {.se = &w->j->session,
		.sp = sp,
		.key = &w->key,
		.execute = execute_volumes,
		.ctx = w};
	if (flight_run(&f, &r, err) < 0)
		return -1;
	explain_done(w->j, sp, &w->key);
	commit_to_state(sp->st, &r, &w->key, text);
	return stagelowers_keep_up(&w->j->session, sp->st, err);
}

int copystep_volumes(struct job *j, const struct step *sp, const struct strlist *volumes,
	const char *text, struct err **err)
{
	struct volumes_work w = {.j = j, .sp = sp};
	int r = find_missing(&w, volumes, err);

	if (r == 0 && w.missing.n)
		r = run_volumes(&w, text, err);
	else if (r == 0)
		history_add(sp->st, text, true, HISTORY_NO_TIME);
	strlist_clear(&w.missing);
	return r;
}

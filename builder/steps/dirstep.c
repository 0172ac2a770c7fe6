// SPDX-License-Identifier: Apache-2.0
/*
 * Steps that make directories: WORKDIR, and VOLUME with --compat-volumes. As COPY, each is a layer
 * that is looked up by its key and made when it is missing.
 */
#include "builder/steps/dirstep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/cache/flight.h"
#include "builder/cache/keyparts.h"
#include "builder/cache/stagelowers.h"
#include "builder/copy/copy.h"
#include "builder/explain/explain.h"
#include "builder/image/history.h"
#include "builder/image/userdb.h"
#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "builder/state.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/base/path.h"
#include "store/tree/tree.h"

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

static void mkdir_key(const struct mkdir_work *w, struct buf *facts, struct digest *out)
{
	const char *user = state_user(w->sp->st);
	struct keyparts k;

	keyparts_begin(&k, facts, &w->sp->st->key, "WORKDIR");
	keyparts_text(&k, "WORKDIR", w->path);
	keyparts_text(&k, "USER", user);
	struct sha256 *h =
		keyparts_part(&k, KEYPART_VALUE, "--chown", w->chown ? w->chown : "none");
	if (w->chown)
		sha256_field_str(h, w->chown);
	/* Earlier versions gave it another group. */
	else if (userdb_is_number(user) && strtoul(user, NULL, 10))
		sha256_field_str(h, "group by number");
	keyparts_end(&k, out);
}

static int execute_mkdir(const struct mkdir_work *w, struct record *out, struct err **err)
{
	const struct layer_tree *below = state_tree(w->sp->st, w->j->session.s, err);
	auto_userdb_user struct userdb_user user = {0};
	struct digest key;
	struct buf facts;

	buf_init(&facts, BUF_TEXT_MAX);
	mkdir_key(w, &facts, &key);
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

	mkdir_key(w, NULL, &key);
	w->key = &key;
	struct flight f = {.se = &w->j->session, .sp = sp, .key = &key};
	int done = flight_begin(&f, &r, err);
	if (done == 0)
		done = flight_end(&f, &r, execute_mkdir(w, &r, err), err);
	if (done < 0)
		return -1;
	explain_done(w->j, sp, &key);
	commit_to_state(sp->st, &r, &key, text);
	return stagelowers_keep_up(&w->j->session, sp->st, err);
}

int dirstep_workdir(struct job *j, const struct step *sp, struct err **err)
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
	auto_free char *path = path_absolute(state_workdir(sp->st), v);
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
		auto_free char *path = path_absolute("/", volumes->v[i]);
		int why = 0;

		if (!layer_tree_lookup(below, path, true, NULL, &why) && why == ENOENT)
			strlist_add_take(&w->missing, TAKE(path));
	}
	return 0;
}

static void volumes_key(const struct volumes_work *w, struct buf *facts, struct digest *out)
{
	auto_free char *shown = facts ? history_words(&w->missing) : NULL;
	struct keyparts k;

	keyparts_begin(&k, facts, &w->sp->st->key, "VOLUME");
	cachekey_list(keyparts_part(&k, KEYPART_VALUE, "VOLUME", shown), &w->missing);
	keyparts_end(&k, out);
}

static int execute_volumes(const struct volumes_work *w, struct record *out, struct err **err)
{
	const struct layer_tree *below = state_tree(w->sp->st, w->j->session.s, err);
	struct digest key;
	struct buf facts;

	buf_init(&facts, BUF_TEXT_MAX);
	volumes_key(w, &facts, &key);
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

	volumes_key(w, NULL, &w->key);
	struct flight f = {.se = &w->j->session, .sp = sp, .key = &w->key};
	int done = flight_begin(&f, &r, err);
	if (done == 0)
		done = flight_end(&f, &r, execute_volumes(w, &r, err), err);
	if (done < 0)
		return -1;
	explain_done(w->j, sp, &w->key);
	commit_to_state(sp->st, &r, &w->key, text);
	return stagelowers_keep_up(&w->j->session, sp->st, err);
}

int dirstep_volumes(struct job *j, const struct step *sp, const struct strlist *volumes,
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

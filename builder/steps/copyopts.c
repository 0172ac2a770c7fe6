// SPDX-License-Identifier: Apache-2.0
/*
 * Flags of COPY and ADD, expanded, and where each of them goes: key, history, selection of files,
 * destination. Names of users are looked up in the layers below, which --link does not have.
 */
#include "builder/steps/copyopts.h"

#include <ctype.h>
#include <string.h>

#include "builder/image/userdb.h"
#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "parser/ignore.h"
#include "store/base/mem.h"

static bool on(const struct word *w)
{
	return w->text.ptr && slice_eq_str(w->text, "true");
}

/* --chown=$UNSET: as if it were not there. */
static int copyopts_expand_word(
	const struct step *sp, const struct word *w, const char **out, struct err **err)
{
	if (!w->text.ptr)
		return 0;
	const char *text = scope_expand(&sp->st->scope, sp->df, w, err);
	if (!text)
		return -1;
	*out = *text ? text : NULL;
	return 0;
}

static int expand_chmod(const struct step *sp, struct copyopts *o, struct err **err)
{
	const char *why;

	if (copyopts_expand_word(sp, &o->ast->chmod, &o->chmod, err) < 0)
		return -1;
	if (!o->chmod || filemode_parse(slice_of(o->chmod), &o->mode, &why))
		return 0;
	return dferr_at(err, ERR_SYNTAX, sp->df, o->ast->chmod.span,
		"octal such as 755, or symbolic such as u=rwX,go=rX", "--chmod=%s is no mode: %s",
		o->chmod, why);
}

/* The rules of an ignore file, but for comments: every pattern is one. The parser has seen to it
 * that they are well-formed. */
static int parse_excludes(const struct step *sp, struct copyopts *o, struct err **err)
{
	const struct word_list *l = &o->ast->excludes;
	auto_buf struct buf text = {0};

	if (!l->count)
		return 0;
	buf_init(&text, IGNORE_SIZE_MAX + 1);
	for (size_t i = 0; i < l->count; i++) {
		struct slice s = l->items[i].text;
		if (slice_starts(s, "#"))
			buf_adds(&text, "./");
		buf_add(&text, s.ptr, s.len);
		buf_addc(&text, '\n');
	}
	o->exclude = ignore_parse(SLICE("--exclude"), (struct slice){text.data, text.len});
	if (!ignore_diags(o->exclude)->errors && !text.full)
		return 0;
	return dferr_at(err, ERR_SYNTAX, sp->df, l->items[0].span, NULL,
		"--exclude: more than %d patterns or %d bytes of them", IGNORE_RULES_MAX,
		IGNORE_SIZE_MAX);
}

int copyopts_expand(const struct step *sp, struct copyopts *o, struct err **err)
{
	const struct ast_copy *ast = &sp->ins->copy;

	*o = (struct copyopts){.ast = ast};
	if (copyopts_expand_word(sp, &ast->chown, &o->chown, err) < 0 ||
		expand_chmod(sp, o, err) < 0 || parse_excludes(sp, o, err) < 0)
		return -1;
	o->link = on(&ast->link) && !o->chmod;
	o->parents = on(&ast->parents);
	o->no_follow = on(&ast->no_follow);
	o->keep_owner = on(&ast->keep_ownership);
	return 0;
}

void copyopts_clear(struct copyopts *o)
{
	ignore_free(o->exclude);
	o->exclude = NULL;
}

static void feed_word(struct sha256 *h, const char *what, const char *value)
{
	sha256_field_str(h, what);
	sha256_field_str(h, value);
}

void copyopts_parts(const struct copyopts *o, struct keyparts *k)
{
	auto_buf struct buf shown = {0};

	if (k->facts) {
		buf_init(&shown, BUF_TEXT_MAX);
		copyopts_history(o, &shown);
	}
	struct sha256 *h = keyparts_part(k, KEYPART_VALUE, "flags", shown.data);
	if (o->chmod && !o->mode.octal)
		feed_word(h, "chmod", o->chmod);
	if (o->parents)
		feed_word(h, "parents", NULL);
	if (o->no_follow)
		feed_word(h, "no-follow", NULL);
	if (o->keep_owner)
		feed_word(h, "keep-ownership", NULL);
	for (size_t i = 0; i < o->ast->excludes.count; i++) {
		struct slice s = o->ast->excludes.items[i].text;
		sha256_field_str(h, "exclude");
		sha256_field(h, s.ptr, s.len);
	}
}

void copyopts_history(const struct copyopts *o, struct buf *b)
{
	if (o->chown)
		buf_addf(b, " --chown=%s", o->chown);
	if (o->chmod && o->mode.octal)
		buf_addf(b, " --chmod=%04o", o->mode.value);
	else if (o->chmod)
		buf_addf(b, " --chmod=%s", o->chmod);
	if (on(&o->ast->link))
		buf_adds(b, " --link");
	if (o->parents)
		buf_adds(b, " --parents");
	for (size_t i = 0; i < o->ast->excludes.count; i++)
		buf_addf(b, " --exclude=%.*s", SLICE_ARG(o->ast->excludes.items[i].text));
	if (o->no_follow)
		buf_adds(b, " --no-follow");
	if (o->keep_owner)
		buf_adds(b, " --keep-ownership");
}

void copyopts_request(const struct copyopts *o, struct copy_request *q)
{
	q->exclude = o->exclude;
	q->parents = o->parents;
	q->no_follow = o->no_follow;
	if (!o->keep_owner)
		return;
	q->root.keep_owner = true;
	q->root.share = NULL; /* what is shared knows no owners */
}

/* A name with --link: there is no user data base to look in. */
static int no_names(const struct copyopts *o, const struct step *sp, struct err **err)
{
	err_free(*err);
	*err = NULL;
	return dferr_at(err, ERR_BUILD, sp->df, o->ast->chown.span,
		"use numbers, for example --chown=1000:1000, or leave out --link",
		"--chown=%s: with --link the layer does not depend on the image below, so its "
		"users and groups are not known",
		o->chown);
}

static int copyopts_find_owner(const struct copyopts *o, const struct step *sp,
	const struct layer_tree *below, struct copy_dest *d, struct err **err)
{
	struct err *bad = NULL;

	if (userdb_owner(below, o->chown, &d->uid, &d->gid, &bad) == 0)
		return 0;
	if (o->link && o->chown[strspn(o->chown, "0123456789:")]) {
		no_names(o, sp, &bad);
	} else {
		dferr_locate(&bad, sp->df, o->ast->chown.span);
	}
	if (err)
		*err = bad;
	else
		err_free(bad);
	return -1;
}

int copyopts_dest(const struct copyopts *o, const struct step *sp, const struct layer_tree *below,
	struct copy_dest *d, struct err **err)
{
	d->below = below;
	d->has_owner = o->chown != NULL;
	d->has_mode = o->chmod && o->mode.octal;
	d->mode = o->mode.value;
	d->symbolic = o->chmod && !o->mode.octal ? &o->mode : NULL;
	return o->chown ? copyopts_find_owner(o, sp, below, d, err) : 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Asks the linter of the parser with what the parser cannot know: images in the store, named
 * contexts, build arguments. Bases that a build opened are taken from there; otherwise the store is
 * looked at and nothing is pulled. An image that is not known makes rules keep silent.
 */
#include "builder/lint/lintfile.h"

#include <stdlib.h>
#include <string.h>

#include "builder/plan/dferr.h"
#include "builder/plan/plan.h"
#include "builder/plan/platformword.h"
#include "builder/plan/scope.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/reference.h"

void lintfile_base_take(
	struct lintfile_base *b, const struct oci_config *c, const struct oci_platform *want)
{
	lintfile_base_clear(b);
	b->known = true;
	b->shell = c->shell.n > 0;
	strlist_copy(&b->env, &c->env);
	if (!c->platform.architecture || oci_platform_rank(want, &c->platform) > 0)
		return;
	b->platform = oci_platform_text(&c->platform);
	b->expected = oci_platform_text(want);
}

void lintfile_base_clear(struct lintfile_base *b)
{
	strlist_clear(&b->env);
	free(b->platform);
	free(b->expected);
	*b = (struct lintfile_base){0};
}

/* One run: the base that was asked for last, its env as slices. */
struct asked {
	const struct lintfile *f;
	struct lintfile_base own;
	struct slice *env; /* owned */
};

static struct slice *slices(const struct strlist *l)
{
	struct slice *out = mem_array(l->n + 1, sizeof *out);

	for (size_t i = 0; i < l->n; i++)
		out[i] = slice_of(l->v[i]);
	return out;
}

/* An image that cannot be opened is one that is not known. */
static void lintfile_from_store(struct asked *a, const char *name, struct slice platform)
{
	auto_oci_platform struct oci_platform want = {0};
	auto_free char *text = mem_strndup(platform.ptr ? platform.ptr : "", platform.len);
	auto_image struct image img = {0};

	if (!platform.len)
		oci_platform_copy(&want, a->f->platform);
	else if (platformword_parse(text, false, &want, NULL) < 0)
		return;
	if (image_open(a->f->s, name, &want, &img, NULL) == 0)
		lintfile_base_take(&a->own, &img.config, &want);
}

static void base(
	void *ctx, size_t stage, struct slice image, struct slice platform, struct lint_base *out)
{
	struct asked *a = ctx;
	auto_free char *name = mem_strndup(image.ptr, image.len);
	const struct lintfile_base *b = a->f->bases ? &a->f->bases[stage] : NULL;

	lintfile_base_clear(&a->own);
	const struct contextspec *spec = context_spec(a->f->contexts, name);
	if (spec && (spec->kind != CONTEXTSPEC_IMAGE || strcmp(spec->text, "scratch") == 0)) {
		/* A directory sets nothing, nor does nothing. */
		out->known = true;
		return;
	}
	if (!b || !b->known) {
		b = &a->own;
		if (a->f->s)
			lintfile_from_store(a, name, platform);
	}
	free(a->env);
	a->env = slices(&b->env);
	*out = (struct lint_base){.known = b->known,
		.env = a->env,
		.nenv = b->env.n,
		.shell = b->shell,
		.platform = slice_of(b->platform),
		.expected = slice_of(b->expected)};
}

static bool is_context(void *ctx, struct slice name)
{
	struct asked *a = ctx;
	auto_free char *text = mem_strndup(name.ptr, name.len);

	return context_spec(a->f->contexts, text) != NULL;
}

static bool is_image_name(void *ctx, struct slice name)
{
	auto_reference struct reference r = {0};
	auto_free char *text = mem_strndup(name.ptr, name.len);

	(void)ctx;
	return reference_parse(text, &r, NULL) == 0;
}

struct lint_result *lintfile_run(const struct lintfile *f)
{
	struct asked a = {.f = f};
	auto_scope struct scope automatic;
	struct plan_opts p = {.build_args = f->build_args, .platform = f->platform};
	struct slice *args = slices(f->build_args), *globals;

	scope_init(&automatic);
	plan_automatic(&p, &automatic);
	scope_declare(&automatic, "TARGETSTAGE", "default");
	globals = slices(&automatic.vars);
	struct lint_opts o = {
		.build_args = args,
		.nbuild_args = f->build_args->n,
		.automatic = globals,
		.nautomatic = automatic.vars.n,
		.needed = f->needed,
		.ignore = f->contexts->main.ignore.rules,
		.check = slice_of(strlist_get_kv(f->build_args, LINTFILE_ARG)),
		.portable = f->portable,
		.certain = f->certain,
		.base = base,
		.context = is_context,
		.image_name = is_image_name,
		.ctx = &a,
	};
	struct lint_result *r = lint_run(f->df, &o);

	lintfile_base_clear(&a.own);
	free(a.env);
	free(args);
	free(globals);
	return r;
}

int lintfile_check_config(const struct lint_result *r, struct err **err)
{
	if (!r->bad_check)
		return 0;
	if (r->bad.span.len == 0) {
		err_set(err, ERR_USAGE, "--build-arg %.*s", SLICE_ARG(r->bad.message));
		return -1;
	}
	auto_free char *hint = mem_strndup(r->bad.hint.ptr, r->bad.hint.len);
	return dferr_at(
		err, ERR_SYNTAX, r->df, r->bad.span, hint, "%.*s", SLICE_ARG(r->bad.message));
}

static void lintfile_to_buf(void *ctx, struct slice bytes)
{
	buf_add(ctx, bytes.ptr, bytes.len);
}

int lintfile_check_errors(const struct lint_result *r, struct err **err)
{
	auto_buf struct buf b = {0};

	if (!r->errors)
		return 0;
	buf_init(&b, BUF_TEXT_MAX);
	lint_render_text(r, lintfile_to_buf, &b);
	buf_addf(&b, "%zu finding%s where \"check=error=true\" is in force\n", r->errors,
		r->errors == 1 ? "" : "s");
	return err_set(err, ERR_SYNTAX, "%s", b.data);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Sources of ADD that are URLs or repositories: fetched before the copy, then given to it as files
 * or trees. Errors point at the word or flag. What a Dockerfile names is foreign, so it gets none
 * of the caller's credentials unasked.
 */
#include "builder/steps/addsource.h"

#include <stdlib.h>
#include <string.h>

#include "builder/fetch/download.h"
#include "builder/fetch/fetchenv.h"
#include "builder/git/git.h"
#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "builder/secrets/urlshown.h"
#include "builder/state.h"
#include "parser/ast.h"
#include "parser/giturl.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/snapshot.h"

#define NO_NAME                                                                                    \
	"__unnamed__" /* where the destination names the file, and no directory is meant           \
		       */

/* What one source of ADD is fetched for. */
struct fetch {
	struct session *se;
	const struct step *sp;
	const struct ast_copy *ast;
	const char *checksum; /* expanded, or NULL */
	const char *dest;
	struct fetchenv env;
};

static int at_word(const struct fetch *f, const struct word *w, const char *hint, const char *text,
	struct err **err)
{
	return dferr_at(err, ERR_SYNTAX, f->sp->df, w->span, hint, "%s", text);
}

static bool is_true(const struct word *w)
{
	return slice_eq_str(w->text, "true");
}

/* --- http ------------------------------------------------------------------------------------- */

static bool names_a_directory(const char *dest)
{
	size_t n = strlen(dest);

	return n == 0 || dest[n - 1] == '/' || strcmp(dest, ".") == 0 || strcmp(dest, "..") == 0 ||
	       (n > 1 && strcmp(dest + n - 2, "/.") == 0);
}

static int fetch_url(const struct fetch *f, const struct word *word, const char *url,
	struct addsource *out, struct err **err)
{
	struct digest want;
	struct download d;

	if (f->checksum && sha256_parse_string(f->checksum, &want) < 0)
		return at_word(f, &f->ast->checksum,
			"for example sha256: and 64 hexadecimal digits",
			"the checksum of a URL is sha256:DIGEST", err);
	if (f->ast->keep_git_dir.text.ptr)
		return at_word(f, &f->ast->keep_git_dir, NULL,
			"--keep-git-dir is for git repositories, and this is none", err);
	out->name = download_name(url);
	if (!out->name && names_a_directory(f->dest))
		return at_word(f, word, "name the file in the destination: ADD URL /DIR/NAME",
			"the URL ends without the name of a file", err);
	if (!out->name)
		out->name = mem_strdup(NO_NAME);
	if (download_get(&f->env, url, f->checksum ? &want : NULL, &d, err) < 0)
		return dferr_locate(err, f->sp->df,
			err && *err && err_get_kind(*err) == ERR_CORRUPT ? f->ast->checksum.span
									 : word->span);
	out->fd = d.fd;
	out->file = (struct copy_file_given){
		.fd = d.fd,
		.size = d.size,
		.digest = d.digest,
		.mtime = d.mtime,
		.unpack = is_true(&f->ast->unpack),
	};
	return 0;
}

/* --- git ------------------------------------------------------------------------------------ */

/* Flags of the instruction on top of what the URL says: the same twice is fine. */
static int merge_flags(const struct fetch *f, struct arena *a, struct giturl *u, struct err **err)
{
	const struct word *keep = &f->ast->keep_git_dir;

	if (keep->text.ptr && u->keep_git_dir >= 0 && u->keep_git_dir != is_true(keep))
		return at_word(f, keep, NULL, "--keep-git-dir: the URL says the opposite", err);
	if (keep->text.ptr)
		u->keep_git_dir = is_true(keep);
	if (!f->checksum)
		return 0;
	const char *sum = giturl_checksum(a, slice_of(f->checksum));
	if (!sum)
		return at_word(f, &f->ast->checksum, NULL,
			"the checksum of a repository is 4 to 64 hexadecimal digits of a commit",
			err);
	if (u->checksum && strcmp(u->checksum, sum) != 0)
		return at_word(
			f, &f->ast->checksum, NULL, "--checksum: the URL has a different one", err);
	u->checksum = sum;
	return 0;
}

static int fetch_repository(const struct fetch *f, const struct word *word, const char *text,
	struct addsource *out, struct err **err)
{
	struct arena *a = arena_new();
	struct giturl u;
	struct record r;
	int done = git_url(a, text, GITURL_SOURCE, &u, err);

	if (done < 0)
		dferr_locate(err, f->sp->df, word->span);
	else
		done = merge_flags(f, a, &u, err);
	if (done == 0 && (done = git_layer(&f->env, &u, &r, err)) < 0)
		dferr_locate(err, f->sp->df, word->span);
	arena_free(a);
	if (done < 0)
		return -1;
	out->fd = snapshot_tar(f->se->s, &r.layer, &out->file.size, err);
	if (out->fd < 0)
		return -1;
	out->name = mem_strdup("repository");
	out->file.fd = out->fd;
	out->file.digest = r.layer;
	out->file.mtime = -1;
	out->file.tree = true;
	return 0;
}

/* --- an instruction ------------------------------------------------------------------------- */

static bool addsource_is_remote(const char *text)
{
	return giturl_is(slice_of(text), GITURL_SOURCE) || ast_is_http_url(slice_of(text));
}

/* One checksum is that of one source. */
static int check_flags(
	struct fetch *f, const struct copy_item *items, size_t nsources, struct err **err)
{
	const struct word *sum = &f->ast->checksum, *keep = &f->ast->keep_git_dir;
	bool git = false;

	for (size_t i = 0; i < nsources; i++)
		git = git || giturl_is(slice_of(items[i].text), GITURL_SOURCE);
	if (keep->text.ptr && !git)
		return at_word(f, keep, NULL,
			"--keep-git-dir is for git repositories, and no source is one", err);
	if (!sum->text.ptr)
		return 0;
	if (nsources != 1 || f->ast->inlines.count || !addsource_is_remote(items[0].text))
		return at_word(f, sum, "one instruction for each file",
			"--checksum needs exactly one source, a URL or a git repository", err);
	f->checksum = scope_expand(&f->sp->st->scope, f->sp->df, sum, err);
	if (!f->checksum)
		return -1;
	if (!*f->checksum)
		return at_word(f, sum, NULL, "the checksum is empty after expansion", err);
	return 0;
}

int addsource_fetch(struct session *se, const struct step *sp, const char *dest,
	struct copy_item *items, struct addsources *out, struct err **err)
{
	const struct ast_copy *ast = &sp->ins->copy;
	size_t n = ast->sources.count;
	struct fetch f = {.se = se, .sp = sp, .ast = ast, .dest = dest, .env = fetchenv_of(se)};

	f.env.foreign = true;
	if (check_flags(&f, items, n, err) < 0)
		return -1;
	*out = (struct addsources){.v = mem_array(n + 1, sizeof *out->v), .n = n};
	for (size_t i = 0; i < n; i++)
		out->v[i] = (struct addsource){.fd = -1};
	for (size_t i = 0; i < n; i++) {
		const char *text = items[i].text;
		const struct word *word = &ast->sources.items[i];
		bool git = giturl_is(slice_of(text), GITURL_SOURCE);
		if (!addsource_is_remote(text))
			continue;
		if ((git ? fetch_repository : fetch_url)(&f, word, text, &out->v[i], err) < 0)
			return -1;
		items[i] = (struct copy_item){
			.kind = COPY_ITEM_GIVEN, .text = out->v[i].name, .given = &out->v[i].file};
	}
	return 0;
}

char *addsource_shown(const char *source)
{
	return addsource_is_remote(source) ? urlshown(slice_of(source)) : mem_strdup(source);
}

void addsource_clear(struct addsources *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].name);
		fd_close(a->v[i].fd);
	}
	free(a->v);
	*a = (struct addsources){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Refs to commits, and commits to files, by the git program. ls-remote is asked for all that a name
 * may mean at once. A commit is fetched alone; servers that do not allow that are asked for the
 * ref, and then for everything. Submodules are checked out here and not by git, so that each URL is
 * judged and nothing leads out of the work tree.
 */
#include "builder/git/gitfetch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/git/gitmodules.h"
#include "parser/suggest.h"
#include "parser/words.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

#define ABBREVIATED_MIN 7
#define NEAR_MAX        4096 /* refs looked at for a suggestion */

static bool all_hex(const char *s)
{
	return *s && !s[strspn(s, "0123456789abcdef")];
}

static bool is_oid(const char *s)
{
	return all_hex(s) && (strlen(s) == 40 || strlen(s) == 64);
}

/* --- what a ref is ------------------------------------------------------------------------- */

/* The object of this very name in the lines of ls-remote; "" when there is none. */
static void gitfetch_find_line(const char *lines, const char *name, char out[GITFETCH_OID])
{
	out[0] = '\0';
	for (const char *p = lines; *p;) {
		size_t len = strcspn(p, "\n");
		const char *tab = memchr(p, '\t', len);
		size_t oid = tab ? (size_t)(tab - p) : 0;
		size_t rest = tab ? len - oid - 1 : 0;
		if (tab && oid < GITFETCH_OID && rest == strlen(name) &&
			memcmp(tab + 1, name, rest) == 0) {
			snprintf(out, GITFETCH_OID, "%.*s", (int)oid, p);
			if (!is_oid(out))
				out[0] = '\0';
			return;
		}
		p += len + (p[len] == '\n');
	}
}

/* The names that a ref may stand for, the best one first. Branches before tags, as for checkout. */
static void gitfetch_candidates(const struct giturl *u, struct strlist *out)
{
	if (!*u->ref) {
		strlist_add(out, "HEAD");
		return;
	}
	if (u->kind == GITURL_ANY && (strncmp(u->ref, "refs/", 5) == 0 || !strcmp(u->ref, "HEAD")))
		strlist_add(out, u->ref);
	if (u->kind != GITURL_TAG)
		strlist_addf(out, "refs/heads/%s", u->ref);
	if (u->kind != GITURL_BRANCH)
		strlist_addf(out, "refs/tags/%s", u->ref);
	if (u->kind == GITURL_ANY)
		strlist_addf(out, "refs/%s", u->ref);
}

static int ls_remote(const struct gitrun *g, const struct giturl *u, const struct strlist *names,
	struct buf *lines, struct err **err)
{
	const char *args[GITRUN_ARGS_MAX] = {
		"--git-dir=/nonexistent", "ls-remote", "-q", "--", u->remote};
	auto_strlist struct strlist peeled = {0};
	auto_free char *shown = fs_printable(u->remote);
	size_t n = 5;

	for (size_t i = 0; i < names->n; i++)
		strlist_addf(&peeled, "%s^{}", names->v[i]);
	for (size_t i = 0; i < names->n; i++) {
		args[n++] = names->v[i];
		args[n++] = peeled.v[i];
	}
	return gitrun_must(g, -1, args, lines, shown, err);
}

/* Always -1. */
static int no_such_ref(const struct gitrun *g, const struct giturl *u, struct err **err)
{
	static const char *const what[] = {"branch, tag or ref", "tag", "branch"};
	auto_free char *remote = fs_printable(u->remote);
	auto_free char *ref = fs_printable(u->ref);
	struct strlist none = {0};
	auto_strlist struct strlist names = {0};
	auto_buf struct buf lines = {0};

	if (!*u->ref)
		return err_set(err, ERR_NET, "%s: the repository is empty", remote);
	err_set(err, ERR_NET, "%s: there is no %s \"%s\"", remote, what[u->kind], ref);
	buf_init(&lines, GITRUN_OUT_MAX);
	if (ls_remote(g, u, &none, &lines, NULL) < 0)
		return -1;
	for (const char *p = lines.data; *p && names.n < NEAR_MAX;) {
		size_t len = strcspn(p, "\n");
		auto_free char *line = mem_strndup(p, len);
		char *name = strstr(line, "refs/heads/");
		if (!name)
			name = strstr(line, "refs/tags/");
		if (name && !strstr(name, "^{}"))
			strlist_add(&names, strchr(name + 5, '/') + 1);
		p += len + (p[len] == '\n');
	}
	const char *near = suggest_nearest(slice_of(u->ref), (const char *const *)names.v, names.n);
	auto_free char *shown = near ? fs_printable(near) : NULL;
	return shown ? err_hint(err, "did you mean \"%s\"?", shown) : -1;
}

int gitfetch_resolve(
	const struct gitrun *g, const struct giturl *u, struct gitfetch_ref *out, struct err **err)
{
	auto_strlist struct strlist names = {0};
	auto_buf struct buf lines = {0};

	*out = (struct gitfetch_ref){0};
	if (u->kind == GITURL_ANY && is_oid(u->ref)) {
		snprintf(out->oid, sizeof out->oid, "%s", u->ref);
		return 1;
	}
	gitfetch_candidates(u, &names);
	buf_init(&lines, GITRUN_OUT_MAX);
	if (ls_remote(g, u, &names, &lines, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n && !out->oid[0]; i++) {
		auto_free char *peeled = mem_printf("%s^{}", names.v[i]);
		gitfetch_find_line(lines.data, names.v[i], out->oid);
		if (!out->oid[0])
			continue;
		gitfetch_find_line(lines.data, peeled, out->commit);
		out->name = mem_strdup(names.v[i]);
	}
	if (out->oid[0]) {
		/* Of a branch it is a commit; what a tag without ^{} names is one too. */
		if (!out->commit[0])
			snprintf(out->commit, sizeof out->commit, "%s", out->oid);
		return 1;
	}
	if (u->kind == GITURL_ANY && all_hex(u->ref) && strlen(u->ref) >= ABBREVIATED_MIN)
		return 0;
	return no_such_ref(g, u, err);
}

/* --- fetching --------------------------------------------------------------------------------- */

static const char *git_dir(const struct gitfetch *f, unsigned repo)
{
	return arena_printf(f->arena, "--git-dir=g%u", repo).ptr;
}

/* The commit that a name means in a repository of ours; "" = none. */
static int peel(struct gitfetch *f, unsigned repo, const char *name, char commit[GITFETCH_OID],
	struct err **err)
{
	auto_free char *want = mem_printf("%s^{commit}", name);
	const char *args[] = {
		git_dir(f, repo), "rev-parse", "-q", "--verify", "--end-of-options", want, NULL};
	auto_buf struct buf out = {0};

	buf_init(&out, GITRUN_OUT_MAX);
	int status = gitrun(f->run, f->dir_fd, args, &out, NULL, err);
	if (status < 0)
		return -1;
	commit[0] = '\0';
	if (status == 0 && out.len > 1 && out.len <= GITFETCH_OID) {
		snprintf(commit, GITFETCH_OID, "%.*s", (int)out.len - 1, out.data);
		if (!is_oid(commit))
			commit[0] = '\0';
	}
	return 0;
}

static int init(struct gitfetch *f, unsigned repo, bool sha256, struct err **err)
{
	const char *args[] = {git_dir(f, repo), "init", "-q",
		"--template=", sha256 ? "--object-format=sha256" : "--object-format=sha1", NULL};

	return gitrun_must(f->run, f->dir_fd, args, NULL, "git init", err);
}

/* One way to get it: 1 the commit is there, 0 it is not, -1. */
static int attempt(struct gitfetch *f, unsigned repo, const char *remote, const char *depth,
	const char *const *specs, const char *oid, char commit[GITFETCH_OID], char **said,
	struct err **err)
{
	const char *args[GITRUN_ARGS_MAX] = {
		git_dir(f, repo), "fetch", "-q", "--no-tags", "--force", "--update-head-ok"};
	size_t n = 6;

	if (depth)
		args[n++] = depth;
	args[n++] = "--";
	args[n++] = remote;
	for (size_t i = 0; specs[i]; i++)
		args[n++] = specs[i];
	free(TAKE(*said));
	int status = gitrun(f->run, f->dir_fd, args, NULL, said, err);
	if (status < 0)
		return -1;
	if (status == 128 + SIGXFSZ)
		return err_set(err, ERR_LIMIT, "a file of more than %llu bytes",
			(unsigned long long)GITRUN_FILE_MAX);
	if (peel(f, repo, oid, commit, err) < 0)
		return -1;
	return commit[0] != '\0';
}

static int gitfetch_fetch(struct gitfetch *f, unsigned repo, const char *remote, const char *name,
	const char *oid, char commit[GITFETCH_OID], struct err **err)
{
	const char *one[] = {oid, NULL}, *ref[] = {name, NULL};
	const char *all[] = {
		"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*", NULL};
	auto_free char *said = NULL;
	auto_free char *shown = fs_printable(remote);
	int r = 0;

	if (init(f, repo, strlen(oid) == 64, err) < 0)
		return -1;
	if (is_oid(oid))
		r = attempt(f, repo, remote, "--depth=1", one, oid, commit, &said, err);
	if (r == 0 && name)
		r = attempt(f, repo, remote, "--depth=1", ref, oid, commit, &said, err);
	if (r == 0)
		r = attempt(f, repo, remote, NULL, all, oid, commit, &said, err);
	if (r == 0 && name)
		r = attempt(f, repo, remote, NULL, ref, oid, commit, &said, err);
	if (r < 0)
		return err_prefix(err, "%s", shown);
	if (r > 0)
		return 0;
	return *said ? err_set(err, ERR_NET, "%s: commit %s: %s", shown, oid, said)
		     : err_set(err, ERR_NET, "%s: there is no commit %s", shown, oid);
}

int gitfetch_commit(
	struct gitfetch *f, const struct giturl *u, struct gitfetch_ref *ref, struct err **err)
{
	char commit[GITFETCH_OID];

	f->nrepos = 1;
	if (gitfetch_fetch(
		    f, 0, u->remote, ref->name, ref->oid[0] ? ref->oid : u->ref, commit, err) < 0)
		return -1;
	snprintf(ref->commit, sizeof ref->commit, "%s", commit);
	if (!ref->oid[0])
		snprintf(ref->oid, sizeof ref->oid, "%s", commit);
	return 0;
}

int gitfetch_time(struct gitfetch *f, const char *commit, int64_t *out, struct err **err)
{
	const char *args[] = {git_dir(f, 0), "show", "-s", "--format=%ct", commit, "--", NULL};
	auto_buf struct buf text = {0};
	uint64_t t;

	buf_init(&text, GITRUN_OUT_MAX);
	if (gitrun_must(f->run, f->dir_fd, args, &text, "git show", err) < 0)
		return -1;
	if (!words_number(slice_trim(slice_of(text.data)), 10, INT32_MAX, &t))
		t = 0; /* before 1970, or far away */
	*out = (int64_t)t;
	return 0;
}

/* --- files ---------------------------------------------------------------------------------- */

/* One repository and, when asked for, what it contains. */
struct endpoint {
	unsigned repo;
	const char *remote;
	const char *commit;
	const char *path; /* below "w"; "" = its root */
	unsigned depth;
};

static int checkout_files(struct gitfetch *f, const struct endpoint *p, struct err **err)
{
	auto_free char *tree = mem_printf("--work-tree=w%s%s", *p->path ? "/" : "", p->path);
	const char *args[] = {git_dir(f, p->repo), tree, "checkout", "-q", "-f", "--detach",
		p->commit, "--", NULL};
	auto_free char *dir = mem_printf("w%s%s", *p->path ? "/" : "", p->path);

	/* The parent made it, as an empty directory; nothing may lead anywhere else. */
	auto_fd int fd = fs_open_beneath(f->dir_fd, dir, O_RDONLY | O_DIRECTORY, 0, FS_NOLINKS);
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", dir);
	return gitrun_must(f->run, f->dir_fd, args, NULL, "git checkout", err);
}

/* Is one path at, below or above the other? */
static bool related(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), n = na < nb ? na : nb;

	if (n == 0)
		return true;
	return memcmp(a, b, n) == 0 && (na == nb || (na < nb ? b[n] : a[n]) == '/');
}

static int checkout(struct gitfetch *f, const char *subdir, const struct endpoint *p, bool deep,
	struct err **err);

static int checkout_submodule(struct gitfetch *f, const char *subdir, const struct endpoint *parent,
	const struct gitmodules_entry *m, struct err **err)
{
	auto_free char *path =
		*parent->path ? mem_printf("%s/%s", parent->path, m->path) : mem_strdup(m->path);
	auto_free char *shown = fs_printable(path);
	const char *why = "";
	char commit[GITFETCH_OID];

	if (*subdir && !related(path, subdir))
		return 0;
	if (!m->url)
		return err_set(err, ERR_CONTEXT,
			"submodule \"%s\": .gitmodules does not say where it comes from", shown);
	if (parent->depth == GITFETCH_DEPTH || f->nrepos > GITFETCH_SUBMODULES)
		return err_set(err, ERR_LIMIT, "submodule \"%s\": more than %d, or %d deep", shown,
			GITFETCH_SUBMODULES, GITFETCH_DEPTH);
	const char *url = giturl_submodule(f->arena, parent->remote, slice_of(m->url), &why);
	if (!url) {
		auto_free char *reason = fs_printable(why);
		return err_set(err, ERR_CONTEXT, "submodule \"%s\": %s", shown, reason);
	}
	struct endpoint p = {
		.repo = f->nrepos++,
		.remote = url,
		.commit = commit,
		.path = path,
		.depth = parent->depth + 1,
	};
	if (gitfetch_fetch(f, p.repo, url, NULL, m->commit, commit, err) < 0 ||
		checkout(f, subdir, &p, true, err) < 0)
		return err_prefix(err, "submodule \"%s\"", shown);
	return 0;
}

static int checkout(struct gitfetch *f, const char *subdir, const struct endpoint *p, bool deep,
	struct err **err)
{
	struct gitmodules m = {0};

	if (checkout_files(f, p, err) < 0)
		return -1;
	if (!deep)
		return 0;
	int r = gitmodules_read(f->run, f->dir_fd, git_dir(f, p->repo), p->commit, &m, err);
	for (size_t i = 0; i < m.n && r == 0; i++)
		r = checkout_submodule(f, subdir, p, &m.v[i], err);
	gitmodules_clear(&m);
	return r;
}

int gitfetch_checkout(struct gitfetch *f, const struct giturl *u, const char *commit,
	bool submodules, struct err **err)
{
	struct endpoint p = {.remote = u->remote, .commit = commit, .path = ""};

	if (mkdirat(f->dir_fd, "w", 0755) < 0)
		return err_sys(err, "directory for a checkout");
	return checkout(f, u->subdir, &p, submodules, err);
}

/* --- .git ----------------------------------------------------------------------------------- */

static int set_up(struct gitfetch *f, const char *const *args, struct err **err)
{
	return gitrun_must(f->run, f->dir_fd, args, NULL, "git", err);
}

int gitfetch_keep(struct gitfetch *f, const struct giturl *u, const struct gitfetch_ref *ref,
	struct err **err)
{
	const char *dir = git_dir(f, 0);
	const char *bare[] = {dir, "config", "core.bare", "false", NULL};
	const char *origin[] = {dir, "config", "remote.origin.url", u->remote, NULL};
	const char *specs[] = {
		dir, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*", NULL};
	const char *update[] = {dir, "update-ref", ref->name, ref->oid, NULL};
	const char *head[] = {dir, "symbolic-ref", "HEAD", ref->name, NULL};

	if (set_up(f, bare, err) < 0 || set_up(f, origin, err) < 0 || set_up(f, specs, err) < 0)
		return -1;
	if (ref->name && strncmp(ref->name, "refs/", 5) == 0) {
		if (set_up(f, update, err) < 0)
			return -1;
		if (strncmp(ref->name, "refs/heads/", 11) == 0 && set_up(f, head, err) < 0)
			return -1;
	}
	if (renameat(f->dir_fd, "g0", f->dir_fd, "w/.git") < 0)
		return err_sys(err, "the repository of a checkout");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A git repository as a layer. The ref becomes a commit first; the key is made of that and of what
 * the URL asks for, so the same commit is fetched once, by one process. Modes are the two that git
 * knows, times that of the commit, unless the URL asks for now. Work is done in a temporary
 * directory of the store, which goes in any case.
 */
#include "builder/git/git.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/git/gitauth.h"
#include "builder/git/gitfetch.h"
#include "builder/secrets/sshagent.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/now.h"
#include "store/cache.h"
#include "store/store.h"

int git_url(struct arena *a, const char *text, enum giturl_use use, struct giturl *out,
	struct err **err)
{
	const char *why = "";

	if (giturl_parse(a, slice_of(text), use, out, &why))
		return 0;
	auto_free char *shown = fs_printable(why);
	return err_set(err, ERR_CONTEXT, "%s", shown);
}

/* --- the files of a directory as a list ------------------------------------------------------ */

struct walk {
	struct layer_list *list;
	int root; /* entries name their data from here */
	int64_t mtime;
};

static int git_add_name(
	struct walk *w, int dir, const char *name, const char *path, struct err **err)
{
	struct layer_entry e = {.path = path, .mode = 0644, .mtime = w->mtime, .fd = -1};
	char link[LAYER_PATH_MAX + 1];
	struct stat st;
	ssize_t n;

	if (strncmp(name, ".wh.", 4) == 0) {
		auto_free char *shown = fs_printable(path);
		return err_set(
			err, ERR_BUILD, "%s: a layer cannot hold a file of this name", shown);
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "a checked out file");
	if (S_ISDIR(st.st_mode)) {
		e.type = LAYER_DIR;
		e.mode = 0755;
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, link, sizeof link);
		if (n < 0 || n > LAYER_PATH_MAX)
			return err_sys(err, "a checked out link");
		link[n] = '\0';
		e.type = LAYER_SYMLINK;
		e.mode = 0777;
		e.link = link;
	} else if (S_ISREG(st.st_mode)) {
		e.type = LAYER_FILE;
		e.mode = st.st_mode & S_IXUSR ? 0755 : 0644;
		e.size = (uint64_t)st.st_size;
		e.source = e.size ? LAYER_DATA_PATH : LAYER_NO_DATA;
		e.fd = w->root;
		e.src_path = path;
	} else {
		return 0;
	}
	layer_list_add(w->list, &e);
	return S_ISDIR(st.st_mode);
}

static int git_walk_dir(
	struct walk *w, int dir_fd, const char *path, unsigned depth, struct err **err)
{
	DIR *dir = fs_fdopendir(dir_fd);
	const struct dirent *e;
	int r = 0, more = 0;

	if (!dir)
		return err_sys(err, "a checked out directory");
	while (r >= 0 && (more = fs_readdir(dir, &e)) == 1) {
		auto_free char *name =
			*path ? mem_printf("%s/%s", path, e->d_name) : mem_strdup(e->d_name);
		if (strlen(name) > LAYER_PATH_MAX || depth > LAYER_DEPTH_MAX) {
			r = err_set(err, ERR_LIMIT, "a path in the repository is too long");
			break;
		}
		r = git_add_name(w, dirfd(dir), e->d_name, name, err);
		if (r <= 0)
			continue;
		int sub = openat(
			dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? err_sys(err, "a checked out directory")
			    : git_walk_dir(w, sub, name, depth + 1, err);
	}
	if (more < 0)
		r = err_sys(err, "a checked out directory");
	closedir(dir);
	return r < 0 ? -1 : 0;
}

static int git_write_files(
	struct store *s, int root, int64_t mtime, struct record *out, struct err **err)
{
	auto_layer_list struct layer_list *list = layer_list_new();
	struct walk w = {.list = list, .root = root, .mtime = mtime};
	int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(err, "a checked out directory");
	if (git_walk_dir(&w, dir, "", 0, err) < 0)
		return -1;
	return commit_list(s, list, out, err);
}

/* --- the layer --------------------------------------------------------------------------- */

struct work {
	const struct fetchenv *e;
	const struct giturl *u;
	struct gitrun run;
	struct gitfetch fetch;
	struct gitfetch_ref ref;
	char temp[64]; /* of fetch.dir_fd, in the store */
};

static bool keeps(const struct giturl *u)
{
	return u->keep_git_dir == 1 && !*u->subdir;
}

static void git_make_key(const struct work *w, struct digest *out)
{
	static const struct digest none;
	const struct giturl *u = w->u;
	struct sha256 h;

	cachekey_begin(&h, &none, "git");
	sha256_field_str(&h, w->ref.commit[0] ? w->ref.commit : w->ref.oid);
	sha256_field_str(&h, u->subdir);
	sha256_field_u64(&h, u->submodules != 0);
	sha256_field_u64(&h, u->checkout_time);
	sha256_field_u64(&h, keeps(u));
	/* Relative submodules and .git depend on where it came from. */
	sha256_field_str(&h, u->submodules != 0 || keeps(u) ? u->remote : NULL);
	sha256_field_str(&h, keeps(u) ? w->ref.name : NULL);
	sha256_final(&h, out);
}

static int git_check(const struct work *w, struct err **err)
{
	const char *want = w->u->checksum;
	const char *commit = w->ref.commit[0] ? w->ref.commit : w->ref.oid;
	size_t n = want ? strlen(want) : 0;

	if (strncmp(commit, want ? want : "", n) == 0 ||
		strncmp(w->ref.oid, want ? want : "", n) == 0)
		return 0;
	auto_free char *shown = fs_printable(w->u->remote);
	err_set(err, ERR_CORRUPT, "%s: commit %s, the checksum wants %s", shown, commit, want);
	return err_hint(err, "the ref moved, or the checksum belongs to another one");
}

static int git_fetch(struct work *w, struct err **err)
{
	auto_free char *shown = fs_printable(w->u->remote);
	auto_free char *text = mem_printf("fetching %s", shown);

	if (w->e->status)
		w->e->status(w->e->ctx, text);
	if (w->fetch.dir_fd < 0)
		w->fetch.dir_fd = store_temp_dir(w->e->s, w->temp, err);
	if (w->fetch.dir_fd < 0)
		return -1;
	return gitfetch_commit(&w->fetch, w->u, &w->ref, err);
}

static int git_make_layer(struct work *w, struct record *out, struct err **err)
{
	const struct giturl *u = w->u;
	int64_t mtime = now_seconds();

	if (git_check(w, err) < 0)
		return -1;
	if (!u->checkout_time && gitfetch_time(&w->fetch, w->ref.commit, &mtime, err) < 0)
		return -1;
	if (gitfetch_checkout(&w->fetch, u, w->ref.commit, u->submodules != 0, err) < 0 ||
		(keeps(u) && gitfetch_keep(&w->fetch, u, &w->ref, err) < 0))
		return -1;
	auto_fd int top = openat(w->fetch.dir_fd, "w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(err, "a checked out directory");
	/* A link in the repository may lead to another directory of it, and nowhere else. */
	auto_fd int root = fs_open_beneath(
		top, *u->subdir ? u->subdir : ".", O_RDONLY | O_DIRECTORY, 0, FS_IN_ROOT);
	if (root < 0) {
		auto_free char *dir = fs_printable(u->subdir);
		auto_free char *shown = fs_printable(u->remote);
		return err_set(err, ERR_CONTEXT, "%s: there is no directory \"%s\" in commit %.12s",
			shown, dir, w->ref.commit);
	}
	return git_write_files(w->e->s, root, mtime, out, err);
}

/* 1 it was there. Only one process fetches a commit. */
static int find_or_make(struct work *w, struct record *out, struct err **err)
{
	struct digest key;

	git_make_key(w, &key);
	int found = record_find(w->e->s, &key, out, err);
	if (found)
		return found < 0 ? -1 : 0;
	auto_fd int lock = cache_lock(w->e->s, &key, false, err);
	if (lock < 0)
		return -1;
	found = record_find(w->e->s, &key, out, err);
	if (found)
		return found < 0 ? -1 : 0;
	if ((w->fetch.nrepos == 0 && git_fetch(w, err) < 0) || git_make_layer(w, out, err) < 0)
		return -1;
	return record_put(w->e->s, &key, out, err);
}

static int git_run(struct work *w, struct record *out, struct err **err)
{
	int known = gitfetch_resolve(&w->run, w->u, &w->ref, err);

	if (known < 0)
		return -1;
	/* The beginning of a commit's name: what it means is known when it has been fetched. */
	if (!known && git_fetch(w, err) < 0)
		return -1;
	if (w->ref.commit[0] && git_check(w, err) < 0)
		return -1;
	return find_or_make(w, out, err);
}

/* What the caller may have expected to be sent. */
static void explain_access(const struct giturl *u, const struct sshagent *agent,
	const struct gitauth *auth, struct err **err)
{
	bool http = strncmp(u->remote, "http", 4) == 0;

	if (!err || !*err || err_get_kind(*err) != ERR_NET)
		return;
	if (auth->withheld)
		err_hint(err, "%s", auth->withheld);
	else if (!http && strncmp(u->remote, "git:", 4) != 0 && !agent)
		err_hint(err, "a repository that a Dockerfile names is asked for without the ssh "
			      "keys of the caller; --ssh default gives it the caller's agent");
}

int git_layer(
	const struct fetchenv *e, const struct giturl *u, struct record *out, struct err **err)
{
	auto_gitauth struct gitauth auth = {0};
	const struct sshagent *agent =
		e->foreign && e->agents ? sshagent_find(e->agents, "default") : NULL;
	auto_free char *socket = agent ? sshagent_path(agent) : NULL;

	if (gitauth_find(u, e, &auth, err) < 0)
		return -1;
	struct work w = {
		.e = e,
		.u = u,
		.run = {.proxies = e->proxies,
			.origin = auth.origin,
			.authorization = auth.header,
			.foreign = e->foreign,
			.agent = socket,
			.cancelled = e->cancelled},
		.fetch = {.dir_fd = -1, .arena = arena_new()},
	};

	w.fetch.run = &w.run;
	int r = git_run(&w, out, err);
	if (r < 0 && e->foreign)
		explain_access(u, agent, &auth, err);
	if (w.fetch.dir_fd >= 0) {
		close(w.fetch.dir_fd);
		store_discard(e->s, w.temp);
	}
	free(w.ref.name);
	arena_free(w.fetch.arena);
	return r;
}

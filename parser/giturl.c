// SPDX-License-Identifier: Apache-2.0
/*
 * Takes a git URL apart: remote, then query, then fragment; one value given in two ways has to be
 * the same. The login of an http URL is split from the remote, so that it reaches neither a command
 * line nor a message; git's own rules for refs are checked here, because a ref beginning with a
 * dash would be an option of git.
 */
#include "parser/giturl.h"

#include <string.h>

#include "parser/ast.h"
#include "parser/suggest.h"

#define CHECKSUM_MIN 4
#define CHECKSUM_MAX 64

bool giturl_is(struct slice text, enum giturl_use use)
{
	if (ast_is_git_url(text))
		return true;
	return use == GITURL_CONTEXT && slice_starts(text, "github.com/");
}

/* The text is shown without its login: what is no URL yet may hold a password all the same. */
static bool giturl_fail(struct arena *a, const char **why, const char *what, struct slice text)
{
	size_t colon = slice_find(text, ':', 0), at = text.len, from = 0;

	if (slice_starts(slice_from(text, colon), "://")) {
		from = colon + 3;
		/* The last @ of the authority ends the login. */
		for (size_t i = from; i < text.len && text.ptr[i] != '/'; i++)
			if (text.ptr[i] == '@')
				at = i;
	}
	if (at == text.len)
		*why = arena_printf(a, "%s \"%.*s\"", what, SLICE_ARG(text)).ptr;
	else
		*why = arena_printf(a, "%s \"%.*s***%.*s\"", what,
			SLICE_ARG(slice_sub(text, 0, from)), SLICE_ARG(slice_from(text, at)))
			       .ptr;
	return false;
}

static bool giturl_plain(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

static int giturl_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX decoded. */
static struct slice giturl_decode(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int hi = i + 2 < s.len && s.ptr[i] == '%' ? giturl_hex(s.ptr[i + 1]) : -1;
		int lo = hi < 0 ? -1 : giturl_hex(s.ptr[i + 2]);
		if (lo >= 0) {
			out[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			out[n++] = s.ptr[i];
		}
	}
	return (struct slice){out, n};
}

const char *giturl_checksum(struct arena *a, struct slice text)
{
	if (text.len < CHECKSUM_MIN || text.len > CHECKSUM_MAX)
		return NULL;
	char *out = arena_alloc(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		if (giturl_hex(text.ptr[i]) < 0)
			return NULL;
		out[i] = "0123456789abcdef"[giturl_hex(text.ptr[i])];
	}
	return out;
}

/* What git-check-ref-format wants, and nothing that looks like an option. */
static bool ref_ok(struct slice s)
{
	if (!giturl_plain(s) || s.len == 0 || s.ptr[0] == '-' || s.ptr[0] == '/' ||
		s.ptr[0] == '.' || s.ptr[s.len - 1] == '/' || s.ptr[s.len - 1] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (strchr("~^:?*[\\", s.ptr[i]))
			return false;
	return slice_find_str(s, "..") == s.len && slice_find_str(s, "@{") == s.len &&
	       slice_find_str(s, "//") == s.len && slice_find_str(s, "/.") == s.len;
}

/* --- what query and fragment say ------------------------------------------------------------ */

static bool giturl_set_text(
	struct arena *a, const char **slot, struct slice value, const char *what, const char **why)
{
	const char *text = arena_copy(a, value).ptr;

	if (*slot && **slot && strcmp(*slot, text) != 0) {
		*why = arena_printf(a, "%s is given twice: \"%s\" and \"%s\"", what, *slot, text)
			       .ptr;
		return false;
	}
	*slot = text;
	return true;
}

static bool set_ref(struct arena *a, struct giturl *u, enum giturl_ref kind, struct slice value,
	const char **why)
{
	if (!ref_ok(value))
		return giturl_fail(a, why, "this is no name of a branch, tag or commit:", value);
	if (!giturl_set_text(a, &u->ref, value, "the ref", why))
		return false;
	if (u->kind != GITURL_ANY && kind != GITURL_ANY && u->kind != kind) {
		*why = "a ref is a tag or a branch, not both";
		return false;
	}
	if (kind != GITURL_ANY)
		u->kind = kind;
	return true;
}

/* "/a//./b/" -> "a/b" */
static bool set_subdir(struct arena *a, struct giturl *u, struct slice value, const char **why)
{
	char *clean = arena_alloc(a, value.len + 2);
	size_t n = 0;

	for (size_t at = 0; at < value.len;) {
		size_t end = slice_find(value, '/', at);
		struct slice part = slice_sub(value, at, end - at);
		at = end + 1;
		if (slice_has(part, '\0') || slice_eq_str(part, ".."))
			return giturl_fail(
				a, why, "the directory leads out of the repository:", value);
		if (part.len == 0 || slice_eq_str(part, "."))
			continue;
		if (n)
			clean[n++] = '/';
		memcpy(clean + n, part.ptr, part.len);
		n += part.len;
	}
	return giturl_set_text(a, &u->subdir, (struct slice){clean, n}, "the directory", why);
}

static bool set_bool(struct arena *a, int *slot, struct slice value, const char **why)
{
	bool yes = value.len == 0 || slice_eq_nocase(value, "true") || slice_eq_str(value, "1");

	if (!yes && !slice_eq_nocase(value, "false") && !slice_eq_str(value, "0"))
		return giturl_fail(a, why, "expected true or false, not", value);
	if (*slot >= 0 && *slot != yes)
		return giturl_fail(a, why, "given twice, with different values:", value);
	*slot = yes;
	return true;
}

static bool set_checksum(struct arena *a, struct giturl *u, struct slice value, const char **why)
{
	const char *sum = giturl_checksum(a, value);

	if (!sum)
		return giturl_fail(
			a, why, "a checksum is 4 to 64 hexadecimal digits of a commit, not", value);
	return giturl_set_text(a, &u->checksum, slice_of(sum), "the checksum", why);
}

static bool set_mtime(struct arena *a, struct giturl *u, struct slice value, const char **why)
{
	u->checkout_time = slice_eq_str(value, "checkout");
	return u->checkout_time || slice_eq_str(value, "commit") ||
	       giturl_fail(a, why, "mtime is \"commit\" or \"checkout\", not", value);
}

static bool set_key(
	struct arena *a, struct giturl *u, struct slice key, struct slice value, const char **why)
{
	static const char *const keys[] = {"ref", "tag", "branch", "subdir", "checksum", "commit",
		"keep-git-dir", "submodules", "mtime"};

	if (slice_eq_str(key, "ref"))
		return set_ref(a, u, GITURL_ANY, value, why);
	if (slice_eq_str(key, "tag"))
		return set_ref(a, u, GITURL_TAG, value, why);
	if (slice_eq_str(key, "branch"))
		return set_ref(a, u, GITURL_BRANCH, value, why);
	if (slice_eq_str(key, "subdir"))
		return set_subdir(a, u, value, why);
	if (slice_eq_str(key, "checksum") || slice_eq_str(key, "commit"))
		return set_checksum(a, u, value, why);
	if (slice_eq_str(key, "keep-git-dir"))
		return set_bool(a, &u->keep_git_dir, value, why);
	if (slice_eq_str(key, "submodules"))
		return set_bool(a, &u->submodules, value, why);
	if (slice_eq_str(key, "mtime"))
		return set_mtime(a, u, value, why);
	const char *near = suggest_nearest(key, keys, sizeof keys / sizeof *keys);
	*why = arena_printf(a, "unknown key \"%.*s\"%s%s%s", SLICE_ARG(key),
		near ? " (did you mean " : "", near ? near : "", near ? "?)" : "")
		       .ptr;
	return false;
}

static bool take_query(struct arena *a, struct giturl *u, struct slice query, const char **why)
{
	for (size_t at = 0; at < query.len;) {
		size_t end = slice_find(query, '&', at);
		struct slice pair = slice_sub(query, at, end - at);
		size_t eq = slice_find(pair, '=', 0);
		at = end + 1;
		if (pair.len == 0)
			continue;
		if (!set_key(a, u, giturl_decode(a, slice_sub(pair, 0, eq)),
			    giturl_decode(a, slice_from(pair, eq + 1)), why))
			return false;
	}
	return true;
}

static bool take_fragment(struct arena *a, struct giturl *u, struct slice text, const char **why)
{
	struct slice fragment = giturl_decode(a, text);
	size_t colon = slice_find(fragment, ':', 0);
	struct slice ref = slice_sub(fragment, 0, colon);

	if (ref.len && !set_ref(a, u, GITURL_ANY, ref, why))
		return false;
	return colon >= fragment.len || set_subdir(a, u, slice_from(fragment, colon + 1), why);
}

/* --- the remote ------------------------------------------------------------------------------- */

/* "//user@host/..." behind a scheme: where the host begins, and how long it is. */
static bool giturl_split_host(struct slice rest, struct slice *login, struct slice *host)
{
	size_t end = slice_find(rest, '/', 0);
	struct slice authority = slice_sub(rest, 0, end);
	size_t at = authority.len;

	while (at && authority.ptr[at - 1] != '@')
		at--;
	*login = at ? slice_sub(authority, 0, at - 1) : (struct slice){0};
	*host = slice_from(authority, at);
	return host->len && host->ptr[0] != '-' && !(login->len && login->ptr[0] == '-') &&
	       end < rest.len;
}

static bool giturl_take_url(struct arena *a, struct giturl *u, struct slice text, const char **why)
{
	size_t scheme = slice_find_str(text, "://") + 3;
	struct slice rest = slice_from(text, scheme), login, host;

	if (!giturl_split_host(rest, &login, &host))
		return giturl_fail(a, why, "not the URL of a repository:", text);
	if (!slice_starts(text, "http")) {
		u->remote = arena_copy(a, text).ptr;
		return true;
	}
	if (login.ptr)
		u->login = giturl_decode(a, login).ptr;
	struct slice path = slice_from(rest, (size_t)(host.ptr - rest.ptr));
	u->remote = arena_printf(a, "%.*s%.*s", (int)scheme, text.ptr, SLICE_ARG(path)).ptr;
	return true;
}

static bool take_remote(struct arena *a, struct giturl *u, struct slice text, const char **why)
{
	if (slice_starts(text, "github.com/")) {
		size_t n = text.len;
		while (n && text.ptr[n - 1] == '/')
			n--;
		bool git = n > 4 && memcmp(text.ptr + n - 4, ".git", 4) == 0;
		u->remote =
			arena_printf(a, "https://%.*s%s", (int)n, text.ptr, git ? "" : ".git").ptr;
		return true;
	}
	if (slice_find_str(text, "://") < text.len)
		return giturl_take_url(a, u, text, why);
	/* git@HOST:PATH */
	struct slice rest = slice_from(text, 4);
	size_t colon = slice_find(rest, ':', 0);
	if (!slice_starts(text, "git@") || colon == 0 || colon + 1 >= rest.len ||
		rest.ptr[0] == '-' || rest.ptr[colon + 1] == '-')
		return giturl_fail(a, why, "not the URL of a repository:", text);
	u->remote = arena_copy(a, text).ptr;
	return true;
}

bool giturl_parse(struct arena *a, struct slice text, enum giturl_use use, struct giturl *out,
	const char **why)
{
	struct giturl u = {.ref = "", .subdir = "", .keep_git_dir = -1, .submodules = -1};
	size_t hash = slice_find(text, '#', 0);
	struct slice front = slice_sub(text, 0, hash);
	size_t query = slice_find(front, '?', 0);

	if (!giturl_is(text, use))
		return giturl_fail(a, why, "not the URL of a repository:", text);
	if (text.len > GITURL_MAX) {
		*why = "the URL is too long";
		return false;
	}
	if (!giturl_plain(front))
		return giturl_fail(a, why, "blanks or control characters in the URL:", text);
	if (!take_remote(a, &u, slice_sub(front, 0, query), why) ||
		!take_query(a, &u, slice_from(front, query + 1), why) ||
		!take_fragment(a, &u, slice_from(text, hash + 1), why))
		return false;
	if (u.checksum && !*u.ref && (strlen(u.checksum) == 40 || strlen(u.checksum) == 64))
		u.ref = u.checksum;
	*out = u;
	return true;
}

/* --- submodules ----------------------------------------------------------------------------- */

/* Length of the part of a URL that ".." does not remove. */
static size_t root_length(const char *parent)
{
	const char *scheme = strstr(parent, "://");

	if (scheme)
		return (size_t)(scheme + 3 - parent) + strcspn(scheme + 3, "/");
	return strcspn(parent, ":") + 1;
}

/* "../x" from where the parent is: one step up for each "../", never above its server. */
static const char *giturl_climb(
	struct arena *a, const char *parent, struct slice url, const char **why)
{
	size_t root = root_length(parent), n = strlen(parent);
	struct slice rest = url;

	while (n > root && parent[n - 1] == '/')
		n--;
	while (slice_starts(rest, "./") || slice_starts(rest, "../")) {
		bool up = slice_starts(rest, "../");

		rest = slice_from(rest, up ? 3 : 2);
		if (!up)
			continue;
		if (n <= root) {
			giturl_fail(a, why, "the URL leads above its server:", url);
			return NULL;
		}
		while (n > root && parent[n - 1] != '/')
			n--;
		n -= n > root;
	}
	const char *join = n && parent[n - 1] == ':' ? "" : "/";
	return arena_printf(a, "%.*s%s%.*s", (int)n, parent, join, SLICE_ARG(rest)).ptr;
}

const char *giturl_submodule(
	struct arena *a, const char *parent, struct slice url, const char **why)
{
	static const char *const known[] = {"https://", "http://", "ssh://", "git://", "git@"};
	struct giturl u = {0};

	if (!giturl_plain(url) || url.len > GITURL_MAX) {
		giturl_fail(a, why, "blanks or control characters in the URL", url);
		return NULL;
	}
	if (slice_starts(url, "./") || slice_starts(url, "../"))
		return giturl_climb(a, parent, url, why);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (slice_starts(url, known[i]))
			return take_remote(a, &u, url, why) ? u.remote : NULL;
	giturl_fail(a, why, "not a URL of http, https, ssh or git:", url);
	return NULL;
}

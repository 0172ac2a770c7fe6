// SPDX-License-Identifier: Apache-2.0
/*
 * The submodules of a commit: links from its tree, URLs from its .gitmodules, brought together by
 * path. Both are read by git with NUL between entries, since names may hold anything else.
 */
#include "builder/git/gitmodules.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"

#define MODE_LINK "160000 commit "

/* "160000 commit OID\tPATH", NUL behind each. */
static void take_links(const struct buf *tree, struct gitmodules *out)
{
	for (const char *p = tree->data; p < tree->data + tree->len; p += strlen(p) + 1) {
		const char *tab = strchr(p, '\t');
		size_t mode = strlen(MODE_LINK);
		if (!tab || strncmp(p, MODE_LINK, mode) != 0)
			continue;
		MEM_PUSH(out->v, out->n, out->cap) = (struct gitmodules_entry){
			.path = mem_strdup(tab + 1),
			.commit = mem_strndup(p + mode, (size_t)(tab - p) - mode),
		};
	}
}

/* "submodule.NAME.path" -> the name, with room for what is written behind it. */
static bool split_key(const char *key, const char *last, char **name)
{
	static const char front[] = "submodule.";
	size_t n = strlen(key), k = strlen(last), f = sizeof front - 1;

	if (n <= f + k || strncmp(key, front, f) != 0 || strcmp(key + n - k, last) != 0)
		return false;
	*name = mem_strndup(key + f, n - f - k);
	return true;
}

/* "KEY\nVALUE" with NUL behind each: urls by name, then paths find theirs. */
static void take_urls(const struct buf *config, struct gitmodules *out)
{
	auto_strlist struct strlist urls = {0};

	for (int pass = 0; pass < 2; pass++) {
		const char *end = config->data + config->len;
		for (const char *p = config->data; p < end; p += strlen(p) + 1) {
			auto_free char *name = NULL;
			const char *value = strchr(p, '\n');
			auto_free char *key = mem_strndup(p, strcspn(p, "\n"));
			if (!value || !split_key(key, pass ? ".path" : ".url", &name) ||
				strchr(name, '='))
				continue;
			if (!pass)
				strlist_set_kv(&urls, name, value + 1);
			for (size_t i = 0; pass && i < out->n; i++) {
				const char *url = strlist_get_kv(&urls, name);
				if (url && strcmp(out->v[i].path, value + 1) == 0) {
					free(out->v[i].url);
					out->v[i].url = mem_strdup(url);
				}
			}
		}
	}
}

int gitmodules_read(const struct gitrun *g, int dir_fd, const char *git_dir, const char *commit,
	struct gitmodules *out, struct err **err)
{
	const char *tree[] = {git_dir, "ls-tree", "-r", "-z", "--full-tree", commit, NULL};
	auto_free char *blob = mem_printf("--blob=%s:.gitmodules", commit);
	const char *config[] = {git_dir, "config", "-z", blob, "--get-regexp",
		"^submodule\\..*\\.(path|url)$", NULL};
	auto_buf struct buf text = {0};

	buf_init(&text, GITRUN_OUT_MAX);
	if (gitrun_must(g, dir_fd, tree, &text, "git ls-tree", err) < 0)
		return -1;
	take_links(&text, out);
	if (!out->n)
		return 0;
	buf_reset(&text);
	/* No such file, or nothing in it: then no link has a URL. */
	int status = gitrun(g, dir_fd, config, &text, NULL, err);
	if (status < 0)
		return -1;
	if (status == 0)
		take_urls(&text, out);
	return 0;
}

void gitmodules_clear(struct gitmodules *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].commit);
		free(m->v[i].url);
	}
	free(m->v);
	*m = (struct gitmodules){0};
}

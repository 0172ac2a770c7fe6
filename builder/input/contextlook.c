// SPDX-License-Identifier: Apache-2.0
/*
 * "bld context": what would be in the context and which line of the ignore file decided. A
 * directory that is ignored is entered only if a rule could bring something below it back. Whether
 * the Dockerfile takes a file is told from its words unexpanded; one with a variable may take
 * anything.
 */
#include "builder/input/contextlook.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/ast.h"
#include "parser/ignore.h"
#include "parser/mountopt.h"
#include "parser/pattern.h"
#include "parser/source.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/path.h"

/* --- what the Dockerfile takes -------------------------------------------------------------- */

struct uses {
	bool all;
	struct pattern **v; /* owned */
	size_t n;
	size_t cap;
};

static void uses_clear(struct uses *u)
{
	for (size_t i = 0; i < u->n; i++)
		pattern_free(u->v[i]);
	free(u->v);
}

/* A word whose value is known only when it is built may be anything. */
static void add_use(struct uses *u, struct slice word)
{
	if (slice_has(word, '$') || slice_has(word, '"') || slice_has(word, '\'') ||
		slice_has(word, '\\')) {
		u->all = true;
		return;
	}
	if (ast_is_http_url(word) || ast_is_git_url(word))
		return;
	auto_free char *text = mem_strndup(word.ptr, word.len);
	auto_free char *clean = path_absolute("/", text);
	struct pattern *p = clean[1] ? pattern_new(slice_of(clean + 1), PATTERN_FILE) : NULL;
	if (p)
		MEM_PUSH(u->v, u->n, u->cap) = p;
	else
		u->all = true;
}

static void add_instruction(struct uses *u, const struct ast_instruction *ins)
{
	if ((ins->keyword == AST_COPY || ins->keyword == AST_ADD) && !ins->copy.from.text.ptr)
		for (size_t i = 0; i < ins->copy.sources.count; i++)
			add_use(u, ins->copy.sources.items[i].text);
	if (ins->keyword != AST_RUN)
		return;
	for (size_t i = 0; i < ins->run.nmounts; i++) {
		const struct ast_mount *m = &ins->run.mounts[i];
		bool reads = m->type_word.text.ptr || mountopt_type(m->type)->reads_context;
		if (reads && !m->from.text.ptr)
			add_use(u, m->source.text.ptr ? m->source.text : SLICE("/"));
	}
}

static void find_uses(struct uses *u, const struct dockerfile *df)
{
	u->all = !df;
	for (size_t s = 0; df && s < df->nstages; s++)
		for (size_t i = 0; i < df->stages[s].body.count; i++)
			add_instruction(u, df->stages[s].body.items[i]);
}

static bool contextlook_is_used(const struct uses *u, const char *path)
{
	for (size_t i = 0; !u->all && i < u->n; i++)
		if (pattern_test_parents(u->v[i], slice_of(path)))
			return true;
	return u->all;
}

/* --- the walk ------------------------------------------------------------------------------- */

struct look {
	struct contextlook *out;
	const struct ignore *rules;
	struct uses uses;
	bool *decided; /* by line */
	size_t nlines;
	struct err **err;
};

static void contextlook_add(struct look *k, const char *path, const struct stat *st, size_t line)
{
	struct contextlook *l = k->out;
	struct contextlook_file f = {
		.path = mem_strdup(path), .line = line, .dir = S_ISDIR(st->st_mode)};

	if (S_ISREG(st->st_mode))
		f.size = (uint64_t)st->st_size;
	if (line) {
		l->nignored++;
	} else {
		l->nfiles++;
		l->bytes += f.size;
		f.used = contextlook_is_used(&k->uses, path);
	}
	MEM_PUSH(l->v, l->n, l->cap) = f;
}

static int contextlook_walk(struct look *k, int dir_fd, const char *dir, unsigned depth);

static int contextlook_visit(
	struct look *k, int fd, const char *dir, const char *name, unsigned depth)
{
	auto_free char *path = *dir ? mem_printf("%s/%s", dir, name) : mem_strdup(name);
	auto_free char *shown = fs_printable(path);
	struct stat st;
	size_t line = 0;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys_kind(k->err, ERR_CONTEXT, "%s", shown);
	bool out = k->rules && ignore_match(k->rules, slice_of(path), &line);
	if (line < k->nlines)
		k->decided[line] = true;
	if (k->out->n >= CONTEXTLOOK_FILES_MAX)
		return err_set(k->err, ERR_LIMIT, "more than %d files in the context",
			CONTEXTLOOK_FILES_MAX);
	if (!S_ISDIR(st.st_mode)) {
		contextlook_add(k, path, &st, out ? line : 0);
		return 0;
	}
	if (out && !ignore_may_contain(k->rules, slice_of(path))) {
		contextlook_add(k, path, &st, line);
		return 0;
	}
	if (depth >= CONTEXTLOOK_DEPTH_MAX)
		return err_set(k->err, ERR_LIMIT, "directories are more than %d deep",
			CONTEXTLOOK_DEPTH_MAX);
	auto_fd int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys_kind(k->err, ERR_CONTEXT, "%s", shown);
	return contextlook_walk(k, TAKE_FD(sub), path, depth + 1);
}

/* dir_fd is taken. */
static int contextlook_walk(struct look *k, int dir_fd, const char *dir, unsigned depth)
{
	DIR *d = fs_fdopendir(dir_fd);
	const struct dirent *e;
	int r = 0, more = 0;

	if (!d)
		return err_sys_kind(k->err, ERR_CONTEXT, "the context directory");
	while (r == 0 && (more = fs_readdir(d, &e)) == 1)
		r = contextlook_visit(k, dirfd(d), dir, e->d_name, depth);
	if (more < 0)
		r = err_sys_kind(k->err, ERR_CONTEXT, "the context directory");
	closedir(d);
	return r;
}

static int contextlook_by_path(const void *a, const void *b)
{
	const struct contextlook_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void find_idle(struct look *k)
{
	struct contextlook *l = k->out;

	for (size_t i = 1; i < k->nlines; i++) {
		struct slice text = slice_trim(source_line(ignore_source(k->rules), i));
		if (!k->decided[i] && text.len && text.ptr[0] != '#')
			MEM_PUSH(l->idle, l->nidle, l->cap_idle) = i;
	}
}

int contextlook_make(const struct context *c, const struct dockerfile *df, struct contextlook *out,
	struct err **err)
{
	struct look k = {.out = out, .rules = c->ignore.rules, .err = err};

	*out = (struct contextlook){0};
	if (c->dir_fd < 0)
		return err_set(err, ERR_UNSUPPORTED,
			"%s is no directory: there are no ignore rules to look at", c->shown);
	auto_fd int fd = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "the context directory");
	k.nlines = k.rules ? ignore_source(k.rules)->nlines + 1 : 0;
	k.decided = mem_array(k.nlines + 1, sizeof *k.decided);
	find_uses(&k.uses, df);
	int r = contextlook_walk(&k, TAKE_FD(fd), "", 0);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, contextlook_by_path);
	if (r == 0)
		find_idle(&k);
	uses_clear(&k.uses);
	free(k.decided);
	return r;
}

void contextlook_clear(struct contextlook *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	free(l->idle);
	*l = (struct contextlook){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * --secret: files and variables into memory of their own, without core dumps and, where the limit
 * allows, locked. A variable is removed from the environment and wiped where the kernel shows it as
 * /proc/PID/environ, after all are read, as two secrets may be of one variable. Variables of
 * proxies stay, for bld itself and its children use them.
 */
#include "builder/secrets/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define ARGUMENTS_MAX ((uintptr_t)8 << 20) /* the kernel takes 6 MiB, with the environment */

struct spec {
	char *id;
	char *src;
	char *env;
};

static void spec_clear(struct spec *s)
{
	free(s->id);
	free(s->src);
	free(s->env);
}

static int take_option(struct spec *s, const char *text, const char *key, size_t klen,
	const char *value, struct err **err)
{
	const struct {
		const char *name;
		char **to;
	} known[] = {{"id", &s->id}, {"src", &s->src}, {"source", &s->src}, {"env", &s->env}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != klen || strncmp(known[i].name, key, klen) != 0)
			continue;
		free(*known[i].to);
		*known[i].to = mem_strdup(value);
		return 0;
	}
	if (klen == 4 && strncmp(key, "type", 4) == 0 &&
		(strcmp(value, "file") == 0 || strcmp(value, "env") == 0))
		return 0;
	return err_set(
		err, ERR_USAGE, "--secret %s: unknown option \"%.*s\"", text, (int)klen, key);
}

static int parse_spec(const char *text, struct spec *s, struct err **err)
{
	auto_free char *copy = mem_strdup(text);
	char *save = NULL;

	for (char *part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(part, '=');
		if (!eq)
			return err_set(err, ERR_USAGE,
				"--secret %s: expected id=NAME,src=FILE or id=NAME,env=VARIABLE",
				text);
		if (take_option(s, text, part, (size_t)(eq - part), eq + 1, err) < 0)
			return -1;
	}
	if (!s->id || !*s->id)
		return err_set(err, ERR_USAGE, "--secret %s: id= is missing", text);
	if (s->src && s->env)
		return err_set(err, ERR_USAGE, "--secret %s: give src= or env=, not both", text);
	/* Without either, the variable of that name, else the file of that name (docker's order).
	 */
	if (!s->src && !s->env)
		*(getenv(s->id) ? &s->env : &s->src) = mem_strdup(s->id);
	return 0;
}

static int secrets_keep(struct secret *out, const char *p, size_t n, struct err **err)
{
	void *m = mmap(NULL, n + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return err_sys(err, "memory for a secret");
	madvise(m, n + 1, MADV_DONTDUMP);
	mlock(m, n + 1); /* best effort: RLIMIT_MEMLOCK may be small */
	memcpy(m, p, n);
	out->data = m;
	out->len = n;
	return 0;
}

/* bld asks through these itself, and so do its children. */
static bool stays(const char *name)
{
	size_t n = strlen(name);

	return n > 6 && strcasecmp(name + n - 6, "_proxy") == 0;
}

/*
 * Out of the environment and wiped, so that no child (credential helpers) has it, nor what the
 * kernel shows as /proc/PID/environ: that is the memory behind the arguments in which the variables
 * came. One that has to stay is elsewhere afterwards.
 */
static void hide_variable(const char *name)
{
	size_t len = strlen(name);
	char **to = environ;

	for (char **v = environ; *v; v++) {
		char *came = *v;
		uintptr_t behind = (uintptr_t)came - (uintptr_t)program_invocation_name;

		if (strncmp(came, name, len) != 0 || came[len] != '=') {
			*to++ = came;
			continue;
		}
		if (stays(name))
			*to++ = behind < ARGUMENTS_MAX ? mem_strdup(came) : came;
		if (!stays(name) || behind < ARGUMENTS_MAX)
			explicit_bzero(came, strlen(came));
	}
	*to = NULL;
}

static int secrets_load_one(const struct spec *s, struct secret *out, struct err **err)
{
	auto_buf struct buf b = {0};

	if (s->env) {
		const char *v = getenv(s->env);
		if (!v)
			return err_set(err, ERR_CONTEXT,
				"--secret id=%s: the environment has no %s", s->id, s->env);
		return secrets_keep(out, v, strlen(v), err);
	}
	buf_init(&b, SECRETS_SIZE_MAX);
	if (fs_read_file(AT_FDCWD, s->src, SECRETS_SIZE_MAX, &b, err) < 0) {
		err_rekind(err, ERR_CONTEXT);
		return err_prefix(err, "--secret id=%s", s->id);
	}
	int r = secrets_keep(out, b.data, b.len, err);
	explicit_bzero(b.data, b.len);
	return r;
}

static struct mask *make_mask(const struct secrets *s)
{
	auto_free struct mask_value *v = mem_array(s->n + 1, sizeof *v);

	for (size_t i = 0; i < s->n; i++)
		v[i] = (struct mask_value){s->v[i].data, s->v[i].len};
	return mask_new(v, s->n, true);
}

int secrets_load(const struct strlist *specs, struct secrets *out, struct err **err)
{
	struct secrets all = {.v = mem_alloc((specs->n + 1) * sizeof *all.v)};

	if (specs->n > SECRETS_MAX) {
		free(all.v);
		return err_set(err, ERR_LIMIT, "more than %d secrets", SECRETS_MAX);
	}
	auto_strlist struct strlist variables = {0};
	for (size_t i = 0; i < specs->n; i++) {
		struct spec s = {0};
		int r = parse_spec(specs->v[i], &s, err);
		if (r == 0)
			r = secrets_load_one(&s, &all.v[all.n], err);
		if (r == 0)
			all.v[all.n++].id = mem_strdup(s.id);
		if (s.env)
			strlist_add(&variables, s.env);
		spec_clear(&s);
		if (r < 0) {
			secrets_clear(&all);
			return -1;
		}
	}
	/* Not before all are there: two may be of one variable. */
	for (size_t i = 0; i < variables.n; i++)
		hide_variable(variables.v[i]);
	all.mask = make_mask(&all);
	*out = all;
	return 0;
}

const struct secret *secrets_find(const struct secrets *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].id, id) == 0)
			return &s->v[i];
	return NULL;
}

void secrets_clear(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].id);
		explicit_bzero(s->v[i].data, s->v[i].len);
		munmap(s->v[i].data, s->v[i].len + 1);
	}
	mask_free(s->mask);
	free(s->v);
	*s = (struct secrets){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Reads tests/cases: fields between tabs, lines of @ for settings, ;; for remarks. Visible
 * stand-ins for newline, space and nothing are decoded in place, so fields point into the text of
 * the file.
 */
#include "tests/support/casefile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *casefile_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rbe");
	char *text = NULL;
	size_t cap = 0, n = 0;

	if (!f)
		return NULL;
	do {
		cap = cap ? cap * 2 : 4096;
		text = realloc(text, cap + 1);
		if (!text)
			abort();
		n += fread(text + n, 1, cap - n, f);
	} while (n == cap);
	fclose(f);
	text[n] = '\0';
	if (len)
		*len = n;
	return text;
}

void casefile_open(struct casefile *c, const char *path)
{
	memset(c, 0, sizeof *c);
	c->path = path;
	c->text = c->next = casefile_read(path, NULL);
	if (!c->text) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
}

void casefile_close(struct casefile *c)
{
	free(c->text);
	c->text = NULL;
}

/* The visible stand-ins to what they stand for, in place. */
static void decode(char *s)
{
	static const struct {
		const char *from, *to;
	} marks[] = {{"\xe2\x8f\x8e", "\n"}, {"\xe2\x88\x85", ""}, {"\xe2\x90\xa3", " "}};
	char *out = s;

	while (*s) {
		size_t i = 0;

		while (i < 3 && strncmp(s, marks[i].from, 3) != 0)
			i++;
		if (i < 3) {
			out = stpcpy(out, marks[i].to);
			s += 3;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static void split(struct casefile *c, char *line, const char *separators)
{
	char *save = NULL;

	c->count = 0;
	for (char *f = strtok_r(line, separators, &save); f && c->count < CASEFILE_FIELDS;
		f = strtok_r(NULL, separators, &save)) {
		decode(f);
		c->field[c->count++] = f;
	}
}

bool casefile_next(struct casefile *c)
{
	while (*c->next) {
		char *line = c->next;
		char *end = strchrnul(line, '\n');

		c->line++;
		c->next = *end ? end + 1 : end;
		*end = '\0';
		if (!*line || !strncmp(line, ";;", 2))
			continue;
		c->directive = *line == '@';
		if (!c->directive) {
			split(c, line, "\t");
			return true;
		}
		c->field[0] = line + 1;
		end = strchrnul(line, ' ');
		c->count = *end ? 2 : 1;
		c->field[1] = *end ? end + 1 : end;
		*end = '\0';
		return true;
	}
	return false;
}

size_t casefile_each(
	const char *dir, const char *suffix, void (*fn)(const char *path, void *ctx), void *ctx)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);
	size_t found = 0;

	if (n < 0) {
		fprintf(stderr, "cannot read %s\n", dir);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name), tail = strlen(suffix);
		char path[4096];

		if (len > tail && !strcmp(names[i]->d_name + len - tail, suffix)) {
			snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
			fn(path, ctx);
			found++;
		}
		free(names[i]);
	}
	free(names);
	return found;
}

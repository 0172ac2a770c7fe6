// SPDX-License-Identifier: Apache-2.0
/*
 * What the text of a context means, without opening it. A directory goes before a git URL of the
 * same text; only named contexts may be images or layouts.
 */
#include "builder/input/contextspec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/ast.h"
#include "parser/giturl.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/reference.h"

static bool starts(const char *text, const char *with, const char **rest)
{
	size_t n = strlen(with);

	if (strncmp(text, with, n) != 0)
		return false;
	*rest = text + n;
	return true;
}

static int contextspec_take_image(const char *ref, struct contextspec *out, struct err **err)
{
	auto_reference struct reference r = {0};

	if (reference_parse(ref, &r, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "docker-image://");
	}
	out->kind = CONTEXTSPEC_IMAGE;
	out->text = mem_strdup(ref);
	return 0;
}

/* "DIR", "DIR:TAG", "DIR@sha256:..." -> "oci:DIR...". A colon in front of a slash is part of DIR,
 * which the transport cannot say. */
static int take_layout(const char *rest, struct contextspec *out, struct err **err)
{
	const char *at = strstr(rest, "@sha256:");
	const char *slash = strrchr(rest, '/');
	const char *colon = strrchr(rest, ':');
	auto_free char *shown = fs_printable(rest);
	struct digest d;

	if (at && sha256_parse_string(at + 1, &d) < 0)
		return err_set(
			err, ERR_USAGE, "oci-layout:%s: a digest has 64 hexadecimal digits", shown);
	if (!at && colon && slash && colon < slash)
		colon = NULL;
	const char *end = at ? at : colon ? colon : rest + strlen(rest);
	if (end == rest || memchr(rest, ':', (size_t)(end - rest)))
		return err_set(err, ERR_USAGE,
			"oci-layout:%s: expected DIR, DIR:TAG or DIR@DIGEST, without colons in DIR",
			shown);
	out->kind = CONTEXTSPEC_IMAGE;
	out->text = at ? mem_printf("oci:%.*s:%s", (int)(at - rest), rest, at)
		       : mem_printf("oci:%s", rest);
	return 0;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int take_named(const char *text, struct contextspec *out, struct err **err)
{
	auto_free char *shown = fs_printable(text);
	const char *rest;

	if (starts(text, "docker-image://", &rest))
		return contextspec_take_image(rest, out, err);
	if (starts(text, "oci-layout://", &rest) || starts(text, "oci-layout:", &rest))
		return take_layout(rest, out, err);
	if (starts(text, "target:", &rest)) {
		err_set(err, ERR_USAGE, "%s: targets of a bake file are not supported", shown);
		return err_hint(err, "a stage of this Dockerfile is named as it is");
	}
	if (strcmp(text, "-") == 0)
		return err_set(err, ERR_USAGE, "only the main context can be standard input");
	return 1;
}

int contextspec_parse(const char *text, bool named, struct contextspec *out, struct err **err)
{
	struct slice s = slice_of(text);

	*out = (struct contextspec){0};
	if (named) {
		int r = take_named(text, out, err);
		if (r <= 0)
			return r;
	}
	if (strcmp(text, "-") == 0)
		out->kind = CONTEXTSPEC_STDIN;
	else if (giturl_is(s, GITURL_CONTEXT) && !is_directory(text))
		out->kind = CONTEXTSPEC_GIT;
	else if (ast_is_http_url(s))
		out->kind = CONTEXTSPEC_HTTP;
	else
		out->kind = CONTEXTSPEC_DIR;
	if (out->kind == CONTEXTSPEC_DIR && strstr(text, "://")) {
		auto_free char *shown = fs_printable(text);
		err_set(err, ERR_USAGE, "%s: not a kind of context", shown);
		return err_hint(err, "a directory, a git repository, an http(s) URL%s",
			named ? ", docker-image://REF or oci-layout://DIR" : " or \"-\"");
	}
	out->text = mem_strdup(text);
	return 0;
}

void contextspec_clear(struct contextspec *c)
{
	free(c->text);
	*c = (struct contextspec){0};
}

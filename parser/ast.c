// SPDX-License-Identifier: Apache-2.0
/*
 * Names of keywords, mount types and resets, both ways, and the few questions about a piece of text
 * that parser and builder must answer alike: what is a URL, what is a git URL, is a RUN nothing but
 * its heredoc. Only tables and comparisons; the tree itself is made by instr.c and its neighbours.
 */
#include "parser/ast.h"

static const char *const keyword_names[AST_KEYWORD_COUNT] = {
	[AST_ADD] = "ADD",
	[AST_ARG] = "ARG",
	[AST_CMD] = "CMD",
	[AST_COPY] = "COPY",
	[AST_ENTRYPOINT] = "ENTRYPOINT",
	[AST_ENV] = "ENV",
	[AST_EXPOSE] = "EXPOSE",
	[AST_FROM] = "FROM",
	[AST_HEALTHCHECK] = "HEALTHCHECK",
	[AST_LABEL] = "LABEL",
	[AST_MAINTAINER] = "MAINTAINER",
	[AST_ONBUILD] = "ONBUILD",
	[AST_RUN] = "RUN",
	[AST_SHELL] = "SHELL",
	[AST_STOPSIGNAL] = "STOPSIGNAL",
	[AST_USER] = "USER",
	[AST_VOLUME] = "VOLUME",
	[AST_WORKDIR] = "WORKDIR",
};

const char *ast_keyword_name(enum ast_keyword keyword)
{
	return keyword_names[keyword];
}

bool ast_keyword_find(struct slice name, enum ast_keyword *out)
{
	for (unsigned i = 0; i < AST_KEYWORD_COUNT; i++) {
		if (slice_eq_nocase(name, keyword_names[i])) {
			*out = (enum ast_keyword)i;
			return true;
		}
	}
	return false;
}

const struct ast_heredoc *ast_run_only_heredoc(const struct ast_run *run)
{
	if (run->command.json || run->heredocs.count != 1 ||
		!slice_eq(run->command.text, run->heredocs.items[0].word.text))
		return NULL;
	return &run->heredocs.items[0];
}

const char *ast_reset_name(unsigned bit)
{
	switch (bit) {
	case AST_RESET_ENV:
		return "env";
	case AST_RESET_LABELS:
		return "labels";
	case AST_RESET_VOLUMES:
		return "volumes";
	case AST_RESET_EXPOSE:
		return "expose";
	}
	return "";
}

bool ast_is_http_url(struct slice s)
{
	return slice_starts(s, "http://") || slice_starts(s, "https://");
}

bool ast_is_git_url(struct slice s)
{
	size_t end;

	if (slice_starts(s, "git@") || slice_starts(s, "ssh://") || slice_starts(s, "git://"))
		return true;
	if (!ast_is_http_url(s))
		return false;
	end = slice_find(s, '#', 0);
	s = slice_sub(s, 0, end);
	s = slice_sub(s, 0, slice_find(s, '?', 0));
	return s.len > 4 && slice_eq_str(slice_from(s, s.len - 4), ".git");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a Dockerfile: stages of instructions, each an open struct with one union member per
 * keyword.
 *
 * Everything lives in the arena of its struct dockerfile. Words the builder expands later (see
 * expand.h) are kept raw, quotes and escapes included; words that are never expanded are final. A
 * word that was not written has text.ptr == NULL. A slice that was not cut from a longer one is
 * NUL-terminated; do not rely on it for words.
 *
 * Flags are kept typed even where the builder cannot do them yet: those give an error while parsing
 * (rule "not-supported"), from the table in flags.c; enabling one is a change of one
 * line there.
 */
#ifndef BLD_PARSER_AST_H
#define BLD_PARSER_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/slice.h"
#include "parser/source.h"

enum ast_keyword {
	AST_ADD,
	AST_ARG,
	AST_CMD,
	AST_COPY,
	AST_ENTRYPOINT,
	AST_ENV,
	AST_EXPOSE,
	AST_FROM,
	AST_HEALTHCHECK,
	AST_LABEL,
	AST_MAINTAINER,
	AST_ONBUILD,
	AST_RUN,
	AST_SHELL,
	AST_STOPSIGNAL,
	AST_USER,
	AST_VOLUME,
	AST_WORKDIR,
};
#define AST_KEYWORD_COUNT (AST_WORKDIR + 1)

struct word {
	struct slice text;
	struct span span; /* where it was written; covers continuation marks inside it */
};

struct word_list {
	struct word *items;
	size_t count;
	size_t cap;
};

/* Argument of RUN, CMD, ENTRYPOINT, HEALTHCHECK CMD: never expanded by the builder. */
struct ast_command {
	bool json;         /* exec form: words; else shell form: text */
	struct slice text; /* shell form: byte-exact after joining lines, outer blanks trimmed; exec
			      form: as written */
	struct word_list words; /* exec form, decoded; may be empty: [] */
	struct span span;
};

struct ast_heredoc {
	struct word word;      /* as written: <<EOF, <<-"EOF", 3<<EOF */
	struct slice name;     /* delimiter without quotes; file name of COPY <<NAME */
	struct slice raw;      /* body as in the file, own line endings */
	struct slice body;     /* raw, leading tabs of each line removed for <<- */
	struct span body_span; /* of raw */
	bool expand; /* COPY/ADD: expand_heredoc() it; false when any part of the delimiter was
			quoted */
	bool chomp;  /* <<- */
};

struct ast_heredocs {
	struct ast_heredoc *items;
	size_t count;
	size_t cap;
};

/* FROM --reset=: what is not inherited from the base. Our extension. */
#define AST_RESET_ENV     1u
#define AST_RESET_LABELS  2u
#define AST_RESET_VOLUMES 4u
#define AST_RESET_EXPOSE  8u

struct ast_from {
	struct word image;    /* raw, expanded with global args; also a stage name or "scratch" */
	struct word platform; /* raw, expanded with global args */
	struct word as;       /* as written */
	struct slice name;    /* "as" in lower case; ptr NULL when unnamed */
	unsigned reset;       /* AST_RESET_* */
	struct word_list reset_words; /* the values of reset as written, one item each */
};

enum ast_mount_type {
	AST_MOUNT_BIND,
	AST_MOUNT_CACHE,
	AST_MOUNT_TMPFS,
	AST_MOUNT_SECRET,
	AST_MOUNT_SSH,
	AST_MOUNT_TYPES, /* how many there are; what each is called and has: mountopt.h */
};

/* One --mount of RUN. Every value is raw (the builder expands it), except type and from. Options
 * not allowed for the type, unknown sharing modes, and literal (no $) numbers, sizes and booleans
 * that are malformed are errors while parsing. With a variable in the type (type_word) the builder
 * finds the type and asks mountopt_misfit(). */
struct ast_mount {
	enum ast_mount_type type; /* means nothing with a type_word */
	struct word type_word;    /* the type, only when it has a $ */
	struct word target;       /* target, dst, destination */
	struct word source;       /* source, src */
	struct word from;         /* bind, cache; raw when it has a $ (our extension), else final */
	struct word id;           /* cache, secret, ssh */
	struct word sharing;      /* cache: shared, private, locked; in any case */
	struct word uid, gid;     /* decimal */
	struct word mode;         /* octal; of a tmpfs: tmpfs-mode */
	struct word size;         /* tmpfs: bytes with optional unit, words_size() */
	struct word env;          /* secret: variable name, no file unless a target is given */
	struct word readonly; /* ro, readonly: words_bool() after expansion; bare option = "true" */
	struct word readwrite; /* rw, readwrite: likewise */
	struct word required;  /* secret, ssh: likewise */
	struct word chown;  /* U; cache, tmpfs: what is there becomes the user's; "true" or none */
	struct word noexec; /* bind, cache, tmpfs: "true" or none */
	struct span span;   /* the whole flag */
};

enum ast_network { AST_NETWORK_DEFAULT, AST_NETWORK_NONE, AST_NETWORK_HOST };
enum ast_security { AST_SECURITY_SANDBOX, AST_SECURITY_INSECURE };

struct ast_run {
	struct ast_mount *mounts;
	size_t nmounts;
	enum ast_network network;
	struct word network_word; /* value of --network as written */
	enum ast_security security;
	struct word security_word; /* value of --security as written */
	struct word_list devices;  /* refused */
	bool no_cache;             /* our extension: the step runs every time */
	struct word no_cache_word; /* "true" or "false" */
	int64_t timeout_ns;        /* our extension: at least 1 ms; 0 = none */
	struct word timeout;       /* value of --timeout as written */
	struct ast_command command;
	struct ast_heredocs heredocs;
	/* Shell form: what follows SHELL as its last argument. Plain text, or the body when the
	 * command is exactly one heredoc, or text, newline, body and delimiter of each heredoc for
	 * the shell to interpret. */
	struct slice script;
};

struct ast_copy {         /* COPY and ADD */
	struct word from; /* COPY; raw when it has a $ (our extension), else final */
	struct word chown;
	struct word chmod;          /* raw; a literal value is good for filemode_parse() */
	struct word checksum;       /* ADD; raw */
	struct word_list excludes;  /* literal patterns: never expanded */
	struct word link;           /* "true" or "false", like the others below */
	struct word parents;        /* COPY */
	struct word unpack;         /* ADD; not written = archives only, not what was fetched */
	struct word keep_git_dir;   /* ADD */
	struct word no_follow;      /* COPY; our extension: a source that is a link stays one */
	struct word keep_ownership; /* COPY; our extension: owners of the context are kept */
	bool json;
	struct word_list sources; /* raw; without the inline ones */
	struct ast_heredocs
		inlines;  /* inline sources; one per name, the last body of a name counts */
	struct word dest; /* raw */
};

struct ast_pair {
	struct word key;   /* raw */
	struct word value; /* raw; text.ptr NULL for ARG without = */
};

struct ast_pairs { /* ENV, LABEL, ARG */
	struct ast_pair *items;
	size_t count;
	size_t cap;
	bool legacy; /* ENV key rest of line */
};

struct ast_healthcheck {
	bool none;
	struct ast_command command;
	int64_t interval_ns, timeout_ns, start_period_ns,
		start_interval_ns; /* 0 = not given or 0: inherit */
	int64_t retries;           /* 0 likewise */
};

struct ast_workdir {
	struct word path;  /* raw */
	struct word chown; /* raw; our extension: owner of directories that are created */
};

struct ast_instruction;

struct ast_onbuild {
	struct slice trigger; /* as stored in the image: instruction, and for heredocs newline, body
				 and delimiter */
	const struct ast_instruction
		*child; /* parsed only to report mistakes early; expand and run the trigger text */
};

struct ast_instruction {
	enum ast_keyword keyword;
	struct slice text; /* logical line as written with lines joined, trimmed, without heredoc
			      bodies: for progress and history */
	struct slice rest; /* text after the keyword, trimmed */
	struct span span;  /* keyword to last byte, heredocs included */
	struct span keyword_span;
	size_t first_line, last_line; /* from 1 */
	struct word_list comments;    /* the comment lines directly above, without # and blanks */
	struct word_list checks;      /* values of those of them that are "check=VALUE" */
	union {
		struct ast_from from;
		struct ast_run run;
		struct ast_copy copy;       /* COPY, ADD */
		struct ast_command command; /* CMD, ENTRYPOINT */
		struct ast_pairs pairs;     /* ENV, LABEL, ARG */
		struct ast_healthcheck healthcheck;
		struct ast_onbuild onbuild;
		struct ast_workdir workdir;
		struct {
			struct word_list words; /* EXPOSE, VOLUME (raw), SHELL (final) */
			bool words_json;        /* written as a JSON list */
		};
		struct word word; /* USER, STOPSIGNAL (raw), MAINTAINER (final) */
	};
};

struct ast_instructions {
	struct ast_instruction **items;
	size_t count;
	size_t cap;
};

struct ast_stage {
	struct ast_instruction *from; /* keyword AST_FROM; NULL only when it had errors */
	struct slice name;            /* lower case; ptr NULL when unnamed */
	size_t index;                 /* from 0, in FROM order */
	struct ast_instructions body; /* without the FROM */
	bool mistaken;                /* a value in it is wrong: it cannot be built */
};

/* "RUN" and so on. */
const char *ast_keyword_name(enum ast_keyword keyword);

/* The keyword of a name in any case; false when there is none. */
bool ast_keyword_find(struct slice name, enum ast_keyword *out);

/* The heredoc that is the whole command of a RUN, or NULL. Its body is run->script; when that
 * starts with "#!" it is to be run as a program. */
const struct ast_heredoc *ast_run_only_heredoc(const struct ast_run *run);

/* "env" and so on for one AST_RESET_* bit. */
const char *ast_reset_name(unsigned bit);

/* Sources of ADD, after expansion: http:// or https://; and those a git client would fetch (git@,
 * ssh://, git://, or http(s) with a path ending .git). */
bool ast_is_http_url(struct slice source);
bool ast_is_git_url(struct slice source);

/* bind, cache, tmpfs, secret, ssh. */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one row per command, one table of options per command. The table is the only
 * place that knows an option; parsing, --help and the suggestion for a mistyped one come from it.
 *
 * Accepted forms: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -n=VALUE, flags joined (-qf FILE),
 * flags with a value (--pull=false), options after operands (unless stop_at_operand), "--" ends the
 * options. A repeated option that is not a list: the last one counts.
 */
#ifndef BLD_BUILDER_CLI_CLI_H
#define BLD_BUILDER_CLI_CLI_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/store.h"

enum cli_kind {
	CLI_FLAG,     /* bool: --x, --x=BOOL */
	CLI_BOOL,     /* int, -1 when not given: --x, --x=BOOL */
	CLI_UNLESS,   /* bool, the opposite of the value: true after --x=false */
	CLI_STRING,   /* const char *, borrowed from argv or the environment; NULL when not given */
	CLI_OPTIONAL, /* the same, with its value behind "=" only: "" without one */
	CLI_CHOICE,   /* the same, one of the words of `value` ("auto|plain|tty") */
	CLI_LIST,     /* struct strlist: one entry each time it is given */
	CLI_IGNORED,  /* what other tools have; does nothing. With `value` it takes one: any, or one
			 of  its words */
};

struct cli_option {
	const char *name; /* without the dashes; NULL ends a table */
	char letter;      /* 0 = none */
	enum cli_kind kind;
	size_t offset;     /* of the target in the command's options struct */
	const char *value; /* what the value is called in --help; the words of a CLI_CHOICE */
	const char *env;   /* variables that give the value when the option is absent, by blanks; or
			      NULL */
	const char *help;
	/* Of a kind that has a value: called with it, each time it is given, instead of keeping it
	 * (a CLI_LIST is still the one that is freed). opts is the command's options struct; option
	 * is what it was given as ("--jobs" or a variable), for messages. 0, or -1 with ERR_USAGE.
	 */
	int (*take)(void *opts, const char *option, const char *value, struct err **err);
};

/* What every command gets. */
struct cli {
	const char *root;            /* --root; NULL = the default of store_open() */
	const atomic_int *cancelled; /* the signal that came, 0 = none */
};

struct cli_command {
	const char *name;
	const char *alias;                /* a second name, or NULL */
	const char *operands;             /* of the usage line: "NAME [DEST]" */
	const char *summary;              /* one line */
	const char *details;              /* lines below the options in --help, or NULL */
	const struct cli_option *options; /* NULL = none but the common ones */
	size_t opts_size;                 /* of the options struct, zeroed before parsing */
	size_t min_operands;
	size_t max_operands;
	const char *missing;  /* hint when there are too few operands, or NULL */
	bool stop_at_operand; /* what follows the first operand belongs to it */
	/* A group: commands named "GROUP COMMAND", ended by NULL; instead of run. */
	const struct cli_command *const *members;
	/* Returns the exit status, or -1 with *err. */
	int (*run)(struct cli *c, void *opts, const struct strlist *operands, struct err **err);
};

/*
 * Write what is still held back. 0, or -1 (ERR_SYS) where some of the output was not taken, which
 * is said once: then 0 again. A reader that went away early (`bld images | head -1`) is no error.
 */
int cli_finish_output(struct err **err);

/*
 * Find the command that argv names among `commands` (ended by NULL), parse, run it.
 * Returns the exit status, or -1 with *err (ERR_USAGE for a wrong command line).
 */
int cli_main(struct cli *c, const struct cli_command *const *commands, int argc, char **argv,
	struct err **err);

/*
 * Parse argv[0..argc) (without the command's name) into opts and operands.
 * Returns 0, 1 when --help was asked for, -1 with ERR_USAGE. opts: cli_clear_options() in any case.
 */
int cli_parse(struct cli *c, const struct cli_command *cmd, int argc, char **argv, void *opts,
	struct strlist *operands, struct err **err);
void cli_clear_options(const struct cli_command *cmd, void *opts);

/* The text of --help for one command, and for bld itself. */
void cli_help(const struct cli_command *cmd, struct buf *out);
void cli_help_all(const struct cli_command *const *commands, struct buf *out);

/* The options that every command has: --root, --help. Targets are in struct cli. */
const struct cli_option *cli_common_options(void);

/* "1", "true", "yes", "on" and their opposites, any case. */
bool cli_bool(const char *text, bool *out);

extern const struct cli_command cli_build, cli_pull, cli_push, cli_images, cli_inspect, cli_history,
	cli_tag, cli_rmi, cli_prune, cli_save, cli_load, cli_login, cli_logout, cli_run, cli_logs,
	cli_parse_file, cli_lint, cli_context, cli_manifest, cli_verify, cli_info, cli_version;
extern const struct cli_command cli_manifest_inspect; /* of cli_manifest */

#endif

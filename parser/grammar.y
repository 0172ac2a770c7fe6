/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order and shape of a Dockerfile: global ARGs, then stages, each a FROM and its instructions.
 * The actions only call build_* functions. Instructions in the wrong place have rules of their own
 * so that each gets its own message and the lines after them are still checked.
 */
%code requires {
#include "parser/build.h"
#include "parser/line.h"
#include "parser/source.h"

struct scan;
}

%define api.pure full
%define api.prefix {df_yy}
%define api.token.prefix {DF_}
%define api.location.type {struct span}
%define parse.error custom
%locations
%expect 0
%param {void *scanner}
%parse-param {struct build *build}

%union {
	struct line *line;
}

%token EOL HEREDOC TEXT
%token <line> UNKNOWN
%token <line> ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN
%token <line> SHELL STOPSIGNAL USER VOLUME WORKDIR

%type <line> arg command from other unknown step_keyword

%code {
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                           \
	((Current) = (N) ? (struct span){YYRHSLOC(Rhs, 1).off,                                    \
				   YYRHSLOC(Rhs, N).off + YYRHSLOC(Rhs, N).len -                  \
					   YYRHSLOC(Rhs, 1).off}                                  \
			 : (struct span){YYRHSLOC(Rhs, 0).off + YYRHSLOC(Rhs, 0).len, 0})

int df_yylex(DF_YYSTYPE *value, DF_YYLTYPE *location, void *scanner);

/* Only when memory or the parser stack is exhausted: grammar.y has no deep nesting. */
static void df_yyerror(const struct span *location, void *scanner, struct build *build,
	const char *message)
{
	(void)scanner;
	build_error(build, "parser", *location, "%s", message);
}
}

%%

file
	: globals stages
	;

globals
	: %empty
	| globals global
	;

global
	: arg text EOL          { build_global(build, $arg); }
	| other text EOL        { build_misplaced(build, $other); }
	| command text EOL      { build_misplaced(build, $command); }
	| command EOL           { build_misplaced(build, $command); }
	| unknown text EOL      { build_unknown(build, $unknown); }
	| unknown EOL           { build_unknown(build, $unknown); }
	| error EOL             { yyerrok; }
	;

stages
	: %empty
	| stages stage
	;

stage
	: from_line
	| stage step
	;

from_line
	: from text EOL         { build_from(build, $from); }
	| from error EOL        { yyerrok; }
	;

step
	: step_keyword text EOL { build_step(build, $step_keyword); }
	| command EOL           { build_step(build, $command); }
	| step_keyword error EOL { yyerrok; }
	| unknown text EOL      { build_unknown(build, $unknown); }
	| unknown EOL           { build_unknown(build, $unknown); }
	;

text
	: TEXT
	| text HEREDOC
	;

arg     : ARG               { build_begin(build, $$ = $1); };
from    : FROM              { build_begin(build, $$ = $1); };
unknown : UNKNOWN           { build_begin(build, $$ = $1); };

step_keyword
	: arg
	| command
	| other
	;

/* With nothing behind it the shell is given an empty command. */
command
	: CMD         { build_begin(build, $$ = $1); }
	| ENTRYPOINT  { build_begin(build, $$ = $1); }
	| RUN         { build_begin(build, $$ = $1); }
	;

other
	: ADD         { build_begin(build, $$ = $1); }
	| COPY        { build_begin(build, $$ = $1); }
	| ENV         { build_begin(build, $$ = $1); }
	| EXPOSE      { build_begin(build, $$ = $1); }
	| HEALTHCHECK { build_begin(build, $$ = $1); }
	| LABEL       { build_begin(build, $$ = $1); }
	| MAINTAINER  { build_begin(build, $$ = $1); }
	| ONBUILD     { build_begin(build, $$ = $1); }
	| SHELL       { build_begin(build, $$ = $1); }
	| STOPSIGNAL  { build_begin(build, $$ = $1); }
	| USER        { build_begin(build, $$ = $1); }
	| VOLUME      { build_begin(build, $$ = $1); }
	| WORKDIR     { build_begin(build, $$ = $1); }
	;

%%

/* The one shape error: a keyword without what belongs after it. */
static int yyreport_syntax_error(const yypcontext_t *context, void *scanner, struct build *build)
{
	(void)context;
	(void)scanner;
	build_incomplete(build);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options and commands that docker, buildx, buildah and kaniko have and bld has not: for each, one
 * line that says what to do instead, or that there is no such thing here. They go before any
 * guess of what was mistyped: the name that is nearest by letters is seldom near in meaning.
 */
#ifndef BLD_BUILDER_CLI_FOREIGN_H
#define BLD_BUILDER_CLI_FOREIGN_H

/* Of an option of `bld build`, without the dashes; a name of one letter is its short form. NULL
 * when it is known of no other tool. */
const char *foreign_option(const char *name);

/* Of a command, by its whole name ("manifest rm"); NULL likewise. */
const char *foreign_command(const char *name);

#endif

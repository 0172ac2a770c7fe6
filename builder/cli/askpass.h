/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the person at the terminal, whatever standard input is. */
#ifndef BLD_BUILDER_CLI_ASKPASS_H
#define BLD_BUILDER_CLI_ASKPASS_H

#include "builder/cli/cli.h"

#define ASKPASS_MAX ((size_t)64 << 10) /* bytes of an answer */

/* One line; hidden: it is not shown while it is typed. hint: what to do where there is no terminal.
 * Owned by the caller; NULL with ERR_USAGE, or ERR_CANCELLED after a signal. */
char *askpass(
	const struct cli *c, const char *prompt, bool hidden, const char *hint, struct err **err);

/* "USER[:PASSWORD]" or "", as --creds has it; what is missing is asked for. Both owned. */
int askpass_creds(
	const struct cli *c, const char *text, char **user, char **password, struct err **err);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Asks at /dev/tty, since standard input may be the Dockerfile or the context. Echo is turned off
 * by termios and back on after the line, also when a signal ended it; the answer is the caller's to
 * wipe.
 */
#include "builder/cli/askpass.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "store/base/cancel.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static char *read_line(int tty)
{
	auto_buf struct buf b;
	char ch;

	buf_init(&b, ASKPASS_MAX);
	while (read(tty, &ch, 1) == 1 && ch != '\n') {
		if (buf_addc(&b, ch) < 0)
			break;
	}
	return buf_take(&b);
}

char *askpass(
	const struct cli *c, const char *prompt, bool hidden, const char *hint, struct err **err)
{
	auto_fd int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, now;
	char *answer;

	if (tty < 0) {
		err_set(err, ERR_USAGE, "no user name or password, and no terminal to ask on");
		err_hint(err, "%s", hint);
		return NULL;
	}
	(void)!fs_write_all(tty, prompt, strlen(prompt));
	hidden = hidden && tcgetattr(tty, &before) == 0;
	if (hidden) {
		now = before;
		now.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(tty, TCSAFLUSH, &now);
	}
	answer = read_line(tty);
	if (hidden) {
		tcsetattr(tty, TCSAFLUSH, &before);
		(void)!fs_write_all(tty, "\n", 1);
	}
	if (cancel_asked(c->cancelled)) {
		free(answer);
		err_set(err, ERR_CANCELLED, "interrupted");
		return NULL;
	}
	return answer;
}

int askpass_creds(
	const struct cli *c, const char *text, char **user, char **password, struct err **err)
{
	static const char hint[] = "give both: --creds USER:PASSWORD";
	const char *colon = strchr(text, ':');

	*user = *text && *text != ':' ? mem_strndup(text, strcspn(text, ":"))
				      : askpass(c, "User name: ", false, hint, err);
	if (!*user)
		return -1;
	if (!**user || strchr(*user, ':'))
		return err_set(err, ERR_USAGE, "--creds: a user name that is empty or has ':'");
	*password = colon && colon[1] ? mem_strdup(colon + 1)
				      : askpass(c, "Password: ", true, hint, err);
	return *password ? 0 : -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Child servers for unit tests: the scripted one (fake_registry.py) and Debian's docker-registry.
 */
#ifndef BLD_TESTS_SUPPORT_FAKE_H
#define BLD_TESTS_SUPPORT_FAKE_H

#include <stdbool.h>
#include <sys/types.h>

struct fake {
	pid_t pid; /* of docker-registry, else 0 */
	int pidfd; /* of the scripted server */
	int port;
	int other; /* second port of the scripted server */
	char *dir; /* a fresh directory; log and script are in it */
};

/* rules: the JSON list of fake_registry.py; layout, cert, key may be NULL. Fails the test when it
 * does not start. */
void fake_start(
	struct fake *f, const char *rules, const char *layout, const char *cert, const char *key);
/* docker-registry; extra: more lines of its YAML, e.g. auth; {dir} and {port} in them are replaced.
 * May be NULL. */
void fake_start_docker(struct fake *f, const char *extra, bool tls);
void fake_stop(struct fake *f); /* and removes dir */

/* The log as text; owned. */
char *fake_log(const struct fake *f);
/* How many log lines contain both texts (b may be NULL)? */
int fake_count(const struct fake *f, const char *a, const char *b);
/* A fresh directory below TMPDIR; owned. */
char *fake_dir(const char *name);
/* The same as the home of this process: no configuration of the caller's is seen. */
char *fake_home(const char *name);
void fake_remove(const char *dir);
/* Run a shell command made by printf; returns its exit status. */
int fake_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Write text into a file. */
void fake_write(const char *dir, const char *name, const char *text);
/* A self-signed certificate for 127.0.0.1 and localhost: DIR/ca.crt, DIR/ca.key. */
void fake_certificate(const char *dir);

#endif

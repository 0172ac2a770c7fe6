/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers for unit tests: a scripted one (fake_registry.py, which says what a rule is), and
 * Debian's docker-registry. Both listen on 127.0.0.1 and end with the test program. Beside them
 * what a client finds in its home: credentials, certificates.
 *
 * A struct fake is the test's, all zero before its first start and after each stop; what is in it
 * is fake_stop()'s to free. Text that a function returns is the caller's. Every failure ends the
 * test.
 */
#ifndef BLD_TESTS_SUPPORT_FAKE_H
#define BLD_TESTS_SUPPORT_FAKE_H

#include <stdbool.h>
#include <sys/types.h>

struct fake {
	pid_t pid; /* of docker-registry, else 0 */
	int pidfd; /* of the scripted server */
	int port;
	int other;     /* second port of the scripted server */
	char host[24]; /* 127.0.0.1:PORT */
	char *dir;     /* a fresh directory; log and script are in it */
};

/* The scripted server. Without a rule it answers /v2/ and nothing else. */
void fake_start(struct fake *f, const char *rules);
void fake_startf(struct fake *f, const char *rules, ...) __attribute__((format(printf, 2, 3)));
/* ... that has the images of an OCI layout too, or speaks TLS with the files that
 * fake_certificate() made in a directory; NULL: not. */
void fake_start_with(struct fake *f, const char *rules, const char *layout, const char *tls);
/* docker-registry; extra: more lines of its YAML, e.g. auth; {dir} and {port} in them are replaced.
 * May be NULL. */
void fake_start_docker(struct fake *f, const char *extra, bool tls);
/* ... that wants the user "alice" with the password "s3cret:with colon", from a file below home. */
void fake_start_docker_login(struct fake *f, const char *home);
/* Stops it and removes its directory; nothing where none was started. */
void fake_stop(struct fake *f);

/* http://HOST and the rest */
char *fake_url(const struct fake *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The requests so far, one a line. */
char *fake_log(const struct fake *f);
/* How many log lines contain both texts (b may be NULL)? */
int fake_count(const struct fake *f, const char *a, const char *b);
/* A fresh directory below TMPDIR. */
char *fake_dir(const char *name);
/* The same as the home of this process: no configuration of the caller's is seen. */
char *fake_home(const char *name);
void fake_remove(const char *dir);
/* What a user who is logged in has in that home, for one host: a member of its object, e.g. "auth"
 * and base64 of NAME:PASSWORD. */
void fake_credentials(const char *home, const struct fake *f, const char *key, const char *value);
/* Run a shell command made by printf; returns its exit status. */
int fake_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fake_write(const char *dir, const char *name, const char *text);
char *fake_read(const char *dir, const char *name);
/* A self-signed certificate for 127.0.0.1 and localhost: DIR/ca.crt, DIR/ca.key. */
void fake_certificate(const char *dir);

#endif

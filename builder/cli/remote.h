/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that talk to a registry have in common: options, and transfers shown as progress.
 */
#ifndef BLD_BUILDER_CLI_REMOTE_H
#define BLD_BUILDER_CLI_REMOTE_H

#include "builder/cli/cli.h"
#include "builder/ui/ui.h"
#include "store/transport/transfer.h"

#define REMOTE_PROGRESS_WORDS "auto|plain|tty|quiet|rawjson|none"
#define REMOTE_PROGRESS_ENV   "BLD_PROGRESS BUILDKIT_PROGRESS"

struct remote_opts {
	const char *authfile;
	const char *cert_dir;
	const char *allow_private;
	int tls_verify;
	const char *progress;
	bool quiet;
	const char *retry; /* what remote_retries() makes of them: */
	const char *retry_delay;
	unsigned retries;
	unsigned retry_delay_ms;
	const char *compression;
	struct layer_packing packing; /* what it says; remote_compression */
};

/* Rows of an option table whose struct has a `struct remote_opts` called field. */
#define REMOTE_ACCESS_OPTIONS(type, field)                                                         \
	{"tls-verify", 0, CLI_BOOL, offsetof(type, field.tls_verify), "BOOL", NULL,                \
		"check certificates; false also allows http (default: true, http only to this "    \
		"machine)"},                                                                       \
		{"allow-private", 0, CLI_STRING, offsetof(type, field.allow_private),              \
			"HOST[,HOST]", "BLD_ALLOW_PRIVATE",                                        \
			"servers in public that may redirect to private addresses of this "        \
			"network"},                                                                \
	{                                                                                          \
		"authfile", 0, CLI_STRING, offsetof(type, field.authfile), "FILE", NULL,           \
			"credentials (default: $REGISTRY_AUTH_FILE, then the files of containers " \
			"and docker)"                                                              \
	}

#define REMOTE_COMPRESSION_OPTIONS(type, field)                                                    \
	{                                                                                          \
		"compression", 0, CLI_STRING, offsetof(type, field.compression), "KIND[:LEVEL]",   \
			NULL, "of layers that leave the store: gzip, zstd or none (default: gzip)" \
	}

#define REMOTE_RETRY_OPTIONS(type, field)                                                          \
	{"retry", 0, CLI_STRING, offsetof(type, field.retry), "N", NULL,                           \
		"try again so many times what a registry or the network fails to do "              \
		"(default: 5)"},                                                                   \
	{                                                                                          \
		"retry-delay", 0, CLI_STRING, offsetof(type, field.retry_delay), "TIME", NULL,     \
			"wait so long before each, as 500ms or 2s (default: from 0.5s on, "        \
			"doubling)"                                                                \
	}

#define REMOTE_CERT_OPTIONS(type, field)                                                           \
	{                                                                                          \
		"cert-dir", 0, CLI_STRING, offsetof(type, field.cert_dir), "DIR", NULL,            \
			"certificates (default: certs.d of containers and docker)"                 \
	}

#define REMOTE_PROGRESS_OPTIONS(type, field)                                                       \
	{"progress", 0, CLI_CHOICE, offsetof(type, field.progress), REMOTE_PROGRESS_WORDS,         \
		REMOTE_PROGRESS_ENV, "how progress is shown on standard error"},                   \
	{                                                                                          \
		"quiet", 'q', CLI_FLAG, offsetof(type, field.quiet), NULL, NULL,                   \
			"no progress, results only"                                                \
	}

/* The display that --progress, --quiet and the environment ask for, on standard error. --progress
 * quiet sets quiet. */
struct ui *remote_ui(struct remote_opts *r);

/* What --compression says; without it gzip. ERR_USAGE. */
int remote_compression(struct remote_opts *r, struct err **err);

/* What --retry and --retry-delay say. ERR_USAGE. */
int remote_retries(struct remote_opts *r, struct err **err);

/* Fill the fields that come from the command line; events go to ui (an event_fn with it as
 * context), which may be NULL. */
void remote_transfer_opts(
	const struct cli *c, const struct remote_opts *r, struct ui *ui, struct transfer_opts *out);
/* Tell ui what is being done now. */
void remote_status(struct ui *ui, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Open an image as --platform says, which may be NULL; of an index without one of this machine the
 * error names what there is. ERR_USAGE, ERR_NOT_FOUND. */
struct image;
int remote_open_image(struct store *s, const char *text, const char *platform, struct image *out,
	struct err **err);

/* Full normalised name of an image; ERR_USAGE when it is none. Owned by the caller. */
char *remote_name(const char *text, struct err **err);

#endif

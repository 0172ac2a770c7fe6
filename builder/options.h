/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build is asked for: the options of `bld build` (and of `bld run`, where they fit), as
 * data. The command line fills them in; a build reads them and never changes them.
 */
#ifndef BLD_BUILDER_OPTIONS_H
#define BLD_BUILDER_OPTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "builder/event.h"
#include "builder/fetch/creds.h"
#include "store/base/strlist.h"

enum build_network { BUILD_NET_HOST, BUILD_NET_NONE };

enum build_pull {
	BUILD_PULL_MISSING, /* when it is not in the store */
	BUILD_PULL_ALWAYS,
	BUILD_PULL_NEVER,
	BUILD_PULL_NEWER, /* always, but what is in the store serves where that fails */
};

/* How layers are mounted; anything but AUTO is for tests and diagnosis. */
enum build_layer_form {
	BUILD_FORM_AUTO,
	BUILD_FORM_DIRECTORY, /* unpacked, always */
	BUILD_FORM_EROFS,     /* as EROFS images; an error where that cannot be */
};

/* What becomes of the times in new layers, configuration and history. */
struct build_times {
	bool set;   /* every time becomes `seconds` */
	bool clamp; /* later ones become it */
	int64_t seconds;
};

/* One image of a build. */
struct build_target {
	const char *stage;   /* as given; NULL = the last one */
	struct strlist tags; /* names of the image, as given */
};

/* Strings belong to the command line or the environment, or to `made`, and outlive the build; lists
 * are owned, see options_clear(). */
struct build_opts {
	const char *dockerfile; /* path, "-" = stdin, NULL = CONTEXT/Dockerfile */
	const char *context;    /* directory, or "-" = tar on stdin; NULL = none */
	const char *ignorefile; /* --ignorefile, or NULL */
	/* At least one; the last is the main one, which --tag without a target names. */
	struct build_target *targets;
	size_t ntargets;
	struct strlist build_args; /* "K=V"; the CLI resolves "K" from its environment and leaves it
				      out when unset */
	struct strlist env;        /* "K=V": an ENV at the beginning of every stage */
	const char *first_from;    /* instead of what the first FROM names, or NULL */
	struct strlist labels;     /* "K=V" */
	struct strlist annotations;  /* as given and checked, see annotation.h */
	struct strlist unset_env;    /* names that the result does not have */
	struct strlist unset_labels; /* likewise; before `labels` are added */
	bool drop_base_labels;       /* stages start without the labels of what they are FROM */
	bool no_base_annotations;    /* org.opencontainers.image.base.* are left out */
	bool docker_format;          /* media types of Docker's schema 2 */
	bool compat_volumes;         /* what RUN writes below a VOLUME is thrown away */
	bool squash;                 /* the layers of this build become one */
	struct strlist secrets;      /* "id=..,src=..|env=.." as given */
	struct strlist ssh;          /* "ID", "ID=SOCKET" or "ID=KEY,KEY" as given */
	struct strlist contexts;     /* "NAME=DIR" as given */
	const char *platform;        /* NULL = this machine's; several, by commas: an index */
	struct strlist made;         /* strings that others here point to */
	bool no_cache;
	bool no_layers; /* no step comes from the cache, the new layers become one */
	struct strlist no_cache_stages; /* names or numbers of stages that are built again */
	enum build_pull pull;           /* when the registry is asked for a base image */
	bool explain;                   /* tell why a step was not in the cache */
	enum build_network network;
	bool allow_insecure;        /* RUN --security=insecure may be */
	bool allow_secret_in_layer; /* what a RUN leaves is not searched for its secrets */
	enum build_layer_form layer_form;
	bool has_timestamp; /* --timestamp: every time becomes timestamp */
	bool has_epoch;     /* SOURCE_DATE_EPOCH: later times become timestamp */
	int64_t timestamp;
	unsigned jobs;             /* stages built at a time; 0 = as many as there are processors */
	bool sync;                 /* --sync */
	const char *authfile;      /* for pulls of bases */
	const char *cert_dir;      /* likewise, and for ADD of URLs; or NULL */
	const char *allow_private; /* likewise; as transfer_opts has it */
	struct creds creds;        /* likewise */
	unsigned retries;          /* as transfer_opts has them */
	unsigned retry_delay_ms;
	int tls_verify;           /* -1 default, 0, 1 */
	struct strlist proxy_env; /* "http_proxy=...": reaches RUN, nothing else */
	event_fn emit;
	void *emit_ctx;
	/* Signal number once one came; polled, and wakes blocking calls of this thread by EINTR.
	 * Threads that work for it are woken by SIGURG, for which the process has a handler that
	 * does nothing. */
	const atomic_int *cancelled;
};

void options_clear(struct build_opts *o);

#endif

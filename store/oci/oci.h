/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI and Docker documents as plain structs: descriptor, manifest, index, image configuration.
 * Parsing is strict and bounded; printing is canonical (fixed key order, no white space), because
 * the bytes are hashed. Spec: OCI image-spec 1.1 (descriptor.md, manifest.md, image-index.md,
 * config.md) and Docker's additions to config (Healthcheck, OnBuild, Shell, ArgsEscaped).
 */
#ifndef BLD_STORE_OCI_OCI_H
#define BLD_STORE_OCI_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/base/strlist.h"

struct json_t;

#define OCI_MANIFEST_MAX ((size_t)4 << 20)
#define OCI_CONFIG_MAX   ((size_t)4 << 20)
#define OCI_LAYERS_MAX   500    /* the kernel's limit for one overlay */
#define OCI_INDEX_MAX    4096   /* entries */
#define OCI_HISTORY_MAX  16384  /* entries */
#define OCI_ONBUILD_MAX  4096   /* each is a step and an entry of the history */
#define OCI_ENTRIES_MAX  200000 /* of Env, Labels, ExposedPorts (two for every port) and Volumes */
#define OCI_WORDS_MAX    100000 /* of Cmd, Entrypoint, Shell and a health check's Test */

#define OCI_MEDIA_INDEX             "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_MANIFEST          "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_CONFIG            "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_LAYER             "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_LAYER_GZIP        "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_DOCKER_LIST       "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_MEDIA_DOCKER_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_MEDIA_DOCKER_CONFIG     "application/vnd.docker.container.image.v1+json"
#define OCI_MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* Annotations in index.json: the name, of which some tools write the tag only; and the full one of
 * containerd, buildx and docker. */
#define OCI_REF_NAME        "org.opencontainers.image.ref.name"
#define OCI_CONTAINERD_NAME "io.containerd.image.name"

struct oci_platform {
	char *os; /* owned, all of them; NULL when absent */
	char *architecture;
	char *variant;
	char *os_version;
};
/* "linux/arm64/v8" (S24: normalised); NULL text = the machine's own. */
int oci_platform_parse(const char *text, struct oci_platform *out, struct err **err);
void oci_platform_host(struct oci_platform *out);
char *oci_platform_text(const struct oci_platform *p); /* owned by the caller */
void oci_platform_copy(struct oci_platform *dst, const struct oci_platform *src);
void oci_platform_clear(struct oci_platform *p);
/* How well `have` serves `want`: 0 = not at all, larger = better (S24 order of preference). */
int oci_platform_rank(const struct oci_platform *want, const struct oci_platform *have);

struct oci_descriptor {
	char *media_type; /* owned */
	struct digest digest;
	uint64_t size;
	struct strlist annotations; /* KEY=value */
	struct strlist urls;
	bool has_platform;
	struct oci_platform platform;
};
void oci_descriptor_clear(struct oci_descriptor *d);
void oci_descriptor_copy(struct oci_descriptor *dst, const struct oci_descriptor *src);

struct oci_manifest {
	char *media_type; /* owned; OCI_MEDIA_MANIFEST or the Docker one */
	struct oci_descriptor config;
	struct oci_descriptor *layers; /* owned */
	size_t nlayers;
	struct strlist annotations;
};
/* media_type: of the response or descriptor, NULL if unknown. Ambiguous documents (both manifest
 * and index) are ERR_CORRUPT. */
int oci_manifest_parse(const char *p, size_t n, const char *media_type, struct oci_manifest *out,
	struct err **err);
char *oci_manifest_dump(const struct oci_manifest *m, size_t *len);
void oci_manifest_clear(struct oci_manifest *m);
/* The media types of the manifest, its configuration and its layers become those of Docker's schema
 * 2 or OCI's. One without a counterpart (zstd) stays what it is. */
void oci_manifest_set_types(struct oci_manifest *m, bool docker);

struct oci_index {
	char *media_type;
	struct oci_descriptor *manifests; /* owned */
	size_t nmanifests;
	struct strlist annotations;
};
int oci_index_parse(
	const char *p, size_t n, const char *media_type, struct oci_index *out, struct err **err);
char *oci_index_dump(const struct oci_index *i, size_t *len);
void oci_index_clear(struct oci_index *i);
/* The best entry for a platform, or NULL. Attestations (unknown/unknown) and unknown media types
 * never match. */
const struct oci_descriptor *oci_index_choose(
	const struct oci_index *i, const struct oci_platform *want);
/* May the entry be an image or an index of such? Attestations (unknown/unknown) and unknown media
 * types are not. */
bool oci_index_is_image(const struct oci_descriptor *entry);
/* 1 an index, 0 a manifest, -1 neither or both. Looks at media_type, then at the body. */
int oci_is_index(const char *p, size_t n, const char *media_type, struct err **err);

struct oci_healthcheck {
	bool present;
	struct strlist test; /* ["CMD-SHELL", ...], ["CMD", ...], ["NONE"] */
	int64_t interval_ns; /* 0 = inherit, left out */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
};

struct oci_history {
	char *created; /* RFC 3339, owned; NULL = absent. All strings owned. */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

/* A list that may be null, absent and empty as different things (Cmd, Entrypoint). */
struct oci_words {
	bool set; /* false: null or absent */
	struct strlist l;
};

struct oci_config {
	char *created;
	char *author;
	struct oci_platform platform;
	char *user;                   /* NULL = absent, all below too */
	struct strlist exposed_ports; /* "80/tcp"; a set, printed sorted */
	struct strlist env;
	struct oci_words entrypoint;
	struct oci_words cmd;
	struct strlist volumes; /* a set, printed sorted */
	char *working_dir;
	struct strlist labels; /* KEY=value; printed sorted by key */
	char *stop_signal;
	struct oci_healthcheck healthcheck;
	struct strlist onbuild;
	struct strlist shell;
	struct digest *diff_ids; /* owned */
	size_t ndiff_ids;
	struct oci_history *history; /* owned */
	size_t nhistory;
	struct json_t *extra;        /* unknown top-level members, carried through; or NULL.
					Shared with copies, by reference: constant */
	struct json_t *extra_config; /* unknown members of "config", carried through; or NULL */
};
void oci_config_init(struct oci_config *c); /* zero: no fields, no platform */
int oci_config_parse(const char *p, size_t n, struct oci_config *out, struct err **err);
/* The limits of lists that oci_config_parse() keeps: what is to be written can be read. ERR_LIMIT.
 */
int oci_config_check(const struct oci_config *c, struct err **err);
char *oci_config_dump(const struct oci_config *c, size_t *len);
void oci_config_copy(struct oci_config *dst, const struct oci_config *src); /* dst is replaced */
void oci_config_clear(struct oci_config *c);
/* created may be NULL; strings are copied. */
void oci_config_add_history(struct oci_config *c, const struct oci_history *h);
void oci_config_add_diff_id(struct oci_config *c, const struct digest *d);
/* Added unless they are there. */
void oci_config_add_port(struct oci_config *c, const char *port);
void oci_config_add_volume(struct oci_config *c, const char *path);
/* Make history and layers of a base agree (S22's repair rule): pads or marks entries empty from the
 * bottom. */
void oci_config_repair_history(struct oci_config *c);

/* Chain ID of the first n diff IDs (image-spec config.md); zero digest for n == 0. */
void oci_chain_id(const struct digest *diff_ids, size_t n, struct digest *out);

#define auto_oci_config   CLEANUP(oci_config_clear)
#define auto_oci_manifest CLEANUP(oci_manifest_clear)
#define auto_oci_index    CLEANUP(oci_index_clear)
#define auto_oci_platform CLEANUP(oci_platform_clear)

#endif

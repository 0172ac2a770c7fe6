/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds for several platforms: one image for each, and an index that names them all. The context
 * is read once; what does not depend on the platform is built once and found in the cache.
 */
#ifndef BLD_BUILDER_PLATFORMS_H
#define BLD_BUILDER_PLATFORMS_H

#include "builder/image/result.h"
#include "builder/job.h"

#define PLATFORMS_MAX 64

/* "linux/amd64,arm64" -> normalised texts, each once. NULL: none. ERR_USAGE. */
int platforms_split(const char *text, struct strlist *out, struct err **err);
/* Every RUN that is going to be built can run here, or ERR_UNSUPPORTED at its line. */
int platforms_check_runs(const struct job *j, struct err **err);
/* The index of these images (manifests in the store), under these names. Fills fields of *out that
 * are empty. */
int platforms_write_index(const struct build_opts *o, struct store *s, const struct strlist *tags,
	const struct digest *manifests, size_t n, struct build_result *out, struct err **err);

#endif

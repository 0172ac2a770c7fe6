/* SPDX-License-Identifier: Apache-2.0 */
/* Small layers and images made in a store for tests. Every failure ends the test. */
#ifndef BLD_TESTS_SUPPORT_IMAGES_H
#define BLD_TESTS_SUPPORT_IMAGES_H

#include "store/layerstack.h"
#include "store/oci/oci.h"
#include "store/store.h"

struct images_file {
	const char *path; /* ends in '/': a directory; begins with '-': a whiteout of the rest */
	const char *text;
};

/* A plain tar in the store; ends at a path of NULL. */
void images_layer(struct store *s, const struct images_file *files, struct digest *diff_id);
/* An image of these layers with a name (NULL: none). */
void images_make(struct store *s, const char *name, const struct digest *diff_ids, size_t n,
	struct oci_descriptor *out);
/* A whole image of two layers, /one and /two, with a name; *diff_ids of two. */
void images_simple(struct store *s, const char *name, struct digest diff_ids[2]);
/* Content of a file below a directory, owned; NULL when it is missing. */
char *images_text(int dir_fd, const char *path);

/* A stack of layers without times. */
#define STACK(ids, count) (&(struct layer_stack){.diff_ids = (ids), .n = (count)})

#endif

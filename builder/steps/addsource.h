/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of ADD that are fetched: a file behind an http(s) URL, the files of a git repository.
 * Both become files for copy_select that hold a descriptor and a known digest; a repository is one
 * that is unpacked. What --checksum, --keep-git-dir and --unpack mean for them is in here.
 */
#ifndef BLD_BUILDER_STEPS_ADDSOURCE_H
#define BLD_BUILDER_STEPS_ADDSOURCE_H

#include "builder/copy/copy.h"
#include "builder/session.h"
#include "builder/step.h"

struct addsource {
	struct copy_file_given file; /* what the item points to */
	char *name;                  /* owned */
	int fd;                      /* owned */
};
struct addsources {
	struct addsource *v; /* owned; one a source of the instruction, unused ones have fd -1 */
	size_t n;
};

/*
 * Fetch those of a step's sources (expanded, in the order written) that are not in the context, and
 * make COPY_ITEM_GIVEN of their items. dest: expanded. Errors point at the source, or at the flag.
 * Also refuses flags that have nothing to act on.
 */
int addsource_fetch(struct session *se, const struct step *sp, const char *dest,
	struct copy_item *items, struct addsources *out, struct err **err);
/* A source for the history: without user and password, and with what is secret in its query
 * (parser/urlsecret.h) as "***". Owned. */
char *addsource_shown(const char *source);
void addsource_clear(struct addsources *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the text of a build context stands for: the operand of `bld build`, or the value of
 * --build-context NAME=...
 *
 *	DIR				a directory
 *	-				standard input (the operand only)
 *	https://H/R.git#REF:DIR ...	a git repository (parser/giturl.h)
 *	http(s)://...			a tar archive; of the operand also a Dockerfile
 *	docker-image://REF		an image (NAME=... only), as are
 *	oci-layout://DIR[:TAG|@DIGEST]	and oci-layout:DIR...
 */
#ifndef BLD_BUILDER_INPUT_CONTEXTSPEC_H
#define BLD_BUILDER_INPUT_CONTEXTSPEC_H

#include <stdbool.h>

#include "store/base/err.h"

enum contextspec_kind {
	CONTEXTSPEC_DIR,
	CONTEXTSPEC_STDIN,
	CONTEXTSPEC_GIT,
	CONTEXTSPEC_HTTP,
	CONTEXTSPEC_IMAGE,
};

struct contextspec {
	enum contextspec_kind kind;
	/* Path, URL, or name of the image: a reference, or "oci:DIR[:NAME]", "oci:DIR:@DIGEST" of
	 * a layout. Owned. */
	char *text;
};

/* ERR_USAGE. Nothing is opened. */
int contextspec_parse(const char *text, bool named, struct contextspec *out, struct err **err);
void contextspec_clear(struct contextspec *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms as people write them, in an option or in FROM --platform=. The grammar is that of
 * oci_platform_parse(); what it cannot see is a slip of the hand: "linux/amd46" is a platform by
 * its grammar, and an image for it would run nowhere.
 *
 * Refused are a word that is near the name of an operating system or an architecture without being
 * one, names by which other programs know an architecture ("x64", "armv7"), both with the right
 * name, and a single word that is neither a system nor an architecture. Names that are near
 * nothing known may be of new machines and are taken as they are.
 */
#ifndef BLD_BUILDER_PLAN_PLATFORMWORD_H
#define BLD_BUILDER_PLAN_PLATFORMWORD_H

#include <stdbool.h>

#include "store/base/err.h"
#include "store/oci/oci.h"

/* The word of an option that means this machine. */
#define PLATFORMWORD_LOCAL "local"

/* text NULL: this machine. local: PLATFORMWORD_LOCAL is taken. ERR_USAGE. */
int platformword_parse(const char *text, bool local, struct oci_platform *out, struct err **err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Lines "KEY VALUE" of the records that say what a derived form is: erofsform.c, dirform.c. */
#ifndef BLD_STORE_RECORDLINE_H
#define BLD_STORE_RECORDLINE_H

#include <stdbool.h>

/* The rest of the line at *p when it begins with key, NUL-terminated in place, and *p moves behind
 * it; else NULL. */
char *recordline_value(char **p, const char *key);
/* Is the line at *p exactly this one? Then *p moves behind it; else the record is to be given up.
 */
bool recordline_is(char **p, const char *text);

#endif

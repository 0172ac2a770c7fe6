/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a private directory, as a cmocka fixture. */
#ifndef BLD_TESTS_SUPPORT_STOREDIR_H
#define BLD_TESTS_SUPPORT_STOREDIR_H

#include "store/store.h"
#include "tests/support/tempdir.h"

struct storedir {
	struct tempdir t;
	char root[160]; /* t.path/store */
	struct store *s;
};

int storedir_setup(void **state);
int storedir_teardown(void **state);
/* One more opening of the same store, as another process would do it. */
struct store *storedir_again(const struct storedir *d);
/* Close and open again. */
void storedir_reopen(struct storedir *d);
/* As if the object had been written before the last crash: bld/dirs/CHAIN or a blob. */
void storedir_other_boot(struct store *s, const struct digest *d);
/* Change a byte of a blob. */
void storedir_damage(struct store *s, const struct digest *d);
/* Where is nothing to test because nothing here outlives a boot? */
bool storedir_volatile(const struct storedir *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Mark the composite numbers from 2 to limit (at most SIEVE_MAX) in a table of zeros. */
#ifndef SIEVE_H
#define SIEVE_H

#define SIEVE_MAX 100000

void sieve(unsigned char *composite, int limit);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "sieve.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned char composite[SIEVE_MAX + 1] = {0};
	long limit = argc > 1 ? strtol(argv[1], NULL, 10) : 10;

	if (limit < 2 || limit > SIEVE_MAX) {
		fprintf(stderr, "primes: a number from 2 to %d, please\n", SIEVE_MAX);
		return 2;
	}
	sieve(composite, (int)limit);
	for (int i = 2; i <= limit; i++)
		if (!composite[i])
			printf("%d\n", i);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "sieve.h"

void sieve(unsigned char *composite, int limit)
{
	for (int i = 2; i * i <= limit; i++)
		for (int j = i * i; !composite[i] && j <= limit; j += i)
			composite[j] = 1;
}

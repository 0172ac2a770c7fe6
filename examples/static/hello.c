// SPDX-License-Identifier: Apache-2.0
/* Says which directory it runs in and what it was given. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char here[256];

	printf("hello from %s, process %d, %d argument(s)\n",
		getcwd(here, sizeof(here)) ? here : "nowhere", getpid() == 1 ? 1 : 0, argc - 1);
	for (int i = 1; i < argc; i++)
		printf("  %s\n", argv[i]);
	return 0;
}

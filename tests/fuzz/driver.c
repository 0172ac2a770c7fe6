// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a fuzz target without a fuzzing engine: every file given, and every file of every directory
 * given (not deeper), in the order of their names. Output is comment lines of TAP: the name of each
 * input before it runs, so that the last one is the one that crashed, and their number. Exit status
 * 1 when an argument cannot be read or has no input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	struct stat st;
	uint8_t *data;
	size_t got;
	FILE *f = fopen(path, "rbe");

	if (!f || fstat(fileno(f), &st) < 0) {
		perror(path);
		if (f)
			fclose(f);
		return -1;
	}
	/* An allocation of the exact size, so that a sanitizer sees a read past the end. */
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (!data)
		abort();
	got = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	fprintf(stderr, "# %s\n", path);
	LLVMFuzzerTestOneInput(data, got);
	free(data);
	return 0;
}

static int regular(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Number of files, -1 on error. */
static long replay(const char *path)
{
	struct dirent **names;
	struct stat st;
	long files = 0;
	int n;

	if (stat(path, &st) < 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path) < 0 ? -1 : 1;
	n = scandir(path, &names, regular, alphasort);
	if (n < 0) {
		perror(path);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *file;

		if (asprintf(&file, "%s/%s", path, names[i]->d_name) < 0)
			abort();
		free(names[i]);
		if (files >= 0)
			files = replay_file(file) < 0 ? -1 : files + 1;
		free(file);
	}
	free(names);
	return files;
}

int main(int argc, char **argv)
{
	int status = argc > 1 ? 0 : 1;
	long total = 0;

	for (int i = 1; i < argc; i++) {
		long files = replay(argv[i]);

		if (files <= 0)
			status = 1;
		else
			total += files;
	}
	printf("# %ld inputs replayed\n", total);
	return status;
}

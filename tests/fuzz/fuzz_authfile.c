// SPDX-License-Identifier: Apache-2.0
// A credentials file, asked for a few registries. Parts: the host, the file. Whatever is in it, no
// part of a secret gets into a message. Helpers are not found: PATH is empty.
#include <fcntl.h>
#include <sys/mman.h>

#include "store/transport/auth_file.h"
#include "tests/fuzz/fuzzkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {NULL, "library/x", "a/b/c"};
	char *text = mem_strndup((const char *)data, size), *p = text;
	const char *host = fuzz_part(&p);
	struct err *err = NULL;
	char file[64];

	int fd = memfd_create("auth", MFD_CLOEXEC);
	fuzz_must(fd >= 0 && fs_write_all(fd, p, strlen(p)) == 0);
	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	fuzz_must(setenv("PATH", "/nonexistent", 1) == 0);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct auth_credentials c = {0};
		int rc = auth_file_find(file, host, paths[i], &c, &err);
		if (!fuzz_failed(rc, &err) && rc > 0)
			fuzz_must(c.identity || (c.user && c.password));
		auth_file_clear(&c);
	}
	close(fd);
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A credentials file, asked for a few registries, then logged in to and out of. Parts: the host,
 * the file. Whatever is in it, no part of a secret gets into a message. Helpers are not found: PATH
 * is empty. The file has a name of its own and is nobody else's, or it would be refused unread;
 * each name that has rules of its own is one.
 */
#include <sys/stat.h>

#include "store/transport/auth_file.h"
#include "store/transport/secret.h"
#include "tests/fuzz/fuzzkit.h"

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz_must(fd >= 0 && fs_write_all(fd, text, strlen(text)) == 0);
	close(fd);
}

static void find(const char *file, const char *host)
{
	static const char *const paths[] = {NULL, "library/x", "a/b/c"};
	struct err *err = NULL;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct auth_credentials c = {0};
		int rc = auth_file_find(file, host, paths[i], &c, &err);
		if (!fuzz_failed(rc, &err) && rc > 0)
			fuzz_must(c.identity || (c.user && c.password));
		auth_file_clear(&c);
	}
}

/* What was written can be read again, and what was taken out is not in it twice. */
static void log_in_and_out(const char *file, const char *host)
{
	struct secret *password = secret_of("p");
	struct err *err = NULL;
	struct auth_credentials c = {0};

	if (!fuzz_failed(auth_file_store(file, host, "u", password, &err), &err))
		fuzz_failed(auth_file_find(file, host, NULL, &c, &err), &err);
	auth_file_clear(&c);
	secret_free(password);
	if (!fuzz_failed(auth_file_erase(file, host, &err), &err))
		fuzz_failed(auth_file_find(file, host, NULL, &c, &err), &err);
	auth_file_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"auth.json", "config.json", ".dockercfg"};
	char *text = mem_strndup((const char *)data, size), *p = text;
	const char *host = fuzz_part(&p);

	fuzz_must(fuzz_store() && setenv("PATH", "/nonexistent", 1) == 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *file = mem_printf("%s/%s", fuzz_store_kept()->dir, names[i]);
		put(file, p);
		find(file, host);
		log_in_and_out(file, host);
		free(file);
	}
	free(text);
	return 0;
}

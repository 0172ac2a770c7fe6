// SPDX-License-Identifier: Apache-2.0
/*
 * Modes of --chmod. What is accepted gives permission bits only, is the same when applied to what
 * "=" alone made, and an octal mode is the number it says.
 */
#include "parser/filemode.h"
#include "tests/fuzz/fuzzkit.h"

static bool plain_octal(const char *s, unsigned *v)
{
	*v = 0;
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '7' || *v > FILEMODE_MAX)
			return false;
		*v = *v * 8 + (unsigned)(*p - '0');
	}
	return *s && *v <= FILEMODE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filemode m = {0};
	const char *why = NULL;
	unsigned octal;
	char *text = mem_strndup((const char *)data, size);
	struct slice s = {text, strlen(text)};

	if (!filemode_parse(s, &m, &why)) {
		fuzz_must(why && *why);
	} else {
		fuzz_must(m.count <= FILEMODE_ACTIONS_MAX);
		for (unsigned old = 0; old <= FILEMODE_MAX; old += 1 + old / 7) {
			unsigned dir = filemode_apply(&m, old, true);
			unsigned file = filemode_apply(&m, old, false);
			fuzz_must(dir <= FILEMODE_MAX && file <= FILEMODE_MAX);
			fuzz_must(!m.octal || file == m.value);
		}
		if (plain_octal(text, &octal))
			fuzz_must(m.octal && m.value == octal);
	}
	free(text);
	return 0;
}

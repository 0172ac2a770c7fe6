// SPDX-License-Identifier: Apache-2.0
// Under MemorySanitizer the libraries that bld uses are not instrumented, so what they write looks
// as if nobody had written it. Linked into those programs only: what comes from jansson and from
// the kernel by calls that the sanitizer does not know is marked as written. The linker passes
// calls of NAME to __wrap_NAME (Makefile, fuzz-build).
#include <jansson.h>
#include <sanitizer/msan_interface.h>
#include <stdlib.h>
#include <string.h>

json_t *__real_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e);
json_t *__wrap_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e);
char *__real_json_dumps(const json_t *j, size_t flags);
char *__wrap_json_dumps(const json_t *j, size_t flags);

/* Everything that jansson allocates it also fills. */
static void *given(size_t n)
{
	void *p = malloc(n);
	if (p)
		__msan_unpoison(p, n);
	return p;
}

__attribute__((constructor)) static void start(void)
{
	json_set_alloc_funcs(given, free);
}

json_t *__wrap_json_loadb(const char *p, size_t n, size_t flags, json_error_t *e)
{
	/* What it is given must have been written, all of it. */
	__msan_check_mem_is_initialized(p, n);
	json_t *j = __real_json_loadb(p, n, flags, e);
	__msan_unpoison(e, sizeof *e);
	return j;
}

char *__wrap_json_dumps(const json_t *j, size_t flags)
{
	char *s = __real_json_dumps(j, flags);
	if (s)
		__msan_unpoison(s, strlen(s) + 1);
	return s;
}

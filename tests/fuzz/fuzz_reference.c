// SPDX-License-Identifier: Apache-2.0
/* Image names and platforms: what is accepted means the same when its full form is read again. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/oci/oci.h"
#include "store/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void reference(const char *text)
{
	struct reference r = {0}, again = {0};
	struct err *e = NULL;

	if (reference_parse(text, &r, &e) < 0) {
		must(err_get_kind(e) == ERR_USAGE);
		for (const char *p = err_text(e); *p; p++)
			must(!iscntrl((unsigned char)*p));
		err_free(e);
		return;
	}
	char *full = reference_text(&r), *name = reference_name(&r);
	must(strlen(name) <= 255 && !strstr(name, "..") && r.host && r.path && *r.path);
	must(r.tag || r.has_digest);
	for (const char *p = full; *p; p++)
		must(isgraph((unsigned char)*p));
	must(reference_parse(full, &again, NULL) == 0);
	char *twice = reference_text(&again);
	must(strcmp(full, twice) == 0);
	free(full);
	free(name);
	free(twice);
	reference_clear(&r);
	reference_clear(&again);
}

static void platform(const char *text)
{
	struct oci_platform p = {0}, again = {0};
	struct err *e = NULL;

	if (oci_platform_parse(text, &p, &e) < 0) {
		err_free(e);
		return;
	}
	char *full = oci_platform_text(&p);
	must(oci_platform_parse(full, &again, NULL) == 0);
	char *twice = oci_platform_text(&again);
	must(strcmp(full, twice) == 0);
	must(oci_platform_rank(&p, &again) > 0);
	free(full);
	free(twice);
	oci_platform_clear(&p);
	oci_platform_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	reference(text);
	platform(text);
	free(text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Values of the command line and of EXPOSE that have a grammar of their own: ports, -o. Accepted,
// or refused with a reason.
#include "builder/output/output.h"
#include "builder/plan/ports.h"
#include "tests/fuzz/fuzzkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct strlist ports = {0};
	struct output out = {0};
	struct err *err = NULL;

	if (!fuzz_failed(ports_parse(text, &ports, &err), &err))
		for (size_t i = 0; i < ports.n; i++)
			fuzz_must(strchr(ports.v[i], '/') && strtoul(ports.v[i], NULL, 10) < 65536);
	if (!fuzz_failed(output_parse(text, &out, &err), &err))
		fuzz_must(out.type && (out.type & (out.type - 1)) == 0);
	output_clear(&out);
	strlist_clear(&ports);
	free(text);
	return 0;
}

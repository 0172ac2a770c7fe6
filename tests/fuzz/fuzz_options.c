// SPDX-License-Identifier: Apache-2.0
// Values of the command line and of EXPOSE that have a grammar of their own: ports, -o. Accepted,
// or refused with a reason.
#include "builder/output/output.h"
#include "builder/plan/ports.h"
#include "tests/fuzz/fuzzkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct port_range r = {0};
	struct output out = {0};
	struct err *err = NULL;

	if (!fuzz_failed(ports_parse(text, &r, &err), &err))
		fuzz_must(r.from <= r.to && r.to < PORTS_MAX && r.protocol < PORT_PROTOCOLS);
	if (!fuzz_failed(output_parse(text, &out, &err), &err))
		fuzz_must(out.type && (out.type & (out.type - 1)) == 0);
	output_clear(&out);
	free(text);
	return 0;
}

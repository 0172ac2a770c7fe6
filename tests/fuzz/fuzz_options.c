// SPDX-License-Identifier: Apache-2.0
/*
 * Values of the command line and of EXPOSE that have a grammar of their own: ports, -o. Accepted,
 * or refused with a reason.
 */
#include "builder/output/output.h"
#include "builder/plan/ports.h"
#include "tests/fuzz/fuzzkit.h"

/* Every port of the range is new once, by its own name; the text may be one of a base's names. */
static void add(const char *text, const struct port_range *r)
{
	struct port_set *set = mem_alloc(sizeof *set), *again = mem_alloc(sizeof *again);
	struct strlist names = {0}, none = {0}, base = {0};

	ports_add(set, r, &names);
	ports_add(set, r, &none);
	fuzz_must(names.n == r->to - r->from + 1 && none.n == 0);
	ports_from_names(again, &names);
	fuzz_must(memcmp(set, again, sizeof *set) == 0);
	strlist_add(&base, text);
	ports_from_names(again, &base);
	strlist_clear(&names);
	strlist_clear(&base);
	free(set);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	struct port_range r = {0};
	struct output out = {0};
	struct err *err = NULL;

	if (!fuzz_failed(ports_parse(text, &r, &err), &err)) {
		fuzz_must(r.from <= r.to && r.to < PORTS_MAX && r.protocol < PORT_PROTOCOLS);
		/* A wide range costs its names: some of them. */
		r.to = r.to - r.from > 300 ? r.from + 300 : r.to;
		add(text, &r);
	}
	if (!fuzz_failed(output_parse(text, &out, &err), &err))
		fuzz_must(out.type < OUTPUT_TYPES);
	output_clear(&out);
	free(text);
	return 0;
}

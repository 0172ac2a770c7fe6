// SPDX-License-Identifier: Apache-2.0
/*
 * Values of flags of instructions. The first byte chooses the flag; the rest is its value: mount
 * options, modes, owners, checksums. No crash, every report can be printed, and what is accepted
 * survives being printed as a Dockerfile.
 */
#include "parser/dockerfile.h"
#include "parser/mountopt.h"
#include "store/base/buf.h"
#include "tests/fuzz/fuzzkit.h"
#include "tests/fuzz/roundtrip.h"

static void count(void *ctx, struct slice bytes)
{
	size_t *total = ctx;
	for (size_t i = 0; i < bytes.len; i++)
		*total += (unsigned char)bytes.ptr[i];
}

/* As when the type is a variable: what of the options no type of that name has. */
static void misfits(const struct ast_instruction *ins)
{
	if (ins->keyword != AST_RUN)
		return;
	for (size_t i = 0; i < ins->run.nmounts; i++)
		for (int t = 0; t < AST_MOUNT_TYPES; t++) {
			const char *name = mountopt_misfit(&ins->run.mounts[i], t);
			fuzz_must(!name || *name);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *front, *behind;
	} flags[] = {{"RUN --mount=", " true"}, {"COPY --chmod=", " a b"},
		{"COPY --chown=", " a b"}, {"ADD --checksum=", " http://h/a b"},
		{"RUN --network=", " true"}, {"RUN --security=", " true"},
		{"FROM --platform=", " x"}, {"COPY --from=", " a b"}, {"COPY --exclude=", " a b"},
		{"HEALTHCHECK --interval=", " CMD x"}, {"HEALTHCHECK --retries=", " CMD x"},
		{"ADD --keep-git-dir=", " a b"}, {"RUN --device=", " true"}};
	struct buf text;
	size_t total = 0;

	if (size == 0)
		return 0;
	size_t k = data[0] % (sizeof flags / sizeof *flags);
	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, "FROM scratch\n");
	buf_adds(&text, flags[k].front);
	buf_add(&text, data + 1, size - 1);
	buf_adds(&text, flags[k].behind);
	struct dockerfile *df =
		dockerfile_parse(SLICE("Dockerfile"), (struct slice){text.data, text.len});
	if (df->diags.errors == 0)
		for (size_t i = 0; i < df->stages[0].body.count; i++)
			misfits(df->stages[0].body.items[i]);
	dockerfile_report(df, count, &total);
	dockerfile_dump_json(df, count, &total);
	fuzz_must(!roundtrip_applies(df) || roundtrip_holds(df));
	dockerfile_free(df);
	buf_clear(&text);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Known names of platforms, and what is said of a word that is none of them. The words are looked
 * at as they were normalised (lower case, "x86_64" is "amd64"), so that one list of names serves.
 */
#include "builder/plan/platformword.h"

#include <string.h>
#include <strings.h>

#include "parser/suggest.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static const char *const systems[] = {"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd",
	"dragonfly", "solaris", "illumos", "aix", "android", "ios", "plan9", "js", "wasip1",
	"wasi"};

/* Those that Go and Debian know; neighbours of known ones must be here, or they are slips. */
static const char *const architectures[] = {"amd64", "386", "arm64", "arm", "riscv64", "ppc64le",
	"s390x", "mips64le", "mips64", "mips", "mipsle", "loong64", "amd64p32", "arm64be",
	"arm64_32", "armbe", "mips64p32", "mips64p32le", "ppc", "ppc64", "riscv", "riscv32", "s390",
	"sparc", "sparc64", "wasm", "wasm32", "wasm64", "sw64", "loong32"};

static const struct {
	const char *word, *name;
} foreign[] = {
	{"x64", "linux/amd64"},
	{"x86", "linux/386"},
	{"armv8", "linux/arm64"},
	{"arm32", "linux/arm/v7"},
	{"armv7", "linux/arm/v7"},
	{"armv7hl", "linux/arm/v7"},
	{"armv6", "linux/arm/v6"},
	{"armv6hf", "linux/arm/v6"},
	{"armv5", "linux/arm/v5"},
	{"powerpc64le", "linux/ppc64le"},
	{"loongarch64", "linux/loong64"},
};

static bool known(const char *const *names, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0)
			return true;
	return false;
}

static int platformword_refuse(
	const char *text, const char *what, const char *hint, struct err **err)
{
	auto_free char *shown = fs_printable(text);

	err_set(err, ERR_USAGE, "platform \"%s\": there is no such %s", shown, what);
	return err_hint(err, "%s", hint);
}

static int slip(const char *text, const char *what, const char *near, struct err **err)
{
	auto_free char *hint = mem_printf("did you mean \"%s\"?", near);

	return platformword_refuse(text, what, hint, err);
}

static int check_system(const char *text, const char *word, struct err **err)
{
	const char *near = NULL;

	if (!known(systems, ARRAY_LEN(systems), word))
		near = suggest_nearest(slice_of(word), systems, ARRAY_LEN(systems));
	return near ? slip(text, "operating system", near, err) : 0;
}

static int check_architecture(const char *text, const struct oci_platform *p, struct err **err)
{
	static const char what[] = "architecture";
	auto_oci_platform struct oci_platform host = {0};
	const char *near, *word = p->architecture;

	oci_platform_host(&host);
	if (known(architectures, ARRAY_LEN(architectures), word) ||
		strcmp(word, host.architecture) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (strcmp(foreign[i].word, word) == 0)
			return slip(text, what, foreign[i].name, err);
	near = suggest_nearest(slice_of(word), architectures, ARRAY_LEN(architectures));
	if (near) {
		auto_free char *full = mem_printf("%s/%s", p->os, near);
		return slip(text, what, full, err);
	}
	if (strchr(text, '/'))
		return 0;
	near = suggest_nearest(slice_of(word), systems, ARRAY_LEN(systems));
	if (near)
		return slip(text, "operating system or architecture", near, err);
	return platformword_refuse(text, "operating system or architecture",
		"a platform is OS/ARCH or OS/ARCH/VARIANT, as linux/amd64", err);
}

int platformword_parse(const char *text, bool local, struct oci_platform *out, struct err **err)
{
	auto_oci_platform struct oci_platform p = {0};

	if (text && strcasecmp(text, PLATFORMWORD_LOCAL) == 0) {
		if (!local) {
			err_set(err, ERR_USAGE, "platform \"%s\": only an option knows that word",
				text);
			return err_hint(
				err, "$BUILDPLATFORM is the platform of the machine that builds");
		}
		text = NULL;
	}
	if (oci_platform_parse(text, &p, err) < 0)
		return -1;
	if (text && (check_system(text, p.os, err) < 0 || check_architecture(text, &p, err) < 0))
		return -1;
	oci_platform_clear(out);
	*out = p;
	p = (struct oci_platform){0};
	return 0;
}

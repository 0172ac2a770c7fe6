// SPDX-License-Identifier: Apache-2.0
/*
 * Options that other builders have and that are said otherwise here, or only have a value that asks
 * for nothing (attestations). They are judged before anything is built.
 */
#include "builder/cli/buildcompat.h"

#include <string.h>

#include "builder/cli/cli.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"

int buildcompat_platform(const struct buildopts *o, char **out, struct err **err)
{
	auto_oci_platform struct oci_platform host = {0};

	*out = NULL;
	if (!o->os && !o->arch && !o->variant)
		return 0;
	if (o->build.platform) {
		err_set(err, ERR_USAGE,
			"--os, --arch and --variant are other words for --platform");
		return err_hint(err, "give the one or the other");
	}
	if (o->variant && !o->arch) {
		err_set(err, ERR_USAGE, "--variant needs --arch");
		return err_hint(err, "--arch arm --variant v7 is --platform linux/arm/v7");
	}
	oci_platform_host(&host);
	*out = mem_printf("%s/%s%s%s", o->os ? o->os : host.os,
		o->arch ? o->arch : host.architecture, o->variant ? "/" : "",
		o->variant ? o->variant : "");
	if (strchr(*out, ','))
		return err_set(err, ERR_USAGE, "--os, --arch and --variant name one platform");
	return 0;
}

/* "false", and "disabled=true" as --attest has it. */
static bool is_off(const char *value)
{
	bool on;

	if (cli_bool(value, &on))
		return !on;
	for (const char *p = value; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t n = strcspn(p, ",");

		if (n == strlen("disabled=true") && strncmp(p, "disabled=true", n) == 0)
			return true;
	}
	return false;
}

static int check_off(const char *option, const char *value, const char *off, struct err **err)
{
	if (!value || is_off(value))
		return 0;
	err_set(err, ERR_USAGE, "%s=%s: bld makes no attestations", option, value);
	return err_hint(err, "leave it out, or give %s", off);
}

int buildcompat_check(const struct buildopts *o, struct err **err)
{
	for (size_t i = 0; i < o->attest.n; i++)
		if (check_off("--attest", o->attest.v[i], "type=TYPE,disabled=true", err) < 0)
			return -1;
	if (check_off("--provenance", o->provenance, "--provenance=false", err) < 0 ||
		check_off("--sbom", o->sbom, "--sbom=false", err) < 0)
		return -1;
	if (o->build.first_from && !*o->build.first_from)
		return err_set(err, ERR_USAGE, "--from: the name is empty");
	if (!o->manifest || o->targets.n < 2)
		return 0;
	err_set(err, ERR_USAGE, "--manifest is for one target");
	return err_hint(
		err, "name the targets with -t, then: bld manifest create %s NAME...", o->manifest);
}

// SPDX-License-Identifier: Apache-2.0
/* Platforms: names, normal forms and the order of preference (S24). */
#include "store/oci/oci_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"

#define NAME_LIMIT 64 /* bytes of one part */
#define PARTS_MAX  4  /* one more than there may be */

void oci_platform_clear(struct oci_platform *p)
{
	free(p->os);
	free(p->architecture);
	free(p->variant);
	free(p->os_version);
	*p = (struct oci_platform){0};
}

static char *platform_copy_text(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

void oci_platform_copy(struct oci_platform *dst, const struct oci_platform *src)
{
	struct oci_platform p = {
		.os = platform_copy_text(src->os),
		.architecture = platform_copy_text(src->architecture),
		.variant = platform_copy_text(src->variant),
		.os_version = platform_copy_text(src->os_version),
	};

	oci_platform_clear(dst);
	*dst = p;
}

static void platform_replace(char **field, const char *value)
{
	free(*field);
	*field = platform_copy_text(value);
}

static bool is(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

/* The one spelling of each architecture, without a variant that says nothing. */
static void normalise(struct oci_platform *p)
{
	static const struct {
		const char *from, *to, *variant;
	} names[] = {
		{"x86_64", "amd64", NULL},
		{"x86-64", "amd64", NULL},
		{"aarch64", "arm64", NULL},
		{"i386", "386", NULL},
		{"i486", "386", NULL},
		{"i586", "386", NULL},
		{"i686", "386", NULL},
		{"armhf", "arm", "v7"},
		{"armel", "arm", "v6"},
		{"armv7l", "arm", "v7"},
		{"armv6l", "arm", "v6"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!is(p->architecture, names[i].from))
			continue;
		platform_replace(&p->architecture, names[i].to);
		if (names[i].variant)
			platform_replace(&p->variant, names[i].variant);
		break;
	}
	if (p->variant && !*p->variant)
		platform_replace(&p->variant, NULL);
	/* "8" and "v8" are both in use */
	if (p->variant && isdigit((unsigned char)*p->variant) &&
		(is(p->architecture, "arm") || is(p->architecture, "arm64"))) {
		auto_free char *v = mem_printf("v%s", p->variant);
		platform_replace(&p->variant, v);
	}
	if (is(p->architecture, "amd64") && is(p->variant, "v1"))
		platform_replace(&p->variant, NULL);
	if (is(p->architecture, "arm64") && is(p->variant, "v8"))
		platform_replace(&p->variant, NULL);
	if (is(p->architecture, "arm") && !p->variant)
		platform_replace(&p->variant, "v7");
}

void oci_platform_host(struct oci_platform *out)
{
	struct utsname u;

	uname(&u);
	oci_platform_clear(out);
	out->os = mem_strdup("linux");
	out->architecture = mem_strdup(u.machine);
	normalise(out);
}

static bool platform_valid_part(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i]))
			return false;
	return n > 0 && n <= NAME_LIMIT;
}

static bool is_os(const char *s)
{
	static const char *const known[] = {"linux", "windows", "darwin", "freebsd", "netbsd",
		"openbsd", "solaris", "illumos", "aix", "plan9", "js", "wasip1"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], s) == 0)
			return true;
	return false;
}

/* The parts of `text`, in place and in lower case; *n of them. */
static int split_parts(char *text, char *part[PARTS_MAX], size_t *n, struct err **err)
{
	auto_free char *shown = fs_printable(text);
	char *save = NULL;
	size_t len = strlen(text);

	if (*text == '/' || strstr(text, "//") || (len && text[len - 1] == '/'))
		return err_set(err, ERR_USAGE, "platform \"%s\": an empty part", shown);
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*n = 0;
	for (char *c = strtok_r(text, "/", &save); c && *n < PARTS_MAX;
		c = strtok_r(NULL, "/", &save)) {
		part[(*n)++] = c;
		if (!platform_valid_part(c))
			return err_set(err, ERR_USAGE,
				"platform \"%s\": letters, digits, . _ - only", shown);
	}
	if (*n < 1 || *n == PARTS_MAX)
		return err_set(err, ERR_USAGE,
			"platform \"%s\": expected OS/ARCH or OS/ARCH/VARIANT", shown);
	return 0;
}

int oci_platform_parse(const char *text, struct oci_platform *out, struct err **err)
{
	auto_oci_platform struct oci_platform p = {0};
	auto_free char *copy = mem_strdup(text ? text : "");
	char *part[PARTS_MAX];
	size_t n = 0;

	oci_platform_host(&p);
	if (text && split_parts(copy, part, &n, err) < 0)
		return -1;
	if (n == 1 && is_os(part[0])) {
		platform_replace(&p.os, part[0]);
	} else if (n == 1) {
		platform_replace(&p.architecture, part[0]);
		platform_replace(&p.variant, NULL);
	} else if (n > 1) {
		platform_replace(&p.os, part[0]);
		platform_replace(&p.architecture, part[1]);
		platform_replace(&p.variant, n > 2 ? part[2] : NULL);
	}
	if (text)
		normalise(&p);
	/* "8" became "v8". */
	if (p.variant && strlen(p.variant) > NAME_LIMIT) {
		auto_free char *shown = fs_printable(text);
		return err_set(err, ERR_USAGE, "platform \"%s\": a part of more than %d bytes",
			shown, NAME_LIMIT);
	}
	oci_platform_clear(out);
	*out = p;
	p = (struct oci_platform){0};
	return 0;
}

char *oci_platform_text(const struct oci_platform *p)
{
	return mem_printf("%s/%s%s%s", p->os ? p->os : "unknown",
		p->architecture ? p->architecture : "unknown", p->variant ? "/" : "",
		p->variant ? p->variant : "");
}

int oci_platform_from_json(json_t *o, const char *path, struct oci_platform *out, struct err **err)
{
	const char *os, *arch, *variant, *version;

	if (jsonx_string(o, "os", false, path, &os, err) < 0 ||
		jsonx_string(o, "architecture", false, path, &arch, err) < 0 ||
		jsonx_string(o, "variant", false, path, &variant, err) < 0 ||
		jsonx_string(o, "os.version", false, path, &version, err) < 0)
		return -1;
	oci_platform_clear(out);
	out->os = os && *os ? mem_strdup(os) : NULL;
	out->architecture = arch && *arch ? mem_strdup(arch) : NULL;
	out->variant = variant && *variant ? mem_strdup(variant) : NULL;
	out->os_version = version && *version ? mem_strdup(version) : NULL;
	return 0;
}

void oci_platform_to_json(const struct oci_platform *p, json_t *o)
{
	jsonx_set_text(o, "architecture", p->architecture);
	jsonx_set_text(o, "os", p->os);
	jsonx_set_text(o, "os.version", p->os_version);
	jsonx_set_text(o, "variant", p->variant);
}

/* Add "ARCH/vMAJOR[.MINOR]" for every minor version from `minor` down to 0. */
static void add_minors(struct strlist *l, const char *arch, int major, int minor)
{
	for (; minor > 0; minor--)
		strlist_addf(l, "%s/v%d.%d", arch, major, minor);
	if (major == 8 && strcmp(arch, "arm64") == 0)
		strlist_add(l, "arm64/"); /* v8 is the normal form without a variant */
	else
		strlist_addf(l, "%s/v%d", arch, major);
}

static void add_arm(struct strlist *l, int version)
{
	for (; version >= 5; version--)
		strlist_addf(l, "arm/v%d", version);
}

/* "v9.3" -> 9, 3. False for anything else. */
static bool version_of(const char *variant, int *major, int *minor)
{
	int a = 0, b = 0;
	const char *p = variant ? variant : "";

	if (*p++ != 'v' || !isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p) && a < 100; p++)
		a = a * 10 + (*p - '0');
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p) && b < 100; p++)
			b = b * 10 + (*p - '0');
	*major = a;
	*minor = b;
	return !*p && a < 100 && b < 100;
}

/* What serves `want`, best first, as "ARCH/VARIANT". The exact platform always comes first. */
static void preferences(const struct oci_platform *want, struct strlist *l)
{
	int major = 0, minor = 0;
	const char *arch = want->architecture, *variant = want->variant;
	bool version = version_of(variant, &major, &minor);

	strlist_addf(l, "%s/%s", arch, variant ? variant : "");
	if (is(arch, "amd64")) {
		if (version && !minor)
			for (; major > 1; major--)
				strlist_addf(l, "amd64/v%d", major);
		strlist_add(l, "amd64/");
		strlist_add(l, "386/");
	} else if (is(arch, "arm64") && (!variant || version)) {
		if (!variant)
			major = 8, minor = 0;
		if (major == 9) {
			add_minors(l, "arm64", 9, minor);
			minor += 5; /* v9.x holds all of v8.(x+5) */
		}
		add_minors(l, "arm64", 8, minor);
		add_arm(l, 8);
	} else if (is(arch, "arm") && version && !minor) {
		add_arm(l, major);
	} else if (variant) {
		strlist_addf(l, "%s/", arch);
	}
}

int oci_platform_rank(const struct oci_platform *want, const struct oci_platform *have)
{
	auto_oci_platform struct oci_platform w = {0}, h = {0};
	auto_strlist struct strlist order = {0};

	oci_platform_copy(&w, want);
	oci_platform_copy(&h, have);
	normalise(&w);
	normalise(&h);
	if (!w.architecture || !h.architecture || !h.os || !is(h.os, w.os ? w.os : "linux"))
		return 0;
	preferences(&w, &order);
	auto_free char *mine = mem_printf("%s/%s", h.architecture, h.variant ? h.variant : "");
	for (size_t i = 0; i < order.n; i++)
		if (strcmp(order.v[i], mine) == 0)
			return 1000 - (int)i;
	return 0;
}

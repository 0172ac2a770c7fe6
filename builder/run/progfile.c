// SPDX-License-Identifier: Apache-2.0
/*
 * Why a program of an image could not be started, told from its file in the merged tree: mode, ELF
 * machine and interpreter, #! line. Only the first bytes are read; offsets in them are not
 * believed.
 */
#include "builder/run/progfile.h"

#include <elf.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/tar/entry.h"
#include "store/tree/tree.h"

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

static const char *machine_name(unsigned m)
{
	static const struct {
		unsigned m;
		const char *name;
	} known[] = {{EM_X86_64, "amd64 (x86-64)"}, {EM_386, "386"}, {EM_AARCH64, "arm64"},
		{EM_ARM, "arm"}, {EM_PPC64, "ppc64"}, {EM_S390, "s390x"}, {EM_RISCV, "riscv64"},
		{EM_MIPS, "mips"}, {EM_LOONGARCH, "loong64"}};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].m == m)
			return known[i].name;
	return "another machine";
}

/* Little or big endian, as the file says. */
static uint64_t progfile_field(const unsigned char *p, size_t size, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
	return v;
}

static char *find_loader(const unsigned char *p, size_t n, bool wide, bool big)
{
	uint64_t at = wide ? progfile_field(p + 32, 8, big) : progfile_field(p + 28, 4, big);
	uint64_t size = progfile_field(p + (wide ? 54 : 42), 2, big);
	uint64_t count = progfile_field(p + (wide ? 56 : 44), 2, big);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t h = at + i * size;
		if (at > n || size < 32 || h + (wide ? 56 : 32) > n)
			return NULL;
		if (progfile_field(p + h, 4, big) != PT_INTERP)
			continue;
		uint64_t from = wide ? progfile_field(p + h + 8, 8, big)
				     : progfile_field(p + h + 4, 4, big);
		uint64_t len = wide ? progfile_field(p + h + 32, 8, big)
				    : progfile_field(p + h + 16, 4, big);
		if (from >= n || len > n - from || len > 4096)
			return NULL;
		return mem_strndup((const char *)p + from, (size_t)len);
	}
	return NULL;
}

static bool read_script(const char *p, size_t n, char **loader)
{
	size_t i = 2, end;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	for (end = i; end < n && !strchr(" \t\n", p[end]) && p[end]; end++)
		;
	*loader = end > i ? mem_strndup(p + i, end - i) : NULL;
	return true;
}

bool progfile_read(const void *head, size_t n, char **loader, const char **machine)
{
	const unsigned char *p = head;

	*loader = NULL;
	*machine = NULL;
	if (n > 2 && memcmp(p, "#!", 2) == 0)
		return read_script(head, n, loader);
	if (n < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG) != 0)
		return false;
	bool wide = p[EI_CLASS] == ELFCLASS64, big = p[EI_DATA] == ELFDATA2MSB;
	unsigned m = (unsigned)progfile_field(p + 18, 2, big);
	if (m != OWN_MACHINE && !(OWN_MACHINE == EM_X86_64 && m == EM_386))
		*machine = machine_name(m);
	*loader = find_loader(p, n, wide, big);
	return true;
}

/* The beginning of a file; bytes, or 0 when they cannot be had. */
static size_t progfile_peek(const struct layer_node *n, void *out, size_t size)
{
	struct layer_entry e;

	layer_node_attrs(n, &e);
	if (e.type != LAYER_FILE || e.size == 0 || e.fd < 0)
		return 0;
	struct layer_extent whole = {.len = e.size, .data = e.data_off};
	const struct layer_extent *x = e.extents ? e.extents : &whole;
	if (x->off || !x->len)
		return 0;
	size = x->len < size ? (size_t)x->len : size;
	return fs_pread_all(e.fd, out, size, x->data) ? 0 : size;
}

char *progfile_find(const struct layer_tree *t, const char *name, const char *path)
{
	if (strchr(name, '/'))
		return layer_tree_lookup(t, name, true, NULL, NULL) ? mem_strdup(name) : NULL;
	while (*path) {
		size_t len = strcspn(path, ":");
		auto_free char *at = mem_printf("%.*s/%s", (int)len, path, name);
		if (len && layer_tree_lookup(t, at, true, NULL, NULL))
			return TAKE(at);
		path += len + (path[len] == ':');
	}
	return NULL;
}

char *progfile_explain(const struct layer_tree *t, const char *path)
{
	const struct layer_node *n = layer_tree_lookup(t, path, true, NULL, NULL);
	auto_free unsigned char *head = mem_alloc(PROGFILE_HEAD);
	auto_free char *loader = NULL;
	struct layer_entry e;
	const char *machine;
	size_t got;

	if (!n || layer_node_type(n) != LAYER_FILE)
		return NULL;
	layer_node_attrs(n, &e);
	if (!(e.mode & 0111))
		return mem_printf("%s is not executable, its mode is %04o: chmod +x, or COPY "
				  "--chmod=755",
			path, e.mode & 07777U);
	got = progfile_peek(n, head, PROGFILE_HEAD);
	if (got == 0)
		return NULL;
	if (!progfile_read(head, got, &loader, &machine))
		return mem_printf("%s is neither a program nor a script with a #! line", path);
	if (machine)
		return mem_printf("%s is built for %s, this machine is %s", path, machine,
			machine_name(OWN_MACHINE));
	if (!loader)
		return NULL;
	size_t len = strlen(loader);
	if (len && loader[len - 1] == '\r')
		return mem_printf("the #! line of %s ends in a carriage return: it has line ends "
				  "of Windows",
			path);
	if (layer_tree_lookup(t, loader, true, NULL, NULL))
		return NULL;
	return mem_printf("%s needs %s, which the image does not have%s", path, loader,
		strstr(loader, "ld-musl")    ? " (it is built for musl, as of Alpine)"
		: strstr(loader, "ld-linux") ? " (it is built for glibc)"
					     : "");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Whether RUN can work for a foreign platform: by what the processor does itself, else by
 * binfmt_misc, whose handlers are recognised by the ELF machine in their magic. A handler must have
 * flag F, which makes the kernel open the interpreter when it is registered; inside an image it
 * could not be found. Where binfmt_misc is not mounted, or the machine is not in the table, nothing
 * is refused.
 */
#include "builder/plan/binfmt.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

#define ENTRY_MAX ((size_t)16 << 10) /* bytes of one handler's description */

/* ELF e_machine, as the two bytes of a header stand in the hex digits of a handler's magic. */
static const struct machine {
	const char *architecture;
	const char *qemu; /* as qemu calls it */
	const char *magic;
} machines[] = {
	{"amd64", "x86_64", "3e00"},
	{"386", "i386", "0300"},
	{"arm64", "aarch64", "b700"},
	{"arm", "arm", "2800"},
	{"riscv64", "riscv64", "f300"},
	{"ppc64le", "ppc64le", "1500"},
	{"s390x", "s390x", "0016"},
	{"mips64le", "mips64el", "0800"},
	{"loong64", "loongarch64", "0201"},
};

/* What the processor itself can do beside its own. */
static bool native(const char *host, const char *want)
{
	return strcmp(host, want) == 0 || (!strcmp(host, "amd64") && !strcmp(want, "386")) ||
	       (!strcmp(host, "arm64") && !strcmp(want, "arm"));
}

static bool handles(int dir, const char *name, const struct machine *m, bool *fixed)
{
	auto_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = {0};

	buf_init(&text, ENTRY_MAX);
	if (fd < 0 || fs_read_fd(fd, ENTRY_MAX, name, &text, NULL) < 0 ||
		strncmp(text.data, "enabled", 7) != 0)
		return false;
	const char *flags = strstr(text.data, "flags:");
	const char *magic = strstr(text.data, "magic 7f454c46");
	if (!magic || strlen(magic) < 6 + 40 || strncmp(magic + 6 + 36, m->magic, 4) != 0)
		return false;
	*fixed = flags && memchr(flags, 'F', strcspn(flags, "\n")) != NULL;
	return true;
}

/* 1 a handler that works in a sandbox, 0 one that does not, -1 none. */
static int binfmt_find(DIR *d, const struct machine *m)
{
	int best = -1;
	const struct dirent *e;

	while (fs_readdir(d, &e) == 1) {
		bool fixed;
		if (e->d_name[0] == '.' || strcmp(e->d_name, "register") == 0 ||
			strcmp(e->d_name, "status") == 0)
			continue;
		if (handles(dirfd(d), e->d_name, m, &fixed) && best < (int)fixed)
			best = fixed;
	}
	return best;
}

int binfmt_check(const struct oci_platform *want, const char *dir, struct err **err)
{
	auto_oci_platform struct oci_platform host = {0};
	const struct machine *m = NULL;

	oci_platform_host(&host);
	if (!want->architecture || native(host.architecture, want->architecture))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (strcmp(machines[i].architecture, want->architecture) == 0)
			m = &machines[i];
	DIR *d = m ? opendir(dir) : NULL;
	if (!d)
		return 0;
	bool mounted = faccessat(dirfd(d), "status", F_OK, 0) == 0;
	int found = mounted ? binfmt_find(d, m) : 1;
	closedir(d);
	if (found > 0)
		return 0;
	auto_free char *text = oci_platform_text(want);
	if (found == 0) {
		err_set(err, ERR_UNSUPPORTED,
			"RUN for %s: the handler of its programs in binfmt_misc has no flag F, so "
			"it "
			"cannot be found inside an image",
			text);
		return err_hint(err, "register qemu-%s-static with flag F", m->qemu);
	}
	err_set(err, ERR_UNSUPPORTED,
		"RUN for %s: this machine (%s) has no binfmt_misc handler qemu-%s for its programs",
		text, host.architecture, m->qemu);
	return err_hint(err,
		"install qemu-user-static and binfmt-support (Debian), or register "
		"qemu-%s-static with flag F",
		m->qemu);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * An archive that ADD unpacks or `bld load` reads: any format that libarchive is allowed, through
 * our reader. Names are clean, contents lie in the spool file, and two readings agree.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "store/base/sha256.h"
#include "tests/fuzz/fuzzkit.h"
#include "tests/fuzz/fuzztar.h"
#include "store/tar/entry.h"
#include "store/tar/userarchive.h"

#define BYTES_MAX ((uint64_t)4 << 20)

static void clean(const char *path)
{
	must(path[0] != '/' && strlen(path) <= LAYER_PATH_MAX);
	for (const char *p = path; *p;) {
		size_t k = strcspn(p, "/");
		must(k > 0 && !(k == 1 && p[0] == '.') && !(k == 2 && p[0] == '.' && p[1] == '.'));
		p += k + (p[k] == '/');
	}
}

static int list(int fd, int tmp, struct digest *sum)
{
	const struct layer_entry *e;
	struct err *err = NULL;
	struct sha256 s;
	uint64_t bytes = 0;
	int rc;

	sha256_init(&s);
	struct layer_archive *a = layer_archive_open(fd, tmp, BYTES_MAX, &err);
	must(a || err);
	if (!a) {
		err_free(err);
		return -1;
	}
	while ((rc = layer_archive_next(a, &e, &err)) > 0) {
		clean(e->path);
		/* A hard link to the root of the archive is told as one, and refused later. */
		must(!e->link || *e->link || e->type == LAYER_HARDLINK);
		must(e->nxattrs <= LAYER_XATTRS_MAX);
		if (e->type == LAYER_FILE && !e->extents && e->source == LAYER_DATA_FD)
			bytes += e->size;
		must(bytes <= BYTES_MAX);
		sha256_field_str(&s, e->path);
		sha256_field_str(&s, e->link);
		sha256_field_u64(&s, (uint64_t)e->type << 32 | e->mode);
		sha256_field_u64(&s, (uint64_t)e->uid << 32 | e->gid);
		sha256_field_u64(&s, e->size);
	}
	fuzz_failed(rc, &err);
	layer_archive_close(a);
	sha256_final(&s, sum);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest a, b;
	int fd = fd_of(data, size);
	int tmp = open(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err *err = NULL;

	must(tmp >= 0);
	int probe = layer_archive_probe(fd, &err);
	fuzz_failed(probe, &err);
	must(lseek(fd, 0, SEEK_SET) == 0);
	int rc = list(fd, tmp, &a);
	must(lseek(fd, 0, SEEK_SET) == 0);
	must(list(fd, tmp, &b) == rc && (rc < 0 || sha256_equal(&a, &b)));
	close(fd);
	close(tmp);
	return 0;
}

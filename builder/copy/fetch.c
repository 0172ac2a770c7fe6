// SPDX-License-Identifier: Apache-2.0
// ADD URL: the body in a file without a name, which the selection keeps open.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/copy/path.h"
#include "builder/copy/selection.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/io.h"
#include "store/base/mem.h"
#include "store/transport/http.h"

#define NO_NAME "__unnamed__" /* what other builders call a body without a name */

int copy_fetch_spool(int dir_fd, struct err **err)
{
	int fd = fs_spool(dir_fd);

	return fd < 0 ? err_sys(err, "a temporary file") : fd;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The last element of the URL's path, %XX decoded; owned.
static char *name_of(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	p += strcspn(p, "/?#");
	size_t n = strcspn(p, "?#"), k = 0;
	auto_free char *path = mem_alloc(n + 1);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			path[k++] = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
			i += 2;
		} else {
			path[k++] = p[i];
		}
	}
	if (memchr(path, '\0', k))
		return mem_strdup(NO_NAME);
	while (k && path[k - 1] == '/')
		path[--k] = '\0';
	const char *base = copy_path_base(path);
	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		base = NO_NAME;
	return mem_strdup(base);
}

struct copy_file *copy_fetch(struct copy_selection *s, const char *url, struct err **err)
{
	struct http_download d = {.max_bytes = COPY_URL_MAX, .cancelled = s->cancelled};
	int fd = copy_fetch_spool(s->tmp_fd, err);
	struct stat st;

	if (fd < 0)
		return NULL;
	MEM_PUSH(s->fds, s->nfds, s->cap_fds) = fd;
	struct io_fd to = {.fd = fd, .what = "a temporary file"};
	struct io_writer out = io_fd_writer(&to);
	d.last_modified = -1;
	if (http_download(url, &out, &d, err) < 0)
		return NULL;
	free(d.etag);
	if (fstat(fd, &st) < 0) {
		err_sys(err, "a temporary file");
		return NULL;
	}
	auto_free char *name = name_of(url);
	struct copy_file *f = copy_selection_made(s, name, 0600);
	f->x->fd = fd;
	f->size = (uint64_t)st.st_size;
	f->content = f->size ? COPY_CONTENT_FD : COPY_CONTENT_NONE;
	if (d.last_modified >= 0) {
		f->mtime = d.last_modified;
		f->no_mtime = false;
	}
	return f;
}

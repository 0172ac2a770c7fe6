// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates for one server from the directories that containers and docker use. The first
 * directory that exists is the only one; with --cert-dir its subdirectory for the server comes
 * first and both count. Authorities are read here, a client's certificate and key go to libcurl as
 * paths.
 */
#include "store/transport/certs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"
#include "store/owned.h"

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);
	return n > t && strcmp(s + n - t, tail) == 0;
}

/* Sorted, so that which pair is taken does not depend on the directory's order. */
static int list_dir(const char *dir, struct strlist *names)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int more;

	if (!d)
		return -1;
	while ((more = fs_readdir(d, &e)) == 1)
		if (e->d_name[0] != '.')
			strlist_add(names, e->d_name);
	int saved = errno;
	closedir(d);
	errno = saved;
	strlist_sort(names);
	return more;
}

/* Who is trusted, and who we are, is not for others to say: as with files of credentials. */
static int certs_check_owner(const char *path, bool dir, struct err **err)
{
	auto_fd int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "%s", path);
	return dir ? owned_file_dir(fd, path, err) : owned_file(fd, path, err);
}

static int add_authority(const char *path, struct certs *c, struct err **err)
{
	auto_buf struct buf one;

	buf_init(&one, CERTS_MAX);
	if (certs_check_owner(path, false, err) < 0)
		return -1;
	if (fs_read_file(AT_FDCWD, path, CERTS_MAX, &one, err) < 0)
		return -1;
	if (buf_add(&c->authorities, one.data, one.len) < 0 || buf_addc(&c->authorities, '\n') < 0)
		return err_set(err, ERR_LIMIT, "%s: more than 1 MiB of certificates", path);
	return 0;
}

/* 1 when the directory is there, 0 when not. */
static int load_dir(const char *dir, struct certs *c, struct err **err)
{
	auto_strlist struct strlist names = {0};

	if (list_dir(dir, &names) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys_kind(err, ERR_CONTEXT, "%s", dir);
	if (certs_check_owner(dir, true, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = mem_printf("%s/%s", dir, names.v[i]);

		if (ends_with(path, ".crt")) {
			if (add_authority(path, c, err) < 0)
				return -1;
		} else if (ends_with(path, ".cert") && !c->cert) {
			auto_free char *stem = mem_strndup(names.v[i], strlen(names.v[i]) - 5);
			auto_free char *key = mem_printf("%s.key", stem);

			if (!strlist_has(&names, key))
				return err_set(err, ERR_CONTEXT, "%s: its key %s.key is missing",
					path, stem);
			auto_free char *key_path = mem_printf("%s/%s", dir, key);
			if (certs_check_owner(path, false, err) < 0 ||
				certs_check_owner(key_path, false, err) < 0)
				return -1;
			c->cert = TAKE(path);
			c->key = TAKE(key_path);
		}
	}
	return 1;
}

static int load_default(const char *host_port, struct certs *c, struct err **err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	auto_strlist struct strlist places = {0};
	int found = 0;

	if (config && *config == '/')
		strlist_addf(&places, "%s/containers/certs.d/%s", config, host_port);
	else if (home && *home == '/')
		strlist_addf(&places, "%s/.config/containers/certs.d/%s", home, host_port);
	strlist_addf(&places, "/etc/containers/certs.d/%s", host_port);
	strlist_addf(&places, "/etc/docker/certs.d/%s", host_port);
	for (size_t i = 0; i < places.n && found == 0; i++)
		found = load_dir(places.v[i], c, err);
	return found;
}

int certs_load(const char *dir, const char *host_port, struct certs *out, struct err **err)
{
	struct certs c = {0};
	int r;

	buf_init(&c.authorities, CERTS_MAX);
	if (dir) {
		auto_free char *sub = mem_printf("%s/%s", dir, host_port);

		r = load_dir(sub, &c, err);
		if (r >= 0)
			r = load_dir(dir, &c, err);
		if (r == 0)
			r = err_set(err, ERR_CONTEXT, "%s: no such directory of certificates", dir);
	} else {
		r = load_default(host_port, &c, err);
	}
	if (r < 0) {
		certs_clear(&c);
		return -1;
	}
	*out = c;
	return 0;
}

void certs_clear(struct certs *c)
{
	buf_clear(&c->authorities);
	free(c->cert);
	free(c->key);
	c->cert = c->key = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees as text, for the tests of builder/copy. Entries are separated by ';', words by blanks:
 *	d DIR | f FILE =TEXT | l LINK ->TARGET | h NAME ->FIRST | p FIFO | s SOCKET | c DEV |
 *	o OPAQUE
 * and then, where they differ from 755/644/777, 0:0 and 1000: @MODE :UID:GID ~MTIME, +ATTR=VALUE.
 */
#ifndef BLD_TESTS_UNIT_COPY_KIT_H
#define BLD_TESTS_UNIT_COPY_KIT_H

#include "tests/unit/layer_kit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "builder/copy/copy.h"
#include "parser/ignore.h"

#define KIT_TIME 1000
#define KIT_NOW  5000

struct kit_spec {
	struct layer_entry e;
	char kind;
	char words[8][300];
	struct layer_xattr xattr;
};

/* The next entry of a tree's text; false at the end. */
KIT bool kit_next(const char **p, struct kit_spec *s)
{
	size_t n = 0;
	*p += strspn(*p, "; \n\t");
	if (!**p)
		return false;
	memset(s, 0, sizeof *s);
	while (**p && **p != ';') {
		size_t len = strcspn(*p, " ;");
		assert_true(n < 8 && len < 300);
		memcpy(s->words[n++], *p, len);
		*p += len;
		*p += strspn(*p, " ");
	}
	s->kind = s->words[0][0];
	struct layer_entry *e = &s->e;
	*e = (struct layer_entry){.path = s->words[1], .fd = -1, .mtime = KIT_TIME};
	const char *kinds = "dflhpcso";
	static const enum layer_type types[] = {LAYER_DIR, LAYER_FILE, LAYER_SYMLINK,
		LAYER_HARDLINK, LAYER_FIFO, LAYER_CHAR, LAYER_FILE, LAYER_OPAQUE};
	assert_non_null(strchr(kinds, s->kind));
	e->type = types[strchr(kinds, s->kind) - kinds];
	e->mode = e->type == LAYER_DIR ? 0755 : e->type == LAYER_SYMLINK ? 0777 : 0644;
	if (s->kind == 'c') {
		e->dev_major = 1;
		e->dev_minor = 3;
	}
	for (size_t i = 2; i < n; i++) {
		char *w = s->words[i];
		if (w[0] == '=') {
			e->mem = w + 1;
			e->size = strlen(w + 1);
			e->source = e->size ? LAYER_DATA_MEM : LAYER_NO_DATA;
		} else if (w[0] == '-') {
			e->link = w + 2;
		} else if (w[0] == '@') {
			e->mode = (uint32_t)strtoul(w + 1, NULL, 8);
		} else if (w[0] == ':') {
			char *end;
			e->uid = (uint32_t)strtoul(w + 1, &end, 10);
			e->gid = (uint32_t)strtoul(end + 1, NULL, 10);
		} else if (w[0] == '~') {
			e->mtime = strtoll(w + 1, NULL, 10);
		} else if (w[0] == '+') {
			char *eq = strchr(w, '=');
			*eq = 0;
			s->xattr = (struct layer_xattr){w + 1, eq + 1, strlen(eq + 1)};
			e->xattrs = &s->xattr;
			e->nxattrs = 1;
		} else {
			fail_msg("word %s", w);
		}
	}
	return true;
}

KIT void kit_put_tree(struct layer_tree *t, const char *text)
{
	int fd = kit_memfd();
	struct kit_spec s;
	struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	while (kit_next(&text, &s))
		assert_ok(layer_writer_add(w, &s.e, err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	assert_ok(layer_tree_apply(t, fd, err));
}

KIT struct layer_tree *kit_make_tree(const char *text)
{
	struct layer_tree *t = layer_tree_new();
	kit_put_tree(t, text);
	return t;
}

KIT void kit_parents(int dir, const char *path)
{
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		char *parent = mem_strndup(path, (size_t)(p - path));
		mkdirat(dir, parent, 0755);
		free(parent);
	}
}

KIT void kit_put_file(int dir, const struct layer_entry *e)
{
	int fd = openat(dir, e->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	if (e->size)
		assert_int_equal(fs_write_all(fd, e->mem, (size_t)e->size), 0);
	for (size_t i = 0; i < e->nxattrs; i++)
		assert_int_equal(
			fsetxattr(fd, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].len, 0),
			0);
	close(fd);
}

KIT void kit_put_socket(int dir, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s", dir, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
}

/* The same on disk; owners are not set. Times and modes of directories last, deepest first. */
KIT void kit_put_dir(int dir, const char *text)
{
	struct kit_spec s;
	for (const char *p = text; kit_next(&p, &s);) {
		const struct layer_entry *e = &s.e;
		kit_parents(dir, e->path);
		if (s.kind == 'd')
			mkdirat(dir, e->path, 0755);
		else if (s.kind == 'f')
			kit_put_file(dir, e);
		else if (s.kind == 'l')
			assert_int_equal(symlinkat(e->link, dir, e->path), 0);
		else if (s.kind == 'h')
			assert_int_equal(linkat(dir, e->link, dir, e->path, 0), 0);
		else if (s.kind == 'p')
			assert_int_equal(mkfifoat(dir, e->path, 0600), 0);
		else if (s.kind == 's')
			kit_put_socket(dir, e->path);
		else if (s.kind == 'c')
			assert_int_equal(mknodat(dir, e->path, S_IFCHR | 0600, makedev(1, 3)), 0);
	}
	for (const char *p = text; kit_next(&p, &s);) {
		struct timespec t[2] = {{s.e.mtime, 0}, {s.e.mtime, 999}};
		if (s.kind != 'l')
			assert_int_equal(fchmodat(dir, s.e.path, s.e.mode, 0), 0);
		assert_int_equal(utimensat(dir, s.e.path, t, AT_SYMLINK_NOFOLLOW), 0);
	}
}

struct kit_dir {
	char path[64];
	int fd;
};

KIT struct kit_dir kit_temp(void)
{
	struct kit_dir d;
	snprintf(d.path, sizeof d.path, "/tmp/bld-copy-XXXXXX");
	assert_non_null(mkdtemp(d.path));
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d.fd >= 0);
	return d;
}

KIT void kit_temp_free(struct kit_dir *d)
{
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fs_remove_tree(tmp, d->path + 5), 0);
	close(tmp);
	close(d->fd);
}

KIT void kit_spec_line(struct buf *b, const struct layer_entry *e)
{
	static const char kinds[] = "dflhpco";
	static const enum layer_type types[] = {LAYER_DIR, LAYER_FILE, LAYER_SYMLINK,
		LAYER_HARDLINK, LAYER_FIFO, LAYER_CHAR, LAYER_OPAQUE};
	char kind = '?';
	for (size_t i = 0; kinds[i]; i++)
		if (types[i] == e->type)
			kind = kinds[i];
	buf_addf(b, "%s%c %s", b->len ? "; " : "", kind, e->path);
	if (kind == 'o')
		return;
	if (e->type == LAYER_FILE) {
		char text[64] = {0};
		assert_true(e->size < sizeof text);
		if (e->size)
			assert_int_equal(
				fs_pread_all(e->fd, text, (size_t)e->size, e->data_off), 0);
		buf_addf(b, " =%s", text);
	}
	if (e->link)
		buf_addf(b, " ->%s", e->link);
	uint32_t usual = kind == 'd' ? 0755 : kind == 'l' ? 0777 : 0644;
	if (e->mode != usual)
		buf_addf(b, " @%o", e->mode);
	if (e->uid || e->gid)
		buf_addf(b, " :%u:%u", e->uid, e->gid);
	if (e->mtime != KIT_TIME)
		buf_addf(b, " ~%lld", (long long)e->mtime);
	for (size_t i = 0; i < e->nxattrs; i++)
		buf_addf(b, " +%s=%.*s", e->xattrs[i].name, (int)e->xattrs[i].len,
			(const char *)e->xattrs[i].value);
}

/* A tar in the language above; closes it. */
KIT char *kit_tar_text(int fd)
{
	struct err *e = NULL;
	struct buf b;
	const struct layer_entry *entry;
	int rc;
	buf_init(&b, BUF_TEXT_MAX);
	struct layer_walk *w = layer_walk_new(fd, kit_size(fd));
	while ((rc = layer_walk_next(w, &entry, &e)) > 0)
		kit_spec_line(&b, entry);
	layer_walk_free(w);
	assert_int_equal(rc, 0);
	close(fd);
	return buf_take(&b);
}

KIT char *kit_failure_text(int fd, struct err *e)
{
	char *text = mem_printf("!%s", err_text(e));
	err_free(e);
	close(fd);
	return text;
}

/* A list, written and read back. On failure "!" and the message. */
KIT char *kit_list_text(struct layer_list *l)
{
	struct err *e = NULL;
	int fd = kit_memfd();
	if (layer_list_write(l, kit_writer(&fd), &e) < 0)
		return kit_failure_text(fd, e);
	return kit_tar_text(fd);
}

KIT int kit_write(struct copy_placed *p, int fd, struct err **err)
{
	auto_layer_writer struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	return copy_write(p, w, err);
}

/* The same of placed files. */
KIT char *kit_placed_text(struct copy_placed *p)
{
	struct err *e = NULL;
	int fd = kit_memfd();
	if (kit_write(p, fd, &e) < 0)
		return kit_failure_text(fd, e);
	return kit_tar_text(fd);
}

#endif

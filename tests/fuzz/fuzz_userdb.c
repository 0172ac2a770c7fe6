// SPDX-License-Identifier: Apache-2.0
/*
 * /etc/passwd and /etc/group of an image, and the names that USER and --chown look up in them.
 * Parts (fuzz_part): the name, passwd, group; a file that begins with "-> " is a link. Ids that
 * come out are ids, and a number means itself.
 */
#include "builder/image/userdb.h"
#include "store/tree/tree.h"
#include "tests/fuzz/fuzzkit.h"
#include "tests/fuzz/fuzztar.h"

static struct layer_entry entry(const char *path, const char *text)
{
	if (strncmp(text, "-> ", 3) == 0 && text[3] && !strchr(text, '\n'))
		return (struct layer_entry){.path = path, .type = LAYER_SYMLINK, .link = text + 3};
	return (struct layer_entry){.path = path,
		.type = LAYER_FILE,
		.size = strlen(text),
		.source = LAYER_DATA_MEM,
		.mem = text};
}

static struct layer_tree *tree_of(const char *passwd, const char *group)
{
	const struct layer_entry e[] = {
		{.path = "etc", .type = LAYER_DIR, .mode = 0755},
		{.path = "etc/d", .type = LAYER_SYMLINK, .link = "/etc"},
		entry("etc/group", group),
		entry("etc/passwd", passwd),
	};
	struct buf b;
	struct layer_tree *t = layer_tree_new();
	buf_init(&b, (size_t)8 << 20);
	struct layer_writer *w = layer_writer_new((struct io_writer){.write = to_buf, .ctx = &b});
	for (size_t i = 0; i < sizeof e / sizeof *e; i++)
		must(layer_writer_add(w, &e[i], NULL) == 0);
	must(layer_writer_finish(w, NULL) == 0);
	layer_writer_free(w);
	must(layer_tree_apply(t, fd_of(b.data, b.len), NULL) == 0);
	buf_clear(&b);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *p = text;
	const char *name = fuzz_part(&p), *passwd = fuzz_part(&p), *group = fuzz_part(&p);
	struct userdb_user u = {0};
	struct err *err = NULL;
	uint32_t uid = 0, gid = 0;

	struct layer_tree *t = tree_of(passwd, group);
	if (!fuzz_failed(userdb_user(t, name, &u, &err), &err)) {
		must(u.uid != UINT32_MAX && u.gid != UINT32_MAX && u.home);
		must(u.ngroups <= USERDB_GROUPS_MAX);
		for (size_t i = 0; i < u.ngroups; i++)
			must(u.groups[i] != UINT32_MAX);
		if (*name && !name[strspn(name, "0123456789")])
			must(u.uid == strtoull(name, NULL, 10));
	}
	userdb_user_clear(&u);
	if (!fuzz_failed(userdb_owner(t, name, &uid, &gid, &err), &err))
		must(uid != UINT32_MAX && gid != UINT32_MAX);
	if (!fuzz_failed(userdb_maker(t, name, &uid, &gid, &err), &err)) {
		must(uid != UINT32_MAX && gid != UINT32_MAX);
		if (userdb_is_number(name))
			must(uid == gid && uid == strtoull(name, NULL, 10));
	}
	layer_tree_free(t);
	free(text);
	return 0;
}

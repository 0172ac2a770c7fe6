// SPDX-License-Identifier: Apache-2.0
/*
 * tests/cases/tar: hostile and ambiguous layers, merged in memory and, as root, unpacked beside a
 * canary.
 */
#include "tests/unit/layer_kit.h"
#include "store/tree/unpack.h"

#include <fcntl.h>

#define LAYERS_MAX 4

struct one {
	char name[1000];
	struct buf layers[LAYERS_MAX];
	size_t nlayers;
	struct buf pax;  /* records of the next entry */
	struct buf tree; /* expected */
	char refused[1000];
	int any;
};

static void flush_pax(struct one *c)
{
	struct buf *b = &c->layers[c->nlayers - 1];
	if (c->pax.len)
		kit_raw(b, "pax", 'x', "", c->pax.data, c->pax.len);
	buf_reset(&c->pax);
}

static void raw(struct one *c, const char *name, char type, const char *link, const char *text)
{
	flush_pax(c);
	kit_raw(&c->layers[c->nlayers - 1], name, type, link, text, strlen(text));
}

/* "name SEP rest" in place; returns the rest or "". */
static char *cut(char *s, const char *sep)
{
	char *at = strstr(s, sep);
	if (!at)
		return s + strlen(s);
	*at = 0;
	return at + strlen(sep);
}

/* Digits written into the last header, of a device or of a mode, that kit_raw() has no word for;
 * its checksum is made right again. */
static void patch(struct one *c, size_t off, const char *digits)
{
	struct buf *b = &c->layers[c->nlayers - 1];
	unsigned char *h = (unsigned char *)b->data + b->len - 512;
	unsigned sum = 0;
	memcpy(h + off, digits, strlen(digits) + 1);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static void add_entry(struct one *c, char *s)
{
	char digits[16], record[5000], *rest;
	char type = s[0];
	static const char zeros[512];
	s += s[1] ? 2 : 1;
	switch (type) {
	case 'F':
		rest = cut(s, " = ");
		raw(c, s, '0', "", rest);
		break;
	case 'D':
		rest = cut(s, " ");
		raw(c, s, '5', "", "");
		snprintf(digits, sizeof digits, "%07o",
			*rest ? (unsigned)strtoul(rest, NULL, 8) : 0755u);
		patch(c, 100, digits);
		break;
	case 'L':
	case 'H':
		rest = cut(s, " -> ");
		raw(c, s, type == 'L' ? '2' : '1', rest, "");
		break;
	case 'C':
		rest = cut(s, " ");
		raw(c, s, '3', "", "");
		snprintf(digits, sizeof digits, "%07lo", strtoul(rest, &rest, 10));
		patch(c, 329, digits);
		snprintf(digits, sizeof digits, "%07lo", strtoul(rest, NULL, 10));
		patch(c, 337, digits);
		break;
	case 'P':
		raw(c, s, '6', "", "");
		break;
	case 'X':
		rest = cut(s, "=");
		buf_adds(&c->pax, kit_pax(record, s, rest));
		break;
	case 'N':
	case 'K':
		raw(c, "././@LongLink", type == 'N' ? 'L' : 'K', "", s);
		break;
	case 'R':
		raw(c, s + 2, s[0], "", "");
		break;
	case 'Z':
		buf_add(&c->layers[c->nlayers - 1], zeros, 512);
		break;
	case 'T':
		buf_adds(&c->layers[c->nlayers - 1], s);
		break;
	default:
		fail_msg("%s: line \"%c %s\"", c->name, type, s);
	}
}

/* --- what came out -------------------------------------------------------------------------- */

static void lines(struct buf *b, const struct layer_node *n)
{
	static const char letters[] = "fdl?cbp";
	struct layer_entry e;
	layer_node_entry(n, &e);
	if (*e.path) {
		buf_addf(b, "%c %s", letters[e.type], e.path);
		if (e.type == LAYER_SYMLINK)
			buf_addf(b, " -> %s", e.link);
		if (e.type == LAYER_FILE && e.size) {
			size_t len;
			char *text = layer_node_read(n, 1000, &len, NULL);
			buf_addf(b, " = %s", text);
			free(text);
		}
		buf_addc(b, '\n');
	}
	for (size_t i = 0; i < layer_node_nchildren(n); i++)
		lines(b, layer_node_child(n, i));
}

static void unpack_beside_canary(
	const struct one *c, int tar, const struct layer_tree *below, const char *refused)
{
	char dir[] = "/var/tmp/layer_cases.XXXXXX", text[8] = {0};
	assert_non_null(mkdtemp(dir));
	int top = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(top, "canary", 0755) || mkdirat(top, "out", 0755), 0);
	int s = openat(top, "canary/s", O_CREAT | O_RDWR, 0600);
	assert_int_equal(fs_write_all(s, "secret", 6), 0);
	struct layer_unpack u = {
		.dest_fd = openat(top, "out", O_RDONLY | O_DIRECTORY), .below = below};
	char *why = NULL;
	if (refused) {
		assert_fails(layer_unpack(tar, &u, err), ERR_CORRUPT, refused);
	} else {
		assert_ok(layer_unpack(tar, &u, err));
		int rc = layer_compare_dir(tar, &u, &why, NULL);
		if (rc != 1)
			fail_msg("%s: %s", c->name, why ? why : "compare failed");
	}
	assert_int_equal(pread(s, text, 7, 0), 6);
	assert_string_equal(text, "secret");
	struct stat st;
	assert_int_equal(fstatat(top, "canary", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	close(s);
	close(u.dest_fd);
	close(top);
	kit_remove(dir);
}

static void run(struct one *c)
{
	struct layer_tree *t = layer_tree_new();
	flush_pax(c);
	for (size_t i = 0; i < c->nlayers; i++) {
		const char *refused = *c->refused && i + 1 == c->nlayers ? c->refused : NULL;
		kit_end(&c->layers[i]);
		if (refused && strcmp(refused, "unexpected end") == 0)
			c->layers[i].len -= 1024;
		int fd = kit_fd_of(c->layers[i].data, c->layers[i].len);
		if (geteuid() == 0)
			unpack_beside_canary(c, fd, i ? t : NULL, refused);
		if (refused)
			assert_fails(layer_tree_apply(t, fd, err), ERR_CORRUPT, refused);
		else
			assert_ok(layer_tree_apply(t, fd, err));
	}
	if (!*c->refused) {
		struct buf got;
		buf_init(&got, BUF_TEXT_MAX);
		lines(&got, layer_tree_root(t));
		if (strcmp(got.data, c->tree.data) != 0)
			fail_msg("%s: got\n%swant\n%s", c->name, got.data, c->tree.data);
		buf_clear(&got);
	}
	layer_tree_free(t);
}

static void begin(struct one *c, const char *name)
{
	snprintf(c->name, sizeof c->name, "%s", name);
	for (size_t i = 0; i < LAYERS_MAX; i++)
		buf_reset(&c->layers[i]);
	buf_reset(&c->pax);
	buf_reset(&c->tree);
	c->nlayers = 1;
	c->refused[0] = 0;
	c->any = 1;
}

static int run_file(const char *path)
{
	struct one c = {.any = 0};
	char line[1000];
	int n = 0;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	for (size_t i = 0; i < LAYERS_MAX; i++)
		buf_init(&c.layers[i], 1 << 20);
	buf_init(&c.pax, 1 << 20);
	buf_init(&c.tree, 1 << 20);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "== ", 3) == 0) {
			if (c.any)
				run(&c);
			begin(&c, line + 3);
			n++;
		} else if (strcmp(line, "--") == 0) {
			flush_pax(&c);
			assert_true(c.nlayers < LAYERS_MAX);
			c.nlayers++;
		} else if (line[0] == '>') {
			buf_addf(&c.tree, "%s\n", line + 2);
		} else if (line[0] == '!') {
			snprintf(c.refused, sizeof c.refused, "%s", line + 2);
		} else if (line[0] && line[0] != '#') {
			add_entry(&c, line);
		}
	}
	if (c.any)
		run(&c);
	for (size_t i = 0; i < LAYERS_MAX; i++)
		buf_clear(&c.layers[i]);
	buf_clear(&c.pax);
	buf_clear(&c.tree);
	fclose(f);
	return n;
}

static void hostile(void **state)
{
	(void)state;
	assert_true(run_file("tests/cases/tar/hostile.cases") >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hostile)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The merged tree: layers over layers, whiteouts, links, look-ups. */
#include "tests/unit/layer_kit.h"

#include <errno.h>

#define APPLY(t, ...) assert_ok(layer_tree_apply(t, KIT_TAR(__VA_ARGS__), err))
#define REFUSED(t, kind, text, ...)                                                                \
	assert_fails(layer_tree_apply(t, KIT_TAR(__VA_ARGS__), err), kind, text)

/* Paths and contents only, a line each. */
static void names(struct buf *b, const struct layer_node *n)
{
	struct layer_entry e;
	layer_node_entry(n, &e);
	if (*e.path) {
		buf_adds(b, e.path);
		if (e.type == LAYER_DIR)
			buf_adds(b, "/");
		if (e.type == LAYER_SYMLINK)
			buf_addf(b, "->%s", e.link);
		if (e.type == LAYER_FILE) {
			size_t len;
			struct err *err = NULL;
			char *text = layer_node_read(n, 100, &len, &err);
			assert_non_null(text);
			buf_addf(b, "=%s", text);
			free(text);
		}
		buf_addc(b, ' ');
	}
	for (size_t i = 0; i < layer_node_nchildren(n); i++)
		names(b, layer_node_child(n, i));
}

static void assert_names(const struct layer_tree *t, const char *want)
{
	struct buf b;
	buf_init(&b, BUF_TEXT_MAX);
	names(&b, layer_tree_root(t));
	assert_text(buf_take(&b), want);
}

static void layers_replace_and_remove(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	assert_text(kit_tree(t), "dir . 755 0:0 0\n");
	APPLY(t, FILE_("x", "1"), DIR_("d"), FILE_("d/b", "b"), FILE_("d/a", "a"), DIR_("d/sub"),
		FILE_("d/sub/f", "f"), DIR_("e"), FILE_("e/g", "g"), LINK_("ln", "d"));
	assert_names(t, "d/ d/a=a d/b=b d/sub/ d/sub/f=f e/ e/g=g ln->d x=1 ");
	/* a directory over a directory keeps children and takes attributes */
	APPLY(t, {.path = "d", .type = LAYER_DIR, .mode = 0700, .uid = 5}, FILE_("d/b", "B"),
		WH_("d/a"), WH_("nothing"), WH_("e/nothing"), FILE_("e/new", "n"));
	assert_names(t, "d/ d/b=B d/sub/ d/sub/f=f e/ e/g=g e/new=n ln->d x=1 ");
	struct layer_entry e;
	layer_node_entry(layer_tree_lookup(t, "d", true, NULL, NULL), &e);
	assert_int_equal(e.mode, 0700);
	assert_int_equal(e.uid, 5);
	/* a file over a directory, a directory over a file, over a link */
	APPLY(t, FILE_("d", "file"), DIR_("x"), FILE_("x/in", "i"), DIR_("ln"), FILE_("ln/k", "k"));
	assert_names(t, "d=file e/ e/g=g e/new=n ln/ ln/k=k x/ x/in=i ");
	/* opaque, wherever it stands */
	APPLY(t, DIR_("e"), FILE_("e/z", "z"), OPQ_("e"));
	assert_names(t, "d=file e/ e/z=z ln/ ln/k=k x/ x/in=i ");
	APPLY(t, OPQ_("e"), FILE_("e/y", "y"));
	assert_names(t, "d=file e/ e/y=y ln/ ln/k=k x/ x/in=i ");
	APPLY(t, FILE_("only", "o"), OPQ_(""));
	assert_names(t, "only=o ");
	layer_tree_free(t);
}

static void whiteouts_hide_only_lower_layers(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	APPLY(t, DIR_("a"), DIR_("a/b"), FILE_("a/b/old", "o"), FILE_("a/f", "f"),
		FILE_("n", "low"));
	/* the layer's own files survive, in either order */
	APPLY(t, FILE_("a/b/new", "n"), WH_("a"), FILE_("n", "high"), WH_("n"), FILE_("m", "m"),
		WH_("m"));
	assert_names(t, "a/ a/b/ a/b/new=n m=m n=high ");
	struct layer_entry e;
	layer_node_entry(layer_tree_lookup(t, "a", true, NULL, NULL), &e);
	assert_int_equal(e.mtime, 0); /* the lower directory is gone: a default one */
	APPLY(t, WH_("a"), DIR_("a"), FILE_("a/x", "x"));
	assert_names(t, "a/ a/x=x m=m n=high ");
	APPLY(t, DIR_("a"), WH_("a/x"), WH_("a"), FILE_("a/y", "y"), OPQ_("a"));
	assert_names(t, "a/ a/y=y m=m n=high ");
	APPLY(t, WH_("a"), WH_("m"), WH_("n"));
	assert_names(t, "");
	layer_tree_free(t);
}

static void duplicates_in_one_layer(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	APPLY(t, DIR_("d"), FILE_("d/low", "l"));
	/* a directory that was a file in between shows nothing of the lower one */
	APPLY(t, FILE_("d", "x"), DIR_("d"), FILE_("d/f", "1"), FILE_("d/f", "2"));
	assert_names(t, "d/ d/f=2 ");
	APPLY(t, DIR_("q"), FILE_("q/a", "a"), FILE_("q", "file"), DIR_("q"), FILE_("q/b", "b"));
	assert_names(t, "d/ d/f=2 q/ q/b=b ");
	layer_tree_free(t);
}

static void symlinks_on_the_way_stay_inside(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	APPLY(t, DIR_("real"), LINK_("abs", "/real"), LINK_("up", "../../../real"),
		LINK_("chain", "abs"), LINK_("dangling", "made/here"), LINK_("loop", "loop"),
		LINK_("self", "."));
	APPLY(t, FILE_("abs/1", "1"), FILE_("up/2", "2"), FILE_("chain/3", "3"),
		FILE_("self/self/real/4", "4"), FILE_("dangling/5", "5"));
	assert_names(t, "abs->/real chain->abs dangling->made/here loop->loop made/ made/here/ "
			"made/here/5=5 real/ real/1=1 real/2=2 real/3=3 real/4=4 self->. "
			"up->../../../real ");
	/* the last component is never followed: it is replaced */
	APPLY(t, FILE_("abs", "file"), WH_("up/2"), WH_("chain"));
	assert_names(t,
		"abs=file dangling->made/here loop->loop made/ made/here/ made/here/5=5 real/ "
		"real/1=1 real/3=3 real/4=4 self->. up->../../../real ");
	REFUSED(t, ERR_CORRUPT, "symbolic links", FILE_("loop/x", ""));
	REFUSED(t, ERR_CORRUPT, "not a directory", FILE_("abs/x", ""));
	/* a refused layer changes nothing */
	assert_names(t,
		"abs=file dangling->made/here loop->loop made/ made/here/ made/here/5=5 real/ "
		"real/1=1 real/3=3 real/4=4 self->. up->../../../real ");
	/* a link of this layer, then a file through it (two entries, one layer) */
	APPLY(t, LINK_("esc", "/../../etc"), FILE_("esc/passwd", "p"), LINK_("real/5", "/"),
		FILE_("real/5/top", "t"));
	assert_non_null(layer_tree_lookup(t, "etc/passwd", false, NULL, NULL));
	assert_non_null(layer_tree_lookup(t, "top", false, NULL, NULL));
	layer_tree_free(t);
}

/* Chains as long as the kernel follows, of links as long as it takes: what is left of a path is 39
 * times 4 KiB, and is never put together. */
static void long_chains_of_links(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	char text[39][LAYER_PATH_MAX], names[40][8];
	struct layer_entry e[42] = {DIR_("end"), DIR_("end/in")};
	size_t n = 2;

	for (size_t i = 0; i < 40; i++)
		snprintf(names[i], sizeof names[i], i == 39 ? "end" : "l%zu", i);
	for (size_t i = 0; i < 39; i++) {
		size_t len = (size_t)snprintf(text[i], sizeof text[i], "%s/", names[i + 1]);
		memset(text[i] + len, '/', sizeof text[i] - len);
		memcpy(text[i] + len + 1, "in/../.", 7);
		text[i][sizeof text[i] - 1] = 0;
		e[n++] = (struct layer_entry)LINK_(names[i], text[i]);
	}
	e[n++] = (struct layer_entry)FILE_("l0/f", "x");
	int tar = kit_tar(e, n);
	assert_ok(layer_tree_apply(t, tar, err));
	struct layer_node *f = layer_tree_lookup(t, "end/f", false, NULL, NULL);
	assert_non_null(f);
	char *canon = NULL;
	int why = 0;
	assert_ptr_equal(layer_tree_lookup(t, "/l0/./f", false, &canon, &why), f);
	assert_text(canon, "end/f");
	assert_null(layer_tree_lookup(t, "l0/none/../a/b", true, &canon, &why));
	assert_int_equal(why, ENOENT);
	assert_text(canon, "end/a/b");
	APPLY(t, LINK_("m", "l0"), LINK_("k", "m"));
	assert_null(layer_tree_lookup(t, "k/f", true, NULL, &why));
	assert_int_equal(why, ELOOP);
	REFUSED(t, ERR_CORRUPT, "symbolic links", FILE_("k/g", ""));

	/* What following them may cost is counted: entries are cheap to send. */
	size_t many = (size_t)(LAYER_LINKS_BYTES / (39 * (size_t)LAYER_PATH_MAX)) + 100;
	struct layer_entry *v = mem_array(many, sizeof *v);
	for (size_t i = 0; i < many; i++)
		v[i] = (struct layer_entry)FILE_(i % 2 ? "l0/g" : "l1/g", "");
	tar = kit_tar(v, many);
	assert_fails(layer_tree_apply(t, tar, err), ERR_LIMIT, "268435456 bytes");
	free(v);
	layer_tree_free(t);
}

static uint64_t ino(const struct layer_tree *t, const char *path)
{
	return layer_node_ino(layer_tree_lookup(t, path, false, NULL, NULL));
}

static void hard_links(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	APPLY(t, FILE_("a", "A"), HARD_("b", "a"), HARD_("c", "b"), FILE_("other", "A"),
		LINK_("s", "a"), HARD_("hs", "s"), DIR_("d"), LINK_("dl", "d"), FILE_("d/x", "x"),
		HARD_("y", "dl/x"));
	assert_names(t, "a=A b=A c=A d/ d/x=x dl->d hs->a other=A s->a y=x ");
	assert_true(ino(t, "a") && ino(t, "a") == ino(t, "b") && ino(t, "a") == ino(t, "c"));
	assert_true(ino(t, "a") != ino(t, "other"));
	assert_int_equal(ino(t, "d/x"), ino(t, "y"));
	assert_int_equal(ino(t, "s"), 0);
	/* replacing one name leaves the others */
	APPLY(t, FILE_("a", "new"), HARD_("l", "b"), HARD_("m", "l"));
	assert_names(t, "a=new b=A c=A d/ d/x=x dl->d hs->a l=A m=A other=A s->a y=x ");
	assert_int_equal(ino(t, "l"), ino(t, "m"));
	assert_true(ino(t, "l") != ino(t, "b")); /* layers share no inodes */
	REFUSED(t, ERR_CORRUPT, "not in the image", HARD_("z", "nothing"));
	REFUSED(t, ERR_CORRUPT, "not in the image", HARD_("z", "later"), FILE_("later", ""));
	REFUSED(t, ERR_CORRUPT, "a directory", HARD_("z", "d"));
	REFUSED(t, ERR_CORRUPT, "not in the image", WH_("a"), HARD_("z", "a"));
	REFUSED(t, ERR_CORRUPT, "not in the image", LINK_("o", "/../../../etc"),
		HARD_("z", "o/shadow"));
	layer_tree_free(t);
}

static void look(const struct layer_tree *t, const char *path, bool follow, const char *want_canon,
	int want_missing)
{
	char *canon = NULL;
	int missing = 0;
	const struct layer_node *n = layer_tree_lookup(t, path, follow, &canon, &missing);
	if (strcmp(canon, want_canon) != 0 || missing != want_missing || !n != (want_missing != 0))
		fail_msg("%s: canon \"%s\" missing %d node %p", path, canon, missing,
			(const void *)n);
	free(canon);
}

static void look_ups(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	APPLY(t, DIR_("a"), DIR_("a/b"), FILE_("a/b/f", "f"), LINK_("l", "/a/b"), LINK_("m", "l/f"),
		LINK_("a/up", "../../../a"), LINK_("dead", "no/where"), LINK_("p", "q"),
		LINK_("q", "p"), LINK_("a/b/rel", "../../l/f"));
	look(t, "", true, "", 0);
	look(t, "/", true, "", 0);
	look(t, "..", true, "", 0);
	look(t, "/a/./b//f", true, "a/b/f", 0);
	look(t, "a/b/../../../a/b", true, "a/b", 0);
	look(t, "l", false, "l", 0);
	look(t, "l", true, "a/b", 0);
	look(t, "l/", true, "a/b", 0);
	look(t, "l/f", false, "a/b/f", 0);
	look(t, "m", true, "a/b/f", 0);
	look(t, "m", false, "m", 0);
	look(t, "a/up/up/up/b", true, "a/b", 0);
	look(t, "a/b/rel", true, "a/b/f", 0);
	look(t, "l/..", true, "a", 0); /* the parent of where the link leads */
	look(t, "l/new/x/../y", true, "a/b/new/y", ENOENT);
	look(t, "none/../../b", true, "b", ENOENT);
	look(t, "dead", true, "no/where", ENOENT);
	look(t, "dead", false, "dead", 0);
	look(t, "dead/x", true, "no/where/x", ENOENT);
	look(t, "m/x", true, "a/b/f/x", ENOTDIR);
	look(t, "m/../x", true, "a/b/x", ENOTDIR);
	look(t, "p", true, "p", ELOOP);
	look(t, "p/x", true, "p/x", ELOOP);
	look(t, "p", false, "p", 0);
	struct layer_node *b = layer_tree_lookup(t, "a/b", false, NULL, NULL);
	assert_string_equal(layer_node_name(layer_node_find(b, "fxx", 1)), "f");
	assert_null(layer_node_find(b, "f", 0));
	assert_int_equal(layer_node_type(b), LAYER_DIR);
	layer_tree_free(t);
}

static void reads_small_files(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	int src = kit_fd_of("AABB", 4);
	APPLY(t, DIR_("etc"), FILE_("etc/passwd", "root:x:0:0\n"), FILE_("empty", ""));
	struct err *err = NULL;
	size_t len;
	struct layer_node *n = layer_tree_lookup(t, "etc/passwd", true, NULL, NULL);
	char *text = layer_node_read(n, 11, &len, &err);
	assert_string_equal(text, "root:x:0:0\n");
	assert_int_equal(len, 11);
	free(text);
	assert_null(layer_node_read(n, 10, &len, &err));
	assert_int_equal(err_get_kind(err), ERR_LIMIT);
	err_free(err);
	text = layer_node_read(layer_tree_lookup(t, "empty", true, NULL, NULL), 0, &len, NULL);
	assert_string_equal(text, "");
	free(text);
	assert_null(layer_node_read(layer_tree_root(t), 10, &len, NULL));
	close(src);
	layer_tree_free(t);
}

static void deep_and_long(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	char path[5000] = "";
	size_t len = 0;
	for (int i = 0; i < 1023; i++)
		len += (size_t)snprintf(path + len, sizeof path - len, "d/");
	snprintf(path + len, sizeof path - len, "f");
	APPLY(t, FILE_(path, "deep"));
	assert_non_null(layer_tree_lookup(t, path, false, NULL, NULL));
	/* a link to the bottom, and further down from there */
	path[len - 1] = 0;
	APPLY(t, LINK_("bottom", path));
	REFUSED(t, ERR_LIMIT, "1024 components", FILE_("bottom/x/y", ""));
	APPLY(t, WH_("d"));
	assert_null(layer_tree_lookup(t, "d", false, NULL, NULL));
	layer_tree_free(t);
}

static void many_files(void **state)
{
	(void)state;
	struct layer_tree *t = layer_tree_new();
	struct layer_list *l = layer_list_new();
	char path[64];
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof path, "flat/%d", (i * 7919) % 20000);
		struct layer_entry e = FILE_(path, "");
		layer_list_add(l, &e);
	}
	int fd = kit_memfd();
	struct layer_writer *w = layer_writer_new(kit_writer(&fd));
	for (size_t i = 0; i < layer_list_count(l); i++) /* unsorted */
		assert_ok(layer_writer_add(w, layer_list_at(l, i), err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	layer_list_free(l);
	assert_ok(layer_tree_apply(t, fd, err));
	struct layer_node *d = layer_tree_lookup(t, "flat", false, NULL, NULL);
	assert_int_equal(layer_node_nchildren(d), 20000);
	for (size_t i = 1; i < 20000; i++)
		assert_true(strcmp(layer_node_name(layer_node_child(d, i - 1)),
				    layer_node_name(layer_node_child(d, i))) < 0);
	assert_non_null(layer_node_find(d, "12345", 5));
	layer_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_replace_and_remove),
		cmocka_unit_test(whiteouts_hide_only_lower_layers),
		cmocka_unit_test(duplicates_in_one_layer),
		cmocka_unit_test(symlinks_on_the_way_stay_inside),
		cmocka_unit_test(long_chains_of_links),
		cmocka_unit_test(hard_links),
		cmocka_unit_test(look_ups),
		cmocka_unit_test(reads_small_files),
		cmocka_unit_test(deep_and_long),
		cmocka_unit_test(many_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

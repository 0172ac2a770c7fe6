// SPDX-License-Identifier: Apache-2.0
/*
 * Where COPY puts what: one row an instruction. Rows of kind BOTH run with the source as a
 * directory and again as a tree of a context, and give the same entries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "tests/unit/copy_kit.h"

enum where {
	BOTH,
	DISK, /* a directory only */
	TREE, /* a tree only, owners as in a context */
	STAGE /* a tree whose owners stay */
};

struct row {
	const char *name;
	enum where where;
	const char *src;
	const char *below;
	const char *items; /* blank-separated; <<NAME=TEXT is a heredoc */
	const char *dest;
	const char *workdir; /* NULL: "/" */
	const char *chown;   /* "U:G" */
	const char *chmod;
	const char *ignore;
	const char *want; /* entries, or '!' and a part of the error; '#' and a part of its hint */
};

#define FIFTY   "12345678901234567890123456789012345678901234567890"
#define LONG    FIFTY FIFTY FIFTY FIFTY FIFTY "12345"
#define PATH1K  LONG "/" LONG "/" LONG "/" LONG
#define PATH2K  PATH1K "/" PATH1K
#define PROJECT "d a; f a/x =ax; d a/sub; f a/sub/y =ay; f top =t; f .dot =dot"

static const struct row rows[] = {
	/* the destination of a file */
	{"file to a new name", BOTH, "f x =1", "", "x", "/y", .want = "f y =1"},
	{"file to a directory to be", BOTH, "f x =1", "", "x", "/d/",
		.want = "d d ~5000; f d/x =1"},
	{"file to dir/.", BOTH, "f x =1", "", "x", "/d/.", .want = "d d ~5000; f d/x =1"},
	{"file into a directory that is there", BOTH, "f x =1", "d d @700 :5:6 ~7", "x", "/d",
		.want = "d d @700 :5:6 ~7; f d/x =1"},
	{"missing parents of a name", BOTH, "f x =1", "", "x", "/p/q/y",
		.want = "d p ~5000; d p/q ~5000; f p/q/y =1"},
	{"existing parents stay as they are", BOTH, "f x =1", "d p @711 ~8", "x", "/p/q/y",
		.want = "d p @711 ~8; d p/q ~5000; f p/q/y =1"},
	{"dot is the working directory", BOTH, "f x =1", "d w", "x", ".", "/w",
		.want = "d w; f w/x =1"},
	{"empty is the working directory", BOTH, "f x =1", "d w", "x", "", "/w",
		.want = "d w; f w/x =1"},
	{"dot makes the working directory", BOTH, "f x =1", "", "x", ".", "/w/v",
		.want = "d w ~5000; d w/v ~5000; f w/v/x =1"},
	{"relative to the working directory", BOTH, "f x =1", "d w", "x", "y/z", "/w",
		.want = "d w; d w/y ~5000; f w/y/z =1"},
	{"relative with a slash", BOTH, "f x =1", "d w", "x", "y/", "/w",
		.want = "d w; d w/y ~5000; f w/y/x =1"},
	{"dot-slash", BOTH, "f x =1", "", "x", "./", "/", .want = "f x =1"},
	{"parent of the working directory", BOTH, "f x =1", "d w; d w/v", "x", "..", "/w/v",
		.want = "d w; f w/x =1"},
	{"above the root", BOTH, "f x =1", "", "x", "../../../y", "/w", .want = "f y =1"},
	{"slashes and dots", BOTH, "f x =1", "", "x", "//a//.//b", "/",
		.want = "d a ~5000; f a/b =1"},
	{"root", BOTH, "f x =1", "", "x", "/", .want = "f x =1"},
	/* what is in the way */
	{"file over file", BOTH, "f x =1", "f y =old @600 ~3", "x", "/y", .want = "f y =1"},
	{"file over a directory of that name", BOTH, "f x =1", "d d; d d/x", "x", "/d/",
		.want = "!cannot replace the directory /d/x"},
	{"directory slash that is a file", BOTH, "f x =1", "f d =f", "x", "/d/",
		.want = "!/d is not a directory"},
	{"parent that is a file", BOTH, "f x =1", "f d =f", "x", "/d/y",
		.want = "!/d is not a directory"},
	{"directory onto a file", BOTH, PROJECT, "f d =f", "a", "/d",
		.want = "!cannot copy a directory to /d, which is not a directory"},
	{"nested directory over a file", BOTH, PROJECT, "d d; f d/sub =f", "a", "/d",
		.want = "!cannot copy a directory to /d/sub"},
	{"nested directory over a symlink", BOTH, PROJECT, "d d; d e; l d/sub ->/e", "a", "/d",
		.want = "!cannot copy a directory to /d/sub"},
	{"nested file over a directory", BOTH, PROJECT, "d d; d d/x", "a", "/d",
		.want = "!cannot replace the directory /d/x"},
	/* symlinks in the destination */
	{"onto a symlink writes its target", BOTH, "f x =1", "d e; f e/t =old; l y ->e/t", "x",
		"/y", .want = "d e; f e/t =1"},
	{"onto a dangling symlink", BOTH, "f x =1", "l y ->/n/t", "x", "/y",
		.want = "d n ~5000; f n/t =1"},
	{"symlink to a directory", BOTH, "f x =1", "d e; l d ->e", "x", "/d",
		.want = "d e; f e/x =1"},
	{"absolute symlink on the way", BOTH, "f x =1", "d e; d p; l p/d ->/e", "x", "/p/d/y",
		.want = "d e; f e/y =1"},
	{"symlink out of the root", BOTH, "f x =1", "d e; l d ->../../../e", "x", "/d/y",
		.want = "d e; f e/y =1"},
	{"symlink loop", BOTH, "f x =1", "l a ->b; l b ->a", "x", "/a/y",
		.want = "!too many symbolic links"},
	{"symlink of the source's name in the directory is replaced", BOTH, "f x =1",
		"d d; f t =old; l d/x ->/t", "x", "/d/", .want = "d d; f d/x =1"},
	{"nested symlink is replaced", BOTH, PROJECT, "d d; l d/x ->/t", "a", "/d/",
		.want = "d d; d d/sub; f d/sub/y =ay; f d/x =ax"},
	{"directory onto a symlink to one", BOTH, PROJECT, "d e @700; l d ->e", "a", "/d",
		.want = "d e @700; d e/sub; f e/sub/y =ay; f e/x =ax"},
	/* directories */
	{"contents, not the directory", BOTH, PROJECT, "", "a", "/d",
		.want = "d d; d d/sub; f d/sub/y =ay; f d/x =ax"},
	{"slash behind the source means nothing", BOTH, PROJECT, "", "a/", "/d",
		.want = "d d; d d/sub; f d/sub/y =ay; f d/x =ax"},
	{"a new top directory has the source's time only", BOTH, "d a @700 ~77; f a/x =1", "", "a",
		"/d", .want = "d d ~77; f d/x =1"},
	{"an old top directory has the source's time only", BOTH, "d a @700 ~77; f a/x =1",
		"d d @750 :1:2 ~8", "a", "/d", .want = "d d @750 :1:2 ~77; f d/x =1"},
	{"an old nested directory has the source's metadata", BOTH, "d a; d a/s @700 ~77",
		"d d; d d/s @755 :1:2 ~8; f d/s/keep =k", "a", "/d", .want = "d d; d d/s @700 ~77"},
	{"into the root", BOTH, PROJECT, "d sub @700", "a", "/",
		.want = "d sub; f sub/y =ay; f x =ax"},
	{"whole context", BOTH, "f x =1; d d ~2; f d/y =2", "", ".", "/",
		.want = "d d ~2; f d/y =2; f x =1"},
	{"whole context by slash", BOTH, "f x =1", "", "/", "/", .want = "f x =1"},
	{"empty directory", BOTH, "d a ~9", "", "a", "/d", .want = "d d ~9"},
	{"symlinks in a directory stay", BOTH, "d a; l a/l ->../../etc; l a/m ->/nowhere", "", "a",
		"/d", .want = "d d; l d/l ->../../etc; l d/m ->/nowhere"},
	{"hard links in a directory", BOTH, "d a; f a/x =1; h a/y ->a/x; d a/z; h a/z/w ->a/x", "",
		"a", "/d", .want = "d d; f d/x =1; h d/y ->d/x; d d/z; h d/z/w ->d/x"},
	{"hard links of two sources are two files", BOTH, "f x =1; h y ->x", "", "x y", "/d/",
		.want = "d d ~5000; f d/x =1; f d/y =1"},
	{"hard link whose first name is overwritten", BOTH,
		"d a; f a/x =1; h a/y ->a/x; h a/z ->a/x; d b; f b/x =2", "", "a b", "/d",
		.want = "d d; f d/x =2; f d/y =1; h d/z ->d/y"},
	/* sources */
	{"leading slash", BOTH, "f x =1", "", "/x", "/", .want = "f x =1"},
	{"dotdot stays in the root", BOTH, "f x =1", "", "../../x", "/", .want = "f x =1"},
	{"dotdot inside", BOTH, PROJECT, "", "a/../top", "/", .want = "f top =t"},
	{"named symlink is followed", BOTH, "f t =1; l x ->t", "", "x", "/", .want = "f x =1"},
	{"named symlink is confined", BOTH, "d e; f e/t =1; l x ->/e/t", "", "x", "/",
		.want = "f x =1"},
	{"named symlink cannot climb", BOTH, "d e; f t =1; l e/x ->../../../../t", "", "e/x", "/",
		.want = "f x =1"},
	{"symlink on the way", BOTH, "d e; f e/t =1; l x ->e", "", "x/t", "/", .want = "f t =1"},
	{"symlink to a directory gives its contents", BOTH, "d e; f e/t =1; l x ->e", "", "x", "/d",
		.want = "d d; f d/t =1"},
	{"chain of symlinks", BOTH, "d e; f e/t =1; l x ->y; l y ->e/z; l e/z ->t", "", "x", "/",
		.want = "f x =1"},
	{"loop", BOTH, "l x ->y; l y ->x", "", "x", "/", .want = "!too many symbolic links"},
	{"dangling", BOTH, "l x ->nowhere", "", "x", "/", .want = "!x: not found"},
	{"missing", BOTH, PROJECT, "", "tpo", "/", .want = "!tpo: not found in the build context"},
	{"missing, near", BOTH, PROJECT, "", "a/sub/yy", "/", .want = "#did you mean a/sub/y?"},
	{"missing directory, near", BOTH, "d source; f source/y =1", "", "sorce/y", "/",
		.want = "#did you mean source/y?"},
	{"missing above", BOTH, PROJECT, "", "../nix", "/",
		.want = "!../nix: not found (a source cannot leave the build context, so this "
			"means "
			"nix"},
	{"missing in a stage", STAGE, PROJECT, "", "/nix", "/",
		.want = "!nix: not found in the source of --from"},
	{"below a file", BOTH, "f x =1", "", "x/y", "/", .want = "!x/y: not found"},
	/* several */
	{"several into a directory", BOTH, PROJECT, "", "top a", "/d/",
		.want = "d d; d d/sub; f d/sub/y =ay; f d/top =t; f d/x =ax"},
	{"several without a slash: the last one stays", BOTH, "f x =1; f y =2", "", "x y", "/z",
		.want = "f z =2"},
	{"several into a directory that is there", BOTH, "f x =1; f y =2", "d z", "x y", "/z",
		.want = "d z; f z/x =1; f z/y =2"},
	{"later sources overwrite", BOTH, "d a; f a/x =1; d b; f b/x =2 @600", "", "a b", "/d",
		.want = "d d; f d/x =2 @600"},
	{"later directory over an earlier file", BOTH, "d a; f a/x =1; d b; d b/x", "", "a b", "/d",
		.want = "!cannot copy a directory to /d/x"},
	{"file over a symlink of an earlier source", BOTH, "d a; l a/x ->/e; f x =1", "d e", "a x",
		"/", .want = "f x =1"},
	/* wildcards */
	{"star", BOTH, "f a.c =1; f b.c =2; f c.h =3", "", "*.c", "/d/",
		.want = "d d ~5000; f d/a.c =1; f d/b.c =2"},
	{"star does not cross a slash", BOTH, PROJECT, "", "*/y", "/d/", .want = ""},
	{"star in the middle", BOTH, "d a; d b; f a/x =1; f b/y =2; f c =3", "", "*/*", "/d/",
		.want = "d d ~5000; f d/x =1; f d/y =2"},
	{"dotfiles match", BOTH, "f .a =1; f b =2", "", "*", "/", .want = "f .a =1; f b =2"},
	{"question mark and class", BOTH, "f a1 =1; f a2 =2; f b1 =3", "", "[ab]?", "/",
		.want = "f a1 =1; f a2 =2; f b1 =3"},
	{"negated class", BOTH, "f a1 =1; f b1 =3", "", "[^a]*", "/", .want = "f b1 =3"},
	{"escaped star", BOTH, "f a*b =1; f axb =2", "", "a\\*b", "/", .want = "f a*b =1"},
	{"bracketed bracket", BOTH, "f arr[0] =1; f arr0 =2", "", "arr[[]0]", "/",
		.want = "f arr[0] =1"},
	{"matched directory gives its contents", BOTH, "d a1; f a1/x =1; d a2; f a2/y =2", "", "a*",
		"/d", .want = "d d; f d/x =1; f d/y =2"},
	{"matched symlink is followed", BOTH, "f t =1; l l0 ->t", "", "l*", "/", .want = "f l0 =1"},
	{"matched dangling symlink", BOTH, "l l0 ->t", "", "l*", "/", .want = "!l0: not found"},
	{"nothing matches", BOTH, "f x =1", "", "*.c", "/d/", .want = ""},
	{"nothing matches below a missing directory", BOTH, "f x =1", "", "no/*.c", "/d/",
		.want = "!no: not found"},
	{"nothing matches below a file", BOTH, "f x =1", "", "x/*.c", "/d/", .want = ""},
	{"nothing matches, another source does", BOTH, "f x =1", "", "*.c x", "/d/",
		.want = "d d ~5000; f d/x =1"},
	{"prefix with a symlink", BOTH, "d e; f e/a.c =1; l p ->e", "", "p/*.c", "/",
		.want = "f a.c =1"},
	{"directories behind symlinks are not searched", BOTH, "d e; f e/x =1; l p ->e", "",
		"[p]/x", "/", .want = ""},
	{"malformed pattern", BOTH, "f x =1", "", "[x", "/", .want = "!malformed pattern"},
	/* metadata */
	{"mode with setuid, sticky", BOTH, "d a; f a/x =1 @4755; d a/t @1777", "", "a", "/d",
		.want = "d d; d d/t @1777; f d/x =1 @4755"},
	{"chmod of a file and of what is made", BOTH, "f x =1 @4755", "", "x", "/p/x",
		.chmod = "600", .want = "d p @600 ~5000; f p/x =1 @600"},
	{"chmod of a tree", BOTH, "d a; d a/s; f a/s/x =1; l a/l ->x", "", "a", "/d",
		.chmod = "2711", .want = "d d @2711; l d/l ->x; d d/s @2711; f d/s/x =1 @2711"},
	{"chmod leaves an old top directory", BOTH, "d a; f a/x =1", "d d @755", "a", "/d",
		.chmod = "600", .want = "d d; f d/x =1 @600"},
	{"chown of all", BOTH, "d a; f a/x =1; l a/l ->x", "", "a", "/p/d", .chown = "7:8",
		.want = "d p :7:8 ~5000; d p/d :7:8; l p/d/l ->x :7:8; f p/d/x =1 :7:8"},
	{"chown leaves old directories", BOTH, "d a; f a/x =1", "d d :1:1", "a", "/d",
		.chown = "7:8", .want = "d d :1:1; f d/x =1 :7:8"},
	{"owners of a context are root's", TREE, "d a; f a/x =1 :9:9", "", "a", "/d",
		.want = "d d; f d/x =1"},
	{"owners of a stage stay", STAGE, "d a :3:4; d a/s :5:6; f a/s/x =1 :9:9", "", "a", "/d",
		.want = "d d; d d/s :5:6; f d/s/x =1 :9:9"},
	{"owners of a stage with chown", STAGE, "f x =1 :9:9", "", "x", "/", .chown = "1:2",
		.want = "f x =1 :1:2"},
	{"FIFO", BOTH, "d a; p a/p @600", "", "a", "/d", .want = "d d; p d/p @600"},
	{"device", BOTH, "d a; c a/c @600", "", "a", "/d", .want = "d d; c d/c @600"},
	{"socket", DISK, "d a; s a/s @600", "", "a s", "/d", .want = "!s: not found"},
	{"socket becomes an empty file", DISK, "d a; s a/s @600", "", "a", "/d",
		.want = "d d; f d/s = @600"},
	{"user attributes", BOTH, "f x =1 +user.k=v", "", "x", "/", .want = "f x =1 +user.k=v"},
	{"overlay attributes are not carried", DISK, "f x =1 +user.overlay.opaque=y", "", "x", "/",
		.want = "f x =1"},
	{"empty file", BOTH, "f x =", "", "x", "/", .want = "f x ="},
	/* heredocs */
	{"heredoc", BOTH, "", "", "<<f=hello", "/d/", .want = "d d ~5000; f d/f =hello ~5000"},
	{"heredoc to a name", BOTH, "", "", "<<f=hello", "/n", .chown = "1:2", .chmod = "755",
		.want = "f n =hello @755 :1:2 ~5000"},
	{"heredocs come last", BOTH, "f x =1", "", "<<x=2 x", "/", .want = "f x =2 ~5000"},
	{"empty heredoc", BOTH, "", "", "<<f=", "/", .want = "f f = ~5000"},
	/* names that layers reserve */
	{"whiteout name", BOTH, "f x =1", "", "x", "/.wh.x",
		.want = "!cannot be stored in a layer"},
	{"long name", BOTH, "f x =1", "", "x", "/" LONG, .want = "f " LONG " =1"},
	{"name too long", BOTH, "f x =1", "", "x", "/a" LONG,
		.want = "!the name is longer than 255 bytes"},
	{"path too long", BOTH, "f x =1", "", "x", PATH2K "/x", PATH2K,
		.want = "!its path is longer"},
	/* ignore rules */
	{"ignored in a directory", BOTH, PROJECT, "", "a", "/d", .ignore = "a/sub\n",
		.want = "d d; f d/x =ax"},
	{"ignored literal", BOTH, PROJECT, "", "top", "/", .ignore = "# c\n\ntop\n",
		.want = "!top: excluded from the build context by line 3 of .dockerignore"},
	{"ignored wildcard", BOTH, "f a.c =1; f b.c =2", "", "*.c", "/", .ignore = "b*",
		.want = "f a.c =1"},
	{"excluded directory with a kept file", BOTH, PROJECT, "", ".", "/d",
		.ignore = "a\n!a/sub/y", .want = "*d d/a; d d/a/sub; f d/a/sub/y =ay"},
	{"excluded directory with nothing kept", BOTH, PROJECT, "", ".", "/d",
		.ignore = "a\n.dot\n!a/nix", .want = "*d d ~; f d/top =t"},
	{"excluded directory by name", BOTH, PROJECT, "", "a", "/d", .ignore = "a",
		.want = "!a: excluded from the build context by line 1 of .dockerignore"},
	{"kept file of an excluded directory by name", BOTH, PROJECT, "", "a/x", "/d",
		.ignore = "*\n!a/x", .want = "f d =ax"},
	{"excluded directory, by name, with a kept file", BOTH, PROJECT, "", "a", "/d",
		.ignore = "a\n!a/x", .want = "d d; f d/x =ax"},
	{"symlink to an ignored file", BOTH, "f t =1; l x ->t", "", "x", "/", .ignore = "t",
		.want = "!excluded"},
	{"ignored symlink", BOTH, "f t =1; l x ->t", "", "x", "/", .ignore = "x",
		.want = "!x: excluded"},
	{"everything ignored", BOTH, PROJECT, "", ".", "/d", .ignore = "**", .want = "*d d ~"},
	{"missing is missing though ignored", BOTH, PROJECT, "", "nix.c", "/d", .ignore = "*.c",
		.want = "!nix.c: not found"},
};

struct parsed {
	char text[512];
	struct copy_item items[16];
	size_t n;
};

static void parse_items(const char *text, struct parsed *out)
{
	out->n = 0;
	snprintf(out->text, sizeof out->text, "%s", text);
	for (char *save = NULL, *w = strtok_r(out->text, " ", &save); w;
		w = strtok_r(NULL, " ", &save)) {
		struct copy_item *it = &out->items[out->n++];
		*it = (struct copy_item){.kind = COPY_ITEM_PATH, .text = w};
		if (strncmp(w, "<<", 2) == 0) {
			char *eq = strchr(w, '=');
			*eq = 0;
			*it = (struct copy_item){COPY_ITEM_INLINE, w + 2, eq + 1, strlen(eq + 1)};
		}
	}
}

static char *failure(struct err *e)
{
	char *text = mem_printf("!%s#%s", err_text(e), err_hint_text(e));
	err_free(e);
	return text;
}

/* The instruction of a row; entries or "!error#hint" as text. */
static char *run(const struct row *r, const struct copy_root *root)
{
	auto_layer_tree struct layer_tree *below = kit_make_tree(r->below);
	struct parsed p;
	struct err *e = NULL;
	size_t bad = 99;
	struct copy_dest d = {.below = below,
		.path = r->dest,
		.workdir = r->workdir ? r->workdir : "/",
		.now = KIT_NOW};

	parse_items(r->items, &p);
	if (r->chown) {
		char *end;
		d.has_owner = true;
		d.uid = (uint32_t)strtoul(r->chown, &end, 10);
		d.gid = (uint32_t)strtoul(end + 1, NULL, 10);
	}
	if (r->chmod) {
		d.has_mode = true;
		d.mode = (uint32_t)strtoul(r->chmod, NULL, 8);
	}
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_request q = {.root = *root, .items = p.items, .nitems = p.n, .tmp_dir_fd = tmp};
	auto_copy_selection struct copy_selection *s = copy_select(&q, &bad, &e);
	if (!s) {
		assert_true(bad < p.n);
		return failure(e);
	}
	auto_copy_placed struct copy_placed *l = copy_place(s, &d, &e);
	return l ? kit_placed_text(l) : failure(e);
}

/* '*' : the implied parents have times of their own; compare without "~TIME" words of directories.
 */
static void drop_times(char *text)
{
	char *to = text;
	for (char *p = text; *p;) {
		if (p[0] == ' ' && p[1] == '~') {
			p += 2;
			p += strspn(p, "0123456789");
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
}

static int check(const struct row *r, const char *how, char *take_got)
{
	bool ok;
	const char *want = r->want;
	auto_free char *loose = mem_strdup(want);

	if (*want == '!') {
		ok = take_got[0] == '!' && strstr(take_got, want + 1);
	} else if (*want == '#') {
		const char *hint = strchr(take_got, '#');
		ok = hint && strstr(hint, want);
	} else if (*want == '*') {
		memmove(loose, loose + 1, strlen(loose));
		drop_times(loose);
		drop_times(take_got);
		ok = strstr(take_got, loose) != NULL;
	} else {
		ok = strcmp(take_got, want) == 0;
	}
	if (!ok)
		print_error("%s (%s):\ngot:  %s\nwant: %s\n", r->name, how, take_got, want);
	free(take_got);
	return !ok;
}

static int run_disk(const struct row *r, struct ignore *ig)
{
	struct kit_dir d = kit_temp();
	kit_put_dir(d.fd, r->src);
	struct copy_root root = {.dir_fd = d.fd, .ignore = ig};
	int bad = check(r, "directory", run(r, &root));
	kit_temp_free(&d);
	return bad;
}

static int run_tree(const struct row *r, struct ignore *ig)
{
	auto_layer_tree struct layer_tree *t = kit_make_tree(r->src);
	struct copy_root root = {
		.dir_fd = -1, .tree = t, .ignore = ig, .keep_owner = r->where == STAGE};
	return check(r, "tree", run(r, &root));
}

static void test_rows(void **state)
{
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct ignore *ig =
			r->ignore ? ignore_parse(SLICE(".dockerignore"), slice_of(r->ignore))
				  : NULL;
		if (r->where == BOTH || r->where == DISK)
			bad += run_disk(r, ig);
		if (r->where != DISK)
			bad += run_tree(r, ig);
		ignore_free(ig);
	}
	assert_int_equal(bad, 0);
}

static char *mkdir_text(const char *below, const char *path)
{
	auto_layer_tree struct layer_tree *t = kit_make_tree(below);
	struct err *e = NULL;
	auto_layer_list struct layer_list *l = copy_mkdir(t, path, 7, 8, KIT_NOW, &e);
	return l ? kit_list_text(l) : failure(e);
}

static void test_mkdir(void **state)
{
	(void)state;
	assert_text(mkdir_text("", "/a/b"), "d a :7:8 ~5000; d a/b :7:8 ~5000");
	assert_text(mkdir_text("d a @700 :1:1", "/a/b"), "d a @700 :1:1; d a/b :7:8 ~5000");
	assert_text(mkdir_text("d a; d a/b", "/a/b"), "");
	assert_text(mkdir_text("", "/"), "");
	assert_text(mkdir_text("d e; l a ->/e", "/a/b"), "d e; d e/b :7:8 ~5000");
	assert_text(mkdir_text("l a ->/n", "/a"), "d n :7:8 ~5000");
	assert_text(mkdir_text("f a =1", "/a/b"), "!/a is not a directory#");
	assert_text(mkdir_text("f a =1", "/a"), "!/a is not a directory#");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_mkdir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

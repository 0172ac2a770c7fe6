// SPDX-License-Identifier: Apache-2.0
/*
 * --exclude, --parents, --no-follow, symbolic --chmod: which files, and where. A row runs with its
 * source as a directory and again as a tree, and gives the same entries.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/copy_kit.h"

#include "parser/filemode.h"
#include "store/base/mem.h"

#define PARENTS   1u
#define NO_FOLLOW 2u
#define DISK      4u /* the source as a directory only */

struct row {
	const char *name;
	const char *src;
	const char *items; /* blank-separated */
	const char *dest;
	const char *want;    /* entries; '!' and a part of the error; '#' and a part of its hint */
	const char *exclude; /* lines */
	unsigned flags;
	const char *chmod;
	const char *ignore;
	const char *below;
};

#define PROJECT                                                                                    \
	"f a/1.c =1; f a/1.o =o; f a/b/2.c =2; f a/b/c/3.c =3; f a/b/c/3.o =o; f e/x =x; f top "   \
	"=t; "                                                                                     \
	"d none; d a @711; d a/b @750 ~7; d a/b/c; d e"

static const struct row rows[] = {
	/* --exclude */
	{"names at the top only", "f x.o =1; f s/y.o =2; f z =3; d s", ".", "/",
		"d s; f s/y.o =2; f z =3", .exclude = "*.o"},
	{"at any depth", "f x.o =1; f s/y.o =2; f z =3; d s", ".", "/", "d s; f z =3",
		.exclude = "**/*.o"},
	{"a directory with all in it", "f s/y =2; f z =3; d s", ".", "/", "f z =3", .exclude = "s"},
	{"relative to what is copied", "f a/s/y =2; f a/z =3; d a/s; d a", "a", "/d/",
		"d d; f d/z =3", .exclude = "s"},
	{"not relative to the context", "f a/z =3; d a", "a", "/d/", "d d; f d/z =3",
		.exclude = "a"},
	{"taken in again", "f k =1; f x =2; f d/k =3; f d/x =4; d d; d e", ".", "/",
		"d d; f d/k =3; f k =1", .exclude = "*\n!k\n!d/k"},
	{"the order counts", "f k =1; f x =2", ".", "/", "", .exclude = "!k\n*"},
	{"an excluded directory without what is kept", "f d/x =4; d d; f z =1", ".", "/", "f z =1",
		.exclude = "d\n!d/k"},
	{"an excluded directory deep down", "f a/b/k =4; f a/b/x =5; f a/y =6; d a; d a/b @700",
		".", "/", "d a; d a/b @700; f a/b/k =4", .exclude = "a\n!a/b/k"},
	{"a file by its name", "f x =1; f y =2", "x y", "/", "f y =2", .exclude = "x"},
	{"a file in a directory by its name", "f d/x =1; f y =2; d d", "d/x y", "/", "f y =2",
		.exclude = "x"},
	{"matches of a wildcard", "f x.c =1; f x.o =2", "x.*", "/", "f x.c =1", .exclude = "*.o"},
	{"a directory that a wildcard matched stays", "f d1/x =1; f d1/y =2; d d1", "d*", "/q/",
		"d q; f q/y =2", .exclude = "d1\nx"},
	{"all of it", "f d/x =1; d d", "d", "/q", "d q", .exclude = "*"},
	{"with ignore rules", "f a =1; f b =2; f c =3", ".", "/", "f c =3", .exclude = "a",
		.ignore = "b\n"},
	{"ignore rules are not undone", "f a =1; f b =2", ".", "/", "f b =2", .exclude = "!a",
		.ignore = "a\n"},
	{"what is excluded need not be readable", "f a =1; p f", ".", "/", "f a =1",
		.exclude = "f"},
	{"hard links in what is left", "f a =1; h b ->a; h c ->a", ".", "/", "f b =1; h c ->b",
		.exclude = "a", .flags = DISK},
	{"one name of several", "f a =1; h b ->a", ".", "/", "f b =1", .exclude = "a",
		.flags = DISK},
	{"links are not followed", "f t/x =1; l l ->t; d t", ".", "/", "l l ->t; d t",
		.exclude = "t/x"},
	/* --parents */
	{"a file with its directories", PROJECT, "a/b/2.c", "/d",
		"d d ~5000; d d/a @711; d d/a/b @750 ~7; f d/a/b/2.c =2", .flags = PARENTS},
	{"a directory whole", PROJECT, "/a/b/c/", "/d/",
		"d d ~5000; d d/a @711; d d/a/b @750 ~7; d d/a/b/c; f d/a/b/c/3.c =3; "
		"f d/a/b/c/3.o =o",
		.flags = PARENTS},
	{"a name at the top", PROJECT, "./top", "/", "f top =t", .flags = PARENTS},
	{"an empty directory", PROJECT, "none", "/", "d none", .flags = PARENTS},
	{"stars", PROJECT, "a/*.c", "/", "d a @711; f a/1.c =1", .flags = PARENTS},
	{"stars take directories whole", PROJECT, "a/b/*", "/",
		"d a @711; d a/b @750 ~7; f a/b/2.c =2; d a/b/c; f a/b/c/3.c =3; f a/b/c/3.o =o",
		.flags = PARENTS},
	{"two stars", PROJECT, "**/*.o", "/",
		"d a @711; f a/1.o =o; d a/b @750 ~7; d a/b/c; f a/b/c/3.o =o", .flags = PARENTS},
	{"a pivot", PROJECT, "a/./b/2.c", "/d/", "d d ~5000; d d/b @750 ~7; f d/b/2.c =2",
		.flags = PARENTS},
	{"the first pivot counts", PROJECT, "./a/./b/./2.c", "/", "d b @750 ~7; f b/2.c =2",
		.flags = PARENTS},
	{"a pivot with stars behind it", PROJECT, "a/./**/*.c", "/",
		"f 1.c =1; d b @750 ~7; f b/2.c =2; d b/c; f b/c/3.c =3", .flags = PARENTS},
	{"a pivot with stars in front of it", PROJECT, "[ae]/./x", "/", "!x: not found",
		.flags = PARENTS},
	{"a pattern in front of the pivot", "f p1/x =1; f p2/x =2; f p2/y =3; f p3 =f; d p1; d p2",
		"p*/./[xy]", "/", "f x =2; f y =3", .flags = PARENTS},
	{"nothing behind the pivot", PROJECT, "e/./", "/d/", "d d ~5000; f d/x =x",
		.flags = PARENTS},
	{"several sources in one tree", PROJECT, "a/1.c a/b/2.c e", "/",
		"d a @711; f a/1.c =1; d a/b @750 ~7; f a/b/2.c =2; d e; f e/x =x",
		.flags = PARENTS},
	{"over directories that are there", PROJECT, "a/1.c", "/", "d a @711; f a/1.c =1",
		.flags = PARENTS, .below = "d a @700 :5:5; f a/old =o"},
	{"the destination stays as it is", PROJECT, "e/./x", "/d", "d d @700 :5:5 ~3; f d/x =x",
		.flags = PARENTS, .below = "d d @700 :5:5 ~3"},
	{"nothing matches", PROJECT, "a/*.h", "/", "", .flags = PARENTS},
	{"a path that is missing", PROJECT, "a/4.c", "/", "!a/4.c: not found", .flags = PARENTS},
	{"a path that is missing, with a hint", PROJECT, "a/b/c/33.c", "/",
		"#did you mean a/b/c/3.c", .flags = PARENTS},
	{"a start that is missing", PROJECT, "z/./1.c", "/", "!z: not found", .flags = PARENTS},
	{"a start that is a file", PROJECT, "top/./1.c", "/", "!top: not a directory",
		.flags = PARENTS},
	{"a start behind a link", "f r/x =1; l l ->r; d r", "l/./x", "/", "f x =1",
		.flags = PARENTS},
	{"links stay links", "f r/x =1; l l ->r; d r", "l", "/", "l l ->r", .flags = PARENTS},
	{"links on the way are not followed", "f r/x =1; l l ->r; d r", "l/x", "/",
		"!l/x: a symbolic link leads there", .flags = PARENTS},
	{"links on the way, what helps", "f r/x =1; l l ->r; d r", "l/x", "/",
		"#name the path itself: r/x", .flags = PARENTS},
	{"what rules hide", PROJECT, "a/1.c", "/", "!a/1.c: excluded", .flags = PARENTS,
		.ignore = "a/*.c\n"},
	{"what rules leave", PROJECT, "**/*.c", "/", "d a @711; d a/b @750 ~7; f a/b/2.c =2",
		.flags = PARENTS, .ignore = "a\n!a/b/2.c\n"},
	{"rules within what is taken whole", PROJECT, "a/b", "/",
		"d a @711; d a/b @750 ~7; f a/b/2.c =2", .flags = PARENTS, .ignore = "**/c\n"},
	{"with --exclude", PROJECT, "a", "/", "d a @711; f a/1.c =1; d a/b @750 ~7; f a/b/2.c =2",
		.flags = PARENTS, .exclude = "**/*.o\na/b/c"},
	{"--exclude is relative to the pivot", PROJECT, "a/./b", "/", "d b @750 ~7; f b/2.c =2",
		.flags = PARENTS, .exclude = "b/c"},
	{"a bad pattern", PROJECT, "a/[", "/", "!malformed pattern: a/[", .flags = PARENTS},
	{"above the root", PROJECT, "../e/x", "/", "d e; f e/x =x", .flags = PARENTS},
	{"hard links in one source", "f d/a =1; h d/b ->d/a; d d", "d", "/",
		"d d; f d/a =1; h d/b ->d/a", .flags = PARENTS},
	{"one of several names", "f d/a =1; h d/b ->d/a; d d", "d/b", "/", "d d; f d/b =1",
		.flags = PARENTS},
	{"modes of what is recreated", PROJECT, "a/b/2.c", "/d/",
		"d d ~5000; d d/a @700; d d/a/b @700 ~7; f d/a/b/2.c =2 @600", .flags = PARENTS,
		.chmod = "u=rwX,go="},
	/* --no-follow */
	{"a link as it is", "l l ->t; f t =1", "l", "/", "l l ->t", .flags = NO_FOLLOW},
	{"a link by another name", "l l ->t; f t =1", "l", "/m", "l m ->t", .flags = NO_FOLLOW},
	{"a link to nowhere", "l l ->no", "l", "/d/", "d d ~5000; l d/l ->no", .flags = NO_FOLLOW},
	{"a link to a directory", "l l ->d; f d/x =1; d d", "l", "/m", "l m ->d",
		.flags = NO_FOLLOW},
	{"links that a wildcard matched", "l l1 ->t; l l2 ->no; f l3 =3; f t =1", "l*", "/",
		"l l1 ->t; l l2 ->no; f l3 =3", .flags = NO_FOLLOW},
	{"links on the way are followed", "l l ->d; l d/k ->x; f d/x =1; d d", "l/k", "/",
		"l k ->x", .flags = NO_FOLLOW},
	{"a hidden link", "l l ->t; f t =1", "l", "/", "!l: excluded", .flags = NO_FOLLOW,
		.ignore = "l\n"},
	{"a link that is missing", "f t =1", "l", "/", "!l: not found", .flags = NO_FOLLOW},
	{"files as ever", "f t =1; f d/x =2; l d/l ->x; d d", "t d", "/q/",
		"d q; l q/l ->x; f q/t =1; f q/x =2", .flags = NO_FOLLOW},
	{"over a directory", "l l ->t", "l", "/", "!cannot replace the directory /l",
		.flags = NO_FOLLOW, .below = "d l"},
	/* --chmod, symbolic */
	{"execute where it makes sense", "f d/x =1 @700; f d/y =2; d d/s @700; d d", "d", "/q/",
		"d q; d q/s; f q/x =1 @755; f q/y =2", .chmod = "u=rwX,go=rX"},
	{"links have no mode", "f d/x =1 @640; l d/l ->x; d d", "d", "/q/",
		"d q; l q/l ->x; f q/x =1 @600", .chmod = "go="},
	{"what is made on the way", "f x =1", "x", "/p/q/x",
		"d p ~5000; d p/q ~5000; f p/q/x =1 @4744", .chmod = "u+sx"},
	{"copies of bits", "f x =1 @640", "x", "/", "f x =1 @664", .chmod = "g=u,o=g-w"},
	{"names of one file", "f a =1; h b ->a", ".", "/", "f a =1 @664; h b ->a @664",
		.chmod = "g+w", .flags = DISK},
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
		w = strtok_r(NULL, " ", &save))
		out->items[out->n++] = (struct copy_item){.kind = COPY_ITEM_PATH, .text = w};
}

static char *failure(struct err *e)
{
	char *text = mem_printf("!%s#%s", err_text(e), err_hint_text(e));
	err_free(e);
	return text;
}

static struct ignore *rules(const char *text)
{
	return text ? ignore_parse(SLICE("rules"), slice_of(text)) : NULL;
}

static char *place(const struct row *r, struct copy_selection *s)
{
	auto_layer_tree struct layer_tree *below = kit_make_tree(r->below ? r->below : "");
	struct filemode mode;
	const char *why;
	struct err *e = NULL;
	struct copy_dest d = {.below = below, .path = r->dest, .workdir = "/", .now = KIT_NOW};

	if (r->chmod) {
		assert_true(filemode_parse(slice_of(r->chmod), &mode, &why));
		d.symbolic = &mode;
	}
	auto_copy_placed struct copy_placed *p = copy_place(s, &d, &e);
	return p ? kit_placed_text(p) : failure(e);
}

/* digested: the content is known before it is written. */
static char *run(const struct row *r, struct copy_root root, bool digested)
{
	struct ignore *exclude = rules(r->exclude), *ignore = rules(r->ignore);
	struct parsed p;
	struct err *e = NULL;
	struct digest before, after;
	char *text;

	parse_items(r->items, &p);
	root.ignore = ignore;
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_request q = {.root = root,
		.items = p.items,
		.nitems = p.n,
		.tmp_dir_fd = tmp,
		.exclude = exclude,
		.parents = r->flags & PARENTS,
		.no_follow = r->flags & NO_FOLLOW};
	struct copy_selection *s = copy_select(&q, NULL, &e);
	if (s && digested)
		assert_ok(copy_digest(s, &before, err));
	text = s ? place(r, s) : failure(e);
	if (s && digested) {
		assert_ok(copy_digest(s, &after, err));
		assert_true(sha256_equal(&before, &after));
	}
	copy_selection_free(s);
	ignore_free(exclude);
	ignore_free(ignore);
	return text;
}

/* The time of a directory that something was copied into is that of the source, which is not asked.
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
	auto_free char *got = take_got;
	auto_free char *want = mem_strdup(r->want);
	bool ok;

	if (*want == '!') {
		ok = got[0] == '!' && strstr(got, want + 1);
	} else if (*want == '#') {
		const char *hint = got[0] == '!' ? strchr(got, '#') : NULL;
		ok = hint && strstr(hint, want);
	} else {
		if (!(r->flags & PARENTS)) {
			drop_times(want);
			drop_times(got);
		}
		ok = strcmp(got, want) == 0;
	}
	if (!ok)
		print_error("%s (%s):\ngot:  %s\nwant: %s\n", r->name, how, got, want);
	return !ok;
}

static void test_rows(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct kit_dir d = kit_temp();
		kit_put_dir(d.fd, r->src);
		struct copy_root dir = {.dir_fd = d.fd};
		bad += check(r, "directory", run(r, dir, false));
		bad += check(r, "directory, digested", run(r, dir, true));
		kit_temp_free(&d);
		if (r->flags & DISK)
			continue;
		auto_layer_tree struct layer_tree *t = kit_make_tree(r->src);
		bad += check(r, "tree", run(r, (struct copy_root){.dir_fd = -1, .tree = t}, false));
	}
	assert_int_equal(bad, 0);
}

/* A step that excludes files shares a walk with one that does not, in either order. */
static void test_shared_walk(void **state)
{
	static const struct row some = {"some", "", ".", "/", "d a; f a/y =2; f z =3", "a/x"};
	static const struct row all = {"all", "", ".", "/", "d a; f a/x =1; f a/y =2; f z =3"};
	struct kit_dir d = kit_temp();

	(void)state;
	kit_put_dir(d.fd, "f a/x =1; f a/y =2; f z =3; d a");
	for (int first = 0; first < 2; first++) {
		struct copy_share *share = copy_share_new(NULL, -1);
		struct copy_root root = {.dir_fd = d.fd, .share = share};
		const struct row *r = first ? &all : &some;
		assert_int_equal(check(r, "shared", run(r, root, true)), 0);
		assert_int_equal(check(&all, "shared", run(&all, root, false)), 0);
		assert_int_equal(check(&some, "shared", run(&some, root, false)), 0);
		copy_share_free(share);
	}
	kit_temp_free(&d);
}

static void test_keeps_owners(void **state)
{
	static const struct row r = {"owners", "", ".", "/", "d d :7:8; f d/x =1 :5:6; f y =2"};
	struct kit_dir d = kit_temp();

	(void)state;
	if (geteuid() != 0)
		skip();
	kit_put_dir(d.fd, "f d/x =1; f y =2; d d");
	assert_int_equal(fchownat(d.fd, "d", 7, 8, 0), 0);
	assert_int_equal(fchownat(d.fd, "d/x", 5, 6, 0), 0);
	for (int digested = 0; digested < 2; digested++) {
		struct copy_root root = {.dir_fd = d.fd, .keep_owner = true};
		assert_int_equal(check(&r, "owners", run(&r, root, digested)), 0);
	}
	kit_temp_free(&d);
}

/* A repository comes as a tar that stands for a directory: the flags hold for what is in it. */
static void test_given_tree(void **state)
{
	struct row r = {"given", "", "", "/r/", "", "*.o\nd/x", 0, "go=", NULL, NULL};
	struct ignore *exclude = rules(r.exclude);
	int tar = kit_memfd();
	struct kit_spec s;

	(void)state;
	struct layer_writer *w = layer_writer_new(kit_writer(&tar));
	for (const char *p = "f a.c =1; f b.o =2; d d; f d/c.o =3; f d/x =4; l l ->a.c";
		kit_next(&p, &s);)
		assert_ok(layer_writer_add(w, &s.e, err));
	assert_ok(layer_writer_finish(w, err));
	layer_writer_free(w);
	struct copy_file_given given = {
		.fd = tar, .size = kit_size(tar), .mtime = -1, .unpack = true, .tree = true};
	struct copy_item item = {.kind = COPY_ITEM_GIVEN, .text = "repo", .given = &given};
	auto_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy_request q = {.root = {.dir_fd = -1},
		.items = &item,
		.nitems = 1,
		.tmp_dir_fd = tmp,
		.exclude = exclude};
	struct err *e = NULL;
	auto_copy_selection struct copy_selection *sel = copy_select(&q, NULL, &e);
	assert_non_null(sel);
	auto_free char *got = place(&r, sel);
	drop_times(got);
	assert_string_equal(
		got, "d r; f r/a.c =1 @600; d r/d @700; f r/d/c.o =3 @600; l r/l ->a.c");
	ignore_free(exclude);
	close(tar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_shared_walk),
		cmocka_unit_test(test_keeps_owners),
		cmocka_unit_test(test_given_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

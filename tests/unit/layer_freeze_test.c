// SPDX-License-Identifier: Apache-2.0
/* Freeze, unpack and compare, over real overlay mounts. Needs root; says so when it is not. */
#include "store/base/hashpipe.h"
#include "store/tar/times.h"
#include "tests/unit/layer_kit.h"
#include "store/tar/retime.h"
#include "store/tree/freeze.h"
#include "store/tree/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

struct world {
	char dir[64];
	int fd;
};

static void sh(const struct world *w, const char *script)
{
	char *cmd = mem_printf("cd %s && umask 022 && { %s\n}", w->dir, script);
	int rc = system(cmd);
	if (rc != 0)
		fail_msg("status %d: %s", rc, cmd);
	free(cmd);
}

static int setup(void **state)
{
	struct world *w = mem_alloc(sizeof *w);
	snprintf(w->dir, sizeof w->dir, "%s", "/var/tmp/layer_freeze.XXXXXX");
	if (geteuid() != 0) {
		*state = w;
		return 0;
	}
	assert_non_null(mkdtemp(w->dir));
	w->fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->fd >= 0);
	sh(w, "mkdir base l0 l1 l2 u w u2 w2 m");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	if (geteuid() == 0) {
		umount2(w->dir, MNT_DETACH);
		char *m = mem_printf("%s/m", w->dir);
		while (umount2(m, MNT_DETACH) == 0)
			;
		free(m);
		close(w->fd);
		kit_remove(w->dir);
	}
	free(w);
	return 0;
}

#define NEEDS_ROOT()                                                                               \
	do {                                                                                       \
		if (geteuid() != 0) {                                                              \
			print_message("needs root\n");                                             \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static int dir_fd(const struct world *w, const char *name)
{
	int fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* lower: "a:b" names in the world. upper NULL: read-only. */
static void mount_overlay(
	const struct world *w, const char *lower, const char *upper, const char *work)
{
	char *opts = mem_printf("lowerdir=");
	char *copy = mem_strdup(lower);
	const char *sep = "";
	for (char *p = strtok(copy, ":"); p; p = strtok(NULL, ":")) {
		char *more = mem_printf("%s%s%s/%s", opts, sep, w->dir, p);
		free(opts);
		opts = more;
		sep = ":";
	}
	free(copy);
	if (upper) {
		char *more = mem_printf(
			"%s,upperdir=%s/%s,workdir=%s/%s,redirect_dir=nofollow,metacopy=off", opts,
			w->dir, upper, w->dir, work);
		free(opts);
		opts = more;
	}
	char *m = mem_printf("%s/m", w->dir);
	if (mount("overlay", m, "overlay", upper ? 0 : MS_RDONLY, opts) != 0)
		fail_msg("mount %s: %s", opts, strerror(errno));
	free(m);
	free(opts);
}

static void unmount(const struct world *w)
{
	char *m = mem_printf("%s/m", w->dir);
	assert_int_equal(umount(m), 0);
	free(m);
}

static int dup_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void assert_same_bytes(int a, int b)
{
	assert_int_equal(kit_size(a), kit_size(b));
	char x[4096], y[4096];
	for (uint64_t at = 0; at < kit_size(a); at += sizeof x) {
		size_t n = kit_size(a) - at < sizeof x ? (size_t)(kit_size(a) - at) : sizeof x;
		assert_int_equal(fs_pread_all(a, x, n, at), 0);
		assert_int_equal(fs_pread_all(b, y, n, at), 0);
		assert_memory_equal(x, y, n);
	}
}

static struct hashpipe *give_pipe(void *ctx, struct err **err)
{
	(void)err;
	return ctx;
}

/* The same tar and the same tree come out of the two halves, wherever the first one ends. */
static void freeze_in_halves(
	const struct world *w, const struct layer_freeze *f, size_t most, size_t entries, int want)
{
	int fd = kit_memfd(), fd2 = dup_fd(fd);
	struct hashpipe *pipe = hashpipe_new(kit_writer(&fd), true);
	struct layer_freezing_opts o = {.upper = *f,
		.open = give_pipe,
		.ctx = pipe,
		.spool_fd = w->fd,
		.most_entries = most,
		.most_bytes = most * 4096};
	struct layer_freezing *z;
	struct layer_tree *t = layer_tree_new(), *t2 = layer_tree_new();

	assert_ok((z = layer_freezing_new(&o, err)) ? 0 : -1);
	assert_int_equal(entries, layer_freezing_entries(z));
	if (entries) {
		assert_ok(layer_freezing_apply(z, t, fd2, err));
		assert_ok(layer_freezing_finish(z, NULL, NULL, err));
		assert_same_bytes(want, fd);
		assert_ok(layer_tree_apply(t2, dup_fd(want), err));
		char *text = kit_tree(t2);
		assert_text(kit_tree(t), text);
		free(text);
	} else {
		close(fd2);
	}
	layer_freezing_free(z);
	hashpipe_free(pipe);
	layer_tree_free(t);
	layer_tree_free(t2);
	close(fd);
}

static int freeze_timed(const struct world *w, const char *dir, const struct layer_tree *below,
	bool lower, size_t *n, struct layer_times *times)
{
	int fd = kit_memfd(), d = dir_fd(w, dir);
	struct layer_freeze f = {.upper_fd = d, .below = below, .as_lower = lower};
	size_t entries;
	if (times)
		layer_times_init(times);
	f.times = times;
	assert_ok(layer_freeze(&f, kit_writer(&fd), &entries, err));
	f.times = NULL;
	for (size_t most = 0; most < 6; most += 2)
		freeze_in_halves(w, &f, most, entries, fd);
	freeze_in_halves(w, &f, 1000000, entries, fd);
	if (n)
		*n = entries;
	close(d);
	return fd;
}

static int freeze(const struct world *w, const char *dir, const struct layer_tree *below,
	bool lower, size_t *n)
{
	return freeze_timed(w, dir, below, lower, n, NULL);
}

static void unpack(const struct world *w, int tar, const struct layer_times *times, const char *dir,
	const struct layer_tree *below)
{
	struct layer_unpack u = {.dest_fd = dir_fd(w, dir), .below = below, .times = times};
	assert_ok(layer_unpack(tar, &u, err));
	close(u.dest_fd);
}

/* "" when the directory shows what the tar and the times say, else the first difference; owned. */
static char *compare_timed(const struct world *w, int tar, const struct layer_times *times,
	const char *dir, const struct layer_tree *below)
{
	struct layer_unpack u = {.dest_fd = dir_fd(w, dir), .below = below, .times = times};
	char *why = NULL;
	int rc = 0;
	assert_ok(rc = layer_compare_dir(tar, &u, &why, err));
	assert_int_equal(rc, why == NULL);
	close(u.dest_fd);
	return why ? why : mem_strdup("");
}

static char *compare(
	const struct world *w, int tar, const char *dir, const struct layer_tree *below)
{
	return compare_timed(w, tar, NULL, dir, below);
}

/* The merged view as text, read through the mount: whole times too. */
static char *view(const struct world *w)
{
	auto_layer_times struct layer_times times;
	int tar = freeze_timed(w, "m", NULL, false, NULL, &times);
	char *text = kit_list(tar);
	auto_buf struct buf b;
	buf_init(&b, (size_t)1 << 20);
	buf_adds(&b, text);
	for (size_t i = 0; i < times.b.len; i++)
		buf_addf(&b, "%02x", (unsigned char)times.b.data[i]);
	free(text);
	close(tar);
	return buf_take(&b);
}

static const char base_script[] =
	"cd base && mkdir -p d/sub e/deep/er gone opq/in swap1 keep && echo a > d/a && echo b > "
	"d/b &&"
	"echo s > d/sub/s && echo x > gone/x && echo 1 > opq/1 && echo 2 > opq/2 && echo i > "
	"opq/in/i &&"
	"echo j > opq/in/j && echo w > swap1/w && echo f > swap2 && ln -s d/a link && ln d/a hard "
	"&&"
	"mkfifo fifo && mknod dev c 1 3 && mknod blk b 7 9 && chmod 4755 d/b && chown 12:34 d/b &&"
	"chmod 1777 e && touch -d '1969-12-31 23:00:00 UTC' old && dd if=/dev/zero of=sparse bs=1 "
	"count=1 "
	"seek=300000 2>/dev/null && echo q > keep/q && ln -s nowhere dangling && chown -h 5:6 "
	"dangling &&"
	"head -c 200000 /dev/urandom > big && setcap cap_net_raw+ep d/b && setfattr -n user.note "
	"-v hi d/a &&"
	"setfattr -n trusted.secret -v no d/a && touch -d '2020-01-01 00:00:00.123456789' d/sub/s "
	"keep . &&"
	"mkdir $(printf '%0200d' 7) && touch $(printf '%0200d' 7)/$(printf '%0200d' 8) &&"
	"printf x > \"$(printf 'sp ace\\nnl\\tt\\303\\251\\377')\"";

static const char change_script[] =
	"cd m && echo changed >> d/a && rm -r gone && rm -r opq && mkdir opq && echo n > opq/new "
	"&& "
	"mkdir opq/in && echo k > opq/in/k && echo j > opq/in/j && rm -r swap1 && echo f > swap1 "
	"&& "
	"rm swap2 && mkdir swap2 && echo g > swap2/g && rm link && ln -s other link && echo z > "
	"e/deep/z && "
	"chmod 700 e/deep/er && mkdir new && echo n1 > new/n1 && ln new/n1 new/n2 && ln new/n1 aaa "
	"&& "
	"mkfifo new/p && mknod new/dev c 5 1 && mkdir -p new/x/y/z && rm old && mv big big2 && "
	"dd if=/dev/zero of=new/sparse bs=1 count=1 seek=5000000 2>/dev/null && echo tmp > t && rm "
	"t && "
	"mkdir td && rmdir td && touch -d '2001-02-03 04:05:06.789' new/x && "
	"setfattr -n user.k -v v new/n1 && setfattr -n user.dir -v v keep && "
	"python3 -c 'import socket;socket.socket(socket.AF_UNIX).bind(\"sock\")' && rm d/sub/s && "
	"chown 77:88 keep/q && rm -r e/deep/er && mkdir -m 750 e/deep/er && ln d/b new/b";

static void assert_same_times(const struct layer_times *a, struct layer_times *clear)
{
	assert_int_equal(a->b.len, clear->b.len);
	assert_memory_equal(a->b.data, clear->b.data, a->b.len);
	layer_times_clear(clear);
}

static void round_trip(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	auto_layer_times struct layer_times t0, t1, t2;
	size_t n;

	/* the base, from a plain directory */
	sh(w, base_script);
	int tar0 = freeze_timed(w, "base", NULL, true, &n, &t0);
	assert_int_equal(n, 33);
	assert_text(compare_timed(w, tar0, &t0, "base", NULL), "");
	unpack(w, tar0, &t0, "l0", NULL);
	assert_text(compare_timed(w, tar0, &t0, "l0", NULL), "");
	char *why = compare(w, tar0, "l0", NULL);
	assert_string_not_equal(why, "");
	free(why);
	int again = freeze_timed(w, "l0", NULL, false, NULL, &t2);
	assert_same_bytes(tar0, again);
	assert_same_times(&t0, &t2);
	close(again);
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply_timed(below, dup_fd(tar0), &t0, err));

	/* changes of every kind */
	sh(w, "touch -r l0 u");
	mount_overlay(w, "l0", "u", "w");
	sh(w, change_script);
	char *live = view(w);
	unmount(w);
	int tar1 = freeze_timed(w, "u", below, false, NULL, &t1);
	unpack(w, tar1, &t1, "l1", below);
	assert_text(compare_timed(w, tar1, &t1, "l1", below), "");
	again = freeze_timed(w, "l1", below, true, NULL, &t2);
	assert_same_bytes(tar1, again);
	assert_same_times(&t1, &t2);
	close(again);
	again = freeze_timed(w, "u", below, true, NULL, &t2); /* as a lower; the same tar */
	assert_same_bytes(tar1, again);
	assert_same_times(&t1, &t2);
	close(again);
	assert_text(compare_timed(w, tar1, &t1, "u", below), "");

	/* the frozen upper, the unpacked tar and the tree show what RUN saw */
	mount_overlay(w, "u:l0", NULL, NULL);
	assert_text(view(w), live);
	unmount(w);
	mount_overlay(w, "l1:l0", NULL, NULL);
	assert_text(view(w), live);
	unmount(w);
	struct layer_tree *flat = layer_tree_new();
	assert_ok(layer_tree_apply_timed(below, dup_fd(tar1), &t1, err));
	mount_overlay(w, "l1:l0", NULL, NULL);
	int tar2 = freeze(w, "m", NULL, false, NULL);
	unmount(w);
	assert_ok(layer_tree_apply(flat, dup_fd(tar2), err));
	char *want = kit_tree(flat);
	assert_text(kit_tree(below), want);
	free(want);
	layer_tree_free(flat);
	layer_tree_free(below);

	/* a second layer: nothing happens in it */
	below = layer_tree_new();
	assert_ok(layer_tree_apply_timed(below, dup_fd(tar0), &t0, err));
	assert_ok(layer_tree_apply_timed(below, dup_fd(tar1), &t1, err));
	sh(w, "touch -r l1 u2");
	mount_overlay(w, "l1:l0", "u2", "w2");
	sh(w, "cd m && cat d/a new/n1 > /dev/null && ls -lR > /dev/null && touch gone && rm gone");
	sh(w, "touch -r l1 m");
	unmount(w);
	int empty = freeze_timed(w, "u2", below, false, &n, &t2);
	assert_int_equal(n, 0);
	assert_false(layer_times_any(&t2)); /* the root's time is nobody's */
	assert_int_equal(kit_size(empty), 1024);
	close(empty);
	layer_tree_free(below);
	free(live);
	close(tar0);
	close(tar1);
	close(tar2);
}

static void freeze_says_exactly_this(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	sh(w, "mkdir -p l0/d/s l0/o/p && touch l0/d/f l0/o/1 l0/o/p/2 && touch -d @1000 l0/d/f "
	      "l0/o/1 l0/o/p/2 "
	      "l0/d/s l0/d l0/o/p l0/o l0 u");
	int tar0 = freeze(w, "l0", NULL, false, NULL);
	assert_text(kit_list(tar0), "dir d 755 0:0 1000\n"
				    "file d/f 644 0:0 1000 0\n"
				    "dir d/s 755 0:0 1000\n"
				    "dir o 755 0:0 1000\n"
				    "file o/1 644 0:0 1000 0\n"
				    "dir o/p 755 0:0 1000\n"
				    "file o/p/2 644 0:0 1000 0\n");
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply(below, tar0, err));
	mount_overlay(w, "l0", "u", "w");
	sh(w, "cd m && echo hi > d/f && rm -r o && mkdir -p o/p && touch -d @2000 o/p o d/f && "
	      "touch -d @1000 . ");
	unmount(w);
	int tar1 = freeze(w, "u", below, true, NULL);
	/* d is the parent of what changed; o is opaque: spelled out, below o/p too */
	assert_text(kit_list(tar1), "dir d 755 0:0 1000\n"
				    "file d/f 644 0:0 2000 3 \"hi\n\"\n"
				    "dir o 755 0:0 2000\n"
				    "whiteout o/1 0 0:0 0\n"
				    "dir o/p 755 0:0 2000\n"
				    "whiteout o/p/2 0 0:0 0\n");
	layer_tree_free(below);
	close(tar1);
}

static void damage_is_found(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply(
		below, KIT_TAR(DIR_("o"), FILE_("o/x", "x"), FILE_("low", "l"), DIR_("p")), err));
	int tar = KIT_TAR(DIR_("d"), FILE_("d/f", "text"), HARD_("d/g", "d/f"), LINK_("d/l", "to"),
		OPQ_("o"), WH_("low"), FILE_("p/n", "n"));
	static const struct {
		const char *script;
		const char *why;
	} cases[] = {
		{":", ""},
		{"mkdir t && cp -a d t && touch -d @0 t && rm -r t && touch -d @0 .", ""},
		{"printf tixt > d/f && touch -d @1000 d/f", "d/f: content"},
		{"touch d/f", "d/f: type or attributes"},
		{"chmod 600 d/f", "d/f: type or attributes"},
		{"chown 1 d/l -h", "d/l: type or attributes"},
		{"cp -a d/f x && mv x d/g && touch -d @1000 d && touch -d @0 .",
			"d/g: not a hard link"},
		{"rm d/g && touch -d @1000 d", "d/g: missing in the directory"},
		{"ln d/f d/h && touch -d @1000 d", "d/h: not in the layer"},
		{"touch -h -d @1 d/l", "d/l: type or attributes"},
		{"rm low && touch -d @0 .", "low: not removed in the directory"},
		{"setfattr -x trusted.overlay.opaque o", "o/x: not removed in the directory"},
		{"setfattr -n trusted.overlay.opaque -v y p && touch -d @1000 p", ""},
		{"rm -r o && touch -d @0 .", "o/x: not removed in the directory"},
		{"rm -r p && touch -d @0 .", "p/n: missing in the directory"},
		{"chmod 700 p", "p: type or attributes"},
		{"setfattr -n user.a -v b d", "d: type or attributes"},
		{"touch -d @9 .", ""}, /* the root's time says nothing */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sh(w, "rm -rf l1 && mkdir l1");
		unpack(w, tar, NULL, "l1", below);
		char *script = mem_printf("cd l1 && %s", cases[i].script);
		sh(w, script);
		free(script);
		assert_text(compare(w, tar, "l1", below), cases[i].why);
	}
	close(tar);
	layer_tree_free(below);
}

static void refused_uppers(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	static const struct {
		const char *script;
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{"mkdir u/d && touch u/d/.wh.x", ERR_BUILD, "d/.wh.x: a layer cannot hold names"},
		{"mkdir u/.wh.d", ERR_BUILD, ".wh.d: a layer cannot hold names"},
		{"mkdir u/d && setfattr -n trusted.overlay.redirect -v /x u/d", ERR_SANDBOX,
			"d: overlay redirects"},
		{"touch u/f && setfattr -n trusted.overlay.metacopy u/f", ERR_SANDBOX,
			"f: overlay redirects"},
		{"touch u/f && setfattr -n user.a=b -v c u/f", ERR_BUILD, "its name has a '='"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = kit_memfd();
		sh(w, "rm -rf u && mkdir u");
		sh(w, cases[i].script);
		struct layer_freeze f = {.upper_fd = dir_fd(w, "u")};
		assert_fails(
			layer_freeze(&f, kit_writer(&fd), NULL, err), cases[i].kind, cases[i].text);
		close(f.upper_fd);
		close(fd);
	}
}

static void whiteouts_of_both_kinds(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply(below,
		KIT_TAR(FILE_("a", ""), DIR_("x"), FILE_("x/b", ""), FILE_("x/c", ""), DIR_("n"),
			FILE_("n/b", "")),
		err));
	sh(w, "mknod u/a c 0 0 && mknod u/nothing c 0 0 && mkdir u/x u/n && touch -d @5 u/x/b "
	      "u/x/c u/n/b && "
	      "setfattr -n trusted.overlay.whiteout u/x/b && setfattr -n trusted.overlay.whiteout "
	      "u/n/b && "
	      "setfattr -n trusted.overlay.opaque -v x u/x && setfattr -n user.overlay.opaque -v y "
	      "u/n && "
	      "touch -d @1000 u/n u/x && touch -d @0 u");
	int tar = freeze(w, "u", below, false, NULL);
	assert_text(kit_list(tar), "whiteout a 0 0:0 0\n"
				   "dir n 755 0:0 1000\n"
				   "file n/b 644 0:0 5 0\n"
				   "dir x 755 0:0 1000\n"
				   "whiteout x/b 0 0:0 0\n"
				   "file x/c 644 0:0 5 0\n");
	layer_tree_free(below);
	close(tar);
}

/* What no layer carries does not stay in a directory that serves as a lower. */
static void sockets_and_acls_do_not_stay(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	/* version 2; owner rw, user 5 r, group r, mask r, other r */
	static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0,
		5, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0,
		4, 0, 255, 255, 255, 255};
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply(below, KIT_TAR(FILE_("s", "x")), err));
	sh(w, "cd u && python3 -c 'import socket as "
	      "s;s.socket(s.AF_UNIX).bind(\"s\");s.socket(s.AF_UNIX).bind(\"t\")' "
	      "&& echo f > f && touch -d @5 f && touch -d @0 .");
	int u = dir_fd(w, "u"), f = openat(u, "f", O_RDONLY);
	assert_int_equal(fsetxattr(f, "system.posix_acl_access", acl, sizeof acl, 0), 0);
	for (int round = 0; round < 2; round++) {
		int tar = freeze(w, "u", below, true, NULL);
		assert_text(kit_list(tar), "file f 644 0:0 5 2 \"f\n\"\nwhiteout s 0 0:0 0\n");
		assert_text(compare(w, tar, "u", below), "");
		close(tar);
		sh(w, "test -c u/s && ! test -e u/t && test $(stat -c %Y u) = 0");
		assert_int_equal(fgetxattr(f, "system.posix_acl_access", NULL, 0), -1);
	}
	close(f);
	close(u);
	layer_tree_free(below);
}

/* Times that no file system can hold do not look like damage. */
static void absurd_times(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	struct layer_entry future = FILE_("future", "x"), past = FILE_("past", "x");
	future.mtime = (int64_t)1 << 45;
	past.mtime = -((int64_t)1 << 45);
	int tar = KIT_TAR(future, past);
	unpack(w, tar, NULL, "l1", NULL);
	assert_text(compare(w, tar, "l1", NULL), "");
	close(tar);
}

/* Hostile tars unpack inside the directory or not at all. */
static void hostile_tars_stay_inside(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	sh(w, "mkdir canary && echo secret > canary/s");
	char *abs = mem_printf("%s/canary", w->dir);
	struct layer_tree *below = layer_tree_new();
	assert_ok(layer_tree_apply(
		below, KIT_TAR(LINK_("low", abs), LINK_("rel", "../canary")), err));
	char *abs_s = mem_printf("%s/s", abs);
	int tars[] = {
		KIT_TAR(LINK_("x", abs), FILE_("x/s", "own")),
		KIT_TAR(FILE_("low/s", "own"), FILE_("rel/s", "own")),
		KIT_TAR(LINK_("x", "../canary"), FILE_("x/s", "own"), WH_("x/s"), OPQ_("x")),
		KIT_TAR(LINK_("x", abs_s), FILE_("x", "own")),
		KIT_TAR(DIR_("x"), LINK_("x", abs), {.path = "x", .type = LAYER_DIR, .mode = 0777}),
		KIT_TAR(LINK_("x", abs_s), HARD_("y", "x"), FILE_("y", "own")),
		KIT_TAR(DIR_("low"), FILE_("low/s", "own")),
		KIT_TAR(WH_("low"), WH_("rel/s"), OPQ_("rel"), OPQ_("")),
	};
	for (size_t i = 0; i < sizeof tars / sizeof *tars; i++) {
		sh(w, "rm -rf l1 && mkdir l1");
		unpack(w, tars[i], NULL, "l1", below);
		assert_text(compare(w, tars[i], "l1", below), "");
		close(tars[i]);
		sh(w, "test \"$(cat canary/s)\" = secret && test \"$(ls canary)\" = s && "
		      "test \"$(stat -c %a canary)\" = 755 && ! test -e l1/y/s");
	}
	int bad = KIT_TAR(LINK_("x", abs), HARD_("y", "x/s"));
	sh(w, "rm -rf l1 && mkdir l1");
	struct layer_unpack u = {.dest_fd = dir_fd(w, "l1"), .below = below};
	assert_fails(layer_unpack(bad, &u, err), ERR_CORRUPT, "not in the image");
	close(u.dest_fd);
	close(bad);
	layer_tree_free(below);
	free(abs);
	free(abs_s);
}

/* GNU tar reads what we write: same tree as our own unpack (no whiteouts in it). */
static void gnu_tar_reads_it(void **state)
{
	NEEDS_ROOT();
	const struct world *w = *state;
	sh(w, base_script);
	sh(w, "setfattr -x user.note base/d/a"); /* GNU tar needs options for attributes */
	/* what is compared with a tar alone has whole seconds */
	sh(w, "find base -depth -print0 | "
	      "xargs -0 -n1 sh -c 'touch -hd @$(stat -c %Y \"$0\") \"$0\"'");
	int tar = freeze(w, "base", NULL, true, NULL);
	int out = openat(w->fd, "t.tar", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(fs_copy_range(tar, 0, kit_size(tar), out), 0);
	close(out);
	sh(w, "tar --warning=no-timestamp --numeric-owner --xattrs --xattrs-include='*' -xpf t.tar "
	      "-C l0 2> tar.err && ! "
	      "grep . tar.err >&2");
	assert_text(compare(w, tar, "l0", NULL), "");
	/* and we read what it writes, in three formats */
	static const char *const formats[] = {"gnu -S", "pax -S --xattrs",
		"pax -S --sparse-version=0.1 --xattrs", "pax -S --sparse-version=0.0 --xattrs"};
	for (size_t i = 0; i < 4; i++) {
		char *cmd = mem_printf(
			"rm -f x.tar && tar --numeric-owner --format=%s --xattrs-include='user.*' "
			"--xattrs-include=security.capability -cf x.tar -C base .",
			formats[i]);
		sh(w, i ? cmd
			: "setcap -r base/d/b; tar --numeric-owner --format=gnu -S -cf x.tar -C "
			  "base .");
		free(cmd);
		int x = openat(w->fd, "x.tar", O_RDONLY);
		assert_text(compare(w, x, "base", NULL), "");
		sh(w, "rm -rf l1 && mkdir l1");
		unpack(w, x, NULL, "l1", NULL);
		assert_text(compare(w, x, "l1", NULL), "");
		close(x);
		if (i == 0)
			sh(w, "setcap cap_net_raw+ep base/d/b");
	}
	close(tar);
}

static void times(void **state)
{
	(void)state;
	struct layer_entry late = FILE_("late", "x");
	late.mtime = 5000;
	int tar = KIT_TAR(DIR_("d"), late, WH_("w"));
	int set = kit_memfd(), lower = kit_memfd();
	assert_ok(layer_retime(tar, 3000, true, kit_writer(&set), err));
	assert_ok(layer_retime(tar, 3000, false, kit_writer(&lower), err));
	assert_text(kit_list(set),
		"dir d 755 0:0 3000\nfile late 644 0:0 3000 1 \"x\"\nwhiteout w 0 0:0 0\n");
	assert_text(kit_list(lower),
		"dir d 755 0:0 1000\nfile late 644 0:0 3000 1 \"x\"\nwhiteout w 0 0:0 0\n");
	int same = kit_memfd();
	assert_ok(layer_retime(tar, 9000, false, kit_writer(&same), err));
	assert_same_bytes(same, tar);
	close(same);
	close(set);
	close(lower);
	close(tar);
}

int main(void)
{
	/* Mounts of this test are nobody else's. */
	if (geteuid() == 0 &&
		(unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL)))
		return 1;
	umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(freeze_says_exactly_this, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_uppers, setup, teardown),
		cmocka_unit_test_setup_teardown(whiteouts_of_both_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_and_acls_do_not_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(absurd_times, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_tars_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(gnu_tar_reads_it, setup, teardown),
		cmocka_unit_test(times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

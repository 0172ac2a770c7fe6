// SPDX-License-Identifier: Apache-2.0
/* Images in directories and archives; skopeo is the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/transport/transfer.h"
#include "tests/support/expect.h"
#include "tests/support/fake.h"
#include "tests/support/transfers.h"

static struct transfers T;

static int setup(void **state)
{
	(void)state;
	transfers_init(&T);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	transfers_clear(&T);
	return 0;
}

#define RUN(...) transfers_run(&T, __VA_ARGS__)

static char *in_dir(const char *transport, const char *rest)
{
	return mem_printf("%s:%s/%s", transport, T.dir, rest);
}

static struct digest pull(const char *source, const char *name)
{
	struct transfer_opts o = transfers_opts(&T);

	return transfers_pull(T.s, source, name, &o);
}

static struct digest push(const char *image, const char *dest)
{
	struct transfer_opts o = transfers_opts(&T);

	return transfers_push(T.s, image, dest, &o);
}

static bool tagged(const char *name)
{
	struct oci_descriptor d = {0};
	int rc = tags_find(T.s, name, &d, NULL);

	oci_descriptor_clear(&d);
	return rc > 0;
}

/* diff IDs of a skopeo name are those of the image made last. */
#define JUDGE(name) RUN("skopeo inspect --config %s | jq -cS .rootfs >1 && cmp 1 want", name)

static void make_image(const char *options)
{
	transfers_mkimage(&T, options);
	RUN("sha256sum a.tar c.tar | "
	    "jq -RcS '.' | jq -cSs '{diff_ids: map(\"sha256:\" + .[:64]), type: \"layers\"}' "
	    ">want");
}

static void test_oci_dir(void **state)
{
	char *from = in_dir("oci", "l:img"), *to = in_dir("oci", "out:my:name"),
	     *plain = in_dir("oci", "out2");
	struct digest d, e;

	(void)state;
	make_image("--gzip l img a.tar c.tar");
	pull(from, NULL);
	assert_true(tagged("docker.io/library/img:latest"));
	d = push("img", to);
	JUDGE("oci:out:my:name");
	/* A second image beside it, the first replaced in place. */
	e = push("img", to);
	assert_memory_equal(&d, &e, sizeof d);
	free(to);
	to = in_dir("oci", "out:second");
	push("img", to);
	RUN("test $(jq '.manifests | length' out/index.json) = 2");
	RUN("jq -e '.imageLayoutVersion == \"1.0.0\"' out/oci-layout >/dev/null");
	JUDGE("oci:out:second");
	JUDGE("oci:out:my:name");
	push("img", plain);
	push("img", plain);
	JUDGE("oci:out2");
	e = pull(plain, "again");
	assert_memory_equal(&d, &e, sizeof d);
	assert_true(tagged("docker.io/library/again:latest"));
	RUN("test -z \"$(find out out2 -name '.bld*')\"");
	free(from);
	from = in_dir("oci", "out");
	transfers_pull_fails(&T, from, ERR_NOT_FOUND, "2 images, and none is named");
	free(from);
	from = in_dir("oci", "out:third");
	transfers_pull_fails(&T, from, ERR_NOT_FOUND, "no image named third");
	free(from);
	free(to);
	free(plain);
}

static void test_plain_layers(void **state)
{
	char *from = in_dir("oci", "l:img"), *to = in_dir("oci", "out:x");
	struct digest d, e;

	(void)state;
	/* The store's own form, plain tars, is compressed on the way out. */
	make_image("l img a.tar c.tar");
	d = pull(from, NULL);
	e = push("img", to);
	assert_memory_not_equal(&d, &e, sizeof d);
	JUDGE("oci:out:x");
	RUN("skopeo inspect --raw oci:out:x | jq -e 'all(.layers[]; .mediaType | "
	    "endswith(\"+gzip\"))' >/dev/null");
	/* The store itself is a layout that skopeo reads. */
	JUDGE("oci:store:docker.io/library/img:latest");
	free(from);
	free(to);
}

static void test_oci_archive(void **state)
{
	char *from = in_dir("oci", "l:img"), *to = in_dir("oci-archive", "a.oci"),
	     *named = in_dir("oci-archive", "b.oci:n:1");
	char *gz = in_dir("oci-archive", "c.oci.gz"), *made = in_dir("oci-archive", "d.oci:x");
	struct digest d, e;

	(void)state;
	make_image("--zstd l img a.tar c.tar");
	pull(from, NULL);
	d = push("img", to);
	JUDGE("oci-archive:a.oci");
	RUN("cp a.oci first");
	push("img", to);
	RUN("cmp a.oci first");
	push("img", named);
	JUDGE("oci-archive:b.oci:n:1");
	RUN("umoci --version >/dev/null; tar tf b.oci | sort >names; test $(wc -l <names) = 8; "
	    "test -z \"$(ls -A | grep bld-tmp)\"");
	e = pull(to, "back");
	assert_memory_equal(&d, &e, sizeof d);
	e = pull(named, NULL);
	assert_true(tagged("docker.io/library/n:1"));
	RUN("gzip -c b.oci >c.oci.gz && skopeo copy -q oci:l:img oci-archive:d.oci:x");
	e = pull(gz, NULL);
	assert_memory_equal(&d, &e, sizeof d);
	e = pull(made, "made");
	assert_memory_equal(&d, &e, sizeof d);
	free(from);
	free(to);
	free(named);
	free(gz);
	free(made);
}

static void test_docker_archive(void **state)
{
	char *from = in_dir("oci", "l:img"), *to = in_dir("docker-archive", "a.tar.out"),
	     *named = in_dir("docker-archive", "b.out:127.0.0.1:5000/n:1"),
	     *gz = in_dir("docker-archive", "c.gz"), *made = in_dir("docker-archive", "d.out"),
	     *one = in_dir("docker-archive", "e.out:second:2"),
	     *none = in_dir("docker-archive", "e.out:third"),
	     *two = in_dir("docker-archive", "e.out");
	struct image i = {0}, k = {0};
	struct digest d;
	struct err *err = NULL;

	(void)state;
	make_image("--gzip --config '{\"Cmd\":[\"x\"]}' l img a.tar c.tar a.tar");
	RUN("sha256sum a.tar c.tar a.tar | jq -RcS '.' | jq -cSs '{diff_ids: map(\"sha256:\" + "
	    ".[:64]), type: \"layers\"}' >want");
	pull(from, NULL);
	push("img", to);
	JUDGE("docker-archive:a.tar.out");
	RUN("tar xOf a.tar.out manifest.json | jq -e '.[0].RepoTags == "
	    "[\"docker.io/library/img:latest\"]' >/dev/null");
	push("img", named);
	JUDGE("docker-archive:b.out:127.0.0.1:5000/n:1");
	RUN("cp b.out first");
	push("img", named);
	RUN("cmp b.out first");
	d = pull(named, NULL);
	assert_true(tagged("127.0.0.1:5000/n:1"));
	/* The configuration comes back byte for byte; the layers are plain now. */
	assert_int_equal(image_open(T.s, "img", NULL, &i, &err), 0);
	assert_int_equal(image_open_manifest(T.s, &d, &k, &err), 0);
	assert_memory_equal(&i.manifest.config.digest, &k.manifest.config.digest, sizeof d);
	assert_string_equal(k.manifest.layers[0].media_type, OCI_MEDIA_LAYER);
	image_clear(&i);
	image_clear(&k);
	RUN("gzip -c b.out >c.gz && skopeo copy -q oci:l:img docker-archive:d.out:made/by:skopeo");
	pull(gz, "zipped");
	assert_true(tagged("docker.io/library/zipped:latest"));
	pull(made, NULL);
	assert_true(tagged("docker.io/made/by:skopeo"));
	/* docker save's older layout: a directory a layer, duplicates as links, two images,
	 * compressed layers too. */
	RUN("mkdir e && cd e && mkdir 1 2 3 && gzip -c ../a.tar >1/layer.tar && cp ../c.tar "
	    "2/layer.tar && ln -s ../1/layer.tar "
	    "3/layer.tar && skopeo inspect --config --raw oci:../l:img >cfg.json && "
	    "echo "
	    "'[{\"Config\":\"cfg.json\",\"RepoTags\":[\"first:1\"],\"Layers\":[]},{\"Config\":"
	    "\"cfg.json\",\"RepoTags\":["
	    "\"second:2\",\"more/tags:3\"],\"Layers\":[\"1/layer.tar\",\"2/layer.tar\",\"3/"
	    "layer.tar\"]}]' >manifest.json && "
	    "tar -cf ../e.out ./manifest.json ./1 ./2 ./3 ./cfg.json");
	d = pull(one, NULL);
	assert_true(tagged("docker.io/library/second:2") && tagged("docker.io/more/tags:3"));
	assert_int_equal(image_open_manifest(T.s, &d, &k, &err), 0);
	assert_string_equal(k.manifest.layers[0].media_type, OCI_MEDIA_LAYER_GZIP);
	assert_string_equal(k.manifest.layers[1].media_type, OCI_MEDIA_LAYER);
	image_clear(&k);
	transfers_pull_fails(&T, none, ERR_NOT_FOUND, "no image named third");
	transfers_pull_fails(&T, two, ERR_NOT_FOUND, "2 images, and none is named");
	free(from);
	free(to);
	free(named);
	free(gz);
	free(made);
	free(one);
	free(two);
	free(none);
}

static void test_bad_archives(void **state)
{
	static const struct {
		const char *make; /* writes x */
		const char *transport;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{":", "docker-archive", ERR_CONTEXT, "No such file"},
		{":", "oci-archive", ERR_CONTEXT, "No such file"},
		{":", "oci", ERR_CONTEXT, "No such file"},
		{"mkdir x", "oci", ERR_NOT_FOUND, "index.json"},
		{"mkdir x; echo '{}' >x/index.json", "oci", ERR_CORRUPT, ""},
		{"mkdir x; mkfifo x/index.json", "oci", ERR_CONTEXT, "not a regular file"},
		{"mkdir x; ln -s /etc/passwd x/index.json", "oci", ERR_CONTEXT, ""},
		/* Eight bytes: one would be there already once in 256 times. */
		{"cp -r l x; cd x/blobs/sha256; for f in *; do [ $(wc -c <$f) -gt 5000 ] && printf "
		 "yyyyyyyy | dd of=$f bs=1 seek=2000 "
		 "conv=notrunc 2>/dev/null; done; :",
			"oci", ERR_CORRUPT, "does not have that digest"},
		{"cp -r l x; cd x/blobs/sha256; sed -i s/schemaVersion/schemaversion/ $(grep -l "
		 "schemaVersion *)",
			"oci", ERR_CORRUPT, "does not have that digest"},
		{"cp -r l x; cd x/blobs/sha256; for f in *; do [ $(wc -c <$f) -gt 5000 ] && "
		 "truncate -s 100 $f; done; :",
			"oci", ERR_CORRUPT, "has 100 bytes"},
		{"cp -r l x; cd x/blobs/sha256; for f in *; do [ $(wc -c <$f) -gt 5000 ] && rm $f; "
		 "done; :",
			"oci", ERR_NOT_FOUND, "blobs/sha256/"},
		{"echo no >y; tar cf x y", "docker-archive", ERR_CORRUPT, "no manifest.json"},
		{"echo no >y; tar cf x y", "oci-archive", ERR_NOT_FOUND, "index.json"},
		{"echo '{}' >manifest.json; tar cf x manifest.json", "docker-archive", ERR_CORRUPT,
			"not a list"},
		{"echo '[1]' >manifest.json; tar cf x manifest.json", "docker-archive", ERR_CORRUPT,
			"not an object"},
		{"echo '[]' >manifest.json; tar cf x manifest.json", "docker-archive",
			ERR_NOT_FOUND, "0 images"},
		{"echo '[{}]' >manifest.json; tar cf x manifest.json", "docker-archive",
			ERR_CORRUPT, "Config"},
		{"echo '[{\"Config\":\"../../etc/passwd\"}]' >manifest.json; tar cf x "
		 "manifest.json",
			"docker-archive", ERR_CORRUPT, "no ../../etc/passwd"},
		{"ln -sf c c; echo '[{\"Config\":\"c\"}]' >manifest.json; tar cf x manifest.json c",
			"docker-archive", ERR_CORRUPT, "no c in"},
		{"ln -sf /etc/passwd c; echo '[{\"Config\":\"c\"}]' >manifest.json; tar cf x "
		 "manifest.json c",
			"docker-archive", ERR_CORRUPT, "no c in"},
		{"echo '{' >c; echo '[{\"Config\":\"c\"}]' >manifest.json; tar cf x manifest.json "
		 "c",
			"docker-archive", ERR_CORRUPT, ""},
		{"head -c 3000 /dev/urandom >x", "docker-archive", ERR_CONTEXT, "archive"},
		{": >x", "docker-archive", ERR_CONTEXT, "archive"},
		{"skopeo copy -q oci:l:img docker-archive:z:a:b && head -c 60000 z >x",
			"docker-archive", ERR_CONTEXT, ""},
		{"skopeo copy -q oci:l:img docker-archive:z:a:b && mkdir y && tar xf z -C y && cd "
		 "y && chmod +w * && for f in *.tar; do printf "
		 "yyyyyyyy | dd of=$f bs=1 seek=600 conv=notrunc 2>/dev/null; done; tar cf ../x *",
			"docker-archive", ERR_CORRUPT, "does not have that digest"},
	};

	(void)state;
	make_image("--gzip l img c.tar");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *from = in_dir(t[i].transport, "x");

		RUN("rm -rf x y z c manifest.json; %s", t[i].make);
		transfers_pull_fails(&T, from, t[i].kind, t[i].words);
		free(from);
	}
	/* Nothing of all that is in the store, and nothing is left over. */
	RUN("test -z \"$(ls store/blobs/sha256)\"; test -z \"$(find store/bld/tmp -type f ! -name "
	    "'*lock*')\"");
}

static void test_bad_destinations(void **state)
{
	static const struct {
		const char *prepare;
		const char *transport, *path;
		enum err_kind kind;
		const char *words;
	} t[] = {
		{":", "oci", "no/such/dir:x", ERR_CONTEXT, "No such file"},
		{":", "oci-archive", "no/such.tar", ERR_CONTEXT, "No such file"},
		{":", "docker-archive", "no/such.tar", ERR_CONTEXT, "No such file"},
		{"echo f >file", "oci", "file:x", ERR_CONTEXT, "Not a directory"},
		{"mkdir l2 && echo broken >l2/index.json", "oci", "l2:x", ERR_CORRUPT,
			"index.json"},
	};
	struct transfer_opts o = transfers_opts(&T);
	struct image i = {0};
	struct err *err = NULL;
	struct digest d;
	char *from = in_dir("oci", "l:img"), *full;

	(void)state;
	make_image("--gzip l img a.tar c.tar");
	pull(from, NULL);
	assert_int_equal(image_open(T.s, "img", NULL, &i, &err), 0);
	for (size_t k = 0; k < ARRAY_LEN(t); k++) {
		char *to = in_dir(t[k].transport, t[k].path);

		RUN("%s", t[k].prepare);
		assert_int_equal(transfer_push(T.s, &i, to, &o, &d, &err), -1);
		expect_error(&err, t[k].kind, t[k].words);
		free(to);
	}
	/* A full disk: an error, and no file under the name. */
	RUN("mkdir full && mount -t tmpfs -o size=64k none full 2>/dev/null || touch nomount");
	full = in_dir("oci-archive", "full/x.tar");
	if (fake_run("test -e %s/nomount", T.dir) != 0) {
		assert_int_equal(transfer_push(T.s, &i, full, &o, &d, &err), -1);
		expect_error(&err, ERR_CONTEXT, "No space left");
		RUN("test -z \"$(ls -A full)\"; umount full");
	}
	image_clear(&i);
	free(full);
	free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_oci_dir, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oci_archive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_docker_archive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_archives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_destinations, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

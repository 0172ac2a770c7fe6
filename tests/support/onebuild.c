// SPDX-License-Identifier: Apache-2.0
/*
 * A build in this process, with its Dockerfile and context in the directory of the test; the number
 * of steps that ran or were cached is counted from events. The same struct can build again and
 * again in one store.
 */
#include "tests/support/onebuild.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/result.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/oci/oci.h"
#include "tests/support/tempdir.h"

static void count(void *ctx, const struct event *e)
{
	struct onebuild *b = ctx;

	b->done += e->kind == EVENT_STEP_DONE;
	b->cached += e->kind == EVENT_STEP_CACHED;
	if (e->kind == EVENT_WARNING) {
		char *all = mem_printf("%s%s\n", b->warnings, e->text);
		free(b->warnings);
		b->warnings = all;
	}
}

static void forget(struct onebuild *b)
{
	err_free(b->err);
	result_clear_all(&b->results);
	b->result = (struct build_result){0};
	free(b->config);
	free(b->warnings);
	b->err = NULL;
	b->config = mem_strdup("");
	b->warnings = mem_strdup("");
	b->done = b->cached = 0;
}

void onebuild_init(struct onebuild *b, struct storedir *d)
{
	*b = (struct onebuild){.d = d, .o = {.platform = "linux/amd64", .tls_verify = -1}};
	assert_int_equal(0, mkdirat(d->t.fd, "ctx", 0755));
}

void onebuild_run(struct onebuild *b, const char *dockerfile)
{
	auto_free char *file = mem_printf("%s/Dockerfile", b->d->t.path);
	auto_free char *context = mem_printf("%s/ctx", b->d->t.path);
	auto_image struct image img = {0};
	struct build_opts o = b->o;
	size_t len;

	forget(b);
	tempdir_write(b->d->t.fd, "Dockerfile", dockerfile);
	o.dockerfile = file;
	o.context = o.context ? o.context : context;
	o.targets = &b->target;
	o.ntargets = 1;
	o.emit = count;
	o.emit_ctx = b;
	b->status = build_run(&o, b->d->s, &b->results, &b->err);
	if (b->status < 0) {
		assert_non_null(b->err);
		return;
	}
	assert_null(b->err);
	b->result = b->results.v[0];
	assert_int_equal(0, image_open_manifest(b->d->s, &b->result.manifest, &img, NULL));
	free(b->config);
	b->config = oci_config_dump(&img.config, &len);
}

void onebuild_file(struct onebuild *b, const char *name, const char *text, unsigned mode)
{
	auto_free char *path = mem_printf("ctx/%s", name);

	unlinkat(b->d->t.fd, path, 0);
	tempdir_write(b->d->t.fd, path, text);
	assert_int_equal(0, fchmodat(b->d->t.fd, path, mode, 0));
}

void onebuild_clear(struct onebuild *b)
{
	forget(b);
	free(b->config);
	free(b->warnings);
	strlist_clear(&b->o.build_args);
	strlist_clear(&b->o.labels);
	strlist_clear(&b->o.contexts);
	strlist_clear(&b->target.tags);
	*b = (struct onebuild){0};
}

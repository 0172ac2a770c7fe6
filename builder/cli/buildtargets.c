// SPDX-License-Identifier: Apache-2.0
#include "builder/cli/buildtargets.h"

#include <string.h>

#include "builder/targets.h"
#include "store/base/mem.h"
#include "store/reference.h"

static void take_targets(const struct strlist *in, struct build_opts *b)
{
	b->target = in->n ? in->v[in->n - 1] : NULL;
	for (size_t i = 0; i + 1 < in->n; i++)
		if (strcmp(in->v[i], b->target) != 0 && !strlist_has(&b->more_targets, in->v[i]))
			strlist_add(&b->more_targets, in->v[i]);
}

static int check_name(const char *name, struct err **err)
{
	auto_reference struct reference r = {0};

	if (reference_parse(name, &r, err) < 0) {
		err_rekind(err, ERR_USAGE);
		return err_prefix(err, "--tag");
	}
	if (r.has_digest)
		return err_set(err, ERR_USAGE,
			"--tag: \"%s\" has a digest, which only the build can tell", name);
	return 0;
}

/* A name of an image has no '=' in it. */
static int take_tag(const char *tag, struct build_opts *b, struct err **err)
{
	const char *eq = strchr(tag, '=');
	auto_free char *target = eq ? mem_strndup(tag, (size_t)(eq - tag)) : NULL;

	if (check_name(eq ? eq + 1 : tag, err) < 0)
		return -1;
	if (!eq || (b->target && strcmp(target, b->target) == 0)) {
		strlist_add(&b->tags, eq ? eq + 1 : tag);
		return 0;
	}
	if (!strlist_has(&b->more_targets, target)) {
		err_set(err, ERR_USAGE, "--tag %s: there is no --target %s", tag, target);
		return err_hint(err, "add --target %s, or give the name alone", target);
	}
	strlist_add(&b->more_tags, tag);
	return 0;
}

static int check_push(const struct build_opts *b, struct err **err)
{
	for (size_t i = 0; i < targets_count(b); i++) {
		auto_strlist struct strlist names = {0};

		targets_tags(b, i, &names);
		if (names.n)
			continue;
		if (targets_count(b) == 1) {
			err_set(err, ERR_USAGE, "--push needs a name");
			return err_hint(err, "add -t HOST/PATH:TAG");
		}
		err_set(err, ERR_USAGE, "--push needs a name for target %s", targets_name(b, i));
		return err_hint(err, "add -t %s=HOST/PATH:TAG", targets_name(b, i));
	}
	return 0;
}

int buildtargets_take(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	take_targets(&o->targets, b);
	for (size_t i = 0; i < o->tags.n; i++)
		if (take_tag(o->tags.v[i], b, err) < 0)
			return -1;
	if (b->more_targets.n && o->outputs.n) {
		err_set(err, ERR_USAGE, "--output is for one target");
		return err_hint(err, "build the targets one after the other: what they share is in "
				     "the cache; or name them with -t TARGET=NAME");
	}
	return o->push ? check_push(b, err) : 0;
}

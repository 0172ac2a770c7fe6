// SPDX-License-Identifier: Apache-2.0
/*
 * Targets and the tags that go with them. The last --target is the main one and stands at the end
 * of the array; a tag TARGET=NAME goes to the target of that name, any other to the main one. Names
 * are parsed here, so that a wrong one ends the command before the build.
 */
#include "builder/cli/buildtargets.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/mem.h"
#include "store/reference.h"

static struct build_target *buildtargets_find_target(const struct build_opts *b, const char *stage)
{
	for (size_t i = 0; i < b->ntargets; i++)
		if (b->targets[i].stage && strcmp(b->targets[i].stage, stage) == 0)
			return &b->targets[i];
	return NULL;
}

/* The last one is the main one, wherever else it stands; without any the last stage is built. */
static void take_targets(const struct strlist *in, struct build_opts *b)
{
	size_t others = in->n ? in->n - 1 : 0;
	const char *last = in->n ? in->v[others] : NULL;

	b->targets = mem_alloc((others + 1) * sizeof *b->targets);
	for (size_t i = 0; i < others; i++)
		if (strcmp(in->v[i], last) != 0 && !buildtargets_find_target(b, in->v[i]))
			b->targets[b->ntargets++].stage = in->v[i];
	b->targets[b->ntargets++].stage = last;
}

static int buildtargets_check_name(const char *name, struct err **err)
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

	if (buildtargets_check_name(eq ? eq + 1 : tag, err) < 0)
		return -1;
	struct build_target *t =
		eq ? buildtargets_find_target(b, target) : &b->targets[b->ntargets - 1];
	if (!t) {
		err_set(err, ERR_USAGE, "--tag %s: there is no --target %s", tag, target);
		return err_hint(err, "add --target %s, or give the name alone", target);
	}
	strlist_add(&t->tags, eq ? eq + 1 : tag);
	return 0;
}

static int check_push(const struct build_opts *b, struct err **err)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		const struct build_target *t = &b->targets[i];

		if (t->tags.n)
			continue;
		if (b->ntargets == 1) {
			err_set(err, ERR_USAGE, "--push needs a name");
			return err_hint(err, "add -t HOST/PATH:TAG");
		}
		err_set(err, ERR_USAGE, "--push needs a name for target %s", t->stage);
		return err_hint(err, "add -t %s=HOST/PATH:TAG", t->stage);
	}
	return 0;
}

int buildtargets_take(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	take_targets(&o->targets, b);
	for (size_t i = 0; i < o->tags.n; i++)
		if (take_tag(o->tags.v[i], b, err) < 0)
			return -1;
	if (b->ntargets > 1 && o->outputs.n) {
		err_set(err, ERR_USAGE, "--output is for one target");
		return err_hint(err, "build the targets one after the other: what they share is in "
				     "the cache; or name them with -t TARGET=NAME");
	}
	return o->push ? check_push(b, err) : 0;
}

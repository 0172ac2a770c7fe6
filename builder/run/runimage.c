// SPDX-License-Identifier: Apache-2.0
/*
 * "bld run": one command in an image, with the sandbox of RUN and a scratch directory that is
 * thrown away. Standard input is the caller's; output goes through pipes, as for RUN.
 */
#include "builder/run/runimage.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cache/lowers.h"
#include "builder/image/userdb.h"
#include "builder/plan/scope.h"
#include "builder/run/pump.h"
#include "builder/sandbox/sandbox.h"
#include "builder/state.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/image.h"
#include "store/base/path.h"
#include "store/lower.h"
#include "store/snapshot.h"
#include "store/tree/tree.h"

static int runimage_make_argv(const struct runimage_opts *o, const struct oci_config *c,
	struct strlist *argv, struct err **err)
{
	if (o->entrypoint && *o->entrypoint)
		strlist_add(argv, o->entrypoint);
	else if (!o->entrypoint)
		strlist_copy(argv, &c->entrypoint.l);
	const struct strlist *rest = o->argv.n || o->entrypoint ? &o->argv : &c->cmd.l;
	for (size_t i = 0; i < rest->n; i++)
		strlist_add(argv, rest->v[i]);
	if (argv->n == 0) {
		err_set(err, ERR_USAGE, "%s has no ENTRYPOINT and no CMD", o->image);
		return err_hint(err, "name the command: bld run %s COMMAND", o->image);
	}
	return 0;
}

static void runimage_make_env(const struct runimage_opts *o, const struct oci_config *c,
	const struct userdb_user *user, struct strlist *env)
{
	strlist_copy(env, &c->env);
	if (!strlist_get_kv(env, "PATH"))
		strlist_set_kv(env, "PATH", STATE_PATH_DEFAULT);
	if (!strlist_get_kv(env, "HOME"))
		strlist_set_kv(env, "HOME", user->home);
	for (size_t i = 0; i < o->env.n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(o->env.v[i], &value);
		if (value)
			strlist_set_kv(env, name, value);
	}
}

/* The caller's terminal stays ours: output goes through pipes (and TIOCSTI on them is void). */
static void write_through(void *ctx, int stream, const void *p, size_t n)
{
	(void)ctx;
	fs_write_all(stream, p, n);
}

static int run_spec(const struct runimage_opts *o, struct sandbox_runner *runner,
	const struct sandbox_spec *spec, int *exit_code, struct err **err)
{
	struct sandbox_result res = {0};
	struct pump p = {.runner = runner, .cancelled = o->cancelled, .output = write_through};

	if (pump_run(&p, spec, &res, NULL, err) < 0)
		return -1;
	if (res.exec_errno) {
		err_set(err, ERR_BUILD, "could not start \"%s\": %s", spec->argv[0],
			strerror(res.exec_errno));
		return err_exit_with(err, res.exit_code);
	}
	*exit_code = res.exit_code;
	return 0;
}

struct opened {
	struct image img;
	struct layer_tree *tree;
	struct userdb_user user;
	struct strlist argv;
	struct strlist env;
	struct sandbox_runner *runner;
	struct lowers lowers;
	char *cwd;
};

static void opened_clear(struct opened *x)
{
	sandbox_runner_free(x->runner);
	lower_clear_all(&x->lowers);
	free(x->cwd);
	strlist_clear(&x->argv);
	strlist_clear(&x->env);
	userdb_user_clear(&x->user);
	layer_tree_free(x->tree);
	image_clear(&x->img);
}

/* The lowers first: on its way to the whole image the tree serves those that need one. */
static int open_root(
	const struct runimage_opts *o, struct store *s, struct opened *x, struct err **err)
{
	const struct oci_config *c = &x->img.config;
	struct snapshot_grown grown = {0};

	x->runner = sandbox_runner_new(err);
	if (!x->runner)
		return -1;
	struct lowers_request q = {
		.s = s,
		.runner = x->runner,
		.form = o->layer_form,
		.k = {.diff_ids = c->diff_ids, .n = c->ndiff_ids},
		.base = c->ndiff_ids,
		.below = &grown,
	};
	int r = lowers_open(&q, &x->lowers, err);
	if (r == 0)
		r = snapshot_grow(s, &grown, &q.k, q.k.n, err);
	x->tree = grown.tree;
	return r;
}

static int runimage_open_all(
	const struct runimage_opts *o, struct store *s, struct opened *x, struct err **err)
{
	const struct oci_config *c = &x->img.config;

	if (image_open(s, o->image, NULL, &x->img, err) < 0 ||
		runimage_make_argv(o, c, &x->argv, err) < 0)
		return -1;
	const char *user = o->user ? o->user : c->user ? c->user : "";
	if (open_root(o, s, x, err) < 0 || userdb_user(x->tree, user, &x->user, err) < 0)
		return -1;
	runimage_make_env(o, c, &x->user, &x->env);
	const char *base = c->working_dir && *c->working_dir ? c->working_dir : "/";
	x->cwd = path_absolute(base, o->workdir ? o->workdir : ".");
	return 0;
}

int runimage_run(const struct runimage_opts *o, struct store *s, int *exit_code, struct err **err)
{
	struct opened x CLEANUP(opened_clear) = {0};
	char temp[64];

	if (runimage_open_all(o, s, &x, err) < 0)
		return -1;
	auto_fd int scratch = store_temp_dir(s, temp, err);
	if (scratch < 0)
		return -1;
	struct sandbox_spec spec = {
		.lowers = {.v = x.lowers.v, .n = x.lowers.n},
		.scratch_fd = scratch,
		.argv = (const char *const *)x.argv.v,
		.envp = (const char *const *)x.env.v,
		.cwd = x.cwd,
		.stdin_fd = STDIN_FILENO,
		.uid = x.user.uid,
		.gid = x.user.gid,
		.groups = x.user.groups,
		.ngroups = x.user.ngroups,
		.network = o->network == BUILD_NET_NONE ? SANDBOX_NET_NONE : SANDBOX_NET_HOST,
	};
	int r = run_spec(o, x.runner, &spec, exit_code, err);
	if (r < 0)
		lowers_hint(s, err);
	store_discard(s, temp);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A RUN from its line to its layer: command, network, security and mounts; the key, with which the
 * cache is asked; and on a miss mounts, sandbox and commit. Proxy variables and secrets reach the
 * command and neither key nor history. Fields of the key that came later are fed only when used, so
 * that older keys stay.
 */
#include "builder/run/runstep.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "builder/cache/cachekey.h"
#include "builder/cache/commit.h"
#include "builder/cache/flight.h"
#include "builder/cache/keyparts.h"
#include "builder/cache/lowers.h"
#include "builder/cache/scratch.h"
#include "builder/cache/stagelowers.h"
#include "builder/explain/explain.h"
#include "builder/image/history.h"
#include "builder/image/userdb.h"
#include "builder/plan/dferr.h"
#include "builder/plan/scope.h"
#include "builder/run/pump.h"
#include "builder/run/runfail.h"
#include "builder/run/runmounts.h"
#include "builder/run/runoutput.h"
#include "builder/run/volumes.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets/leakcheck.h"
#include "builder/session.h"
#include "builder/state.h"
#include "builder/steps/metadata.h"
#include "parser/ast.h"
#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/path.h"
#include "store/store.h"

struct run {
	struct job *j;
	const struct step *sp;
	enum sandbox_network network;
	bool insecure;
	bool late;                /* --timeout was over */
	unsigned char chance[16]; /* of RUN --no-cache */
	struct strlist argv;
	struct runmounts mounts;
	char *script_path; /* of a heredoc with #!; owned */
	struct slice script;
	struct digest by_origin; /* the key with nothing opened */
	struct digest key;       /* what the steps behind build on */
	struct flight flight;
	struct runoutput output;
};

static void run_clear(struct run *r)
{
	strlist_clear(&r->argv);
	runmounts_clear(&r->mounts);
	free(r->script_path);
	runoutput_clear(&r->output);
}

/* The shell reads this path as a word, so a name that is more than one, or a path, is not used. */
static char *script_path(struct slice name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	auto_free char *text = mem_strndup(name.ptr, name.len);

	return mem_printf("/dev/pipes/%s", text[strspn(text, plain)] ? "script" : text);
}

/* A heredoc that starts with #! is a program of its own (S3). */
static void runstep_make_argv(struct run *r)
{
	const struct ast_run *a = &r->sp->ins->run;
	const struct ast_heredoc *only = ast_run_only_heredoc(a);

	if (only && a->script.len > 2 && memcmp(a->script.ptr, "#!", 2) == 0) {
		r->script_path = script_path(only->name);
		r->script = a->script;
		metadata_command(r->sp->st, &a->command, slice_of(r->script_path), &r->argv);
		return;
	}
	metadata_command(r->sp->st, &a->command, a->script, &r->argv);
}

static const char *network_name(enum sandbox_network n)
{
	return n == SANDBOX_NET_NONE ? "none" : "host";
}

/* A Dockerfile can take the network away, never get more than the command line gives. */
static int choose_network(struct run *r, struct err **err)
{
	const struct ast_run *a = &r->sp->ins->run;
	bool none = r->j->session.o->network == BUILD_NET_NONE;

	if (a->network == AST_NETWORK_HOST && none)
		return dferr_at(err, ERR_BUILD, r->sp->df, a->network_word.span,
			"a Dockerfile can take the network away, not give it: leave --network=none "
			"away",
			"RUN asks for the host network, the command line says --network=none");
	r->network = none || a->network == AST_NETWORK_NONE ? SANDBOX_NET_NONE : SANDBOX_NET_HOST;
	return 0;
}

static int choose_security(struct run *r, struct err **err)
{
	const struct ast_run *a = &r->sp->ins->run;

	r->insecure = a->security == AST_SECURITY_INSECURE;
	if (!r->insecure || r->j->session.o->allow_insecure)
		return 0;
	return dferr_at(err, ERR_BUILD, r->sp->df, a->security_word.span,
		"when you trust this Dockerfile: bld build --allow security.insecure",
		"RUN --security=insecure is not allowed on the command line");
}

/* --- environment ---------------------------------------------------------------------------- */

static void add_proxy(struct strlist *env, const char *name, const char *value)
{
	if (!strlist_get_kv(env, name))
		strlist_set_kv(env, name, value);
}

/* Some programs read the one spelling only, some the other (curl: http_proxy). */
static void add_other_spelling(struct strlist *env, const char *name, const char *value)
{
	auto_free char *other = mem_strdup(name);

	for (char *p = other; *p; p++)
		*p = (char)(islower((unsigned char)*p) ? toupper((unsigned char)*p)
						       : tolower((unsigned char)*p));
	add_proxy(env, other, value);
}

/* Proxy settings of the command line and the caller: in RUN, in no key, history or config. What the
 * command line says holds for both spellings, unless it says another thing for the other one. */
static void add_proxies(const struct run *r, struct strlist *env)
{
	const struct strlist *sources[] = {
		&r->j->session.build_args, &r->j->session.build_args, &r->j->session.o->proxy_env};

	for (size_t s = 0; s < ARRAY_LEN(sources); s++) {
		for (size_t i = 0; i < sources[s]->n; i++) {
			const char *value;
			auto_free char *name = strlist_split_kv(sources[s]->v[i], &value);

			if (!scope_is_proxy(name) || !value)
				continue;
			if (s == 1)
				add_other_spelling(env, name, value);
			else
				add_proxy(env, name, value);
		}
	}
}

static void runstep_make_env(
	const struct run *r, const struct userdb_user *user, struct strlist *env)
{
	strlist_copy(env, &r->sp->st->scope.vars);
	if (!strlist_get_kv(env, "PATH"))
		strlist_set_kv(env, "PATH", STATE_PATH_DEFAULT);
	if (!strlist_get_kv(env, "HOME"))
		strlist_set_kv(env, "HOME", user->home);
	add_proxies(r, env);
	runmounts_add_env(&r->mounts, env);
	/* The key does not know in which order they were declared, so RUN does not see it. */
	strlist_sort(env);
}

static void wipe_env(struct strlist *env)
{
	for (size_t i = 0; i < env->n; i++)
		explicit_bzero(env->v[i], strlen(env->v[i]));
	strlist_clear(env);
}

/* --- execution -------------------------------------------------------------------------------- */

static void take_output(void *ctx, int stream, const void *p, size_t n)
{
	struct run *r = ctx;

	runoutput_take(&r->output, stream, p, n);
}

/* Triggers of a base image run before the stage's own lines. */
static bool runs_again(const struct run *r)
{
	const struct ast_instructions *body = &r->j->plan.stages[r->sp->stage].ast->body;
	size_t i = body->count;

	while (i > 0 && body->items[i - 1]->keyword != AST_RUN)
		i--;
	return i > 0 && body->items[i - 1] != r->sp->ins;
}

static void prepare_next(void *ctx)
{
	const struct run *r = ctx;

	if (runs_again(r))
		scratch_make_ahead(r->j->session.s, &r->sp->st->ahead);
}

static int runstep_run_command(
	struct run *r, int scratch_fd, struct sandbox_result *res, struct err **err)
{
	struct state *st = r->sp->st;
	auto_userdb_user struct userdb_user user = {0};
	struct strlist env CLEANUP(wipe_env) = {0};

	if (stagelowers_find(&r->j->session, st, err) < 0)
		return -1;
	const struct layer_tree *tree = state_tree(st, r->j->session.s, err);
	if (!tree || userdb_user(tree, state_user(st), &user, err) < 0)
		return -1;
	runstep_make_env(r, &user, &env);
	/* A base image may hold any text. */
	auto_free char *cwd = path_absolute("/", state_workdir(st));
	struct sandbox_spec spec = {
		.lowers = {.v = st->lowers.v, .n = st->lowers.n},
		.scratch_fd = scratch_fd,
		.argv = (const char *const *)r->argv.v,
		.envp = (const char *const *)env.v,
		.cwd = cwd,
		.stdin_fd = -1,
		.uid = user.uid,
		.gid = user.gid,
		.groups = user.groups,
		.ngroups = user.ngroups,
		.network = r->network,
		.freeze = true,
		.insecure = r->insecure,
		.mounts = r->mounts.mounts,
		.nmounts = r->mounts.nmounts,
	};
	/* A millisecond at least, which the parser has seen to. */
	uint64_t timeout = (uint64_t)r->sp->ins->run.timeout_ns / 1000000;
	struct pump p = {
		.runner = session_runner(&r->j->session, err),
		.cancelled = r->j->session.o->cancelled,
		.stop = &r->j->session.stop.asked,
		.output = take_output,
		.started = prepare_next,
		.ctx = r,
		.store = r->j->session.s,
		.timeout_ms = timeout,
	};
	int done = pump_run(&p, &spec, res, &r->late, err);
	runoutput_end(&r->output);
	if (done < 0)
		lowers_hint(r->j->session.s, err);
	return done;
}

/* It goes with the rest of our temporary directories when the store is closed. */
static int make_skeleton(struct job *j, struct err **err)
{
	struct sandbox_runner *runner = session_runner(&j->session, err);
	char temp[64];

	if (!runner)
		return -1;
	if (!sandbox_lacks_skeleton(runner))
		return 0;
	auto_fd int fd = store_temp_dir(j->session.s, temp, err);
	return fd < 0 ? -1 : sandbox_give_skeleton(runner, fd, err);
}

static int report_failure(const struct run *r, const struct sandbox_result *res, struct err **err)
{
	return runfail_report(
		&(struct runfail){
			.se = &r->j->session,
			.sp = r->sp,
			.res = res,
			.argv = &r->argv,
			.script_path = r->script_path,
			.output = &r->output,
			.late = r->late,
			.no_network = r->network == SANDBOX_NET_NONE,
		},
		err);
}

static int commit(struct run *r, const struct sandbox_result *res, struct commit_upper *c,
	struct record *out, struct err **err)
{
	if (r->late || res->exit_code || res->signal || res->exec_errno)
		return report_failure(r, res, err);
	if (r->j->session.o->compat_volumes &&
		volumes_discard(r->sp->st, r->j->session.s, c->scratch_fd, err) < 0)
		return -1;
	return stop_check(&r->j->session.stop, err) < 0 ? -1 : commit_upper(c, out, err);
}

/* --- the key ---------------------------------------------------------------------------------- */

static void part_command(const struct run *r, struct keyparts *k)
{
	const struct ast_run *a = &r->sp->ins->run;
	const char *name = ast_run_only_heredoc(a) ? "heredoc" : "command";
	auto_strlist struct strlist fallback = {0};
	auto_free char *command = NULL;

	if (k->facts) {
		auto_free char *shell = history_words(state_shell(r->sp->st, &fallback));
		auto_free char *words = history_words(&r->argv);
		command = mem_printf("%s %.*s", words, SLICE_ARG(r->script));
		/* Its words are those of the command. */
		if (!a->command.json)
			keyparts_note(k->facts, KEYPART_VALUE, "SHELL", shell);
	}
	cachekey_list(keyparts_hidden(k, KEYPART_INSTRUCTION, name, command), &r->argv);
}

/* With --compat-volumes what a command leaves in a volume is dropped. */
static void part_volumes(const struct run *r, struct keyparts *k)
{
	const struct strlist *volumes = &r->sp->st->config.volumes;
	auto_strlist struct strlist sorted = {0};
	auto_free char *shown = NULL;

	if (!r->j->session.o->compat_volumes || !volumes->n) {
		keyparts_part(k, KEYPART_VALUE, "--compat-volumes", "none");
		return;
	}
	strlist_copy_sorted(&sorted, volumes);
	if (k->facts)
		shown = history_words(&sorted);
	struct sha256 *h = keyparts_part(k, KEYPART_VALUE, "--compat-volumes", shown);
	sha256_field_str(h, "compat-volumes");
	cachekey_list(h, &sorted);
}

/* What a RUN depends on. By content: of what is mounted from stages (runmounts_parts). */
static void runstep_make_key(
	const struct run *r, bool by_content, struct buf *facts, struct digest *out)
{
	const struct state *st = r->sp->st;
	auto_strlist struct strlist vars = {0};
	struct keyparts k;

	strlist_copy_sorted(&vars, &st->scope.vars);
	keyparts_begin(&k, facts, &st->key, "RUN");
	part_command(r, &k);
	explain_environment(&k, r->j, r->sp, &vars);
	keyparts_text(&k, "USER", state_user(st));
	keyparts_text(&k, "WORKDIR", state_workdir(st));
	keyparts_text(&k, "network", network_name(r->network));
	/* The command's fact holds it. */
	sha256_field(keyparts_implied(&k), r->script.ptr, r->script.len);
	runmounts_parts(r->j, &r->mounts, by_content, &k);
	/* From here on fields are fed only then, so that other keys are what they always were. */
	struct sha256 *h =
		keyparts_part(&k, KEYPART_VALUE, "security", r->insecure ? "insecure" : "sandbox");
	if (r->insecure)
		sha256_field_str(h, "insecure");
	h = keyparts_part(
		&k, KEYPART_VALUE, "--no-cache", r->sp->ins->run.no_cache ? "true" : "false");
	if (r->sp->ins->run.no_cache)
		sha256_field(h, r->chance, sizeof r->chance);
	part_volumes(r, &k);
	keyparts_end(&k, out);
}

static void runstep_explain(const struct run *r)
{
	struct digest key;
	struct buf facts;

	buf_init(&facts, BUF_TEXT_MAX);
	runstep_make_key(r, r->flight.also != NULL, &facts, &key);
	explain_runs(r->j, r->sp, r->flight.key, &facts);
}

/* --- running ---------------------------------------------------------------------------------- */

static int execute(struct run *r, struct record *out, struct err **err)
{
	struct store *s = r->j->session.s;
	struct sandbox_result res = {0};
	auto_scratch struct scratch scratch = SCRATCH_NONE;

	runstep_explain(r);
	if (make_skeleton(r->j, err) < 0 || runmounts_open(r->j, r->sp, &r->mounts, err) < 0 ||
		scratch_take(s, &r->sp->st->ahead, &scratch, err) < 0)
		return dferr_locate(err, r->sp->df, r->sp->ins->keyword_span);
	if (r->script_path)
		runmounts_add_file(&r->mounts, r->script_path, r->script, 0755);
	runoutput_init(&r->output, &r->j->session, r->sp);
	/* Without a secret nothing is looked for. */
	auto_leakcheck struct leakcheck *leak = NULL;
	if (r->mounts.nsecrets && !r->j->session.o->allow_secret_in_layer)
		leak = leakcheck_new(r->mounts.secrets, r->mounts.nsecrets);
	struct commit_upper c = {.se = &r->j->session,
		.leak = leak,
		.st = r->sp->st,
		.flight = &r->flight,
		.scratch_fd = scratch.fd,
		.temp = scratch.temp};
	int done = runstep_run_command(r, scratch.fd, &res, err);
	if (done == 0)
		done = commit(r, &res, &c, out, err);
	if (done < 0)
		dferr_locate(err, r->sp->df, r->sp->ins->keyword_span);
	/* What a throw-away mount took may be large; what a command did with a secret goes now. */
	if (!c.taken && done < 0 && r->mounts.nsecrets)
		fs_remove_tree(store_tmp_fd(s), scratch.temp);
	else if (!c.taken && (done < 0 || r->mounts.nmounts > 0))
		store_discard(s, scratch.temp);
	return done;
}

/* RUN --no-cache: no other step has this key, and no later one those that follow from it. */
static int draw_chance(struct run *r, struct err **err)
{
	if (!r->sp->ins->run.no_cache)
		return 0;
	if (getrandom(r->chance, sizeof r->chance, 0) != sizeof r->chance)
		return err_sys(err, "random bytes");
	return 0;
}

/*
 * 1 it is in the cache, 0 it has begun, -1. As COPY --from: first by the stage that is mounted and
 * the path, with nothing opened; when that is unknown, by what lies there, on which the steps
 * behind build then, whichever way the layer is found next time.
 */
static int runstep_begin(struct run *r, struct record *rec, struct err **err)
{
	bool renewed;
	int found = 0;

	r->flight = (struct flight){.se = &r->j->session, .sp = r->sp, .key = &r->by_origin};
	runstep_make_key(r, false, NULL, &r->by_origin);
	r->key = r->by_origin;
	if (!runmounts_reads_stage(&r->mounts, &renewed))
		return flight_begin(&r->flight, rec, err);
	if (!renewed)
		found = flight_lookup(&r->flight, rec, err);
	if (found > 0 && !sha256_is_zero(&rec->key))
		r->key = rec->key;
	if (found)
		return found;
	if (runmounts_look(r->j, r->sp, &r->mounts, err) < 0)
		return -1;
	runstep_make_key(r, true, NULL, &r->key);
	r->flight.key = &r->key;
	r->flight.also = &r->by_origin;
	return flight_begin(&r->flight, rec, err);
}

/* The stage has the layer, and its history a line. */
static void runstep_finish(const struct run *r, const struct record *rec)
{
	struct state *st = r->sp->st;
	auto_buf struct buf text = {0};
	auto_free char *args = history_args(st);

	explain_done(r->j, r->sp, &r->key);
	buf_init(&text, BUF_TEXT_MAX);
	buf_addf(&text, "RUN %s", args);
	for (size_t i = 0; i < r->argv.n; i++)
		buf_addf(&text, "%s%s", i ? " " : "", r->argv.v[i]);
	commit_to_state(st, rec, &r->key, text.data);
}

/* What the line says, with its words expanded; errors that need nothing to be run. */
static int runstep_prepare(struct run *r, struct err **err)
{
	runstep_make_argv(r);
	if (choose_network(r, err) < 0 || choose_security(r, err) < 0 ||
		runmounts_expand(r->j, r->sp, &r->mounts, err) < 0)
		return -1;
	if (r->argv.n == 0 || !*r->argv.v[0])
		return dferr_at(
			err, ERR_SYNTAX, r->sp->df, r->sp->ins->span, NULL, "RUN has no command");
	return draw_chance(r, err);
}

int runstep_run(struct job *j, const struct step *sp, struct err **err)
{
	struct run r = {.j = j, .sp = sp};
	struct record rec = {0};
	int done = runstep_prepare(&r, err);

	if (done == 0)
		done = runstep_begin(&r, &rec, err);
	if (done == 0)
		done = flight_end(&r.flight, &rec, execute(&r, &rec, err), err);
	if (done >= 0)
		runstep_finish(&r, &rec);
	run_clear(&r);
	return done < 0 ? -1 : 0;
}

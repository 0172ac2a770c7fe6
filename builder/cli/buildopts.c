// SPDX-License-Identifier: Apache-2.0
/*
 * The table of options of "bld build". Rows write into struct build_opts, most of them as it was
 * given, others through a buildopts_take_...() that understands the value; what several options say
 * together is settled when all are known.
 */
#include "builder/cli/buildopts.h"

#include <stdlib.h>
#include <string.h>

#include "builder/cli/buildargs.h"
#include "builder/cli/buildcompat.h"
#include "builder/cli/buildtargets.h"
#include "builder/cli/layerform.h"
#include "builder/cli/times.h"
#include "builder/image/annotation.h"
#include "builder/image/epoch.h"
#include "builder/platforms.h"
#include "parser/words.h"
#include "store/base/mem.h"
#include "store/reference.h"

#define JOBS_MAX 1024

#define AT(field) offsetof(struct buildopts, field)
#define IN(field) AT(build.field)

/* --- values that have to be understood ------------------------------------------------------- */

static int buildopts_take_env(void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	return buildargs_take(option, value, &o->build.env, err);
}

static int buildopts_take_label(void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	if (value[0] == '=' || value[0] == '\0')
		return err_set(err, ERR_USAGE, "%s: \"%s\" has no name", option, value);
	strlist_addf(&o->build.labels, "%s%s", value, strchr(value, '=') ? "" : "=");
	return 0;
}

static int buildopts_add_name(
	struct strlist *out, const char *option, const char *value, struct err **err)
{
	if (!*value || strchr(value, '='))
		return err_set(err, ERR_USAGE, "%s: \"%s\" is not a name", option, value);
	strlist_add(out, value);
	return 0;
}

static int buildopts_take_unsetlabel(
	void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	return buildopts_add_name(&o->build.unset_labels, option, value, err);
}

static int buildopts_take_unsetenv(
	void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	return buildopts_add_name(&o->build.unset_env, option, value, err);
}

/* The words of podman and buildah, and those of a boolean option. */
static int buildopts_take_pull(void *opts, const char *option, const char *value, struct err **err)
{
	static const struct {
		const char *word;
		enum build_pull pull;
	} words[] = {
		{"always", BUILD_PULL_ALWAYS},
		{"true", BUILD_PULL_ALWAYS},
		{"", BUILD_PULL_ALWAYS},
		{"missing", BUILD_PULL_MISSING},
		{"ifmissing", BUILD_PULL_MISSING},
		{"false", BUILD_PULL_MISSING},
		{"newer", BUILD_PULL_NEWER},
		{"ifnewer", BUILD_PULL_NEWER},
		{"never", BUILD_PULL_NEVER},
	};
	struct buildopts *o = opts;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(value, words[i].word) == 0) {
			o->build.pull = words[i].pull;
			return 0;
		}
	return err_set(
		err, ERR_USAGE, "%s=%s: expected always, missing, newer or never", option, value);
}

static int buildopts_take_network(
	void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	(void)option, (void)err;
	o->build.network = strcmp(value, "none") == 0 ? BUILD_NET_NONE : BUILD_NET_HOST;
	return 0;
}

static int buildopts_take_jobs(void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;
	uint64_t n;

	if (!words_number(slice_of(value), 10, JOBS_MAX, &n))
		return err_set(err, ERR_USAGE, "%s: \"%s\" is not a number from 0 to %d", option,
			value, JOBS_MAX);
	o->build.jobs = (unsigned)n;
	return 0;
}

static int buildopts_take_stages(
	void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;

	(void)option, (void)err;
	strlist_add_words(&o->build.no_cache_stages, value);
	return 0;
}

static int buildopts_take_allowed(
	void *opts, const char *option, const char *value, struct err **err)
{
	struct buildopts *o = opts;
	auto_strlist struct strlist words = {0};
	bool network_host; /* what RUN may reach is what --network says */
	const struct {
		const char *name;
		bool *to;
	} known[] = {{"security.insecure", &o->build.allow_insecure},
		{"secret-in-layer", &o->build.allow_secret_in_layer},
		{"network.host", &network_host}};

	strlist_add_words(&words, value);
	for (size_t i = 0; i < words.n; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(known) && strcmp(known[k].name, words.v[i]) != 0)
			k++;
		if (k == ARRAY_LEN(known)) {
			err_set(err, ERR_USAGE, "%s: \"%s\" is not known", option, words.v[i]);
			return err_hint(err, "security.insecure, secret-in-layer or network.host");
		}
		*known[k].to = true;
	}
	return 0;
}

/* --- the table ------------------------------------------------------------------------------ */

const struct cli_option buildopts_table[] = {
	{"file", 'f', CLI_STRING, IN(dockerfile), "FILE", NULL,
		"the Dockerfile; \"-\" reads it from standard input (default: Dockerfile or "
		"Containerfile in the context)"},
	{"ignorefile", 0, CLI_STRING, IN(ignorefile), "FILE", NULL,
		"what the context does not contain, instead of its own ignore file"},
	{"tag", 't', CLI_LIST, AT(tags), "[TARGET=]NAME", NULL,
		"name the image, HOST/PATH:TAG; of several targets the last one, or TARGET; may be "
		"repeated"},
	{"target", 0, CLI_LIST, AT(targets), "STAGE", NULL,
		"build this stage and what it needs (default: the last one); repeated, several "
		"images"},
	{"build-arg", 0, CLI_LIST, AT(build_args), "K[=V]", NULL,
		"value of an ARG; without =V the value of the environment variable K; may be "
		"repeated"},
	{"build-arg-file", 0, CLI_LIST, AT(build_arg_files), "FILE", NULL,
		"read such arguments from a file, a line each; those of --build-arg go before "
		"them; may be repeated"},
	{"env", 0, CLI_LIST, IN(env), "K[=V]", NULL,
		"an ENV in front of the instructions of every stage; without =V the value of the "
		"environment variable K; may be repeated",
		buildopts_take_env},
	{"from", 0, CLI_STRING, IN(first_from), "IMAGE", NULL,
		"what the first FROM of the Dockerfile names is this instead"},
	{"label", 0, CLI_LIST, IN(labels), "K=V", NULL, "add a label to the image; may be repeated",
		buildopts_take_label},
	{"inherit-labels", 0, CLI_UNLESS, IN(drop_base_labels), "BOOL", NULL,
		"keep the labels of base images and stages (default: true)"},
	{"unsetlabel", 0, CLI_LIST, IN(unset_labels), "KEY", NULL,
		"remove a label from the image; may be repeated", buildopts_take_unsetlabel},
	{"unsetenv", 0, CLI_LIST, IN(unset_env), "NAME", NULL,
		"remove an ENV variable from the image; may be repeated", buildopts_take_unsetenv},
	{"annotation", 0, CLI_LIST, IN(annotations), "[TYPE:]K=V", NULL,
		"add an annotation to the manifest, or to what TYPE says; may be repeated"},
	{"base-annotations", 0, CLI_UNLESS, IN(no_base_annotations), "BOOL", NULL,
		"annotate the manifest with name and digest of the base image (default: true)"},
	{"format", 0, CLI_CHOICE, AT(format), "oci|docker|auto", "BLD_FORMAT BUILDAH_FORMAT",
		"media types of the image; auto: oci, and docker for a registry that refuses these "
		"(default: oci)"},
	{"compat-volumes", 0, CLI_FLAG, IN(compat_volumes), NULL, NULL,
		"throw away what RUN writes below a VOLUME that stands in front of it"},
	{"squash", 0, CLI_FLAG, IN(squash), NULL, NULL,
		"make one layer of the new ones; those of the base image stay"},
	{"secret", 0, CLI_LIST, IN(secrets), "SPEC", NULL,
		"id=ID,src=FILE or id=ID,env=VARIABLE: a secret for RUN --mount=type=secret; may "
		"be "
		"repeated"},
	{"ssh", 0, CLI_LIST, IN(ssh), "ID[=SOCKET|KEY[,KEY]]", NULL,
		"an ssh agent for RUN --mount=type=ssh: the caller's, that of a socket, or one "
		"with these key files; may be repeated"},
	{"build-context", 0, CLI_LIST, IN(contexts), "NAME=VALUE", NULL,
		"what COPY --from=NAME, FROM NAME and mounts from=NAME mean: DIR, "
		"docker-image://REF, oci-layout://DIR[:TAG], a git repository or URL of an "
		"archive; "
		"may be repeated"},
	{"platform", 0, CLI_STRING, IN(platform), "OS/ARCH[,...]", NULL,
		"what to build for (default: this machine); several make one image each and an "
		"index"},
	{"os", 0, CLI_STRING, AT(os), "OS", NULL,
		"operating system of --platform (default: this machine's)"},
	{"arch", 0, CLI_STRING, AT(arch), "ARCH", NULL,
		"architecture of --platform (default: this machine's)"},
	{"variant", 0, CLI_STRING, AT(variant), "VARIANT", NULL,
		"variant of --arch, as v7 for arm"},
	{"no-cache", 0, CLI_FLAG, IN(no_cache), NULL, NULL, "run every step again"},
	{"no-cache-filter", 0, CLI_LIST, IN(no_cache_stages), "STAGE[,...]", NULL,
		"run every step of these stages again; may be repeated", buildopts_take_stages},
	{"pull", 0, CLI_OPTIONAL, 0, "always|missing|newer|never", NULL,
		"when the registry is asked for base images; without a value always (default: "
		"missing)",
		buildopts_take_pull},
	{"explain", 0, CLI_FLAG, IN(explain), NULL, NULL,
		"tell of each step that is not in the cache which input differed first"},
	{"network", 0, CLI_CHOICE, 0, "host|none|default", NULL,
		"what RUN may reach: the network of this machine, or nothing (default: host)",
		buildopts_take_network},
	{"allow", 0, CLI_STRING, 0, "WHAT", NULL,
		"security.insecure: RUN --security=insecure; secret-in-layer: layers that hold a "
		"secret; network.host; may be repeated",
		buildopts_take_allowed},
	{"jobs", 0, CLI_STRING, 0, "N", NULL,
		"build at most so many stages at a time (default: the number of processors)",
		buildopts_take_jobs},
	{"timestamp", 0, CLI_STRING, AT(timestamp), "SECONDS", NULL,
		"set every time in new layers, configuration and history to this one; without it "
		"$SOURCE_DATE_EPOCH lowers later times"},
	{"source-date-epoch", 0, CLI_STRING, AT(source_date_epoch), "SECONDS", NULL,
		"the latest time that may stand there, instead of $SOURCE_DATE_EPOCH; also a "
		"--build-arg of that name"},
	{"iidfile", 0, CLI_STRING, AT(iidfile), "FILE", NULL, "write the image ID to a file"},
	{"digestfile", 0, CLI_STRING, AT(digestfile), "FILE", NULL,
		"write the digest of the manifest to a file: the pushed one, if there is one"},
	{"metadata-file", 0, CLI_STRING, AT(metadata_file), "FILE", NULL,
		"write the digests of the result to a file, as JSON"},
	{"output", 'o', CLI_LIST, AT(outputs), "DIR|-|type=TYPE,...", NULL,
		"write the result to a directory, a tar (\"-\": to standard output) or as TYPE "
		"says: local, tar, oci, docker, image, registry, cacheonly; may be repeated"},
	{"check", 0, CLI_FLAG, AT(check), NULL, NULL,
		"look for doubtful things in the Dockerfile, as bld lint, and build nothing"},
	{"call", 0, CLI_STRING, AT(call), "METHOD", NULL,
		"build, or check[,format=text|json|sarif], which is --check"},
	{"manifest", 0, CLI_STRING, AT(manifest), "NAME", NULL,
		"put the image into the index NAME of the store, in the place of one for the same "
		"platform; it is made when there is none"},
	{"push", 0, CLI_FLAG, AT(push), NULL, NULL, "push every --tag after the build"},
	REMOTE_COMPRESSION_OPTIONS(struct buildopts, remote),
	{"sync", 0, CLI_FLAG, IN(sync), NULL, NULL,
		"wait until the layers are on the disk before the image is named"},
	REMOTE_ACCESS_OPTIONS(struct buildopts, remote),
	REMOTE_CERT_OPTIONS(struct buildopts, remote),
	{"creds", 0, CLI_STRING, AT(creds), "[USER[:PASSWORD]]", NULL,
		"credentials for the registry that is pushed to, or else of the first FROM; what "
		"is missing is asked for"},
	REMOTE_RETRY_OPTIONS(struct buildopts, remote),
	REMOTE_PROGRESS_OPTIONS(struct buildopts, remote),
	{"provenance", 0, CLI_STRING, AT(provenance), "false", NULL,
		"no attestation of how the image was made; bld makes none"},
	{"sbom", 0, CLI_STRING, AT(sbom), "false", NULL,
		"no list of what the image holds; bld makes none"},
	{"attest", 0, CLI_LIST, AT(attest), "type=TYPE,disabled=true", NULL,
		"the same for TYPE; may be repeated"},
	{"layers", 0, CLI_UNLESS, IN(no_layers), "BOOL", NULL,
		"a layer for every step, and steps from the cache; false: every step is run, and "
		"the new layers become one (default: true)"},
	{"rm", 0, CLI_IGNORED, 0, NULL, NULL, "nothing is left to be removed"},
	{"force-rm", 0, CLI_IGNORED, 0, NULL, NULL, "the same"},
	{"load", 0, CLI_IGNORED, 0, NULL, NULL, "the image is always in the store"},
	{"compress", 0, CLI_IGNORED, 0, NULL, NULL, "there is no daemon to send the context to"},
	{"disable-content-trust", 0, CLI_IGNORED, 0, NULL, NULL, "there is no such trust"},
	{"isolation", 0, CLI_IGNORED, 0, "default|oci|chroot|rootless", NULL,
		"RUN always has namespaces of its own"},
	{"builder", 0, CLI_IGNORED, 0, "NAME", NULL, "there is one builder"},
	{0},
};

/* --- what is known when all options are ---------------------------------------------------------
 */

/* One platform gives a manifest and no index around it. */
static int buildopts_check_annotations(const struct build_opts *b, struct err **err)
{
	for (size_t i = 0; i < b->annotations.n; i++) {
		unsigned levels;

		if (annotation_check(b->annotations.v[i], &levels, err) < 0)
			return -1;
		if (!(levels & ANNOTATION_OF_INDEX) || (b->platform && strchr(b->platform, ',')))
			continue;
		err_set(err, ERR_USAGE, "--annotation %s: an image for one platform has no index",
			b->annotations.v[i]);
		return err_hint(err, "annotate the manifest, or give --platform several");
	}
	return 0;
}

static void buildopts_settle_proxies(struct strlist *out)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
		"all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			strlist_addf(out, "%s=%s", names[i], value);
	}
}

static int buildopts_settle_times(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	/* --build-arg is how it is given to builders that do not see the caller's environment. */
	const char *arg = strlist_get_kv(&b->build_args, EPOCH_ARG);
	const char *epoch = arg ? arg : getenv(EPOCH_ARG);

	if (o->timestamp && o->source_date_epoch) {
		err_set(err, ERR_USAGE, "--timestamp and --source-date-epoch exclude each other");
		return err_hint(err,
			"--timestamp sets every time, --source-date-epoch lowers those "
			"that are later");
	}
	if (o->timestamp) {
		b->has_timestamp = true;
		return times_seconds("--timestamp", o->timestamp, &b->timestamp, err);
	}
	/* "context" is known when the context is (epoch.h). */
	if (!epoch || !*epoch || (arg && strcmp(arg, EPOCH_CONTEXT) == 0))
		return 0;
	b->has_epoch = true;
	return times_seconds(EPOCH_ARG, epoch, &b->timestamp, err);
}

static int buildopts_settle_platform(struct buildopts *o, struct err **err)
{
	auto_strlist struct strlist all = {0};
	auto_free char *made = NULL;

	if (buildcompat_platform(o, &made, err) < 0)
		return -1;
	if (made) {
		strlist_add_take(&o->build.made, TAKE(made));
		o->build.platform = o->build.made.v[o->build.made.n - 1];
	}
	if (platforms_split(o->build.platform, &all, err) < 0)
		return err_rekind(err, ERR_USAGE);
	return 0;
}

/* What --build-arg says goes before what files say, wherever they stand. */
static int buildopts_settle_pairs(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	int64_t epoch;

	if (buildargs_files(&o->build_arg_files, &b->build_args, err) < 0)
		return -1;
	for (size_t i = 0; i < o->build_args.n; i++)
		if (buildargs_take("--build-arg", o->build_args.v[i], &b->build_args, err) < 0)
			return -1;
	if (!o->source_date_epoch)
		return 0;
	if (times_seconds("--source-date-epoch", o->source_date_epoch, &epoch, err) < 0)
		return -1;
	strlist_set_kv(&b->build_args, EPOCH_ARG, o->source_date_epoch);
	return 0;
}

int buildopts_settle(
	const struct cli *c, struct buildopts *o, const char *context, struct err **err)
{
	struct build_opts *b = &o->build;

	b->context = context;
	b->docker_format = o->format && strcmp(o->format, "docker") == 0;
	b->authfile = o->remote.authfile;
	b->cert_dir = o->remote.cert_dir;
	b->allow_private = o->remote.allow_private;
	b->retries = o->remote.retries;
	b->retry_delay_ms = o->remote.retry_delay_ms;
	b->tls_verify = o->remote.tls_verify;
	b->cancelled = c->cancelled;
	if (b->dockerfile && strcmp(b->dockerfile, "-") == 0 && strcmp(context, "-") == 0)
		return err_set(err, ERR_USAGE,
			"the Dockerfile and the context cannot both come from standard input");
	if (buildtargets_take(o, b, err) < 0 || buildopts_settle_platform(o, err) < 0 ||
		layerform_take(&b->layer_form, err) < 0 || buildopts_settle_pairs(o, b, err) < 0 ||
		buildopts_settle_times(o, b, err) < 0 || buildopts_check_annotations(b, err) < 0)
		return -1;
	buildopts_settle_proxies(&b->proxy_env);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The table of options of "bld build", and the way from their text to struct build_opts. One take_
 * function for an option or a group; what needs no look is copied by buildopts_plain(). Lists that
 * are only handed through stay with the command line and outlive the build; buildopts_clear() frees
 * what was made here.
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

const struct cli_option buildopts_table[] = {
	{"file", 'f', CLI_STRING, AT(file), "FILE", NULL,
		"the Dockerfile; \"-\" reads it from standard input (default: Dockerfile or "
		"Containerfile in the context)"},
	{"ignorefile", 0, CLI_STRING, AT(ignorefile), "FILE", NULL,
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
	{"env", 0, CLI_LIST, AT(env), "K[=V]", NULL,
		"an ENV in front of the instructions of every stage; without =V the value of the "
		"environment variable K; may be repeated"},
	{"from", 0, CLI_STRING, AT(from), "IMAGE", NULL,
		"what the first FROM of the Dockerfile names is this instead"},
	{"label", 0, CLI_LIST, AT(labels), "K=V", NULL,
		"add a label to the image; may be repeated"},
	{"inherit-labels", 0, CLI_BOOL, AT(inherit_labels), "BOOL", NULL,
		"keep the labels of base images and stages (default: true)"},
	{"unsetlabel", 0, CLI_LIST, AT(unset_labels), "KEY", NULL,
		"remove a label from the image; may be repeated"},
	{"unsetenv", 0, CLI_LIST, AT(unset_env), "NAME", NULL,
		"remove an ENV variable from the image; may be repeated"},
	{"annotation", 0, CLI_LIST, AT(annotations), "[TYPE:]K=V", NULL,
		"add an annotation to the manifest, or to what TYPE says; may be repeated"},
	{"base-annotations", 0, CLI_BOOL, AT(base_annotations), "BOOL", NULL,
		"annotate the manifest with name and digest of the base image (default: true)"},
	{"format", 0, CLI_CHOICE, AT(format), "oci|docker|auto", "BLD_FORMAT BUILDAH_FORMAT",
		"media types of the image; auto: oci, and docker for a registry that refuses these "
		"(default: oci)"},
	{"compat-volumes", 0, CLI_FLAG, AT(compat_volumes), NULL, NULL,
		"throw away what RUN writes below a VOLUME that stands in front of it"},
	{"squash", 0, CLI_FLAG, AT(squash), NULL, NULL,
		"make one layer of the new ones; those of the base image stay"},
	{"secret", 0, CLI_LIST, AT(secrets), "SPEC", NULL,
		"id=ID,src=FILE or id=ID,env=VARIABLE: a secret for RUN --mount=type=secret; may "
		"be "
		"repeated"},
	{"ssh", 0, CLI_LIST, AT(ssh), "ID[=SOCKET|KEY[,KEY]]", NULL,
		"an ssh agent for RUN --mount=type=ssh: the caller's, that of a socket, or one "
		"with these key files; may be repeated"},
	{"build-context", 0, CLI_LIST, AT(contexts), "NAME=VALUE", NULL,
		"what COPY --from=NAME, FROM NAME and mounts from=NAME mean: DIR, "
		"docker-image://REF, oci-layout://DIR[:TAG], a git repository or URL of an "
		"archive; "
		"may be repeated"},
	{"platform", 0, CLI_STRING, AT(platform), "OS/ARCH[,...]", NULL,
		"what to build for (default: this machine); several make one image each and an "
		"index"},
	{"os", 0, CLI_STRING, AT(os), "OS", NULL,
		"operating system of --platform (default: this machine's)"},
	{"arch", 0, CLI_STRING, AT(arch), "ARCH", NULL,
		"architecture of --platform (default: this machine's)"},
	{"variant", 0, CLI_STRING, AT(variant), "VARIANT", NULL,
		"variant of --arch, as v7 for arm"},
	{"no-cache", 0, CLI_FLAG, AT(no_cache), NULL, NULL, "run every step again"},
	{"no-cache-filter", 0, CLI_LIST, AT(no_cache_stages), "STAGE[,...]", NULL,
		"run every step of these stages again; may be repeated"},
	{"pull", 0, CLI_OPTIONAL, AT(pull), "always|missing|newer|never", NULL,
		"when the registry is asked for base images; without a value always (default: "
		"missing)"},
	{"explain", 0, CLI_FLAG, AT(explain), NULL, NULL,
		"tell of each step that is not in the cache which input differed first"},
	{"network", 0, CLI_CHOICE, AT(network), "host|none|default", NULL,
		"what RUN may reach: the network of this machine, or nothing (default: host)"},
	{"allow", 0, CLI_LIST, AT(allow), "WHAT", NULL,
		"security.insecure: RUN --security=insecure; secret-in-layer: layers that hold a "
		"secret; network.host; may be repeated"},
	{"jobs", 0, CLI_STRING, AT(jobs), "N", NULL,
		"build at most so many stages at a time (default: the number of processors)"},
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
	{"sync", 0, CLI_FLAG, AT(sync), NULL, NULL,
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
	{"layers", 0, CLI_BOOL, AT(layers), "BOOL", NULL,
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

/* --- from the command line to struct build_opts ------------------------------------- */

static int take_labels(const struct strlist *in, struct strlist *out, struct err **err)
{
	for (size_t i = 0; i < in->n; i++) {
		const char *label = in->v[i];

		if (label[0] == '=' || label[0] == '\0')
			return err_set(err, ERR_USAGE, "--label: \"%s\" has no name", label);
		if (strchr(label, '='))
			strlist_add(out, label);
		else
			strlist_addf(out, "%s=", label);
	}
	return 0;
}

static int buildopts_take_names(
	const char *option, const struct strlist *in, struct strlist *out, struct err **err)
{
	for (size_t i = 0; i < in->n; i++)
		if (!*in->v[i] || strchr(in->v[i], '='))
			return err_set(
				err, ERR_USAGE, "%s: \"%s\" is not a name", option, in->v[i]);
	*out = *in;
	return 0;
}

/* One platform gives a manifest and no index around it. */
static int buildopts_take_annotations(
	const struct buildopts *o, struct build_opts *b, struct err **err)
{
	for (size_t i = 0; i < o->annotations.n; i++) {
		unsigned levels;

		if (annotation_check(o->annotations.v[i], &levels, err) < 0)
			return -1;
		if (!(levels & ANNOTATION_OF_INDEX) || (o->platform && strchr(o->platform, ',')))
			continue;
		err_set(err, ERR_USAGE, "--annotation %s: an image for one platform has no index",
			o->annotations.v[i]);
		return err_hint(err, "annotate the manifest, or give --platform several");
	}
	b->annotations = o->annotations;
	return 0;
}

static void take_proxies(struct strlist *out)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
		"all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			strlist_addf(out, "%s=%s", names[i], value);
	}
}

static int take_times(const struct buildopts *o, struct build_opts *b, struct err **err)
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

/* Each value is a name, or several with commas. */
static int take_allowed(const struct strlist *in, struct build_opts *b, struct err **err)
{
	bool network_host; /* what RUN may reach is what --network says */
	const struct {
		const char *name;
		bool *to;
	} known[] = {{"security.insecure", &b->allow_insecure},
		{"secret-in-layer", &b->allow_secret_in_layer}, {"network.host", &network_host}};

	for (size_t i = 0; i < in->n; i++) {
		auto_free char *copy = mem_strdup(in->v[i]);
		char *save = NULL;

		for (char *word = strtok_r(copy, ",", &save); word;
			word = strtok_r(NULL, ",", &save)) {
			size_t k = 0;

			while (k < ARRAY_LEN(known) && strcmp(known[k].name, word) != 0)
				k++;
			if (k < ARRAY_LEN(known)) {
				*known[k].to = true;
				continue;
			}
			err_set(err, ERR_USAGE, "--allow: \"%s\" is not known", word);
			return err_hint(err, "security.insecure, secret-in-layer or network.host");
		}
	}
	return 0;
}

static int buildopts_take_platform(
	const struct buildopts *o, struct build_opts *b, struct err **err)
{
	auto_strlist struct strlist all = {0};
	auto_free char *made = NULL;

	if (buildcompat_platform(o, &made, err) < 0 ||
		platforms_split(made ? made : o->platform, &all, err) < 0)
		return err_rekind(err, ERR_USAGE);
	b->platform = o->platform;
	if (made) {
		strlist_add_take(&b->made, TAKE(made));
		b->platform = b->made.v[b->made.n - 1];
	}
	return 0;
}

/* The words of podman and buildah, and those of a boolean option. */
static int take_pull(const struct buildopts *o, struct build_opts *b, struct err **err)
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

	for (size_t i = 0; o->pull && i < ARRAY_LEN(words); i++)
		if (strcmp(o->pull, words[i].word) == 0) {
			b->pull = words[i].pull;
			return 0;
		}
	if (!o->pull)
		return 0;
	return err_set(
		err, ERR_USAGE, "--pull=%s: expected always, missing, newer or never", o->pull);
}

static void take_stages(const struct strlist *in, struct strlist *out)
{
	for (size_t i = 0; i < in->n; i++) {
		auto_free char *copy = mem_strdup(in->v[i]);
		char *save = NULL;

		for (char *p = strtok_r(copy, ",", &save); p; p = strtok_r(NULL, ",", &save))
			strlist_add(out, p);
	}
}

static int take_jobs(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	uint64_t n;

	if (!o->jobs)
		return 0;
	if (!words_number(slice_of(o->jobs), 10, JOBS_MAX, &n))
		return err_set(err, ERR_USAGE, "--jobs: \"%s\" is not a number from 0 to %d",
			o->jobs, JOBS_MAX);
	b->jobs = (unsigned)n;
	return 0;
}

static int take_pairs(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	int64_t epoch;

	if (buildargs_files(&o->build_arg_files, &b->build_args, err) < 0 ||
		buildargs_take("--build-arg", &o->build_args, &b->build_args, err) < 0 ||
		buildargs_take("--env", &o->env, &b->env, err) < 0)
		return -1;
	if (!o->source_date_epoch)
		return 0;
	if (times_seconds("--source-date-epoch", o->source_date_epoch, &epoch, err) < 0)
		return -1;
	strlist_set_kv(&b->build_args, EPOCH_ARG, o->source_date_epoch);
	return 0;
}

/* What needs no look at it. */
static struct build_opts buildopts_plain(
	const struct cli *c, const struct buildopts *o, const char *context)
{
	return (struct build_opts){
		.dockerfile = o->file,
		.ignorefile = o->ignorefile,
		.context = context,
		.secrets = o->secrets,
		.ssh = o->ssh,
		.contexts = o->contexts,
		.no_cache = o->no_cache,
		.no_layers = o->layers == 0,
		.first_from = o->from,
		.explain = o->explain,
		.network = o->network && strcmp(o->network, "none") == 0 ? BUILD_NET_NONE
									 : BUILD_NET_HOST,
		.sync = o->sync,
		.drop_base_labels = o->inherit_labels == 0,
		.no_base_annotations = o->base_annotations == 0,
		.docker_format = o->format && strcmp(o->format, "docker") == 0,
		.squash = o->squash,
		.compat_volumes = o->compat_volumes,
		.authfile = o->remote.authfile,
		.cert_dir = o->remote.cert_dir,
		.retries = o->remote.retries,
		.retry_delay_ms = o->remote.retry_delay_ms,
		.tls_verify = o->remote.tls_verify,
		.cancelled = c->cancelled,
	};
}

/* What the image says about itself. */
static int buildopts_take_image(const struct buildopts *o, struct build_opts *b, struct err **err)
{
	if (take_labels(&o->labels, &b->labels, err) < 0 ||
		buildopts_take_names("--unsetlabel", &o->unset_labels, &b->unset_labels, err) < 0 ||
		buildopts_take_names("--unsetenv", &o->unset_env, &b->unset_env, err) < 0)
		return -1;
	return 0;
}

int buildopts_take(const struct cli *c, const struct buildopts *o, const char *context,
	struct build_opts *b, struct err **err)
{
	*b = buildopts_plain(c, o, context);
	if (o->file && strcmp(o->file, "-") == 0 && strcmp(context, "-") == 0)
		return err_set(err, ERR_USAGE,
			"the Dockerfile and the context cannot both come from standard input");
	if (take_pull(o, b, err) < 0)
		return -1;
	take_stages(&o->no_cache_stages, &b->no_cache_stages);
	if (buildtargets_take(o, b, err) < 0 || buildopts_take_platform(o, b, err) < 0 ||
		layerform_take(&b->layer_form, err) < 0 || take_pairs(o, b, err) < 0 ||
		take_times(o, b, err) < 0 || take_jobs(o, b, err) < 0 ||
		buildopts_take_image(o, b, err) < 0 || take_allowed(&o->allow, b, err) < 0 ||
		buildopts_take_annotations(o, b, err) < 0)
		return -1;
	take_proxies(&b->proxy_env);
	return 0;
}

void buildopts_clear(struct build_opts *b)
{
	strlist_clear(&b->made);
	buildtargets_clear(b);
	strlist_clear(&b->build_args);
	strlist_clear(&b->env);
	strlist_clear(&b->no_cache_stages);
	strlist_clear(&b->labels);
	strlist_clear(&b->proxy_env);
}

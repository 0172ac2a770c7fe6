// SPDX-License-Identifier: Apache-2.0
/*
 * Options and commands of docker, buildx, buildah and kaniko which bld does not have, with what to
 * do instead. Only text: nothing here is accepted. Searched when a name is unknown, so a table
 * without an index is fast enough.
 */
#include "builder/cli/foreign.h"

#include <stddef.h>
#include <string.h>

#include "store/base/cleanup.h"

struct foreign {
	const char *name, *advice;
};

static const struct foreign options[] = {
	{"D", "layers in the store are not compressed; of those that leave it --compression none"},
	{"add-host",
		"bld gives RUN no further hosts: write to /etc/hosts in the RUN that needs them"},
	{"all-platforms", "name the platforms: --platform linux/amd64,linux/arm64"},
	{"bucket", "bld reads no storage buckets: give a directory, an archive, an http(s) URL or "
		   "a git repository as CONTEXT"},
	{"c", "bld sets no limits of CPU time; start bld itself in a cgroup that has them"},
	{"cache", "the cache of the store is always used; --no-cache runs every step"},
	{"cache-copy-layers", "the cache of the store is always used, for COPY too"},
	{"cache-dir", "the cache is in the store: --root DIR"},
	{"cache-from", "bld has no remote cache: the cache is in the store (--root)"},
	{"cache-repo", "bld has no remote cache: the cache is in the store (--root)"},
	{"cache-run-layers", "the cache of the store is always used, for RUN too"},
	{"cache-to", "bld has no remote cache: the cache is in the store (--root)"},
	{"cache-ttl", "the cache of the store does not grow old; --no-cache runs every step"},
	{"cap-add", "the capabilities of RUN are fixed; RUN --security=insecure with --allow "
		    "security.insecure has all"},
	{"cap-drop", "the capabilities of RUN are fixed"},
	{"cgroup-parent", "bld makes no cgroups by name; start bld itself in the cgroup"},
	{"cgroupns", "RUN always has a cgroup namespace of its own"},
	{"cleanup", "nothing is left to be cleaned up"},
	{"compressed-caching", "there is no such cache"},
	{"compression-format", "write --compression KIND"},
	{"compression-level", "write --compression KIND:LEVEL"},
	{"context", "the context is an operand: bld build CONTEXT"},
	{"context-sub-path", "name the directory as CONTEXT, of a repository URL#REF:DIR"},
	{"cpp-flag", "bld runs no preprocessor over Dockerfiles"},
	{"cpu-period",
		"bld sets no limits of CPU time; start bld itself in a cgroup that has them"},
	{"cpu-quota", "bld sets no limits of CPU time; start bld itself in a cgroup that has them"},
	{"cpu-shares",
		"bld sets no limits of CPU time; start bld itself in a cgroup that has them"},
	{"cpuset-cpus", "start bld itself under taskset: RUN keeps to the same CPUs"},
	{"cpuset-mems", "start bld itself under numactl: RUN keeps to the same memory"},
	{"created-annotation", "bld adds no such annotation"},
	{"custom-platform", "write --platform"},
	{"customPlatform", "write --platform"},
	{"cw", "bld makes no images for confidential workloads"},
	{"debug",
		"--progress=plain shows every line; \"bld logs\" has the output of earlier builds"},
	{"decryption-key", "bld reads no encrypted images"},
	{"destination", "write -t NAME --push"},
	{"device", "bld gives RUN no devices of this machine"},
	{"digest-file", "write --digestfile"},
	{"disable-compression", "layers in the store are not compressed; of those that leave it "
				"--compression none"},
	{"dns", "RUN has the name servers of this machine"},
	{"dns-option", "RUN has the resolver options of this machine"},
	{"dns-search", "RUN has the search domains of this machine"},
	{"dockerfile", "write -f FILE"},
	{"force", "not needed"},
	{"force-build-metadata", "not needed"},
	{"force-compression", "write -o type=image,force-compression=true"},
	{"git", "the revision is part of CONTEXT: URL#REF"},
	{"group-add", "the groups of RUN are those of its USER in the image"},
	{"hooks-dir", "bld runs no OCI hooks"},
	{"http-proxy", "the caller's proxy variables always reach RUN, and are not kept"},
	{"identity-label", "bld adds no label of its own"},
	{"ignore-path", "name what is left out in an ignore file, see --ignorefile"},
	{"ignore-var-run", "not needed"},
	{"iidfile-raw", "write --iidfile"},
	{"image-download-retry", "write --retry"},
	{"image-fs-extract-retry", "not needed"},
	{"image-name-tag-with-digest-file", "--metadata-file has names and digests"},
	{"image-name-with-digest-file", "--metadata-file has names and digests"},
	{"inherit-annotations", "bld takes no annotations from base images"},
	{"insecure", "write --tls-verify=false"},
	{"insecure-pull", "write --tls-verify=false"},
	{"insecure-registry", "--tls-verify=false is for all registries of the build"},
	{"ipc", "RUN always has an IPC namespace of its own"},
	{"kaniko-dir", "write --root DIR"},
	{"layer-label", "bld makes no intermediate images"},
	{"log-format", "--progress=rawjson is for programs"},
	{"log-timestamp", "--progress=rawjson has times"},
	{"logfile",
		"redirect standard error: 2>FILE; \"bld logs\" has the output of earlier builds"},
	{"logsplit", "\"bld logs\" has the output of each step"},
	{"m", "bld sets no limit of memory; start bld itself in a cgroup that has one"},
	{"memory", "bld sets no limit of memory; start bld itself in a cgroup that has one"},
	{"memory-swap", "bld sets no limit of memory; start bld itself in a cgroup that has one"},
	{"mount", "mounts are written in the Dockerfile: RUN --mount="},
	{"net", "write --network"},
	{"no-hostname", "the host name of RUN is never part of the image"},
	{"no-hosts", "/etc/hosts of RUN is never part of the image"},
	{"no-push", "leave --push out: nothing is pushed without it"},
	{"no-push-cache", "leave it out: the cache is never pushed"},
	{"oci-layout-path", "write -o type=oci,tar=false,dest=DIR"},
	{"omit-history", "history is always written"},
	{"os-feature", "bld sets no os.features"},
	{"os-version", "bld sets no os.version"},
	{"pid", "RUN always has a PID namespace of its own"},
	{"policy", "bld has no policies"},
	{"push-ignore-immutable-tag-errors",
		"bld has no such exception: a push that is refused fails"},
	{"push-retry", "write --retry"},
	{"registry-certificate", "write --cert-dir DIR"},
	{"registry-client-cert", "write --cert-dir DIR"},
	{"registry-map", "bld has no mirrors of registries"},
	{"registry-mirror", "bld has no mirrors of registries"},
	{"reproducible", "write --timestamp 0"},
	{"resource", "bld sets no limits of memory or CPU time; start bld itself in a cgroup that "
		     "has them"},
	{"rewrite-timestamp",
		"with --source-date-epoch later times in layers are always set to it"},
	{"runtime", "RUN needs no OCI runtime"},
	{"runtime-flag", "RUN needs no OCI runtime"},
	{"save-stages", "name the stages: --target A --target B"},
	{"sbom-image-output", "bld makes no lists of what an image holds"},
	{"sbom-image-purl-output", "bld makes no lists of what an image holds"},
	{"sbom-merge-strategy", "bld makes no lists of what an image holds"},
	{"sbom-output", "bld makes no lists of what an image holds"},
	{"sbom-purl-output", "bld makes no lists of what an image holds"},
	{"sbom-scanner-command", "bld makes no lists of what an image holds"},
	{"sbom-scanner-image", "bld makes no lists of what an image holds"},
	{"security-opt", "the sandbox of RUN is fixed; RUN --security=insecure with --allow "
			 "security.insecure is outside most of it"},
	{"shm-size", "/dev/shm of RUN has a fixed size; RUN "
		     "--mount=type=tmpfs,target=/dev/shm,size=SIZE gives it another"},
	{"sign-by", "bld signs no images"},
	{"single-snapshot", "write --squash"},
	{"skip-default-registry-fallback", "bld has no such fallback"},
	{"skip-push-permission-check", "not needed: a push is tried after the build"},
	{"skip-tls-verify", "write --tls-verify=false"},
	{"skip-tls-verify-pull", "write --tls-verify=false"},
	{"skip-tls-verify-registry", "--tls-verify=false is for all registries of the build"},
	{"skip-unused-stages", "stages that the target does not need are never built"},
	{"snapshot-mode", "not needed"},
	{"snapshotMode", "not needed"},
	{"source-policy-file", "bld has no policies"},
	{"stage-labels", "bld adds no labels of its own"},
	{"stdin", "standard input does not reach RUN"},
	{"tar-path", "write -o type=docker,dest=FILE"},
	{"tarPath", "write -o type=docker,dest=FILE"},
	{"ulimit", "RUN has the limits of bld itself: set them with ulimit before"},
	{"unsetannotation", "bld takes no annotations from base images"},
	{"use-new-run", "not needed"},
	{"userns", "bld chooses the user namespace of RUN itself"},
	{"userns-gid-map", "bld chooses the user namespace of RUN itself"},
	{"userns-gid-map-group", "bld chooses the user namespace of RUN itself"},
	{"userns-uid-map", "bld chooses the user namespace of RUN itself"},
	{"userns-uid-map-user", "bld chooses the user namespace of RUN itself"},
	{"uts", "RUN always has a host name of its own"},
	{"v", "mounts are written in the Dockerfile: RUN --mount=type=bind, with --build-context "
	      "for other directories"},
	{"verbosity", "write --progress"},
	{"volume", "mounts are written in the Dockerfile: RUN --mount=type=bind, with "
		   "--build-context for other directories"},
	{"whitelist-var-run", "not needed"},
};

static const struct foreign commands[] = {
	{"add", "there are no working containers: write a Dockerfile with ADD"},
	{"bake", "bld reads no bake files: run \"bld build\" for each target"},
	{"builder", "there is one builder: \"bld build\", \"bld prune\""},
	{"buildx", "leave buildx out: \"bld build\", \"bld prune\""},
	{"commit", "there are no working containers: \"bld build\" makes images"},
	{"config", "there are no working containers: write a Dockerfile"},
	{"containers", "bld keeps no containers"},
	{"copy", "there are no working containers: write a Dockerfile with COPY"},
	{"create", "bld keeps no containers, and there is one builder"},
	{"debug", "bld has no debugger: \"bld run\" starts a command in an image"},
	{"du", "\"bld prune -n\" says what could be freed"},
	{"exec", "bld keeps no containers: \"bld run\" starts a command in an image"},
	{"from", "there are no working containers: write a Dockerfile with FROM"},
	{"image", "leave image out: \"bld images\", \"bld rmi\", \"bld tag\""},
	{"imagetools", "\"bld manifest\" makes and shows indexes"},
	{"ls", "\"bld images\" lists the images"},
	{"manifest exists", "\"bld manifest inspect NAME\" fails when there is none"},
	{"manifest push", "\"bld push NAME\" sends an index with its images"},
	{"manifest rm", "\"bld rmi NAME\" removes an index; \"bld manifest remove\" takes an image "
			"out of one"},
	{"mkcw", "bld makes no images for confidential workloads"},
	{"mount", "there are no working containers: \"bld build -o DIR\" writes the files of an "
		  "image"},
	{"ps", "bld keeps no containers"},
	{"rename", "there are no working containers; \"bld tag\" names an image"},
	{"rm", "bld keeps no containers; \"bld rmi\" removes an image"},
	{"source", "bld makes no source images"},
	{"system", "\"bld info\" tells of this machine, \"bld prune\" frees space"},
	{"umount", "there are no working containers"},
	{"unshare", "bld needs no namespace made before it"},
	{"untag", "\"bld rmi NAME\" takes the name away"},
};

static const char *foreign_find(const struct foreign *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].advice;
	return NULL;
}

const char *foreign_option(const char *name)
{
	return foreign_find(options, ARRAY_LEN(options), name);
}

const char *foreign_command(const char *name)
{
	return foreign_find(commands, ARRAY_LEN(commands), name);
}

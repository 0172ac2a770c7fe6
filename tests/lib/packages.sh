# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# The one list of Debian 12 packages: sourced by examples/demo.sh and tests/check.sh.

# To compile bld.
PACKAGES_BUILD="gcc libc6-dev make flex bison pkg-config libarchive-dev libssl-dev
libcurl4-openssl-dev libjansson-dev libseccomp-dev libzstd-dev zlib1g-dev libisal-dev
ca-certificates"

# To show the demo: the base image is made of this one static program.
PACKAGES_DEMO="busybox-static"

# To run the tests: the test library, the judges, a registry, tools the cases call.
PACKAGES_TEST="libcmocka-dev bats git python3 jq openssl strace xz-utils zstd bzip2 file
busybox-static mmdebstrap docker-registry apache2-utils skopeo umoci buildah runc
openssh-client qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross
shellcheck clang libclang-rt-14-dev clang-format clang-tidy pmccabe libcap2-bin attr procps scdoc rsync libarchive-tools"

# packages_missing NAME...: print the packages that are not installed, without any network.
packages_missing() {
	for pkg in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null) || state=
		[ "$state" = installed ] || printf '%s ' "$pkg"
	done
}

# packages_need NAME...: install what is missing. Services of installed packages are not
# started: a policy file forbids it for the time of the installation.
packages_need() {
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "these packages are missing and only root can install them: $missing" >&2
		return 1
	fi
	echo "installing: $missing"
	policy=/usr/sbin/policy-rc.d
	own_policy=
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && own_policy=1
	fi
	# shellcheck disable=SC2086
	apt-get -o Acquire::Retries=5 update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=5 install -y -qq --no-install-recommends \
			-o Dpkg::Use-Pty=0 $missing >/dev/null
	rc=$?
	[ -z "$own_policy" ] || rm -f "$policy"
	[ "$rc" = 0 ] || echo "apt-get could not install: $missing" >&2
	return "$rc"
}

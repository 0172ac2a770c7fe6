#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what the tests need (Debian 12, as root; nothing is fetched when all is there), then
# run `make check`. The exit status is that of the checks.
set -eu
cd "$(dirname "$0")/.."
. tests/lib/packages.sh
# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_DEMO $PACKAGES_TEST
make -s -j"$(nproc)" all DEV=1 BUILD="${BUILD:-build}"
exec make -s -j"$(nproc)" check DEV=1 BUILD="${BUILD:-build}"

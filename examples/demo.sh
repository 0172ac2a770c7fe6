#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to an image that was built and run: installs the packages that are
# missing, compiles bld and shows it. Run as root.
set -eu
cd "$(dirname "$0")/.."
. tests/lib/packages.sh
# shellcheck disable=SC2086
packages_need $PACKAGES_BUILD $PACKAGES_DEMO
make -s -j"$(nproc)" all
exec make -s demo

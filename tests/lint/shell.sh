#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs shellcheck over every shell script of the project. Usage: shell.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
files=$(grep -rlE '^#!/(usr/)?bin/(env )?(ba)?sh' scripts tests .ci .githooks 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || { echo 'no shell script was found'; exit 1; }
printf '%s\n' "$files" | xargs -n 5 -P "$(getconf _NPROCESSORS_ONLN)" shellcheck -x -P SCRIPTDIR

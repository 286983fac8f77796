#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs shellcheck over every shell script of the project. Usage: shell.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
files=$(grep -rlE '^#!/(usr/)?bin/(env )?(ba)?sh' scripts tests .ci .githooks 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || { echo 'no shell script was found'; exit 1; }
# shellcheck disable=SC2086 # the project's own file names hold no blanks
shellcheck -x -P SCRIPTDIR $files

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions that the project does without: unbounded copies, hidden shells, global state, lenient parsing.
# Usage: banned.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
names='strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok|tmpnam|tempnam|mktemp|atoi|atol|atoll|atof|alloca|rand|srand|strerror|access|execlp|execvp|gethostbyname|ctime|asctime|gmtime|localtime'
found=$(find src include -name '*.[ch]' | LC_ALL=C sort |
	xargs grep -nE "(^|[^A-Za-z0-9_.>])($names)[[:space:]]*\(" | grep -vE ':[[:space:]]*(/?\*|//)' || :)
if [ -n "$found" ]; then
	printf '%s\n' "$found" 'these functions are banned; see docs/style.md'
	exit 1
fi
# What is of one system alone has its places.
systems=$(grep -rnE '^#.*__(linux|APPLE)__' src include | grep -vE '^src/(sys/host|sys/fs|wrap/main)\.c:' || :)
if [ -n "$systems" ]; then
	printf '%s\n' "$systems" 'calls of one system belong into src/sys/host.c'
	exit 1
fi
# No file is a drawer for what has no name.
drawers=$(find src include tests docs scripts -iname '*util*' -o -iname 'common*' -o -iname 'helper*' -o -iname 'misc*' | grep -v '^src/.*\.o$' || :)
if [ -n "$drawers" ]; then
	printf '%s\n' "$drawers" 'name files after what they hold'
	exit 1
fi

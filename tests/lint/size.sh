#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits of docs/style.md: a file 800 lines, a function 100 lines, complexity 25 (pmccabe's modified McCabe), 7 parameters
# (ctags' signatures). Exceptions, each with its reason, stand in size.allow as "file:function". Usage: size.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
allow=tests/lint/size.allow
files=$(find src include -name '*.[ch]' | LC_ALL=C sort)
status=0

# shellcheck disable=SC2086 # the project's own file names hold no blanks
wc -l $files | awk '$2 != "total" && $1 > 800 { printf "%s: %d lines, at most 800\n", $2, $1; bad = 1 } END { exit bad }' || status=1

# pmccabe: modified complexity, complexity, statements, first line, lines, file(line): function. It takes structs that hold a
# macro for C++ classes, says so on stderr and prefixes names, but counts the same.
# shellcheck disable=SC2086
pmccabe $files 2>/dev/null | awk -F '\t' -v allow="$allow" '
	BEGIN { while ((getline line < allow) > 0) { sub(/[[:space:]]*#.*/, "", line); if (line != "") ok[line] = 1 } }
	{
		file = $6; sub(/\(.*/, "", file); name = $6; sub(/.*[: ]/, "", name)
		n++
		if (ok[file ":" name]) next
		if ($1 > 25) { printf "%s:%d: %s has complexity %d, at most 25\n", file, $4, name, $1; bad = 1 }
		if ($5 > 100) { printf "%s:%d: %s has %d lines, at most 100\n", file, $4, name, $5; bad = 1 }
	}
	END { if (n < 10) { print "pmccabe saw no functions: the check looked at nothing"; bad = 1 } exit bad }
' || status=1

# shellcheck disable=SC2086
ctags -x --kinds-C=f --_xformat='%F:%n %N %S' $files | awk -v allow="$allow" '
	BEGIN { while ((getline line < allow) > 0) { sub(/[[:space:]]*#.*/, "", line); if (line != "") ok[line] = 1 } }
	{
		n++
		place = $1; name = $2; file = place; sub(/:.*/, "", file)
		signature = $0; sub(/^[^(]*/, "", signature)
		# a parameter that is a function has commas of its own
		while (gsub(/\([^()]*\)\([^()]*\)/, "f", signature)) ;
		commas = gsub(/,/, ",", signature)
		if (commas + 1 > 7 && !ok[file ":" name]) { printf "%s: %s has %d parameters, at most 7\n", place, name, commas + 1; bad = 1 }
	}
	END { if (n < 10) { print "ctags saw no functions: the check looked at nothing"; bad = 1 } exit bad }
' || status=1
exit $status

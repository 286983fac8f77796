#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every function that a header of include/ declares is used by src/, not by tests alone: beside its declaration and its
# definition the name has to appear there once more. One that its own file alone uses is static, unless a test calls it.
# What waits for its caller, which is written beside it, stands in unused.allow, and no longer than that.
# Usage: unused.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
allow=tests/lint/unused.allow

# shellcheck disable=SC2016 # the dollars are awk's
find include src tests -name '*.[ch]' | LC_ALL=C sort | xargs awk -v allow="$allow" '
	BEGIN { while ((getline line < allow) > 0) { sub(/[[:space:]]*#.*/, "", line); if (line != "") waits[line] = 1 } }
	FNR == 1 { comment = 0 }
	{
		line = $0
		out = ""
		while (line != "") {
			if (comment) {
				at = index(line, "*/")
				if (!at) break
				line = substr(line, at + 2)
				comment = 0
			} else {
				at = index(line, "/*")
				if (!at) { out = out line; break }
				out = out substr(line, 1, at - 1) " "
				line = substr(line, at + 2)
				comment = 1
			}
		}
		while (match(out, /xb_[a-z0-9_]+\(?/)) {
			name = substr(out, RSTART, RLENGTH)
			before = RSTART > 1 ? substr(out, RSTART - 1, 1) : " "
			called = sub(/\(/, "", name)
			if (before !~ /[A-Za-z0-9_]/) {
				if (FILENAME !~ /^tests/) seen[name]++
				if (FILENAME ~ /^include/ && ++declared[name] > 1) outside[name] = 1 # a macro
				if (FILENAME !~ /^include/ && name in user && user[name] != FILENAME) outside[name] = 1
				if (FILENAME !~ /^include/) user[name] = FILENAME
				if (called && FILENAME ~ /^include/ && out !~ /^#define|^[ \t]/ && !(name in place)) {
					place[name] = FILENAME ":" FNR
					# An inline one is declared where it is defined.
					needed[name] = out ~ /^static inline/ ? 2 : 3
				}
			}
			out = substr(out, RSTART + RLENGTH)
		}
	}
	END {
		for (name in place) {
			checked++
			if (name in waits) {
				if (seen[name] >= needed[name]) {
					printf "%s: %s has a caller now: take it out of %s\n", place[name], name, allow
					bad = 1
				}
				delete waits[name]
			} else if (seen[name] < needed[name]) {
				printf "%s: %s is used by nothing in src/\n", place[name], name
				bad = 1
			} else if (needed[name] == 3 && !outside[name]) {
				printf "%s: %s is used by nothing outside of %s: make it static\n", place[name], name, user[name]
				bad = 1
			}
		}
		for (name in waits) { printf "%s: there is no function %s\n", allow, name; bad = 1 }
		if (!checked) { print "no function was found: the check looked at nothing"; bad = 1 }
		exit bad
	}
'

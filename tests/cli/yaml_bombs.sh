#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Project files made to hurt: each is refused at once, with its place.
. "$(dirname "$0")/begin.sh"
mkdir bombs && cd bombs

good='name: demo
targets: [linux-x86_64]
build:
  demo:
    sources: [a.c]
'

# AddressSanitizer reserves more addresses than any bound of them allows, and has bounds of its own
bound='ulimit -v 1000000; exec "$@"'
if [ -n "${XB_SANITIZED:-}" ]; then
	# shellcheck disable=SC2016 # of the inner shell
	bound='ASAN_OPTIONS=hard_rss_limit_mb=500:max_allocation_size_mb=500 exec "$@"'
fi

# refused NAME PLACE PATTERN: ./xbuild.yaml is refused within seconds and a little memory
refused() {
	for command in build lock 'image --json' test; do
		# shellcheck disable=SC2086 # a command with its options
		expect 2 timeout 10 sh -c "$bound" - "$xbuild" $command
		says "^xbuild.yaml:$2: error: "
		says "$3"
		[ "$(wc -c <"$work/stderr")" -lt 20000 ] || fail "$1: a message of $(wc -c <"$work/stderr") bytes"
		if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/stderr"; then
			fail "$1: control characters in the message"
		fi
	done
	rm xbuild.yaml
}

{
	echo 'a: &a [x, x, x, x, x, x, x, x, x]'
	for i in b c d e f g h i j; do
		echo "$i: &$i [*a, *a, *a, *a, *a, *a, *a, *a]"
	done
} >xbuild.yaml
refused "billion laughs" '1:[0-9]+' 'anchors are not allowed'
printf '%svars: *x\n' "$good" >xbuild.yaml
refused "alias" '6:7' 'aliases are not allowed'

awk 'BEGIN { printf "name: "; for (i = 0; i < 100000; i++) printf "["; print "" }' >xbuild.yaml
refused "100000 brackets" '1:[0-9]+' 'nested too deeply'
awk 'BEGIN { printf "name: "; for (i = 0; i < 100000; i++) printf "{a: "; print "" }' >xbuild.yaml
refused "100000 braces" '1:[0-9]+' 'nested too deeply'
awk 'BEGIN { for (i = 0; i < 200; i++) { for (k = 0; k < i; k++) printf " "; print "a:" } }' >xbuild.yaml
refused "200 levels" '[0-9]+:[0-9]+' 'nested too deeply'
awk 'BEGIN { for (i = 0; i < 90000; i++) printf "- "; print "x" }' >xbuild.yaml
refused "90000 dashes" '1:[0-9]+' 'nested too deeply'

printf '%sname: twice\n' "$good" >xbuild.yaml
refused "duplicate key" '6:1' "duplicate key 'name'"
printf '%s  "demo": {sources: [b.c]}\n' "$good" >xbuild.yaml
refused "duplicate unit" '6:3' "duplicate key 'demo'"
printf 'name: !!python/object:os.system demo\n' >xbuild.yaml
refused "tag" '1:7' 'tags are not allowed'
printf '%%YAML 1.1\n---\nname: demo\n' >xbuild.yaml
refused "directive" '1:1' 'directives are not allowed'
printf '%s  other:\n    <<: {sources: [b.c]}\n' "$good" >xbuild.yaml
refused "merge key" '7:5' 'merge keys are not allowed'
printf '%s---\nname: second\n' "$good" >xbuild.yaml
refused "second document" '6:1' 'second document'

{
	printf '%svars:\n' "$good"
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "  v%d: {default: xxxxxx}\n", i }'
} >xbuild.yaml
[ "$(wc -c <xbuild.yaml)" -gt 2000000 ] || fail "the large file is too small"
expect 2 timeout 10 "$xbuild" build
says "xbuild.yaml': expected at most 1048576 bytes"
awk 'BEGIN { printf "name: ["; for (i = 0; i < 150000; i++) printf "a, "; print "]" }' >xbuild.yaml
refused "150000 values" '1:[0-9]+' 'too many values'

printf 'name: de\000mo\n' >xbuild.yaml
refused "NUL" '1:9' 'U\+0000'
printf 'name: de\033[2Jmo\n' >xbuild.yaml
refused "escape" '1:9' 'U\+001B'
printf 'name: "de\\emo"\n' >xbuild.yaml
refused "written escape" '1:[0-9]+' 'U\+001B'
printf '\357\273\277%s' "$good" >xbuild.yaml
refused "BOM" '1:1' 'byte order mark'
printf '\377\376n\000a\000' >xbuild.yaml
refused "UTF-16" '1:1' 'not UTF-8'
printf 'name: \300\200\n' >xbuild.yaml
refused "overlong UTF-8" '1:7' 'not UTF-8'
printf 'name: demo # \342\200\256 hidden\n' >xbuild.yaml
refused "bidi override" '1:14' 'U\+202E'
printf 'name: demo\r# other\n' >xbuild.yaml
refused "lone CR" '1:11' 'carriage return'
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "k"; print ": 1" }' >xbuild.yaml
refused "long key" '1:[0-9]+' 'too long|expected'
awk 'BEGIN { printf "name: \""; for (i = 0; i < 500000; i++) printf "x"; print "" }' >xbuild.yaml
refused "open quote" '[12]:[0-9]+' 'quote'

# a thousand mistakes: the first fifty are shown
{
	printf '%s' "$good"
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf "wrong%d: 1\n", i }'
} >xbuild.yaml
expect 2 timeout 10 "$xbuild" build
[ "$(grep -c ' error: ' "$work/stderr")" = 50 ] || fail "not 50 problems"
says '^and 950 more'
rm xbuild.yaml

# no file at all, and things that are no file
mkdir xbuild.yaml
expect 2 timeout 10 "$xbuild" build
rmdir xbuild.yaml
mkfifo xbuild.yaml
got=0
timeout 10 "$xbuild" build 2>"$work/stderr" || got=$?
[ "$got" != 124 ] || fail "a fifo as project file hangs"
[ "$got" != 0 ] || fail "a fifo as project file is accepted"

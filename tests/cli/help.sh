#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, usage errors and what needs no project: every command explains itself, mistakes get a suggestion.
. "$(dirname "$0")/begin.sh"

expect 0 "$xbuild" --help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/stdout")
[ "$(echo "$commands" | wc -l)" -ge 10 ] || fail "fewer than ten commands: $commands"
for command in $commands; do
	expect 0 "$xbuild" "$command" --help
	prints "^Usage: xbuild $command"
	prints '^  (-h,|   ) --help'
	[ "$(awk '{ if (length($0) > 120) n++ } END { print n + 0 }' "$work/stdout")" = 0 ] || fail "$command: help is wider than 120"
	expect 0 "$xbuild" help "$command"
	prints "^Usage: xbuild $command"
done

expect 2 "$xbuild"
says 'no command was given'
expect 2 "$xbuild" biuld
says "unknown command 'biuld'"
says "did you mean 'xbuild build'"
expect 2 "$xbuild" sysroot exprot
says "sysroot: unknown word 'exprot', expected 'export'"
says "did you mean 'export'"
expect 2 "$xbuild" sysroot
says "expected what to do, 'export'"
for name in gcc:cc clang:cc lld:ld; do
	expect 2 "$xbuild" "${name%:*}" --version
	says "unknown command '${name%:*}'"
	says "hint: did you mean 'xbuild ${name#*:}'"
done
expect 2 "$xbuild" g++ --version
says "did you mean 'xbuild c[+][+]'"
expect 2 "$xbuild" size a.out
says "unknown command 'size'"
says "'xbuild env' puts <triple>-size into PATH"
expect 2 "$xbuild" as a.s
says "'xbuild cc -c FILE.s' assembles"
expect 2 "$xbuild" build --tagret linux-aarch64
says "did you mean '--target'"
expect 2 "$xbuild" build --jobs many
says 'whole number'
expect 2 "$xbuild" build --jobs
says 'needs a value'
expect 2 "$xbuild" doctor extra
says "does not take the argument 'extra'"
expect 2 "$xbuild" build --color=sometimes
says 'auto, always or never'

expect 0 "$xbuild" version
prints '^xbuild [0-9]+\.[0-9]+\.[0-9]+'
[ ! -s "$work/stderr" ] || fail "version talks on stderr"
expect 0 "$xbuild" version --json
python3 -c 'import json,sys; v = json.load(open(sys.argv[1])); assert v["lock_format"] == 1' "$work/stdout"

expect 0 "$xbuild" targets
prints '^linux-aarch64 +arm64 +aarch64-linux-gnu +aarch64-unknown-linux-gnu +linux/arm64/v8'
expect 0 "$xbuild" targets --json
python3 -c 'import json,sys; t = {x["name"]: x for x in json.load(open(sys.argv[1]))}
assert t["linux-aarch64"]["oci"] == "linux/arm64/v8" and "armv8" in t["linux-aarch64"]["aliases"], t' "$work/stdout"

expect 0 "$xbuild" doctor
prints '^ok +host '
prints '^note +project +no xbuild.yaml'

# stdout that cannot be written is an error, not silence
if [ -w /dev/full ]; then
	got=0
	"$xbuild" targets >/dev/full 2>"$work/stderr" || got=$?
	[ "$got" = 4 ] || fail "a full stdout gave exit status $got"
	says 'write to stdout'
fi

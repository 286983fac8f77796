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

# a narrow terminal: no line is wider than it, unless by a single word, and all words stay
for command in "" $commands; do
	# shellcheck disable=SC2086 # none or one
	expect 0 env -u COLUMNS "$xbuild" help $command
	tr -s ' ' '\n' <"$work/stdout" >"$work/words"
	# shellcheck disable=SC2086 # none or one
	expect 0 env COLUMNS=40 "$xbuild" help $command
	tr -s ' ' '\n' <"$work/stdout" | cmp - "$work/words" || fail "$command: other words in 40 columns"
	awk 'length($0) > 40 && $0 ~ /[^ ] +[^ ]/ { print; bad = 1 } END { exit bad }' "$work/stdout" ||
		fail "$command: wider than 40"
done
expect 0 env COLUMNS=40 "$xbuild" build --help
prints '^  -t, --target NAME$'
prints '^ {6}a target by any of its names;$'

# who reads help may have seen enough
python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
done = subprocess.run(sys.argv[1:], stdout=w, stderr=subprocess.PIPE)
sys.stderr.buffer.write(done.stderr)
sys.exit(done.returncode != 4 or len(done.stderr) > 0)' "$xbuild" help build || fail "a closed pipe is told of"

expect 2 "$xbuild"
says 'no command was given'
expect 2 "$xbuild" biuld
says "unknown command 'biuld'"
says "did you mean 'xbuild build'"
expect 2 "$xbuild" sysroot exprot
says "sysroot: unknown word 'exprot', expected 'export'"
says "did you mean 'xbuild sysroot export'"
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

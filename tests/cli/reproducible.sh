#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The result depends on the inputs alone: not on the directory, the user, umask, time zone, locale, home, number of jobs, or
# the order of units in the project file.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project "$work/first"
cd first
expect 0 "$xbuild" lock
# shellcheck disable=SC2119 # no options
digest=$(image_digest)
outputs >"$work/outputs"

# nothing that was compiled is taken from the store: only downloads and trees stay
forget() { rm -rf "$XBUILD_CACHE_DIR/actions"; }

# same WHAT DIRECTORY [OPTION...]: a build from nothing there gives the same
same() {
	what=$1 place=$2
	shift 2
	expect 0 "$xbuild" -C "$place" image --frozen -v "$@"
	[ "$(jobs_run)" -gt 10 ] || fail "$what: nothing was compiled: $(cat "$work/stderr")"
	found=$(tail -n 1 "$work/stdout")
	outputs "$place" >"$work/outputs.now"
	diff "$work/outputs" "$work/outputs.now" >&2 || fail "$what: other outputs"
	[ "$found" = "$digest" ] || fail "$what: $found instead of $digest"
	forget
}
copy() {
	hello_project "$1"
	cp "$work/first/xbuild.lock" "$1/"
}

forget
copy "$work/dir with spaces/prøjekt 'q' \$HOME"
same "another directory" "$work/dir with spaces/prøjekt 'q' \$HOME"

before=$(umask)
umask 000
copy "$work/umask000"
same "umask 000" "$work/umask000"
umask 077
copy "$work/umask077"
same "umask 077" "$work/umask077"
umask "$before"

copy "$work/place"
(
	export TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 HOME=/nonexistent USER=somebody LOGNAME=somebody \
		COLUMNS=40 TERM=xterm-256color SHELL=/bin/false TMPDIR="$work/place"
	same "another environment" "$work/place" --color=always
)
forget
rm -rf "$work/place/out" "$work/place/.xbuild"
same "one job" "$work/place" -j1
rm -rf "$work/place/out" "$work/place/.xbuild"
same "many jobs" "$work/place" -j13
rm -rf "$work/place/out" "$work/place/.xbuild"
find "$work/place" -name '*.c' -exec touch -d '1999-01-01' {} +
same "old files" "$work/place"

# units, sources and files of the image in the opposite order
copy "$work/reversed"
python3 - "$work/reversed/xbuild.yaml" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
head, units, tail = re.match(r"(.*?\nbuild:\n)(.*?)(\ntest:\n.*)", text, re.S).groups()
blocks = re.findall(r"  \w+:\n(?:    .*\n)+", units + "\n")
assert len(blocks) == 4, blocks
text = head + "".join(reversed(blocks)) + tail.lstrip("\n")
text = text.replace("[app/*.c, app/*.cc]", "[app/*.cc, app/*.c]").replace("[lib/*.c, lib/*.S]", "[lib/*.S, lib/*.c]")
open(sys.argv[1], "w").write(text)
PY
(cd "$work/reversed" && git update-index --assume-unchanged xbuild.yaml)
same "the opposite order" "$work/reversed"

# another store, filled by other processes, and another clock
cp -r "$work/first" "$work/elsewhere"
rm -rf "$work/elsewhere/out" "$work/elsewhere/.xbuild"
XBUILD_CACHE_DIR="$work/another store" expect 0 "$xbuild" -C "$work/elsewhere" image --locked -j3
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another store: another digest"

# another user
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	mkdir "$work/nobody"
	cp -r "$XB_BIN" "$work/bin" # the checkout may be where nobody else may look
	copy "$work/nobody/project"
	chown -R 65534:65534 "$work/nobody"
	expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$work/nobody" XBUILD_CACHE_DIR="$work/nobody/store" \
		"$work/bin/xbuild" -C "$work/nobody/project" image --locked
	[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another user: another digest"
	[ "$(stat -c %u "$work/nobody/project/out/linux-x86_64/hello")" = 65534 ] || fail "it was no other user"
else
	echo "SKIPPED: another user (needs root and setpriv)"
fi

# debug information names no directory of this machine
copy "$work/debug one"
copy "$work/debug-two/deeper"
forget
expect 0 "$xbuild" -C "$work/debug one" build --frozen --profile dev
forget
expect 0 "$xbuild" -C "$work/debug-two/deeper" build --frozen --profile dev
outputs "$work/debug one" >"$work/one"
outputs "$work/debug-two/deeper" >"$work/two"
diff "$work/one" "$work/two" >&2 || fail "debug information depends on the directory"
readelf -S "$work/debug one/out/linux-aarch64/hello" | grep -q '\.debug_info' || fail "profile dev has no debug information"
if grep -rqF "$work" "$work/debug one/out/linux-aarch64" "$work/debug one/out/linux-x86_64"; then
	fail "an output holds a path of this machine"
fi

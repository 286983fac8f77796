#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signed packages that try to get out of their tree, or to be something that no tree has. All that is planted outside
# would be called "planted"; the message names the package and what in it is wrong.
. "$(dirname "$0")/begin.sh"
mkdir canary
echo secret >canary/secret
cp -r canary canary.before
own_archive
python3 "$XB_SOURCE/tests/cli/archive/evil.py" "$archive" "$work/canary"
# a sysroot of nothing but what is under test: unpacking the real one each time would take minutes
sed -i -e 's/^packages: .*/packages: [libtally1]/' -e 's/^exclude: \[/&libc6, /' "$work/data/sysroots/debian-test.yaml"
mkdir project && cd project
echo 'int main(void) { return 0; }' >a.c

# project PACKAGE...: a project whose sysroot has these packages
project() {
	cat >xbuild.yaml <<-YAML
		name: victim
		toolchain: { llvm: "19" }
		sysroot:
		  debian: test
		  packages: [$(echo "$@" | sed 's/ /, /g')]
		hosts: [linux-x86_64]
		targets: [linux-aarch64]
		build:
		  victim:
		    sources: [a.c]
	YAML
	rm -f xbuild.lock
	expect 0 timeout 60 "$xbuild" lock
}

unharmed() {
	diff -r "$work/canary" "$work/canary.before" || fail "$1: the canary was touched"
	found=$(find "$work" -path "$archive" -prune -o -name '*planted*' -print | head -n 3)
	[ -z "$found" ] || fail "$1: planted: $found"
	if grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/stderr"; then fail "$1: control characters in the message"; fi
	sound_store
}

# refused PATTERN PACKAGE...
refused() {
	echo "- $*"
	pattern=$1
	shift
	project "$@"
	expect 5 timeout 60 "$xbuild" fetch --want sysroot:linux-aarch64
	says "$1"
	says "$pattern"
	unharmed "$1"
	# again, now that everything is downloaded
	expect 5 timeout 60 "$xbuild" fetch --want sysroot:linux-aarch64 --offline
	unharmed "$1"
}

# undisturbed once, so that the rest has what it needs in the store
project libtally-dev
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
trees=$(ls "$XBUILD_CACHE_DIR/trees")

refused "planted" evil-dotdot
refused "planted" evil-dotdot-deep
refused "planted" evil-absolute
refused "evil-link" evil-link-out
refused "evil-link" evil-through-link
refused "evil-link" evil-through-relative-link
refused "evil-half" evil-file-half evil-link-half
refused "evil-half" evil-link-half evil-file-half
refused "planted.*hard link" evil-hard-out
refused "planted.*hard link" evil-hard-absolute
refused "planted-null.*device" evil-device
refused "planted-disk.*device" evil-block
refused "planted-fifo.*fifo" evil-fifo
refused "planted.*device" evil-device-name
refused "evil-twice.*twice" evil-twice
refused "evil-clash.*differ" evil-clash-one evil-clash-two
says 'evil-clash-two'
refused 'planted.*unsafe name' evil-newline
refused 'planted.*unsafe name' evil-escape
refused 'unsafe name' evil-long-name
refused 'unsafe name' evil-long-component
refused 'unsafe name' evil-deep
refused '.' evil-huge-size
refused 'wh\.passwd.*whiteout' evil-whiteout
refused 'evil-file' evil-below-file
refused 'evil-loop' evil-loop
refused '.' evil-cut-tar
refused "Package 'something-else' where the index has 'evil-control-name'" evil-control-name
refused "Version '2' where the index has '1'" evil-control-version
refused '.' evil-control-bomb
refused 'data' evil-no-data
refused '.' evil-two-data
refused '.' evil-not-a-deb
refused '.' evil-nested
refused '.' evil-version-3
[ "$(ls "$XBUILD_CACHE_DIR/trees")" = "$trees" ] || fail "a refused package left a tree"

# what looks odd and is fine: set-id bits go, hard links are files
project evil-setuid evil-hard-fine
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
root=$(dirname "$(find "$XBUILD_CACHE_DIR/trees" -name harmless-one)")
[ -f "$root/../bin/harmless-setuid" ] || fail "the setuid file is missing"
[ -d "$root/harmless-dir" ] || fail "the directory is missing"
[ "$(cat "$root/harmless-two")" = same ] || fail "the hard link is missing"
odd=$(find "$XBUILD_CACHE_DIR/trees" -perm /6000 | head -n 3)
[ -z "$odd" ] || fail "set-id bits: $odd"
odd=$(find "$XBUILD_CACHE_DIR/trees" -type f -perm /222 ! -name manifest ! -name digest | head -n 3)
[ -z "$odd" ] || fail "writable files in trees: $odd"
unharmed harmless

# an index that names a file outside of the pool
sed -i 's|^Filename: pool/main/libtally-dev|Filename: ../../../planted/libtally-dev|' "$archive/debian/dists/test/main/binary-arm64/Packages"
python3 "$XB_SOURCE/tests/cli/archive/evil.py" "$archive" "$work/canary" setuid
rm xbuild.lock
got=0
timeout 60 "$xbuild" lock 2>"$work/stderr" || got=$?
case $got in 2 | 5) ;; *) fail "an unsafe Filename gave exit status $got" ;; esac
says 'libtally-dev'
[ ! -e xbuild.lock ] || fail "a lock was written"
unharmed index

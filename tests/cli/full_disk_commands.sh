#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk under the commands that write beside the store: add, bundle, sysroot export, the index of files, and the results
# that xbuild cc keeps. What was there stays whole, and with room the same command succeeds. In a mount name space of its own.
if [ "${XB_UNSHARED:-}" = "" ]; then
	if unshare -m true 2>/dev/null; then
		XB_UNSHARED=1 exec unshare -m sh "$0"
	elif unshare -Urm true 2>/dev/null; then
		XB_UNSHARED=1 exec unshare -Urm sh "$0"
	fi
	echo "SKIPPED: neither root nor user name spaces (unshare -m, unshare -Urm)"
	exit 77
fi
. "$(dirname "$0")/begin.sh"
own_archive
warm_store
mkdir "$work/tiny"
mount -t tmpfs -o "size=2g,mode=700" tmpfs "$work/tiny"
at_end() {
	cd "$work"
	umount "$work/tiny"
}

room() { # KILOBYTES that are left there
	mount -t tmpfs -o "remount,size=$(($(du -sk "$work/tiny" | cut -f 1) + $1))k" tmpfs "$work/tiny"
}
much() { mount -t tmpfs -o 'remount,size=2g' tmpfs "$work/tiny"; }
full() { # STATUS PATH COMMAND...: fails for want of room, and says where
	wanted=$1
	where=$2
	shift 2
	expect "$wanted" "$@"
	says 'No space left on device'
	says "$where"
	silent_about 'Stack dump|PLEASE submit'
}

# the project's disk: what is edited is as it was
hello_project "$work/tiny/project"
cd "$work/tiny/project"
expect 0 "$xbuild" lock
cp xbuild.yaml xbuild.lock "$work/"
room 0
full 4 "$work/tiny/project" "$xbuild" add libssl-dev
cmp xbuild.yaml "$work/xbuild.yaml" || fail "add left another project file"
cmp xbuild.lock "$work/xbuild.lock" || fail "add left another lock"
[ "$(git --no-optional-locks status --porcelain)" = '?? xbuild.lock' ] || fail "add left something: $(git --no-optional-locks status --porcelain)"
much
expect 0 "$xbuild" add libssl-dev
grep -q libssl-dev xbuild.yaml || fail "add with room added nothing"

# where a bundle and a sysroot's archive are written
for command in bundle 'sysroot export --target linux-aarch64'; do
	for kilobytes in 0 8 1000; do
		room $kilobytes
		# shellcheck disable=SC2086 # words
		full 4 "$work/tiny" "$xbuild" $command -o "$work/tiny/written.tar"
		[ -z "$(find "$work/tiny" -path "$work/tiny/project" -prune -o -type f -print)" ] ||
			fail "$command left a part: $(find "$work/tiny" -type f)"
	done
	much
	echo before >"$work/tiny/written.tar"
	room 8
	# shellcheck disable=SC2086 # words
	full 4 "$work/tiny" "$xbuild" $command -o "$work/tiny/written.tar"
	[ "$(cat "$work/tiny/written.tar")" = before ] || fail "$command: what was there is gone"
	rm "$work/tiny/written.tar"
	much
	# shellcheck disable=SC2086 # words
	expect 0 "$xbuild" $command -o "$work/tiny/written.tar"
	rm "$work/tiny/written.tar"
done

# the store's disk: the index of files is not there, and the error stays that of the build
cp -a "$XBUILD_CACHE_DIR" "$work/tiny/store"
export XBUILD_CACHE_DIR="$work/tiny/store"
mkdir "$work/lacks"
cd "$work/lacks"
cat >xbuild.yaml <<'YAML'
name: lacks
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-aarch64]
build:
  main: { sources: [main.c] }
YAML
printf '#include <openssl/ssl.h>\nint main(void) { return ssl_new(); }\n' >main.c
expect 0 "$xbuild" lock
expect 0 "$xbuild" fetch
room 4
full 4 "$work/tiny/store" "$xbuild" fetch --want contents:linux-aarch64
expect 1 "$xbuild" build
says "fatal error: 'openssl/ssl.h' file not found"
says 'note: which package has what is missing cannot be told: .*No space left on device'
[ -z "$(find "$XBUILD_CACHE_DIR/contents" -type f 2>/dev/null)" ] || fail "a part of an index was kept"
sound_store
much
expect 1 "$xbuild" build
says "^hint: main.c:1:10: libssl-dev has 'openssl/ssl.h': run 'xbuild add libssl-dev'\$"

# what xbuild cc keeps is a matter of speed: without room it compiles all the same
export XBUILD_LLVM=19 XBUILD_DEBIAN=test
cd "$work"
printf 'int main(void) { return 3; }\n' >main.c
expect 0 "$xbuild" cc --target arm64 main.c -o wanted
rm -rf "$XBUILD_CACHE_DIR/actions"
for kilobytes in 0 4 40; do
	room $kilobytes
	printf 'int main(void) { return 3; }\n/* %s */\n' "$kilobytes" >main.c
	expect 0 "$xbuild" cc --target arm64 main.c -o found
	cmp wanted found || fail "another result with $kilobytes kB"
	[ ! -s "$work/stderr" ] || fail "it says: $(cat "$work/stderr")"
	sound_store
done
much
expect 0 "$xbuild" cc --target arm64 main.c -o found
cmp wanted found || fail "another result with room again"
sound_store

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file is gone from an unpacked tree: the failed command says so and what to run, and that mends it. Something in the way of
# a directory of ours is named.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
expect 0 "$xbuild" build
expect 0 "$xbuild" fetch --verify
says 'Verified .*all sound'

# lose NAME: removes a file of that name from every tree
lose() {
	find "$XBUILD_CACHE_DIR/trees" -type f -name "$1" >"$work/lost"
	[ -s "$work/lost" ] || fail "no tree has $1"
	while read -r lost; do
		chmod u+w "$(dirname "$lost")"
		rm -f "$lost"
	done <"$work/lost"
}

lose stdio.h
rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
expect 5 "$xbuild" build --offline
says "stdio.h' is missing"
says "xbuild fetch --verify"
expect 0 "$xbuild" fetch --verify
says "stdio.h' is missing"
expect 0 "$xbuild" build --offline

lose 'ld-linux-x86-64.so.2'
rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
expect 5 "$xbuild" build --offline
says 'no dynamic loader'
says 'xbuild fetch --verify'
expect 0 "$xbuild" fetch --verify --offline
expect 0 "$xbuild" build --offline

for name in out .xbuild; do
	rm -rf out .xbuild
	: >"$name"
	expect 4 "$xbuild" build
	says "'[^']*/$name' is a file, expected a directory"
	says "move '[^']*/$name' away"
done
rm -f .xbuild out
rm -rf "$XBUILD_CACHE_DIR/tmp"
: >"$XBUILD_CACHE_DIR/tmp"
expect 4 "$xbuild" build
says "/tmp' is a file, expected a directory"

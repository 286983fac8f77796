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

# A loss that no command fails of: with the tree, all results that may have been made without the header are given up, also
# those of a project that was built meanwhile and has its state.
cp tiny.c tiny.kept
printf '#if __has_include(<tally.h>)\nint main(void) { return 1; }\n#else\nint main(void) { return 2; }\n#endif\n' >tiny.c
expect 0 "$xbuild" build tiny --offline
cp out/linux-x86_64/tiny "$work/sound"
rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
lose tally.h
expect 0 "$xbuild" build tiny --offline
if cmp -s out/linux-x86_64/tiny "$work/sound"; then fail "the header makes no difference"; fi
expect 0 "$xbuild" fetch --verify --offline
says "tally.h' is missing"
says 'is built again'
expect 0 "$xbuild" build tiny --offline
cmp out/linux-x86_64/tiny "$work/sound" || fail "a result from the damaged tree is still in out/"
rm -rf out .xbuild
expect 0 "$xbuild" build tiny --offline
cmp out/linux-x86_64/tiny "$work/sound" || fail "a result from the damaged tree is still in the store"
mv tiny.kept tiny.c

# A library that an image and a test need.
expect 0 "$xbuild" image --offline
lose 'libtally.so.*'
expect 5 "$xbuild" test --offline
prints 'FAILED'
says "libtally.so.* is missing"
says 'xbuild fetch --verify'
rm -rf "$XBUILD_CACHE_DIR/actions"
expect 5 "$xbuild" image --offline
says "libtally.so.* is missing"
says 'xbuild fetch --verify'
expect 0 "$xbuild" fetch --verify --offline
expect 0 "$xbuild" test --offline
expect 0 "$xbuild" image --offline

# Changed, of the same size: nothing but reading it tells.
find "$XBUILD_CACHE_DIR/trees" -type f -name tally.h | while read -r changed; do
	chmod u+w "$(dirname "$changed")"
	tr '[:lower:]' '[:upper:]' <"$changed" >"$changed.new"
	mv -f "$changed.new" "$changed"
done
expect 0 "$xbuild" fetch --verify --offline
says "tally.h' has another content"
silent_about 'all sound'
expect 0 "$xbuild" fetch --verify --offline
says 'all sound'

# What x86_64 fails of is the user's own; on aarch64 it is the sysroot.
if [ "$(uname -m)" = x86_64 ]; then
	sed -i 's/^targets: .*/targets: [linux-x86_64, linux-aarch64]/' xbuild.yaml
	cp tiny.c tiny.kept
	printf '#ifdef __x86_64__\n#error no\n#endif\n#include <stdio.h>\nint main(void) { return 0; }\n' >tiny.c
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" fetch --verify # a store that had this sysroot before was damaged with the other one
	expect 1 "$xbuild" build tiny -k -j1
	says 'error: no'
	for lost in "$XBUILD_CACHE_DIR"/trees/*/root/usr/lib/aarch64-linux-gnu/Scrt1.o; do
		lost=${lost%/lib/*}/include
		chmod u+w "$lost"
		rm -f "$lost/stdio.h"
	done
	rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
	expect 5 "$xbuild" build tiny -k -j1 --offline
	says 'error: no'
	says "stdio.h' is missing"
	says 'xbuild fetch --verify'
	expect 0 "$xbuild" fetch --verify --offline
	mv tiny.kept tiny.c
	sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
	expect 0 "$xbuild" lock
fi

# Programs of the toolchain, and of its further tools, which only some builds start.
for tool in clang llvm-ar; do
	expect 0 "$xbuild" build
	lose "$tool"
	rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
	expect 5 "$xbuild" build --offline
	says "$tool' is missing"
	says 'xbuild fetch --verify'
	expect 0 "$xbuild" fetch --verify --offline
	says "$tool' is missing"
done
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

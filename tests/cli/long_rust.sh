#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/rust-hello with the real rustc, cargo and crates of a real mirror: built for both targets, run, in an image; the same
# bytes in another directory, whose name has a blank; and tests by cargo, under qemu where they need it.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DATA_DIR XBUILD_DEBIAN_MIRROR
command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null || skip "there is no qemu-aarch64"
cp -r "$XB_SOURCE/examples/rust-hello" first
cd first
git init -q -b main && git add -A && git commit -q -m start
got=0
"$xbuild" lock >"$work/stdout" 2>"$work/stderr" || got=$?
[ "$got" != 4 ] || skip "no mirror can be reached: $(grep -m 1 '^error' "$work/stderr")"
[ "$got" = 0 ] || fail "lock: $(cat "$work/stderr")"

expect 0 "$xbuild" build
for target in linux-x86_64 linux-aarch64; do
	readelf -d out/$target/rust-hello >"$work/needed"
	for library in libpq.so.5 liblz4.so.1 libmimalloc.so; do
		grep -q "NEEDED.*$library" "$work/needed" || fail "$target: $library is not linked"
	done
	! grep -aq -e "$work" -e "$HOME" out/$target/rust-hello || fail "$target: a path of this machine is in it"
done
expect 0 "$xbuild" test --json
python3 - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
verdicts = {(t["kind"], t["target"]): t["verdict"] for t in result["tests"]}
assert verdicts == {(k, t): "passed" for k in ("elf", "cargo", "run") for t in ("linux-x86_64", "linux-aarch64")}, result
PY
began=$(date +%s%N)
expect 0 "$xbuild" build
echo "nothing changed: $((($(date +%s%N) - began) / 1000000)) ms"

# in the image: the programs with the image's own libraries
expect 0 "$xbuild" image
expect 0 "$xbuild" verify out/images/hello
for target in linux-x86_64 linux-aarch64; do
	root=$work/root-$target
	expect 0 "$xbuild" image --target "$target" --output rootfs="$root.tar"
	mkdir "$root" && tar -xf "$root.tar" -C "$root"
	find "$root/" -name 'libpq.so.5*' | grep -q . || fail "$target: no libpq in the image"
	qemu=qemu-${target#linux-}
	command -v "$qemu" >/dev/null || qemu=$qemu-static
	command -v "$qemu" >/dev/null || continue
	expect 0 "$qemu" -L "$root" "$root/usr/bin/rust-hello"
	prints "^hello from linux-"
	prints 'the same again: true'
	prints 'SELECT "parcels"\."id" FROM "parcels"'
	prints '^libpq 15[0-9]{4}: connection to server on socket "/nonexistent/'
done

# the same in a directory of another name, without what the store knows of the first one
mkdir "$work/second dir"
cp -r Cargo.toml Cargo.lock src xbuild.yaml xbuild.lock "$work/second dir"
rm -rf "$XBUILD_CACHE_DIR/actions"
cd "$work/second dir"
expect 0 "$xbuild" build
for target in linux-x86_64 linux-aarch64; do
	cmp "out/$target/rust-hello" "$work/first/out/$target/rust-hello" || fail "$target: other bytes in another directory"
done

# cargo test through the runner
expect 0 "$xbuild" cargo --target linux-aarch64 test
prints 'test result: ok\. 2 passed'

# and the examples of documentation, by rustdoc and the locked rustc
# shellcheck disable=SC2016 # of Markdown
printf '/// ```\n/// assert_eq!(rust_hello::one(), 1);\n/// ```\npub fn one() -> u32 {\n    1\n}\n' >src/lib.rs
expect 0 "$xbuild" cargo --target "linux-$(uname -m)" test --doc
prints 'test src/lib\.rs - one \(line 1\) \.\.\. ok'

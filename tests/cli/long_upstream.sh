#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that were not written for xbuild: lz4 and lua, their upstream sources as Debian has them, with a project file each.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
qemu="qemu-aarch64"
[ "$(uname -m)" = x86_64 ] || qemu="qemu-x86_64"
command -v $qemu >/dev/null || skip "no $qemu"
command -v apt-get >/dev/null || skip "no apt-get to fetch the sources with"

all_passed() {
	python3 - "$work/stdout" "$1" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["failed"] == 0 and result["skipped"] == 0 and result["passed"] == int(sys.argv[2]), result
PY
}

python3 "$XB_SOURCE/tests/cli/source.py" lz4 "$work/lz4"
cd "$work/lz4"
cat >check.c <<'C'
/* Packs and unpacks a text, so that every target shows that it can. */
#include <stdio.h>
#include <string.h>

#include "lz4.h"
#include "lz4hc.h"
#include "xxhash.h"

int main(void)
{
	static char text[200000], packed[250000], back[200000];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i / 97 % 23);
	int n = LZ4_compress_default(text, packed, sizeof(text), sizeof(packed));
	int m = LZ4_decompress_safe(packed, back, n, sizeof(back));
	if (n <= 0 || m != (int)sizeof(text) || memcmp(text, back, sizeof(text)))
		return 1;
	n = LZ4_compress_HC(text, packed, sizeof(text), sizeof(packed), 9);
	memset(back, 0, sizeof(back));
	m = LZ4_decompress_safe(packed, back, n, sizeof(back));
	if (n <= 0 || m != (int)sizeof(text) || memcmp(text, back, sizeof(text)))
		return 2;
	printf("%s %d\n", LZ4_versionString(), n);
	return 0;
}
C
cat >xbuild.yaml <<'YAML'
name: lz4
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  liblz4:
    kind: shared
    sources: [lib/*.c]
    include: [lib]
    output-name: liblz4.so.1
    soname: liblz4.so.1
    c: { std: c99, flags: [-O3] }
    defines: { XXH_NAMESPACE: LZ4_ }
  static:
    kind: static
    sources: [lib/*.c]
    include: [lib]
    c: { std: c99, flags: [-O3] }
    defines: { XXH_NAMESPACE: LZ4_ }
  lz4:
    sources: [programs/*.c]
    private-include: [programs]
    deps: [static]
    defines: { XXH_NAMESPACE: LZ4_, LZ4IO_MULTITHREAD: "0" }
  check:
    sources: [check.c]
    deps: [liblz4]
    defines: { XXH_NAMESPACE: LZ4_ }
test:
  version: { run: [build:lz4, --version] }
  benchmark: { run: [build:lz4, -b1, -e1, -i0, xbuild.yaml] }
  round-trip: { run: [build:check] }
image:
  lz4:
    base: auto
    files: { /usr/bin/lz4: build:lz4 }
    entrypoint: [/usr/bin/lz4]
YAML
expect 0 "$xbuild" test --json
# for each target: three ELF files that are checked (liblz4, lz4, check) and three runs
all_passed 12
expect 0 "$xbuild" image
for target in x86_64 aarch64; do
	readelf -dW "out/linux-$target/liblz4.so.1" | grep -q 'soname: \[liblz4.so.1\]' || fail "$target: soname"
done
# across the machines: packed by one, unpacked by the other
root=$(find "$XBUILD_CACHE_DIR/trees" -path '*/root/usr/lib/aarch64-linux-gnu/libc.so.6' | head -n 1)
root=${root%/usr/lib/*}
native=out/linux-$(uname -m)/lz4
foreign=out/linux-${qemu#qemu-}/lz4
[ "$qemu" = qemu-aarch64 ] || root=$(dirname "$(dirname "$(dirname "$(dirname "$(find "$XBUILD_CACHE_DIR/trees" -path '*/root/usr/lib/x86_64-linux-gnu/libc.so.6' | head -n 1)")")")")
cat programs/*.c >"$work/text"
"$native" -q -9 -c "$work/text" >"$work/native.lz4"
$qemu -L "$root" "$foreign" -q -9 -c "$work/text" >"$work/foreign.lz4"
cmp "$work/native.lz4" "$work/foreign.lz4" || fail "both machines pack differently"
$qemu -L "$root" "$foreign" -q -d -c "$work/native.lz4" | cmp - "$work/text" || fail "the other machine unpacks something else"
"$native" -q -d -c "$work/foreign.lz4" | cmp - "$work/text" || fail "this machine unpacks something else"

python3 "$XB_SOURCE/tests/cli/source.py" lua5.4 "$work/lua"
cd "$work/lua"
cat >xbuild.yaml <<'YAML'
name: lua
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  core:
    kind: static
    sources: [src/*.c]
    exclude: [src/lua.c, src/luac.c]
    include: [src]
    c: { std: gnu99 }
    defines: { LUA_USE_LINUX: "", LUA_COMPAT_5_3: "" }
  lua:
    sources: [src/lua.c]
    deps: [core]
    libs: [m, dl]
    ldflags: ["-Wl,-E"]
    defines: { LUA_USE_LINUX: "", LUA_COMPAT_5_3: "" }
  luac:
    sources: [src/luac.c]
    deps: [core]
    libs: [m, dl]
    defines: { LUA_USE_LINUX: "" }
test:
  print: { run: [build:lua, -e, "print('hello from ' .. _VERSION)"] }
  arithmetic: { run: [build:lua, -e, "assert(2^53 == 9007199254740992 and 7 // 2 == 3 and math.sqrt(2) > 1.41)"] }
  strings: { run: [build:lua, -e, "assert(('x'):rep(1000):gsub('x', 'yy') == ('yy'):rep(1000)); assert(string.format('%5.2f', 3.14159) == ' 3.14')"] }
  coroutines: { run: [build:lua, -e, "local s = 0; for i in coroutine.wrap(function() for k = 1, 100 do coroutine.yield(k) end end) do s = s + i end; assert(s == 5050)"] }
  exit: { run: [build:lua, -e, "os.exit(42)"], expect-exit: 42 }
  compiler: { run: [build:luac, -v] }
image:
  lua:
    base: auto
    files: { /usr/bin/lua: build:lua }
    entrypoint: [/usr/bin/lua]
    cmd: [-v]
YAML
expect 0 "$xbuild" test --json
all_passed 16
expect 0 "$xbuild" image --json
python3 - "$work/stdout" <<'PY'
import json, sys
image, = json.load(open(sys.argv[1]))
for platform in image["platforms"]:
    names = {p.split()[0] for p in platform["packages"]}
    assert "libc6" in names and "libstdc++6" not in names, platform
    assert platform["layer_bytes"] < 8 << 20, platform
PY

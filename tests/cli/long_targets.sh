#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every target that is not one of the two by default, against Debian's real archive: C and C++, static and shared libraries,
# threads, thread-local variables and exceptions are built, checked and run under qemu-user; images have the right platform
# and run too. XB_TARGETS_SUITES names the releases, XB_TARGETS_DIR a directory to keep (for a look at what was made).
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
for tool in skopeo umoci readelf qemu-arm qemu-riscv64 qemu-ppc64le qemu-s390x qemu-i386 qemu-aarch64 qemu-x86_64; do
	command -v "$tool" >/dev/null || skip "no $tool"
done

# without_updates: data files that name the release alone, for a mirror that has no current updates for these machines
without_updates() {
	python3 - "$XB_SOURCE" "$work/data" <<'PY'
import os, shutil, sys
import yaml
source, to = sys.argv[1:]
for kind in ("toolchains", "sysroots", "images"):
    shutil.copytree(os.path.join(source, kind), os.path.join(to, kind))
for name in os.listdir(os.path.join(to, "sysroots")):
    if not name.endswith(".yaml"):
        continue
    path = os.path.join(to, "sysroots", name)
    data = yaml.load(open(path), yaml.BaseLoader)
    if "debian" not in data:
        continue # archives
    first = next(iter(data["debian"]["suites"]))
    data["debian"]["suites"] = {first: data["debian"]["suites"][first]}
    yaml.safe_dump(data, open(path, "w"), default_style='"', sort_keys=False)
PY
}

# is_between_releases SUITE: a mirror on its way to the next point release has indexes that the signed file does not name
is_between_releases() {
	says "'$1/main/binary-[a-z0-9]*/Packages.xz': .*(its size is not the expected|HTTP status 404)"
	echo "SKIPPED: $1, since the mirror lacks the index that its release names: $(grep -o "'$1/main/[^']*'" "$work/stderr")"
}

# elf FILE CLASS DATA MACHINE FLAGS: as readelf sees it
elf() {
	readelf -hW "$1" >"$work/elf"
	for word in "Class: *$2\$" "Data: .*$3" "Machine: *$4" "Flags: .*$5"; do
		grep -qE "$word" "$work/elf" || fail "$1: readelf does not say '$word': $(cat "$work/elf")"
	done
}

# run_image LAYOUT ARCH EMULATOR PROGRAM EXPECTED: the manifest of that architecture, unpacked and run
run_image() {
	rm -rf "$work/one" "$work/bundle"
	skopeo copy -q --override-os linux --override-arch "$2" "oci:$1" "oci:$work/one:x"
	if [ "$(id -u)" = 0 ]; then rootless=; else rootless=--rootless; fi
	# shellcheck disable=SC2086
	umoci unpack $rootless --image "$work/one:x" "$work/bundle" >/dev/null 2>&1
	root=$work/bundle/rootfs
	dirs=$(cd "$root" && find usr/lib lib -maxdepth 1 -name '*-linux-*' -type d | sed "s,^,$root/," | tr '\n' ':')
	"$3" -L "$root" -E "LD_LIBRARY_PATH=$dirs$root/usr/lib" "$root$4" >"$work/said" 2>&1 ||
		fail "$1 for $2: $4 fails under $3: $(cat "$work/said")"
	grep -qxE "$5" "$work/said" || fail "$1 for $2: $4 says $(cat "$work/said")"
}

for suite in ${XB_TARGETS_SUITES:-trixie bookworm}; do
	glibc='linux-armv7, linux-ppc64le, linux-s390x, linux-x86'
	# the start files for -static-pie of glibc 2.36 do not work with lld on s390x and x86
	static_pie='linux-x86_64-musl, linux-aarch64-musl'
	if [ "$suite" = trixie ]; then
		glibc="$glibc, linux-riscv64"
		static_pie="$static_pie, linux-riscv64, linux-s390x, linux-x86"
	fi
	project=${XB_TARGETS_DIR:-$work}/$suite
	rm -rf "$project"
	mkdir -p "$project"
	cp "$XB_SOURCE"/tests/cli/targets/* "$project/"
	cd "$project"
	sed -i "s/SUITE/$suite/; s/STATIC_PIE/$static_pie/; s/GLIBC/$glibc/" xbuild.yaml

	if ! "$xbuild" lock >"$work/stdout" 2>"$work/stderr"; then
		says 'Packages.xz: .*(its size is not the expected|HTTP status 404)'
		echo "NOTE: the mirror has no current updates of $suite for these machines: the release alone is taken"
		[ -d "$work/data" ] || without_updates
		export XBUILD_DATA_DIR="$work/data"
		if ! "$xbuild" lock >"$work/stdout" 2>"$work/stderr"; then
			is_between_releases "$suite"
			unset XBUILD_DATA_DIR
			cd "$work"
			continue
		fi
	fi
	says "target 'linux-x86_64-musl': the sysroot's 'packages:' are left out"

	for profile in release lto; do
		expect 0 "$xbuild" test --profile $profile --json
		python3 - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["failed"] == 0 and result["skipped"] == 0 and result["passed"] >= 50, result
PY
	done
	elf out/linux-armv7/cxxprog ELF32 'little endian' ARM 'hard-float ABI'
	elf out/linux-ppc64le/cxxprog ELF64 'little endian' PowerPC64 'abiv2'
	elf out/linux-s390x/cxxprog ELF64 'big endian' 'IBM S/390' 0x0
	elf out/linux-x86/cxxprog ELF32 'little endian' 'Intel 80386' 0x0
	if [ "$suite" = trixie ]; then elf out/linux-riscv64/cxxprog ELF64 'little endian' RISC-V 'double-float ABI'; fi
	for target in x86_64 aarch64; do
		if readelf -lW out/linux-$target-musl/plain | grep -q INTERP; then fail "$target-musl: plain is not static"; fi
		readelf -lW out/linux-$target-musl/cprog | grep -q "/lib/ld-musl-$target.so.1" || fail "$target-musl: another loader"
		if readelf -dW out/linux-$target-musl/cprog | grep NEEDED | grep -vE 'libplug.so|libc.so'; then fail "needs more than musl"; fi
	done
	# no package helps where nothing but musl is
	cp xbuild.yaml "$work/keep.yaml"
	printf '#include <zlib.h>\nint lacking;\n' >lacking.c
	sed -i '/^build:/a\  lacking: { kind: static, sources: [lacking.c], targets: [linux-x86_64-musl] }' xbuild.yaml
	expect 1 "$xbuild" build lacking
	says 'the sysroot of linux-x86_64-musl has the C library alone'
	mv "$work/keep.yaml" xbuild.yaml

	expect 0 "$xbuild" image
	skopeo inspect --raw oci:out/images/glibc >"$work/glibc.json"
	skopeo inspect --raw oci:out/images/musl >"$work/musl.json"
	python3 - "$work" "$suite" <<'PY'
import json, sys
work, suite = sys.argv[1:]
def platforms(name):
    index = json.load(open(f"{work}/{name}.json"))
    return sorted("/".join(filter(None, (p["os"], p["architecture"], p.get("variant"))))
                  for p in (m["platform"] for m in index["manifests"]))
glibc = ["linux/386", "linux/arm/v7", "linux/ppc64le", "linux/s390x"] + (["linux/riscv64"] if suite == "trixie" else [])
assert platforms("glibc") == sorted(glibc), platforms("glibc")
assert platforms("musl") == ["linux/amd64", "linux/arm64/v8"], platforms("musl")
PY
	scale='sum 4000 depth 1 little %s pointer %s scale 2566666666856 half 0.5'
	# shellcheck disable=SC2059 # a format
	{
		run_image out/images/glibc arm qemu-arm /usr/bin/cprog "$(printf "$scale" 1 4) twice 42 calls 4"
		run_image out/images/glibc arm qemu-arm /usr/bin/cxxprog 'more than two none 1 8'
		run_image out/images/glibc s390x qemu-s390x /usr/bin/cprog "$(printf "$scale" 0 8) twice 42 calls 4"
		run_image out/images/glibc s390x qemu-s390x /usr/bin/cxxprog 'more than two none 1 8'
		run_image out/images/musl arm64 qemu-aarch64 /usr/bin/cprog "$(printf "$scale" 1 8) twice 42 calls 4"
	}
	expect 0 "$xbuild" verify out/images/glibc

	# the compilers of the shell
	cat >hi.c <<'C'
#include <stdio.h>
int main(int argc, char **argv) { return printf("hi %s\n", argc > 1 ? argv[1] : "none") < 0; }
C
	for pair in linux-armv7:qemu-arm linux-s390x:qemu-s390x linux-aarch64-musl:qemu-aarch64; do
		expect 0 "$xbuild" cc --target "${pair%:*}" hi.c -static -o "hi-${pair%:*}"
		[ "$("${pair#*:}" "./hi-${pair%:*}" there)" = 'hi there' ] || fail "$pair: what xbuild cc made does not say hi"
	done
	expect 0 "$xbuild" cc --target linux-x86_64-musl -fPIC hi.c -o hi-dynamic
	readelf -ldW hi-dynamic >"$work/elf"
	grep -q '/lib/ld-musl-x86_64.so.1' "$work/elf" || fail "xbuild cc: not musl's loader"
	if grep NEEDED "$work/elf" | grep -v 'libc.so'; then fail "xbuild cc: needs more than musl"; fi

	# two manifests of one platform
	sed -i '/^  musl:$/,$ s/targets: .*/targets: [linux-x86_64-musl, linux-x86_64]/; s/^targets: \[/&linux-x86_64, /' xbuild.yaml
	expect 0 "$xbuild" lock
	expect 2 "$xbuild" image musl
	says "both the platform linux/amd64"
	unset XBUILD_DATA_DIR
	cd "$work"
done

# a release without the machine
mkdir -p "$work/none" && cd "$work/none"
cp "$XB_SOURCE"/tests/cli/targets/* .
sed -i 's/SUITE/bookworm/; s/STATIC_PIE/linux-riscv64/; s/GLIBC/linux-riscv64/' xbuild.yaml
expect 2 "$xbuild" lock
says "xbuild.yaml:4:11: error: sysroot 'debian-bookworm' has nothing for target 'linux-riscv64' \(Debian's 'riscv64'\)"
says 'sysroots that have it: debian-trixie$'
# a compiler alone comes from the first release that has it
[ ! -d "$work/data" ] || export XBUILD_DATA_DIR="$work/data"
echo 'int main(void) { return 0; }' >empty.c
if ! "$xbuild" cc --no-project --target riscv64 empty.c -o empty >"$work/stdout" 2>"$work/stderr"; then
	is_between_releases trixie
	exit 0
fi
readelf -hW empty | grep -q 'Machine: *RISC-V' || fail "no program for RISC-V"

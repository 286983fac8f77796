#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild on another host: an aarch64 xbuild, cross-built and run under qemu-user with an aarch64 toolchain, gives the same
# image as the native one, byte for byte. docs/other-hosts.md tells the same by hand.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
[ "$(uname -m)" = x86_64 ] || skip "this host is not x86-64: the other one would be its own"
for tool in qemu-aarch64 apt-get dpkg-deb cmake ninja; do command -v "$tool" >/dev/null || skip "no $tool"; done
clang=
for name in clang clang-19 clang-16 clang-14; do
	if [ -z "$clang" ] && command -v "$name" >/dev/null; then clang=$name; fi
done
[ -n "$clang" ] || skip "no clang on PATH"
linker=$(command -v ld.lld || command -v ld.lld-19 || command -v ld.lld-14 || :)
[ -n "$linker" ] || skip "no ld.lld on PATH"
mirror=$(sed -nE -e 's/^URIs: *(http[^ ]*\/debian)\/?.*/\1/p' -e 's/^deb .*(http[^ ]*\/debian)\/? .*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || skip "no Debian mirror in this machine's apt sources"

# the libraries that xbuild itself is linked with, for aarch64: apt resolves, with a configuration of its own
mkdir -p apt/state/lists/partial apt/cache/archives/partial apt/etc root
: >apt/status
echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >apt/etc/sources.list
set -- -o "Dir::State=$work/apt/state" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt/cache" \
	-o "Dir::Etc::SourceList=$work/apt/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Architecture=arm64 \
	-o APT::Architectures::=arm64 -o APT::Sandbox::User=root -o APT::Install-Recommends=false
apt-get update -q "$@" >"$work/apt.log" 2>&1 || {
	cat "$work/apt.log" >&2
	fail "apt-get update for arm64"
}
# shellcheck disable=SC2046 # a list of package names
apt-get install -q -y --download-only "$@" libgcc-12-dev \
	$(sed -n 's/^build: *//p' "$XB_SOURCE/scripts/packages.debian" | tr ' ' '\n' | grep -e '-dev$') >"$work/apt.log" 2>&1 || {
	tail -n 20 "$work/apt.log" >&2
	fail "apt-get install --download-only for arm64"
}
for deb in apt/cache/archives/*.deb; do dpkg-deb -x "$deb" root; done

# xbuild for aarch64, by CMake with clang and that root
cat >aarch64.cmake <<CMAKE
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER $clang)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_SYSROOT $work/root)
set(CMAKE_EXE_LINKER_FLAGS_INIT "--ld-path=$linker")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
CMAKE
export PKG_CONFIG_SYSROOT_DIR="$work/root" \
	PKG_CONFIG_LIBDIR="$work/root/usr/lib/aarch64-linux-gnu/pkgconfig:$work/root/usr/share/pkgconfig"
cmake -S "$XB_SOURCE" -B build -G Ninja -DCMAKE_TOOLCHAIN_FILE="$work/aarch64.cmake" -DCMAKE_BUILD_TYPE=Release \
	-DXBUILD_TESTS=OFF >cmake.log 2>&1 || {
	tail -n 30 cmake.log >&2
	fail "cmake does not configure for aarch64"
}
cmake --build build >cmake.log 2>&1 || {
	tail -n 30 cmake.log >&2
	fail "the aarch64 xbuild does not build"
}
unset PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
readelf -hW build/bin/xbuild | grep -q AArch64 || fail "that is no aarch64 xbuild"

cp -r "$XB_SOURCE/examples/hello" native
rm -rf native/out native/.xbuild
(cd native && git init -q -b main && git add -A &&
	GIT_AUTHOR_DATE=@1700000000 GIT_COMMITTER_DATE=@1700000000 git commit -q -m start)
expect 0 "$xbuild" -C native lock
cp -r native other
expect 0 "$xbuild" -C native image
digest=$(tail -n 1 "$work/stdout")

# what the other host starts for itself is found in the root by qemu -L
export QEMU_LD_PREFIX="$work/root" XBUILD_EMULATOR=qemu-aarch64 XBUILD_DATA_DIR="$XB_SOURCE"
export SSL_CERT_DIR=/etc/ssl/certs SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
expect 0 qemu-aarch64 build/bin/xbuild doctor
prints 'linux-aarch64'
XBUILD_CACHE_DIR="$work/other-cache" expect 0 qemu-aarch64 build/bin/xbuild -C other image --locked
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "the aarch64 host makes $(tail -n 1 "$work/stdout"), this one $digest"
for target in linux-x86_64 linux-aarch64; do
	cmp "native/out/$target/hello" "other/out/$target/hello" || fail "$target: the hosts build different programs"
done
loader=$(find "$work/other-cache/trees" -path '*/llvm-22/bin/clang' | head -n 1)
readelf -hW "$loader" | grep -q AArch64 || fail "it was not an aarch64 clang that compiled"
echo "one image from both hosts: $digest"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild pkg-config says what pkg-config says of the same root, and never anything of this machine.
. "$(dirname "$0")/begin.sh"

root="$work/a root"
mkdir -p "$root/usr/lib/pkgconfig" "$root/usr/lib/aarch64-linux-gnu/pkgconfig" "$work/stage/usr/lib/pkgconfig"
cat >"$root/usr/lib/aarch64-linux-gnu/pkgconfig/alpha.pc" <<'PC'
prefix=/usr
libdir=${prefix}/lib/x86
includedir=${prefix}/include
data=${pc_sysrootdir}${prefix}/share
flags=-I/opt/x

Name: Alpha
Description: the first
Version: 1.2.3rc1
Requires: beta >= 0.5
Requires.private: gamma
Libs: -L${libdir} -la -L/opt/lib
Libs.private: -lm
Cflags: -I${includedir} -I${includedir}/a -DA="b c" -DX=\"q\"
PC
printf 'Name: Beta\nDescription: b\nVersion: 0.6\nLibs: -lb -pthread\nCflags: -I/opt/b\n' >"$root/usr/lib/pkgconfig/beta.pc"
printf 'Name: Gamma\nDescription: c\nVersion: 2~beta\nLibs: -lc2\nCflags: -DC\n' >"$root/usr/lib/pkgconfig/gamma.pc"
# shellcheck disable=SC2016 # pkg-config's
printf 'prefix=/usr\nName: Staged\nDescription: s\nVersion: 3\nRequires: beta\nLibs: -L${prefix}/lib -lstaged\nCflags: -I${prefix}/include\n' \
	>"$work/stage/usr/lib/pkgconfig/staged.pc"

ours() { "$xbuild" pkg-config --sysroot "$root" --target arm64 --prefix "$work/stage" "$@"; }
# the same with pkgconf, which is told what is searched anyway, and does not get by with a blank in the root
ln -s "$root" plain
theirs() {
	PKG_CONFIG_SYSROOT_DIR="$work/plain" PKG_CONFIG_SYSTEM_INCLUDE_PATH="$work/plain/usr/include" \
		PKG_CONFIG_LIBDIR="$work/plain/usr/lib/aarch64-linux-gnu/pkgconfig:$work/plain/usr/lib/pkgconfig" pkg-config "$@"
}
judge=$(command -v pkg-config >/dev/null && pkg-config --about 2>/dev/null | grep -o pkgconf | head -n 1) || judge=
same() {
	[ "$judge" = pkgconf ] || return 0
	a=0 && b=0
	"$xbuild" pkg-config --sysroot "$work/plain" --target arm64 -- "$@" >"$work/ours" 2>/dev/null || a=$?
	theirs "$@" >"$work/theirs" 2>/dev/null || b=$?
	[ "$a" = "$b" ] || fail "status $a, pkgconf says $b: $*"
	# pkgconf ends its lines with a blank
	sed -i 's/ *$//' "$work/ours" "$work/theirs"
	cmp -s "$work/ours" "$work/theirs" || fail "$*: '$(cat "$work/ours")', pkgconf says '$(cat "$work/theirs")'"
}
[ "$judge" = pkgconf ] || echo "without pkgconf: its answers are not compared"

same --version
same --cflags alpha
same --libs alpha
same --cflags --libs alpha
same --cflags --libs -- alpha
same --cflags -- alpha --libs
same --static --libs alpha
same --cflags-only-I alpha
same --cflags-only-other alpha
same --libs-only-L alpha
same --libs-only-l alpha
same --libs-only-other alpha
same --modversion alpha beta
same --modversion 'alpha > 1'
same --exists alpha
same --exists 'alpha >= 1.2.3rc1'
same --exists 'alpha >= 1.2.3rc2'
same --exists alpha '>=' 9
same --exists 'alpha >= 1, beta'
same --exists 'gamma <= 2'
same --exists 'gamma < 2~alpha'
same --exists nowhere
same --atleast-version=1.2.3 alpha
same --atleast-version 1.2.10 alpha
same --exact-version=0.6 beta
same --max-version=0.5 beta
same --variable=libdir alpha
same --variable data alpha
same --variable=flags alpha
same --variable=none alpha
same --define-variable=prefix=/x --variable=libdir alpha
same --print-requires alpha
same --print-requires-private alpha
same --print-provides alpha
same --atleast-pkgconfig-version 0.9
same --atleast-pkgconfig-version 9
same --uninstalled alpha
same --libs nowhere
same

expect 0 ours --cflags alpha
[ "$(cat "$work/stdout")" = "$(printf '%s' "-I$work/a\\ root/usr/include/a -DA=b\\ c -DX=\\\"q\\\" -I$work/a\\ root/opt/b -DC")" ] ||
	fail "--cflags: $(cat "$work/stdout")"
# what CMake and Meson ask for with a variable
expect 0 env PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 "$xbuild" pkg-config --sysroot "$root" --target arm64 --cflags-only-I alpha
prints "-I$(literally "$work/a\\ root")/usr/include "
# installed files of another unit are below their prefix; nobody searches there without being told
# cmd/go asks so
expect 0 ours --libs -- staged
grep -q -- -lstaged "$work/stdout" || fail "-- is no module"
expect 0 ours --cflags --libs staged
prints "^-I$work/stage/usr/include -I.*/opt/b -L$work/stage/usr/lib -lstaged -lb -pthread$"
expect 0 ours --list-package-names
[ "$(sort "$work/stdout" | tr '\n' ' ')" = 'alpha beta gamma staged ' ] || fail "--list-package-names: $(cat "$work/stdout")"
expect 0 ours --list-all
prints '^alpha  *Alpha - the first$'
expect 0 ours --print-variables alpha
prints '^includedir$'

# errors: told, or not, by pkg-config's rules
expect 1 ours --cflags nowhere
says "'nowhere' is not in the sysroot of linux-aarch64"
expect 1 ours --exists nowhere
[ ! -s "$work/stderr" ] || fail "--exists talks"
expect 1 ours --exists --print-errors 'alpha >= 3'
says "'alpha' has version 1.2.3rc1, wanted is >= 3"
expect 1 ours --silence-errors --cflags nowhere
[ ! -s "$work/stderr" ] || fail "--silence-errors talks"
expect 1 ours --errors-to-stdout --print-errors --exists nowhere
prints nowhere
expect 2 ours --no-such-option alpha
says "unknown option '--no-such-option'"

# T8: a module of this machine is none of the sysroot, whatever the environment says
mkdir -p "$work/host" && cp "$root/usr/lib/pkgconfig/beta.pc" "$work/host/hosted.pc"
expect 1 env PKG_CONFIG_PATH="$work/host" PKG_CONFIG_LIBDIR="$work/host" PKG_CONFIG_SYSROOT_DIR=/ \
	"$xbuild" pkg-config --sysroot "$root" --target arm64 --exists hosted

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed works from anywhere, and finds its own data files and its helper.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DATA_DIR
build=$(cd "$XB_BIN/.." && pwd)
[ -f "$build/cmake_install.cmake" ] || skip "$XB_BIN is not in a build tree of CMake"

cmake --install "$build" --prefix "$work/a prefix/usr" >"$work/install.log" 2>&1 || {
	cat "$work/install.log" >&2
	fail "cmake --install failed"
}
prefix="$work/a prefix/usr"
for path in bin/xbuild libexec/xbuild/xbuild-supply libexec/xbuild/xbuild-wrap share/xbuild/toolchains/llvm-22.yaml share/xbuild/sysroots/debian-bookworm.yaml \
	share/xbuild/images/debian-base.yaml; do
	[ -s "$prefix/$path" ] || fail "$path was not installed: $(find "$prefix" -type f | head -n 40)"
done
[ -n "$(find "$prefix/share/xbuild/sysroots/keys" -name '*.gpg' 2>/dev/null)" ] || fail "no keys were installed"
[ ! -e "$prefix/bin/xbuild-supply" ] || fail "the helper is in PATH"
[ ! -e "$prefix/bin/xbuild-wrap" ] || fail "what only works by another name is in PATH"
stray=$(find "$prefix" -type f ! -path '*/bin/*' ! -path '*/libexec/xbuild/*' ! -path '*/share/xbuild/*' ! -path '*/share/doc/xbuild/*' ! -path '*/share/man/*' ! -path '*/share/*-completion*' ! -path '*/share/zsh/*' ! -path '*/share/fish/*')
[ -z "$stray" ] || fail "installed and unexpected: $stray"

mkdir -p "$work/else/where" && cd "$work/else/where"
xbuild="$prefix/bin/xbuild"
expect 0 "$xbuild" doctor
prints "^ok +data files +$prefix/share/xbuild"
# through a link in another directory, and by PATH
mkdir "$work/bin"
ln -s "$prefix/bin/xbuild" "$work/bin/xb"
expect 0 "$work/bin/xb" doctor
prints "$prefix/share/xbuild"
expect 0 env PATH="$work/bin:$PATH" xb doctor
prints "$prefix/share/xbuild"

# the helper is found: with the archive on loopback instead of Debian's
serve
warm_store
hello_project "$work/project"
cd "$work/project"
expect 0 "$xbuild" lock
[ -s xbuild.lock ] || fail "the installed helper made no lock"

# moved as a whole, it still works; without its helper, it says so
unset XBUILD_DATA_DIR
mv "$work/a prefix" "$work/moved"
expect 0 "$work/moved/usr/bin/xbuild" doctor
prints "$work/moved/usr/share/xbuild"
mv "$work/moved/usr/libexec/xbuild/xbuild-supply" "$work/supply"
expect 4 "$work/moved/usr/bin/xbuild" lock
says 'xbuild-supply'
says 'install xbuild again'

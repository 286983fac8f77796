#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package that CPack makes holds what it should, depends on what it needs, and works when unpacked.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DATA_DIR
build=$(cd "$XB_BIN/.." && pwd)
[ -f "$build/CPackConfig.cmake" ] || skip "$XB_BIN is not in a build tree of CMake"
command -v dpkg-shlibdeps >/dev/null || skip "dpkg-shlibdeps (package dpkg-dev)"
cpack -G DEB -B "$work/made" --config "$build/CPackConfig.cmake" >"$work/cpack.log" 2>&1 || {
	tail -n 20 "$work/cpack.log" >&2
	fail "cpack failed"
}
deb=$(find "$work/made" -maxdepth 1 -name '*.deb')
[ "$(echo "$deb" | wc -l)" = 1 ] || fail "not one package: $deb"
dpkg-deb -c "$deb" | awk '{ print $1, $2, $6 }' >"$work/list"
for path in ./usr/bin/xbuild ./usr/libexec/xbuild/xbuild-supply; do
	grep -q "^-rwxr-xr-x root/root $path\$" "$work/list" || fail "$path: $(cat "$work/list")"
done
for path in ./usr/share/xbuild/toolchains/llvm-22.yaml ./usr/share/xbuild/sysroots/debian-trixie.yaml \
	./usr/share/doc/xbuild/README.md ./usr/share/doc/xbuild/copyright; do
	grep -q "^-rw-r--r-- root/root $path\$" "$work/list" || fail "$path: $(cat "$work/list")"
done
if awk '{ print $3 }' "$work/list" | grep -vE '^\./(usr/)?(usr/(bin|libexec|share)/.*)?$'; then fail "unexpected files"; fi
if grep -v '/share/doc/' "$work/list" | grep -E 'cmocka|test_|\.o$|/include/'; then fail "things of the tests are in the package"; fi
dpkg-deb -f "$deb" Depends >"$work/depends"
for library in libc6 libcurl libarchive libsolv librnp libyaml libjansson; do
	grep -q "$library" "$work/depends" || fail "it does not depend on $library: $(cat "$work/depends")"
done
dpkg-deb -x "$deb" "$work/root"
expect 0 "$work/root/usr/bin/xbuild" doctor
prints "$work/root/usr/share/xbuild"

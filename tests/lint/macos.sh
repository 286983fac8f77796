#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source file compiles for both kinds of Mac: with the macOS headers that zig cc has, and of this machine those of the
# libraries alone, so that a call that only Linux has is an error. XB_ZIG names the program (scripts/install-zig).
# usage: macos.sh SOURCE-DIR
set -eu
if [ -z "${XB_ZIG:-}" ]; then
	echo "skipped: zig (scripts/install-zig DIR prints what XB_ZIG has to be)"
	exit 77
fi
cd "$1"
top=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include"

# the headers of the libraries, and nothing of the C library that lies beside them
for header in archive.h archive_entry.h curl jansson.h jansson_config.h lzma.h lzma openssl rnp solv yaml.h zconf.h zlib.h zstd.h \
	zstd_errors.h; do
	for dir in /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
		[ ! -e "$dir/$header" ] || cp -RL "$dir/$header" "$work/include/"
	done
done

ZIG_GLOBAL_CACHE_DIR=$work/cache
ZIG_LOCAL_CACHE_DIR=$work/cache
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
# compiled ARCH SOURCE...: zig keeps no object of several sources, but judges each. A magic number of eight letters in an array of
# eight needs no end.
compiled() {
	arch=$1
	shift
	(cd "$work" && "$XB_ZIG" cc -target "$arch-macos" -std=c17 -D_FILE_OFFSET_BITS=64 -D_GNU_SOURCE \
		-Wall -Wextra -Wshadow -Wformat=2 -Wimplicit-fallthrough -Werror \
		-Wno-overriding-option -Wno-unterminated-string-initialization -g0 -fno-sanitize=all \
		-DXBUILD_VERSION='"0"' -DXBUILD_COMMIT='"0"' -DXBUILD_SOURCE_DATA_DIR='"/"' \
		-I"$top/include" -I"$top/src" -isystem "$work/include" \
		"$@" -c)
}
status=0
printf '#include <unistd.h>\nint only_linux(void);\nint only_linux(void) { return syncfs(0); }\n' >"$work/linux.c"
for arch in aarch64 x86_64; do
	if compiled "$arch" "$work/linux.c" 2>/dev/null; then
		echo "a call that macOS does not have passes for $arch: this check is worth nothing"
		status=1
	fi
	for dir in "$top"/src/*/; do
		compiled "$arch" "$dir"*.c || status=1
	done
done
exit $status

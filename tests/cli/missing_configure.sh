#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What CMake, Meson and configure scripts of Autoconf looked for in vain and need is told with the Debian package that has it; what they
# can do without is not.
. "$(dirname "$0")/begin.sh"
own_archive
for tool in cmake ninja; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
warm_store
mkdir -p project/tree
cd project
cat >xbuild.yaml <<'YAML'
name: missing
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-aarch64]
build:
  unit: { DRIVER: { dir: tree }, outputs: [bin/c] }
YAML
cp xbuild.yaml "$work/xbuild.yaml"
echo 'int main(void) { return 0; }' >tree/c.c
sed -i 's/DRIVER/cmake/' xbuild.yaml
expect 0 "$xbuild" lock
hint() { says "^hint: libtally-dev has '$1': run 'xbuild add libtally-dev'\$"; }

cmake() { # LINES of CMakeLists.txt
	printf 'cmake_minimum_required(VERSION 3.18)\nproject(c C)\nfind_package(PkgConfig)\n%s\n' "$1" >tree/CMakeLists.txt
	expect 1 "$xbuild" build
	says 'unit .unit. \(linux-aarch64\): configure: cmake'
}
cmake 'pkg_check_modules(TALLY REQUIRED tally)'
hint tally.pc
cmake 'pkg_check_modules(BOTH REQUIRED tally>=0.1 libc-none)'
hint tally.pc
cmake 'find_path(TALLY_DIR tally.h REQUIRED)'
hint tally.h
cmake 'find_path(TALLY_DIR NAMES none.h tally.h REQUIRED)'
hint tally.h
cmake 'find_library(TALLY tally REQUIRED)'
hint -ltally
cmake 'find_library(TALLY NAMES none tally REQUIRED)'
hint -ltally
cmake 'include(CheckIncludeFile)
check_include_file(tally.h HAVE_TALLY)
pkg_check_modules(TALLY tally)
find_path(TALLY_DIR tally.h)
message(FATAL_ERROR "for another reason")'
silent_about 'libtally-dev'

if command -v meson >/dev/null; then
	sed 's/DRIVER/meson/' "$work/xbuild.yaml" >xbuild.yaml
	meson() { # LINES of meson.build
		printf "project('c', 'c')\ncc = meson.get_compiler('c')\n%s\n" "$1" >tree/meson.build
		expect 1 "$xbuild" build
		says 'unit .unit. \(linux-aarch64\): configure: meson'
	}
	meson "dependency('tally')"
	says "^hint: .*meson.build:3:[0-9]+: libtally-dev has 'tally.pc': run 'xbuild add libtally-dev'\$"
	meson "cc.find_library('tally')"
	says "libtally-dev has '-ltally': run 'xbuild add libtally-dev'\$"
	meson "cc.check_header('tally.h', required: true)"
	says "libtally-dev has 'tally.h': run 'xbuild add libtally-dev'\$"
	meson "dependency('tally', required: false)
cc.find_library('tally', required: false)
error('for another reason')"
	silent_about 'libtally-dev'
else
	echo "SKIPPED: Meson (not there)"
fi

if command -v autoreconf >/dev/null && [ -e /usr/share/aclocal/pkg.m4 ]; then
	sed 's/DRIVER: { dir: tree }/autotools: { dir: tree, autoreconf: true }/' "$work/xbuild.yaml" >xbuild.yaml
	autoconf() { # LINES of configure.ac
		printf 'AC_INIT([c], [1])\nAC_PROG_CC\n%s\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n' "$1" >tree/configure.ac
		echo 'all install:' >tree/Makefile.in
		expect 1 "$xbuild" build
		says "unit 'unit' \(linux-aarch64\)$2"
	}
	autoconf 'AC_CHECK_HEADER([tally.h], [], [AC_MSG_ERROR([tally.h is needed])])' ': configure: '
	hint tally.h
	autoconf 'AC_CHECK_LIB([tally], [tally_count], [], [AC_MSG_ERROR([libtally is needed])])' ': configure: '
	hint -ltally
	autoconf 'PKG_CHECK_MODULES([TALLY], [tally])' ': configure: '
	hint tally.pc
	autoconf 'AC_CHECK_HEADERS([tally.h])' ' installed nothing'
	silent_about 'libtally-dev'
else
	echo "SKIPPED: Autoconf (no autoreconf or no pkg.m4)"
fi
sound_store

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild env: every form, used by the program that it is for where that is on this machine; with blanks in all paths and with
# variables and packages of this machine that must not matter.
. "$(dirname "$0")/begin.sh"
serve
mkdir -p "$work/a store"
export XBUILD_CACHE_DIR="$work/a store/of mine" XBUILD_LLVM=19 XBUILD_DEBIAN=test XBUILD_TARGET=arm64
warm_store
env_of() { "$xbuild" env --with libtally-dev --shell "$@"; }
expect 0 env_of json
python3 - "$work/stdout" <<'PY'
import json, os, sys
told = json.load(open(sys.argv[1]))
assert told["target"] == "linux-aarch64" and told["triple"] == "aarch64-linux-gnu", told
for name in ("bin", "sysroot", "project"):
    assert os.path.isdir(told[name]), (name, told[name])
for name in ("cmake-toolchain", "meson-cross"):
    assert os.path.isfile(told[name]), (name, told[name])
for name in ("CC", "CXX", "AR", "RANLIB", "NM", "STRIP", "OBJCOPY", "OBJDUMP", "READELF", "LD", "PKG_CONFIG", "CPP"):
    assert os.access(told["env"][name], os.X_OK), (name, told["env"][name])
for name, value in told["env"].items():
    assert name == "CROSS_COMPILE" or not value.startswith(told["bin"] + "/") or os.access(value, os.X_OK), (name, value)
assert told["env"]["GOARCH"] == "arm64" and told["env"]["CGO_ENABLED"] == "1"
PY
expect 2 "$xbuild" env --shell pascal
says "cannot be 'pascal'"
expect 2 "$xbuild" env --shell sh extra

mkdir -p "$work/a project" && cd "$work/a project"
cat >main.c <<'C'
#include <stdio.h>
#include <tally.h>
#ifdef HOST
#error the variables of this machine are seen
#endif
int main(void) { puts("ran"); return 0; }
C
is_arm() { readelf -hW "$1" | grep -q AArch64 || fail "$1: $(readelf -hW "$1" | grep Machine)"; }
mkdir -p host/include && echo '#error this machine' >host/include/tally.h && echo '#error this machine' >host/include/stdio.h
# what a user may have set; T15
polluted() { env CPATH="$PWD/host/include" C_INCLUDE_PATH="$PWD/host/include" LIBRARY_PATH=/usr/lib PKG_CONFIG_PATH=/usr/lib/pkgconfig "$@"; }

# sh: by name alone, so that make, which splits CC at blanks, is content; T4 and T5 are about compilers of several words
cat >Makefile <<'MAKE'
prog: main.c
	$(CC) $< -o $@ `$(PKG_CONFIG) --cflags --libs tally`
	$(NM) $@ | grep -q ' T main'
	$(STRIP) $@
MAKE
# shellcheck disable=SC2016 # the inner shell's
polluted sh -ec 'eval "$("$1" env --with libtally-dev)"; make -s -e prog' sh "$xbuild" >"$work/stdout" 2>"$work/stderr" || fail "sh: $(cat "$work/stderr")"
is_arm prog
rm prog
if command -v fish >/dev/null; then
	# shellcheck disable=SC2016 # fish's
	polluted fish -c 'eval ($argv[1] env --with libtally-dev --shell fish | string collect); make -s -e prog' "$xbuild" || fail "fish"
	is_arm prog
	rm prog
else
	echo "without fish: its form is not run"
fi
env_of dotenv >vars
sh -ec 'set -a; . ./vars; set +a; "$CC" main.c -o "a prog" $("$PKG_CONFIG" --libs tally)' || fail "dotenv"
is_arm 'a prog'
env_of github >lines
python3 - lines <<'PY'
import os, subprocess, sys
env = dict(line.rstrip("\n").split("=", 1) for line in open(sys.argv[1]))
subprocess.run([env["CC"], "main.c", "-o", "b prog", "-ltally"], check=True, env=dict(os.environ, **env))
PY
is_arm 'b prog'

can_run=
if command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null; then can_run=1; fi
# CMake: find_package, pkg-config twice (T18), try_run where there is an emulator, and nothing of this machine (T8)
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(prog C CXX)
if(NOT CMAKE_CROSSCOMPILING OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  message(FATAL_ERROR "not for the target")
endif()
if(NOT CMAKE_LIBRARY_ARCHITECTURE STREQUAL aarch64-linux-gnu)
  message(FATAL_ERROR "library architecture '${CMAKE_LIBRARY_ARCHITECTURE}'")
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(TALLY REQUIRED IMPORTED_TARGET tally)
find_package(PkgConfig REQUIRED)
pkg_check_modules(AGAIN REQUIRED tally)
pkg_check_modules(HOSTED hosted)
find_library(M m REQUIRED)
find_library(CURL curl)
if(HOSTED_FOUND OR CURL)
  message(FATAL_ERROR "found on this machine: ${HOSTED_LIBRARIES} ${CURL}")
endif()
if(CAN_RUN AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(FATAL_ERROR "no emulator was told, and there is one")
endif()
if(CAN_RUN)
  include(CheckCSourceRuns)
  check_c_source_runs("int main(void) { return 0; }" RUNS)
  if(NOT RUNS)
    message(FATAL_ERROR "a program of the target does not run")
  endif()
endif()
add_executable(prog main.c)
target_link_libraries(prog PRIVATE PkgConfig::TALLY ${M})
add_library(part SHARED part.cc)
install(TARGETS prog part)
CMAKE
printf '#include <cstdlib>\n#include <string>\nstd::string part() { return "part"; }\n' >part.cc
mkdir -p host/pkgconfig && printf 'Name: Hosted\nDescription: h\nVersion: 1\nLibs: -lhosted\n' >host/pkgconfig/hosted.pc
env_of cmake >toolchain.cmake
polluted env PKG_CONFIG_PATH="$PWD/host/pkgconfig" cmake -S . -B 'a build' -G Ninja -DCMAKE_TOOLCHAIN_FILE=toolchain.cmake \
	-DCAN_RUN=$can_run -DCMAKE_C_FLAGS='-Wall -Werror' >"$work/stdout" 2>&1 || fail "cmake: $(tail -n 30 "$work/stdout")"
cmake --build 'a build' >"$work/stdout" 2>&1 || fail "cmake --build: $(tail -n 20 "$work/stdout")"
DESTDIR="$work/dest" cmake --install 'a build' --strip >"$work/stdout" 2>&1 || fail "cmake --install: $(cat "$work/stdout")"
is_arm "$work/dest/usr/local/bin/prog"
is_arm "$work/dest/usr/local/lib/libpart.so"

# Meson
if command -v meson >/dev/null; then
	cat >meson.build <<'MESON'
project('prog', 'c', 'cpp', meson_version: '>= 0.56')
assert(meson.is_cross_build() and host_machine.cpu_family() == 'aarch64')
cc = meson.get_compiler('c')
assert(not dependency('hosted', required: false).found(), 'found on this machine')
if run_command('printenv', 'CAN_RUN', check: false).stdout().strip() != ''
  assert(meson.can_run_host_binaries(), 'no emulator was told, and there is one')
  assert(cc.run('int main(void) { return 0; }').returncode() == 0)
endif
prog = executable('prog', 'main.c', dependencies: [dependency('tally'), cc.find_library('m')], install: true)
shared_library('part', 'part.cc', install: true)
test('runs', prog)
MESON
	env_of meson >cross.ini
	polluted env CAN_RUN=$can_run PKG_CONFIG_PATH="$PWD/host/pkgconfig" meson setup 'm build' --cross-file cross.ini --wrap-mode=nodownload >"$work/stdout" 2>&1 ||
		fail "meson: $(tail -n 30 "$work/stdout")"
	ninja -C 'm build' >"$work/stdout" 2>&1 || fail "ninja: $(tail -n 20 "$work/stdout")"
	is_arm 'm build/prog'
	is_arm 'm build/libpart.so'
else
	echo "without meson: its form is not used"
fi

# Cargo
env_of cargo >cargo.toml
python3 - cargo.toml <<'PY'
import sys
try:
    import tomllib
except ImportError:
    sys.exit()
told = tomllib.load(open(sys.argv[1], "rb"))
assert told["target"]["aarch64-unknown-linux-gnu"]["linker"].endswith("/aarch64-linux-gnu-clang"), told
PY
# What no program here reads is compared by tests/cases/cross; the files that they name are there.
env_of conan >profile && grep -q '^arch=armv8$' profile
grep -q '^compiler.libcxx=libstdc++11$' profile || fail "$(cat profile)"
env_of vcpkg >triplet.cmake
file=$(sed -n 's/^set(VCPKG_CHAINLOAD_TOOLCHAIN_FILE "\(.*\)")$/\1/p' triplet.cmake)
[ -s "$file" ] || fail "vcpkg's toolchain file is missing: '$file'"
cmake -S . -B 'v build' -G Ninja -DCMAKE_TOOLCHAIN_FILE="$file" -DVCPKG_C_FLAGS=-DPASSED_ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
	>"$work/stdout" 2>&1 || fail "cmake with vcpkg's file: $(tail -n 20 "$work/stdout")"
grep -q -e '-fPIC -DPASSED_ON' 'v build/compile_commands.json' || fail "vcpkg's flags are not passed on"

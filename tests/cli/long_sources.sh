#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backports of the real archive, and the C++ library inside of programs, built for both targets and run.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
mkdir project
cat >project/xbuild.yaml <<'YAML'
name: sources
hosts: [linux-x86_64, linux-aarch64]
targets: [linux-x86_64, linux-aarch64]
sysroot:
  debian: bookworm
  suites: { backports: { packages: [libelf-dev] } }
build:
  old: { sources: [a.cc], libs: [elf] }
  alone: { sources: [a.cc], libs: [elf], cxx: { static-stdlib: true } }
test:
  old: { run: [build:old] }
  alone: { run: [build:alone] }
YAML
cat >project/a.cc <<'CC'
#include <iostream>
#include <libelf.h>
#include <stdexcept>
int main()
{
	try {
		throw std::runtime_error("thrown");
	} catch (const std::exception &e) {
		std::cout << e.what() << " " << elf_version(EV_CURRENT) << "\n";
	}
}
CC
expect 0 "$xbuild" -C project test
for target in linux-x86_64 linux-aarch64; do
	readelf -dW project/out/$target/old | grep -q 'libstdc++.so.6' || fail "$target: old does not need the library"
	if readelf -dW project/out/$target/alone | grep -q 'libstdc++.so.6'; then fail "$target: alone needs the library"; fi
done
python3 - project/xbuild.lock <<'PY'
import json, sys
for target, sysroot in json.load(open(sys.argv[1]))["sysroots"].items():
    suites = {p["name"]: p["suite"] for p in sysroot["packages"]}
    assert suites["libelf-dev"] == suites["libelf1"] == "bookworm-backports", suites
    assert not [n for n, s in suites.items() if "backports" in s and not n.startswith("libelf")], suites
PY

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libc++ instead of libstdc++, against Debian's real archive: units of sources, of CMake, Meson, autotools and make, shared and static, 'xbuild c++',
# images, run under qemu-user; and what is refused. XB_LIBCXX_SUITES names the releases.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
for tool in readelf qemu-aarch64 qemu-x86_64 cmake make meson ninja autoreconf automake; do
	command -v "$tool" >/dev/null || skip "no $tool"
done

# needs FILE LIBRARY...: these C++ libraries are needed, and no other
needs() {
	file=$1
	shift
	readelf -dW "$file" >"$work/elf"
	for library in libc++.so.1 libstdc++.so.6; do
		case " $* " in
		*" $library "*) grep -q "NEEDED.*\[$library\]" "$work/elf" || fail "$file does not need $library" ;;
		*) if grep -q "NEEDED.*\[$library\]" "$work/elf"; then fail "$file needs $library"; fi ;;
		esac
	done
}

project() {
	mkdir -p "$1/tree" "$1/meson" "$1/auto" "$1/plain" && cd "$1"
	cat >xbuild.yaml <<YAML
name: both
version: "1"
sysroot: { debian: $2 }
targets: [linux-x86_64, linux-aarch64]
build:
  part: { kind: static, sources: [part.cc], include: [.], cxx: { stdlib: libc++ } }
  plug: { kind: shared, sources: [plug.cc], cxx: { stdlib: libc++ } }
  app: { sources: [app.cc], deps: [part, plug], cxx: { stdlib: libc++ } }
  alone: { sources: [app.cc], deps: [part], defines: { ALONE: "" }, cxx: { stdlib: libc++, static-stdlib: true } }
  fixed: { sources: [app.cc], deps: [part], defines: { ALONE: "" }, cxx: { stdlib: libc++ }, ldflags: [-static] }
  old: { sources: [old.cc] }
  made: { cmake: { dir: tree }, outputs: [bin/made], cxx: { stdlib: libc++ } }
  by-meson: { meson: { dir: meson }, outputs: [bin/by-meson], deps: [part], cxx: { stdlib: libc++ } }
  by-auto: { autotools: { dir: auto, autoreconf: true }, outputs: [bin/by-auto], deps: [part], cxx: { stdlib: libc++ } }
  by-make: { make: { dir: plain }, outputs: [bin/by-make], deps: [part], cxx: { stdlib: libc++ } }
test:
  app: { run: [build:app] }
  alone: { run: [build:alone] }
  fixed: { run: [build:fixed] }
  old: { run: [build:old] }
  made: { run: [build:made/bin/made] }
  by-meson: { run: [build:by-meson/bin/by-meson] }
  by-auto: { run: [build:by-auto/bin/by-auto] }
  by-make: { run: [build:by-make/bin/by-make] }
image:
  app: { base: auto, files: { /usr/bin/app: build:app, /usr/lib/libplug.so: build:plug }, entrypoint: [/usr/bin/app] }
  alone: { base: auto, files: { /usr/bin/alone: build:alone }, entrypoint: [/usr/bin/alone] }
YAML
	cat >part.h <<'C'
#include <string>
std::string joined(const std::string &a, const std::string &b);
C
	cat >part.cc <<'C'
#include "part.h"
#include <stdexcept>
#ifndef _LIBCPP_VERSION
#error "not libc++"
#endif
std::string joined(const std::string &a, const std::string &b)
{
	if (b.empty())
		throw std::runtime_error("nothing to join");
	return a + " " + b;
}
C
	cat >plug.cc <<'C'
#include <map>
#include <string>
int lengths(const std::string &text) { std::map<std::string, int> m; m[text] = int(text.size()); return m.begin()->second; }
C
	cat >app.cc <<'C'
#include "part.h"
#include <cxxabi.h>
#include <iostream>
#include <stdexcept>
#include <thread>
#ifdef ALONE
static int lengths(const std::string &text) { return int(text.size()); }
#else
int lengths(const std::string &);
#endif
int main()
{
	std::string said;
	std::thread([&] {
		try {
			joined("a", "");
		} catch (const std::exception &e) {
			said = e.what();
		}
	}).join();
	std::cout << joined("hello", "there") << ", " << said << " " << lengths("four") << std::endl;
	return said == "nothing to join" ? 0 : 1;
}
C
	cat >old.cc <<'C'
#include <iostream>
#ifndef __GLIBCXX__
#error "not libstdc++"
#endif
int main() { std::cout << "old" << std::endl; }
C
	cat >tree/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.16)
project(made CXX)
add_executable(made made.cc)
install(TARGETS made)
C
	cat >tree/made.cc <<'C'
#include <stdexcept>
#include <iostream>
#ifndef _LIBCPP_VERSION
#error "not libc++"
#endif
int main() { try { throw std::runtime_error("made"); } catch (const std::exception &e) { std::cout << e.what() << std::endl; } }
C
	# a std::string and an exception between a unit of sources and a program of each of them
	for other in meson auto plain; do
		cat >$other/user.cc <<'C'
#include <part.h>
#include <iostream>
#include <stdexcept>
#ifndef _LIBCPP_VERSION
#error "not libc++"
#endif
int main() { try { joined("a", ""); } catch (const std::runtime_error &e) { std::cout << joined(e.what(), "!") << std::endl; return 0; } return 1; }
C
	done
	cat >meson/meson.build <<'C'
project('by-meson', 'cpp')
executable('by-meson', 'user.cc', dependencies: dependency('part'), install: true)
C
	cat >auto/configure.ac <<'C'
AC_INIT([by-auto], [1])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CXX
AC_LANG([C++])
AC_CHECK_HEADER([map], [], [AC_MSG_ERROR([no C++ library])])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
C
	printf 'bin_PROGRAMS = by-auto\nby_auto_SOURCES = user.cc\nby_auto_LDADD = -lpart\n' >auto/Makefile.am
	# shellcheck disable=SC2016 # of make
	printf 'by-make: user.o\n\t$(CXX) -o $@ $^ -lpart\ninstall: by-make\n\tinstall -D by-make $(DESTDIR)/usr/bin/by-make\n' >plain/Makefile
}

for suite in ${XB_LIBCXX_SUITES:-bookworm trixie}; do
	project "$work/$suite" "$suite"
	expect 0 "$xbuild" lock
	for profile in dev release; do
		expect 0 "$xbuild" test --profile $profile --json
		python3 - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["failed"] == 0 and result["skipped"] == 0 and result["passed"] >= 28, result
PY
	done
	for target in linux-x86_64 linux-aarch64; do
		needs out/$target/app libc++.so.1
		needs out/$target/libplug.so libc++.so.1
		needs out/$target/alone
		needs out/$target/fixed
		needs out/$target/old libstdc++.so.6
		for other in made by-meson by-auto by-make; do
			needs out/$target/$other libc++.so.1
		done
	done
	expect 0 "$xbuild" image
	expect 0 "$xbuild" inspect out/images/app --json
	grep -q 'libc++1-19' "$work/stdout" || fail "$suite: the image has no libc++1-19"
	grep -q 'libc++abi1-19' "$work/stdout" || fail "$suite: the image has no libc++abi1-19"
	expect 0 "$xbuild" verify out/images/app
	# what was copied into the program is in its papers
	grep -q '"libc++-[0-9]*-dev"' out/images/alone.evidence/linux-x86_64.spdx.json || fail "libc++.a is not in the SBOM"

	# the same of other build systems with the library inside
	sed -i 's/\(\(made\|by-[a-z]*\): .*stdlib: libc++\) }/\1, static-stdlib: true }/' xbuild.yaml
	for other in made by-meson by-auto by-make; do
		expect 0 "$xbuild" test $other
		for target in linux-x86_64 linux-aarch64; do
			needs out/$target/$other
			if readelf -dW out/$target/$other | grep -q 'libc++abi'; then fail "$target: $other needs libc++abi"; fi
		done
	done

	# both in one program
	sed -i '/^  part:/s/libc++/libstdc++/' xbuild.yaml
	expect 2 "$xbuild" build
	says "xbuild.yaml:[0-9]+:[0-9]+: error: unit 'app' is C\+\+ with libc\+\+, and 'part', which it is linked with, with libstdc\+\+"

	# the compilers of the shell
	cd "$work/$suite"
	printf '#include <iostream>\n#ifndef _LIBCPP_VERSION\n#error no\n#endif\nint main() { std::cout << "hi" << std::endl; }\n' >hi.cc
	for words in '' -static; do
		# shellcheck disable=SC2086 # words
		expect 0 "$xbuild" c++ --target linux-aarch64 --debian "$suite" --stdlib libc++ hi.cc $words -o hi
	done
	expect 0 "$xbuild" env --target linux-aarch64 --debian "$suite" --stdlib libc++ --shell conan
	prints '^compiler\.libcxx=libc\+\+$'
	[ "$(qemu-aarch64 ./hi)" = hi ] || fail "$suite: what xbuild c++ --stdlib libc++ made does not say hi"
	cd "$work"
done

# where there is none
project "$work/none" bullseye
expect 2 "$xbuild" lock
says "xbuild.yaml:4:11: error: sysroot 'debian-bullseye' has no libc\+\+ for target 'linux-x86_64'"
says 'use a sysroot that has it, as debian-bookworm'
sed -i 's/bullseye/bookworm/; s/linux-aarch64\]/linux-aarch64-musl]/' xbuild.yaml
expect 2 "$xbuild" lock
says "has no libc\+\+ for target 'linux-aarch64-musl'"

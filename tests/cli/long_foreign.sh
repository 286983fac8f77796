#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What others wrote, built by the build systems they chose: sources of the Debian archive, unchanged but for a project file beside
# them, for both main targets; the results run. XB_FOREIGN names the ones to build (all).
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
qemu="qemu-aarch64"
[ "$(uname -m)" = x86_64 ] || qemu="qemu-x86_64"
command -v $qemu >/dev/null || skip "no $qemu"
command -v apt-get >/dev/null || skip "no apt-get to fetch the sources with"
for tool in cmake ninja meson make go; do command -v $tool >/dev/null || skip "no $tool"; done

# project [--crate] PACKAGE [RELEASE]: its sources, and the project file from standard input
project() {
	flag=
	[ "$1" != --crate ] || { flag=$1 && shift; }
	# shellcheck disable=SC2086 # a flag or none
	python3 "$XB_SOURCE/tests/cli/source.py" $flag "$1" "$work/$1" ${2:+"$2"}
	cd "$work/$1"
	cat >xbuild.yaml
}

# built NUMBER: builds, runs so many tests besides looking at each file, and finds nothing to do the second time
built() {
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" build
	expect 0 "$xbuild" build -n
	[ ! -s "$work/stdout" ] || fail "the second build would run: $(cat "$work/stdout")"
	expect 0 "$xbuild" test --json
	python3 - "$work/stdout" "$1" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
runs = [t for t in result["tests"] if t["kind"] == "run"]
assert result["failed"] == 0 and result["skipped"] == 0 and len(runs) == int(sys.argv[2]), result
PY
	for file in out/linux-aarch64/*; do
		case $(file -b "$file") in
		*"ARM aarch64"* | *directory* | *text* | *archive*) ;;
		*) fail "$file: $(file -b "$file")" ;;
		esac
	done
	rm -rf .xbuild
}

zlib() { # a configure script that no Autoconf made: commands
	project zlib <<'YAML'
name: zlib
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  zlib:
    command:
      configure: [./configure, --prefix=/usr]
      build: [make]
      install: [make, install]
    outputs: [lib/libz.so.1, lib/libz.a]
  check:
    sources: [test/example.c]
    deps: [zlib]
test:
  example: { run: [build:check] }
YAML
	built 2
}

# CMake, and a CMakeLists.txt that renames a file beside it. Debian's package zlib has no win32/, which is named there; this
# package of the same source has.
zlib_by_cmake() {
	project libz-mingw-w64 trixie <<'YAML'
name: zlib
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  zlib:
    cmake: { copy: true }
    outputs: [lib/libz.so.1, lib/libz.a]
  check:
    sources: [test/example.c]
    deps: [zlib]
test:
  example: { run: [build:check] }
YAML
	built 2
	[ -f zconf.h ] || fail "the project's own zconf.h is gone"
}

zstd() { # CMake, in a directory of the project from which it reaches out
	project libzstd <<'YAML'
name: zstd
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  zstd:
    cmake: { source: build/cmake, options: { ZSTD_BUILD_TESTS: OFF } }
    outputs: [bin/zstd, lib/libzstd.so.1]
test:
  version: { run: [build:zstd/bin/zstd, --version] }
  benchmark: { run: [build:zstd/bin/zstd, -b1, -e1, -i0, xbuild.yaml] }
YAML
	built 4
}

tmux() { # Autotools, with libraries of the sysroot
	project tmux <<'YAML'
name: tmux
sysroot: { debian: bookworm, packages: [libevent-dev, libncurses-dev] }
targets: [linux-x86_64, linux-aarch64]
build:
  tmux:
    autotools: { options: { disable-utf8proc: "" } }
    outputs: [bin/tmux]
test:
  version: { run: [build:tmux, -V] }
YAML
	built 2
}

redis() { # a Makefile of Makefiles that knows no DESTDIR
	project redis <<'YAML'
name: redis
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  redis:
    make: { args: ["MALLOC=libc", "PREFIX=${dir.stage}/usr"] }
    outputs: [bin/redis-server, bin/redis-cli]
test:
  version: { run: [build:redis/bin/redis-server, --version] }
YAML
	built 2
}

pkgconf() { # Meson
	project pkgconf <<'YAML'
name: pkgconf
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  pkgconf:
    meson: { options: { tests: false }, args: [--default-library=static] }
    outputs: [bin/pkgconf]
test:
  version: { run: [build:pkgconf, --version] }
YAML
	built 2
}

sqlite() { # Go with C: the program of the module's own examples, linked with the sysroot's library
	project golang-github-mattn-go-sqlite3 <<'YAML'
name: go-sqlite3
sysroot: { debian: bookworm, packages: [libsqlite3-dev] }
targets: [linux-x86_64, linux-aarch64]
build:
  simple:
    go: { packages: [./_example/simple], tags: [libsqlite3] }
    outputs: [bin/simple]
test:
  simple: { run: [build:simple] }
YAML
	built 2
}

# A crate with a -sys dependency as Debian publishes it, with Debian's crates and a sysroot whose C library is newer than that
# of most machines: what is run while it builds starts all the same.
git_absorb() {
	project --crate librust-git-absorb-dev trixie <<'YAML'
name: git-absorb
toolchain: { crates: [librust-git-absorb-dev, librust-tempfile-dev] }
sysroot: { debian: trixie, packages: [libgit2-dev] }
targets: [linux-x86_64, linux-aarch64]
build:
  git-absorb: { cargo: { bins: [git-absorb] } }
test:
  version: { run: [build:git-absorb, --version] }
  history: { run: [build:git-absorb, --dry-run] }
YAML
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" cargo generate-lockfile
	git init -q -b main && git add -A && git commit -q -m start
	built 4
}

answers() { # what a configure script would run a program for is answered by `cache`, in a directory with a blank too
	mkdir "$work/with answers"
	cd "$work/with answers"
	cat >configure.ac <<'AC'
AC_INIT([tool],[1])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
AC_FUNC_MALLOC
AC_CACHE_CHECK([a thing],[ac_cv_thing],[AC_RUN_IFELSE([AC_LANG_PROGRAM],[ac_cv_thing=yes],[ac_cv_thing=no])])
AS_IF([test "$ac_cv_thing" = "a b"],[AC_DEFINE([THING],[7],[it])])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
AC
	printf 'bin_PROGRAMS = tool\ntool_SOURCES = tool.c\n' >Makefile.am
	printf '#include <stdlib.h>\n#ifdef malloc\n#error replaced\n#endif\nint main(void) { free(malloc(1)); return THING - 7; }\n' >tool.c
	cat >xbuild.yaml <<'YAML'
name: tool
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  tool:
    autotools: { autoreconf: true, cache: { ac_cv_thing: "a b" } }
    outputs: [bin/tool]
test:
  tool: { run: [build:tool] }
YAML
	built 2
}

cgo() { # what cmd/go asks pkg-config, for a program with C in it
	mkdir "$work/a cgo"
	cd "$work/a cgo"
	printf 'module example.org/sum\n\ngo 1.19\n' >go.mod
	cat >main.go <<'GO'
package main

// #cgo pkg-config: zlib
// #include <zlib.h>
import "C"
import "fmt"

func main() {
	fmt.Println(uint32(C.adler32(1, nil, 0)), C.GoString(C.zlibVersion()))
}
GO
	cat >xbuild.yaml <<'YAML'
name: sum
sysroot: { debian: bookworm, packages: [zlib1g-dev] }
targets: [linux-x86_64, linux-aarch64]
build:
  sum:
    go: {}
    outputs: [bin/sum]
test:
  sum: { run: [build:sum] }
YAML
	built 2
	# the same bytes in another directory, made anew
	cp -r "$work/a cgo" "$work/cgo"
	cd "$work/cgo"
	rm -rf out "$XBUILD_CACHE_DIR/actions"
	expect 0 "$xbuild" build
	diff -r out "$work/a cgo/out" || fail "the directory is in the result"
	# the directory of the build stays, with a copy of what is another
	sed -i 's/nil, 0)/nil, 0) + 41/' main.go
	expect 0 "$xbuild" build
	expect 0 out/linux-x86_64/sum
	prints '^42 '
}

golang() { # Go alone: with the C library behind net and os/user, and without it
	mkdir -p "$work/golang/who"
	cd "$work/golang"
	printf 'module example.org/who\n\ngo 1.19\n' >who/go.mod
	cat >who/main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os/user"
)

func main() {
	who, err := user.LookupId("0")
	fmt.Println(net.ParseIP("127.0.0.1"), who != nil, err)
}
GO
	cp -r who alone
	sed -i 's/who/alone/' alone/go.mod
	cat >xbuild.yaml <<'YAML'
name: who
sysroot: { debian: bookworm }
targets: [linux-x86_64, linux-aarch64]
build:
  who: { go: { dir: who }, outputs: [bin/who] }
  alone: { go: { dir: alone, env: { CGO_ENABLED: "0" } }, outputs: [bin/alone] }
test:
  who: { run: [build:who] }
  alone: { run: [build:alone] }
YAML
	built 4
	readelf -dW out/linux-aarch64/who | grep -qE 'NEEDED.*libc\.so\.6' || fail "Go: without the C library"
	if readelf -dW out/linux-aarch64/alone | grep NEEDED; then fail "Go alone: with a library"; fi
}

xbuild_itself() { # by its own CMakeLists.txt; what comes out is an xbuild
	git -C "$XB_SOURCE" archive --prefix=xbuild/ HEAD | tar -x -C "$work"
	cd "$work/xbuild"
	libraries=$(sed -n 's/^build: *//p' scripts/packages.debian | tr ' ' '\n' | grep -e '-dev$' | grep -v '^libc6-dev$' | paste -sd, -)
	cat >xbuild.yaml <<YAML
name: xbuild
sysroot: { debian: bookworm, packages: [$libraries] }
targets: [linux-aarch64]
build:
  xbuild:
    cmake: { options: { XBUILD_TESTS: OFF } }
    outputs: [bin/xbuild]
test:
  version: { run: [build:xbuild, --version] }
  targets: { run: [build:xbuild, targets] }
YAML
	built 2
}

for name in ${XB_FOREIGN:-zlib zlib_by_cmake zstd tmux redis pkgconf sqlite cgo golang git_absorb answers xbuild_itself}; do
	"$name"
	echo "$name: built and run for both targets"
done

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild cc and its like: outside of projects, in them, with packages; nothing of the host gets in, and nothing is done twice.
. "$(dirname "$0")/begin.sh"
serve
# every path has blanks: of the store, and of where the work is done
export XBUILD_CACHE_DIR="$work/a store/of mine" XBUILD_LLVM=19 XBUILD_DEBIAN=test
mkdir -p "$work/a store" "$work/some where"
cd "$work/some where"
printf '#include <stdio.h>\n#include <math.h>\nint main(int argc, char **argv) { (void)argv; printf("hello %%g\\n", floor(argc + 0.5)); }\n' >hello.c
printf '#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n' >hello.cc
machine() { readelf -hW "$1" | sed -n 's/^ *Machine: *//p'; }
needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' '; }

# without a network nothing can be chosen, and it says so
expect 3 "$xbuild" cc --offline --target arm64 hello.c -o hello
says 'nothing is locked for linux-aarch64 yet'
says 'hint: .*needs the network'
expect 2 "$xbuild" cc --target armv99 hello.c
says "there is no target 'armv99'"
expect 2 "$xbuild" cc --with 'no/name' hello.c
says "'no/name' is no name of a Debian package"
expect 2 "$xbuild" cc --debian ../../x hello.c
says "'../../x' is no release"

XBUILD_CACHE_DIR="$work/a store/of mine" warm_store
# CI is no reason to refuse a lock that nobody commits
expect 0 env CI=1 "$xbuild" cc --target arm64 hello.c -o hello -lm
says 'first use of a compiler for linux-aarch64'
[ "$(machine hello)" = AArch64 ] || fail "not an aarch64 program: $(machine hello)"
# T1: absolute links of packages do not turn a shared library into a static one
[ "$(needed hello)" = 'libm.so.6 libc.so.6 ' ] || fail "needs $(needed hello)"
readelf -nW hello | grep -q 'Build ID: [0-9a-f]\{40\}$' || fail "no sha1 build id"
readelf -dW hello | grep -q NOW || fail "not bound at the start"

# without a file there is nothing to do, as with the compiler itself
expect 0 "$xbuild" cc --target arm64 -v
says '^Target: aarch64'
silent_about 'error|warning|ld.lld'
expect 1 "$xbuild" cc --target arm64
says 'error: no input files'
silent_about 'ld.lld'

# again: nothing is asked for, and nothing is told
: >"$work/requests"
expect 0 "$xbuild" cc --offline --target linux-aarch64 hello.c -o again -lm
[ ! -s "$work/stderr" ] || fail "the second time it talks: $(cat "$work/stderr")"
cmp hello again || fail "the second program differs"
[ ! -s "$work/requests" ] || fail "the second time it asks for $(cat "$work/requests")"
expect 0 "$xbuild" c++ --target=aarch64-linux-gnu hello.cc -o hellocc
case $(needed hellocc) in *libstdc++.so.6*) ;; *) fail "C++ needs $(needed hellocc)" ;; esac
if command -v qemu-aarch64 >/dev/null; then
	root=$("$xbuild" env --target arm64 --shell json | python3 -c 'import json, sys; print(json.load(sys.stdin)["sysroot"])')
	[ "$(qemu-aarch64 -L "$root" ./hello)" = 'hello 1' ] || fail "hello does not run"
	[ "$(qemu-aarch64 -L "$root" ./hellocc)" = hello ] || fail "hellocc does not run"
fi
# the target of this machine is meant where none is named
expect 0 "$xbuild" cc hello.c -o native -lm
[ "$(machine native)" = "$(machine "$(command -v sh)")" ] || fail "native is $(machine native)"

# T2: no option of the linker makes a compile warn; T6: other linkers are not asked for; T3: ours is found
expect 0 "$xbuild" cc --target arm64 -Wall -Wextra -Werror -c hello.c -o hello.o
[ ! -s "$work/stderr" ] || fail "a compile warns: $(cat "$work/stderr")"
expect 0 "$xbuild" cc --target arm64 -Werror -fuse-ld=gold hello.o -o linked -lm
expect 0 "$xbuild" cc --target arm64 -Werror -fuse-ld=bfd -c hello.c -o hello.o
# more than one job in a call: the compiler starts itself again, by the name of the wrapper
cp hello.c other.c && sed -i 's/main/other/' other.c
expect 0 "$xbuild" cc --target arm64 hello.c other.c -o two -lm
[ "$(machine two)" = AArch64 ] || fail "two is $(machine two)"
# ... also with so many words that they go by a file
i=0
while [ $i -lt 3000 ]; do
	echo "-DWORD_NUMBER_${i}_OF_MANY=\"0123456789012345678901234567890123456789\""
	i=$((i + 1))
done >words
expect 0 "$xbuild" cc --target arm64 @words hello.c other.c -o many -lm
# kinds of links
printf 'int four(void) { return 4; }\n' >four.c
expect 0 "$xbuild" cc --target arm64 -shared -fPIC -Wl,-soname,libfour.so.1 four.c -o libfour.so
expect 0 "$xbuild" cc --target arm64 -r hello.o other.c -o part.o
expect 0 "$xbuild" cc --target arm64 -static hello.c -o static -lm
[ -z "$(needed static)" ] || fail "static needs $(needed static)"
expect 0 "$xbuild" cc --target arm64 -flto=thin -O2 hello.c other.c -o lto -lm
expect 0 "$xbuild" cc --target arm64 -no-pie hello.c -o nopie -lm
readelf -hW nopie | grep -q 'EXEC' || fail "-no-pie made $(readelf -hW nopie | grep Type)"
printf '.globl f\nf: ret\n' >f.S
expect 0 "$xbuild" cc --target arm64 -c f.S -o f.o

# T15: what points the host's compiler somewhere
mkdir -p host/include host/lib
echo '#error host' >host/include/stdio.h
echo 'not a library' >host/lib/libm.so
# a kept result would say nothing of these
export XBUILD_CC_CACHE=off
for variable in CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH; do
	expect 0 env "$variable=$PWD/host/include" "$xbuild" cc hello.c -o polluted -lm
	cmp native polluted || fail "$variable makes a difference"
done
expect 0 env LIBRARY_PATH="$PWD/host/lib" COMPILER_PATH="$PWD/host" CCC_OVERRIDE_OPTIONS='+-DX' GCC_EXEC_PREFIX=/ LD_RUN_PATH=/x \
	LD_LIBRARY_PATH="$PWD/host/lib" CFLAGS=-DCFLAGS LDFLAGS=-lnone "$xbuild" cc hello.c -o polluted -lm
cmp native polluted || fail "the environment makes a difference"
# T13, T11, T12: default configuration files are not read
mkdir -p "$HOME/.config/clang" && echo '-nostdinc' >"$HOME/.config/clang/clang.cfg"
# clang looks for these beside the name that it was started by
find "$XBUILD_CACHE_DIR/cc" -type d -name bin >"$work/bins"
[ -s "$work/bins" ] || fail "the executables are not where they are looked for"
while read -r bin; do
	for name in clang "$(uname -m)-unknown-linux-gnu-clang"; do echo '-nostdinc' >"$bin/$name.cfg"; done
done <"$work/bins"
expect 0 "$xbuild" cc hello.c -o polluted -lm
cmp native polluted || fail "a configuration file makes a difference"
find "$XBUILD_CACHE_DIR/cc" -name '*.cfg' -exec rm {} +
unset XBUILD_CC_CACHE

# the status and the words of the tool are its own
expect 1 "$xbuild" cc --target arm64 missing.c
says "no such file or directory: 'missing.c'"
expect 0 "$xbuild" cc --target arm64 --version
prints '^Target: aarch64-unknown-linux-gnu'
expect 0 "$xbuild" cc --help
prints '^Usage: xbuild cc'
expect 0 "$xbuild" cc --target arm64 -- --help
prints '^USAGE: clang|OVERVIEW: clang'

# further tools
expect 0 "$xbuild" ar --target arm64 rcs libhello.a hello.o
expect 0 "$xbuild" ranlib --target arm64 libhello.a
expect 0 "$xbuild" nm --target arm64 libhello.a
prints ' T main'
expect 0 "$xbuild" strip --target arm64 -o stripped hello
expect 0 "$xbuild" objcopy --target arm64 -O binary stripped flat
expect 0 "$xbuild" ld --target arm64 --version
prints 'LLD'

bin=$("$xbuild" env --target arm64 --shell json | python3 -c 'import json, sys; print(json.load(sys.stdin)["bin"])')
expect 0 "$bin/aarch64-linux-gnu-size" hello
prints 'text.*data.*bss'
expect 0 "$bin/aarch64-linux-gnu-strings" hello
prints '^hello %g$'

# packages of the sysroot, in whatever order
printf '#include <tally.h>\nint main(void) { return 0; }\n' >tally.c
expect 1 "$xbuild" cc --target arm64 -c tally.c
expect 0 "$xbuild" cc --target arm64 --with libtally-dev tally.c -o tally -ltally
says 'with libtally-dev'
[ -s tally ] || fail "tally was not made"
expect 0 "$xbuild" cc --offline --target arm64 --with libtally-dev,libtally-dev -c tally.c
[ ! -s "$work/stderr" ] || fail "the same packages are new ones: $(cat "$work/stderr")"
expect 0 "$xbuild" pkg-config --target arm64 --with libtally-dev --libs tally
prints '^-ltally$'
expect 1 "$xbuild" pkg-config --target arm64 --exists tally
expect 2 "$xbuild" cc --target arm64 --with no-such-package-dev hello.c
says 'no-such-package-dev'

# another xbuild makes the executables its own, though the first is still there
second="$work/a second"
mkdir -p "$second"
cp "$XB_BIN"/xbuild* "$second"
expect 0 "$xbuild" env --target arm64 --shell json
prints '"bin"'
bin=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["bin"])' "$work/stdout")
pkg_config=${bin%/bin}/conf/aarch64-linux-gnu-pkg-config
grep -qaF "$(readlink -f "$xbuild")" "$pkg_config" || fail "pkg-config is not by the first xbuild"
expect 0 "$second/xbuild" cc --offline --target arm64 -c hello.c -o second.o
grep -qaF "$second/xbuild" "$pkg_config" || fail "pkg-config is still that of the first xbuild"
rm -rf "$second"
expect 0 "$xbuild" cc --offline --target arm64 -c hello.c -o second.o
expect 0 "$bin/aarch64-linux-gnu-pkg-config" --version

# a newer lock on request, and many first uses at once
expect 0 "$xbuild" cc --target arm64 --update -c hello.c
says 'update of a compiler'
rm -rf "$XBUILD_CACHE_DIR/cc"
pids=
for i in 1 2 3 4; do
	"$xbuild" cc --target arm64 -c hello.c -o "at-once-$i.o" 2>"$work/at-once-$i" &
	pids="$pids $!"
done
for pid in $pids; do wait "$pid" || :; done # not for the server, which never ends
for i in 1 2 3 4; do [ -s "at-once-$i.o" ] || fail "$i of many at once: $(cat "$work/at-once-$i")"; done
[ "$(cat "$work"/at-once-[1-4] | grep -c 'first use')" = 1 ] || fail "many at once: $(cat "$work"/at-once-[1-4])"

# in a project with a lock: its toolchain, its sysroot with its packages, its targets
hello_project "$work/a project"
cd "$work/a project"
unset XBUILD_LLVM XBUILD_DEBIAN
sed -i 's/^targets: .*/targets: [linux-aarch64]/' xbuild.yaml
expect 0 "$xbuild" lock
cp "$work/some where/tally.c" tally.c
expect 0 "$xbuild" cc --target arm64 -g tally.c -o tally -ltally
[ ! -s "$work/stderr" ] || [ "$(grep -c 'first use' "$work/stderr")" = 0 ] || fail "the project's lock is not used"
[ -d .xbuild/cc ] || fail "nothing was made in the project"
git status --porcelain | grep -F .xbuild && fail "git sees what xbuild remembers"
if strings -a tally | grep -F "$work"; then fail "paths of this machine are in the program"; fi
mkdir -p sub/deeper && cd sub/deeper
expect 0 "$xbuild" cc --offline --target arm64 -c ../../tally.c
expect 2 "$xbuild" cc --target amd64 -c ../../tally.c
says 'has no target linux-x86_64'
expect 1 env XBUILD_LLVM=19 XBUILD_DEBIAN=test "$xbuild" cc --no-project --target arm64 -c ../../tally.c
cd ../..
# a copy of the project is another one: its own files decide, and it lives on without the first
cp -a "$PWD" "$work/a copy"
cd "$work/a copy"
[ -s "$(find .xbuild/cc -name '*.ready')" ] || fail "the copy has nothing that could be taken for its own"
sed -i 's/packages: .*/packages: []/' xbuild.yaml
expect 3 "$xbuild" cc --target arm64 -c tally.c
says 'does not fit the project'
cp "$work/a project/xbuild.yaml" .
expect 0 "$xbuild" env --target arm64 --shell json
prints "\"bin\": \"$work/a copy/"
cd "$work/a project"
# another lock is another compiler
sed -i 's/packages: .*/packages: []/' xbuild.yaml
expect 3 "$xbuild" cc --target arm64 -c tally.c
says 'does not fit the project'
expect 0 "$xbuild" lock
expect 1 "$xbuild" cc --target arm64 -c tally.c
says 'tally.h'

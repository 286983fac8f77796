#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What somebody meets in the first hour: init, typos in the project file, no network, no project, a compile error.
. "$(dirname "$0")/begin.sh"
serve
warm_store

expect 2 "$xbuild" build
says 'xbuild.yaml'
says 'xbuild init'

mkdir fresh && cd fresh
expect 0 "$xbuild" init
says 'hello.c'
[ -s xbuild.yaml ] || fail "init wrote no project file"
[ -s hello.c ] || fail "init wrote no source"
expect 2 "$xbuild" init
says 'exists already'

# a project that has a build system already
mkdir ../built && cd ../built
echo 'int main(void) { return 0; }' >built.c
while read -r file driver; do
	rm -f xbuild.yaml
	echo >"$file"
	expect 0 "$xbuild" init
	says "xbuild.yaml for $file\$"
	grep -q "^    $driver: {" xbuild.yaml || fail "$file: $(cat xbuild.yaml)"
done <<'FILES'
Makefile make
configure.ac autotools
configure autotools
go.mod go
Cargo.toml cargo
meson.build meson
CMakeLists.txt cmake
FILES

cd .. && mkdir typos && cd typos
cat >xbuild.yaml <<'YAML'
name: demo
sysroot: { debian: bookwrm }
targts: [linux-x86_64]
build:
  demo:
    sources: [*.c]
YAML
expect 2 "$xbuild" build
says '^xbuild.yaml:[0-9]+:[0-9]+: error: '
cat >xbuild.yaml <<'YAML'
name: demo
targts: [linux-x86_64]
build:
  demo:
    sources: ["*.c"]
    knd: shared
YAML
expect 2 "$xbuild" build
says '^xbuild.yaml:2:1: error: .*targts'
says "did you mean .targets."
says '^xbuild.yaml:6:5: error: .*knd'
says '^    2 \| targts: \[linux-x86_64\]'
[ "$(grep -c 'error:' "$work/stderr")" = 2 ] || fail "not exactly two problems"
cat >xbuild.yaml <<'YAML'
name: demo
toolchain: { llvm: "99" }
sysroot: { debian: testt }
build: { demo: { sources: ["*.c"] } }
YAML
expect 2 "$xbuild" build
says '^xbuild.yaml:2:20: error: llvm: there is no toolchain .99'
says '^xbuild.yaml:3:20: error: debian: .*testt'

cd .. && hello_project work && cd work

# a dry run writes and fetches nothing, whatever is missing, and says what comes next
expect 3 "$xbuild" build -n
says 'no xbuild.lock, and a dry run makes none'
says "run 'xbuild lock'"
[ ! -e xbuild.lock ] || fail "a dry run wrote a lock"
expect 0 "$xbuild" lock
: >"$work/requests"
expect 0 env XBUILD_CACHE_DIR="$work/empty" "$xbuild" build -n
prints '^linux-[a-z0-9_]* FETCH toolchain$'
prints '^linux-aarch64 FETCH sysroot$'
says "'xbuild fetch' gets it"
[ ! -s "$work/requests" ] || fail "a dry run asked the network: $(cat "$work/requests")"
if [ -e out ] || [ -e .xbuild ]; then fail "a dry run left something"; fi

mkdir -p deep/er && cd deep/er
expect 0 "$xbuild" build tiny
[ -s ../../out/linux-aarch64/tiny ] || fail "not found by walking up"
cd ../..

expect 2 "$xbuild" build tinny
says "tinny"
says "did you mean .tiny"
expect 2 "$xbuild" build --target arm46
says "arm46"
expect 0 "$xbuild" build tiny --target arm64
expect 0 "$xbuild" build tiny --target linux/arm64 --target aarch64-linux-gnu

# a compile error comes whole, with its place; the exit status is 1; what was there stays
cp out/linux-x86_64/tiny before
echo 'int main(void) { return oops; }' >tiny.c
expect 1 "$xbuild" build tiny
says 'tiny.c:1:25: error: use of undeclared identifier'
cmp before out/linux-x86_64/tiny || fail "a failed build touched the old result"
git checkout -q tiny.c

# an error of a link with lto: full names no source; then it is said what does
printf 'profiles: { whole: { lto: full }, lines: { lto: full, debug: lines } }\n' >>xbuild.yaml
echo 'int oops(void); int main(void) { return oops(); }' >tiny.c
expect 1 "$xbuild" build tiny --target amd64 --profile whole
says 'undefined symbol: oops'
says "unit 'tiny' is one object at link time"
expect 1 "$xbuild" build tiny --target amd64 --profile dev
says 'referenced by tiny.c'
silent_about 'one object'
# with lines the linker names the source itself
expect 1 "$xbuild" build tiny --target amd64 --profile lines
silent_about 'one object'
git checkout -q tiny.c xbuild.yaml

# -k builds the rest
echo 'broken' >tiny.c
expect 1 "$xbuild" build -k
[ -s out/linux-x86_64/hello ] || fail "-k did not build the rest"
git checkout -q tiny.c

# without network
kill "$server_pid" && server_pid=
rm -rf "$work/cache"
expect 4 "$xbuild" build --offline
says 'offline'
expect 4 "$xbuild" build
says '127.0.0.1'

# a store that cannot be, and a mirror that has nothing, are trouble outside of the project
expect 4 env XBUILD_CACHE_DIR=/proc/x "$xbuild" build --offline
says "directory '/proc/x'"
says XBUILD_CACHE_DIR
mkdir "$work/nothing" && cp -r "$XB_ARCHIVE/data" "$work/nothing/"
serve "$work/nothing"
expect 4 "$xbuild" lock --update
says '404'
says '--mirror'

# CI never makes a lock, and refuses a stale one
rm xbuild.lock
expect 3 env CI=true "$xbuild" build
says 'xbuild lock'

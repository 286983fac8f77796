#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is made no longer goes from out/, and nothing else does.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project

gone() { [ ! -e "out/$1" ] || fail "out/$1 is still there"; }
there() { [ -f "out/$1" ] || fail "out/$1 is gone"; }

expect 0 "$xbuild" build
echo mine >out/linux-x86_64/mine
cp .xbuild/outputs first
(sed -n 's/^\([0-9a-f]*\) [^ ]* [^ ]* /\1  /p' .xbuild/outputs | sha256sum -c --quiet -) || fail "the list is not what is there"

# a renamed unit: the old program goes where its target is built, all of it once all are
sed 's/^  tiny:/  small:/' xbuild.yaml >new && mv new xbuild.yaml
expect 0 "$xbuild" build hello
there linux-x86_64/tiny
expect 0 "$xbuild" build small --target linux-x86_64
there linux-x86_64/tiny
expect 0 "$xbuild" build --target linux-x86_64
says "'out/linux-x86_64/tiny' is made no longer and was removed"
gone linux-x86_64/tiny
there linux-x86_64/mine
there linux-aarch64/tiny

# a file that somebody changed since stays
echo changed >>out/linux-aarch64/tiny
expect 0 "$xbuild" build
there linux-aarch64/tiny
there linux-aarch64/small
there linux-x86_64/mine
rm out/linux-aarch64/tiny

# what is of no target of the project any more goes only where all targets are built
mkdir out/linux-old
echo old >out/linux-old/tiny
echo "$(sha256sum out/linux-old/tiny | cut -d ' ' -f 1) linux-old tiny out/linux-old/tiny" >>.xbuild/outputs
expect 0 "$xbuild" build --target linux-x86_64
there linux-old/tiny
expect 0 "$xbuild" build
gone linux-old

# a debug file of another profile goes with the next build of its unit
printf 'profiles:\n  split: { debug: split }\n' >>xbuild.yaml
expect 0 "$xbuild" build --profile split
there linux-x86_64/small.debug
expect 0 "$xbuild" build small
gone linux-x86_64/small.debug
there linux-x86_64/hello.debug

# a failed build and a dry run remove nothing
sed 's/^  small:/  wee:/' xbuild.yaml >new && mv new xbuild.yaml
expect 0 "$xbuild" build -n
there linux-x86_64/small
echo 'int main(void) { return oops; }' >tiny.c
expect 1 "$xbuild" build
there linux-x86_64/small
git checkout -q tiny.c

# what a killed build left half-written goes with the next one
: >out/linux-x86_64/.xb-tmp-a1B2c3
expect 0 "$xbuild" build -n
there linux-x86_64/.xb-tmp-a1B2c3
expect 0 "$xbuild" build
gone linux-x86_64/.xb-tmp-a1B2c3

# a target that the project has no more: its directory goes when nothing of somebody else is in it
sed 's/^targets:.*/targets: [linux-x86_64]/' xbuild.yaml >new && mv new xbuild.yaml
expect 0 "$xbuild" lock
expect 0 "$xbuild" build hello
there linux-aarch64/hello
expect 0 "$xbuild" build
gone linux-x86_64/small
[ ! -e out/linux-aarch64 ] || fail "left: $(ls out/linux-aarch64)"
there linux-x86_64/mine

# the list is a cache: without it, or with nonsense in it, nothing is removed
sed 's/^  wee:/  tiny:/' xbuild.yaml >new && mv new xbuild.yaml
printf 'nonsense\n%064d linux-x86_64 x ../xbuild.yaml\n%s linux-x86_64 x xbuild.yaml\n' 0 \
	"$(sha256sum xbuild.yaml | cut -c 1-64)" >.xbuild/outputs
expect 0 "$xbuild" build
there linux-x86_64/wee
[ -f xbuild.yaml ] || fail "a file outside of out/ was removed"

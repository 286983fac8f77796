#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that was not there, and would have been read: what a build looked for in vain counts as much as what it found. A
# build behind the change, and one of a fresh checkout with the same store, give what an empty store gives.
. "$(dirname "$0")/begin.sh"
serve
warm_store
arch=$(uname -m)
mkdir project
cd project
mkdir -p inc ia ib la lb
cat >xbuild.yaml <<END
name: appears
toolchain: {llvm: "19"}
hosts: [linux-$arch]
sysroot: {debian: test}
targets: [linux-$arch]
build:
  asked: {sources: [asked.c], include: [inc]}
  first: {sources: [first.c], ldflags: [-Lla, -Llb, -lfoo]}
  data: {sources: [data_main.c, data.S], include: [ia, ib]}
  foo: {kind: static, sources: [foo.c]}
END
cat >asked.c <<'END'
#if __has_include("opt.h")
#include "opt.h"
#else
#define OPT 0
#endif
int main(void) { return OPT; }
END
echo 'int foo(void); int main(void) { return foo(); }' >first.c
echo 'int foo(void) { return N; }' >foo.c
echo 'extern const char data[]; int main(void) { return data[0] - 48 + data[1] - 48; }' >data_main.c
cat >data.S <<'END'
	.section .rodata
	.globl data
data:
	.include "x.inc"
	.incbin "b.bin"
	.section .note.GNU-stack,"",%progbits
END
echo '.ascii "1"' >ib/x.inc
printf 1 >ib/b.bin

# library N FILE: libfoo.a with a function that gives N
library() {
	sed -i "s/foo: {kind: static.*/foo: {kind: static, sources: [foo.c], defines: {N: \"$1\"}}/" xbuild.yaml
	expect 0 "$xbuild" build foo
	cp "out/linux-$arch/libfoo.a" "$2"
}
# gives NAME STATUS WHEN: what the program answers
gives() {
	got=0
	"out/linux-$arch/$1" || got=$?
	[ "$got" = "$2" ] || fail "$1: expected $2, got $got ($3)"
}
# all ASKED FIRST DATA WHEN
all() {
	gives asked "$1" "$4"
	gives first "$2" "$4"
	gives data "$3" "$4"
}

library 1 lb/libfoo.a
library 2 ../libfoo.a
expect 0 "$xbuild" build
all 0 1 2 "before"

echo '#define OPT 7' >inc/opt.h
cp ../libfoo.a la/
echo '.ascii "2"' >ia/x.inc
printf 3 >ia/b.bin
expect 0 "$xbuild" build
all 7 2 5 "after the files appeared"

rm -rf out .xbuild
expect 0 "$xbuild" build
all 7 2 5 "a fresh checkout, the same store"

# and they go again
rm inc/opt.h la/libfoo.a ia/x.inc ia/b.bin
expect 0 "$xbuild" build
all 0 1 2 "after they went"

# a name that is not written out cannot be kept in mind: said, and made anew each time
cat >asked.c <<'END'
#define NAME "opt.h"
#if __has_include(NAME)
#include NAME
#else
#define OPT 0
#endif
int main(void) { return OPT; }
END
expect 0 "$xbuild" build asked
says 'not remembered'
gives asked 0 "a macro"
echo '#define OPT 7' >inc/opt.h
expect 0 "$xbuild" build asked
gives asked 7 "a macro, after the file appeared"

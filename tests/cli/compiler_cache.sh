#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild cc keeps results: what comes from the store is what the compiler itself makes, to the byte and the word, and whatever
# changes a result makes it be made anew. What the compiler does not do is counted: its executables are replaced by ones that
# write down that they were started.
. "$(dirname "$0")/begin.sh"
serve
export XBUILD_LLVM=19 XBUILD_DEBIAN=test
warm_store
mkdir "$work/here" && cd "$work/here"
printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >hello.c
expect 0 "$xbuild" cc --target arm64 -c hello.c -o first.o

# the directory of the executables; those of the compiler and the linker become shell scripts
bin=$("$xbuild" env --target arm64 --shell json | python3 -c 'import json, sys; print(json.load(sys.stdin)["bin"])')
for tool in clang clang++ ld.lld; do
	name=aarch64-linux-gnu-$tool
	mv "$bin/$name" "$bin/$name.real"
	cp "$bin/../conf/$name" "$bin/../conf/$name.real"
	# shellcheck disable=SC2016 # the script's own
	printf '#!/bin/sh\necho "%s $1" >>"%s"\nexec "%s" "$@"\n' "$tool" "$work/started" "$bin/$name.real" >"$bin/$name"
	chmod 755 "$bin/$name"
done

# call WORD...: the compiler itself, and then xbuild with its store: status, output with its mode, and messages are the same
call() {
	rm -f out wanted
	status=0
	env XBUILD_CC_CACHE=off "$xbuild" "$cc" --target arm64 "$@" -o out >"$work/wanted.err" 2>&1 || status=$?
	[ ! -e out ] || mv out wanted
	: >"$work/started"
	got=0
	"$xbuild" "$cc" --target arm64 "$@" -o out >"$work/got.err" 2>&1 || got=$?
	[ "$got" = "$status" ] || fail "$*: exit status $got, not $status: $(cat "$work/got.err")"
	sed 's/[a-z]*-[0-9a-f]*\.o/OBJECT/g; s/[^ ]*OBJECT/OBJECT/g' "$work/wanted.err" >"$work/wanted.plain"
	sed 's/[a-z]*-[0-9a-f]*\.o/OBJECT/g; s/[^ ]*OBJECT/OBJECT/g' "$work/got.err" >"$work/got.plain"
	cmp "$work/wanted.plain" "$work/got.plain" || fail "$*: says other words: $(diff "$work/wanted.plain" "$work/got.plain")"
	if [ -e wanted ]; then
		cmp wanted out || fail "$*: another output than the compiler's"
		[ "$(stat -c %a wanted)" = "$(stat -c %a out)" ] || fail "$*: mode $(stat -c %a out), not $(stat -c %a wanted)"
	else
		[ ! -e out ] || fail "$*: there is an output although it fails"
	fi
}
cc=cc
kept() {
	call "$@"
	[ ! -s "$work/started" ] || fail "$*: not from the store: $(cat "$work/started")"
}
made() {
	call "$@"
	grep -q . "$work/started" || fail "$*: from the store, although something changed"
}
compiled() { # made, by a compile alone: the driver was not asked again, nor did it start anything
	made "$@"
	grep -q 'clang.* -cc1$' "$work/started" || fail "$*: $(cat "$work/started")"
	[ "$(grep -vc -e ' -cc1$' -e '^ld' "$work/started")" = 0 ] || fail "$*: the driver was started: $(cat "$work/started")"
}
never() { # always by the compiler itself
	call "$@"
	made "$@"
	made "$@"
}

made hello.c
kept hello.c
made -c hello.c
kept -c hello.c
made -c -g -O2 -Wall hello.c
kept -c -g -O2 -Wall hello.c
umask 077
kept hello.c
umask 022

# the source, the flags, the environment, the directory
printf '#include <stdio.h>\nint main(void) { puts("changed"); return 0; }\n' >hello.c
compiled hello.c
kept hello.c
printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >hello.c
kept hello.c # as it was before
printf '\n' >>hello.c
compiled hello.c
made -O2 hello.c
made -DX hello.c
kept -O2 hello.c
mkdir other host
cp hello.c other
cd other
made -c -g hello.c
cd ..
ln -s . also
made -c -g hello.c
kept -c -g hello.c
(cd also && made -c -g hello.c) # PWD has another name for the directory, which the debug information tells
echo '#error host' >host/stdio.h
export CPATH="$PWD/host"
kept hello.c # taken away, as by the compiler
unset CPATH
export CLANG_ANYTHING=1
made hello.c # a variable that nobody knows
unset CLANG_ANYTHING

# the time of day
printf 'const char *when = __TIMESTAMP__;\n' >stamp.c
never -c stamp.c
printf 'const char *when = __DATE__;\n' >when.c
never -c when.c
never -c -DWHEN=__DATE__ hello.c
printf 'const char *when = __DATE__ " " __TIME__;\n' >when.c
export SOURCE_DATE_EPOCH=1000
made -c when.c
kept -c when.c
export SOURCE_DATE_EPOCH=100000000
made -c when.c
unset SOURCE_DATE_EPOCH

# headers: changed, gone, and one that appears where it is looked for earlier
mkdir -p early late/sub src
printf '#define N 1\n' >late/n.h
printf '#include "n.h"\n#if __has_include(<maybe.h>)\n#include <maybe.h>\n#endif\n#ifndef M\n#define M 0\n#endif\nint n = N + M;\n' >src/n.c
set -- -c -Iearly -Inone -isystem late src/n.c
settle() { # files of this moment are not trusted: a tick of the clock has to pass, and compiles take longer than that
	call "$@"
	call "$@"
}
settle "$@"
kept "$@"
printf '#define N 2\n' >late/n.h
compiled "$@"
settle "$@"
kept "$@"
printf '#define N 3\n' >early/n.h
compiled "$@"
settle "$@"
kept "$@"
rm early/n.h
kept "$@"
printf '#define N 4\n' >src/n.h # beside the source
compiled "$@"
rm src/n.h
kept "$@"
mkdir none
printf '#define N 5\n' >none/n.h # in a directory that was not there
compiled "$@"
rm -r none
kept "$@"
printf '#define M 6\n' >late/maybe.h # what __has_include did not find
compiled "$@"
rm late/maybe.h
kept "$@"
mkdir -p early/bits
printf '#include "none.h"\n' >early/stdio.h # one of the sysroot's
set -- -c -Iearly hello.c
rm early/stdio.h
settle "$@"
kept "$@"
printf '#define puts(x) 0\n#include_next <stdio.h>\n' >early/stdio.h
compiled "$@"
rm -r early/stdio.h
kept "$@"
# a directory of the path that is a link, turned elsewhere
mkdir one two
printf '#define N 1\n' >one/n.h
printf '#define N 2\n' >two/n.h
ln -s one turned
set -- -c -Iturned src/n.c
settle "$@"
kept "$@"
ln -sfn two turned
compiled "$@"

# what no list of the compiler tells
printf 'data' >data.bin
printf '__asm__(".section .rodata\\n.incbin \\"data.bin\\"\\n");\n' >inc.c
never -c inc.c
# ... of the assembler's own words, in any case
printf '.globl one\none: .long 1\n' >included.s
for directive in .include .INCLUDE; do
	printf '__asm__("%s \\"included.s\\"\\n");\n' "$directive" >outer.c
	never -c outer.c
done
printf '#define NAME <maybe.h>\n#if __has_include(NAME)\n#endif\nint x;\n' >macro.c
never -c -Iearly macro.c

# libraries: the content, and the place
printf 'int one(void) { return 1; }\n' >one.c
"$xbuild" cc --target arm64 -c one.c -o one.o
"$xbuild" ar --target arm64 rcs late/libone.a one.o
printf 'int one(void);\nint main(void) { return one(); }\n' >uses.c
set -- uses.c -Learly -Llate -lone
settle "$@"
kept "$@"
printf 'int one(void) { return 2; }\n' >one.c
"$xbuild" cc --target arm64 -c one.c -o one.o
"$xbuild" ar --target arm64 rcs early/libone.a one.o
made "$@"
settle "$@"
kept "$@"
rm early/libone.a
kept "$@"
"$xbuild" cc --target arm64 -shared -fPIC one.c -o late/libone.so
made "$@"
rm late/libone.so
printf 'INPUT(libelse.a)\n' >early/libone.so # a script names others
cp late/libone.a early/libelse.a
never "$@"
rm early/libone.so

# ... that a script of the sysroot names, or an object
printf '#pragma comment(lib, "one")\nint one(void);\nint main(void) { return one(); }\n' >pragma.c
never pragma.c -Learly -Llate
mkdir later
set -- --with libssl-dev hello.c -Llater -lsslall
expect 0 "$xbuild" cc --target arm64 "$@" -o out
for name in libssl.so libssl.a libssl.so.3; do
	settle "$@"
	"$xbuild" cc --target arm64 -shared -fPIC one.c -Wl,-soname,libearlier.so -o later/$name
	settle "$@"
	rm later/$name
done

# kinds of calls
printf 'int two(void) { return 2; }\n' >two.c
for words in '-shared -fPIC two.c -Wl,-soname,libtwo.so.1' '-static hello.c' '-no-pie hello.c -s' 'hello.c two.c -pthread' \
	'-S -O2 two.c' '-c -x c++ two.c' '-O2 -fPIC -ffunction-sections -Wl,--gc-sections,-z,now hello.c one.o'; do
	# shellcheck disable=SC2086 # words
	settle $words
	# shellcheck disable=SC2086 # words
	kept $words
done
printf '#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n' >hello.cc
cc=c++
settle -O1 hello.cc
kept -O1 hello.cc
cc=cc
# ... that are left to the compiler
for words in '-c -MD -MF deps hello.c' '-c -march=native -w two.c' '-flto hello.c' '-save-temps -c hello.c'; do
	# shellcheck disable=SC2086 # words
	call $words
	grep -q 'clang ' "$work/started" || fail "$words: the compiler was not started"
	if grep -q -e '-###' "$work/started"; then fail "$words: $(cat "$work/started")"; fi
done
rm -f hello.i hello.s hello.bc

# an output that is no file
expect 0 "$xbuild" cc --target arm64 -c two.c -o /dev/null
[ -c /dev/null ] || fail "/dev/null is no device any more"

# messages: of what is kept they are shown again; what fails is not kept
printf '#warning look here\nint f(void) { int unused; return 0; }\n' >warn.c
settle -c -Wall warn.c
kept -c -Wall warn.c
grep -q 'look here' "$work/got.err" || fail "a warning is lost: $(cat "$work/got.err")"
grep -q "unused variable 'unused'" "$work/got.err" || fail "a warning is lost: $(cat "$work/got.err")"
made -c -Wall -Werror warn.c
compiled -c -Wall -Werror warn.c
printf 'int main(void) { return nowhere(); }\nint nowhere(void);\n' >broken.c
made broken.c
compiled broken.c
printf 'int nowhere(void);\nint main(void) { return nowhere(); }\n' >broken.c
made broken.c
made broken.c
rm hello.cc
expect 1 "$xbuild" c++ --target arm64 -O1 hello.cc -o out
says "no such file or directory: 'hello.cc'"

# spoil FILE OFFSET: another file with a wrong byte in its place; the store's may be linked elsewhere
spoil() {
	cp "$1" "$work/spoilt"
	chmod u+w "$work/spoilt"
	printf 'x' | dd of="$work/spoilt" bs=1 seek="$2" conv=notrunc 2>/dev/null
	mv -f "$work/spoilt" "$1"
}
# damage in the store: every entry and every blob of these calls, one kind after the other
kept hello.c
find "$XBUILD_CACHE_DIR/actions" -type f -newer first.o >"$work/entries"
while read -r entry; do
	spoil "$entry" 60
done <"$work/entries"
made hello.c
kept hello.c
object=$(sha256sum <out | cut -d ' ' -f 1)
spoil "$(blob "$object")" 200
made hello.c
kept hello.c
"$xbuild" cc --target arm64 -c hello.c -o hello.o
object=$(sha256sum <hello.o | cut -d ' ' -f 1)
spoil "$(blob "$object")" 100
made hello.c
kept hello.c

# a precompiled header beside one that is named is taken by the driver, as long as it is there
printf 'enum { CODE = 3 };\n' >named.h
printf 'int main(void) { return CODE; }\n' >taken.c
compile_taken() { expect 0 "$xbuild" cc --target arm64 -c -include named.h taken.c -o taken.o; }
compile_taken
expect 0 "$xbuild" cc --target arm64 -x c-header named.h -o named.h.pch
compile_taken
rm named.h.pch
compile_taken
expect 0 "$xbuild" cc --target arm64 named.h
[ -f named.h.pch ] || fail "no precompiled header"
printf 'enum { CODE = 4 };\n' >named.h
rm named.h.pch
compile_taken
XBUILD_CC_CACHE=off "$xbuild" cc --target arm64 -c -include named.h taken.c -o wanted
cmp wanted taken.o || fail "an object of the precompiled header that was there before"

# a header that changes when the compiler has read it, and before that has come to an end: its new content has not made this object
printf 'enum { CODE = 1 };\n' >early.h
printf '#include "early.h"\n#include "late.h"\nint main(void) { return CODE; }\n' >race.c
mkfifo late.h
timeout 60 sh -c 'exec 3>late.h; echo "enum { CODE = 2 };" >early.h; rm late.h; echo >late.h; echo >&3' &
writer=$!
timeout 60 "$xbuild" cc --target arm64 -c race.c -o race.o || fail "a header that is a pipe"
wait "$writer" || fail "the compiler has not opened the pipe"
"$xbuild" cc --target arm64 -c race.c -o race.o
XBUILD_CC_CACHE=off "$xbuild" cc --target arm64 -c race.c -o wanted
cmp wanted race.o || fail "an object of a header's old content was kept for its new one"

# many at once, of the same and of different ones
pids=
for i in 1 2 3 4; do
	sed "s/hello/hello $((i % 2))/" hello.c >"many$i.c"
	mkdir "m$i"
	(
		for n in 1 2 3; do "$xbuild" cc --target arm64 "many$i.c" -o "m$i/$n" 2>"m$i/err$n" || exit 1; done
	) &
	pids="$pids $!"
done
for pid in $pids; do wait "$pid" || fail "one of many at once: $(cat m?/err?)"; done
for i in 1 2 3 4; do
	call "many$i.c"
	for n in 1 2 3; do cmp wanted "m$i/$n" || fail "many at once: m$i/$n is another one"; done
done

sound_store

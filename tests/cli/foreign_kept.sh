#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A build directory that is kept changes no result: what a Makefile does not know of, files with an older time, what a failed
# recipe left, other units' results, and copies of the sources with all that a directory can have.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
serve
warm_store
mkdir -p project/m project/c project/g project/gen project/links/data project/common
cd project
git init -q -b main
cat >xbuild.yaml <<'YAML'
name: kept
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64]
build:
  m: { make: { dir: m }, outputs: [bin/m] }
  core: { kind: static, sources: [core/core.c], include: [core/include] }
  gen: { sources: [gen/gen.c] }
  c:
    cmake: { dir: c }
    deps: [core]
    host-tools: [gen]
    outputs: [bin/c]
  g: { cmake: { dir: g }, outputs: [bin/g] }
  links: { make: { dir: links }, outputs: [share/links] }
YAML
mkdir -p core/include
echo 'int core(void);' >core/include/core.h
echo 'int core(void) { return 3; } const char mark[] = "mark-0";' >core/core.c
printf '#include <stdio.h>\nint main(void) { puts("40"); return 0; }\n' >gen/gen.c

# the Makefile names no header
cat >m/Makefile <<'MAKE'
m: m.c
	$(CC) $(CFLAGS) -o $@ m.c
install: m
	install -D m $(DESTDIR)/usr/bin/m
MAKE
printf '#include "m.h"\nint main(void) { return ANSWER; }\n' >m/m.c
echo '#define ANSWER 1' >m/m.h
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
find_path(CORE_INCLUDE core.h REQUIRED)
find_library(CORE core REQUIRED)
execute_process(COMMAND gen OUTPUT_VARIABLE MORE OUTPUT_STRIP_TRAILING_WHITESPACE)
file(STRINGS ${CORE} MARK REGEX "mark-[0-9]")
string(REGEX REPLACE ".*mark-" "" MARK "${MARK}")
add_executable(c c.c)
target_compile_definitions(c PRIVATE MORE=${MORE}+${MARK})
target_include_directories(c PRIVATE ${CORE_INCLUDE})
target_link_libraries(c PRIVATE ${CORE})
install(TARGETS c)
CMAKE
printf '#include "core.h"\nint main(void) { return core() + MORE; }\n' >c/c.c
# a command does not say that it is made of a program, whose source is one of the project's
cat >g/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(g C)
add_executable(answer answer.c)
add_custom_command(OUTPUT answer.h COMMAND answer answer.h)
add_executable(g g.c answer.h)
target_include_directories(g PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
install(TARGETS g)
CMAKE
cat >g/answer.c <<'C'
#include <stdio.h>
int main(int argc, char **argv) { return argc < 2 || !freopen(argv[1], "w", stdout) || puts("#define ANSWER 6") < 0; }
C
printf '#include "answer.h"\nint main(void) { return ANSWER; }\n' >g/g.c
cat >links/Makefile <<'MAKE'
all:
install:
	mkdir -p $(DESTDIR)/usr/share/links
	cp -RP . $(DESTDIR)/usr/share/links
	rm $(DESTDIR)/usr/share/links/common
	test -r common/text
MAKE
echo text >common/text
echo data >links/data/file
ln -s data links/inner
ln -s ../common links/common
ln -s nowhere links/dangling
ln -s data/file links/linked
mkdir links/empty
echo run >links/run
chmod 755 links/run
expect 0 "$xbuild" lock

# gives STATUS PROGRAM WHAT
gives() {
	expect 0 "$xbuild" build
	! grep -q 'thrown away' "$work/stderr" || fail "$3: was thrown away"
	expect "$1" "out/linux-x86_64/$2"
}
gives 1 m 'a new directory'
echo '#define ANSWER 2' >m/m.h
gives 2 m 'a header that no rule names'
touch m/m.h
gives 2 m 'a header that is what it was'

# a recipe that failed behind its output leaves what make takes for made
cp m/Makefile kept
cat >>m/Makefile <<MAKE
m.h: value
	echo "#define ANSWER 9" >\$@
	test ! -e $work/fails
	echo "#define ANSWER 5" >\$@
m: m.h
MAKE
rm m/m.h
echo 5 >m/value
touch "$work/fails"
expect 1 "$xbuild" build m
rm "$work/fails"
gives 5 m 'behind a recipe that failed'
mv kept m/Makefile
echo '#define ANSWER 2' >m/m.h

# units that it needs, of sources and as a host tool
expect 43 out/linux-x86_64/c
sed -i 's/mark-0/mark-1/' core/core.c
gives 44 c 'another library'
sed -i 's/40/50/' gen/gen.c
gives 54 c 'another host tool'
echo '#define CORE core() + 1' >>core/include/core.h
sed -i 's/core()/CORE/' c/c.c
gives 55 c 'another header of a unit'

expect 6 out/linux-x86_64/g
sed -i 's/ANSWER 6/ANSWER 7/' g/answer.c
gives 7 g 'the source of a program that makes a source'

# build systems go by time: a file that is older than what was made of it
sed 's/CORE/2 + CORE/' c/c.c >c/c.new
touch -d '2001-02-03' c/c.new
mv c/c.new c/c.c
gives 57 c 'a source with an older time'

# what a copy has: links, modes, empty directories
tree() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %l\n' | LC_ALL=C sort); }
copy=$(echo .xbuild/foreign/linux-x86_64/release/links-*/src)
same_copy() {
	tree links | sed "s|^common l .*|common l 777 $PWD/common|; s|^linked l 777 .*|linked f 644 |" >"$work/wanted"
	tree "$copy" >"$work/found"
	diff "$work/wanted" "$work/found" >&2 || fail "$1: the copy is another"
}
same_copy 'a new directory'
rm -r links/empty links/data/file links/inner
mkdir links/data/file links/other
touch links/data/file/x
echo inner >links/inner
rm links/linked
ln -s data/file/x links/linked
chmod 644 links/run
expect 0 "$xbuild" build links
same_copy 'files and directories that changed places'
[ -d out/linux-x86_64/links/other ] || fail "an empty directory did not count"
rmdir links/other
expect 0 "$xbuild" build links
same_copy 'a directory that went'

# the project is elsewhere: the directory names the old place
cp -a . "$work/moved"
cd "$work/moved"
echo '/* again */' >>c/c.c
gives 57 c 'a project that was copied'
sound_store

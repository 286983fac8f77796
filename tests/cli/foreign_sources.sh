#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A build system that writes where its sources are: found before anything is kept, in a copy when asked for, and the copy is kept
# up to date.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
serve
warm_store
mkdir -p project/lib
cd project
cat >xbuild.yaml <<'YAML'
name: writes
version: "1"
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64]
build:
  tool:
    cmake: { dir: lib }
    outputs: [bin/tool]
YAML
cat >lib/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(tool C)
# as zlib's does with zconf.h
if(EXISTS ${CMAKE_SOURCE_DIR}/conf.h)
	file(RENAME ${CMAKE_SOURCE_DIR}/conf.h ${CMAKE_SOURCE_DIR}/conf.h.in)
endif()
configure_file(${CMAKE_SOURCE_DIR}/conf.h.in ${CMAKE_BINARY_DIR}/conf.h)
include_directories(${CMAKE_BINARY_DIR})
add_executable(tool tool.c)
install(TARGETS tool DESTINATION bin)
CMAKE
# shellcheck disable=SC2016 # CMake's
echo '#define GREETING "from ${CMAKE_PROJECT_NAME}"' >lib/conf.h
cat >lib/tool.c <<'C'
#include "conf.h"
#include <stdio.h>
int main(void) { puts(GREETING); return 0; }
C
expect 0 "$xbuild" lock
cp -r ../project "$work/checkout"

expect 1 "$xbuild" build
says "unit 'tool' \(linux-x86_64\): configure changed the project's own files: below 'lib' 'conf\.h' is gone, and 1 more"
says "'cmake: \{ copy: true \}'"
[ ! -e out/linux-x86_64/tool ] || fail "the result was kept"
# also behind a step that failed for another reason
rm -rf lib && cp -r "$work/checkout/lib" .
echo 'message(FATAL_ERROR "as told")' >>lib/CMakeLists.txt
expect 1 "$xbuild" build
says 'as told'
says "warning: .*'conf\.h' is gone"

# in a copy it may; nothing of the project is touched
rm -rf lib && cp -rp "$work/checkout/lib" .
sed -i 's/{ dir: lib }/{ dir: lib, copy: true }/' xbuild.yaml
expect 0 "$xbuild" build -v
diff -r lib "$work/checkout/lib" || fail "the checkout was changed"
expect 0 out/linux-x86_64/tool
prints '^from tool$'
expect 0 "$xbuild" build -v
! grep -qE '^ *BUILD ' "$work/stderr" || fail "it ran again although nothing changed"
python3 - <<'PY'
import json, os
rows = json.load(open("compile_commands.json"))
assert [row["file"] for row in rows] == [os.path.abspath("lib/tool.c")] and rows[0]["file"] in rows[0]["command"], rows
PY
copy=$(echo .xbuild/foreign/linux-x86_64/release/tool-*/src)
[ -e "$copy/conf.h.in" ] || fail "no copy in $copy"

# a changed source is brought, one that went is removed; what the build made of others in its copy stays
sed -i 's/puts(GREETING)/puts(GREETING ", too")/' lib/tool.c
echo more >lib/more.txt
expect 0 "$xbuild" build
expect 0 out/linux-x86_64/tool
prints '^from tool, too$'
[ -e "$copy/more.txt" ] || fail "a new file was not brought"
[ ! -e "$copy/conf.h" ] || fail "what the build had removed in its copy came back"
rm lib/more.txt
expect 0 "$xbuild" build
[ ! -e "$copy/more.txt" ] || fail "a file that went is still in the copy"
# ... unless the project changed it: then all begins anew
echo '#define GREETING "again"' >lib/conf.h
expect 0 "$xbuild" build
expect 0 out/linux-x86_64/tool
prints '^again, too$'

# a file that is made while it builds, behind the configuring
rm -rf lib && cp -r "$work/checkout/lib" .
mv lib/conf.h lib/conf.h.in
sed -i 's/, copy: true//' xbuild.yaml
cat >>lib/CMakeLists.txt <<'CMAKE'
add_custom_target(note ALL COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_SOURCE_DIR}/note)
CMAKE
expect 1 "$xbuild" build
says "install changed the project's own files: below 'lib' 'note' is new"
sound_store

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a unit of another build system is made from, and what it is not: the history of the project, which no tool finds.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja git; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
serve
warm_store
mkdir -p project/app
cd project
project() {
	cat >xbuild.yaml <<-YAML
		name: inputs
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64]
		build:
		  app:
		    cmake: { $1 }
		    outputs: [bin/app]
	YAML
}
project 'dir: app'
commit() { git -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m "$1"; }
cat >app/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(app C)
execute_process(COMMAND git rev-parse HEAD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} RESULT_VARIABLE code
	OUTPUT_VARIABLE out ERROR_QUIET)
message("GIT:${code}:${out}")
add_executable(app app.c)
install(TARGETS app)
CMAKE
echo 'int main(void) { return 0; }' >app/app.c
git init -q -b main
commit one
expect 0 "$xbuild" lock

# git finds no history, whether it is that of the project or of the unit's own directory (a submodule)
expect 0 "$xbuild" build -v
says '^GIT:128:$'
git init -q -b main app
(cd app && commit two)
echo '# again' >>app/CMakeLists.txt
rm -rf .xbuild/foreign
expect 0 "$xbuild" build -v
says '^GIT:128:$'
# a commit changes nothing
commit three
expect 0 "$xbuild" build -v
! grep -qE '^ *BUILD ' "$work/stderr" || fail "a commit made it run again"
# a file beside the unit's directory, by its name and through a link to a directory: refused, in each run
refused() {
	expect 1 "$xbuild" build
	says "^error: unit 'app' \(linux-x86_64\): '.*app.c' was made with 'common/code.h' of the project"
	says "^hint: let 'dir' be a directory that holds all that is read"
}
mkdir common
echo '#define CODE 0' >common/code.h
for how in ../common/code.h linked/code.h; do
	rm -f app/linked
	ln -s ../common app/linked
	printf '#include "%s"\nint main(void) { return CODE; }\n' "$how" >app/app.c
	refused
	refused
done
# a link to a file counts as the file
rm app/linked
ln -s ../common/code.h app/code.h
printf '#include "code.h"\nint main(void) { return CODE; }\n' >app/app.c
expect 0 "$xbuild" build
expect 0 out/linux-x86_64/app
sed -i 's/0/3/' common/code.h
expect 0 "$xbuild" build
expect 3 out/linux-x86_64/app
# all of the project as the input
printf '#include "../common/code.h"\nint main(void) { return CODE; }\n' >app/app.c
project 'dir: ., source: app'
expect 0 "$xbuild" build
expect 3 out/linux-x86_64/app
sed -i 's/3/4/' common/code.h
expect 0 "$xbuild" build
expect 4 out/linux-x86_64/app
sound_store

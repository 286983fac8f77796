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
# what is behind a link to a directory counts, too; a link that leads back, and one to all of the machine, do no harm
mkdir data
echo 5 >data/code
ln -s ../data app/data
ln -s ../app data/back
ln -s / data/all
cat >>app/CMakeLists.txt <<'CMAKE'
file(STRINGS ${CMAKE_SOURCE_DIR}/data/code code)
target_compile_definitions(app PRIVATE DATA=${code})
CMAKE
echo 'int main(void) { return DATA; }' >app/app.c
expect 0 "$xbuild" build
expect 5 out/linux-x86_64/app
echo 6 >data/code
expect 0 "$xbuild" build
expect 6 out/linux-x86_64/app
touch data/new
expect 0 "$xbuild" build -v
grep -qE '^ *BUILD ' "$work/stderr" || fail "a new file behind a link was not seen"
# all of the project as the input
printf '#include "../common/code.h"\nint main(void) { return CODE; }\n' >app/app.c
project 'dir: ., source: app'
expect 0 "$xbuild" build
expect 3 out/linux-x86_64/app
sed -i 's/3/4/' common/code.h
expect 0 "$xbuild" build
expect 4 out/linux-x86_64/app

# programs that commands name, scripts' interpreters among them
commands() {
	cat >xbuild.yaml <<-YAML
		name: inputs
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64]
		build:
		  text:
		    command: { dir: gen, $1 }
		    outputs: [share/text]
	YAML
}
mkdir gen "$work/own bin" "$work/bin"
ln -s /bin/sh "$work/bin/interpreter"
cat >"$work/own bin/generator" <<SH
#! $work/bin/interpreter
mkdir -p "\$1/usr/share" && echo one >"\$1/usr/share/text"
SH
chmod +x "$work/own bin/generator"
PATH="$work/own bin:$PATH"
again() {
	expect 0 "$xbuild" build -v
	[ "$(grep -cE '^ *BUILD ' "$work/stderr")" = "$1" ] || fail "$2: $(cat "$work/stderr")"
}
# shellcheck disable=SC2016 # xbuild's own
for how in 'run: [[generator, "${dir.stage}"]]' "run: [['true'], ['$work/own bin/generator', '\${dir.stage}']]" \
	'configure: [x86_64-linux-gnu-gcc, --version], install: [generator, "${dir.stage}"]'; do
	commands "$how"
	again 1 'nothing ran'
	again 0 'it ran again'
	old=$(cat out/linux-x86_64/text)
	sed -i "s/echo $old/echo $old-more/" "$work/own bin/generator"
	again 1 'the program is no input'
	[ "$(cat out/linux-x86_64/text)" = "$old-more" ] || fail "old: $(cat out/linux-x86_64/text)"
	again 0 'it ran again'
	rm "$work/bin/interpreter"
	printf '#!/bin/sh\n# %s\nexec /bin/sh "$@"\n' "$old" >"$work/bin/interpreter"
	chmod +x "$work/bin/interpreter"
	again 1 'the interpreter is no input'
	again 0 'it ran again'
done

# the user's own environment: none of it comes to a step, but the directories of PATH
# shellcheck disable=SC2016 # xbuild's own, and the shell's that the unit starts
commands 'run: [[sh, -c, "mkdir -p $1/usr/share && env | grep -v -e ^_= -e ^DESTDIR= -e ^PWD= | sort >$1/usr/share/text", sh, "${dir.stage}"]]'
expect 0 "$xbuild" build
cp out/linux-x86_64/text "$work/clean"
rm -rf "$XBUILD_CACHE_DIR/actions" .xbuild out
(
	for name in CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH PKG_CONFIG PKG_CONFIG_PATH \
		PKG_CONFIG_LIBDIR MAKEFLAGS MFLAGS GNUMAKEFLAGS DESTDIR PREFIX GOFLAGS GOPATH CGO_CFLAGS RUSTFLAGS RUSTC_WRAPPER CARGO_HOME \
		CARGO_BUILD_TARGET CMAKE_PREFIX_PATH CMAKE_TOOLCHAIN_FILE CMAKE_GENERATOR CMAKE_BUILD_TYPE CONFIG_SITE ac_cv_func_fork ACLOCAL_PATH \
		PYTHONPATH CCACHE_DIR TMPDIR TZ LANG LC_MESSAGES GIT_DIR SOURCE_DATE_EPOCH ANYTHING; do
		export "$name=$work/own bin"
	done
	unset TMPDIR
	expect 0 "$xbuild" build
)
diff "$work/clean" out/linux-x86_64/text || fail "the environment of a step is another"

# what editors leave is none, and does not come into a copy
commands "run: [[sh, -c, 'mkdir -p \"\$1/usr/share\" && ls -A >\"\$1/usr/share/text\"', sh, '\${dir.stage}']]"
expect 0 "$xbuild" build
touch gen/.text.swp gen/text~ gen/.DS_Store 'gen/#text#'
ln -s nobody@nowhere gen/.#text
again 0 'files of editors count'
rm -rf "$XBUILD_CACHE_DIR/actions" .xbuild
again 1 'it was kept'
[ ! -s out/linux-x86_64/text ] || fail "in the copy: $(cat out/linux-x86_64/text)"
touch gen/text.swp 'gen/#text'
again 1 'files that editors do not make are left out'
[ "$(paste -sd' ' out/linux-x86_64/text)" = '#text text.swp' ] || fail "in the copy: $(cat out/linux-x86_64/text)"

# a file that comes while it builds: a pattern may have met it, or not
mkdir appears
# shellcheck disable=SC2016 # of the Makefile
printf 'all:\n\ttest -e "%s/appears/new" || touch "%s/appears/new"\ninstall:\n\tinstall -D Makefile $(DESTDIR)/usr/share/text\n' "$PWD" "$PWD" >appears/Makefile
sed -i '/^build:/,$d' xbuild.yaml
printf 'build:\n  appears: { make: { dir: appears }, outputs: [share/text] }\n' >>xbuild.yaml
expect 5 "$xbuild" build
says "files came or went below 'appears' while unit 'appears' \(linux-x86_64\) was built from it; the result was thrown away"
again 1 'the result was kept'
sound_store
# a file of a command's name that is no program is passed over, as a shell does
mkdir "$work/texts"
echo text >"$work/texts/install"
echo two >gen/a
# shellcheck disable=SC2016 # xbuild's
commands 'run: [[install, -D, a, "${dir.stage}/usr/share/text"]]'
PATH="$work/texts:$PATH" expect 0 "$xbuild" build
[ "$(cat out/linux-x86_64/text)" = two ] || fail "found: $(cat out/linux-x86_64/text)"

# whether a file may be started is an input by itself
# shellcheck disable=SC2016 # of the script
printf '#!/bin/sh\nmkdir -p "$1/usr/share" && echo three >"$1/usr/share/text"\n' >gen/a
chmod 755 gen/a
# shellcheck disable=SC2016 # xbuild's
commands 'run: [[./a, "${dir.stage}"]]'
expect 0 "$xbuild" build
again 0 'it ran again'
chmod 644 gen/a
expect 1 "$xbuild" build
says 'Permission denied'
chmod 755 gen/a
expect 0 "$xbuild" build

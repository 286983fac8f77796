#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the step that configures has read, where the build system itself does not look at it again: a pattern for files, a version
# in a header, a file behind a command, the default of an option. The result is that of a new directory; one whose sources alone
# are others is kept.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
serve
warm_store
mkdir -p project/c project/m project/t
cd project
git init -q -b main
project() {
	cat >xbuild.yaml <<-YAML
		name: configure
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64]
		build:
		  unit: { $1, outputs: [$2] }
	YAML
}
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
file(GLOB SOURCES *.c)
file(STRINGS version.h VERSION REGEX VERSION)
string(REGEX REPLACE "[^0-9]" "" VERSION "${VERSION}")
add_executable(c ${SOURCES})
target_compile_definitions(c PRIVATE NUMBER=${VERSION})
install(TARGETS c)
CMAKE
cat >c/c.c <<'C'
__attribute__((weak)) int more(void);
int main(void) { return NUMBER + (more ? more() : 0); }
C
echo '#define VERSION 1' >c/version.h
project 'cmake: { dir: c }' bin/c
expect 0 "$xbuild" lock

# built STATUS CONFIGURED WHAT: builds, and the program ends so; whether a step configured
built() {
	expect 0 "$xbuild" build -v
	cp "$work/stderr" "$work/log"
	grep -q '^ *BUILD ' "$work/stderr" || fail "$3: nothing was built"
	[ "$(grep -c '^== configure: ' "$work/stderr")" = "$2" ] || {
		head -c 4000 "$work/stderr" >&2
		fail "$3: expected $2 steps that configure"
	}
	expect "$1" out/linux-x86_64/c
}
built 1 1 'a new directory'
echo '#define VERSION 2' >c/version.h
built 2 1 'a version in a header'
echo 'int more(void); int more(void) { return 10; }' >c/more.c
built 12 1 'a new file for a pattern'
sed -i 's/10/20/' c/more.c
built 22 0 'the content of a source'
grep -q "Building C object .*more\.c" "$work/log" || fail "the source that changed was not compiled"
! grep -q "Building C object .*/c\.c" "$work/log" || fail "one that did not change was compiled again"
touch c/version.h
sed -i 's/20/30/' c/more.c
built 32 0 'a header that is what it was'
rm c/more.c
expect 0 "$xbuild" build # as it was once: from the store
expect 2 out/linux-x86_64/c
echo '/* again */' >>c/c.c
built 2 1 'a file that is gone'

# a step that failed in between has left what it left, even if the files are again what they were
cp c/CMakeLists.txt kept
sed -i 's/^install/message(FATAL_ERROR no)\n&/; s/NUMBER=/NUMBER=9/' c/CMakeLists.txt
expect 1 "$xbuild" build
mv kept c/CMakeLists.txt
echo '/* and again */' >>c/c.c
built 2 1 'after one that failed'

# the cache of CMake has the default that was
cp c/CMakeLists.txt kept
cat >>c/CMakeLists.txt <<'CMAKE'
set(EXTRA 0 CACHE STRING "")
target_compile_definitions(c PRIVATE EXTRA=${EXTRA})
CMAKE
sed -i 's/NUMBER/NUMBER + EXTRA/' c/c.c
built 2 1 'a new option'
sed -i 's/EXTRA 0/EXTRA 40/' c/CMakeLists.txt
built 42 1 'another default of an option'
# ... unless the unit says another
project 'cmake: { dir: c, options: { EXTRA: 5 } }' bin/c
built 7 1 'an option'
project 'cmake: { dir: c, options: { EXTRA: 6 } }' bin/c
built 8 1 'another value of an option'
project 'cmake: { dir: c, args: [-DEXTRA=7] }' bin/c
built 9 1 'other words'
project 'cmake: { dir: c }' bin/c
sed -i 's/NUMBER + EXTRA/NUMBER/' c/c.c
mv kept c/CMakeLists.txt

# Meson passes over a directory that is set up already
if command -v meson >/dev/null; then
	cat >m/meson.build <<'MESON'
project('m', 'c')
number = run_command('sh', '-c', 'cat "$MESON_SOURCE_ROOT"/number-* | head -n 1', check: true).stdout().strip()
executable('c', 'c.c', c_args: '-DNUMBER=' + number, install: true)
MESON
	echo 'int main(void) { return NUMBER; }' >m/c.c
	echo 3 >m/number-b
	project 'meson: { dir: m }' bin/c
	built 3 1 'Meson'
	echo 4 >m/number-b
	built 4 1 'a file that a command has read'
	echo 5 >m/number-a
	built 5 1 'a new file that a command has read'
	echo '/* again */' >>m/c.c
	built 5 0 'the content of a source'
	for broken in "error('no')" "project('m'"; do
		cp m/meson.build kept
		echo "$broken" >>m/meson.build
		expect 1 "$xbuild" build
		expect 1 "$xbuild" build
		mv kept m/meson.build
		echo '/* again */' >>m/c.c
		built 5 1 'after one that failed'
	done
else
	echo "SKIPPED: Meson (not there)"
fi

# a configure script is run again, and not by make
cat >t/configure <<'SCRIPT'
#!/bin/sh
cd "$(dirname "$0")" || exit
printf 'c: c.c config.h\n\t$(CC) -o c c.c\ninstall: c\n\tinstall -D c $(DESTDIR)/usr/bin/c\n' >Makefile
cat number >config.h
SCRIPT
chmod +x t/configure
printf 'int main(void) { return\n#include "config.h"\n; }\n' >t/c.c
echo 6 >t/number
project 'autotools: { dir: t }' bin/c
built 6 1 'a configure script'
echo 7 >t/number
built 7 1 'a file that the script has read'
echo '/* again */' >>t/c.c
built 7 1 'the content of a source, which a Makefile may not know'
# shellcheck disable=SC2016 # of the script
sed -i 's/cat number/expr 1 + $(cat number)/' t/configure
built 8 1 'the script itself'
sound_store

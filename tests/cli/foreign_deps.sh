#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Units of sources that a unit of another build system needs: their module of pkg-config and their package of CMake name all that they
# need themselves.
. "$(dirname "$0")/begin.sh"
command -v make >/dev/null || skip "no make"
serve
warm_store
mkdir -p project/low project/core project/both project/app
cd project
git init -q -b main
cat >xbuild.yaml <<'YAML'
name: deps
toolchain: { llvm: "19" }
sysroot: { debian: test, packages: [libtally-dev] }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  low: { kind: static, sources: [low/*.c], include: [low], libs: [m] }
  core: { kind: static, sources: [core/*.c], include: [core], deps: [low], pkg-config: [tally] }
  both: { kind: shared, sources: [both/*.c], include: [both], deps: [core], soname: libboth.so.3 }
  app: { make: { dir: app }, outputs: [bin/app, share/words], deps: [core, both] }
test:
  app: { run: [build:app/bin/app] }
YAML
echo 'double low(double x);' >low/low.h
printf '#include <math.h>\n#include "low.h"\ndouble low(double x) { return cbrt(x) + fmod(x, 5); }\n' >low/low.c
echo 'int core(int n);' >core/core.h
printf '#include <tally.h>\n#include <low.h>\n#include "core.h"\nint core(int n) { return tally_add(n) + (int)low(27); }\n' >core/core.c
echo 'int both(void);' >both/both.h
printf '#include <core.h>\n#include "both.h"\nint both(void) { return core(1); }\n' >both/both.c
cat >app/app.c <<'C'
#include <core.h>
#include <stdio.h>
#include <tally.h>

int main(void)
{
	printf("%d %d\n", core(2), HAVE_TALLY);
	return 0;
}
C
cat >app/Makefile <<'MAKE'
all: app
app: app.c
	$(CC) $(CFLAGS) app.c -o app `$(PKG_CONFIG) --cflags --libs core`
install:
	install -D app $(DESTDIR)/usr/bin/app
	mkdir -p $(DESTDIR)/usr/share
	for m in core both; do $(PKG_CONFIG) --libs-only-l $$m; $(PKG_CONFIG) --static --libs-only-l $$m; done >$(DESTDIR)/usr/share/words
MAKE
expect 0 "$xbuild" lock
expect 0 "$xbuild" test app
prints 'run +app +linux-x86_64 +passed'
words() { tr -s ' \n' ' |' <"out/$1/words"; }
for target in linux-x86_64 linux-aarch64; do
	found=$(words $target)
	[ "$found" = "-lcore -ltally -llow -lm|-lcore -ltally -llow -lm|-lboth|-lboth -lcore -ltally -llow -lm|" ] ||
		fail "$target: the modules say $found"
done

# the library itself is the same: what it needs counts too
sed -i 's/libs: \[m\]/libs: [m, dl]/' xbuild.yaml
expect 0 "$xbuild" build
case $(words linux-aarch64) in
*'-lm -ldl'*) ;;
*) fail "what a library needs has changed, and its user was not built again: $(words linux-aarch64)" ;;
esac

# the same for CMake: the target has the include directories, the library, and what that needs; of a shared one the headers alone
if ! command -v cmake >/dev/null || ! command -v ninja >/dev/null; then
	echo "SKIPPED: CMake (not there)"
	exit 0
fi
mkdir cmake
cat >cmake/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(tool C)
find_package(core REQUIRED)
find_package(both REQUIRED)
find_package(core REQUIRED)
add_executable(tool tool.c)
target_link_libraries(tool core::core)
add_executable(user user.c)
target_link_libraries(user PRIVATE both::both)
install(TARGETS tool user)
install(CODE "file(READ \"${core_CONFIG}\" text)\nfile(WRITE \"\$ENV{DESTDIR}/usr/share/package\" \"\${text}\")")
CMAKE
cp app/app.c cmake/tool.c
# its headers include those of core, of low and of the module
printf '#include <both.h>\n#include <core.h>\n#include <low.h>\n#include <tally.h>\nint main(void) { return both() == 5 && HAVE_TALLY ? 0 : 1; }\n' >cmake/user.c
sed -i '/^test:/,$d' xbuild.yaml
cat >>xbuild.yaml <<'YAML'
  tool: { cmake: { dir: cmake }, outputs: [bin/tool, bin/user, share/package], deps: [core, both] }
test:
  app: { run: [build:app/bin/app] }
  tool: { run: [build:tool/bin/tool] }
YAML
expect 0 "$xbuild" test tool
prints 'run +tool +linux-x86_64 +passed'
for target in linux-x86_64 linux-aarch64; do
	! grep "$PWD" out/$target/package || fail "$target: the package says where it is"
	readelf -dW out/$target/user | grep NEEDED >"$work/needed"
	grep -q 'libboth.so.3' "$work/needed" || fail "user needs $(cat "$work/needed")"
	! grep -q 'libm\.\|tally' "$work/needed" || fail "user needs $(cat "$work/needed")"
	readelf -dW out/$target/tool | grep NEEDED | grep -q 'libm\.' || fail "tool does not need libm"
done
# what a library needs is part of the user's key here too
sed -i 's/libs: \[m, dl\]/libs: [m, dl, rt]/' xbuild.yaml
expect 0 "$xbuild" build tool
grep -rq -- '-lrt' .xbuild/foreign/linux-aarch64/release/tool-*/deps/low || fail "the package of low is the one from before"

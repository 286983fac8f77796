#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is looked at after another build system has run: search paths of this machine, libraries and headers of this machine,
# a static library in place of a shared one, code for another machine; by CMake, Meson, make, configure and plain commands. And
# that none of it is forgotten when a run before has failed.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make; do
	command -v $tool >/dev/null || skip "no $tool"
done
serve
warm_store
mkdir project
cd project
git init -q -b main

# project DRIVER-LINES: a project whose only unit is `unit`
project() {
	cat >xbuild.yaml <<-YAML
		name: checks
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64, linux-aarch64]
		build:
		  unit:
		    $1
		    outputs: [$2]
		${3-}
	YAML
}
project 'make: { dir: a }' bin/a
expect 0 "$xbuild" lock
expect 0 "$xbuild" fetch

# a library and a header that only this machine has, for both targets
here=$work/here
mkdir -p "$here/pkgconfig"
echo 'int here(void); int here(void) { return 0; }' >"$work/here.c"
echo 'int here(void);' >"$here/here.h"
printf 'Name: here\nDescription: x\nVersion: 1\nCflags: -I%s\nLibs: -L%s -lhere\n' "$here" "$here" >"$here/pkgconfig/here.pc"
for target in linux-x86_64 linux-aarch64; do
	mkdir "$here/$target"
	expect 0 "$xbuild" cc --target $target -c "$work/here.c" -o "$work/here.o"
	expect 0 "$xbuild" ar --target $target rc "$here/$target/libhere.a" "$work/here.o"
done
build() {
	wanted=$1
	shift
	expect "$wanted" "$xbuild" build -t linux-aarch64 "$@"
}

# CMake: the build directory, and one of this machine, as a search path
mkdir c
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
add_library(part SHARED part.c)
add_executable(c c.c)
target_link_libraries(c part)
set_target_properties(c PROPERTIES INSTALL_RPATH "${PATHS}")
install(TARGETS c part)
CMAKE
echo 'int part(void); int part(void) { return 0; }' >c/part.c
printf 'int part(void);\nint main(void) { return part(); }\n' >c/c.c
# shellcheck disable=SC2016 # CMake's and the loader's own
for paths in '${dir.build}' /opt/here/lib /usr/libexec/here '$ORIGIN:' '$ORIGIN/../lib:/home/me' lib; do
	project "cmake: { dir: c, options: { PATHS: '$paths' } }" bin/c
	build 1
	says "unit 'unit' \(linux-aarch64\) installed 'usr/bin/c' with the search path '.*', which is neither .ORIGIN nor of the system"
	says '^hint: libraries are found relative to \$ORIGIN'
	[ ! -e out/linux-aarch64/c ] || fail "$paths: it was published"
done
# shellcheck disable=SC2016
for paths in '' '$ORIGIN/../lib' '/usr/lib/here:$ORIGIN'; do
	project "cmake: { dir: c, options: { PATHS: '$paths' } }" bin/c
	build 0
done

# a static library of the sysroot although the shared one is there, as find_library takes it where a link is broken
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
find_library(MATH NAMES libm.a)
if(NOT HOW)
  set(HOW ${MATH})
endif()
add_executable(c c.c)
target_link_libraries(c ${HOW})
if(WHOLE)
  add_executable(whole c.c)
  target_link_libraries(whole -static ${MATH})
endif()
install(TARGETS c)
CMAKE
printf '#include <math.h>\nint main(int argc, char **argv) { (void)argv; return (int)cos(argc * 0.5); }\n' >c/c.c
project 'cmake: { dir: c, options: { WHOLE: true } }' bin/c
build 0
says "^warning: unit 'unit' \(linux-aarch64\): 'c' is linked with 'libm.a', though 'libm.so' is beside it$"
says "^hint: .*'-l:libm.a' says that the static one is meant"
[ "$(grep -c 'linked with' "$work/stderr")" = 1 ] || fail "told more than once: $(cat "$work/stderr")"
for how in -lm -l:libm.a -static; do
	project "cmake: { dir: c, options: { HOW: '$how;-lm' } }" bin/c
	build 0
	silent_about 'linked with'
done

# a header of this machine; the second run compiles nothing, and finds it all the same
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
include(own.cmake OPTIONAL)
add_executable(c c.c d.c)
install(TARGETS c)
CMAKE
echo "include_directories($here)" >c/own.cmake
printf '#include "here.h"\nint main(void) { return 0; }\n' >c/c.c
echo 'int d(void); int d(void) { return wrong; }' >c/d.c
project 'cmake: { dir: c }' bin/c
leak() {
	says "^error: unit 'unit' \(linux-aarch64\): '.*$1' was made with '$(literally "$2")' of this machine"
	says "^hint: keep directories of this machine \($(literally "$3$(dirname "$2")")\) out of its options"
}
build 1 -k
says "undeclared identifier 'wrong'"
silent_about 'of this machine'
echo 'int d(void); int d(void) { return 0; }' >c/d.c
rm -r out
for round in 1 2; do
	build 1
	leak c.c "$here/here.h" -I
	[ ! -e out/linux-aarch64/c ] || fail "round $round: it was published"
done
# mended: one run is enough, whatever was seen before
printf 'int main(void) { return 0; }\n' >c/c.c
rm c/own.cmake
build 0
silent_about 'of this machine'
[ "$(find .xbuild/foreign -name checked | wc -l)" = 1 ] || fail "what was judged is not marked"
root=$(find .xbuild/foreign/linux-aarch64/release -maxdepth 1 -type d -name 'unit-*')
touch "$root/build/kept"
echo '/* more */' >>c/c.c
build 0
[ -e "$root/build/kept" ] || fail "a changed source cost a new build directory"

# make: libraries of this machine, also where the linker writes a list of the caller's own; and its headers
mkdir a
printf 'int here(void);\nint main(void) { return here(); }\n' >a/a.c
cat >a/Makefile <<MAKE
a: a.c
	\$(CC) \$(CFLAGS) -o \$@ \$< \$(MORE)
install: a
	mkdir -p \$(DESTDIR)/usr/bin
	cp a \$(DESTDIR)/usr/bin
MAKE
for more in "-L$here/linux-aarch64 -lhere" "$here/linux-aarch64/libhere.a" \
	"-L$here/linux-aarch64 -lhere -Wl,--dependency-file=own.d"; do
	project "make: { dir: a, args: [\"MORE=$more\"] }" bin/a
	build 1
	leak a "$here/linux-aarch64/libhere.a" -L
done
if [ -e /usr/include/limits.h ]; then
	printf '#include <limits.h>\nint main(void) { return INT_MAX == 0; }\n' >a/a.c
	project "make: { dir: a, args: ['MORE=-isystem /usr/include'] }" bin/a
	build 1
	leak a.c /usr/include/limits.h -I
fi

# beside a program that the build runs: its own data alone
mkdir -p "$work/host/bin" "$work/host/share/make-4.3" "$work/host/share/make" "$work/host/share/makers" "$work/host/share/other"
for dir in make-4.3 make makers other; do echo 'int here(void);' >"$work/host/share/$dir/beside.h"; done
printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v make)" >"$work/host/bin/make"
ln -s "$(command -v cmake)" "$work/host/bin/cmake"
chmod +x "$work/host/bin/make"
path=$PATH PATH=$work/host/bin:$PATH
printf '#include "beside.h"\nint main(void) { return 0; }\n' >a/a.c
for dir in make-4.3 make makers other; do
	project "make: { dir: a, args: ['MORE=-I$work/host/share/$dir'] }" bin/a
	case $dir in
	make | make-*) build 0 ;;
	*)
		build 1
		leak a.c "$work/host/share/$dir/beside.h" -I
		;;
	esac
done
# found by a link: its data are where the file is
project 'cmake: { dir: c }' bin/c
build 0
PATH=$path

# modules of this machine, by the name of the program and by the user's settings
export PKG_CONFIG_PATH="$here/pkgconfig" PKG_CONFIG_LIBDIR="$here/pkgconfig" CPATH="$here" LIBRARY_PATH="$here/linux-aarch64" \
	C_INCLUDE_PATH="$here"
if command -v pkg-config >/dev/null && pkg-config --exists here; then
	printf 'int main(void) { return 0; }\n' >a/a.c
	# shellcheck disable=SC2016 # make's own
	project "make: { dir: a, args: ['MORE=\$(shell pkg-config --libs here || echo missing.o)'] }" bin/a
	build 1
	says "missing.o"
fi
printf '#include "here.h"\nint main(void) { return here(); }\n' >a/a.c
project "make: { dir: a, args: [MORE=-lhere] }" bin/a
build 1
says "'here.h' file not found"
if command -v meson >/dev/null; then
	mkdir m
	printf "project('m', 'c')\nexecutable('m', 'm.c', dependencies: dependency('here', required: get_option('need')), install: true)\n" >m/meson.build
	echo "option('need', type: 'feature', value: 'enabled')" >m/meson_options.txt
	echo 'int main(void) { return 0; }' >m/m.c
	project 'meson: { dir: m }' bin/m
	build 1
	says 'Dependency "here" not found'
	project 'meson: { dir: m, options: { need: disabled } }' bin/m
	build 0
	sed -i "s|install: true|install: true, install_rpath: '$here', c_args: '-I$here'|" m/meson.build
	build 1
	says "installed 'usr/bin/m' with the search path '$here'"
	sed -i "s|install_rpath: '$here', ||" m/meson.build
	echo '#include <here.h>' >>m/m.c
	build 1
	leak m.c "$here/here.h" -I
else
	echo "SKIPPED: Meson (not there)"
fi
unset PKG_CONFIG_PATH PKG_CONFIG_LIBDIR CPATH LIBRARY_PATH C_INCLUDE_PATH

# configure: the same through another door
mkdir t
cat >t/configure <<'SH'
#!/bin/sh
for word; do case $word in LDFLAGS=*) echo "$word" >>Makefile ;; esac; done
echo "CC = $CC" >>Makefile
printf 'all: t\nt: %s/t.c\n\t$(CC) -o $@ $< $(LDFLAGS)\ninstall: t\n\tinstall -D t $(DESTDIR)/usr/bin/t\n' "$(dirname "$0")" >>Makefile
SH
chmod +x t/configure
echo 'int main(void) { return 0; }' >t/t.c
project "autotools: { dir: t, args: ['LDFLAGS=-Wl,-rpath,$here'] }" bin/t
build 1
says "installed 'usr/bin/t' with the search path '$here'"
project "autotools: { dir: t, args: ['LDFLAGS=-L$here/linux-aarch64 -Wl,--whole-archive -lhere -Wl,--no-whole-archive'] }" bin/t
build 1
leak t "$here/linux-aarch64/libhere.a" -L

# what Autoconf's scripts ask by running a program gets no emulator: the message has all that the answer needs
if command -v autoconf >/dev/null && command -v autoreconf >/dev/null; then
	mkdir q
	cat >q/configure.ac <<-'AC'
		AC_INIT([q], [1])
		AC_PROG_CC
		AC_CACHE_CHECK([for something else], [my_cv_else], [my_cv_else=yes])
		AC_CACHE_CHECK([whether fork is fast], [my_cv_fast_fork],
			[AC_RUN_IFELSE([AC_LANG_PROGRAM()], [my_cv_fast_fork=fast], [my_cv_fast_fork=slow])])
		AC_SUBST([FAST], [$my_cv_fast_fork])
		AC_CONFIG_FILES([Makefile])
		AC_OUTPUT
	AC
	# shellcheck disable=SC2016 # of make
	printf 'all:\ninstall:\n\tmkdir -p $(DESTDIR)/usr/share\n\techo @FAST@ >$(DESTDIR)/usr/share/fast\n' >q/Makefile.in
	project 'autotools: { dir: q, autoreconf: true }' share/fast
	build 1
	says "^hint: 'checking whether fork is fast' \(line [0-9]+ of /.*/configure, config.log beside it\) runs a program of the target"
	says "with an emulator or without: give its answer, 'cache: \{ my_cv_fast_fork: \"fast\" \}' or '\"slow\"'$"
	where=$(sed -n 's/^hint: .*(line \([0-9]*\) of \(.*\), config.log.*/\1p \2/p' "$work/stderr")
	sed -n "${where%% *}" "${where#* }" | grep -q 'cannot run test program' || fail "not the line: $where"
	project 'autotools: { dir: q, autoreconf: true, cache: { my_cv_fast_fork: "slow" } }' share/fast
	build 0
	[ "$(cat out/linux-aarch64/fast)" = slow ] || fail "the answer did not get there"
	# one that is kept nowhere, in a script below
	mkdir q/sub
	sed 's/AC_CONFIG_FILES/AC_CONFIG_SUBDIRS([sub])\n&/' q/configure.ac >q/more && mv q/more q/configure.ac
	sed -e 's/AC_CACHE_CHECK(\[whether.*/AC_MSG_CHECKING([for luck])/; s/my_cv_fast_fork=//g; s/\])\])$/])/; /SUBST/d; /SUBDIRS/d' \
		-e 's/^\t*\[AC_RUN/AC_RUN/' q/configure.ac >q/sub/configure.ac
	: >q/sub/Makefile.in
	build 1 # and the script is run again, since it is another
	says "'checking for luck' \(line [0-9]+ of /.*/sub/configure, config.log beside it\)"
	says 'under no name .* fourth argument$'
else
	echo "SKIPPED: Autoconf (not there)"
fi

# code for another machine: a program, and a member of a static library
mkdir x
expect 0 "$xbuild" cc --target linux-aarch64 -c "$work/here.c" -o x/good.o
expect 0 "$xbuild" cc --target linux-x86_64 -c "$work/here.c" -o x/bad.o
expect 0 "$xbuild" cc --target linux-x86_64 -shared -fPIC "$work/here.c" -o x/libx.so
expect 0 "$xbuild" ar --target linux-aarch64 rc x/libmixed.a x/good.o x/bad.o
expect 0 "$xbuild" ar --target linux-aarch64 rc x/libgood.a x/good.o
for file in libmixed.a libx.so bad.o libgood.a; do
	# shellcheck disable=SC2016 # xbuild's own
	project "command: { dir: x, run: [[install, -D, $file, \"\${dir.stage}/usr/lib/$file\"]] }" lib/$file
	case $file in
	libgood.a) build 0 ;;
	*)
		build 1
		says "unit 'unit' \(linux-aarch64\) installed 'usr/lib/$file' for another machine \(ELF machine 62, expected 183\)"
		says "^hint: .*'aarch64-linux-gnu-gcc' is in PATH"
		;;
	esac
done

# a link that leads to where it was made
# shellcheck disable=SC2016 # xbuild's own
for place in '${dir.stage}/usr/lib/libgood.a' "$PWD/x/libgood.a"; do
	project "command: { dir: x, run: [[install, -D, libgood.a, \"\${dir.stage}/usr/lib/libgood.a\"], [ln, -s, \"$place\", \"\${dir.stage}/usr/lib/libother.a\"]] }" lib/libother.a
	build 1
	says "installed the link 'usr/lib/libother.a' to '/.*libgood.a', a place of this machine"
done
project "command: { dir: x, run: [[install, -D, libgood.a, \"\${dir.stage}/usr/lib/libgood.a\"], [ln, -s, /usr/lib/libgood.a, \"\${dir.stage}/usr/lib/libother.a\"]] }" lib/libother.a
build 0
cmp -s x/libgood.a out/linux-aarch64/libother.a || fail "the link was not followed inside of the tree"
# a second name of what was built: the store has a file of its own
project "command: { dir: x, run: [[mkdir, -p, \"\${dir.stage}/usr/lib\"], [cp, libgood.a, \"\${dir.build}/it\"], [ln, \"\${dir.build}/it\", \"\${dir.stage}/usr/lib/libgood.a\"]] }" lib/libgood.a
build 0
echo damage >>"$(find .xbuild/foreign -name it)"
sound_store

# paths of this machine in what is installed: told with the file, and no error
mkdir n
cat >n/make.sh <<'SH'
cd "$1" && shift
put() { mkdir -p "$(dirname "usr/$1")" && cat >"usr/$1"; }
case $1 in
none) printf '%s-more %s.old x%s /a%s {}%s' "$2" "$2" "$2/b" "$2/c" "$2" | sed "s|{}|\${x}|" | put share/none ;;
one) printf 'libdir=%s/.xbuild/lib\nLibs: -L${libdir}' "$2" | put lib/pkgconfig/one.pc ;;
flag) printf 'Libs: -L%s/lib -lx' "$2" | put lib/pkgconfig/one.pc ;;
end) printf 'a %s' "$2" | put share/end ;;
chunk) for n in 1 2 ${#2} 300; do { head -c $((262144 - n)) /dev/zero && printf '%s/x\0' "$2" && head -c 300000 /dev/zero; } | put share/at$n; done ;;
stage) pwd | put share/stage ;;
many) for n in 1 2 3 4 5 6 7; do echo "$2" | put share/m$n; done ;;
esac
SH
for what in none one flag end chunk stage many; do
	rm -f out/linux-aarch64/*
	# shellcheck disable=SC2016 # xbuild's own
	project "command: { dir: n, run: [[sh, make.sh, \"\${dir.stage}\", $what, \"$PWD\"]] }" usr
	sed -i '/outputs/d' xbuild.yaml
	build 0
	here=$(literally "$PWD")
	told="^warning: unit 'unit' \(linux-aarch64\) installed files that hold paths of this machine:"
	case $what in
	none) silent_about 'paths of this machine' ;;
	one) says "$told 'usr/lib/pkgconfig/one.pc' \('$here/.xbuild/lib'\)$" ;;
	flag) says "$told 'usr/lib/pkgconfig/one.pc' \('$here/lib'\)$" ;;
	end) says "$told 'usr/share/end' \('$here'\)$" ;;
	chunk) says "$told 'usr/share/at1' \('$here/x'\), 'usr/share/at2' \('$here/x'\), 'usr/share/at300' \(.*/x'\), 'usr/share/at${#PWD}' \('$here/x'\)$" ;;
	stage) says "$told 'usr/share/stage' \('$(literally "$XBUILD_CACHE_DIR")/.*'\)$" ;;
	many) says "'usr/share/m5' \('$here'\) and 2 more$" ;;
	esac
	[ $what = none ] || says '^hint: such a result differs from directory to directory and from machine to machine'
done

# C++ in a static library of another unit: C programs that need it are linked with the C++ library, others are not
mkdir p user
cat >p/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(p CXX)
add_library(p STATIC p.cc)
install(TARGETS p)
CMAKE
printf '#include <string>\n#include <vector>\nextern "C" int p(int n)\n{\n\tstd::vector<std::string> v(n, "x");\n\tif (n > 9) throw n;\n\treturn static_cast<int>(v.size()) - n;\n}\n' >p/p.cc
printf 'int p(int n);\nint main(int argc, char **argv) { (void)argv; return p(argc); }\n' >user/user.c
echo 'int main(void) { return 0; }' >user/plain.c
project 'cmake: { dir: p }' lib/libp.a "  user: { sources: [user/user.c], deps: [unit] }
  whole: { sources: [user/user.c], deps: [unit], cxx: { static-stdlib: true } }
  static: { sources: [user/user.c], deps: [unit], ldflags: [-static] }
  plain: { sources: [user/plain.c], deps: [unit] }
test:
  user: { run: [build:user] }
  whole: { run: [build:whole] }
  static: { run: [build:static] }"
expect 0 "$xbuild" build
needed() { readelf -dW "out/$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | tr '\n' ' '; }
for target in linux-x86_64 linux-aarch64; do
	case $(needed $target/user) in *libstdc++.so.6*) ;; *) fail "user needs $(needed $target/user)" ;; esac
	case $(needed $target/whole) in *libstdc++*) fail "whole needs $(needed $target/whole)" ;; esac
	[ "$(needed $target/plain)" = "libc.so.6 " ] || fail "plain needs $(needed $target/plain)"
done
expect 0 "$xbuild" test -t linux-x86_64
sound_store

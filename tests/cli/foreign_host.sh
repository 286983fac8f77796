#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What another build system takes from this machine by name where the target is of its kind: compilers; and places where it
# installs to, of any kind.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make gcc; do
	command -v $tool >/dev/null || skip "no $tool"
done
[ "$(uname -m)" = x86_64 ] || skip "the target is to be of this machine's kind"
serve
warm_store
mkdir project
cd project
git init -q -b main

# project DRIVER-LINES OUTPUT [MORE]: a project whose last unit is `unit`
project() {
	cat >xbuild.yaml <<-YAML
		name: host
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64]
		build:
		${3-}
		  unit:
		    $1
		    outputs: [$2]
	YAML
}
warns() {
	says "^warning: unit 'unit' \(linux-x86_64\): no compiler of this target has linked $1: a compiler of this machine did"
	says "^hint: .* 'x86_64-linux-gnu-gcc' is in PATH"
}

# make: a recipe that says gcc, one that does not, both stripped by xbuild; a shared library
mkdir a
echo 'int main(void) { return 0; }' >a/a.c
echo 'int b(void); int b(void) { return 1; }' >a/b.c
cat >a/Makefile <<'MAKE'
all: own other libb.so
own: a.c
	$(CC) $(CFLAGS) $(MORE) -o $@.tmp $<
	mv $@.tmp $@
other: a.c
	$(OTHER) -o $@ $<
libb.so: b.c
	$(OTHER) -shared -fPIC -o $@ $<
install: all
	mkdir -p $(DESTDIR)/usr/bin $(DESTDIR)/usr/lib
	cp own other $(DESTDIR)/usr/bin
	install -s libb.so $(DESTDIR)/usr/lib
MAKE
project 'make: { dir: a, args: [OTHER=gcc] }' bin/own
expect 0 "$xbuild" lock
expect 0 "$xbuild" build
warns "'usr/bin/other', 'usr/lib/libb.so'"
# shellcheck disable=SC2016 # make's own
project 'make: { dir: a, args: ["OTHER=$(CC)"] }' bin/own
expect 0 "$xbuild" build
silent_about 'has linked'
# what was linked by an earlier run is known
echo '/* more */' >>a/b.c
expect 0 "$xbuild" build
silent_about 'has linked'
# without an ID; and a program without one that none of our links has made
# shellcheck disable=SC2016
project 'make: { dir: a, args: ["OTHER=$(CC)", "MORE=-Wl,--build-id=none"] }' bin/own
expect 0 "$xbuild" build
silent_about 'has linked'
project 'make: { dir: a, args: ["OTHER=gcc -Wl,--build-id=none"] }' bin/own
expect 0 "$xbuild" build
warns "'usr/bin/other', 'usr/lib/libb.so'"

# objects: in a link of ours, in a static library that is installed; not those of the sysroot, nor of the project
cat >a/Makefile <<'MAKE'
all: own libw.a
a.o: a.c
	$(OBJECTS) -c -o $@ $<
own: a.o here.o
	$(CC) $(MORE) -o $@ a.o here.o
w.o: b.c
	$(OBJECTS) -c -o $@ $<
libw.a: w.o
	$(AR) rcs $@ w.o
install: all
	mkdir -p $(DESTDIR)/usr/bin $(DESTDIR)/usr/lib
	cp own $(DESTDIR)/usr/bin
	cp libw.a libhere.a $(DESTDIR)/usr/lib
MAKE
echo 'int here(void); int here(void) { return 3; }' >a/here.c
expect 0 gcc -c -o a/here.o a/here.c
expect 0 ar rcs a/libhere.a a/here.o
project 'make: { dir: a, args: [OBJECTS=gcc] }' bin/own
expect 0 "$xbuild" build
says "^warning: unit 'unit' \(linux-x86_64\): GCC, which is of this machine, has compiled 'a.o', 'usr/lib/libw.a'$"
for more in '' -static; do
	# shellcheck disable=SC2016 # make's own
	project "make: { dir: a, args: ['OBJECTS=\$(CC)', MORE=$more] }" bin/own
	expect 0 "$xbuild" build
	silent_about 'has compiled'
done
rm a/here.* a/libhere.a

# CMake: a custom command; and what is there already: a file of the project, of the sysroot, of another unit
mkdir c p
cat >p/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(p C)
add_library(p SHARED p.c)
install(TARGETS p)
CMAKE
echo 'int p(void); int p(void) { return 2; }' >p/p.c
expect 0 gcc -o c/there a/a.c
expect 0 gcc -Wl,--build-id=none -o c/there_too a/a.c
cat >c/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(c C)
add_executable(c "c c.c")
add_custom_target(hosts ALL COMMAND ${HOSTS} -o hosts "${CMAKE_SOURCE_DIR}/c c.c")
install(TARGETS c)
install(PROGRAMS there there_too ${CMAKE_BINARY_DIR}/hosts DESTINATION bin)
find_library(LIBM NAMES libm.so.6 m)
file(REAL_PATH "${LIBM}" LIBM)
find_library(P p)
find_library(CORE core)
file(REAL_PATH "${CORE}" CORE)
foreach(lib P CORE LIBM)
  install(FILES ${${lib}} DESTINATION lib RENAME ${lib}.so)
endforeach()
CMAKE
cp a/a.c 'c/c c.c'
more='  p: { cmake: { dir: p }, outputs: [lib/libp.so] }
  core: { kind: shared, sources: [p/p.c] }'
for hosts in gcc x86_64-linux-gnu-gcc; do
	project "cmake: { dir: c, options: { HOSTS: '$hosts' } }
    deps: [p, core]" "bin/c, lib/P.so, lib/CORE.so, lib/LIBM.so" "$more"
	expect 0 "$xbuild" build unit
	case $hosts in
	gcc) warns "'usr/bin/hosts'" ;;
	*) silent_about 'has linked' ;;
	esac
done

# configure, and plain commands
mkdir t
cat >t/configure <<'SH'
#!/bin/sh
printf 'all: t\nt: %s/t.c\n\t%s -o $@ $<\ninstall: t\n\tinstall -D t $(DESTDIR)/usr/bin/t\n' "$(dirname "$0")" "${OWN-$CC}" >Makefile
SH
chmod +x t/configure
cp a/a.c t/t.c
for own in gcc ''; do
	for how in 'autotools: { dir: t, env: { ' 'command: { dir: t, configure: [./configure], build: [make], install: [make, install], env: { '; do
		project "$how${own:+OWN: $own }} }" bin/t
		expect 0 "$xbuild" build
		[ -z "$own" ] || warns "'usr/bin/t'"
		[ -n "$own" ] || silent_about 'has linked'
	done
done

# places of this machine, in what make says that it would do; of what it must not do here
writes() {
	says "^warning: unit 'unit' \(linux-x86_64\): installing it writes to this machine: $1$"
	says "^hint: what it installs belongs below \\$\(DESTDIR\)"
}
cat >a/Makefile <<'MAKE'
PLACE = $(DESTDIR)
own: a.c
	$(CC) $(CFLAGS) -o $@ $<
install: own
	mkdir -p $(DESTDIR)/usr/bin
	cp own $(DESTDIR)/usr/bin # or /usr/bin
	true || echo it >$(PLACE)/etc/xbuild-no-such-file
	true || install -m 644 a.c "$(PLACE)/var/xbuild no such file"
MAKE
project 'make: { dir: a }' bin/own
expect 0 "$xbuild" build
silent_about 'writes to this machine'
project 'make: { dir: a, args: ["PLACE="] }' bin/own
expect 0 "$xbuild" build
writes "'/etc/xbuild-no-such-file', '/var/xbuild no such file'"
cat >t/configure <<'SH'
#!/bin/sh
printf 'all: t\nt: %s/t.c\n\t$(CC) -o $@ $<\ninstall: t\n\tinstall -D t $(DESTDIR)/usr/bin/t\n' "$(dirname "$0")" >Makefile
printf '\ttrue || cp t %s/usr/xbuild-no-such-file\n%s\n' "$PLACE" "$MORE" >>Makefile
SH
# shellcheck disable=SC2016 # make's own
project 'autotools: { dir: t, env: { PLACE: "$(DESTDIR)" } }' bin/t
expect 0 "$xbuild" build
silent_about 'writes to this machine'
project 'autotools: { dir: t }' bin/t
expect 0 "$xbuild" build
writes "'/usr/xbuild-no-such-file'"
# one that cannot tell what it would do
# shellcheck disable=SC2016
project 'autotools: { dir: t, env: { MORE: "$(if $(findstring n,$(firstword -$(MAKEFLAGS))),$(error no))" } }' bin/t
expect 0 "$xbuild" build
sound_store

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makefiles as people write them: one that says CC = gcc and adds to CFLAGS, one that installs without DESTDIR, one that cannot
# install; and a configure script that no Autoconf made.
. "$(dirname "$0")/begin.sh"
command -v make >/dev/null || skip "no make"
serve
warm_store
mkdir project
cd project
git init -q -b main
cat >tool.c <<'C'
#include <stdio.h>
int main(void)
{
	puts(HELLO);
	return 0;
}
C
cat >Makefile <<'MAKE'
CC = gcc
CFLAGS += -DHELLO='"made"'
PREFIX = /usr/local
tool: tool.c
	$(CC) $(CFLAGS) -o $@ $<
install: tool
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	cp tool $(DESTDIR)$(PREFIX)/bin/tool
MAKE
cat >xbuild.yaml <<'YAML'
name: made
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  tool:
    make: { dir: . }
    outputs: [bin/tool]
YAML
expect 0 "$xbuild" lock
expect 0 "$xbuild" build
file -b out/linux-aarch64/tool | grep -q 'ARM aarch64' || fail "its own CC went before ours: $(file -b out/linux-aarch64/tool)"
file -b out/linux-x86_64/tool | grep -q 'x86-64' || fail "$(file -b out/linux-x86_64/tool)"
[ ! -e tool ] || fail "it built among the sources"
# the profile decides what is left of it
file -b out/linux-aarch64/tool | grep -q ', stripped' || fail "release: $(file -b out/linux-aarch64/tool)"
expect 0 "$xbuild" build --profile dev --target linux-aarch64
file -b out/linux-aarch64/tool | grep -q 'not stripped' || fail "dev: $(file -b out/linux-aarch64/tool)"
expect 0 "$xbuild" build
expect 0 "$xbuild" build
[ "$(jobs_run)" = 0 ] || fail "the second build ran something"

# a variable for the place, and no DESTDIR: nothing is installed to this machine
place=$work/host
sed -i "s|\$(DESTDIR)||g; s|^PREFIX.*|PREFIX = $place|" Makefile
sed -i "s|make: .*|make: { args: [\"PREFIX=$place\"] }|" xbuild.yaml
expect 1 "$xbuild" build
says 'look where it installs: make: its commands do not name the staging tree'
# shellcheck disable=SC2016
says 'PREFIX=\${dir.stage}/usr'
[ ! -e "$place" ] || fail "it installed to this machine"
# shellcheck disable=SC2016 # xbuild's own
sed -i 's|args: .*|args: ["PREFIX=${dir.stage}/usr"] }|' xbuild.yaml
expect 0 "$xbuild" build
[ -x out/linux-aarch64/tool ] || fail "nothing was taken"

# no such goal
sed -i 's/^install:/put:/' Makefile
expect 1 "$xbuild" build
says "No rule to make target 'install'"
says "name the goals that install with 'install: GOAL'"
# shellcheck disable=SC2016
sed -i 's|make: .*|make: { args: ["PREFIX=${dir.stage}/usr"], install: put }|' xbuild.yaml
expect 0 "$xbuild" build

# commands, which find the compilers in the environment
cat >configure <<'SH'
#!/bin/sh
echo "CC = $CC" >config.mk
SH
chmod +x configure
printf 'include config.mk\n' >Makefile.new
sed '/^CC/d; s/^put:/install:/' Makefile >>Makefile.new
mv Makefile.new Makefile
cat >xbuild.yaml <<'YAML'
name: made
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  tool:
    command:
      configure: [./configure]
      build: [make]
      install: [make, install, "PREFIX=${dir.stage}/usr"]
    outputs: [bin/tool]
YAML
expect 0 "$xbuild" build
file -b out/linux-aarch64/tool | grep -q 'ARM aarch64' || fail "$(file -b out/linux-aarch64/tool)"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing of this machine gets into a build: no headers, no libraries, no environment, no programs; and a project file cannot
# ask for it.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
git commit -q -am one
expect 0 "$xbuild" build
outputs >"$work/outputs"
echo '#define OUTSIDE 1' >"$work/outside.h"

# refuses STATUS PATTERN: building tiny.c fails so; nothing of it is remembered
refuses() {
	for try in first second; do
		got=0
		"$xbuild" build tiny >"$work/stdout" 2>"$work/stderr" || got=$?
		# shellcheck disable=SC2254 # a pattern
		case $got in $1) ;; *) fail "$2, $try time: exit status $got: $(cat "$work/stderr")" ;; esac
		says "$2"
	done
	git checkout -q tiny.c xbuild.yaml
	git clean -qfd -e xbuild.lock -e compile_commands.json
	expect 0 "$xbuild" build tiny
	outputs | cmp -s - "$work/outputs" || fail "afterwards the outputs differ"
}

# sources that reach outside
printf 'static const char s[] =\n#include "/etc/debian_version"\n;\nint main(void) { return s[0]; }\n' >tiny.c
refuses '[15]' '/etc/debian_version'
printf '#include "%s/outside.h"\nint main(void) { return OUTSIDE; }\n' "$work" >tiny.c
refuses 5 'outside.h'
printf '#include "../outside.h"\nint main(void) { return OUTSIDE; }\n' >tiny.c
refuses 5 'outside.h'
printf '#if __has_include("%s/outside.h")\n#include "%s/outside.h"\n#endif\nint main(void) { return OUTSIDE; }\n' "$work" "$work" >tiny.c
refuses 5 'outside.h'
ln -s "$work/outside.h" inside.h
printf '#include "inside.h"\nint main(void) { return OUTSIDE; }\n' >tiny.c
refuses 5 'inside.h|outside.h'
mkdir -p "$work/dir" && cp "$work/outside.h" "$work/dir/"
ln -s "$work/dir" linked
printf '#include "linked/outside.h"\nint main(void) { return OUTSIDE; }\n' >tiny.c
refuses 5 'outside.h'
printf '__asm__(".incbin \\"%s/outside.h\\"");\nint main(void) { return 0; }\n' "$work" >tiny.c
refuses 5 'outside.h|incbin'
ln -sf "$work/real.c" link.c
echo 'int main(void) { return 0; }' >"$work/real.c"
sed -i 's/sources: \[tiny.c\]/sources: [link.c]/' xbuild.yaml
refuses '[25]' 'link.c|real.c'

# the host's headers and libraries are not there
printf '#include <only_on_this_host.h>\nint main(void) { return 0; }\n' >tiny.c
mkdir -p "$work/host/include" "$work/host/lib/pkgconfig" "$work/host/bin"
echo '#define HOST 1' >"$work/host/include/only_on_this_host.h"
cat >"$work/host/lib/pkgconfig/onlyhere.pc" <<PC
Name: onlyhere
Description: only on this host
Version: 1
Cflags: -I$work/host/include
Libs: -L$work/host/lib -lonlyhere
PC
for variable in CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH; do
	expect 1 env "$variable=$work/host/include" "$xbuild" build tiny
	says 'only_on_this_host.h'
done
git checkout -q tiny.c
sed -i 's/pkg-config: \[tally\]/pkg-config: [onlyhere]/' xbuild.yaml
expect 2 env PKG_CONFIG_PATH="$work/host/lib/pkgconfig" PKG_CONFIG_LIBDIR="$work/host/lib/pkgconfig" "$xbuild" build hello
says 'onlyhere'
git checkout -q xbuild.yaml

# variables that compilers, linkers and loaders listen to change nothing (LD_PRELOAD would be xbuild's own user's doing)
for program in cc clang gcc ld ld.lld ar as pkg-config sh objcopy strip; do
	printf '#!/bin/sh\ntouch "%s/was-called"\nexit 1\n' "$work" >"$work/host/bin/$program"
	chmod 755 "$work/host/bin/$program"
done
rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
expect 0 env PATH="$work/host/bin:$PATH" CC=false CXX=false LD=false AR=false CFLAGS=-O0 CXXFLAGS=-DX CPPFLAGS=-DX LDFLAGS=-s \
	CPATH="$work/host/include" LIBRARY_PATH="$work/host/lib" COMPILER_PATH="$work/host/bin" GCC_EXEC_PREFIX="$work/host" \
	CCC_OVERRIDE_OPTIONS='+-DX +-O0 #' CCC_ADD_ARGS=-DX QA_OVERRIDE_GCC3_OPTIONS='+-O0' CLANG_CONFIG_FILE_USER_DIR="$work" \
	LD_RUN_PATH=/evil LD_LIBRARY_PATH_EXTRA=/evil GCC_COLORS=x CLANG_NO_DEFAULT_CONFIG= SDKROOT=/ PKG_CONFIG_PATH="$work" \
	DEPENDENCIES_OUTPUT="$work/deps" SUNPRO_DEPENDENCIES="$work/deps" MAKEFLAGS=-n ZERO_AR_DATE= SOURCE_DATE_EPOCH=12345 \
	FORCE_COLOR=1 LLVM_PROFILE_FILE="$work/prof" "$xbuild" build --frozen -v
[ "$(jobs_run)" -gt 8 ] || fail "nothing was compiled"
outputs | cmp -s - "$work/outputs" || fail "the environment changed the outputs"
[ ! -e "$work/was-called" ] || fail "a program of the host was called"
[ ! -e "$work/deps" ] || fail "a file was written because of the environment"

# configuration files of clang beside the project and in the home directory
mkdir -p "$HOME/.config"
for place in "$HOME" "$HOME/.config" . ..; do
	for name in clang.cfg clang++.cfg x86_64-linux-gnu.cfg x86_64-linux-gnu-clang.cfg; do echo '-DX -O0' >"$place/$name"; done
done
rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
expect 0 "$xbuild" build --frozen
outputs | cmp -s - "$work/outputs" || fail "a configuration file of clang changed the outputs"
rm -f ./*.cfg ../*.cfg

# words that the project file may not hold; each with its place
while IFS='|' read -r key word; do
	sed "s|^    sources: \[tiny.c\]|&\n    $key: ['$word']|" xbuild.yaml >evil.yaml
	expect 2 "$xbuild" build -f evil.yaml
	says '^evil.yaml:[0-9]+:[0-9]+: error: '
done <<'WORDS'
flags|-fplugin=evil.so
flags|-fpass-plugin=evil.so
flags|@words
flags|-oelsewhere
flags|-o
flags|-I/usr/include
flags|-I../outside
flags|-I
flags|-isystem/usr/include
flags|-include/etc/passwd
flags|-B/usr/bin
flags|--sysroot=/
flags|-isysroot
flags|-Xclang
flags|-Xlinker
flags|-mllvm
flags|-march=native
flags|--target=i386-linux-gnu
flags|-fuse-ld=bfd
flags|-specs=evil
flags|-save-temps
flags|-MF/tmp/evil
flags|-MD
flags|-ftime-trace
flags|-fprofile-generate
flags|-fmodules
flags|-Wl,--plugin=evil.so
flags|-Wp,-MD,evil
flags|-Wa,-I/usr
flags|-working-directory=/
flags|-resource-dir=/
flags|--config=evil
flags|-x
flags|evil.o
ldflags|-Wl,--plugin,evil.so
ldflags|-Wl,-plugin=evil.so
ldflags|-Wl,-T,evil.ld
ldflags|-Wl,--script=evil.ld
ldflags|-Wl,-rpath,/home
ldflags|-Wl,-L/usr/lib
ldflags|-L/usr/lib
ldflags|-Wl,--reproduce=evil.tar
ldflags|-Wl,-o,elsewhere
ldflags|-Wl,--dynamic-linker=/evil
ldflags|-Wl,-Map=evil
ldflags|-Wl,@words
ldflags|/usr/lib/libc.a
include|/usr/include
include|../outside
sources|/etc/passwd
sources|../*.c
WORDS
if [ -e elsewhere ] || [ -e evil ]; then fail "a refused word wrote a file"; fi
rm evil.yaml

# what starts what: nothing but xbuild, its helper and the toolchain in the store
if command -v strace >/dev/null && strace -o "$work/trace" true 2>/dev/null; then
	[ -z "${XB_SANITIZED:-}" ] || export ASAN_OPTIONS=detect_leaks=0 # it traces itself to find them, as strace does
	rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
	expect 0 strace -f -qq -e trace=execve -o "$work/trace" "$xbuild" build --frozen
	sed -n 's/.*execve("\([^"]*\)".*= 0$/\1/p' "$work/trace" | sort | uniq -c >"$work/started"
	[ "$(wc -l <"$work/started")" -gt 1 ] || fail "no compiler was started"
	strange=$(awk '{ $1 = ""; print substr($0, 2) }' "$work/started" | grep -vF -e "$XBUILD_CACHE_DIR/trees/" -e "$XB_BIN/" || :)
	[ -z "$strange" ] || fail "started: $strange"
	# and what they read (clang's driver asks what distribution this is, for flags of a linker that it does not call)
	# is of the store, the project, or nothing
	rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
	expect 0 strace -f -qq -e trace=openat,open -o "$work/trace" "$xbuild" build --frozen -j1
	strange=$(sed -n 's/.*open[a-z]*([^"]*"\(\/[^"]*\)".*= [0-9]*$/\1/p' "$work/trace" | sort -u |
		grep -vE -e "^($XBUILD_CACHE_DIR|$work/project|$XB_ARCHIVE/data|$work/data|$XB_BIN)(/|\$)" \
			-e '^/(proc|sys|dev)/' -e '^/(usr/)?lib(64)?/' -e '^/etc/ld\.so|^/etc/ssl/|^/usr/lib/ssl/|/openssl\.cnf$' \
			-e '^/etc/(debian_version|os-release|lsb-release)$|^/usr/lib/os-release$' \
			-e '^/etc/localtime$|/locale|gconv|/tmp/?$' || :)
	[ -z "$strange" ] || fail "read: $strange"
	unset ASAN_OPTIONS
else
	echo "SKIPPED: what is started and read (no strace that works here)"
fi

# a source that changes while it is compiled: the result is not kept under the old content's name
awk 'BEGIN { for (i = 0; i < 1500; i++) printf "int f%d(int a, int b) { return a * %d + b / (a | 1); }\n", i, i }' >slow.c
sed -i 's/sources: \[tiny.c\]/sources: [tiny.c, slow.c]/' xbuild.yaml
(
	until pgrep -f "$work.*slow\.c" >/dev/null 2>&1; do sleep 0.02; done
	sleep 0.3
	cp slow.c slow.c.new
	echo 'const char changed[] = "it-was-changed";' >>slow.c.new
	mv slow.c.new slow.c # not written in place: what is mapped stays as it is
) &
changer=$!
got=0
"$xbuild" build tiny --frozen -v >/dev/null 2>"$work/stderr" || got=$?
wait "$changer"
case $got in
5) says 'slow.c' ;;
0) ;; # read after the change
*) fail "a source that changed meanwhile gave exit status $got: $(cat "$work/stderr")" ;;
esac
expect 0 "$xbuild" build tiny --frozen
grep -q it-was-changed out/linux-x86_64/tiny || fail "the change is missing from the result"
sed -i '$d' slow.c
expect 0 "$xbuild" build tiny --frozen
if grep -q it-was-changed out/linux-x86_64/tiny; then fail "a result is kept under the name of another source"; fi

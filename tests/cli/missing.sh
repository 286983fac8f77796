#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a build could not find is told with the package that has it, from the archive's own signed index of files.
. "$(dirname "$0")/begin.sh"
own_archive
warm_store
mkdir project
cd project

# project PACKAGES MODULES: main.c in one unit
project() {
	cat >xbuild.yaml <<YAML
name: missing
version: "1"
toolchain: { llvm: "19" }
hosts: [$(python3 -c "import sys; sys.path.insert(0, '$XB_SOURCE/tests/cli/archive'); import make; print('linux-x86_64' if make.host_arch() == 'amd64' else 'linux-aarch64')")]
sysroot: { debian: test, packages: [$1] }
targets: [linux-x86_64, linux-aarch64]
build:
  main: { sources: [main.c], pkg-config: [$2], ldflags: [$3] }
YAML
}
project '' '' ''
printf '#include <stdio.h>\n#include <openssl/ssl.h>\nint main(void) { return ssl_new(); }\n' >main.c
expect 0 "$xbuild" lock

expect 0 "$xbuild" fetch

# offline: how to get to know
expect 1 "$xbuild" build --offline
says "^hint: which package has what is missing is told after 'xbuild fetch --want contents:linux-(x86_64|aarch64)'"
[ "$(requests Contents)" = 0 ] || fail "something was fetched offline"

# once online; the header's place, the package, the line to add
expect 1 "$xbuild" build --target linux-aarch64
says "^hint: main.c:2:10: libssl-dev has 'openssl/ssl.h': run 'xbuild add libssl-dev'\$"
says 'Fetched +the index of files for arm64'
[ "$(requests 'main/by-hash/SHA256')" -ge 1 ] || fail "the index was not fetched by its digest"
fetched=$(requests GET)

# the compiler alone: for people, and not for scripts that try a hundred things
terminal() {
	python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@" </dev/null
}
expect 1 "$xbuild" cc --target linux-aarch64 main.c -o main
silent_about 'libssl-dev|hint'
expect 1 terminal "$xbuild" cc --target linux-aarch64 main.c -o main
prints "main.c:2:10: libssl-dev has 'openssl/ssl.h': run 'xbuild add libssl-dev'"
expect 1 terminal "$xbuild" pkg-config --target linux-aarch64 --libs tally
prints "libtally-dev has 'tally.pc': run 'xbuild add libtally-dev'"
for how in --no-project --debian=test; do
	expect 1 terminal "$xbuild" cc $how --debian test --llvm 19 --target linux-aarch64 main.c -o main
	prints "main.c:2:10: libssl-dev has 'openssl/ssl.h': add '--with libssl-dev'"
done
expect 1 terminal "$xbuild" pkg-config --debian test --llvm 19 --target linux-aarch64 --libs tally
prints "libtally-dev has 'tally.pc': add '--with libtally-dev'"
if grep -q '^hint' "$work/stdout"; then fail "two hints"; fi
printf 'int a(void);\nint main(void) { return a(); }\n' >link.c
expect 1 terminal "$xbuild" cc --debian test --llvm 19 --target linux-aarch64 link.c -ltally -o link
prints "libtally-dev has '-ltally': add '--with libtally-dev'"
fetched=$(requests GET)
rm link.c

# never again, also offline and in another project with the same suites
expect 1 "$xbuild" build --target linux-aarch64
expect 1 "$xbuild" build --target linux-aarch64 --offline
says "libssl-dev has 'openssl/ssl.h'"
[ "$(requests GET)" = "$fetched" ] || fail "it was fetched again"
silent_about 'Fetched'

# several: each is told, and one command adds them all; what is for every architecture is found too
printf '#include "openssl/ssl.h"\nint a;\n' >main.c
printf '#include <tally.h>\nint b;\n' >b.c
printf '#include <allheaders.h>\nint c;\n' >c.c
printf '#include <no/such/header.h>\nint d;\n' >d.c
sed -i 's/main.c\]/"*.c"]/' xbuild.yaml
expect 1 "$xbuild" build -k --target linux-aarch64
says "note: main.c:1:10: libssl-dev has 'openssl/ssl.h'\$"
says "note: b.c:1:10: libtally-dev has 'tally.h'\$"
says "note: c.c:1:10: allheaders-dev has 'allheaders.h'\$"
silent_about 'no/such/header.h.: run'
python3 - "$work/stderr" <<'PY'
import sys
hint = [line.split() for line in open(sys.argv[1]) if line.startswith("hint:")]
assert len(hint) == 1 and hint[0][:3] == ["hint:", "run", "'xbuild"], hint
assert sorted(word.strip("'") for word in hint[0][4:]) == ["allheaders-dev", "libssl-dev", "libtally-dev"], hint
PY
rm b.c c.c d.c

# nothing is said where nothing is known
printf '#include <no/such/header.h>\nint d;\n' >main.c
expect 1 "$xbuild" build
silent_about 'hint|note'

# a library, and a module of pkg-config at its place in the project file
printf 'int main(void) { return 0; }\n' >main.c
project '' '' -ltally
expect 1 "$xbuild" build
says "^hint: libtally-dev has '-ltally': run 'xbuild add libtally-dev'\$"
project '' tally ''
expect 2 "$xbuild" build
says 'xbuild.yaml:8:43: error:'
says "help: libtally-dev has 'tally.pc': run 'xbuild add libtally-dev'\$"

# an index of another day says so
project '' '' ''
printf '#include <openssl/ssl.h>\nint main(void) { return 0; }\n' >main.c
rm -rf "$XBUILD_CACHE_DIR/contents"
python3 "$XB_SOURCE/tests/cli/archive/release.py" "$archive" --date "$(($(date +%s) - 60))"
expect 1 "$xbuild" build
says "libssl-dev has 'openssl/ssl.h' \\(as of [0-9-]{10}; the locked test is of [0-9-]{10} and may differ\\): run"

# an index that is not the signed one, or cut off: nothing of it is believed, and the build's own error stays
for fault in 'corrupt Contents' 'truncate Contents'; do
	rm -rf "$XBUILD_CACHE_DIR/contents"
	for index in "$archive"/debian/dists/test/main/Contents-*.gz "$archive"/debian/dists/test/main/by-hash/SHA256/*; do
		cp "$index" "$work/sound.$(basename "$index")"
		case $fault in
		corrupt*) python3 - "$index" <<'PY' ;;
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[1], "wb").write(data)
PY
		*) truncate -s -100 "$index" ;;
		esac
	done
	expect 1 "$xbuild" build
	says "fatal error.*'openssl/ssl.h' file not found"
	says 'note: which package has what is missing cannot be told: '
	silent_about 'libssl-dev|^hint'
	expect 5 "$xbuild" fetch --want contents:linux-x86_64
	[ -z "$(find "$XBUILD_CACHE_DIR/contents" -type f 2>/dev/null)" ] || fail "something of a bad index was kept"
	for index in "$archive"/debian/dists/test/main/Contents-*.gz "$archive"/debian/dists/test/main/by-hash/SHA256/*; do
		cp "$work/sound.$(basename "$index")" "$index"
	done
done
expect 0 "$xbuild" fetch --want contents:linux-x86_64 --want contents:linux-x86_64/all
expect 1 "$xbuild" build --offline --target linux-x86_64
says "libssl-dev has 'openssl/ssl.h'"

# what was kept is damaged: it is as if nothing was known
for kept in "$XBUILD_CACHE_DIR"/contents/*/*; do
	printf 'rubbish\n' >"$kept"
done
expect 1 "$xbuild" build --offline --target linux-x86_64
says "fatal error.*'openssl/ssl.h' file not found"
silent_about 'libssl-dev'

expect 2 "$xbuild" fetch --want contents:nowhere
says 'nothing to fetch'
sound_store

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sysroots that are archives and directories: exported, taken again with the same results, put right, and refused where
# something of this machine could get in.
. "$(dirname "$0")/begin.sh"
serve
hello_project packages
warm_store

# the reference; a sysroot exported twice has the same bytes, also with another compression the same tree
expect 0 "$xbuild" -C packages build --profile release
expect 0 "$xbuild" -C packages sysroot export
prints '  debian-test-linux-aarch64.tar.gz$'
(cd packages && sha256sum -c --quiet "$work/stdout") || fail "the digests that are printed are not those of the files"
mv packages/debian-test-linux-x86_64.tar.gz first.tar.gz
mv packages/debian-test-linux-aarch64.tar.gz .
expect 0 "$xbuild" -C packages sysroot export -j 1 -t amd64 -o "$work/second.tar.gz"
cmp first.tar.gz second.tar.gz || fail "a second export differs"
expect 0 "$xbuild" -C packages sysroot export -t amd64 -o "$work/third.tar.zst"
expect 2 "$xbuild" -C packages sysroot export -o "$work/both.tar"
says 'one file is the sysroot of one target'
expect 2 "$xbuild" -C packages sysroot export -t amd64 -o "$work/a.zip"
says 'does not end in .tar.gz'
expect 2 "$xbuild" sysroot import
says 'sysroot export'

# sysroot LINES: a project like it, with this sysroot
sysroot() {
	rm -rf project
	hello_project project
	python3 - "$1" <<'PY'
import re, sys
text = open("project/xbuild.yaml").read()
text = re.sub(r"sysroot:\n(  .*\n)+", "sysroot:\n" + sys.argv[1] + "\n", text)
# images of packages need a sysroot of packages
text = re.sub(r"image:\n(  .*\n)+", "", text)
open("project/xbuild.yaml", "w").write(text)
PY
}
digest() { sha256sum <"$1" | cut -d ' ' -f 1; }
same() {
	outputs packages >"$work/expected"
	outputs project >"$work/found"
	cmp "$work/expected" "$work/found" || fail "$1: builds something else"
}

# as an archive of the project and by URL: the same programs, and nothing is compiled again, for the tree has the same digest
mkdir -p data/site
sysroot "  archive:
    amd64: { file: third.tar.zst }
    linux-aarch64: { file: arm64.tar.gz, sha256: $(digest debian-test-linux-aarch64.tar.gz) }"
cp third.tar.zst project/ && cp debian-test-linux-aarch64.tar.gz project/arm64.tar.gz
expect 0 "$xbuild" -C project lock
grep -q '"url": "file:third.tar.zst"' project/xbuild.lock || fail "the file is not locked"
cp project/xbuild.lock before.lock
expect 0 "$xbuild" -C project lock --update
cmp project/xbuild.lock before.lock || fail "an update without a change changed the lock"
expect 0 "$xbuild" -v -C project build --profile release
same 'archives'
[ "$(jobs_run)" = 0 ] || fail "the tree of the archive is not the tree of the packages: $(jobs_run) jobs ran"
expect 0 "$xbuild" -C project test --profile release
sound_store

# a file that changed after it was locked is not taken
printf x >>project/third.tar.zst
rm -rf cold
expect 3 env XBUILD_CACHE_DIR="$work/cold" "$xbuild" -C project fetch --want sysroot:linux-x86_64
says "third.tar.zst' is not the file that was locked"
sysroot "  archive: { linux-x86_64: { file: a.tar.gz, sha256: $(digest third.tar.zst) }, linux-aarch64: { file: a.tar.gz } }"
cp first.tar.gz project/a.tar.gz
expect 2 "$xbuild" -C project lock
says "xbuild.yaml:[0-9]+:[0-9]+: .*'a.tar.gz' has the sha256"

# as a directory: with absolute links, as installed systems have them; the highest gcc of the right architecture counts
mkdir -p roots/arm64 roots/amd64
tar -xzf debian-test-linux-aarch64.tar.gz -C roots/arm64
tar -xzf first.tar.gz -C roots/amd64
lib=roots/arm64/usr/lib/aarch64-linux-gnu
ln -sf "/usr/lib/aarch64-linux-gnu/$(basename "$(readlink $lib/libm.so.6 || echo libm.so.6)")" $lib/libmm.so
gcc=$(basename roots/arm64/usr/lib/gcc/aarch64-linux-gnu/*)
mkdir -p roots/arm64/usr/lib/gcc/aarch64-linux-gnu/9/none "roots/arm64/usr/lib/gcc/x86_64-linux-gnu/99" roots/arm64/dev
cp "roots/arm64/usr/lib/gcc/aarch64-linux-gnu/$gcc/crtbegin.o" roots/arm64/usr/lib/gcc/aarch64-linux-gnu/9/
cp "roots/arm64/usr/lib/gcc/aarch64-linux-gnu/$gcc/crtbegin.o" roots/arm64/usr/lib/gcc/x86_64-linux-gnu/99/
mkfifo roots/arm64/dev/null
sysroot "  dir: { linux-aarch64: $work/roots/arm64, linux-x86_64: amd64 }"
mv roots/amd64 project/amd64
expect 0 "$xbuild" -C project build --profile release
same 'directories'
expect 0 "$xbuild" -C project test --profile release

# what changes in the directory is not there before the lock is made anew
echo '#define NEW 1' >project/amd64/usr/include/new.h
expect 0 "$xbuild" -C project lock --check
rm -rf cold
expect 3 env XBUILD_CACHE_DIR="$work/cold" "$xbuild" -C project fetch --want sysroot:linux-x86_64
says 'is not what was locked'
cp project/xbuild.lock before.lock
expect 0 "$xbuild" -C project lock --update
cmp -s project/xbuild.lock before.lock && fail "an update did not take the new content"
rm project/amd64/usr/include/new.h

# nothing of this machine: links that leave, libraries that dangle, devices, a tree without a compiler's files
refused() {
	expect "$1" "$xbuild" -C project lock --update
	says "$2"
}
ln -s ../../../../../../etc/passwd project/amd64/usr/include/passwd.h
refused 5 "'usr/include/passwd.h' to .* leaves the tree"
rm project/amd64/usr/include/passwd.h
ln -s /opt/none/libnone.so project/amd64/usr/lib/libnone.so
refused 5 "'/usr/lib/libnone.so' is a link to '/opt/none/libnone.so'"
says "drop:"
sed -i 's|^sysroot:|sysroot:\n  drop: [usr/lib/libnone.so]|' project/xbuild.yaml
expect 0 "$xbuild" -C project lock --update
rm project/amd64/usr/lib/libnone.so
mkfifo project/amd64/usr/include/pipe.h
refused 5 'is a device, fifo or socket'
rm project/amd64/usr/include/pipe.h
rm -rf project/amd64/usr/lib/gcc/x86_64-linux-gnu
expect 0 "$xbuild" -C project lock --update
expect 5 "$xbuild" -C project build
says 'no usr/lib/gcc/<triple>/<version>'
rm -rf project/amd64
refused 2 "xbuild.yaml:[0-9]+:[0-9]+: .*there is no directory"

# a sysroot of a data file: an archive for each target, below one directory
mkdir -p repacked/top && tar -xzf first.tar.gz -C repacked/top && tar -cJf site.tar.xz -C repacked top
mkdir -p site && mv site.tar.xz site/ && cp -al "$XB_ARCHIVE/debian" site/debian && cp -r "$XB_ARCHIVE/data" site/data
serve "$work/site"
cat >"$work/data/sysroots/chromium-test.yaml" <<YAML
name: chromium-test
support: current
archives:
  linux-x86_64: { url: "http://127.0.0.1:$port/site.tar.xz", file: site.tar.xz, sha256: $(digest site/site.tar.xz) }
YAML
sysroot '  chromium: test'
expect 2 "$xbuild" -C project lock
says "xbuild.yaml:[0-9]+:[0-9]+: .*nothing for target 'linux-aarch64'"
sed -i 's/^targets: .*/targets: [linux-x86_64]/' project/xbuild.yaml
expect 0 "$xbuild" -C project build --profile release
rm -rf packages/out/linux-aarch64
same 'a data file'
sysroot '  chromium: tes'
expect 2 "$xbuild" -C project lock
says "did you mean 'test'"

# what the project file cannot say
while IFS='|' read -r line pattern; do
	sysroot "$line"
	expect 2 "$xbuild" -C project lock
	says "xbuild.yaml:[0-9]+:[0-9]+: .*$pattern"
done <<'LIST'
  { debian: test, dir: root }|exclude each other
  { dir: root, packages: [libtally-dev] }|'packages' is only for
  { dir: ../root }|the path of a directory
  { dir: root }|one tree cannot serve 2 targets
  { dir: { linux-aarch64: root } }|nothing for target 'linux-x86_64'
  { debian: test, drop: [usr/share/**] }|'drop' is only for
  { archive: { linux-mips: { file: a.tar } } }|unknown target 'linux-mips'
LIST

# images whose base is made of packages have none to take
hello_project image
sed -i 's|^sysroot:|sysroot: { archive: { linux-x86_64: { file: a.tar.gz } } }|; /^  debian: test/d; /^  packages:/d; s/^targets: .*/targets: [linux-x86_64]/' image/xbuild.yaml
cp first.tar.gz image/a.tar.gz
expect 0 "$xbuild" -C image build
expect 2 "$xbuild" -C image image
says "base: auto"

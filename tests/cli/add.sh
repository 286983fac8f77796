#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild add and remove edit the project file and lock: both or neither, and nothing else of the file changes.
. "$(dirname "$0")/begin.sh"
own_archive
mkdir project
cd project
host=$(case $(uname -m) in x86_64) echo linux-x86_64 ;; *) echo linux-aarch64 ;; esac)
cat >xbuild.yaml <<YAML
# a file with remarks
name: adds   # of its own
version: "1"
toolchain: { llvm: "19" }
hosts: [$host]
sysroot:
  debian: test   # the archive
  packages:
    - libtally-dev   # counts

    # the end
targets: [linux-x86_64, linux-aarch64]
build:
  main: { sources: [main.c] }
image:
  main: { base: auto }
YAML
cp xbuild.yaml first.yaml
both() { cat xbuild.yaml xbuild.lock 2>/dev/null | sha256sum; }

# without a lock one is made; the file keeps every other byte
expect 0 "$xbuild" add libssl-dev
says 'Added +libssl-dev'
prints '^\+ libssl-dev 3\.0\.1-1 \(linux-aarch64\)$'
[ "$(diff first.yaml xbuild.yaml)" = '9a10
>     - libssl-dev' ] || fail "the file: $(diff first.yaml xbuild.yaml)"
expect 0 "$xbuild" lock --check
python3 - <<'PY'
import json
lock = json.load(open("xbuild.lock"))
for target, sysroot in lock["sysroots"].items():
    names = [p["name"] for p in sysroot["packages"]]
    assert "libssl-dev" in names and "libssl3" in names and "libtally-dev" in names, (target, names)
PY

# again: nothing to do
before=$(both)
expect 0 "$xbuild" add libssl-dev
says "note: 'libssl-dev' is already in xbuild.yaml"
[ "$before" = "$(both)" ] || fail "adding what is there changed something"

# what cannot be had is not written, whatever else was asked for
refused() {
	expect "$@"
	[ "$before" = "$(both)" ] || fail "a refused change was written: $*"
}
refused 2 "$xbuild" add allheaders-dev libtaly-dev
says "error: .*package 'libtaly-dev' does not exist in the indexes"
says "hint: did you mean 'libtally-dev'\?"
silent_about 'xbuild.yaml:'
refused 2 "$xbuild" add 'Not A Package'
says 'no name of a Debian package'
refused 2 "$xbuild" add
refused 2 "$xbuild" add libssl-dev --image nowhere
says "no image 'nowhere'.*"
says 'it has: main'
refused 4 "$xbuild" add allheaders-dev --offline
says 'without --offline'
refused 2 "$xbuild" add allheaders-dev --locked
refused 2 "$xbuild" remove liballheaders-dev
says 'is not among the packages'
refused 2 "$xbuild" remove libtaly-dev
says "did you mean 'libtally-dev'"
refused 0 "$xbuild" add -n allheaders-dev
prints '^\+ allheaders-dev 2 \(linux-x86_64\)$'
silent_about 'Added'

# only one of two targets has it
python3 - "$archive" <<'PY'
import glob, gzip, hashlib, lzma, os, re, sys
top = sys.argv[1]
folder = os.path.join(top, "debian/dists/test/main/binary-arm64")
text = open(os.path.join(folder, "Packages")).read()
text = "\n".join(s.rstrip("\n") + "\n" for s in text.split("\n\n") if not s.startswith("Package: allheaders-dev"))
sums = open(os.path.join(top, "sums")).read()
for suffix, data in (("", text.encode()), (".xz", lzma.compress(text.encode()))):
    digest = hashlib.sha256(data).hexdigest()
    for path in (os.path.join(folder, "Packages" + suffix), os.path.join(folder, "by-hash/SHA256", digest)):
        open(path, "wb").write(data)
    sums = re.sub(rf" \S+ \d+ main/binary-arm64/Packages{re.escape(suffix)}\n", f" {digest} {len(data)} main/binary-arm64/Packages{suffix}\n", sums)
open(os.path.join(top, "sums"), "w").write(sums)
PY
python3 "$XB_SOURCE/tests/cli/archive/release.py" "$archive"
refused 2 "$xbuild" add allheaders-dev
says "linux-aarch64: package 'allheaders-dev' does not exist"

# nowhere to write the lock: the file, which lies elsewhere, is as before
if unshare -m true 2>/dev/null; then apart='unshare -m'; elif unshare -Urm true 2>/dev/null; then apart='unshare -Urm'; else apart=; fi
if [ "$apart" ]; then
	mkdir "$work/elsewhere"
	mv xbuild.yaml "$work/elsewhere/"
	ln -s "$work/elsewhere/xbuild.yaml" .
	cd ..
	# shellcheck disable=SC2016,SC2086 # for the other shell; words
	expect 4 $apart sh -c 'mount --bind project project && mount -o remount,ro,bind project && cd project && exec "$@"' sh \
		"$xbuild" add netbase
	cd project
	says 'Read-only file system'
	[ "$before" = "$(both)" ] || fail "the file was changed although the lock could not be written"
	rm xbuild.yaml
	mv "$work/elsewhere/xbuild.yaml" .
	[ -z "$(ls -A "$work/elsewhere")" ] || fail "left behind: $(ls -A "$work/elsewhere")"
else
	echo "SKIPPED: a lock that cannot be written (no unshare -m)"
fi
left=$(find . -name '.*tmp*' -o -name '*.tmp*')
[ -z "$left" ] || fail "left behind: $left"

# a link stays one, and the mode stays
mkdir real
mv xbuild.yaml real/it.yaml
ln -s real/it.yaml xbuild.yaml
chmod 640 real/it.yaml
expect 0 "$xbuild" add netbase --image main
[ -L xbuild.yaml ] || fail "the link was replaced"
[ "$(stat -c %a real/it.yaml)" = 640 ] || fail "the mode changed"
grep -q '^  main: { packages: \[netbase\], base: auto }$' xbuild.yaml || fail "$(cat xbuild.yaml)"
expect 0 "$xbuild" lock --check
expect 0 "$xbuild" remove netbase --image main
expect 0 "$xbuild" remove libssl-dev
says 'Removed +libssl-dev'
prints '^- libssl3 '
[ "$(diff first.yaml xbuild.yaml)" = '16c16
<   main: { base: auto }
---
>   main: { packages: [], base: auto }' ] || fail "the file: $(diff first.yaml xbuild.yaml)"

# a file that is edited meanwhile: see tests/unit; what cannot be edited is said
sed -i 's/^sysroot:/sysroot: \&a/' real/it.yaml
expect 2 "$xbuild" add libssl-dev

# from nothing but a template
mkdir ../fresh
cd ../fresh
printf '#include <openssl/ssl.h>\nint main(void) { return ssl_new() != 3; }\n' >main.c
expect 0 "$xbuild" init
sed -i -e 's/bookworm/test/' -e "s/^targets/toolchain: { llvm: \"19\" }\nhosts: [$host]\ntargets/" -e 's/version: git/version: "1"/' xbuild.yaml
expect 0 "$xbuild" add libssl-dev
grep -q '^  packages: \[libssl-dev\] *# further' xbuild.yaml || fail "$(cat xbuild.yaml)"
sound_store

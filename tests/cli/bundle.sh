#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild bundle, and --bundle on a machine that has neither a network nor anything in its store: the same digests.
. "$(dirname "$0")/begin.sh"
own_archive
if unshare -n true 2>/dev/null; then apart='unshare -n'; elif unshare -Urn true 2>/dev/null; then apart='unshare -Urn'; else apart=; fi
warm_store
hello_project project
cp -r project fresh
cd project
# one image stands on Debian packages, one on the image of a layout
cat >>xbuild.yaml <<'YAML'
  packaged: { base: debian-base, packages: [set-id], files: { /etc/hello.conf: hello.conf } }
YAML
expect 0 "$xbuild" lock
expect 0 "$xbuild" image --json
grep -v '"changed"' "$work/stdout" >"$work/online.json"
outputs >"$work/online.sums"

# the same bytes each time and wherever it is written
expect 0 "$xbuild" bundle -o "$work/a.tar"
says 'Bundled +[0-9]+ files'
prints "^$work/a.tar\$"
rm -rf "$XBUILD_CACHE_DIR"
expect 0 "$xbuild" bundle -o ../b.tar --target linux-x86_64 --target linux-aarch64
cmp "$work/a.tar" "$work/b.tar" || fail "two bundles of one lock differ"
[ ! -e "$XBUILD_CACHE_DIR/trees" ] || [ -z "$(ls "$XBUILD_CACHE_DIR/trees")" ] || fail "it unpacked something"
expect 0 "$xbuild" bundle --format oci -o "$work/layout"
expect 0 "$xbuild" bundle
prints '/hello\.bundle\.tar$'
rm hello.bundle.tar
# what others say of it
python3 - "$work/a.tar" "$work/layout" xbuild.lock <<'PY'
import hashlib, json, os, sys, tarfile
tar = tarfile.open(sys.argv[1])
files = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}
layout = {os.path.relpath(os.path.join(d, n), sys.argv[2]): open(os.path.join(d, n), "rb").read()
          for d, _, names in os.walk(sys.argv[2]) for n in names}
assert files == layout, set(files) ^ set(layout)
blobs = {n[len("blobs/sha256/"):]: c for n, c in files.items() if n.startswith("blobs/")}
assert all(hashlib.sha256(c).hexdigest() == n for n, c in blobs.items())
entry = json.loads(files["index.json"])["manifests"][0]
manifest = json.loads(blobs[entry["digest"].split(":")[1]])
layers = [l["digest"].split(":")[1] for l in manifest["layers"]]
lock = open(sys.argv[3], "rb").read()
assert blobs[layers[0]] == lock
def digests(node):
    if isinstance(node, dict):
        if "sha256" in node:
            yield node["sha256"]
        for value in node.values():
            yield from digests(value)
    elif isinstance(node, list):
        for value in node:
            yield from digests(value)
wanted = set(digests(json.loads(lock)))
assert wanted and wanted <= set(layers), wanted - set(layers)
PY

# elsewhere DIRECTORY COMMAND...: on a machine of its own, with an empty store and no network
n=0
elsewhere() {
	status=$1 dir=$2
	shift 2
	cd "$dir"
	# shellcheck disable=SC2086 # words
	XBUILD_CACHE_DIR="$work/cache.$n" XBUILD_DEBIAN_MIRROR=http://127.0.0.1:1/debian expect "$status" $apart "$@"
	cd - >/dev/null
}
same_results() {
	grep -v '"changed"' "$work/stdout" | cmp - "$work/online.json" || fail "other digests than with a network"
	(cd "$1" && outputs) | cmp - "$work/online.sums" || fail "other outputs than with a network"
}
for bundle in "$work/a.tar" "$work/layout"; do
	n=$((n + 1))
	rm -rf ../fresh/out ../fresh/.xbuild
	cp xbuild.yaml xbuild.lock ../fresh/
	elsewhere 0 ../fresh "$xbuild" image --json --bundle "$bundle"
	same_results ../fresh
	# all is there now: the bundle is not needed any more, nor looked at
	elsewhere 0 ../fresh "$xbuild" image --json --bundle /nowhere
	elsewhere 0 ../fresh "$xbuild" image --json --offline
	same_results ../fresh
done
n=3
XBUILD_BUNDLE=$work/a.tar elsewhere 0 ../fresh "$xbuild" fetch
XBUILD_BUNDLE='' elsewhere 0 ../fresh "$xbuild" build --offline
(XBUILD_CACHE_DIR="$work/cache.3" && export XBUILD_CACHE_DIR && sound_store)

# the compiler of the project, for a shell
n=3c
echo 'int main(void) { return 0; }' >../fresh/empty.c
elsewhere 0 ../fresh "$xbuild" cc --target linux-aarch64 --bundle "$work/a.tar" empty.c -o empty
readelf -hW ../fresh/empty | grep -q 'Machine: *AArch64' || fail "cc --bundle made no program"
rm ../fresh/empty.c ../fresh/empty

# a bundle that lacks something: which, and why
n=4
expect 2 "$xbuild" bundle --host nowhere
says "no toolchain for host 'nowhere'"
expect 2 "$xbuild" bundle --target linux-nowhere
expect 0 "$xbuild" bundle -o "$work/one.tar" --target linux-x86_64
[ "$(wc -c <"$work/one.tar")" -lt "$(wc -c <"$work/a.tar")" ] || fail "the bundle of one target is not smaller"
elsewhere 4 ../fresh "$xbuild" fetch --bundle "$work/one.tar"
says "files are neither in the store nor in bundle '.*one.tar': the first is '.*_arm64.deb'"
says 'hint: it was made for other hosts or targets'
n=5
cp xbuild.yaml keep.yaml
sed -i 's/packages: \[libtally-dev\]/packages: [libtally-dev, libssl-dev]/' xbuild.yaml
expect 0 "$xbuild" lock
cp xbuild.yaml xbuild.lock ../fresh/
elsewhere 4 ../fresh "$xbuild" fetch --bundle "$work/a.tar"
says "neither in the store nor in bundle '.*a.tar': the first is 'libssl"
says 'hint: it was made of another xbuild.lock'
mv keep.yaml xbuild.yaml
expect 0 "$xbuild" lock
cp xbuild.yaml xbuild.lock ../fresh/
elsewhere 2 ../fresh "$xbuild" fetch --bundle /nowhere
says "read bundle '/nowhere'"

# without a network none can be made: with two hosts it is said that one would do
n=50
elsewhere 4 ../fresh "$xbuild" bundle --offline
says "hint: run 'xbuild fetch' once without --offline\$"
cp -r ../fresh ../two
archive="url: \"http://127.0.0.1:1/a.tar.xz\", sha256: $(printf '%064d' 1), size: 9"
sed -i -e 's/^hosts:.*/hosts: [linux-x86_64, darwin-aarch64]/' \
	-e "s|^toolchain:.*|toolchain: { version: 19.1.7, archive: { linux-x86_64: { $archive }, darwin-aarch64: { $archive } } }|" \
	../two/xbuild.yaml
(cd ../two && expect 0 "$xbuild" lock)
elsewhere 4 ../two "$xbuild" bundle --offline
says "hint: run .*; a bundle has the toolchains of all hosts; '--host linux-[a-z0-9_]+' takes that of this one\$"
elsewhere 4 ../two "$xbuild" bundle --offline --host linux-x86_64
says "hint: run 'xbuild fetch' once without --offline\$"

# damaged in a blob, cut off, and no bundle at all: nothing of it becomes visible under a wrong name
damaged() {
	n=$((n + 1))
	elsewhere "$1" ../fresh "$xbuild" fetch --bundle "$work/bad"
	(XBUILD_CACHE_DIR="$work/cache.$n" && export XBUILD_CACHE_DIR && sound_store)
}
python3 - "$work/a.tar" "$work/bad" <<'PY'
import sys, tarfile
data = bytearray(open(sys.argv[1], "rb").read())
largest = max(tarfile.open(sys.argv[1]).getmembers(), key=lambda m: m.size)
data[largest.offset_data + largest.size // 2] ^= 1
open(sys.argv[2], "wb").write(data)
PY
damaged 5
says "bundle '.*bad' is damaged: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}"
head -c 5000000 "$work/a.tar" >"$work/bad"
damaged 5
printf 'no tar' >"$work/bad"
damaged 5
rm "$work/bad"
cp -r "$work/layout" "$work/bad"
largest=$(find "$work/bad/blobs" -type f -size +1M | sort | head -n 1)
chmod u+w "$largest"
printf x >>"$largest"
damaged 5
ln -sf /etc/hostname "$largest"
damaged 4

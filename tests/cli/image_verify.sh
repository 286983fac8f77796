#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild verify: everything that xbuild writes and what others made of it passes; what is wrong is told, each by its name.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
expect 0 "$xbuild" lock
# shellcheck disable=SC2119 # no options
digest=$(image_digest --output oci --output oci-archive --output docker-archive)
images=$PWD/out/images

# sound IMAGE: no problem and no warning
sound() {
	expect 0 "$xbuild" verify "$1"
	[ ! -s "$work/stderr" ] || fail "$1: $(cat "$work/stderr")"
}
for image in hello hello.oci.tar hello.docker.tar; do
	sound "$images/$image"
	prints "^$digest [^ ]+ linux/amd64, linux/arm64/v8$"
done
expect 2 "$xbuild" verify ''
says 'verify needs a layout'
gzip -k "$images/hello.docker.tar"
sound "$images/hello.docker.tar.gz"
expect 0 "$xbuild" verify --json "$images/hello"
python3 - "$work/stdout" "$digest" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["n_problems"] == d["n_warnings"] == 0 and d["problems"] == d["warnings"] == [], d
assert [(i["digest"], i["platforms"]) for i in d["images"]] == [(sys.argv[2], "linux/amd64, linux/arm64/v8")], d
PY

# what others write of it
if command -v skopeo >/dev/null; then
	skopeo copy -q --all "oci:$images/hello" "oci:$work/copy:x"
	sound "$work/copy"
	skopeo copy -q --override-os linux --override-arch arm64 --override-variant v8 "oci:$images/hello" "docker-archive:$work/docker.tar:hello:x"
	sound "$work/docker.tar"
	prints '^sha256:[0-9a-f]{64} [^ ]*hello:x linux/arm64/v8$'
	skopeo copy -q --format v2s2 --override-os linux --override-arch amd64 "oci:$images/hello" "oci-archive:$work/one.tar:x"
	sound "$work/one.tar"
	skopeo copy -q --dest-compress-format zstd --dest-compress --override-os linux --override-arch amd64 "docker-archive:$work/docker.tar" "oci:$work/zstd:x" 2>/dev/null &&
		sound "$work/zstd"
else
	echo "SKIPPED: skopeo"
fi
if command -v skopeo >/dev/null && command -v umoci >/dev/null; then
	skopeo copy -q --override-os linux --override-arch amd64 "oci:$images/hello" "oci:$work/umoci:x"
	umoci config --image "$work/umoci:x" --tag y --config.user 7 --history.comment more 2>/dev/null
	expect 0 "$xbuild" verify "$work/umoci"
	silent_about 'error:'
else
	echo "SKIPPED: umoci"
fi

# one bit anywhere in an archive that is not padding is found
python3 - "$images/hello.oci.tar" "$work/flipped" <<'PY'
import os, random, sys, tarfile
source, to = sys.argv[1:]
data = open(source, "rb").read()
random.seed(7)
os.mkdir(to)
with tarfile.open(source) as t:
    places = [(m.offset_data, m.size) for m in t.getmembers() if m.isfile() and m.name.startswith("blobs/")]
for n, (at, size) in enumerate(places):
    changed = bytearray(data)
    changed[at + random.randrange(size)] ^= 1 << random.randrange(8)
    open("%s/%d.tar" % (to, n), "wb").write(changed)
PY
for image in "$work"/flipped/*; do
	expect 5 "$xbuild" verify "$image"
	says 'its content has the digest|is missing'
done

# what apko wrote: an image without the program that it names is a base for others
golden=${XB_FIXTURES:-}/apk/apko/golden
if [ -f "$golden/index.json" ]; then
	expect 0 "$xbuild" verify "$golden"
	says "warning: .*: Entrypoint: the command ./bin/sh. is not in the image"
else
	echo "SKIPPED: apk/apko/golden of the fixtures"
fi

# attacks, each with the words that it has to be told in; nothing leaves its place, and no terminal is spoken to
mkdir "$work/attacks"
python3 "$XB_SOURCE/tests/cli/image_attacks.py" "$work/attacks" >"$work/cases"
[ "$(wc -l <"$work/cases")" -gt 80 ] || fail "too few attacks: $(wc -l <"$work/cases")"
tab=$(printf '\t')
while IFS="$tab" read -r name status pattern <&3; do
	expect "$status" timeout 60 "$xbuild" verify "$work/attacks/$name"
	if [ "$pattern" = - ]; then
		[ ! -s "$work/stderr" ] || fail "$name: $(cat "$work/stderr")"
	elif ! grep -qE -- "$pattern" "$work/stderr"; then
		head -c 4000 "$work/stderr" >&2
		fail "$name: stderr does not say '$pattern'"
	fi
	if grep -q "$(printf '[\001-\010\013-\037\177]')" "$work/stderr"; then fail "$name: control characters"; fi
	if [ "$status" = 5 ] && ! tail -n 1 "$work/stderr" | grep -q 'problem'; then fail "$name: no sum of problems"; fi
done 3<"$work/cases"
found=$(find "$work" -name '*evil*' -not -path '*/attacks/*' -print | head -n 3)
[ -z "$found" ] || fail "planted: $found"

# what cannot be looked at is no verdict
expect 2 "$xbuild" verify "$work/nowhere"
expect 2 "$xbuild" verify
says 'needs a layout'
expect 2 "$xbuild" verify /dev/null
says 'expected a directory or a file'

# a bomb: 1 GiB of zeros behind a small claim, in little memory
python3 - "$work/bomb" <<'PY'
import hashlib, json, os, sys, tarfile, zlib
to = sys.argv[1]
os.makedirs(to + "/blobs/sha256")
info = tarfile.TarInfo("zeros")
info.size = 1 << 30
pack, plain, out = zlib.compressobj(9, zlib.DEFLATED, 31), hashlib.sha256(), b""
for piece in [info.tobuf()] + [bytes(1 << 20)] * 1024 + [bytes(1024)]:
    plain.update(piece)
    out += pack.compress(piece)
out += pack.flush()
def put(data, media):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    name = hashlib.sha256(data).hexdigest()
    open(to + "/blobs/sha256/" + name, "wb").write(data)
    return {"mediaType": "application/vnd.oci.image." + media, "digest": "sha256:" + name, "size": len(data)}
config = put({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + plain.hexdigest()]}}, "config.v1+json")
m = "application/vnd.oci.image.manifest.v1+json"
manifest = put({"schemaVersion": 2, "mediaType": m, "config": config, "layers": [put(out, "layer.v1.tar+gzip")]}, "manifest.v1+json")
json.dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}, open(to + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(to + "/oci-layout", "w"))
PY
peak=$(python3 - "$xbuild" "$work/bomb" <<'PY'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "verify", sys.argv[2]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PY
)
[ -n "${XB_SANITIZED:-}" ] || [ "$peak" -le 64 ] || fail "verify took $peak MiB for a layer of 1 GiB"
echo "image_verify: done, peak $peak MiB"

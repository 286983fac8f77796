#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild inspect: what is in images that xbuild, other tools and strangers made.
. "$(dirname "$0")/begin.sh"
python3 "$XB_SOURCE/tests/cli/image_made.py" "$work"

expect 2 "$xbuild" inspect
says 'needs a layout'
expect 2 "$xbuild" inspect "$work/nothing"
expect 0 "$xbuild" inspect "$work/one"
prints '^sha256:[0-9a-f]{64} v1$'
prints '^  annotations +title=image$'
for platform in amd64 arm64 s390x; do prints "^linux/$platform\$"; done
prints '^  user +7:8$'
prints "^  entrypoint +/usr/bin/app 'a b'\$"
prints '^  cmd +serve$'
prints '^  workdir +/etc$'
prints '^  env +PATH=/bin$'
prints '^ +MODE=a$'
prints '^  ports +8080/tcp$'
prints '^LAYER +SIZE +UNPACKED +PACKING +DIGEST +DIFF ID +MADE BY$'
prints '^2 +[0-9]+ B +[0-9]+ B +tar\+gzip +sha256:[0-9a-f]{12} +sha256:[0-9a-f]{12} +layer 1$'
# the upper layer's list of packages decides; what was removed is not there, nor what only looks like a package
prints '^libz +1\.2 +amd64 +2$'
prints '^tzdata +2024a +all +1$'
if grep -qE '^(left|no) ' "$work/stdout"; then fail "a package that is not installed: $(cat "$work/stdout")"; fi

# no byte of the image drives the terminal
expect 0 "$xbuild" inspect "$work/apk"
prints '^busybox +1\.36\.1-r5 +x86_64 +1$'
prints '^musl +1\.2\.4-r2 +x86_64 +1$'
prints 'evil=\?\]0;title\?$'
if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037]')" "$work/stdout"; then fail "control bytes on stdout"; fi

# as JSON everything is there, and the numbers are those of the files
expect 0 "$xbuild" inspect --json "$work/one"
python3 - "$work/stdout" "$work/one" <<'PY'
import gzip, hashlib, io, json, os, sys, tarfile
d = json.load(open(sys.argv[1]))
blob = lambda digest: open(os.path.join(sys.argv[2], "blobs/sha256", digest[7:]), "rb").read()
assert [i["ref"] for i in d["images"]] == ["v1"] and len(d["platforms"]) == 3, d
assert d["images"][0]["manifests"] == [p["manifest"] for p in d["platforms"]]
for p in d["platforms"]:
    manifest = json.loads(blob(p["manifest"]))
    config = json.loads(blob(p["config"]))
    assert p["run"] == config["config"] and p["history"] == config["history"] and p["annotations"] == manifest["annotations"]
    assert len(p["layers"]) == len(manifest["layers"])
    for l, m, diff_id in zip(p["layers"], manifest["layers"], config["rootfs"]["diff_ids"]):
        assert (l["digest"], l["size"], l["mediaType"], l["diffID"]) == (m["digest"], m["size"], m["mediaType"], diff_id), l
        tar = gzip.decompress(blob(l["digest"]))
        assert l["unpacked"] == sum(e.size for e in tarfile.open(fileobj=io.BytesIO(tar))), l
packages = {(p["name"], p["version"], p["arch"], p["layer"], p["format"]) for p in d["platforms"][0]["packages"]}
assert packages == {("libc6", "2.36-9", "amd64", 2, "deb"), ("libz", "1.2", "amd64", 2, "deb"), ("tzdata", "2024a", "all", 1, "deb")}, packages
PY

# a damaged image is told, with what can be read
cp -r "$work/one" "$work/damaged"
victim=$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(d["platforms"][0]["layers"][1]["digest"][7:])' "$work/stdout")
printf x >>"$work/damaged/blobs/sha256/$victim"
expect 5 "$xbuild" inspect "$work/damaged"
says 'its content has the digest'
prints '^linux/arm64$'

# an index of indexes of indexes, each many times: entered once
python3 - "$work/bomb" <<'PY'
import hashlib, json, os, sys
top = sys.argv[1]
os.makedirs(top + "/blobs/sha256")
INDEX = "application/vnd.oci.image.index.v1+json"
def put(document):
    data = json.dumps(document).encode()
    d = hashlib.sha256(data).hexdigest()
    open(f"{top}/blobs/sha256/{d}", "wb").write(data)
    return {"mediaType": INDEX, "digest": "sha256:" + d, "size": len(data)}
entry = put({"schemaVersion": 2, "mediaType": INDEX, "manifests": []})
for level in range(6):
    entry = put({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] * 200})
json.dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] * 200}, open(top + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(top + "/oci-layout", "w"))
PY
expect 5 timeout 20 "$xbuild" inspect "$work/bomb"
says "it holds no image: 'manifests' is empty"

# what others wrote
if command -v skopeo >/dev/null; then
	skopeo copy -q --override-os linux --override-arch amd64 "oci:$work/one:v1" "docker-archive:$work/docker.tar:name:x"
	expect 0 "$xbuild" inspect "$work/docker.tar"
	prints '^sha256:[0-9a-f]{64} [^ ]*name:x$'
	prints '^libz +1\.2 +amd64 +2$'
	prints '^1 +[^ ]+ k?B +[0-9]+ B +tar +'
	gzip -k "$work/docker.tar"
	expect 0 "$xbuild" inspect "$work/docker.tar.gz"
	prints '^libz +1\.2 +amd64 +2$'
	skopeo copy -q --all "oci:$work/one:v1" "oci-archive:$work/all.tar:x"
	expect 0 "$xbuild" inspect --json "$work/all.tar"
	python3 - "$work/stdout" "$(skopeo inspect --raw "oci:$work/one:v1" | sha256sum | cut -d' ' -f1)" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["images"][0]["digest"] == "sha256:" + sys.argv[2], d["images"]
PY
else
	echo "SKIPPED: skopeo"
fi

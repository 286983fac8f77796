#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes $XB_IMAGES for the tests with real consumers: hello for two platforms in every form, and image.json, which says what
# a consumer must find in it; a tree with wanted.json, the same for its files. What it says is written here and not read from the image, but for the digests.
. "$(dirname "$0")/begin.sh"
: "${XB_IMAGES:?}"
serve
warm_store
hello_project project
cd project
cat >>xbuild.yaml <<'YAML'
    volumes: [/data]
    workdir: /var/lib
    stop-signal: SIGINT
YAML
expect 0 "$xbuild" lock
git add -A && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m lock
expect 0 "$xbuild" image --output oci --output oci-archive --output docker-archive --output rootfs
expect 0 "$xbuild" image --target amd64 --output "docker-archive=$work/hello-amd64.docker.tar" --output "oci=$work/hello-amd64"
expect 0 "$xbuild" image --target arm64 --output "docker-archive=$work/hello-arm64.docker.tar" --output "oci=$work/hello-arm64"
# once more: another directory, nothing compiled or packed before
(
	export XBUILD_CACHE_DIR="$work/second cache"
	warm_store
	git clone -q . "$work/second place" && git -C "$work/second place" remote remove origin
	expect 0 "$xbuild" -C "$work/second place" image --output oci --output oci-archive --output docker-archive
)
expect 0 "$xbuild" tag hello
tag=$(head -n 1 "$work/stdout")
# and a tree of odd names, modes and owners, which image_trees.sh gives to readers of tar
python3 "$XB_SOURCE/tests/cli/random_tree.py" make "$work/tree" "${XB_SEEDS:-4}"
expect 0 "$xbuild" -C "$work/tree" image --output docker-archive
rm -rf "$XB_IMAGES"
mkdir -p "$XB_IMAGES"
mv out/images/* "$work"/hello-a* "$XB_IMAGES/"
mv "$work/second place/out/images" "$XB_IMAGES/again"
mkdir "$XB_IMAGES/tree"
mv "$work/tree/wanted.json" "$work/tree/out/images/tree.docker.tar" "$XB_IMAGES/tree/"
python3 - "$XB_IMAGES" "$tag" <<'PY'
import hashlib, json, os, sys
images, tag = sys.argv[1:]

def blob(descriptor):
    with open(os.path.join(images, "hello/blobs", *descriptor["digest"].split(":")), "rb") as file:
        data = file.read()
    assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"]
    return json.loads(data)

with open(images + "/hello/index.json", encoding="utf-8") as file:
    top = json.load(file)["manifests"][0]
platforms = {}
for descriptor in blob(top)["manifests"]:
    manifest = blob(descriptor)
    platforms[descriptor["platform"]["architecture"]] = {
        "digest": descriptor["digest"],
        "config": manifest["config"]["digest"],
        "layers": [layer["digest"] for layer in manifest["layers"]],
        "diff_ids": blob(manifest["config"])["rootfs"]["diff_ids"],
    }
assert sorted(platforms) == ["amd64", "arm64"]
run = {
    "User": "10001:10001",
    "Entrypoint": ["/usr/bin/hello"],
    "Cmd": ["world"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GREETING=hi"],
    "ExposedPorts": {"8080/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"team": "tests"},
    "WorkingDir": "/var/lib",
    "StopSignal": "SIGINT",
}
with open(images + "/image.json", "w", encoding="utf-8") as file:
    json.dump({"tag": tag, "digest": top["digest"], "platforms": platforms, "run": run}, file)
PY

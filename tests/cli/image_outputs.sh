#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The archive forms of an image before independent judges: Python's tarfile, skopeo, umoci; the same bytes twice;
# nothing written again that is as it was; nothing half-written; and xbuild's own verify on all of them.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
expect 0 "$xbuild" lock
git add xbuild.lock && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m lock
images=$PWD/out/images

# only what is named
expect 0 "$xbuild" image --output docker-archive --output oci-archive -o rootfs --json
digest=$(python3 -c 'import json,sys; d = json.load(open(sys.argv[1]))[0]
assert [o["form"] for o in d["outputs"]] == ["docker-archive", "oci-archive", "rootfs", "rootfs"], d
assert all(o["changed"] for o in d["outputs"]) and "layout" not in d, d
print(d["digest"])' "$work/stdout")
[ "$(cd "$images" && echo *)" = 'hello-linux-aarch64.tar hello-linux-x86_64.tar hello.docker.tar hello.oci.tar' ] ||
	fail "written: $(ls "$images")"
sums=$(cd "$images" && sha256sum ./*.tar)

# a second run writes nothing; one that was touched, cut or taken away is made again as it was
expect 0 "$xbuild" image --output docker-archive --output oci-archive --output rootfs --json
python3 -c 'import json,sys; assert not any(o["changed"] for o in json.load(open(sys.argv[1]))[0]["outputs"])' "$work/stdout"
rm "$images/hello.oci.tar"
printf x >>"$images/hello-linux-x86_64.tar"
rm "$images/hello.docker.tar" && echo canary >"$work/canary" && ln -s "$work/canary" "$images/hello.docker.tar"
expect 0 "$xbuild" image --output docker-archive --output oci-archive --output rootfs
says 'hello-linux-aarch64.tar \(as it was\)'
[ "$(cd "$images" && sha256sum ./*.tar)" = "$sums" ] || fail "not made again as it was"
[ "$(cat "$work/canary")" = canary ] || fail "wrote through a link"
[ ! -L "$images/hello.docker.tar" ] || fail "a link stayed in the place of an archive"

# the layout, and another checkout, umask and directory: the same bytes
expect 0 "$xbuild" image
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another digest without --output"
(umask 077 && git clone -q . "$work/other checkout" && git -C "$work/other checkout" remote remove origin)
expect 0 "$xbuild" -C "$work/other checkout" image --output oci-archive --output docker-archive --output rootfs
[ "$(cd "$work/other checkout/out/images" && sha256sum ./*.tar)" = "$sums" ] || fail "another checkout has other bytes"

# paths: relative to where the command runs, for one image, for one platform
mkdir "$work/elsewhere"
expect 0 "$xbuild" image -q --output "rootfs=../elsewhere/root.tar" --target arm64
cmp -s "$work/elsewhere/root.tar" "$images/hello-linux-aarch64.tar" || fail "rootfs=PATH is another file"
expect 0 "$xbuild" -C "$work/elsewhere" -f ../project/xbuild.yaml image -q --output oci-archive=a.tar --output oci=layout
cmp -s "$work/elsewhere/a.tar" "$images/hello.oci.tar" || fail "oci-archive=PATH is another file"
diff -r "$work/elsewhere/layout" "$images/hello" || fail "oci=DIR is another layout"
# an image that there is not, with a slip and without one
for command in image tag "push localhost:9/x --image"; do
	# shellcheck disable=SC2086
	expect 2 "$xbuild" $command "hellox"
	says "the project has no image 'hellox'"
	says "did you mean 'hello'\?"
	# shellcheck disable=SC2086
	expect 2 "$xbuild" $command nothing-like-it
	says "'image:' in xbuild.yaml names the images"
done
expect 2 "$xbuild" image --output rootfs=x.tar
says 'a path is for one platform'
expect 2 "$xbuild" image --output oci-archive=x.tar --output docker-archive=./x.tar
says 'would both be written'
expect 2 "$xbuild" image --output docker
says 'docker-archive'
expect 2 "$xbuild" image --output oci=
says 'a path after'
expect 5 "$xbuild" image --output "oci=$HOME/.."
says 'hint: name a directory that is empty or not there yet'
says 'holds other things'
[ -e "$work/elsewhere/a.tar" ] || fail "a directory of other things was swept"
expect 4 "$xbuild" image --output "oci-archive=$work/elsewhere/layout"
says 'elsewhere/layout'
expect 2 "$xbuild" image --output "oci-archive=$work/nowhere/a.tar"
left=$(find "$images" "$work/elsewhere" -name '.xb-tmp*')
[ -z "$left" ] || fail "left behind: $left"

# a blob that is damaged in the store is not shipped, and the next run makes it again
layer=$(python3 - "$images/hello" <<'PY'
import json, os, sys
blob = lambda d: json.load(open(os.path.join(sys.argv[1], "blobs/sha256", d["digest"].split(":")[1])))
index = blob(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0])
print(blob(index["manifests"][0])["layers"][-1]["digest"].split(":")[1])
PY
)
cp "$(blob "$layer")" "$work/damaged" # the store may share its files with that of other tests
chmod u+w "$work/damaged" && printf X | dd of="$work/damaged" bs=1 seek=100 conv=notrunc 2>/dev/null
mv -f "$work/damaged" "$(blob "$layer")"
rm "$images/hello.oci.tar"
expect 5 "$xbuild" image --output oci-archive
says 'expected sha256'
[ ! -e "$images/hello.oci.tar" ] || fail "a damaged blob was shipped"
expect 0 "$xbuild" image --output oci-archive
[ "$(cd "$images" && sha256sum ./*.tar)" = "$sums" ] || fail "not mended"

# a file that went out of an unpacked package: its layer is in the store, but a rootfs needs the file, and nothing is written
rm "$images/hello-linux-aarch64.tar"
find "$XBUILD_CACHE_DIR/trees" -name 'libtally.so.1*' -type f -path '*aarch64*' -execdir chmod u+w . \; -exec rm -f {} \; -print >"$work/lost"
[ -s "$work/lost" ] || fail "no unpacked libtally to lose"
expect 5 "$xbuild" image --output rootfs
says 'damaged'
says 'fetch --verify'
[ ! -e "$images/hello-linux-aarch64.tar" ] || fail "a rootfs without a file was written"
expect 0 "$xbuild" fetch --verify
expect 0 "$xbuild" image --output rootfs
[ "$(cd "$images" && sha256sum ./*.tar)" = "$sums" ] || fail "another rootfs after fetch --verify"

# Python reads them: entries, order, names, references; the file system is what the layers give one after the other
python3 - "$images" "$digest" <<'PY'
import gzip, hashlib, io, json, sys, tarfile
images, digest = sys.argv[1:]

def members(path):
    with tarfile.open(path, "r:") as t:
        found = t.getmembers()
        names = [m.name for m in found]
        assert len(set(names)) == len(names), names
        assert all(m.mtime == 1 and not m.uname and not m.gname and not m.pax_headers for m in found), path
        return {m.name: (m, t.extractfile(m).read() if m.isfile() else None) for m in found}, names

def load(path):
    files, names = members(path)
    blobs = {n.split("/")[2]: data for n, (m, data) in files.items() if n.startswith("blobs/sha256/")}
    for name, data in blobs.items():
        assert hashlib.sha256(data).hexdigest() == name
    assert json.loads(files["oci-layout"][1]) == {"imageLayoutVersion": "1.0.0"}
    return files, names, {"sha256:" + n: d for n, d in blobs.items()}

files, names, blobs = load(images + "/hello.oci.tar")
assert names[:4] == ["oci-layout", "index.json", "blobs", "blobs/sha256"] and "manifest.json" not in names, names
top = json.loads(files["index.json"][1])["manifests"]
assert len(top) == 1 and top[0]["digest"] == digest and open(images + "/hello/index.json", "rb").read() == files["index.json"][1]
ref = top[0]["annotations"]["org.opencontainers.image.ref.name"]
index = json.loads(blobs[digest])

files, names, docker_blobs = load(images + "/hello.docker.tar")
assert docker_blobs == blobs
combo = json.loads(files["index.json"][1])["manifests"]
got = [(m["digest"], m["annotations"]["org.opencontainers.image.ref.name"], m["annotations"]["io.containerd.image.name"]) for m in combo]
expected = [(digest, ref, "docker.io/library/hello:" + ref)]
for m in index["manifests"]:
    r = ref + "-" + m["platform"]["architecture"]
    expected.append((m["digest"], r, "docker.io/library/hello:" + r))
assert got == expected, got
docker = json.loads(files["manifest.json"][1])
assert len(docker) == 2
for entry, m in zip(docker, index["manifests"]):
    manifest = json.loads(blobs[m["digest"]])
    path = lambda d: "blobs/" + d["digest"].replace(":", "/")
    assert entry["Config"] == path(manifest["config"]) and entry["Layers"] == [path(l) for l in manifest["layers"]], entry
    assert entry["RepoTags"] == ["hello:" + ref + "-" + m["platform"]["architecture"]], entry

    arch = {"amd64": "x86_64", "arm64": "aarch64"}[m["platform"]["architecture"]]
    rootfs, order = members(images + "/hello-linux-%s.tar" % arch)
    merged = {}
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blobs[layer["digest"]]))) as t:
            for x in t.getmembers():
                merged[x.name] = (x, t.extractfile(x).read() if x.isfile() else None)
    look = lambda x: (x[0].type, x[0].mode, x[0].uid, x[0].gid, x[0].linkname, x[1])
    assert {n: look(x) for n, x in merged.items()} == {n: look(x) for n, x in rootfs.items()}
    assert order == sorted(order, key=lambda n: n.encode()) and "usr/bin/hello" in order
PY

# one platform has the plain name
expect 0 "$xbuild" image -q --target amd64 --output "docker-archive=$work/elsewhere/one.tar"
tar -xOf "$work/elsewhere/one.tar" manifest.json | grep -q '"RepoTags":\["hello:[^"]*[0-9a-f]"\]' || fail "one platform has no plain tag"
ref=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])' "$images/hello/index.json")

schemas "$images/hello" "$images/hello.oci.tar" "$images/hello.docker.tar" "$work/elsewhere/one.tar"

if command -v skopeo >/dev/null; then
	for archive in "oci-archive:$images/hello.oci.tar" "oci-archive:$images/hello.docker.tar:$ref"; do
		[ "sha256:$(skopeo inspect --raw "$archive" | sha256sum | cut -d ' ' -f 1)" = "$digest" ] || fail "skopeo: $archive has another digest"
		skopeo inspect --override-os linux --override-arch arm64 --override-variant v8 "$archive" >"$work/inspect"
		grep -q '"Architecture": "arm64"' "$work/inspect" || fail "skopeo finds no arm64 in $archive"
		rm -rf "$work/dir"
		skopeo copy -q --all --preserve-digests "$archive" "dir:$work/dir"
		[ "sha256:$(sha256sum "$work/dir/manifest.json" | cut -d ' ' -f 1)" = "$digest" ] || fail "copied from $archive: another digest"
	done
	for arch in amd64 arm64; do
		skopeo inspect --config "docker-archive:$images/hello.docker.tar:hello:$ref-$arch" >"$work/inspect"
		grep -q "\"architecture\": *\"$arch\"" "$work/inspect" || fail "docker-archive has no $arch"
		# the way of `docker load`: every layer is unpacked and its diffID checked
		rm -rf "$work/dir"
		skopeo copy -q "docker-archive:$images/hello.docker.tar:hello:$ref-$arch" "dir:$work/dir"
	done
	skopeo inspect "docker-archive:$work/elsewhere/one.tar" >"$work/inspect"
	grep -q '"Architecture": "amd64"' "$work/inspect" || fail "docker-archive of one platform"
else
	echo "SKIPPED: skopeo"
fi

if command -v umoci >/dev/null; then
	rootless=--rootless
	[ "$(id -u)" != 0 ] || rootless=
	mkdir "$work/combo" && tar -xf "$images/hello.docker.tar" -C "$work/combo"
	# shellcheck disable=SC2086 # one option or none
	umoci unpack $rootless --image "$work/combo:$ref-arm64" "$work/bundle" >/dev/null 2>"$work/stderr" || fail "umoci: $(cat "$work/stderr")"
	mkdir "$work/rootfs" && tar --no-same-owner -xf "$images/hello-linux-aarch64.tar" -C "$work/rootfs"
	diff -r --no-dereference "$work/rootfs" "$work/bundle/rootfs" || fail "umoci unpacks another file system"
else
	echo "SKIPPED: umoci"
fi

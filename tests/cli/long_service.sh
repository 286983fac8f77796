#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/service from its own script: a signed repository of apk packages is made and served, the image stands on it for two
# machines, is pushed under its sortable tag, is loaded by every consumer, and its program runs on both machines.
. "$(dirname "$0")/daemons.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
case $native in amd64) qemu=qemu-aarch64 machine=x86_64 other=aarch64 ;; *) qemu=qemu-x86_64 machine=aarch64 other=x86_64 ;; esac
needs qemu "$qemu"
needs skopeo skopeo
needs umoci umoci
needs podman podman
start_registry
start_docker

cp -r "$XB_SOURCE/examples/service" service
cd service
rm -rf out .xbuild xbuild.lock runtime/out runtime/.xbuild runtime/xbuild.lock
printf 'out\n.xbuild\nruntime\n' >.gitignore
git init -q -b main . && git add -A && git commit -q -m start
expect 0 env XBUILD="$xbuild" ./run
git add -A && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m lock
expect 0 env XBUILD="$xbuild" ./run "$registry/service"
digest=$(tail -n 1 "$work/stdout" | sed 's/.*@//')
expect 0 "$xbuild" tag service
tag=$(cat "$work/stdout")
echo "$tag" | grep -qE '^[0-9a-f]{8}-1700000001$' || fail "the tag '$tag' does not sort"
layout=$PWD/out/images/service
expect 0 "$xbuild" verify "$layout"
expect 0 "$xbuild" verify "$registry/service:$tag"
prints "^$digest "

# what it says, and what scanners find in it
python3 - "$layout" <<'PY'
import json, sys
blob = lambda d: json.load(open(sys.argv[1] + "/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0])
assert [m["platform"]["architecture"] for m in index["manifests"]] == ["amd64", "arm64"], index
for m in index["manifests"]:
    run = blob(blob(m)["config"])["config"]
    assert run["Entrypoint"] == ["/usr/bin/service"] and "Cmd" not in run, run
    assert run["ExposedPorts"] == {"8080/tcp": {}} and run["User"] == "65532:65532", run
    assert any(e.startswith("PATH=") for e in run["Env"]), run
PY
expect 0 "$xbuild" inspect --json "$layout"
for package in example-base example-baselayout glibc; do prints "$package"; done

expect 0 "$xbuild" image service --output rootfs
tar tf "out/images/service-linux-aarch64.tar" >"$work/names"
for name in etc/os-release usr/bin/service usr/lib/apk/db/installed; do grep -qx "$name" "$work/names" || fail "the rootfs has no $name"; done

# the same commit in another directory gives the same image, from the lock alone: the repository is not served any more
git clone -q . "$work/again" && git -C "$work/again" remote remove origin
expect 0 "$xbuild" -C "$work/again" --offline image service
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another checkout gives another image"

# every consumer
skopeo copy -q --all --preserve-digests --src-tls-verify=false "docker://$registry/service:$tag" "oci:$work/copied:x"
for arch in amd64 arm64; do
	rm -rf "$work/one" "$work/bundle-$arch"
	skopeo copy -q --override-arch "$arch" "oci:$layout" "oci:$work/one:x"
	umoci unpack --image "$work/one:x" "$work/bundle-$arch" >/dev/null 2>&1 || fail "umoci does not unpack $arch"
done
expect 0 "$qemu" -L "$work/bundle-$foreign/rootfs" "$work/bundle-$foreign/rootfs/usr/bin/service" --self-test
prints "^hello from $other\$"
expect 0 docker_ load -i out/images/service.docker.tar
loaded=$(sed -n "s/^Loaded image: \(.*-$native\)\$/\1/p" "$work/stdout")
expect 0 docker_ run --rm --network none "$loaded" --self-test
prints "^hello from $machine\$"
expect 0 docker_ pull -q "$registry/service:$tag"
expect 0 docker_ run --rm --network none "$registry/service:$tag" --self-test
prints "^hello from $machine\$"
expect 0 docker_ pull -q --platform "linux/$foreign" "$registry/service:$tag"
expect 0 ctr_ images import --all-platforms out/images/service.docker.tar
name=$(ctr_ images ls -q | grep -E '/service:' | grep -vE -- '-(amd64|arm64)$' | head -n 1)
expect 0 ctr_ run --rm "$name" "service-test-$$" /usr/bin/service --self-test
prints "^hello from $machine\$"
expect 0 podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs load -i out/images/service.docker.tar
expect 0 podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs pull -q --tls-verify=false "docker://$registry/service:$tag"

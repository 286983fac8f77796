#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# containerd: imports every archive with all platforms, which unpacks each layer and compares its diffID; knows the images by
# their full names; runs the program of this machine's kind; pulls all platforms from a registry.
. "$(dirname "$0")/daemons.sh"
start_containerd
image_facts

# holds NAME DIGEST: an image of this name and digest, with all of its content here and unpacked
holds() {
	expect 0 ctr_ images check --snapshotter native "name==$1"
	prints "^$1 .*$2 +complete \(.* true\$"
}
# runs NAME
runs() {
	expect 0 ctr_ run --rm --cgroup "" --snapshotter native --platform "linux/$native" "$1" c1 /usr/bin/hello judge
	prints "^$said\$"
}
forget() {
	ctr_ images ls -q >"$work/names"
	xargs ctr -a "$work/containerd.sock" images rm --sync <"$work/names" >/dev/null
}

expect 0 ctr_ images import --all-platforms --snapshotter native "$images/hello.docker.tar"
name=docker.io/library/hello
holds "$name:$tag" "$digest"
for arch in amd64 arm64; do holds "$name:$tag-$arch" "$(fact platforms $arch digest)"; done
expect 0 ctr_ images ls "name==$name:$tag"
prints ' linux/amd64,linux/arm64/v8 '
runs "$name:$tag"
runs "$name:$tag-$native"
# the files of the other platform: mounted, they are those of its rootfs
mkdir "$work/mounted" "$work/rootfs"
expect 0 ctr_ images mount --snapshotter native --platform linux/arm64 "$name:$tag-arm64" "$work/mounted"
tar -xf "$images/hello-linux-aarch64.tar" -C "$work/rootfs"
diff -r --no-dereference "$work/rootfs" "$work/mounted" || fail "containerd mounts another file system"
expect 0 ctr_ images unmount --rm --snapshotter native "$work/mounted"
forget

# the layout as a tar has only a tag, which the caller completes
expect 0 ctr_ images import --all-platforms --snapshotter native --base-name example.org/team/hello "$images/hello.oci.tar"
holds "example.org/team/hello:$tag" "$digest"
runs "example.org/team/hello:$tag"
forget

expect 0 ctr_ images import --snapshotter native "$images/hello-$native.docker.tar"
expect 0 ctr_ images ls -q
prints "^$name:$tag\$"
runs "$name:$tag"
forget

# a tree of odd names, modes and owners
expect 0 ctr_ images import --platform linux/amd64 --snapshotter native "$images/tree/tree.docker.tar"
expect 0 ctr_ images mount --snapshotter native --platform linux/amd64 docker.io/library/tree:latest "$work/mounted"
expect 0 python3 "$XB_SOURCE/tests/cli/random_tree.py" compare "$images/tree/wanted.json" "$work/mounted" --owners
expect 0 ctr_ images unmount --rm --snapshotter native "$work/mounted"
forget

start_registry
push
expect 0 ctr_ images pull --plain-http --all-platforms --snapshotter native "$registry/team/hello:$tag"
holds "$registry/team/hello:$tag" "$digest"
runs "$registry/team/hello:$tag"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# podman, with stores of the test's own: loads every archive, shows what they say of themselves, runs the program of this
# machine's kind where containers can be made here, pulls from a layout and from a registry; xbuild verifies what it saves.
. "$(dirname "$0")/daemons.sh"
start_podman
image_facts

# shows REFERENCE ARCHITECTURE
shows() {
	expect 0 podman_ image inspect "$1"
	python3 - "$work/stdout" "$images/image.json" "$2" <<'PY' || fail "podman shows $1 as: $(cat "$work/stdout")"
import json, sys
shown, made = (json.load(open(path)) for path in sys.argv[1:3])
shown, arch = shown[0], sys.argv[3]
platform = made["platforms"][arch]
assert (shown["Os"], shown["Architecture"]) == ("linux", arch), "platform"
assert shown["RootFS"] == {"Type": "layers", "Layers": platform["diff_ids"]}, "layers"
assert shown["Created"] == "2023-11-14T22:13:21Z", shown["Created"]
for key, value in made["run"].items():
    assert shown["Config"].get(key) == value, (key, shown["Config"].get(key), value)
PY
}

# runs REFERENCE
runs() {
	[ "$(id -u)" = 0 ] || return 0
	expect 0 podman_run "$1" judge
	prints "^$said\$"
}

expect 0 podman_ load -i "$images/hello.docker.tar"
for arch in amd64 arm64; do prints "hello:$tag-$arch\$"; done
for arch in amd64 arm64; do shows "localhost/hello:$tag-$arch" $arch; done
runs "localhost/hello:$tag-$native"
expect 0 podman_ save -m -o "$work/saved.tar" "localhost/hello:$tag-amd64" "localhost/hello:$tag-arm64"
expect 0 "$xbuild" verify "$work/saved.tar"
expect 0 podman_ rmi -af

for arch in amd64 arm64; do
	expect 0 podman_ load -i "$images/hello-$arch.docker.tar"
	prints "hello:$tag\$"
	shows "localhost/hello:$tag" $arch
	expect 0 podman_ rmi -af
done

# the multi-arch forms: the platform is chosen (podman 5 forgets --arch when a layout is given without a tag)
for source in "oci:$images/hello:$tag" "oci-archive:$images/hello.oci.tar" "oci-archive:$images/hello.docker.tar:$tag"; do
	for arch in amd64 arm64; do
		expect 0 podman_ pull -q --arch "$arch" "$source"
		id=$(tail -n 1 "$work/stdout")
		[ "sha256:$id" = "$(fact platforms $arch config)" ] || fail "podman pull $source gives $id for $arch"
		shows "$id" $arch
		[ "$arch" != "$native" ] || runs "$id"
		expect 0 podman_ rmi -af
	done
done

start_registry
push
for arch in amd64 arm64; do
	expect 0 podman_ pull -q --tls-verify=false --arch "$arch" "$registry/team/hello:$tag"
	shows "$registry/team/hello:$tag" $arch
	[ "$arch" != "$native" ] || runs "$registry/team/hello:$tag"
	expect 0 podman_ rmi -af
done
[ "$(id -u)" = 0 ] || echo "SKIPPED: podman run: needs root's rights"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Docker's own daemon: loads the archives, shows what they say of themselves, runs the program of this machine's kind, has
# the files of the other kind, and pulls both from a registry.
. "$(dirname "$0")/daemons.sh"
start_docker
image_facts

# shows REFERENCE ARCHITECTURE: docker image inspect has what the image was made with
shows() {
	expect 0 docker_ image inspect "$1"
	python3 - "$work/stdout" "$images/image.json" "$2" <<'PY' || fail "docker shows $1 as: $(cat "$work/stdout")"
import json, sys
shown, made = (json.load(open(path)) for path in sys.argv[1:3])
shown, arch = shown[0], sys.argv[3]
platform = made["platforms"][arch]
assert (shown["Os"], shown["Architecture"], shown.get("Variant", "")) == ("linux", arch, {"arm64": "v8"}.get(arch, "")), "platform"
# the classic store calls an image by its configuration, the one of containerd by its manifest or index
assert shown["Id"] in (platform["config"], platform["digest"], made["digest"]), shown["Id"]
assert shown["RootFS"] == {"Type": "layers", "Layers": platform["diff_ids"]}, "layers"
assert shown["Created"] == "2023-11-14T22:13:21Z", shown["Created"]
for key, value in made["run"].items():
    assert shown["Config"].get(key) == value, (key, shown["Config"].get(key), value)
PY
}

# runs REFERENCE: the program in it, as its user
runs() {
	expect 0 docker_ run --rm --network none "$1" judge
	prints "^$said\$"
	expect 0 docker_ run --rm --network none "$1"
	prints '^hello 1.2, world: 42 7 5$'
}

# has_files REFERENCE TARGET: a container of it has the files of the rootfs that xbuild wrote, but for what docker puts there
has_files() {
	container=$(docker_ create --network none "$1" 2>"$work/stderr") || fail "docker create $1: $(cat "$work/stderr")"
	docker_ export -o "$work/export.tar" "$container"
	docker_ rm "$container" >/dev/null
	python3 - "$work/export.tar" "$images/hello-$2.tar" <<'PY'
import sys, tarfile

def files(path):
    found = {}
    with tarfile.open(path) as archive:
        for m in archive:
            data = archive.extractfile(m).read() if m.isfile() else None
            found[m.name] = (m.type, oct(m.mode & 0o7777), m.uid, m.gid, m.linkname, data)
    return found

got, wanted = map(files, sys.argv[1:])
docker = {".dockerenv", "dev", "proc", "sys", "dev/console", "dev/pts", "dev/shm", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}
wrong = [name for name in wanted if got.get(name) != wanted[name]] + [name for name in got if name not in wanted and name not in docker]
assert len(wanted) > 20 and not wrong, [(name, (got.get(name) or ())[:5], (wanted.get(name) or ())[:5]) for name in wrong[:5]]
PY
}

expect 0 docker_ load -i "$images/hello.docker.tar"
for arch in amd64 arm64; do prints "^Loaded image: hello:$tag-$arch\$"; done
for arch in amd64 arm64; do
	shows "hello:$tag-$arch" "$arch"
done
runs "hello:$tag-$native"
has_files "hello:$tag-amd64" linux-x86_64
has_files "hello:$tag-arm64" linux-aarch64
expect 0 docker_ rmi "hello:$tag-amd64" "hello:$tag-arm64"

# an archive of one platform has the plain name
for arch in amd64 arm64; do
	expect 0 docker_ load -i "$images/hello-$arch.docker.tar"
	prints "^Loaded image: hello:$tag\$"
	shows "hello:$tag" "$arch"
	[ "$arch" != "$native" ] || runs "hello:$tag"
	expect 0 docker_ rmi "hello:$tag"
done

# a tree of odd names, modes and owners
expect 0 docker_ load -i "$images/tree/tree.docker.tar"
prints '^Loaded image: tree:latest$'
container=$(docker_ create --network none tree:latest none)
docker_ export -o "$work/export.tar" "$container"
docker_ rm "$container" >/dev/null
ignored=
for name in .dockerenv dev proc sys dev/console dev/pts dev/shm etc etc/hostname etc/hosts etc/mtab etc/resolv.conf; do
	ignored="$ignored --ignore $name"
done
# shellcheck disable=SC2086 # a list
expect 0 python3 "$XB_SOURCE/tests/cli/random_tree.py" compare "$images/tree/wanted.json" "$work/export.tar" --owners $ignored

# from a registry: the platform is chosen among those of the index
start_registry
push
for arch in amd64 arm64; do
	expect 0 docker_ pull --platform "linux/$arch" "$registry/team/hello:$tag"
	prints "^Digest: $digest\$"
	shows "$registry/team/hello:$tag" "$arch"
	expect 0 docker_ image inspect --format '{{json .RepoDigests}}' "$registry/team/hello:$tag"
	prints "\"$registry/team/hello@$digest\""
	[ "$arch" != "$native" ] || runs "$registry/team/hello:$tag"
	expect 0 docker_ rmi -f "$registry/team/hello:$tag"
done
expect 0 docker_ pull "$registry/team/hello@$digest"
shows "$registry/team/hello@$digest" "$native"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# skopeo and umoci on every form: skopeo copies each to a registry and between forms, with the digest kept wherever the
# form can; umoci unpacks each platform to the files of its rootfs; diffoscope finds no difference between two builds.
. "$(dirname "$0")/daemons.sh"
needs skopeo skopeo
needs umoci umoci
needs diffoscope diffoscope
start_registry
image_facts
to="--dest-tls-verify=false"
at="--src-tls-verify=false"

# digest_at REFERENCE: of the manifest or index that is there
digest_at() { skopeo inspect --raw $tls "$1" | sha256sum | cut -d ' ' -f 1; }
tls=--tls-verify=false

n=0
for source in "oci:$images/hello" "oci-archive:$images/hello.oci.tar" "oci-archive:$images/hello.docker.tar:$tag"; do
	n=$((n + 1))
	expect 0 skopeo copy -q --all --preserve-digests $to "$source" "docker://$registry/t/copy$n:$tag"
	[ "sha256:$(digest_at "docker://$registry/t/copy$n:$tag")" = "$digest" ] || fail "$source has another digest in the registry"
	expect 0 skopeo copy -q --all --preserve-digests $at "docker://$registry/t/copy$n:$tag" "oci:$work/back$n:x"
	expect 0 "$xbuild" verify "$work/back$n"
	prints "^$digest "
done
for arch in amd64 arm64; do
	for source in "docker-archive:$images/hello.docker.tar:hello:$tag-$arch" "docker-archive:$images/hello-$arch.docker.tar" \
		"oci:$images/hello-$arch" "oci-archive:$images/hello.docker.tar:$tag-$arch"; do
		n=$((n + 1))
		expect 0 skopeo copy -q --override-os linux --override-arch $arch $to "$source" "docker://$registry/t/one$n:$tag"
		expect 0 skopeo inspect --config --raw $tls --override-os linux --override-arch $arch "docker://$registry/t/one$n:$tag"
		[ "sha256:$(sha256sum <"$work/stdout" | cut -d ' ' -f 1)" = "$(fact platforms $arch config)" ] ||
			fail "$source has another configuration in the registry"
	done
	expect 0 skopeo copy -q --override-os linux --override-arch $arch "oci:$images/hello" "docker-archive:$work/$arch.tar:hello:x"
	expect 0 "$xbuild" verify "$work/$arch.tar"
	prints " [^ ]*hello:x linux/$arch"
done

rootless=--rootless
[ "$(id -u)" != 0 ] || rootless=
mkdir "$work/combo" && tar -xf "$images/hello.docker.tar" -C "$work/combo"
for arch in amd64 arm64; do
	case $arch in amd64) target=linux-x86_64 ;; *) target=linux-aarch64 ;; esac
	mkdir "$work/rootfs-$arch" && tar -xf "$images/hello-$target.tar" -C "$work/rootfs-$arch"
	for image in "$work/combo:$tag-$arch" "$images/hello-$arch:$tag"; do
		# shellcheck disable=SC2086 # one option or none
		expect 0 umoci unpack $rootless --image "$image" "$work/bundle"
		diff -r --no-dereference "$work/rootfs-$arch" "$work/bundle/rootfs" || fail "umoci unpacks another file system from $image"
		python3 - "$work/bundle/config.json" "$images/image.json" <<'PY' || fail "umoci makes of $image: $(cat "$work/bundle/config.json")"
import json, sys
process, made = json.load(open(sys.argv[1]))["process"], json.load(open(sys.argv[2]))["run"]
assert process["args"] == made["Entrypoint"] + made["Cmd"] and process["cwd"] == made["WorkingDir"], process
assert set(made["Env"]) <= set(process["env"]), process
assert (process["user"]["uid"], process["user"]["gid"]) in ((10001, 10001), (0, 0)), process
PY
		rm -rf "$work/bundle"
	done
done

# built a second time, in another directory with nothing built before
expect 0 diffoscope --no-progress --exclude-directory-metadata yes "$images/hello" "$images/again/hello"
for form in docker oci; do expect 0 diffoscope --no-progress "$images/hello.$form.tar" "$images/again/hello.$form.tar"; done
expect 1 diffoscope --no-progress --max-report-size 100000 "$images/hello-arm64/index.json" "$images/hello-amd64/index.json"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples against Debian's real archive, with the data files that are shipped: locked, built, tested, made into images
# that other programs accept and that run.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
case $(uname -m) in x86_64) native=amd64 foreign=arm64 qemu=qemu-aarch64 ;; *) native=arm64 foreign=amd64 qemu=qemu-x86_64 ;; esac
for tool in skopeo umoci $qemu; do command -v "$tool" >/dev/null || skip "no $tool"; done

# run_image LAYOUT EXPECTED: the image's own command, in a chroot and under the emulator
run_image() {
	for arch in "$native" "$foreign"; do
		rm -rf "$work/one" "$work/bundle"
		skopeo copy -q --override-os linux --override-arch "$arch" "oci:$1" "oci:$work/one:x"
		if [ "$(id -u)" = 0 ]; then rootless=; else rootless=--rootless; fi
		# shellcheck disable=SC2086
		umoci unpack $rootless --image "$work/one:x" "$work/bundle" >/dev/null 2>&1
		python3 - "$work/one" >"$work/argv" <<'PY'
import json, os, sys
def load(d):
    return json.load(open(os.path.join(sys.argv[1], "blobs/sha256", d["digest"].split(":")[1])))
top = load(json.load(open(os.path.join(sys.argv[1], "index.json")))["manifests"][0])
config = load(top["config"])["config"]
print("\n".join(config.get("Entrypoint", []) + config.get("Cmd", [])))
PY
		rootfs=$work/bundle/rootfs
		program=$(head -n 1 "$work/argv")
		# shellcheck disable=SC2046 # words without blanks
		set -- "$1" "$2" "$program" $(tail -n +2 "$work/argv")
		layout=$1 expected=$2
		shift 2
		if [ "$arch" = "$native" ] && [ "$(id -u)" = 0 ]; then
			chroot "$rootfs" "$@" >"$work/said" 2>&1 || fail "$arch: $* failed in a chroot: $(cat "$work/said")"
		elif [ "$arch" = "$foreign" ]; then
			shift
			$qemu -L "$rootfs" "$rootfs$program" "$@" >"$work/said" 2>&1 || fail "$arch: failed under $qemu: $(cat "$work/said")"
		else
			echo "SKIPPED: chroot (not root)"
			continue
		fi
		grep -qE "$expected" "$work/said" || fail "$arch: it says $(cat "$work/said")"
		set -- "$layout" "$expected"
	done
}

for example in hello parcel; do
	cp -r "$XB_SOURCE/examples/$example" "$work/"
	cd "$work/$example"
	rm -rf xbuild.lock out .xbuild
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" lock --check
	expect 0 "$xbuild" fetch
	expect 0 "$xbuild" build --frozen
	expect 0 "$xbuild" test --frozen --json
	python3 - "$work/stdout" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["failed"] == 0 and result["skipped"] == 0 and result["passed"] >= 4, result
PY
	expect 0 "$xbuild" image
	digest=$(tail -n 1 "$work/stdout")
	layout=$PWD/out/images/$example
	[ "sha256:$(skopeo inspect --raw "oci:$layout" | sha256sum | cut -d ' ' -f 1)" = "$digest" ] || fail "$example: skopeo sees another index"
	skopeo copy -q --all --preserve-digests "oci:$layout" "oci:$work/copy-$example:x"
	if [ "$example" = hello ]; then run_image "$layout" 'ello'; else run_image "$layout" '.'; fi
	# a second time, from nothing but the store, offline
	rm -rf out .xbuild
	expect 0 "$xbuild" image --frozen
	[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "$example: another digest"
	sound_store
	cd "$work"
done

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Layers of gzip, zstd and plain ones: the same files, told truly, read by those who can.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
expect 0 "$xbuild" lock
images=$PWD/out/images

# check IMAGE PACKING: every layer is packed so, says so, and unpacks to its diffID with the tool of that name
check() {
	expect 0 "$xbuild" verify "$1"
	[ ! -s "$work/stderr" ] || fail "$1: $(cat "$work/stderr")"
	expect 0 "$xbuild" inspect --json "$1"
	python3 - "$work/stdout" "$1" "$2" <<'PY'
import hashlib, json, os, subprocess, sys
document, path, packing = sys.argv[1:]
tool = {"tar": ["cat"], "tar+gzip": ["gzip", "-dc"], "tar+zstd": ["zstd", "-dcq"]}[packing]
for p in json.load(open(document))["platforms"]:
    assert p["layers"], p
    for l in p["layers"]:
        assert l["packing"] == packing and l["mediaType"] == "application/vnd.oci.image.layer.v1." + packing, l
        with open(os.path.join(path, "blobs/sha256", l["digest"][7:]), "rb") as f:
            tar = subprocess.run(tool, stdin=f, stdout=subprocess.PIPE, check=True).stdout
        assert "sha256:" + hashlib.sha256(tar).hexdigest() == l["diffID"], l
PY
}

gzip=$(image_digest --output "oci=$work/gzip")
check "$work/gzip" tar+gzip
for how in zstd none; do
	packing=tar+zstd
	[ "$how" = zstd ] || packing=tar
	digest=$(image_digest --compression "$how" --output "oci=$work/$how")
	[ "$digest" != "$gzip" ] || fail "$how: the digest is that of gzip"
	check "$work/$how" "$packing"
	# the same files
	expect 1 "$xbuild" diff "$work/gzip" "$work/$how"
	if grep -qvE ' layer [0-9]+: (packed|media type) ' "$work/stdout"; then fail "$how: $(cat "$work/stdout")"; fi
	# again from the store, again from nothing, and with another number of threads
	[ "$(image_digest --compression "$how" --output "oci=$work/$how")" = "$digest" ] || fail "$how: another digest"
	rm -rf "$XBUILD_CACHE_DIR/actions" .xbuild out
	[ "$(image_digest --compression "$how" --jobs 1 --output "oci=$work/$how-again")" = "$digest" ] || fail "$how: another digest from nothing"
done
[ "$(du -sb "$work/zstd" | cut -f1)" -lt "$(du -sb "$work/gzip" | cut -f1)" ] || fail "zstd is larger than gzip"

# the project says it; the command line overrules it
sed 's/^    base: auto/    base: auto\n    compression: zstd/' xbuild.yaml >new && mv new xbuild.yaml
expect 0 "$xbuild" image
says 'another release may give another digest'
check "$images/hello" tar+zstd
expect 0 "$xbuild" image --compression gzip
silent_about 'another release'
check "$images/hello" tar+gzip
expect 0 "$xbuild" lock --check
sed 's/compression: zstd/compression: zst/' xbuild.yaml >new && cp new bad.yaml && rm new
expect 2 "$xbuild" --file bad.yaml image
says "^bad.yaml:[0-9]+:[0-9]+: .*zst"
expect 2 "$xbuild" image --compression best
says 'gzip'

# what docker load cannot read is not written
expect 2 "$xbuild" image --output docker-archive
says "docker load.* cannot read"
says 'compression gzip'
[ ! -e "$images/hello.docker.tar" ] || fail "a docker-archive with zstd was written"
expect 0 "$xbuild" image --compression none --output "docker-archive=$work/none.tar" --output oci-archive

# judges
if command -v skopeo >/dev/null; then
	for how in gzip zstd none; do
		expect 0 skopeo copy -q --all "oci:$work/$how" "dir:$work/dir-$how"
		expect 0 skopeo copy -q --all "oci:$work/$how" "oci-archive:$work/of-$how.oci.tar:x"
		# plain layers it packs on the way
		status=0
		[ "$how" != none ] || status=1
		expect $status "$xbuild" diff "$work/$how" "$work/of-$how.oci.tar"
		if grep -qvE ' layer [0-9]+: (packed|media type) ' "$work/stdout"; then fail "$how: $(cat "$work/stdout")"; fi
	done
	# plain layers of the archive are those that skopeo finds behind both packings; of zstd it makes none either
	for how in gzip none; do
		expect 0 skopeo copy -q --override-os linux --override-arch amd64 "oci:$work/$how" "docker-archive:$work/of-$how.tar:hello:x"
		expect 0 "$xbuild" verify "$work/of-$how.tar"
	done
	expect 0 "$xbuild" diff "$work/of-gzip.tar" "$work/of-none.tar"
	expect 0 skopeo copy -q "docker-archive:$work/none.tar:$(python3 -c 'import json,sys,tarfile; print(next(t for i in json.load(tarfile.open(sys.argv[1]).extractfile("manifest.json")) for t in i["RepoTags"] if t.endswith("amd64")))' "$work/none.tar")" "dir:$work/dir-none-docker"
else
	echo "SKIPPED: skopeo"
fi
# umoci knows gzip and plain layers
if command -v skopeo >/dev/null && command -v umoci >/dev/null; then
	for how in gzip none; do
		expect 0 skopeo copy -q --override-os linux --override-arch amd64 "oci:$work/$how" "oci:$work/umoci-$how:x"
		expect 0 umoci unpack --rootless --image "$work/umoci-$how:x" "$work/bundle-$how"
		cmp "$work/bundle-$how/rootfs/usr/bin/hello" "$work/bundle-gzip/rootfs/usr/bin/hello" || fail "$how: another program"
	done
else
	echo "SKIPPED: umoci"
fi
if command -v podman >/dev/null; then
	cd "$work" # podman makes a name of the path, which may not have capitals
	for how in gzip zstd none; do
		expect 0 podman --root "$work/podman/$how" --runroot "$work/podman/run" --storage-driver vfs pull -q "oci:$how"
	done
	expect 0 podman --root "$work/podman/load" --runroot "$work/podman/run" --storage-driver vfs load -q -i "$work/none.tar"
else
	echo "SKIPPED: podman"
fi

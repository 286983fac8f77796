#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The OCI layout before independent judges: the schemas of the specification, skopeo, umoci, sha256sum, a chroot.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
# shellcheck disable=SC2016 # xbuild's own words
sed -i 's/^    labels: .*/&\n    volumes: [\/data]\n    workdir: \/var\/lib\/hello\n    stop-signal: SIGINT\n    annotations: { org.example.note: "made for ${image}" }/' xbuild.yaml
sed -i 's/^version: .*/&\nlicense: Apache-2.0/' xbuild.yaml
git commit -q -am details
expect 0 "$xbuild" lock
git add xbuild.lock && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m lock
# shellcheck disable=SC2119 # no options
digest=$(image_digest)
layout=$PWD/out/images/hello
revision=$(git rev-parse HEAD)

# every blob is what its name and its descriptors say; diffIDs; config; annotations
python3 - "$layout" "$digest" "$revision" <<'PY'
import gzip, hashlib, json, os, sys, tarfile
layout, digest, revision = sys.argv[1:]
blobs = os.path.join(layout, "blobs", "sha256")
seen = set()

def blob(d):
    data = open(os.path.join(blobs, d["digest"].split(":")[1]), "rb").read()
    assert len(data) == d["size"], d
    assert "sha256:" + hashlib.sha256(data).hexdigest() == d["digest"], d
    seen.add(d["digest"].split(":")[1])
    return data

assert json.load(open(os.path.join(layout, "oci-layout"))) == {"imageLayoutVersion": "1.0.0"}
top = json.load(open(os.path.join(layout, "index.json")))
assert len(top["manifests"]) == 1 and top["manifests"][0]["digest"] == digest, top
assert top["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], top
index = json.loads(blob(top["manifests"][0]))
assert index["mediaType"] == "application/vnd.oci.image.index.v1+json" and index["schemaVersion"] == 2
platforms = {m["platform"]["architecture"]: m for m in index["manifests"]}
assert set(platforms) == {"amd64", "arm64"} and platforms["arm64"]["platform"].get("variant") == "v8", platforms
expected = {"org.opencontainers.image.revision": revision, "org.opencontainers.image.version": "1.2",
            "org.opencontainers.image.licenses": "Apache-2.0", "org.opencontainers.image.title": "hello",
            "org.opencontainers.image.created": "2023-11-14T22:13:21Z", "org.example.note": "made for hello"}
for arch, descriptor in platforms.items():
    manifest = json.loads(blob(descriptor))
    for document in (index, manifest):
        got = document["annotations"]
        assert {k: got.get(k) for k in expected} == expected, got
    config = json.loads(blob(manifest["config"]))
    assert config["architecture"] == arch and config["os"] == "linux" and config["created"] == "2023-11-14T22:13:21Z"
    run = config["config"]
    assert run["User"] == "10001:10001" and run["Entrypoint"] == ["/usr/bin/hello"] and run["Cmd"] == ["world"], run
    assert "GREETING=hi" in run["Env"] and any(e.startswith("PATH=/") for e in run["Env"]), run
    assert run["ExposedPorts"] == {"8080/tcp": {}} and run["Volumes"] == {"/data": {}} and run["Labels"] == {"team": "tests"}, run
    assert run["WorkingDir"] == "/var/lib/hello" and run["StopSignal"] == "SIGINT", run
    diff_ids = config["rootfs"]["diff_ids"]
    assert len(diff_ids) == len(manifest["layers"]) >= 3, manifest
    assert len([h for h in config["history"] if not h.get("empty_layer")]) == len(diff_ids), config
    names = []
    for layer, diff_id in zip(manifest["layers"], diff_ids):
        assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip", layer
        text = gzip.decompress(blob(layer))
        assert "sha256:" + hashlib.sha256(text).hexdigest() == diff_id
        with tarfile.open(os.path.join(blobs, layer["digest"].split(":")[1])) as t:
            members = t.getmembers()
            assert all(m.mtime == 1 and not m.uname and not m.gname for m in members)
            assert not any(".wh." in m.name or m.name.startswith("/") or ".." in m.name.split("/") for m in members)
            order = [m.name for m in members]
            assert order == sorted(order, key=lambda n: n.encode()) and len(order) == len(set(order)), order
            names.append(order)
    flat = sum(names, [])
    assert "usr/bin/hello" in names[-1] and "usr/lib/libplug.so" in names[-2], names
    assert any(n.endswith("/libc.so.6") for n in names[0]) and any(n.endswith("/libtally.so.1") for n in names[0]), names[0]
    assert not any(n.endswith((".a", ".h", "libtally.so")) for n in flat), flat
assert seen == set(os.listdir(blobs)), "blobs that nothing names"
PY

# sha256sum and gunzip say the same as Python
for file in "$layout"/blobs/sha256/*; do
	[ "$(sha256sum "$file" | cut -d ' ' -f 1)" = "$(basename "$file")" ] || fail "$file is not its name"
done

schemas "$layout" "$layout.referrers"

if command -v skopeo >/dev/null; then
	skopeo inspect --raw "oci:$layout" >"$work/raw"
	[ "sha256:$(sha256sum "$work/raw" | cut -d ' ' -f 1)" = "$digest" ] || fail "skopeo sees another index"
	skopeo inspect --override-arch arm64 --override-variant v8 --override-os linux "oci:$layout" >"$work/inspect"
	grep -q '"Architecture": "arm64"' "$work/inspect" || fail "skopeo finds no arm64"
	skopeo copy -q --all --preserve-digests "oci:$layout" "dir:$work/dir"
	[ "sha256:$(sha256sum "$work/dir/manifest.json" | cut -d ' ' -f 1)" = "$digest" ] || fail "dir: has another digest"
	skopeo copy -q --all --preserve-digests "oci:$layout" "oci:$work/copy:tag"
	skopeo inspect --raw "oci:$work/copy:tag" | cmp -s - "$work/raw" || fail "a copied layout has another index"
	diff -r "$layout/blobs" "$work/copy/blobs" || fail "a copied layout has other blobs"
else
	echo "SKIPPED: skopeo"
fi

# unpack ARCH: the rootfs of one platform in $work/ARCH/rootfs
unpack() {
	skopeo copy -q --override-os linux --override-arch "$1" ${2:+--override-variant "$2"} "oci:$layout" "oci:$work/one-$1:x"
	if [ "$(id -u)" = 0 ]; then
		umoci unpack --image "$work/one-$1:x" "$work/$1" >/dev/null 2>&1
	else
		umoci unpack --rootless --image "$work/one-$1:x" "$work/$1" >/dev/null 2>&1
	fi
}

if command -v skopeo >/dev/null && command -v umoci >/dev/null; then
	unpack amd64 ''
	unpack arm64 v8
	for arch in amd64 arm64; do
		rootfs=$work/$arch/rootfs
		case $arch in amd64) triple=x86_64-linux-gnu ;; *) triple=aarch64-linux-gnu ;; esac
		[ "$(readlink "$rootfs/lib")" = usr/lib ] || fail "$arch: /lib is not merged: $(ls -la "$rootfs")"
		for path in usr/bin/hello usr/lib/libplug.so etc/hello.conf etc/passwd etc/group "usr/lib/$triple/libc.so.6" \
			"usr/lib/$triple/libstdc++.so.6" "usr/lib/$triple/libgcc_s.so.1" "usr/lib/$triple/libtally.so.1"; do
			[ -e "$rootfs/$path" ] || fail "$arch: /$path is missing"
		done
		cmp -s "$rootfs/usr/bin/hello" "out/linux-$(echo "$triple" | cut -d - -f 1)/hello" || fail "$arch: another hello"
		grep -q '^app:[^:]*:10001:10001:' "$rootfs/etc/passwd" || fail "$arch: no user: $(cat "$rootfs/etc/passwd")"
		grep -q '^app:[^:]*:10001:' "$rootfs/etc/group" || fail "$arch: no group"
		[ "$(stat -c %a "$rootfs/usr/bin/hello")" = 755 ] || fail "$arch: mode of hello"
		[ "$(stat -c %a "$rootfs/usr/lib/libplug.so")" = 644 ] || fail "$arch: mode of libplug.so"
		[ "$(stat -c %a "$rootfs/etc/hello.conf")" = 640 ] || fail "$arch: mode of hello.conf"
		if [ "$(id -u)" = 0 ]; then
			[ "$(stat -c %u:%g "$rootfs/etc/hello.conf")" = 10001:10001 ] || fail "$arch: owner of hello.conf"
			odd=$(find "$rootfs" ! -uid 0 ! -path "$rootfs/etc/hello.conf" ! -path "$rootfs/data" ! -path "$rootfs/var/lib/hello" | head -n 3)
			[ -z "$odd" ] || fail "$arch: not root's: $odd"
			# volumes and the working directory belong to the user
			[ "$(stat -c %u "$rootfs/data" "$rootfs/var/lib/hello" | sort -u)" = 10001 ] || fail "$arch: owner of /data or /var/lib/hello"
		fi
		odd=$(find "$rootfs" -perm /7000 ! -perm -1777 | head -n 3)
		[ -z "$odd" ] || fail "$arch: set-id bits: $odd"
	done
	case $(uname -m) in x86_64) native=amd64 foreign=arm64 qemu=qemu-aarch64 ;; *) native=arm64 foreign=amd64 qemu=qemu-x86_64 ;; esac
	if [ "$(id -u)" = 0 ]; then
		[ "$(chroot --userspec=10001:10001 "$work/$native/rootfs" /usr/bin/hello judge)" = 'hello 1.2, judge: 42 7 5' ] ||
			fail "the program does not run in its image"
	else
		echo "SKIPPED: chroot (not root)"
	fi
	if command -v $qemu >/dev/null; then
		[ "$($qemu -L "$work/$foreign/rootfs" -E LD_LIBRARY_PATH=/usr/lib "$work/$foreign/rootfs/usr/bin/hello" judge)" = 'hello 1.2, judge: 42 7 5' ] ||
			fail "the program does not run in its foreign image"
	else
		echo "SKIPPED: $qemu"
	fi
else
	echo "SKIPPED: umoci"
fi

# reserved names have their numbers without a base's passwd as well; what is near one is told, as is an image that runs nothing
sed -i 's/^    user: .*/    user: nonroot/; s/owner: app/owner: nonroot/' xbuild.yaml
expect 0 "$xbuild" image --no-evidence --output oci=near
expect 0 "$xbuild" inspect --json near
grep -q '"65532:65532"' "$work/stdout" || fail "nonroot has another uid"
silent_about 'note:'
sed -i 's/^    user: .*/    user: nonrot/; s/owner: nonroot/owner: nonrot/; /^    entrypoint: /d; /^    cmd: /d; s/usr.bin.hello: build/usr\/bin\/greet: build/' xbuild.yaml
expect 0 "$xbuild" image --no-evidence --output oci=near
says "^note: image 'hello': user 'nonrot' .* uid 1000; did you mean 'nonroot'\?$"
says "^warning: image 'hello': neither entrypoint nor cmd: .*'entrypoint: ./usr/bin/greet.'$"
rm -rf near
git checkout -q xbuild.yaml

# what is not complete is not written
before=$(cat "$layout/index.json")
refuses() {
	expect 5 "$xbuild" image
	says "$1"
	[ "$(cat "$layout/index.json")" = "$before" ] || fail "a refused image changed the layout"
	git checkout -q xbuild.yaml
}
sed -i '/libplug.so: build:plug/d' xbuild.yaml
refuses "needs library 'libplug.so'"
sed -i 's/base: auto/base: scratch/' xbuild.yaml
refuses 'not in the image'
sed -i 's|entrypoint: .*|entrypoint: [/usr/bin/helo]|' xbuild.yaml
refuses "/usr/bin/helo"
printf '#!/bin/sh\nexec /usr/bin/hello\n' >run.sh
sed -i 's|entrypoint: .*|entrypoint: [/run.sh]|; s|^      /usr/bin/hello: .*|&\n      /run.sh: { from: run.sh, mode: "0755" }|' xbuild.yaml
refuses "'/run.sh' .run.sh. needs '/bin/sh', which is not in the image"
says "packages: \[dash\]"
rm run.sh
sed -i 's|/usr/bin/hello: build:hello|/usr/bin/hello: { from: build:hello, mode: "0644" }|' xbuild.yaml
refuses "0644"
sed -i 's|/usr/lib/libplug.so: build:plug|/usr/lib/x86_64-linux-gnu/libc.so.6: build:plug|' xbuild.yaml
expect 5 "$xbuild" image
git checkout -q xbuild.yaml
# shellcheck disable=SC2119
[ "$(image_digest)" = "$digest" ] || fail "afterwards the digest is another one"

# a program without any library, in an image of nothing else
cat >tiny.S <<'ASM'
	.globl _start
_start:
#if defined(__x86_64__)
	movl $60, %eax
	movl $9, %edi
	syscall
#else
	mov x8, #93
	mov x0, #9
	svc #0
#endif
	.section .note.GNU-stack, "", %progbits
ASM
sed -i 's|sources: \[tiny.c\]|sources: [tiny.S]\n    ldflags: [-nostdlib, -static]|; s/base: auto/base: scratch/' xbuild.yaml
python3 - <<'PY'
import re
text = open("xbuild.yaml").read()
text = re.sub(r"    files:\n(      .*\n)+", "    files:\n      /tiny: build:tiny\n", text)
text = re.sub(r"    user: .*\n    entrypoint: .*\n    cmd: .*\n", "    entrypoint: [/tiny]\n", text)
open("xbuild.yaml", "w").write(text)
PY
expect 0 "$xbuild" image

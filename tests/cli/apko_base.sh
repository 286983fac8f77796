#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images on a base of apk packages, from a signed repository that this test makes: locked, made for two machines, looked at by
# skopeo and umoci; every link of the chain from the index's signature to a file is broken once; apko.lock.json is written
# and used.
. "$(dirname "$0")/begin.sh"
own_archive
warm_store
make_apks() { python3 "$XB_SOURCE/tests/cli/apk/make.py" "$archive/apk" "$@"; }
make_apks
url=http://127.0.0.1:$port/apk
mkdir -p project/base
cat >project/hello.c <<'C'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
cat >project/xbuild.yaml <<'YAML'
name: on
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  hello: { sources: [hello.c], ldflags: [-static] }
image:
  on:
    base: { apko: base/apko.yaml }
    files: { /usr/bin/hello: build:hello, /etc/os-release: os-release }
    cmd: [/usr/bin/hello]
YAML
cat >project/base/apko.yaml <<YAML
contents:
  keyring: [$url/keys/test.rsa.pub]
  repositories: [$url/repo]
  packages: [tool]
entrypoint: { command: /usr/bin/tool --verbose 'two words' }
accounts:
  run-as: app
  users: [{ username: app, uid: 10001 }]
  groups: [{ groupname: app, gid: 10001 }]
environment: { LANG: C.UTF-8 }
paths:
  - { path: /srv/data, type: directory, uid: 10001, gid: 10001, permissions: 0o750 }
annotations: { team: base }
work-dir: /srv
archs: [x86_64, aarch64]
YAML
echo 'ID=own' >project/os-release
cd project

# ---- lock ----
expect 0 "$xbuild" lock
python3 - <<'PY'
import json
apko = json.load(open("xbuild.lock"))["apko"]["base/apko.yaml"]
assert [(p["arch"], p["name"]) for p in apko["packages"]] == [
    (arch, name) for arch in ("x86_64", "aarch64") for name in ("layout", "libs", "tool")], apko
assert apko["packages"][2]["depends"] == ["layout", "libs"], apko
assert {r["signature"] for r in apko["repositories"]} == {"RSA256"}, apko
assert {r["signed-by"] for r in apko["repositories"]} == {"test.rsa.pub"}, apko
assert apko["keyring"][0]["content"].startswith("-----BEGIN PUBLIC KEY-----"), apko
PY
cp xbuild.lock "$work/first.lock"
expect 0 "$xbuild" lock --check
expect 0 "$xbuild" lock
cmp -s xbuild.lock "$work/first.lock" || fail "a second lock is another one"

# ---- the image ----
expect 0 "$xbuild" image on
digest=$(tail -n 1 "$work/stdout")
expect 0 "$xbuild" verify out/images/on
python3 - <<'PY'
import gzip, io, json, tarfile
blob = lambda d: json.load(open("out/images/on/blobs/sha256/" + d["digest"].split(":")[1]))
index = blob(json.load(open("out/images/on/index.json"))["manifests"][0])
for entry, arch in zip(index["manifests"], ("x86_64", "aarch64")):
    manifest = blob(entry)
    config = blob(manifest["config"])
    run = config["config"]
    assert run["Entrypoint"] == ["/usr/bin/tool", "--verbose", "two words"], run
    assert run["Cmd"] == ["/usr/bin/hello"] and run["User"] == "10001:10001" and run["WorkingDir"] == "/srv", run
    assert run["Env"] == ["LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin",
                          "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"], run
    assert run["Labels"]["team"] == "base", run
    layers = ["out/images/on/blobs/sha256/" + l["digest"].split(":")[1] for l in manifest["layers"]]
    assert len(layers) == 2, layers
    base, own = (tarfile.open(fileobj=io.BytesIO(gzip.open(layer).read())) for layer in layers)
    read = lambda name: base.extractfile(name).read().decode()
    assert read("usr/bin/tool") == f"#!/usr/lib/libx.so.9\ntool 1.0-r0 {arch}\n"
    assert read("etc/apk/arch") == arch + "\n"
    assert read("etc/apk/world") == "layout=1.0-r0\nlibs=1.0-r0\ntool=1.0-r0\n"
    assert "app:x:10001:10001:Account created by apko:/home/app:/bin/sh\n" in read("etc/passwd")
    assert read("etc/os-release") == "ID=made\n"
    names = base.getnames()
    assert "home/app" in names and "tmp/ran" not in names, "a script ran"
    home, data = base.getmember("home/app"), base.getmember("srv/data")
    assert (home.mode, home.uid, home.uname) == (0o700, 10001, "app"), home.get_info()
    assert (data.mode, data.uid, data.gid, data.gname) == (0o750, 10001, 10001, "app"), data.get_info()
    assert base.getmember("dev/null").type == tarfile.CHRTYPE
    installed = read("usr/lib/apk/db/installed")
    assert "P:tool\nV:1.0-r0\n" in installed and "R:tool\na:0:0:0755\nZ:Q1" in installed, installed
    scripts = tarfile.open(fileobj=io.BytesIO(base.extractfile("usr/lib/apk/db/scripts.tar").read()))
    assert [name.split(".Q1")[0] for name in scripts.getnames()] == ["tool-1.0-r0"], scripts.getnames()
    with open("../cache-" + arch, "wb") as cache:
        cache.write(base.extractfile("etc/ld.so.cache").read())
    assert own.extractfile("etc/os-release").read() == b"ID=own\n", "the project's own file does not lie above"
PY

# the bill of materials has the packages, with the licences that they name
python3 - <<'PY'
import json
bill = json.load(open("out/images/on.evidence/linux-aarch64.spdx.json"))
packages = {p["name"]: p for p in bill["packages"]}
assert packages["tool"]["versionInfo"] == "1.0-r0" and packages["tool"]["licenseDeclared"] == "MIT", packages["tool"]
assert "arch=aarch64" in json.dumps(packages["libs"]), packages["libs"]
PY

# the loader's own tool reads the cache, and finds the libraries in the order that the loader searches them
for arch in x86-64 AArch64; do
	file=../cache-$(echo "$arch" | sed 's/x86-64/x86_64/; s/AArch64/aarch64/')
	PATH=$PATH:/sbin:/usr/sbin ldconfig -p -C "$file" >"$work/printed" || fail "ldconfig does not read $file"
	printf '\t%s (libc6,%s) => /usr/lib/%s\n' libx.so.10 $arch libx.so.10 libx.so.9 $arch libx.so.9 libx.so $arch libx.so >"$work/wanted"
	sed 1d "$work/printed" | grep -v '^Cache generated' | diff "$work/wanted" - || fail "the cache of the loader for $arch"
done

# nothing is made twice, and nothing is fetched: not even the packages are looked at
: >"$work/requests"
expect 0 "$xbuild" image on
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another digest"
[ "$(requests apk)" = 0 ] || fail "fetched again"
# another store gives the same image
expect 0 env XBUILD_CACHE_DIR="$work/other" "$xbuild" image on
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another store gives another digest"

# ---- judges ----
if command -v skopeo >/dev/null; then
	skopeo inspect "oci:out/images/on" >"$work/inspect" 2>&1 || fail "skopeo: $(cat "$work/inspect")"
else
	echo 'SKIPPED: no skopeo'
fi
if command -v umoci >/dev/null; then
	ref=$(python3 -c 'import json; print(json.load(open("out/images/on/index.json"))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])')
	skopeo copy -q --override-arch arm64 "oci:out/images/on:$ref" "oci:$work/flat:x" || fail "skopeo copy"
	umoci unpack --rootless --image "$work/flat:x" "$work/bundle" >/dev/null 2>"$work/umoci" || fail "umoci: $(cat "$work/umoci")"
	grep -q 'tool 1.0-r0 aarch64' "$work/bundle/rootfs/usr/bin/alias" || fail "umoci unpacks something else"
else
	echo 'SKIPPED: no umoci'
fi

# ---- why a package is there: by name, by what it provides, and by install_if; also where a lock of apko was taken ----
why() { # why PACKAGE LINE...: all that is told of it
	package=$1
	shift
	expect 0 "$xbuild" lock --why "$package"
	printf 'base/apko.yaml, x86_64; base/apko.yaml, aarch64: %s\n' "$package 1.0-r0" >"$work/wanted"
	printf '  %s\n' "$@" >>"$work/wanted"
	diff "$work/wanted" "$work/stdout" || fail "why $package is there"
}
explain() { # explain SOURCE
	why tool "($1) > tool"
	why libs "($1) > tool > libs"
	why layout "(install_if: layout, libs) > extra > layout" "($1) > tool > layout"
	why extra '(install_if: layout, libs) > extra'
}
cp xbuild.yaml "$work/plain.yaml"
make_apks --break added
expect 0 "$xbuild" lock --update
explain base/apko.yaml
expect 0 "$xbuild" lock --apko base/apko.yaml
cp xbuild.lock "$work/resolved.lock"
sed -i 's|base: { apko: base/apko.yaml }|base: { apko: base/apko.yaml, lock: base/apko.lock.json }|' xbuild.yaml
rm xbuild.lock
expect 0 "$xbuild" lock
explain base/apko.yaml
python3 - "$work/resolved.lock" xbuild.lock <<'PY'
import json, sys
resolved, taken = (json.load(open(path))["apko"]["base/apko.yaml"]["packages"] for path in sys.argv[1:])
assert resolved == taken, (resolved, taken)
extra = [p for p in taken if p["name"] == "extra"]
assert [p["install-if"] for p in extra] == [["layout", "libs"]] * 2, extra
assert sum("install-if" in p for p in taken) == 2, taken
PY
# what is asked for was not added
cp base/apko.yaml "$work/apko.yaml"
sed -i 's/packages: .tool.*/packages: [tool, extra]/' base/apko.yaml
rm base/apko.lock.json
expect 0 "$xbuild" lock --apko base/apko.yaml
expect 0 "$xbuild" lock
why extra '(base/apko.yaml) > extra'
cp "$work/apko.yaml" base/apko.yaml
# a lock of before dependencies were read
python3 - <<'PY'
import re
text = open("xbuild.lock").read()
text = re.sub(r'("checksum".*"depends":)\[[^]]*\],("install-if":\[[^]]*\],)?', r'\1[],', text)
open("xbuild.lock", "w").write(text)
PY
why libs '(base/apko.lock.json, which tells no dependencies) > libs'
make_apks
rm base/apko.lock.json
cp "$work/plain.yaml" xbuild.yaml
cp "$work/first.lock" xbuild.lock

# ---- stale, updated, outdated ----
sed -i 's/work-dir: .*/work-dir: \//' base/apko.yaml
expect 3 "$xbuild" lock --check
says "'base/apko.yaml' changed"
expect 3 "$xbuild" --locked image on
says "'base/apko.yaml' changed"
sed -i 's/work-dir: .*/work-dir: \/srv/' base/apko.yaml
expect 0 "$xbuild" lock --check
APK_TOOL_VERSION=1.1-r0 make_apks
expect 0 "$xbuild" lock
cmp -s xbuild.lock "$work/first.lock" || fail "a lock without --update took a newer version"
"$xbuild" outdated >"$work/stdout" 2>"$work/stderr" && fail "outdated says that all is new"
prints 'tool.*1.0-r0.*1.1-r0'
# one package by its name, and a slip in it
expect 2 "$xbuild" lock --update tol
says "'tol' is not in xbuild.lock"
says "did you mean 'tool'"
cp xbuild.lock "$work/before.lock"
expect 0 "$xbuild" lock --update tool
prints 'tool 1.0-r0 -> 1.1-r0'
cp "$work/before.lock" xbuild.lock
expect 0 "$xbuild" lock --update
prints 'tool 1.0-r0 -> 1.1-r0'
expect 0 "$xbuild" image on
[ "$(tail -n 1 "$work/stdout")" != "$digest" ] || fail "a new version gives the old image"

# ---- apko.lock.json ----
expect 0 "$xbuild" lock --apko base/apko.yaml
python3 - <<'PY'
import base64, hashlib, json
lock = json.load(open("base/apko.lock.json"))
assert lock["config"] == {"name": "base/apko.yaml", "checksum": "sha256-" +
    base64.b64encode(hashlib.sha256(open("base/apko.yaml", "rb").read()).digest()).decode()}, lock["config"]
assert [p["name"] for p in lock["contents"]["packages"]] == ["layout", "libs", "tool"] * 2, lock
PY
expect 0 "$xbuild" image on
digest=$(tail -n 1 "$work/stdout")
sed -i 's|base: { apko: base/apko.yaml }|base: { apko: base/apko.yaml, lock: base/apko.lock.json }|' xbuild.yaml
expect 0 "$xbuild" lock
expect 0 "$xbuild" image on
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "the lock of apko gives another image"
sed -i 's/"1.1-r0"/"1.2-r0"/' base/apko.lock.json
expect 3 "$xbuild" lock --check
says "'base/apko.lock.json' changed"
rm xbuild.lock
expect 5 "$xbuild" lock
says 'expected tool 1.2-r0, found tool 1.1-r0'
sed -i 's|, lock: base/apko.lock.json||' xbuild.yaml
git checkout -q xbuild.lock 2>/dev/null || cp "$work/first.lock" xbuild.lock

# ---- what is there for one architecture only ----
make_apks --break missing
expect 0 "$xbuild" lock --update
says "'tool' stays at 1.0-r0: 9.0-r0 is not there for aarch64 .tool-1.0-r0 is wanted as 'tool'"
! grep -q 9.0-r0 xbuild.lock || fail "a version was taken that one architecture lacks"
make_apks

# byte for byte what apko has written of its own test
shared=${XB_FIXTURES:-$XB_SOURCE/../shared/fixtures}
if [ -d "$shared/apk/apko" ]; then
	cp -r "$shared/apk/apko" testdata && chmod -R u+w testdata
	rm testdata/apko.lock.json
	expect 0 "$xbuild" lock --apko testdata/apko.yaml
	prints 'testdata/apko.lock.json'
	sed -i 's|"testdata/apko.yaml"|"apko.yaml"|' testdata/apko.lock.json
	cmp "$shared/apk/apko/apko.lock.json" testdata/apko.lock.json || fail "not the lock that apko writes"
else
	echo 'SKIPPED: no fixtures of apk packages'
fi

# ---- every link of the chain ----
# broken WHAT STATUS PATTERN: with a repository broken like this, and an empty store, no lock is made
broken() {
	make_apks --break "$1"
	rm -f xbuild.lock
	expect "$2" env XBUILD_CACHE_DIR="$work/cache-$1" "$xbuild" lock
	says "$3"
	[ ! -e xbuild.lock ] || fail "$1: a lock was written"
}
broken unsigned 5 'is not signed'
broken wrong-key 5 'signature'
broken control 5 'checksum of what it says about itself'
broken data 5 'datahash'
# what an index was signed with is in the lock, and a weak digest is told
for digest in sha1:RSA sha512:RSA512 sha256:RSA256; do
	make_apks --break "${digest%:*}"
	rm -f xbuild.lock
	expect 0 env XBUILD_CACHE_DIR="$work/cache-signed" "$xbuild" lock
	case $digest in
	sha1:*) says "warning: the index of '.*' for x86_64 is signed with RSA and SHA-1, which is weak; xbuild.lock says so" ;;
	*) silent_about 'warning' ;;
	esac
	python3 -c 'import json, sys; assert {r["signature"] for r in json.load(open("xbuild.lock"))["apko"]["base/apko.yaml"]["repositories"]} == {sys.argv[1]}, open("xbuild.lock").read()' "${digest#*:}"
done
make_apks --break file
rm xbuild.lock
expect 0 "$xbuild" lock
expect 5 "$xbuild" image on
says "'/usr/bin/tool' is not the file of its checksum"
make_apks

# for apko.lock.json no project is needed, unless its targets are: one that cannot be read is no hindrance
mkdir "$work/alone" && cp base/apko.yaml "$work/alone"
expect 0 "$xbuild" -C "$work/alone" lock --apko apko.yaml
prints 'alone/apko.lock.json$'
expect 0 "$xbuild" lock --apko base/apko.yaml
sed 's|base/apko.yaml|apko.yaml|' base/apko.lock.json | cmp - "$work/alone/apko.lock.json" || fail "another lock without a project"
echo 'name: [' >"$work/alone/xbuild.yaml"
expect 0 "$xbuild" -C "$work/alone" lock --apko apko.yaml
rm "$work/alone/xbuild.yaml"
sed -i '/^archs:/d' "$work/alone/apko.yaml"
expect 2 "$xbuild" -C "$work/alone" lock --apko apko.yaml
says "hint: name the architectures in apko.yaml: 'archs: .x86_64, aarch64.'"

# what cannot be resolved is explained
sed -i 's/packages: .tool.*/packages: [tool, layuot]/' base/apko.yaml
expect 2 "$xbuild" lock
says "no package has or provides the name 'layuot'"
says "did you mean 'layout'"
sed -i 's/packages: .tool.*/packages: [tool, layout>2]/' base/apko.yaml
expect 2 "$xbuild" lock
says "no package fits 'layout>2', which the list of packages asks for; there is layout-1.0-r0$"
sed -i 's/packages: .tool.*/packages: [tool]/' base/apko.yaml

# a repository that lacks an architecture
sed -i 's/^archs:.*/archs: [x86_64, riscv64]/' base/apko.yaml
expect 2 "$xbuild" lock
says "base/apko.yaml: repository '$url/repo' has no index for riscv64"
says "take riscv64 out of 'archs'"
sed -i '/^archs:/d' base/apko.yaml
mv "$archive/apk/repo/aarch64" "$archive/apk/repo/away"
expect 2 "$xbuild" lock
says 'has no index for aarch64'
says "say in 'archs' which it has"
mv "$archive/apk/repo/away" "$archive/apk/repo/aarch64"

# what nobody has named is not trusted
for host in localhost.example.org 127.0.0.1.example.org localhost@example.org example.org; do
	sed -i "s|keyring: .*|keyring: [http://$host/keys/test.rsa.pub]|" base/apko.yaml
	expect 2 "$xbuild" lock
	says "key 'http://$host/keys/test.rsa.pub' would come over http"
done
sed -i '/keyring/d' base/apko.yaml
expect 2 "$xbuild" lock
says 'no key in contents.keyring'

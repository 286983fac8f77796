#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bills of materials and provenance of images on every kind of base: a list of Debian packages, apk packages, another image.
. "$(dirname "$0")/begin.sh"
own_archive
warm_store
python3 "$XB_SOURCE/tests/cli/apk/make.py" "$archive/apk"
url=http://127.0.0.1:$port/apk
mkdir -p project/base
python3 "$XB_SOURCE/tests/cli/base_layout.py" base "v1" --packages >"$work/base-arm64"
cd project
printf 'int main(void) { return 0; }\n' >hello.c
cat >xbuild.yaml <<'YAML'
name: bases
version: "3"
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64, linux-aarch64]
build:
  hello: { sources: [hello.c], ldflags: [-static] }
image:
  deb:
    base: { debian: [base-files, libtally1] }
    files: { /usr/bin/hello: build:hello }
    cmd: [/usr/bin/hello]
  apk:
    base: { apko: base/apko.yaml }
    files: { /usr/bin/hello: build:hello }
  on:
    base: { image: "oci:../base:v1" }
    files: { /usr/bin/hello: build:hello }
  files:
    base: scratch
    files: { /etc/hello.c: hello.c }
YAML
cat >base/apko.yaml <<YAML
contents:
  keyring: [$url/keys/test.rsa.pub]
  repositories: [$url/repo]
  packages: [tool]
entrypoint: { command: /usr/bin/tool }
archs: [x86_64, aarch64]
YAML
expect 0 "$xbuild" lock
expect 0 "$xbuild" image
python3 - "$(cat "$work/base-arm64")" <<'PY'
import json, sys
lock = json.load(open("xbuild.lock"))
load = lambda image, name: json.load(open("out/images/%s.evidence/%s" % (image, name)))
ARCH = {"linux-x86_64": ("amd64", "x86_64"), "linux-aarch64": ("arm64", "aarch64")}
def relations(d, kind):
    ids = {p["SPDXID"]: p for p in d["packages"]}
    return [(ids.get(r["spdxElementId"], {}).get("name"), ids[r["relatedSpdxElement"]]) for r in d["relationships"] if r["relationshipType"] == kind]
def purls(packages):
    return sorted(p["externalRefs"][0]["referenceLocator"] for p in packages if "externalRefs" in p)
def roles(d, role):
    return sorted(c["name"] for c in d["components"] if {"name": "xbuild:role", "value": role} in c.get("properties", []))
for target, (debian, apk) in ARCH.items():
    # Debian: the packages of the image's own list
    own = lock["images"]["deb"][target]
    d = load("deb", target + ".spdx.json")
    contained = {p["name"]: p for f, p in relations(d, "CONTAINS")}
    assert sorted(contained) == sorted([p["name"] for p in own] + ["hello"]), sorted(contained)
    for p in own:
        assert contained[p["name"]]["checksums"][0]["checksumValue"] == p["sha256"] and contained[p["name"]]["versionInfo"] == p["version"]
    assert {"pkg:deb/debian/base-files@99.1?arch=all&distro=test", "pkg:deb/debian/libtally1@1.0-1?arch=%s&distro=test" % debian} <= set(purls(contained.values()))
    c = load("deb", target + ".cdx.json")
    assert roles(c, "contained") == sorted(contained), c

    # apk
    own = [p for p in lock["apko"]["base/apko.yaml"]["packages"] if p["arch"] == apk]
    d = load("apk", target + ".spdx.json")
    contained = {p["name"]: p for f, p in relations(d, "CONTAINS")}
    assert sorted(contained) == sorted([p["name"] for p in own] + ["hello"]), sorted(contained)
    assert own and purls(contained.values()) == sorted("pkg:apk/alpine/%s@%s?arch=%s" % (p["name"], p["version"], apk) for p in own)
    for p in own:
        assert contained[p["name"]]["checksums"][0]["checksumValue"] == p["sha256"]
    assert ("tool", "layout") in [(f, t["name"]) for f, t in relations(d, "DEPENDS_ON")]
    assert roles(load("apk", target + ".cdx.json"), "contained") == sorted(contained)

    # an image: what it stands on, by digest, and the packages that its layers together list
    d = load("on", target + ".spdx.json")
    contained = {p["name"]: p for f, p in relations(d, "CONTAINS")}
    assert sorted(contained) == ["hello", "libc++1", "whole"], sorted(contained)
    assert purls(contained.values()) == ["pkg:deb/some/libc%%2B%%2B1@1%%3A14.0-1?arch=%s&distro=some-12" % debian, "pkg:deb/some/whole@2?arch=all&distro=some-12"], purls(contained.values())
    assert roles(load("on", target + ".cdx.json"), "contained") == sorted(contained)
    [(_, base)] = relations(d, "DESCENDANT_OF")
    assert base["name"] == "oci:../base:v1" and base["primaryPackagePurpose"] == "CONTAINER" and "externalRefs" not in base, base
    if target == "linux-aarch64":
        assert "sha256:" + base["checksums"][0]["checksumValue"] == sys.argv[1], base
    assert roles(load("on", target + ".cdx.json"), "base") == ["oci:../base:v1"]

    # files alone
    d = load("files", target + ".spdx.json")
    assert [p["name"] for p in d["packages"]] == ["files"], d["packages"]
    assert load("files", target + ".cdx.json")["components"] == []

def digests(value, key=None):
    if isinstance(value, dict):
        return {x for k, v in value.items() for x in digests(v, k)}
    if isinstance(value, list):
        return {x for v in value for x in digests(v)}
    return {value} if key in ("sha256", "in-release", "index", "config") else set()
for image in ("deb", "apk", "on", "files"):
    p = load(image, "provenance.intoto.json")["predicate"]["buildDefinition"]
    found = {i["digest"]["sha256"] for i in p["resolvedDependencies"] if "sha256" in i.get("digest", {})}
    assert found == digests(lock), (image, found ^ digests(lock))
PY

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bills of materials, provenance and referrers beside an image: what is in them is compared with the lock, the sources and the image by
# Python; the same bytes everywhere; nothing written again that is as it was.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
# a static program on nothing, a C++ program that takes its library with it, a licence
cat >>xbuild.yaml <<'YAML'
  tiny:
    base: scratch
    files: { /tiny: build:tiny, /etc/hello.conf: hello.conf }
  whole:
    files: { /usr/bin/whole: build:whole }
YAML
sed -i -e 's/^version: .*/&\nlicense: Apache-2.0/' -e 's/^    sources: \[tiny.c\]/&\n    ldflags: [-static]/' \
	-e 's/^test:/  whole: { sources: [whole.cc], ldflags: [-static-libstdc++, -static-libgcc] }\n&/' xbuild.yaml
printf '#include "whole.h"\n#include <string>\nint main(int argc, char **argv) { return static_cast<int>((std::string(argv[0]) + WHOLE).size()) + argc; }\n' >whole.cc
printf '#define WHOLE "whole"\n' >whole.h
git add -A && GIT_AUTHOR_DATE=@1700000001 GIT_COMMITTER_DATE=@1700000001 git commit -q -m more
expect 0 "$xbuild" lock
git add xbuild.lock && GIT_AUTHOR_DATE=@1700000002 GIT_COMMITTER_DATE=@1700000002 git commit -q -m lock
images=$PWD/out/images

# only beside layouts, and only where they are wanted
expect 0 "$xbuild" image --no-evidence hello
[ "$(cd "$images" && echo *)" = hello ] || fail "--no-evidence wrote $(ls "$images")"
expect 0 "$xbuild" image --output rootfs tiny
[ ! -e "$images/tiny.evidence" ] || fail "evidence without a layout"
rm -r out
expect 0 "$xbuild" image --json
cp "$work/stdout" "$work/images.json"

cat >"$work/check.py" <<'PY'
import glob, hashlib, json, os, re, subprocess, sys
images, run = sys.argv[1], json.load(open(sys.argv[2]))
lock = json.load(open("xbuild.lock"))
sha256 = lambda data: hashlib.sha256(data).hexdigest()
revision = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
CREATED = "2023-11-14T22:13:22Z"
ARCH = {"linux-x86_64": "amd64", "linux-aarch64": "arm64"}

def text_of(path):
    data = open(path, "rb").read()
    assert data.endswith(b"\n") and not data.endswith(b"\n\n"), path
    return json.loads(data)

def check_spdx(d):
    assert d["spdxVersion"] == "SPDX-2.3" and d["dataLicense"] == "CC0-1.0" and d["SPDXID"] == "SPDXRef-DOCUMENT"
    assert re.fullmatch(r"https://spdx\.org/spdxdocs/[a-z0-9._-]+-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", d["documentNamespace"]), d["documentNamespace"]
    assert d["creationInfo"] == {"created": CREATED, "creators": ["Tool: xbuild-" + VERSION]}, d["creationInfo"]
    elements = d["packages"] + d.get("files", [])
    ids = {e["SPDXID"]: e for e in elements}
    assert len(ids) == len(elements) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    for p in d["packages"]:
        assert {"name", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"} <= set(p) and p["filesAnalyzed"] is False, p
    for f in d.get("files", []):
        data = open(f["fileName"], "rb").read()
        assert f["checksums"] == [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                                  {"algorithm": "SHA256", "checksumValue": sha256(data)}], f
    related = [(ids[r["spdxElementId"]] if r["spdxElementId"] != "SPDXRef-DOCUMENT" else None, r["relationshipType"],
                ids[r["relatedSpdxElement"]]) for r in d["relationships"]]
    assert len(set(map(str, d["relationships"]))) == len(d["relationships"]), "a relation twice"
    assert [t["SPDXID"] for f, r, t in related if r == "DESCRIBES"] == ["SPDXRef-Image"]
    def of(name, kind):
        return sorted(t.get("name") or t["fileName"] for f, r, t in related if r == kind and f and f["name"] == name and f["SPDXID"] != "SPDXRef-Image")
    return ids, related, of

def purl_of(p):
    refs = p.get("externalRefs", [])
    assert all(r["referenceCategory"] == "PACKAGE-MANAGER" and r["referenceType"] == "purl" for r in refs)
    return refs[0]["referenceLocator"] if refs else None

def check_cyclonedx(d):
    assert d["bomFormat"] == "CycloneDX" and d["specVersion"] == "1.6" and d["version"] == 1
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", d["serialNumber"])
    assert d["metadata"]["timestamp"] == CREATED and d["metadata"]["component"]["type"] == "container"
    tools = [c for f in d.get("formulation", []) for c in f["components"]]
    refs = [c["bom-ref"] for c in [d["metadata"]["component"]] + d["components"] + tools]
    assert len(set(refs)) == len(refs), "a reference twice"
    for e in d["dependencies"]:
        assert e["ref"] in refs and set(e["dependsOn"]) <= set(refs) and len(set(e["dependsOn"])) == len(e["dependsOn"]), e
    role = lambda r: sorted(c["name"] for c in d["components"] if {"name": "xbuild:role", "value": r} in c.get("properties", []))
    return tools, role

VERSION = subprocess.check_output([os.environ["XB_BIN"] + "/xbuild", "version", "--json"], text=True)
VERSION = json.loads(VERSION)["version"]
SOURCES = {
    "hello": {"core": ["lib/answer.S", "lib/core.h", "lib/twice.c"], "plug": ["lib/core.h", "plug/plug.c", "plug/plug.h"],
              "hello": ["app/count.c", "app/main.cc", "lib/core.h", "plug/plug.h"]},
    "tiny": {"tiny": ["tiny.c"]}, "whole": {"whole": ["whole.cc", "whole.h"]},
}
LINKS = {
    "hello": {"core": [], "plug": ["core", "libc6-dev", "libgcc-12-dev"], "hello": ["core", "libc6-dev", "libgcc-12-dev"]},
    "tiny": {"tiny": ["libc6-dev", "libgcc-12-dev"]},
    "whole": {"whole": ["libc6-dev", "libgcc-12-dev", "libstdc++-12-dev"]},
}
CONTAINED = {"hello": ["hello", "plug"], "tiny": ["tiny"], "whole": ["whole"]}
for image in run:
    name, evidence = image["name"], os.path.join(images, image["name"] + ".evidence")
    base = ["linux-x86_64", "linux-aarch64", "index"]
    assert sorted(os.listdir(evidence)) == sorted([b + e for b in base for e in (".spdx.json", ".cdx.json")] + ["provenance.intoto.json"])
    for platform in image["platforms"]:
        target = platform["target"]
        hexdigest = platform["manifest"].split(":")[1]
        d = text_of("%s/%s.spdx.json" % (evidence, target))
        ids, related, of = check_spdx(d)
        top = ids["SPDXRef-Image"]
        assert top["name"] == name and top["versionInfo"] == "1.2" and top["licenseDeclared"] == "Apache-2.0", top
        assert top["checksums"] == [{"algorithm": "SHA256", "checksumValue": hexdigest}]
        contained = {t["name"]: t for f, r, t in related if r == "CONTAINS"}
        packages = dict(p.split(" ") for p in platform["packages"])
        assert sorted(contained) == sorted(list(packages) + CONTAINED[name]), (sorted(contained), packages)
        locked = {p["name"]: p for p in lock["sysroots"][target]["packages"]}
        for package, version in packages.items():
            p = contained[package]
            assert p["versionInfo"] == version and p["checksums"][0]["checksumValue"] == locked[package]["sha256"], p
            encoded = version.replace("+", "%2B").replace(":", "%3A")
            expected = "pkg:deb/debian/%s@%s?arch=%s&distro=test" % (package.replace("+", "%2B"), encoded, ARCH[target])
            assert purl_of(p) == expected, (purl_of(p), expected)
            assert of(package, "DEPENDS_ON") == sorted(x for x in locked[package].get("depends", []) if x in packages), package
        for unit, sources in SOURCES[name].items():
            assert of(unit, "GENERATED_FROM") == ["./" + s for s in sources], (unit, of(unit, "GENERATED_FROM"))
            assert of(unit, "STATIC_LINK") == LINKS[name][unit], (unit, of(unit, "STATIC_LINK"))
        for unit in CONTAINED[name]:
            path = "out/%s/%s" % (target, "libplug.so" if unit == "plug" else unit)
            assert contained[unit]["checksums"] == [{"algorithm": "SHA256", "checksumValue": sha256(open(path, "rb").read())}], unit
        # which archives: the linker of this machine opens libc_nonshared.a for every program, and takes of it for none of these
        taken = {t["name"]: t["comment"].replace("code was copied from ", "").split(", ") for f, r, t in related
                 if r == "STATIC_LINK" and "comment" in t}
        files = [os.path.basename(p) for paths in taken.values() for p in paths]
        assert "crti.o" in files and "crtn.o" in files, files
        assert ("libstdc++.a" in files) == (name == "whole") and ("libc.a" in files) == (name == "tiny"), files
        assert "libc_nonshared.a" not in files, files
        tools = {f["name"]: f for f, r, t in related if r == "BUILD_TOOL_OF"}
        toolchain = lock["toolchains"]["linux-x86_64"]
        assert set(tools) == {p["name"] for p in toolchain["packages"] + toolchain["tools"]} | {toolchain["name"]}
        # what is no part of the image has no purl: a scanner would take it for one
        assert all(purl_of(t) is None or t["name"] in contained for t in tools.values())

        c = text_of("%s/%s.cdx.json" % (evidence, target))
        cdx_tools, role = check_cyclonedx(c)
        assert role("contained") == sorted(contained), role("contained")
        linked = sorted({l for links in LINKS[name].values() for l in links})
        assert role("static-link") == linked, (role("static-link"), linked)
        assert {t["name"] for t in cdx_tools} | {x["name"] for x in c["components"]} >= set(tools)
        by_name = {x["name"]: x for x in c["components"]}
        for package, paths in taken.items():
            assert [o["location"] for o in by_name[package]["evidence"]["occurrences"]] == paths, package
        for unit, sources in SOURCES[name].items():
            found = [(a["name"], a["hashes"][0]["content"]) for a in by_name[unit]["pedigree"]["ancestors"]]
            assert found == [(s, sha256(open(s, "rb").read())) for s in sources], found
            assert by_name[unit]["licenses"] == [{"expression": "Apache-2.0"}]
        assert c["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": hexdigest}]

    ids, related, of = check_spdx(text_of(evidence + "/index.spdx.json"))
    assert ids["SPDXRef-Image"]["checksums"][0]["checksumValue"] == image["digest"].split(":")[1]
    assert ["sha256:" + t["checksums"][0]["checksumValue"] for f, r, t in related if r == "CONTAINS"] == [p["manifest"] for p in image["platforms"]]
    c = text_of(evidence + "/index.cdx.json")
    check_cyclonedx(c)
    assert ["sha256:" + x["hashes"][0]["content"] for x in c["components"]] == [p["manifest"] for p in image["platforms"]]

    # provenance: every digest of the lock
    p = text_of(evidence + "/provenance.intoto.json")
    assert p["_type"] == "https://in-toto.io/Statement/v1" and p["predicateType"] == "https://slsa.dev/provenance/v1"
    assert ["sha256:" + s["digest"]["sha256"] for s in p["subject"]] == [image["digest"]] + [x["manifest"] for x in image["platforms"]]
    definition, details = p["predicate"]["buildDefinition"], p["predicate"]["runDetails"]
    assert definition["externalParameters"] == {"image": name, "profile": "release", "targets": ["linux-x86_64", "linux-aarch64"],
        "project": {"name": "xbuild.yaml", "digest": {"sha256": sha256(open("xbuild.yaml", "rb").read())}}}, definition["externalParameters"]
    assert set(details) == {"builder", "metadata"} and set(details["metadata"]) == {"invocationId"}, details
    assert details["builder"]["version"] == {"xbuild": VERSION}
    inputs = definition["resolvedDependencies"]
    assert inputs[0] == {"name": "source", "digest": {"gitCommit": revision}}, inputs[0]
    def digests(value, key=None):
        if isinstance(value, dict):
            return {x for k, v in value.items() for x in digests(v, k)}
        if isinstance(value, list):
            return {x for v in value for x in digests(v)}
        return {value} if key in ("sha256", "in-release") else set()
    wanted = digests(lock)
    assert len(wanted) > 20 and wanted == {i["digest"]["sha256"] for i in inputs[1:]}, wanted ^ {i["digest"]["sha256"] for i in inputs[1:]}

    # referrers: the same documents as artifacts of their subjects
    layout = os.path.join(images, name + ".referrers")
    blob = lambda x: open(os.path.join(layout, "blobs", x["digest"].replace(":", "/")), "rb").read()
    def load(x):
        data = blob(x)
        assert "sha256:" + sha256(data) == x["digest"] and len(data) == x["size"], x
        return data
    assert json.load(open(layout + "/oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    subjects = {x["target"]: x["manifest"] for x in image["platforms"]}
    subjects.update(index=image["digest"], provenance=image["digest"])
    types = {"spdx": "application/spdx+json", "cdx": "application/vnd.cyclonedx+json", "intoto": "application/vnd.in-toto+json"}
    seen = []
    for entry in json.load(open(layout + "/index.json"))["manifests"]:
        m = json.loads(load(entry))
        [layer] = m["layers"]
        title = layer["annotations"]["org.opencontainers.image.title"]
        subject, kind = title.split(".")[:2]
        assert m["artifactType"] == entry["artifactType"] == layer["mediaType"] == types[kind], m
        assert m["config"]["mediaType"] == "application/vnd.oci.empty.v1+json" and load(m["config"]) == b"{}"
        assert m["subject"]["digest"] == subjects[subject], (title, m["subject"])
        own = os.path.join(images, name, "blobs", m["subject"]["digest"].replace(":", "/"))
        assert m["subject"]["size"] == os.path.getsize(own) and m["subject"]["mediaType"] == json.load(open(own))["mediaType"]
        assert load(layer) == open(os.path.join(evidence, title), "rb").read(), title
        assert "annotations" not in entry, "a referrer has no tag"
        seen.append(title)
    assert sorted(seen) == sorted(os.listdir(evidence)), seen
    assert len(os.listdir(layout + "/blobs/sha256")) == 2 * len(seen) + 1
print("checked", len(run), "images")
PY
export XB_BIN
python3 "$work/check.py" "$images" "$work/images.json" >/dev/null

# artifacts before the schemas of the OCI image-spec, those of a signature too
openssl genpkey -algorithm ed25519 -out "$work/key.pem"
expect 0 "$xbuild" sign --key "$work/key.pem" hello
if [ ! -d "${XB_FIXTURES:-}/oci-schema" ]; then
	echo "SKIPPED: no schemas of the OCI image-spec"
elif ! python3 -c 'import jsonschema' 2>/dev/null; then
	echo "SKIPPED: python3-jsonschema"
else
	PYTHONPATH=$XB_SOURCE/tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - "$XB_FIXTURES/oci-schema" "$images/hello.referrers" "$images/hello.sig" <<'PY'
import json, os, sys
from check_oci_schema import INDEX, MANIFEST, Schemas
schemas = Schemas(sys.argv[1])
for layout in sys.argv[2:]:
    index = json.load(open(layout + "/index.json"))
    schemas.check("layout", json.load(open(layout + "/oci-layout")), "oci-layout")
    schemas.check(INDEX, index, "index.json")
    assert index["manifests"]
    for entry in index["manifests"]:
        schemas.check(MANIFEST, json.load(open(os.path.join(layout, "blobs", entry["digest"].replace(":", "/")))), entry["digest"])
PY
fi
rm -r "$images/hello.sig"

# the same bytes in another checkout, with another umask, from results of the store; and again without anything
sums() { (cd "$1/out/images" && find ./*.evidence ./*.referrers -type f -exec sha256sum {} + | sort -k 2); }
before=$(sums .)
(umask 077 && git clone -q . "$work/other checkout" && git -C "$work/other checkout" remote remove origin)
expect 0 "$xbuild" -C "$work/other checkout" image
[ "$(sums "$work/other checkout")" = "$before" ] || fail "another checkout has other documents"
rm -rf .xbuild out
expect 0 "$xbuild" image -v
[ "$(jobs_run)" = 0 ] || fail "what the store knew was made again"
[ "$(sums .)" = "$before" ] || fail "made anew they are others"

# nothing is written again that is as it was
stamps() { (cd out/images && find ./*.evidence ./*.referrers -type f -printf '%p %T@ %C@ %i\n' | sort); }
written=$(stamps)
expect 0 "$xbuild" image
[ "$(stamps)" = "$written" ] || fail "written again"
printf ' ' >>"$images/hello.evidence/index.spdx.json"
rm "$images/tiny.evidence/linux-aarch64.cdx.json" "$images/tiny.referrers/index.json"
expect 0 "$xbuild" image
[ "$(sums .)" = "$before" ] || fail "not mended"

# the store lost what links were made from: the links run again, and nothing else changes
rm -rf "$XBUILD_CACHE_DIR/actions" .xbuild/evidence-*
expect 0 "$xbuild" image -v
[ "$(jobs_run)" -gt 0 ] || fail "linked from nothing that is known"
[ "$(sums .)" = "$before" ] || fail "another list after the links ran again"

# a change of a comment alone is another source of the same program
digest=$(sha256sum <out/linux-x86_64/tiny)
printf '/* a comment */\n' >>tiny.c
GIT_AUTHOR_DATE=@1700000003 GIT_COMMITTER_DATE=@1700000002 git commit -qam comment
expect 0 "$xbuild" image --json
[ "$(sha256sum <out/linux-x86_64/tiny)" = "$digest" ] || fail "a comment changed the program"
python3 "$work/check.py" "$images" "$work/stdout" >/dev/null

# one platform: the other's documents go
expect 0 "$xbuild" image --target amd64 tiny
[ "$(cd "$images/tiny.evidence" && echo *)" = 'index.cdx.json index.spdx.json linux-x86_64.cdx.json linux-x86_64.spdx.json provenance.intoto.json' ] ||
	fail "left: $(ls "$images/tiny.evidence")"

# an image whose layout is where the documents of another would be
for ending in evidence referrers; do
	rm -rf .xbuild/evidence-* "$images/tiny.$ending" && cp -r "$images/hello" "$images/tiny.$ending"
	expect 5 "$xbuild" image tiny
	diff -r "$images/hello" "$images/tiny.$ending" || fail "swept a layout"
	rm -r "$images/tiny.$ending"
done

# a directory of others is not swept
mkdir "$images/tiny.referrers" && echo mine >"$images/tiny.referrers/file"
rm -f .xbuild/evidence-tiny*
expect 5 "$xbuild" image tiny
says 'holds other things'
[ "$(cat "$images/tiny.referrers/file")" = mine ] || fail "swept"

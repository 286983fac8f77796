#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# xbuild sign and verify --key: openssl judges the signatures and makes some in the place of xbuild; skopeo judges an image and its
# signature in a registry; whatever is forged, moved or missing is refused.
. "$(dirname "$0")/begin.sh"
command -v openssl >/dev/null || fail "openssl is not installed"
serve
warm_store
hello_project project
cd project
expect 0 "$xbuild" lock
# shellcheck disable=SC2119 # no options
digest=$(image_digest --output oci --output oci-archive)
images=$PWD/out/images
before=$(cd "$images/hello" && find . -type f -exec sha256sum {} + | sort)

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec.pem" 2>/dev/null ||
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec.pem" 2>/dev/null
for name in ed other; do openssl genpkey -algorithm ed25519 -out "$work/$name.pem"; done
for name in ec ed other; do openssl pkey -in "$work/$name.pem" -pubout -out "$work/$name.pub"; done

# refused COMMAND...: for its signature, with nothing on stdout
refused() {
	expect 5 "$@"
	[ ! -s "$work/stdout" ] || fail "refused and printed: $(cat "$work/stdout")"
}

# unsigned; no key; what is no key
refused "$xbuild" verify --key "$work/ec.pub" "$images/hello"
says "$digest: there is no signature of it"
says 'hello.sig'
# what is damaged gets none
python3 - "$images/hello" "$work/damaged" <<'PY'
import json, shutil, sys
shutil.copytree(sys.argv[1], sys.argv[2])
blob = lambda d: sys.argv[2] + "/blobs/sha256/" + d["digest"][7:]
index = json.load(open(blob(json.load(open(sys.argv[2] + "/index.json"))["manifests"][0])))
layer = blob(json.load(open(blob(index["manifests"][1])))["layers"][0])
data = bytearray(open(layer, "rb").read())
data[len(data) // 2] ^= 1
open(layer, "wb").write(data)
PY
refused "$xbuild" sign --key "$work/ec.pem" "$work/damaged"
says "the image is not sound: blob sha256:[0-9a-f]*: its content has the digest"
[ ! -e "$work/damaged.sig" ] || fail "a damaged image was signed"
expect 2 "$xbuild" sign hello
says 'sign needs a key'
expect 2 "$xbuild" sign --key "$work/ec.pub" hello
says 'it is a public key'
expect 2 "$xbuild" verify --key "$work/ec.pem" "$images/hello"
says 'it is a private key'
expect 2 "$xbuild" sign --key "$work/nothing.pem" hello
expect 2 "$xbuild" sign --key "$work/ec.pem" helo
says 'has no image'
expect 2 "$xbuild" sign --key "$work/ec.pem" --repository 'Not A Name' hello
says 'no name of a repository'
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/rsa.pem" 2>/dev/null
expect 2 "$xbuild" sign --key "$work/rsa.pem" hello
says 'found RSA'
[ ! -e "$images/hello.sig" ] || fail "a failed sign left signatures"

# one key, twice, then another
expect 0 "$xbuild" sign --key "$work/ec.pem" --repository localhost:5000/acme/hello hello
prints "^$digest $images/hello.sig$"
expect 0 "$xbuild" verify --key "$work/ec.pub" "$images/hello"
prints "^$digest "
refused "$xbuild" verify --key "$work/ed.pub" "$images/hello"
says 'none of its 1 signature is a good one by this key'
sums=$(cd "$images/hello.sig" && find . -type f -exec sha256sum {} + | sort)
expect 0 "$xbuild" sign --key "$work/ec.pem" --repository localhost:5000/acme/hello
says 'as it was'
[ "$(cd "$images/hello.sig" && find . -type f -exec sha256sum {} + | sort)" = "$sums" ] || fail "signed again what was signed"
expect 0 "$xbuild" -C "$work" sign --key ed.pem --repository localhost:5000/acme/hello "$images/hello"
for name in ec ed; do expect 0 "$xbuild" verify --key "$work/$name.pub" "$images/hello"; done
refused "$xbuild" verify --key "$work/other.pub" "$images/hello"
says 'none of its 2 signatures'
[ "$(cd "$images/hello" && find . -type f -exec sha256sum {} + | sort)" = "$before" ] || fail "signing changed the image"

# the archive of the same image; signatures of another place
expect 0 "$xbuild" verify --key "$work/ec.pub" "$images/hello.oci.tar"
# what docker would load of an archive is named by a file that no signature covers
expect 0 "$xbuild" image --output docker-archive
refused "$xbuild" verify --key "$work/ec.pub" "$images/hello.docker.tar"
says 'manifest.json'
# more images than are listed: none of them may pass unseen
python3 - "$images/hello" "$work/crowd" <<'PY'
import json, shutil, sys
shutil.copytree(sys.argv[1], sys.argv[2])
index = json.load(open(sys.argv[2] + "/index.json"))
entry = index["manifests"][0]
entry.pop("annotations")
index["manifests"] = [entry] * 60
json.dump(index, open(sys.argv[2] + "/index.json", "w"))
PY
refused "$xbuild" verify --key "$work/ec.pub" --signatures "$images/hello.sig" "$work/crowd"
says 'names 60 images'
cp -r "$images/hello.sig" "$work/elsewhere"
cp -r "$images/hello" "$work/copy"
refused "$xbuild" verify --key "$work/ec.pub" "$work/copy"
expect 0 "$xbuild" verify --key "$work/ec.pub" --signatures "$work/elsewhere" "$work/copy"
expect 2 "$xbuild" verify --signatures "$work/elsewhere" "$work/copy"

# the form of cosign, and openssl as the judge of what was signed
cat >"$work/form.py" <<'PY'
import base64, hashlib, json, os, sys
layout, digest, out = sys.argv[1:]
blob = lambda d: open(os.path.join(layout, "blobs", d["digest"].replace(":", "/")), "rb").read()
def load(d):
    data = blob(d)
    assert "sha256:" + hashlib.sha256(data).hexdigest() == d["digest"] and len(data) == d["size"], d
    return data
assert json.load(open(layout + "/oci-layout")) == {"imageLayoutVersion": "1.0.0"}
entries = json.load(open(layout + "/index.json"))["manifests"]
tags = {e["annotations"]["org.opencontainers.image.ref.name"]: e for e in entries}
assert list(tags)[0] == digest.replace(":", "-") + ".sig", tags
manifest = json.loads(load(entries[0]))
assert manifest["schemaVersion"] == 2 and manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
config = json.loads(load(manifest["config"]))
assert config["rootfs"]["diff_ids"] == [l["digest"] for l in manifest["layers"]], config
for i, layer in enumerate(manifest["layers"]):
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json", layer
    payload = load(layer)
    assert json.loads(payload) == {"critical": {"identity": {"docker-reference": "localhost:5000/acme/hello"},
        "image": {"docker-manifest-digest": digest}, "type": "cosign container image signature"}, "optional": None}, payload
    open("%s.%d" % (out, i), "wb").write(payload)
    open("%s.%d.sig" % (out, i), "wb").write(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"], validate=True))
print(len(entries), len(manifest["layers"]))
PY
[ "$(python3 "$work/form.py" "$images/hello.sig" "$digest" "$work/payload")" = '1 2' ] || fail "another number of signatures"
openssl dgst -sha256 -verify "$work/ec.pub" -signature "$work/payload.0.sig" "$work/payload.0" >/dev/null ||
	fail "openssl does not take the signature of P-256"
openssl pkeyutl -verify -pubin -inkey "$work/ed.pub" -rawin -in "$work/payload.1" -sigfile "$work/payload.1.sig" >/dev/null ||
	fail "openssl does not take the signature of Ed25519"

# the platforms too
expect 0 "$xbuild" sign --key "$work/ed.pem" --repository localhost:5000/acme/hello --recursive hello
[ "$(python3 "$work/form.py" "$images/hello.sig" "$digest" "$work/payload")" = '3 2' ] || fail "the platforms are not signed"

# forge HOW: a layout of signatures in $work/forged, made of a good one. What has a digest keeps a right one.
cat >"$work/forge.py" <<'PY'
import base64, hashlib, json, os, shutil, subprocess, sys
good, digest, work, how = sys.argv[1:]
out = work + "/forged"
shutil.rmtree(out, ignore_errors=True)
shutil.copytree(good, out)
path = lambda d: os.path.join(out, "blobs", d["digest"].replace(":", "/"))
def put(d, data):
    d["digest"], d["size"] = "sha256:" + hashlib.sha256(data).hexdigest(), len(data)
    open(path(d), "wb").write(data)
def sign(key, data):
    open(work + "/tosign", "wb").write(data)
    return subprocess.check_output(["openssl", "dgst", "-sha256", "-sign", work + "/" + key, work + "/tosign"])
index = json.load(open(out + "/index.json"))
entry = index["manifests"][0]
manifest = json.load(open(path(entry)))
layer = manifest["layers"][0]
layers = manifest["layers"]
del layers[1:]
payload = json.load(open(path(layer)))
note = "dev.cosignproject.cosign/signature"
if how == "own":  # made by openssl alone, as another tool would write it
    data = json.dumps(payload, indent=2).encode() + b"\n"
    put(layer, data)
    layer["annotations"][note] = base64.b64encode(sign("ec.pem", data)).decode()
elif how == "payload":  # the text changed, the signature kept
    put(layer, open(path(layer), "rb").read().replace(b"acme", b"evil"))
elif how == "other-image":  # a good signature, of another image, under the tag of this one
    payload["critical"]["image"]["docker-manifest-digest"] = "sha256:" + "0" * 64
    data = json.dumps(payload).encode()
    put(layer, data)
    layer["annotations"][note] = base64.b64encode(sign("ec.pem", data)).decode()
elif how == "type":
    payload["critical"]["type"] = "atomic container signature"
    data = json.dumps(payload).encode()
    put(layer, data)
    layer["annotations"][note] = base64.b64encode(sign("ec.pem", data)).decode()
elif how == "other-key":
    layer["annotations"][note] = base64.b64encode(sign("ec2.pem", open(path(layer), "rb").read())).decode()
elif how == "bit":
    bits = bytearray(base64.b64decode(layer["annotations"][note]))
    bits[-1] ^= 1
    layer["annotations"][note] = base64.b64encode(bits).decode()
elif how == "base64":
    layer["annotations"][note] += "\n"
elif how == "long":
    layer["annotations"][note] = "A" * 2000
elif how == "no-annotation":
    del layer["annotations"]
elif how == "no-layers":
    layers.clear()
elif how == "many":
    layers.extend([layer] * 100)
elif how == "blob":  # content that is not what the digest says
    open(path(layer), "ab").write(b" ")
elif how == "size":
    layer["size"] += 1
elif how == "big":
    put(layer, b" " * 100000)
elif how == "link":
    name = path(layer)
    os.rename(name, work + "/moved")
    os.symlink(work + "/moved", name)
put(entry, json.dumps(manifest).encode())
if how == "tag":
    entry["annotations"]["org.opencontainers.image.ref.name"] = "sha256-" + "0" * 64 + ".sig"
elif how == "manifest":
    open(path(entry), "ab").write(b" ")
elif how == "number":
    entry["size"] = -1
index["manifests"] = [entry]
json.dump(index, open(out + "/index.json", "w"))
if how == "index":
    open(out + "/index.json", "w").write('{"manifests":[')
PY
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec2.pem" 2>/dev/null
expect 0 python3 "$work/forge.py" "$images/hello.sig" "$digest" "$work" own
expect 0 "$xbuild" verify --key "$work/ec.pub" --signatures "$work/forged" "$images/hello"
for how in payload other-image type other-key bit base64 long no-annotation no-layers many blob size big link tag manifest number index; do
	expect 0 python3 "$work/forge.py" "$images/hello.sig" "$digest" "$work" "$how"
	refused "$xbuild" verify --key "$work/ec.pub" --signatures "$work/forged" "$images/hello"
done

# an image that changed is another one: it has no signature, and signing it anew drops the old
printf 'int main(void) { return 3; }\n' >tiny.c
sed -i 's/labels: .*/labels: { team: others }/' xbuild.yaml
# shellcheck disable=SC2119 # no options
changed=$(image_digest)
[ "$changed" != "$digest" ] || fail "the image did not change"
refused "$xbuild" verify --key "$work/ec.pub" "$images/hello"
expect 0 env XBUILD_SIGN_KEY="$work/ec.pem" "$xbuild" sign --json
python3 - "$work/stdout" "$changed" "$images/hello.sig" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d == [{"name": "hello", "digest": sys.argv[2], "signatures": sys.argv[3], "n_signed": 1, "changed": True}], d
PY
expect 0 "$xbuild" verify --key "$work/ec.pub" "$images/hello"
[ "$(grep -o 'sha256-[0-9a-f]*\.sig' "$images/hello.sig/index.json")" = "sha256-${changed#sha256:}.sig" ] || fail "an old signature stayed"
# and an image whose content is damaged is refused before its signature is looked at
printf x >>"$(find "$images/hello/blobs" -type f -size +20k | head -n 1)"
refused "$xbuild" verify --key "$work/ec.pub" "$images/hello"
expect 0 "$xbuild" image

# a password, from the environment alone
openssl pkcs8 -topk8 -in "$work/other.pem" -passout pass:secret -out "$work/locked.pem"
expect 2 "$xbuild" sign --key "$work/locked.pem" hello
says 'XBUILD_KEY_PASSWORD'
expect 2 env XBUILD_KEY_PASSWORD=Secret "$xbuild" sign --key "$work/locked.pem" hello
says 'does not open'
expect 0 env XBUILD_KEY_PASSWORD=secret "$xbuild" sign --key "$work/locked.pem" hello
expect 0 "$xbuild" verify --key "$work/other.pub" "$images/hello"

# an image whose layout is where the signatures of another would be
cp -r "$images/hello" "$work/a" && cp -r "$images/hello" "$work/a.sig"
expect 5 "$xbuild" sign --key "$work/ec.pem" "$work/a"
says 'holds other things'
diff -r "$images/hello" "$work/a.sig" || fail "swept a layout"

# a directory of other things is not swept
rm -r "$images/hello.sig" && mkdir "$images/hello.sig" && echo mine >"$images/hello.sig/file"
expect 5 "$xbuild" sign --key "$work/ec.pem" hello
says 'holds other things'
[ "$(cat "$images/hello.sig/file")" = mine ] || fail "swept"
rm -r "$images/hello.sig"
expect 2 "$xbuild" sign --key "$work/ec.pem" ./nothing
says 'nothing'

# a registry, and a consumer that takes signed images only
at_end() { if [ -s "$work/registry.pid" ] && grep -q registry "/proc/$(cat "$work/registry.pid")/cmdline" 2>/dev/null; then kill "$(cat "$work/registry.pid")"; fi; }
if ! command -v skopeo >/dev/null; then
	echo "SKIPPED: skopeo"
elif ! command -v docker-registry >/dev/null; then
	echo "SKIPPED: docker-registry"
else
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	printf 'version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: %s/registry } }\nhttp: { addr: "127.0.0.1:%s" }\n' \
		"$work" "$port" >"$work/registry.yaml"
	docker-registry serve "$work/registry.yaml" >"$work/registry.log" 2>&1 &
	echo $! >"$work/registry.pid"
	tries=0
	until python3 -c 'import sys, urllib.request; urllib.request.urlopen("http://127.0.0.1:%s/v2/" % sys.argv[1])' "$port" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || fail "the registry did not start: $(cat "$work/registry.log")"
		sleep 0.1
	done
	name=127.0.0.1:$port/acme/hello
	mkdir "$work/registries.d"
	printf 'docker:\n  127.0.0.1:%s:\n    use-sigstore-attachments: true\n' "$port" >"$work/registries.d/local.yaml"
	policy() {
		printf '{"default":[{"type":"reject"}],"transports":{"docker":{"127.0.0.1:%s":[{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":{"type":"matchRepository"}}]}}}' \
			"$port" "$work/$1.pub" >"$work/policy.json"
	}
	pull() {
		rm -rf "$work/pulled"
		skopeo --policy "$work/policy.json" --registries.d "$work/registries.d" copy -q --all --src-tls-verify=false \
			"docker://$name:v1" "dir:$work/pulled" >"$work/pull.log" 2>&1
	}
	expect 0 "$xbuild" sign --key "$work/ec.pem" --repository "$name" --recursive hello
	skopeo --insecure-policy copy -q --all --preserve-digests --dest-tls-verify=false "oci:$images/hello" "docker://$name:v1"
	policy ec
	! pull || fail "skopeo took an image without its signature"
	grep -o 'sha256-[0-9a-f]*\.sig' "$images/hello.sig/index.json" >"$work/tags"
	while read -r tag; do
		skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$images/hello.sig:$tag" "docker://$name:$tag" </dev/null
	done <"$work/tags"
	if pull; then
		policy other
		! pull || fail "skopeo took the signature for that of another key"
	elif grep -q 'sigstore disabled' "$work/pull.log"; then
		echo "SKIPPED: skopeo of this release was built without sigstore"
	else
		fail "skopeo does not take the signature: $(cat "$work/pull.log")"
	fi
fi

# parts that are not named by sha256 are not compared, so no signature holds for them
python3 - "$images/hello" "$work/mixed" <<'PY'
import hashlib, json, os, shutil, sys
src, out = sys.argv[1:]
shutil.copytree(src, out)
def put(document):
    data = json.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    open(out + "/blobs/sha256/" + digest, "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
path = lambda d: out + "/blobs/" + d["digest"].replace(":", "/")
top = json.load(open(out + "/index.json"))
index = json.load(open(path(top["manifests"][0])))
for entry in index["manifests"]:
    manifest = json.load(open(path(entry)))
    data = open(path(manifest["config"]), "rb").read()
    os.makedirs(out + "/blobs/sha512", exist_ok=True)
    manifest["config"]["digest"] = "sha512:" + hashlib.sha512(data).hexdigest()
    open(path(manifest["config"]), "wb").write(data)
    entry.update(put(manifest))
top["manifests"][0].update(put(index))
json.dump(top, open(out + "/index.json", "w"))
PY
expect 0 "$xbuild" verify "$work/mixed"
expect 0 "$xbuild" sign --key "$work/ec.pem" "$work/mixed"
refused "$xbuild" verify --key "$work/ec.pub" "$work/mixed"
says 'not named by sha256'

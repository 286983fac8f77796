# SPDX-License-Identifier: Apache-2.0
"""An OCI layout of an image for two platforms with layers of noise, to push. Prints the digest of its index.

sample_layout.py DIR BYTES SEED [--docker] [--foreign] [--base NAME]: BYTES of the larger layer of each platform.
"""
import argparse, hashlib, io, json, os, random, tarfile

p = argparse.ArgumentParser()
p.add_argument("dir")
p.add_argument("bytes", type=int)
p.add_argument("seed", type=int)
p.add_argument("--docker", action="store_true", help="Docker's media types")
p.add_argument("--foreign", action="store_true", help="a layer that is not distributed, and not in the layout")
p.add_argument("--base", help="annotation org.opencontainers.image.base.name")
args = p.parse_args()

OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
types = {"index": OCI + "index.v1+json", "manifest": OCI + "manifest.v1+json", "config": OCI + "config.v1+json",
         "layer": OCI + "layer.v1.tar"}
if args.docker:
    types = {"index": DOCKER + "distribution.manifest.list.v2+json", "manifest": DOCKER + "distribution.manifest.v2+json",
             "config": DOCKER + "container.image.v1+json", "layer": DOCKER + "image.rootfs.diff.tar"}
os.makedirs(args.dir + "/blobs/sha256", exist_ok=True)
noise = random.Random(args.seed)


def put(kind, data, keep=True):
    if not isinstance(data, bytes):
        data = json.dumps(data, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    if keep:
        with open(args.dir + "/blobs/sha256/" + digest, "wb") as f:
            f.write(data)
    return {"mediaType": types[kind], "digest": "sha256:" + digest, "size": len(data)}


def layer(name, size):
    file, info = io.BytesIO(), tarfile.TarInfo(name)
    info.size, info.mtime = size, 1
    with tarfile.open(fileobj=file, mode="w") as t:
        t.addfile(info, io.BytesIO(noise.randbytes(size)))
    return put("layer", file.getvalue())


platforms = []
for arch in "amd64", "arm64":
    layers = [layer("large", args.bytes), layer("small", 1000)]
    diff_ids = [layer["digest"] for layer in layers]
    if args.foreign:
        types["foreign"] = OCI + "layer.nondistributable.v1.tar"
        layers.insert(0, dict(put("foreign", b"elsewhere", keep=False), urls=["https://example.org/layer"]))
        diff_ids.insert(0, layers[0]["digest"])
    config = put("config", {"architecture": arch, "os": "linux", "config": {},
                            "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    manifest = {"schemaVersion": 2, "mediaType": types["manifest"], "config": config, "layers": layers}
    if args.base:
        manifest["annotations"] = {"org.opencontainers.image.base.name": args.base}
    platforms.append(dict(put("manifest", manifest), platform={"os": "linux", "architecture": arch}))
index = put("index", {"schemaVersion": 2, "mediaType": types["index"], "manifests": platforms})
with open(args.dir + "/oci-layout", "w") as f:
    f.write('{"imageLayoutVersion":"1.0.0"}')
with open(args.dir + "/index.json", "w") as f:
    json.dump({"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
               "manifests": [dict(index, annotations={"org.opencontainers.image.ref.name": "v1"})]}, f)
print(index["digest"])
